//! Asking the site something over HTTP, and verifying every answer.
//!
//! The verification is that of a gateway, done apart from the canister's own
//! code: `ic-response-verification`, version 2 and nothing older, against the
//! root key of the network.

use crate::interface::{HeaderField, HttpRequest, HttpResponse};
use crate::scene::Scene;
use ic_http_certification as certification;
use ic_http_certification::{Method, StatusCode};
use ic_response_verification::types::VerifiedResponse;
use ic_response_verification::{
    CertificateHeader, ResponseVerificationError, verify_request_response_pair,
};
use serde_bytes::ByteBuf;

/// How far the clock of a gateway may be from that of the certificate.
const MAX_CLOCK_OFFSET_NS: u128 = 300_000_000_000;

/// A request about to be sent.
#[derive(Clone)]
#[must_use]
pub(crate) struct Request<'s> {
    scene: &'s Scene,
    wire: HttpRequest,
}

impl<'s> Request<'s> {
    pub(crate) fn get(scene: &'s Scene, url: &str) -> Self {
        let wire = HttpRequest {
            method: "GET".to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: ByteBuf::new(),
            certificate_version: Some(2),
        };
        Self { scene, wire }
    }

    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.wire.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn method(mut self, method: &str) -> Self {
        self.wire.method = method.to_owned();
        self
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.wire.body = ByteBuf::from(body);
        self
    }

    /// What the client says it can verify.
    pub(crate) fn certificate_version(mut self, version: Option<u16>) -> Self {
        self.wire.certificate_version = version;
        self
    }

    /// Sends the request, and verifies what comes back.
    #[track_caller]
    pub(crate) fn answer(&self) -> Answer {
        let response = self.unverified();
        assert_ne!(response.upgrade, Some(true), "{}", self.line());
        let certified = self.verify(&response).unwrap_or_else(|error| {
            panic!("{}: {error}\n{response:?}", self.line());
        });
        Answer::certified(&self.wire, response, certified)
    }

    /// Sends the request, and repeats it as an update call if the answer asks for
    /// that, as a gateway does. What an update call answers, the network agrees
    /// on.
    #[track_caller]
    pub(crate) fn answer_or_upgrade(&self) -> Answer {
        if self.unverified().upgrade != Some(true) {
            return self.answer();
        }
        let reply = self
            .scene
            .owner()
            .update("http_request_update", (&self.wire,));
        let (response,) = reply.unwrap_or_else(|refusal| panic!("{}: {refusal:?}", self.line()));
        Answer::agreed(&self.wire, response)
    }

    /// Sends a request that no verifier can read, so that there is nothing to
    /// verify: it must be answered all the same.
    #[track_caller]
    pub(crate) fn unverifiable_answer(&self) -> HttpResponse {
        assert!(!self.is_verifiable(), "{} can be verified", self.line());
        self.unverified()
    }

    /// Whether the verifier can read the request at all.
    pub(crate) fn is_verifiable(&self) -> bool {
        self.to_verifier()
            .is_some_and(|request| request.get_path().is_ok())
    }

    /// Sends the request and takes what comes back as it is.
    #[track_caller]
    pub(crate) fn unverified(&self) -> HttpResponse {
        let reply = self.scene.owner().query("http_request", (&self.wire,));
        let (response,) = reply.unwrap_or_else(|refusal| panic!("{}: {refusal:?}", self.line()));
        response
    }

    /// Holds a response, from wherever it comes, to be the answer to this request.
    pub(crate) fn verify(
        &self,
        response: &HttpResponse,
    ) -> Result<VerifiedResponse, ResponseVerificationError> {
        let request = self.to_verifier().expect("a method that is a token");
        let status = StatusCode::from_u16(response.status_code).expect("a status code");
        let response = certification::HttpResponse::builder()
            .with_status_code(status)
            .with_headers(response.headers.clone())
            .with_body(response.body.as_slice())
            .build();
        let info = verify_request_response_pair(
            request,
            response,
            self.scene.canister().as_slice(),
            self.scene.now_ns().into(),
            MAX_CLOCK_OFFSET_NS,
            &self.scene.root_key(),
            2,
        )?;
        Ok(info.response.expect("certification is never skipped"))
    }

    /// Fetches the whole body as a gateway does: a 206 is the first of several
    /// parts, and each further one is asked for from where the last one ended,
    /// and verified.
    #[track_caller]
    pub(crate) fn whole_body(&self) -> Vec<u8> {
        let first = self.answer();
        if first.status() == 200 {
            return first.body().to_vec();
        }
        let (range, total) = first.content_range();
        assert_eq!(range.start, 0);
        let mut body = first.body().to_vec();
        while body.len() < total {
            let part = self.clone().starting_at(body.len()).answer();
            let (range, new_total) = part.content_range();
            assert_eq!((range.start, new_total), (body.len(), total));
            body.extend(part.body());
        }
        assert_eq!(body.len(), total);
        body
    }

