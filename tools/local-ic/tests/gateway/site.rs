//! A certified site in a test's hands: a replica that signs with its own key,
//! and lies on request.

use candid::{CandidType, Principal};
use ic_certification::hash_tree::{fork, label, leaf};
use ic_certification::{Certificate, HashTree};
use ic_http_certification::utils::add_v2_certificate_header;
use ic_http_certification::{
    CERTIFICATE_EXPRESSION_HEADER_NAME, DefaultCelBuilder, DefaultResponseCertification,
    HttpCertification, HttpCertificationPath, HttpCertificationTree, HttpCertificationTreeEntry,
    HttpResponse, StatusCode,
};
use ic_verify_bls_signature::PrivateKey;
use local_ic::gateway::Replica;
use local_ic::{ErrorCode, Reject};
use serde::{Deserialize, Serialize};

pub(crate) const CANISTER: &str = "lxzze-o7777-77777-aaaaa-cai";
pub(crate) const NOW: u64 = 1_620_328_630_000_000_000;

/// What the canister is asked.
#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    #[serde(with = "serde_bytes")]
    pub(crate) body: Vec<u8>,
    pub(crate) certificate_version: Option<u16>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What the canister answers, `T` being the type of its streaming tokens.
#[derive(Debug, Clone, CandidType)]
pub(crate) struct Wire<T: CandidType = u8> {
    pub(crate) status_code: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) upgrade: Option<bool>,
    pub(crate) streaming_strategy: Option<Strategy<T>>,
}

candid::define_function!(pub(crate) Callback : () -> () query);

#[derive(Debug, Clone, CandidType)]
pub(crate) enum Strategy<T: CandidType> {
    Callback { callback: Callback, token: T },
}

type Lie = dyn Fn(&Asked, &mut Wire) + Send + Sync;
type Method = dyn Fn(Vec<u8>) -> Result<Vec<u8>, Reject> + Send + Sync;

/// A site with everything certified, and the replica that serves it.
pub(crate) struct Site {
    key: PrivateKey,
    certified_at: u64,
    tree: HttpCertificationTree,
    pages: Vec<Page>,
    lie: Box<Lie>,
    methods: Vec<(&'static str, Box<Method>)>,
}

struct Page {
    path: String,
    /// The `Range` this is the answer to.
    range: Option<String>,
    response: HttpResponse<'static>,
    certification: HttpCertification,
}

impl Site {
    pub(crate) fn new() -> Site {
        Site {
            key: key(1),
            certified_at: NOW,
            tree: HttpCertificationTree::default(),
            pages: vec![],
            lie: Box::new(|_, _| {}),
            methods: vec![],
        }
    }

    /// Signs with another key than the network's.
    pub(crate) fn signed_with(self, key: PrivateKey) -> Site {
        Site { key, ..self }
    }

    /// Certifies at another time than now.
    pub(crate) fn certified_at(self, certified_at: u64) -> Site {
        Site {
            certified_at,
            ..self
        }
    }

