//! The page that `page.wat` serves, certified by the test that installs it.

use candid::CandidType;
use ic_http_certification::utils::add_v2_certificate_header;
use ic_http_certification::{
    CERTIFICATE_EXPRESSION_HEADER_NAME, DefaultCelBuilder, DefaultResponseCertification,
    HttpCertification, HttpCertificationPath, HttpCertificationTree, HttpCertificationTreeEntry,
    HttpResponse, StatusCode,
};

/// A canister that serves a page.
pub(crate) struct Page {
    pub(crate) module: Vec<u8>,
    /// What proves the page; the canister's argument.
    pub(crate) certified_data: Vec<u8>,
}

/// A module without a page: it tells its certificate.
pub(crate) fn without_page() -> Vec<u8> {
    module(&[], 0)
}

/// A canister that serves `body` at `/`.
/// `certificate` is as long as the certificates of the network it will run on.
pub(crate) fn serving(body: &str, certificate: &[u8]) -> Page {
    let (response, certified_data) = certify(body, certificate);
    let answer = candid::encode_one(Answer::from(&response)).unwrap();
    // The first thing in the header that the network's certificate replaces.
    let before = b"certificate=:";
    let hole = answer
        .windows(before.len())
        .position(|window| window == before)
        .unwrap();
    Page {
        module: module(&answer, hole + before.len()),
        certified_data,
    }
}

/// The same page, with another body than the certified one.
pub(crate) fn forging(body: &str, forged: &str, certificate: &[u8]) -> Page {
    assert_eq!(body.len(), forged.len());
    let mut page = serving(body, certificate);
    let mut places = page.module.windows(body.len());
    let at = places.position(|window| window == body.as_bytes()).unwrap();
    page.module[at..][..body.len()].copy_from_slice(forged.as_bytes());
    page
}

#[derive(CandidType)]
struct Answer {
    status_code: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    upgrade: Option<bool>,
}

impl From<&HttpResponse<'_>> for Answer {
    fn from(response: &HttpResponse<'_>) -> Answer {
        Answer {
            status_code: response.status_code().as_u16(),
            headers: response.headers().to_vec(),
            body: response.body().to_vec(),
            upgrade: None,
        }
    }
}

fn certify(body: &str, certificate: &[u8]) -> (HttpResponse<'static>, Vec<u8>) {
    let cel = DefaultCelBuilder::response_only_certification()
        .with_response_certification(DefaultResponseCertification::certified_response_headers(
            vec!["content-type"],
        ))
        .build();
    let expression = (
        CERTIFICATE_EXPRESSION_HEADER_NAME.to_owned(),
        cel.to_string(),
    );
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers = vec![
        expression,
        field("content-type", "text/html"),
        field("x-uncertified", "yes"),
    ];
    let mut response = HttpResponse::builder()
        .with_status_code(StatusCode::OK)
        .with_headers(headers)
        .with_body(body.as_bytes().to_vec())
        .build();
    let certification = HttpCertification::response_only(&cel, &response, None).unwrap();
    let path = HttpCertificationPath::exact("/");
    let entry = HttpCertificationTreeEntry::new(&path, certification);
    let mut tree = HttpCertificationTree::default();
    tree.insert(&entry);
    let witness = tree.witness(&entry, "/").unwrap();
    add_v2_certificate_header(certificate, &mut response, &witness, &path.to_expr_path());
    (response, tree.root_hash().to_vec())
}

fn module(answer: &[u8], hole: usize) -> Vec<u8> {
    const ANSWER_AT: usize = 32768;
    let bytes: String = answer.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let text = include_str!("page.wat")
        .replace(
            "(data (i32.const 32768) \"$ANSWER\")",
            &format!("(data (i32.const 32768) \"{bytes}\")"),
        )
        .replace(
            "(i32.const $HOLE)",
            &format!("(i32.const {})", ANSWER_AT + hole),
        )
        .replace(
            "(i32.const $LENGTH)",
            &format!("(i32.const {})", answer.len()),
        );
    wat::parse_str(text).unwrap()
}