    /// Asks for the body from this byte on, in the words of a gateway.
    pub(crate) fn starting_at(self, first: usize) -> Self {
        self.with_header("Range", &format!("bytes={first}-"))
    }

    /// The request as the verifier represents it, if it can.
    fn to_verifier(&self) -> Option<certification::HttpRequest<'_>> {
        let request = certification::HttpRequest::builder()
            .with_method(Method::from_bytes(self.wire.method.as_bytes()).ok()?)
            .with_url(self.wire.url.as_str())
            .with_headers(self.wire.headers.clone())
            .with_body(self.wire.body.as_slice())
            .build();
        Some(request)
    }

    fn line(&self) -> String {
        format!("{} {:?}", self.wire.method, self.wire.url)
    }
}

/// An answer that a client can rely on.
pub(crate) struct Answer {
    request: HttpRequest,
    response: HttpResponse,
}

impl Answer {
    #[track_caller]
    fn certified(
        request: &HttpRequest,
        response: HttpResponse,
        certified: VerifiedResponse,
    ) -> Self {
        // A gateway passes on only what is certified. So that tests may look at
        // the response itself, nothing in it may be anything else.
        let certified: Vec<_> = certified.headers.iter().map(lower_case).collect();
        for field in response.headers.iter().map(lower_case) {
            assert!(certified.contains(&field), "{field:?} is not certified");
        }
        Self::agreed(request, response)
    }

    #[track_caller]
    fn agreed(request: &HttpRequest, response: HttpResponse) -> Self {
        // What gateways get by callbacks, they do not always verify.
        assert!(response.streaming_strategy.is_none());
        Self {
            request: request.clone(),
            response,
        }
    }

    /// Expects this status and body.
    #[track_caller]
    pub(crate) fn shows(&self, status: u16, body: impl AsRef<[u8]>) -> &Self {
        let text = String::from_utf8_lossy;
        assert_eq!(
            (self.status(), text(self.body())),
            (status, text(body.as_ref())),
            "{} {:?}",
            self.request.method,
            self.request.url
        );
        self
    }

    /// Expects exactly one header of this name, with this value.
    #[track_caller]
    pub(crate) fn with(&self, name: &str, value: &str) -> &Self {
        assert_eq!(self.headers(name), [value], "{name}");
        self
    }

    /// Expects no header of this name.
    #[track_caller]
    pub(crate) fn without(&self, name: &str) -> &Self {
        assert_eq!(self.headers(name), [""; 0], "{name}");
        self
    }

    pub(crate) fn status(&self) -> u16 {
        self.response.status_code
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.response.body
    }

    /// The values of all headers of this name.
    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let fields = self.response.headers.iter();
        let named = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The value of the only header of this name.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let [value] = self.headers(name)[..] else {
            panic!("not exactly one {name}: {:?}", self.headers(name));
        };
        value
    }

    /// The bytes that a 206 says it holds, which it must, and the length of the
    /// whole.
    #[track_caller]
    pub(crate) fn content_range(&self) -> (std::ops::Range<usize>, usize) {
        assert_eq!(self.status(), 206);
        let value = self.header("content-range");
        let parsed = value.strip_prefix("bytes ").and_then(|value| {
            let (range, total) = value.split_once('/')?;
            let (first, last) = range.split_once('-')?;
            let first: usize = first.parse().ok()?;
            Some((first..last.parse::<usize>().ok()? + 1, total.parse().ok()?))
        });
        let (range, total) = parsed.unwrap_or_else(|| panic!("content-range: {value}"));
        assert_eq!(range.len(), self.body().len(), "{value}");
        (range, total)
    }

    /// The path at which the answer is certified, without `http_expr`.
    pub(crate) fn expression_path(&self) -> Vec<String> {
        let mut path = self.certificate_header().expr_path.unwrap();
        assert_eq!(path.remove(0), "http_expr");
        path
    }

    /// The root hash of the certified tree, which the verifier has compared with
    /// the canister's certified data.
    pub(crate) fn root_hash(&self) -> [u8; 32] {
        self.certificate_header().tree.digest()
    }

    /// The response as it came.
    pub(crate) fn into_response(self) -> HttpResponse {
        self.response
    }

    fn certificate_header(&self) -> CertificateHeader {
        CertificateHeader::from(self.header("ic-certificate")).unwrap()
    }
}

fn lower_case((name, value): &HeaderField) -> HeaderField {
    (name.to_ascii_lowercase(), value.clone())
}
