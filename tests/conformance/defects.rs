//! What is known to be wrong with the canister of dfx, and right here.

use crate::interface::*;
use crate::{Reason, Seen, Subject, checks, missing, shown, uncertified};
use sha2::{Digest, Sha256};

const STALE: Reason = "what is gone leaves no proof behind";
const UNPUBLISHED: Reason = "whatever changes an answer publishes the root";
const DERIVED: Reason =
    "answers are derived from what assets are, and not from how they came to be";
const ALWAYS: Reason = "there is a certified 404 from the first moment";
const WHOLE: Reason = "an answer in parts is one wherever it answers";
const SENT: Reason = "what is not certified is not sent";
const COVERED: Reason = "evidence covers all that will be published";

fn set(change: SetAssetProperties) -> Operation {
    Operation::SetAssetProperties(change)
}

fn aliased(key: &str, is_aliased: bool) -> Operation {
    set(SetAssetProperties {
        is_aliased: Some(Some(is_aliased)),
        ..properties(key)
    })
}

checks! {
    /// D1.
    fn a_deleted_asset_is_gone(it: Play) {
        it.upload(&[("/index.html", "text/html", b"home"), ("/a.txt", "text/plain", b"a")]);
        it.apply([delete("/a.txt")]);
        assert_eq!(it.sees("/a.txt"), it.either(STALE, Seen::Unproven(404), shown("home")));
        assert_eq!(it.sees("/other"), shown("home"));
    }

    /// D2.
    fn a_deleted_front_page_is_no_fallback(it: Play) {
        it.upload(&[("/index.html", "text/html", b"home"), ("/a.txt", "text/plain", b"a")]);
        it.apply([delete("/index.html")]);
        for url in ["/", "/index.html", "/other"] {
            assert_eq!(it.sees(url), it.either(STALE, Seen::Unproven(404), missing()), "{url}");
        }
        assert_eq!(it.sees("/a.txt"), shown("a"));
    }

    /// D3.
    fn a_cleared_site_is_empty(it: Play) {
        it.upload(&[("/a.txt", "text/plain", b"a")]);
        it.owner().update::<()>("clear", ()).unwrap();
        assert_eq!(it.sees("/a.txt"), it.either(STALE, Seen::Unproven(404), missing()));
    }

    /// D4.
    fn a_site_verifies_after_its_properties_are_set(it: Play) {
        it.upload(&[("/a.txt", "text/plain", b"a"), ("/b.txt", "text/plain", b"b")]);
        let change = SetAssetProperties {
            max_age: Some(Some(60)),
            ..properties("/a.txt")
        };
        it.owner().update::<()>("set_asset_properties", (change,)).unwrap();
        for (url, body) in [("/a.txt", "a"), ("/b.txt", "b")] {
            assert_eq!(it.sees(url), it.either(UNPUBLISHED, Seen::Unproven(200), shown(body)));
        }
    }

    /// D5.
    fn aliases_can_be_turned_off_and_on(it: Play) {
        it.upload(&[("/page.html", "text/html", b"page")]);
        it.apply([aliased("/page.html", false)]);
        assert_eq!(it.sees("/page"), it.either(DERIVED, Seen::Unproven(404), missing()));
        it.apply([aliased("/page.html", true)]);
        assert_eq!(it.sees("/page"), shown("page"));
    }

    /// D5, for an asset that never had aliases.
    fn aliases_can_be_turned_on_later(it: Play) {
        let page = CreateAsset {
            enable_aliasing: Some(false),
            ..create("/page.html", "text/html")
        };
        it.apply([page.into(), inline("/page.html", "identity", b"page").into()]);
        it.apply([aliased("/page.html", true)]);
        assert_eq!(it.sees("/page"), it.either(DERIVED, missing(), shown("page")));
    }

    /// D6.
    fn an_empty_site_says_so(it: Play) {
        assert_eq!(it.sees("/a"), it.either(ALWAYS, Seen::Unproven(404), missing()));
        it.upload(&[("/a.txt", "text/plain", b"a")]);
        assert_eq!(it.sees("/b"), missing());
        it.upgrade();
        assert_eq!(it.sees("/b"), it.either(ALWAYS, Seen::Unproven(404), missing()));
    }

    /// D7. Which of the two the canister of dfx certifies depends on the order of a hash map.
    fn two_pages_may_claim_one_path(it: Play) {
        it.upload(&[("/foo.html", "text/html", b"file"), ("/foo/index.html", "text/html", b"directory")]);
        it.apply([aliased("/foo.html", false)]);
        let expected = it.either(DERIVED, Seen::Unproven(404), shown("directory"));
        assert_eq!(it.sees("/foo"), expected);
        it.upgrade();
        if it.is(Subject::Hallmark) {
            assert_eq!(it.sees("/foo"), shown("directory"));
        }
    }

    /// D8.
    fn an_asset_may_lose_its_last_encoding(it: Play) {
        it.upload(&[("/a.txt", "text/plain", b"a")]);
        it.apply([unset("/a.txt", "identity")]);
        assert_eq!(it.sees("/a.txt"), it.either(STALE, Seen::Unproven(404), missing()));
    }

    /// D9.
    fn a_large_front_page_is_a_fallback(it: Play) {
        let page = vec![b'a'; 2_000_000];
        it.upload(&[("/index.html", "text/html", &page)]);
        if it.is(Subject::Hallmark) {
            assert!(it.get("/nowhere").whole_body() == page, "{WHOLE}");
            return;
        }
        let token = Token {
            key: "/nowhere",
            content_encoding: "identity",
            index: 1,
            sha256: Some(serde_bytes::ByteBuf::from(Sha256::digest(&page).to_vec())),
        };
        let streamed = it.owner().query::<()>("http_request_streaming_callback", (token,));
        assert_eq!(streamed.unwrap_err().words(), "Invalid token on streaming: key not found.");
    }

    /// D11.
    fn evidence_covers_the_last_chunk(it: Play) {
        let owner = it.owner();
        let evidence = [&b"one"[..], b"two"].map(|last| {
            let batch_id = owner.create_batch().unwrap();
            let chunk = owner.create_chunk(batch_id, b"chunk").unwrap();
            let set = SetAssetContent {
                last_chunk: Some(last.to_vec().into()),
                ..content("/a", "identity", &[chunk])
            };
            let operations = vec![set.into()];
            let batch = CommitBatch { batch_id, operations };
            owner.update::<()>("propose_commit_batch", (batch,)).unwrap();
            let batch = Batch { batch_id };
            let (evidence,): (Option<serde_bytes::ByteBuf>,) =
                owner.update("compute_evidence", (batch.clone(),)).unwrap();
            owner.update::<()>("delete_batch", (batch,)).unwrap();
            evidence.unwrap()
        });
        assert_eq!(evidence[0] != evidence[1], it.either(COVERED, false, true));
    }

    /// D15. A URL with two slashes in a row is the one with a single slash, to a verifier too.
    fn doubled_slashes_are_one(it: Play) {
        it.upload(&[("/index.html", "text/html", b"home"), ("/a.txt", "text/plain", b"a")]);
        assert_eq!(it.sees("//a.txt"), it.either(DERIVED, Seen::Unproven(200), shown("a")));
    }

    /// A gateway passes on certified headers only.
    fn every_header_is_certified(it: Play) {
        it.upload(&[("/a.txt", "text/plain", b"a")]);
        let uncertified = uncertified(&it.get("/a.txt"));
        assert_eq!(uncertified, it.either(SENT, vec!["etag".to_owned()], vec![]));
    }
}

#[derive(candid::CandidType, Clone)]
struct Batch {
    batch_id: u128,
}

#[derive(candid::CandidType)]
struct Token<'a> {
    key: &'a str,
    content_encoding: &'a str,
    index: u128,
    sha256: Option<serde_bytes::ByteBuf>,
}
