//! Batches, chunks, commits, limits.

use crate::interface::*;
use crate::scene::refused_for;
use crate::{NEWER, Reason, Subject, checks, missing, shown};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};

const STAGED: Reason = "a deploy in several commits is published as a whole";

checks! {
    fn the_version_of_the_interface_is_two(it: Play) {
        let (version,): (u16,) = it.owner().query("api_version", ()).unwrap();
        assert_eq!(version, 2);
    }

    fn assets_are_created_in_batches(it: Play) {
        let owner = it.owner();
        let batch = owner.create_batch().unwrap();
        let chunk = owner.create_chunk(batch, b"<!DOCTYPE html><html></html>").unwrap();
        let operations = vec![
            create("/contents.html", "text/html").into(),
            content("/contents.html", "identity", &[chunk]).into(),
        ];
        owner.commit(batch, operations).unwrap();
        assert_eq!(it.sees("/contents.html"), shown("<!DOCTYPE html><html></html>"));
        refused_for(owner.create_chunk(batch, b"more"), "batch not found", "");
    }

    fn a_commit_is_all_or_nothing(it: Play) {
        let operations = vec![
            create("/abc.txt", "text/plain").into(),
            inline("/abd.txt", "identity", b"d").into(),
        ];
        refused_for(it.owner().commit(0, operations), "asset not found", "");
        assert!(it.owner().list(None, None).unwrap().is_empty());
    }

    fn a_deploy_may_come_in_stages(it: Play) {
        let owner = it.owner();
        let batch = owner.create_batch().unwrap();
        let chunk = owner.create_chunk(batch, b"staged").unwrap();
        let operations = vec![
            create("/a.txt", "text/plain").into(),
            content("/a.txt", "identity", &[chunk]).into(),
        ];
        owner.commit(0, operations).unwrap();
        assert_eq!(it.sees("/a.txt"), it.either(STAGED, shown("staged"), missing()));
        owner.commit(batch, Vec::new()).unwrap();
        assert_eq!(it.sees("/a.txt"), shown("staged"));
        refused_for(owner.create_chunk(batch, b"more"), "batch not found", "");
    }

    fn ids_of_batches_are_not_given_again(it: Play) {
        let owner = it.owner();
        let before = [(); 2].map(|()| owner.create_batch().unwrap());
        it.upgrade();
        let after = owner.create_batch().unwrap();
        assert_eq!((before[0] + 1, before[1] + 1), (before[1], after));
    }

    fn a_batch_expires_five_minutes_after_its_last_use(it: Play) {
        let owner = it.owner();
        let [kept, dropped] = [(); 2].map(|()| owner.create_batch().unwrap());
        it.wait(200);
        owner.create_chunk(kept, b"used").unwrap();
        it.wait(101);
        owner.create_batch().unwrap();
        owner.create_chunk(kept, b"still there").unwrap();
        refused_for(owner.create_chunk(dropped, b"too late"), "batch not found", "");
    }

    fn an_asset_is_created_once(it: Play) {
        let owner = it.owner();
        owner.update::<()>("create_asset", (create("/a", "text/plain"),)).unwrap();
        let again = owner.update::<()>("create_asset", (create("/a", "text/plain"),));
        refused_for(again, "asset already exists", "");
    }

    fn content_is_what_its_digest_says(it: Play) {
        let set = |sha256: Option<&[u8]>| SetAssetContent {
            sha256: sha256.map(ByteBuf::from),
            ..inline("/a", "identity", b"content")
        };
        let owner = it.owner();
        let commit = |sha256| {
            let operations = vec![delete("/a"), create("/a", "text/plain").into(), set(sha256).into()];
            owner.commit(0, operations)
        };
        let digest = Sha256::digest(b"content");
        commit(Some(&digest)).unwrap();
        // In a commit, 0.3.0 takes a client's word for it.
        let believed = commit(Some(&[7; 32])).is_ok();
        assert_eq!(believed, it.either(NEWER, true, false));
        refused_for(commit(Some(&[7; 2])), "invalid SHA-256", "");
        commit(None).unwrap();
        let listed = owner.list(None, None).unwrap().remove(0);
        assert_eq!(listed.encodings[0].sha256.as_deref(), Some(&digest.to_vec()));
    }

    fn chunks_and_a_last_one_are_content(it: Play) {
        let owner = it.owner();
        let batch = owner.create_batch().unwrap();
        let chunks = owner.create_chunks(batch, &[b"first ", b"second "]).unwrap();
        let set = SetAssetContent {
            last_chunk: Some(ByteBuf::from("last")),
            sha256: Some(ByteBuf::from(Sha256::digest("first second last").to_vec())),
            ..content("/a", "identity", &chunks)
        };
        owner.commit(batch, vec![create("/a", "text/plain").into(), set.into()]).unwrap();
        let listed = owner.list(None, None).unwrap().remove(0);
        assert_eq!(listed.encodings[0].length, 17);
    }

    fn content_without_content_is_refused(it: Play) {
        let set = content("/a", "identity", &[]);
        let operations = vec![create("/a", "text/plain").into(), set.into()];
        let words = "encoding must have at least one chunk or contain last_chunk";
        refused_for(it.owner().commit(0, operations), words, "");
    }

    fn unknown_chunks_are_refused(it: Play) {
        let set = content("/a", "identity", &[77]);
        let operations = vec![create("/a", "text/plain").into(), set.into()];
        let refusal = it.owner().commit(0, operations).unwrap_err();
        assert!(refusal.words().contains("chunk not found"), "{refusal:?}");
        let is_clear = refusal.words().starts_with("chunk not found");
        assert_eq!(is_clear, it.either(NEWER, false, true), "{refusal:?}");
    }

    fn uploads_have_limits(it: Play) {
        let owner = it.owner();
        let limits = Configure {
            max_batches: Some(Some(3)),
            max_chunks: Some(Some(4)),
            max_bytes: Some(Some(289)),
        };
        owner.update::<()>("configure", (limits,)).unwrap();
        let batch = [(); 3].map(|()| owner.create_batch().unwrap())[2];
        refused_for(owner.create_batch(), "batch limit exceeded", "");
        owner.create_chunks(batch, &[&[0; 100], &[0; 100], &[0; 89]]).unwrap();
        refused_for(owner.create_chunk(batch, b"1"), "byte limit exceeded", "");
        owner.create_chunk(batch, b"").unwrap();
        refused_for(owner.create_chunk(batch, b""), "chunk limit exceeded", "");
    }

    fn a_limit_is_set_kept_and_lifted(it: Play) {
        let owner = it.owner();
        let configure = |max_batches| {
            let limits = Configure { max_batches, ..Configure::default() };
            owner.update::<()>("configure", (limits,)).unwrap();
            let (now,): (Configuration,) = owner.update("get_configuration", ()).unwrap();
            now.max_batches
        };
        assert_eq!(configure(Some(Some(1))), Some(1));
        assert_eq!(configure(None), Some(1));
        assert_eq!(configure(Some(None)), None);
    }

    fn batches_can_be_dropped(it: Play) {
        let owner = it.owner();
        let batch = owner.create_batch().unwrap();
        let drop = || owner.update::<()>("delete_batch", (DeleteBatch { batch_id: batch },));
        drop().unwrap();
        refused_for(drop(), "batch not found", "");
    }

    fn deleting_and_unsetting_what_is_not_there_is_no_error(it: Play) {
        let operations = vec![
            delete("/nothing"),
            create("/a", "text/plain").into(),
            unset("/a", "gzip"),
        ];
        it.owner().commit(0, operations).unwrap();
        let operations = vec![unset("/nothing", "gzip")];
        refused_for(it.owner().commit(0, operations), "asset not found", "");
    }

    fn the_time_of_the_last_deploy_is_told(it: Play) {
        it.upload(&[("/a", "text/plain", b"a")]);
        let told = it.owner().query::<(StateInfo,)>("get_state_info", ());
        assert_eq!(told.is_ok(), it.either(NEWER, false, true));
        if it.is(Subject::Hallmark) {
            let (before,) = told.unwrap();
            it.upgrade();
            let (after,): (StateInfo,) = it.owner().query("get_state_info", ()).unwrap();
            assert_eq!(after.last_state_update_timestamp, before.last_state_update_timestamp);
        }
    }
}

#[derive(candid::CandidType)]
struct DeleteBatch {
    batch_id: u128,
}

#[derive(candid::CandidType, candid::Deserialize, Debug)]
struct StateInfo {
    last_state_update_timestamp: u64,
}
