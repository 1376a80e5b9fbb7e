//! The scene of every law: a site in vectors for memories, certified by a test network, verified independently.

use candid::Principal;
use ic_hallmark::{
    Error, Site,
    serve::{Request, Response, serve},
    site::{Content, Memories, Operation, Properties},
    testing::TestNetwork,
};
use ic_http_certification::{HttpRequest, HttpResponse, StatusCode};
use ic_response_verification::{
    ResponseVerificationError, types::VerificationInfo, verify_request_response_pair,
};
use ic_stable_structures::{Memory, VectorMemory};
use std::cell::RefCell;

/// Those who deploy.
pub(crate) const ALICE: Principal = Principal::from_slice(&[1]);
pub(crate) const BOB: Principal = Principal::from_slice(&[2]);
pub(crate) const NOW: u64 = 1_700_000_000_000_000_000;

pub(crate) struct World<M = VectorMemory> {
    pub(crate) site: Site<M>,
    memories: Memories<VectorMemory>,
    network: TestNetwork,
    canister: Principal,
    /// The last certificate and what it certifies: signing takes longer than all else here.
    certificate: RefCell<([u8; 32], Vec<u8>)>,
}

impl World {
    pub(crate) fn new() -> Self {
        let memories = Memories::<VectorMemory>::default();
        Self {
            memories: memories.clone(),
            ..World::around(Site::open(memories).unwrap())
        }
    }

    /// A site with these files, by key, content type and content.
    pub(crate) fn with(files: &[(&str, &str, &[u8])]) -> Self {
        let mut world = Self::new();
        for (key, content_type, content) in files {
            world.put(key, content_type, content).unwrap();
        }
        world
    }

    pub(crate) fn put(
        &mut self,
        key: &str,
        content_type: &str,
        content: &[u8],
    ) -> Result<(), Error> {
        self.site.put(key, content_type, content, NOW)
    }

    /// Opens the site again from its memories, as an upgrade does.
    pub(crate) fn upgrade(&mut self) {
        self.site = Site::open(self.memories.clone()).unwrap();
    }
}

impl<M: Memory> World<M> {
    /// A site that was made elsewhere.
    pub(crate) fn around(site: Site<M>) -> Self {
        Self {
            site,
            memories: Memories::default(),
            network: TestNetwork::new(7),
            canister: Principal::from_slice(&[0xff, 0, 0, 0, 0, 0, 0, 1, 1, 1]),
            certificate: RefCell::default(),
        }
    }

    pub(crate) fn certificate(&self) -> Vec<u8> {
        let data = self.site.root().hash();
        let mut certificate = self.certificate.borrow_mut();
        if certificate.0 != data {
            *certificate = (data, self.network.certificate(self.canister, &data, NOW));
        }
        certificate.1.clone()
    }

    /// The answer to a request, verified.
    pub(crate) fn ask(&self, request: &Request) -> Response {
        let response = self.answer(request);
        if let Err(error) = self.verify(request, &response) {
            panic!("{error}\n{request:?}\n{response:?}");
        }
        response
    }

    pub(crate) fn get(&self, url: &str) -> Response {
        self.ask(&Request::get(url))
    }

    /// The answer to a request, verified if the verifier can read its URL.
    pub(crate) fn ask_anything(&self, request: &Request) -> Response {
        let response = self.answer(request);
        match as_http(request) {
            Some(http) if http.get_path().is_ok() => {
                let verified = self.verify(request, &response);
                assert!(verified.is_ok(), "{verified:?}\n{request:?}\n{response:?}");
            }
            _ => {}
        }
        response
    }

    fn answer(&self, request: &Request) -> Response {
        serve(&self.site, request, &self.certificate())
    }

    /// What an independent verifier, that knows only the network's key, says.
    pub(crate) fn verify(
        &self,
        request: &Request,
        response: &Response,
    ) -> Result<VerificationInfo, ResponseVerificationError> {
        let http = HttpResponse::builder()
            .with_status_code(StatusCode::from_u16(response.status).unwrap())
            .with_headers(response.headers.clone())
            .with_body(response.body.clone())
            .build();
        verify_request_response_pair(
            as_http(request).expect("a request that HTTP can express"),
            http,
            self.canister.as_slice(),
            NOW.into(),
            0,
            &self.network.root_key(),
            2,
        )
    }
}

/// The request for what comes after a part of a large body, as gateways write it; none after the last.
pub(crate) fn next_part(url: &str, part: &Response) -> Option<Request> {
    let range = part.header("content-range").unwrap();
    let (range, total) = range.split_once('/').unwrap();
    let (_, last) = range.split_once('-').unwrap();
    let next = last.parse::<u64>().unwrap() + 1;
    let rest = Request::get(url).with_header("Range", format!("bytes={next}-"));
    (next < total.parse::<u64>().unwrap()).then_some(rest)
}

/// The request in the verifier's types; none if its method is no token.
fn as_http(request: &Request) -> Option<HttpRequest<'static>> {
    let request = HttpRequest::builder()
        .with_method(request.method.parse().ok()?)
        .with_url(request.url.clone())
        .with_headers(request.headers.clone())
        .with_body(request.body.clone());
    Some(request.build())
}

/// The site hash and the content hash, which are of the content alone, whatever its history.
pub(crate) fn hashes<M: Memory>(site: &Site<M>) -> ([u8; 32], Option<[u8; 32]>) {
    (site.root().site(), site.root().content())
}

pub(crate) fn create(key: &str, content_type: &str) -> Operation {
    Operation::Create {
        key: key.to_owned(),
        properties: Properties {
            content_type: content_type.to_owned(),
            ..Properties::default()
        },
    }
}

pub(crate) fn set_content(key: &str, encoding: &str, content: &[u8]) -> Operation {
    Operation::SetContent {
        key: key.to_owned(),
        encoding: encoding.to_owned(),
        content: Content::from(content.to_vec()),
        sha256: None,
    }
}

pub(crate) fn delete(key: &str) -> Operation {
    Operation::Delete {
        key: key.to_owned(),
    }
}