    /// Certifies a response with all its headers.
    pub(crate) fn page(
        self,
        path: &str,
        status: u16,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Site {
        self.certify(path, None, status, headers, body)
    }

    /// Certifies the parts of a body, each the answer to its own range.
    pub(crate) fn parts(mut self, path: &str, parts: &[&[u8]]) -> Site {
        let total: usize = parts.iter().map(|part| part.len()).sum();
        let mut first = 0;
        for part in parts {
            let last = first + part.len() - 1;
            let content_range = format!("bytes {first}-{last}/{total}");
            let range = (first > 0).then(|| format!("bytes={first}-"));
            let headers = [
                ("content-type", "text/plain"),
                ("content-range", &content_range),
            ];
            self = self.certify(path, range, 206, &headers, part);
            first = last + 1;
        }
        self
    }

    /// Certifies one part under a content range of the test's choice.
    pub(crate) fn part(
        self,
        path: &str,
        range: Option<&str>,
        content_range: &str,
        body: &[u8],
    ) -> Site {
        let headers = [("content-range", content_range)];
        self.certify(path, range.map(str::to_owned), 206, &headers, body)
    }

    /// Changes what goes over the wire after it was certified.
    pub(crate) fn lying(self, lie: impl Fn(&Asked, &mut Wire) + Send + Sync + 'static) -> Site {
        Site {
            lie: Box::new(lie),
            ..self
        }
    }

    /// Answers another method, or `http_request` with bytes of the test's own.
    pub(crate) fn method(
        mut self,
        name: &'static str,
        answer: impl Fn(Vec<u8>) -> Result<Vec<u8>, Reject> + Send + Sync + 'static,
    ) -> Site {
        self.methods.push((name, Box::new(answer)));
        self
    }

    /// The certified answer, as `http_request` gives it.
    pub(crate) fn wire(&self, asked: &Asked) -> Option<Wire> {
        let path = asked.url.split('?').next().unwrap();
        let range = asked.header("range");
        let page = self
            .pages
            .iter()
            .find(|page| page.path == path && page.range.as_deref() == range)?;
        let tree_path = HttpCertificationPath::exact(path.to_owned());
        let entry = HttpCertificationTreeEntry::new(&tree_path, page.certification);
        let witness = self.tree.witness(&entry, path).unwrap();
        let mut response = page.response.clone();
        add_v2_certificate_header(
            &self.certificate(),
            &mut response,
            &witness,
            &tree_path.to_expr_path(),
        );
        let mut wire = Wire {
            status_code: response.status_code().as_u16(),
            headers: response.headers().to_vec(),
            body: response.body().to_vec(),
            upgrade: None,
            streaming_strategy: None,
        };
        (self.lie)(asked, &mut wire);
        Some(wire)
    }

    fn certify(
        mut self,
        path: &str,
        range: Option<String>,
        status: u16,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Site {
        let all = DefaultResponseCertification::response_header_exclusions(vec![]);
        let cel = DefaultCelBuilder::response_only_certification()
            .with_response_certification(all)
            .build();
        let mut headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        headers.push((
            CERTIFICATE_EXPRESSION_HEADER_NAME.to_owned(),
            cel.to_string(),
        ));
        let response = HttpResponse::builder()
            .with_status_code(StatusCode::from_u16(status).unwrap())
            .with_headers(headers)
            .with_body(body.to_vec())
            .build();
        let certification = HttpCertification::response_only(&cel, &response, None).unwrap();
        let tree_path = HttpCertificationPath::exact(path.to_owned());
        self.tree
            .insert(&HttpCertificationTreeEntry::new(&tree_path, certification));
        self.pages.push(Page {
            path: path.to_owned(),
            range,
            response,
            certification,
        });
        self
    }

    fn certificate(&self) -> Vec<u8> {
        let data = label("certified_data", leaf(self.tree.root_hash()));
        let canister = Principal::from_text(CANISTER).unwrap();
        let tree: HashTree = fork(
            label("canister", label(canister.as_slice(), data)),
            label("time", leaf(leb128(self.certified_at))),
        );
        let signed = [b"\x0Dic-state-root".as_slice(), &tree.digest()].concat();
        let signature = self.key.sign(&signed).serialize().to_vec();
        cbor(&Certificate {
            tree,
            signature,
            delegation: None,
        })
    }
}

impl Replica for Site {
    fn query(
        &self,
        canister: Principal,
        method: &str,
        argument: Vec<u8>,
    ) -> Result<Vec<u8>, Reject> {
        if canister.to_text() != CANISTER {
            return Err(reject(ErrorCode::CanisterNotFound, "Canister not found"));
        }
        if let Some((_, answer)) = self.methods.iter().find(|(name, _)| *name == method) {
            return answer(argument);
        }
        if method != "http_request" {
            return Err(reject(ErrorCode::CanisterMethodNotFound, "no such method"));
        }
        let asked: Asked = candid::decode_one(&argument).unwrap();
        let wire = self.wire(&asked).expect("the test certified an answer");
        Ok(candid::encode_one(wire).unwrap())
    }

    fn update(
        &self,
        canister: Principal,
        method: &str,
        argument: Vec<u8>,
    ) -> Result<Vec<u8>, Reject> {
        self.query(canister, method, argument)
    }

    fn root_key(&self) -> Vec<u8> {
        const PREFIX: &str =
            "308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100";
        let key = key(1).public_key().serialize();
        [hex::decode(PREFIX).unwrap().as_slice(), &key].concat()
    }

    fn time(&self) -> u64 {
        NOW
    }
}

pub(crate) fn key(seed: u8) -> PrivateKey {
    let mut bytes = [seed; 32];
    // Below the order of the group.
    bytes[0] = 0;
    PrivateKey::deserialize(&bytes).unwrap()
}

pub(crate) fn reject(error_code: ErrorCode, message: &str) -> Reject {
    Reject {
        error_code,
        message: message.to_owned(),
    }
}

fn leb128(mut number: u64) -> Vec<u8> {
    let mut bytes = vec![];
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn cbor(value: &impl Serialize) -> Vec<u8> {
    let mut serializer = serde_cbor::Serializer::new(vec![]);
    serializer.self_describe().unwrap();
    value.serialize(&mut serializer).unwrap();
    serializer.into_inner()
}
