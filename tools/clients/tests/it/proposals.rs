//! Deploys that somebody else decides about: `dfx deploy --by-proposal` and
//! `--compute-evidence`.

use candid::{CandidType, Nat};
use serde_bytes::ByteBuf;

use crate::directory::{Directory, noise};
use crate::site::{Site, on_both, state_hash_of};

#[derive(CandidType)]
struct CommitProposedBatch {
    batch_id: Nat,
    evidence: ByteBuf,
}

#[test]
fn a_proposal_is_what_its_evidence_says_and_is_published_when_it_is_adopted() {
    on_both(|site| {
        let directory = Directory::holding(&[
            ("index.html", "old"),
            ("about.html", "gone"),
            ("long.txt", &"old ".repeat(1_000)),
        ]);
        site.sync(&directory);

        directory.write("index.html", "new");
        directory.remove("about.html");
        directory.write("long.txt", "new ".repeat(1_000));
        directory.write("film.mp4", noise(2_500_000));
        directory.write("empty.txt", "");
        directory.write(
            ".ic-assets.json5",
            r#"[{ match: "index.html", headers: { "X-A": "b" } }]"#,
        );
        let (batch_id, evidence) = site.propose(&directory);
        assert_eq!(site.get("/").text(), "old");
        assert_eq!(hex::encode(&evidence), site.evidence(&directory));

        let () = site.update(
            "commit_proposed_batch",
            (CommitProposedBatch { batch_id, evidence },),
        );
        assert_eq!(site.get("/").text(), "new");
        assert_eq!(site.get("/").header("x-a"), Some("b"));
        assert_eq!(site.get("/film.mp4").body, noise(2_500_000));
        assert_eq!(site.sync(&directory), 0);
    });
}

#[test]
fn what_is_adopted_is_the_directory_to_its_hash() {
    let site = Site::new();
    let directory = Directory::holding(&[("index.html", "old"), ("about.html", "gone")]);
    site.sync(&directory);
    directory.write("index.html", "new");
    directory.remove("about.html");
    let (batch_id, evidence) = site.propose(&directory);
    let () = site.update(
        "commit_proposed_batch",
        (CommitProposedBatch { batch_id, evidence },),
    );
    assert_eq!(site.get("/about").text(), "new");
    assert_eq!(site.state_hash(), state_hash_of(&directory));
}

#[test]
fn the_evidence_of_another_directory_is_another() {
    on_both(|site| {
        let directory = Directory::holding(&[("index.html", "one")]);
        let (_, evidence) = site.propose(&directory);
        directory.write("index.html", "another");
        assert_ne!(hex::encode(&evidence), site.evidence(&directory));
    });
}
