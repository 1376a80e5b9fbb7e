//! What was deleted or replaced is gone: its own address answers like any other
//! that nothing is at, and no proof of it is left.

use crate::interface::*;
use crate::scene::Scene;

/// Sets an answer from before a change against the certificate of after it.
#[track_caller]
fn is_gone(scene: &Scene, url: &str, old: &HttpResponse) {
    let request = scene.get(url);
    let new = request.answer().into_response();

    // As it was, under the old certificate: a verifier accepts that for the five
    // minutes that clocks may differ, which no canister can change.
    assert!(request.verify(old).is_ok());

    // With the witness of old and the certificate of new.
    let (old_proof, new_proof) = (proof(old), proof(&new));
    let spliced = Proof {
        certificate: new_proof.certificate.clone(),
        ..old_proof
    };
    assert!(request.verify(&with_proof(old, &spliced)).is_err());

    // With all of the new proof, or all but the path in it.
    assert!(request.verify(&with_proof(old, &new_proof)).is_err());
    let redirected = Proof {
        expr_path: spliced.expr_path,
        ..new_proof
    };
    assert!(request.verify(&with_proof(old, &redirected)).is_err());
}

/// The fields of an `IC-Certificate` header, as text.
#[derive(Clone)]
struct Proof {
    certificate: String,
    tree: String,
    expr_path: String,
}

fn proof(response: &HttpResponse) -> Proof {
    let is_proof = |(name, _): &&HeaderField| name.eq_ignore_ascii_case("ic-certificate");
    let (_, value) = response.headers.iter().find(is_proof).unwrap();
    let field = |name: &str| {
        let mut fields = value.split(',').map(str::trim);
        let field = fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        field
            .unwrap_or_else(|| panic!("{name} in {value}"))
            .to_owned()
    };
    Proof {
        certificate: field("certificate"),
        tree: field("tree"),
        expr_path: field("expr_path"),
    }
}

fn with_proof(response: &HttpResponse, proof: &Proof) -> HttpResponse {
    let mut response = response.clone();
    let Proof {
        certificate,
        tree,
        expr_path,
    } = proof;
    for (name, value) in &mut response.headers {
        if name.eq_ignore_ascii_case("ic-certificate") {
            *value =
                format!("version=2, certificate={certificate}, tree={tree}, expr_path={expr_path}");
        }
    }
    response
}

fn scene() -> Scene {
    Scene::showing(&[
        ("/a.txt", "text/plain", b"a"),
        ("/b.html", "text/html", b"b"),
        ("/deep/down/c.txt", "text/plain", b"c"),
    ])
}

/// The judge of the other tests: taking a proof apart and putting it together
/// again changes nothing.
#[test]
fn a_proof_that_is_put_together_again_verifies() {
    let scene = scene();
    let response = scene.get("/a.txt").answer().into_response();
    let again = with_proof(&response, &proof(&response));
    assert!(scene.get("/a.txt").verify(&again).is_ok());
}

#[test]
fn a_deleted_asset_is_gone_under_all_its_names() {
    let scene = scene();
    let urls = ["/a.txt", "/b.html", "/b", "/deep/down/c.txt"];
    let old = urls.map(|url| scene.get(url).answer().into_response());
    scene.apply([
        delete("/a.txt"),
        delete("/b.html"),
        delete("/deep/down/c.txt"),
    ]);
    for (url, old) in std::iter::zip(urls, &old) {
        let answer = scene.get(url).answer();
        assert_eq!(answer.status(), 404, "{url}");
        assert_eq!(answer.expression_path(), ["<*>"], "{url}");
        is_gone(&scene, url, old);
    }
}

#[test]
fn a_deleted_asset_leaves_its_address_to_the_fallback() {
    let scene = Scene::showing(&[
        ("/index.html", "text/html", b"index"),
        ("/a.txt", "text/plain", b"a"),
    ]);
    scene.apply([delete("/a.txt")]);
    scene.get("/a.txt").answer().shows(200, "index");
}

#[test]
fn deleting_the_index_leaves_no_page_behind() {
    let scene = Scene::showing(&[
        ("/index.html", "text/html", b"index"),
        ("/a.txt", "text/plain", b"a"),
    ]);
    let urls = ["/", "/index.html", "/nonexistent"];
    let old = urls.map(|url| scene.get(url).answer().into_response());
    scene.apply([delete("/index.html")]);
    for (url, old) in std::iter::zip(urls, &old) {
        assert_eq!(scene.get(url).answer().status(), 404, "{url}");
        is_gone(&scene, url, old);
    }
    scene.get("/a.txt").answer().shows(200, "a");
}

#[test]
fn replaced_content_is_gone() {
    let scene = scene();
    let old = scene.get("/a.txt").answer().into_response();
    scene.apply([inline("/a.txt", "identity", b"new").into()]);
    is_gone(&scene, "/a.txt", &old);
}

#[test]
fn replaced_headers_are_gone() {
    let scene = scene();
    let urls = ["/b", "/b.html"];
    let old = urls.map(|url| scene.get(url).answer().into_response());
    scene.apply([SetAssetProperties {
        headers: Some(Some(headers(&[("X-Frame-Options", "DENY")]))),
        ..properties("/b.html")
    }
    .into()]);
    for (url, old) in std::iter::zip(urls, &old) {
        is_gone(&scene, url, old);
    }
}

#[test]
fn an_encoding_that_was_unset_is_gone() {
    let scene = scene();
    scene.apply([inline("/a.txt", "gzip", b"zipped").into()]);
    let zipped = scene.get("/a.txt").with_header("Accept-Encoding", "gzip");
    let old = zipped.answer().into_response();
    scene.apply([unset("/a.txt", "gzip")]);
    is_gone(&scene, "/a.txt", &old);
}

#[test]
fn an_alias_that_was_switched_off_is_gone() {
    let scene = scene();
    let old = scene.get("/b").answer().into_response();
    scene.apply([SetAssetProperties {
        is_aliased: Some(Some(false)),
        ..properties("/b.html")
    }
    .into()]);
    is_gone(&scene, "/b", &old);
}

#[test]
fn clearing_removes_everything() {
    let scene = scene();
    let urls = ["/a.txt", "/b", "/deep/down/c.txt"];
    let old = urls.map(|url| scene.get(url).answer().into_response());
    scene.apply([Operation::Clear(Empty {})]);
    assert_eq!(scene.owner().list_all(), []);
    for (url, old) in std::iter::zip(urls, &old) {
        assert_eq!(scene.get(url).answer().status(), 404, "{url}");
        is_gone(&scene, url, old);
    }
    scene.upload(&[("/a.txt", "text/plain", b"again")]);
    scene.get("/a.txt").answer().shows(200, "again");
}

/// A deploy that changes the type of a file deletes it and creates it anew.
#[test]
fn what_is_deleted_and_created_in_one_commit_is_there() {
    let scene = scene();
    scene.apply([
        delete("/a.txt"),
        create("/a.txt", "text/markdown").into(),
        inline("/a.txt", "identity", b"# a").into(),
    ]);
    let answer = scene.get("/a.txt").answer();
    answer
        .shows(200, "# a")
        .with("content-type", "text/markdown");
}

#[test]
fn what_comes_back_is_what_it_was() {
    let scene = scene();
    let before = scene.get("/a.txt").answer();
    scene.apply([delete("/a.txt")]);
    scene.upload(&[("/a.txt", "text/plain", b"a")]);
    let after = scene.get("/a.txt").answer();
    after.shows(200, "a").with("etag", before.header("etag"));
}
