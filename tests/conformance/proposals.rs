//! Proposals and their evidence.

use crate::interface::*;
use crate::scene::{Caller, Refusal, refused, refused_for};
use crate::{NEWER, Reason, checks, shown};
use candid::CandidType;
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};

const NO_PANIC: Reason = "an error, and not a panic";

#[derive(CandidType)]
struct Batch {
    batch_id: u128,
    max_iterations: Option<u16>,
    evidence: ByteBuf,
}

fn batch(batch_id: u128) -> Batch {
    Batch {
        batch_id,
        max_iterations: Some(97),
        evidence: ByteBuf::new(),
    }
}

fn propose(owner: Caller<'_>, batch_id: u128, operations: Vec<Operation>) -> Result<(), Refusal> {
    let operations = CommitBatch {
        batch_id,
        operations,
    };
    owner.update("propose_commit_batch", (operations,))
}

/// Asks for evidence until it is there.
fn evidence(owner: Caller<'_>, id: u128) -> Vec<u8> {
    for _ in 0..1_000 {
        let (evidence,): (Option<ByteBuf>,) =
            owner.update("compute_evidence", (batch(id),)).unwrap();
        if let Some(evidence) = evidence {
            return evidence.into_vec();
        }
    }
    panic!("no evidence");
}

fn commit_proposed(owner: Caller<'_>, id: u128, evidence: &[u8]) -> Result<(), Refusal> {
    let evidence = ByteBuf::from(evidence);
    owner.update(
        "commit_proposed_batch",
        (Batch {
            evidence,
            ..batch(id)
        },),
    )
}

fn validate(owner: Caller<'_>, id: u128, evidence: &[u8]) -> Result<String, String> {
    let evidence = ByteBuf::from(evidence);
    let argument = Batch {
        evidence,
        ..batch(id)
    };
    let (said,) = owner
        .update("validate_commit_proposed_batch", (argument,))
        .unwrap();
    said
}

/// The evidence of no operations.
fn of_nothing() -> Vec<u8> {
    Sha256::digest(b"").to_vec()
}

checks! {
    fn a_batch_is_proposed_once(it: Play) {
        let owner = it.owner();
        let id = owner.create_batch().unwrap();
        propose(owner, id, Vec::new()).unwrap();
        let words = format!("batch {id} already has proposed CommitBatchArguments");
        refused(propose(owner, id, Vec::new()), &words);
    }

    fn a_proposal_takes_no_more_chunks(it: Play) {
        let owner = it.owner();
        let id = owner.create_batch().unwrap();
        propose(owner, id, Vec::new()).unwrap();
        let words = format!("batch {id} has been proposed");
        refused(owner.create_chunk(id, b"a"), &words);
        refused(owner.create_chunks(id, &[b"a"]), &words);
    }

    fn a_proposal_with_evidence_does_not_expire(it: Play) {
        let owner = it.owner();
        let id = owner.create_batch().unwrap();
        propose(owner, id, Vec::new()).unwrap();
        evidence(owner, id);
        it.wait(301);
        let words = format!("Batch {id} is already proposed.  Delete or execute it to propose another.");
        refused(owner.create_batch(), &words);
    }

    fn a_proposal_without_evidence_expires(it: Play) {
        let owner = it.owner();
        let id = owner.create_batch().unwrap();
        propose(owner, id, Vec::new()).unwrap();
        it.wait(299);
        let words = format!(
            "Batch {id} has not completed evidence computation.  \
             Wait for it to expire or delete it to propose another."
        );
        refused(owner.create_batch(), &words);
        it.wait(2);
        owner.create_batch().unwrap();
    }

    fn a_proposal_can_be_dropped(it: Play) {
        let owner = it.owner();
        let id = owner.create_batch().unwrap();
        propose(owner, id, Vec::new()).unwrap();
        owner.update::<()>("delete_batch", (batch(id),)).unwrap();
        refused_for(owner.update::<()>("delete_batch", (batch(id),)), "batch not found", "");
        owner.create_batch().unwrap();
    }

    fn voters_are_told_what_is_wrong(it: Play) {
        let owner = it.owner();
        let unknown = validate(owner, 99, &of_nothing()).unwrap_err();
        assert!(unknown.starts_with("batch not found"), "{unknown}");
        let id = owner.create_batch().unwrap();
        let said = |evidence: &[u8]| validate(owner, id, evidence);
        assert_eq!(said(&of_nothing()).unwrap_err(), "batch does not have CommitBatchArguments");
        propose(owner, id, Vec::new()).unwrap();
        assert_eq!(said(&of_nothing()).unwrap_err(), "batch does not have computed evidence");
        let evidence = evidence(owner, id);
        assert_eq!(evidence, of_nothing());
        let (right, wrong) = (hex::encode(&evidence), hex::encode([7; 32]));
        assert_eq!(
            said(&[7; 32]).unwrap_err(),
            it.either(
                NEWER,
                format!("batch computed evidence {right} does not match presented evidence {wrong}"),
                format!("batch {id} computed evidence {right} does not match presented evidence {wrong}"),
            )
        );
        assert_eq!(
            said(&evidence).unwrap(),
            format!("commit proposed batch {id} with evidence {right}")
        );
    }

    fn proposing_in_no_batch_is_refused(it: Play) {
        let refusal = propose(it.owner(), 99, Vec::new()).unwrap_err();
        let is_clear = refusal.words().starts_with("batch not found");
        assert_eq!(is_clear, it.either(NO_PANIC, false, true), "{refusal:?}");
    }

    /// Byte for byte, as an independent implementation computed it.
    fn evidence_covers_every_field(it: Play) {
        const BODY: &[u8] = b"<!DOCTYPE html><html></html>";
        let owner = it.owner();
        let id = owner.create_batch().unwrap();
        let chunk = owner.create_chunk(id, BODY).unwrap();
        let operations = vec![
            delete("/old"),
            CreateAsset {
                max_age: Some(600),
                headers: Some(headers(&[("X-B", "2"), ("x-a", "1")])),
                allow_raw_access: Some(true),
                enable_aliasing: Some(false),
                ..create("/a.html", "text/html")
            }
            .into(),
            unset("/b", "gzip"),
            SetAssetContent {
                sha256: Some(ByteBuf::from(Sha256::digest(BODY).to_vec())),
                ..content("/a.html", "identity", &[chunk])
            }
            .into(),
            Operation::SetAssetProperties(SetAssetProperties {
                max_age: Some(None),
                headers: Some(None),
                is_aliased: Some(Some(true)),
                ..properties("/b")
            }),
        ];
        propose(owner, id, operations).unwrap();
        let expected = "081e0d9c612b8cf9af34f7d8fe0cc7bb2f81d639ef0661557c73900bff144eca";
        assert_eq!(hex::encode(evidence(owner, id)), expected);
    }

    fn what_was_voted_for_is_published(it: Play) {
        it.upload(&[("/old.txt", "text/plain", b"old")]);
        let owner = it.owner();
        let id = owner.create_batch().unwrap();
        let chunk = owner.create_chunk(id, b"new").unwrap();
        let operations = vec![
            delete("/old.txt"),
            create("/new.txt", "text/plain").into(),
            content("/new.txt", "identity", &[chunk]).into(),
        ];
        propose(owner, id, operations).unwrap();
        let early = commit_proposed(owner, id, &[7; 32]);
        refused(early, "batch does not have computed evidence");
        let evidence = evidence(owner, id);
        commit_proposed(owner, id, &[7; 32]).unwrap_err();
        commit_proposed(owner, id, &evidence).unwrap();
        assert_eq!(it.sees("/new.txt"), shown("new"));
        let keys = owner.list(None, None).unwrap();
        assert!(keys.iter().map(|asset| &asset.key).eq(["/new.txt"]));
        refused_for(commit_proposed(owner, id, &evidence), "batch not found", "");
    }
}
