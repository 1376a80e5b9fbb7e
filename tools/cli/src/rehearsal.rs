//! An asset canister without a network: the site of Hallmark's library in this process's memory.
//!
//! What is deployed to it goes through the same steps and the same code as on a network, so what
//! the site adds up to there is known here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candid::CandidType;
use candid::utils::ArgumentEncoder;
use ic_hallmark::Site;
use ic_hallmark::api::{
    self, CreateChunksArguments, CreateChunksResponse, CreateStageArguments, Fill, ListArguments,
    PublishStageArguments, ReleaseNumber, ReleasesArguments, SealStageResponse, StageNumber, id_of,
};
use ic_hallmark::site::{Environment, Memories, Operation, Outline, Properties};
use ic_stable_structures::Memory;
use serde::de::DeserializeOwned;
use serde_bytes::ByteBuf;

use crate::Error;
use crate::canister::{Canister, Failure, Reject};

/// An asset canister in memory, whose time stands still.
#[derive(Debug)]
pub struct Rehearsal {
    site: Mutex<Site<Pages>>,
}

/// What a site adds up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashes {
    /// Of everything that can be answered.
    pub site: [u8; 32],
    /// Of everything that was uploaded; `None` if nothing was.
    pub content: Option<[u8; 32]>,
    /// Of everything that was uploaded, as clients of dfx's asset canister compute it.
    pub state: [u8; 32],
}

impl Rehearsal {
    /// An empty canister whose pages are told this environment.
    ///
    /// # Errors
    ///
    /// [`Error::Rehearsal`], if there is no memory for it.
    pub fn new(environment: &Environment) -> Result<Rehearsal, Error> {
        let mut site = Site::open(Memories::default()).map_err(Error::Rehearsal)?;
        site.set_environment(environment, NOW)
            .map_err(Error::Rehearsal)?;
        Ok(Rehearsal {
            site: Mutex::new(site),
        })
    }

    /// Puts an asset there, with its content in these encodings.
    ///
    /// # Errors
    ///
    /// [`Error::Rehearsal`], if no canister would take it.
    pub fn add(
        &self,
        key: &str,
        properties: Properties,
        content: Vec<(String, Vec<u8>)>,
    ) -> Result<(), Error> {
        let key = key.to_owned();
        let mut operations = vec![Operation::Create {
            key: key.clone(),
            properties,
        }];
        operations.extend(
            content
                .into_iter()
                .map(|(encoding, content)| Operation::SetContent {
                    key: key.clone(),
                    encoding,
                    content: content.into(),
                    sha256: None,
                }),
        );
        let done = self.site().commit(operations, NOW);
        done.map_err(Error::Rehearsal)
    }

    /// What it adds up to.
    ///
    /// # Errors
    ///
    /// [`Error::Rehearsal`], if there is no memory for it.
    pub fn hashes(&self) -> Result<Hashes, Error> {
        let mut site = self.site();
        let state = loop {
            if let Some(hash) = site.compute_state_hash().map_err(Error::Rehearsal)? {
                break hash;
            }
        };
        Ok(Hashes {
            site: site.root().site(),
            content: site.root().content(),
            state,
        })
    }

    /// All assets without their content, by key.
    ///
    /// # Errors
    ///
    /// [`Error::Rehearsal`], if it cannot be read.
    pub fn outlines(&self) -> Result<BTreeMap<String, Outline>, Error> {
        let site = self.site();
        let mut outlines = BTreeMap::new();
        site.visit_assets(0, site.len(), |key, asset| {
            let encodings = asset.encodings.into_iter();
            let outline = Outline {
                properties: asset.properties,
                encodings: encodings
                    .map(|(name, encoding)| (name, (encoding.sha256, encoding.body.length())))
                    .collect(),
            };
            outlines.insert(key, outline);
        })
        .map_err(|error| Error::Rehearsal(error.into()))?;
        Ok(outlines)
    }

    /// The content of an asset in one encoding.
    ///
    /// # Errors
    ///
    /// [`Error::Rehearsal`], if it cannot be read.
    pub fn content(&self, key: &str, encoding: &str) -> Result<Option<Vec<u8>>, Error> {
        let site = self.site();
        let asset = site
            .asset(key)
            .map_err(|error| Error::Rehearsal(error.into()))?;
        let Some(encoding) = asset.and_then(|mut asset| asset.encodings.remove(encoding)) else {
            return Ok(None);
        };
        let mut content = Vec::new();
        for number in 0.. {
            match site.chunk(&encoding, number) {
                Some(chunk) => content.extend(chunk),
                None => break,
            }
        }
        Ok(Some(content))
    }

    fn site(&self) -> MutexGuard<'_, Site<Pages>> {
        self.site.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Canister for Rehearsal {
    fn query(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        match method {
            "list" => {
                let wanted: ListArguments = decode(&argument)?;
                let page = api::list(&self.site(), &wanted).map_err(trap)?;
                Ok(reply((page,)))
            }
            "site_hash" => Ok(reply((ByteBuf::from(self.site().root().site()),))),
            "releases" => {
                let wanted: ReleasesArguments = decode(&argument)?;
                let page = api::releases(&self.site(), &wanted, None).map_err(trap)?;
                Ok(reply((page,)))
            }
            "stages" => {
                let stages = api::stages(&self.site()).map_err(trap)?;
                Ok(reply((stages,)))
            }
            "held" => {
                let hashes: Vec<ByteBuf> = decode(&argument)?;
                let site = self.site();
                let held = hashes.iter().map(|hash| site.holds(hash));
                let held: Result<Vec<_>, _> = held.collect();
                Ok(reply((held.map_err(trap)?,)))
            }
            _ => Err(unknown(method)),
        }
    }

    fn update(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        if let "held" | "list" | "releases" | "site_hash" | "stages" = method {
            return self.query(method, argument);
        }
        let mut site = self.site();
        match method {
            "create_stage" => {
                let wanted: CreateStageArguments = decode(&argument)?;
                let stage = site.create_stage(wanted.lifetime(), NOW).map_err(trap)?;
                Ok(reply((StageNumber { stage },)))
            }
            "create_chunks" => {
                let chunks: CreateChunksArguments = decode(&argument)?;
                let ids = site.create_chunks(id_of(&chunks.batch_id), &chunks.content, NOW);
                let chunk_ids = ids.map_err(trap)?.into_iter().map(Into::into).collect();
                Ok(reply((CreateChunksResponse { chunk_ids },)))
            }
            "fill_stage" => {
                let fill = Fill::of_argument(&argument).map_err(trap)?;
                let filled = site.fill_stage(fill.stage, fill.operations, NOW);
                filled.map_err(trap)?;
                Ok(reply(()))
            }
            "seal_stage" => {
                let StageNumber { stage } = decode(&argument)?;
                let sealed = site.seal_stage(stage, NOW, &|_| true).map_err(trap)?;
                Ok(reply((SealStageResponse::from(sealed),)))
            }
            "rebase_stage" => {
                let StageNumber { stage } = decode(&argument)?;
                site.rebase_stage(stage, NOW).map_err(trap)?;
                Ok(reply(()))
            }
            "discard_stage" => {
                let StageNumber { stage } = decode(&argument)?;
                site.discard_stage(stage, NOW).map_err(trap)?;
                Ok(reply(()))
            }
            "publish_stage" => {
                let publish: PublishStageArguments = decode(&argument)?;
                let note = publish.note.as_deref().unwrap_or_default();
                let release = site.publish_stage(publish.stage, &publish.expected(), note, NOW);
                let release = release.map_err(trap)?;
                Ok(reply((ReleaseNumber { release },)))
            }
            _ => Err(unknown(method)),
        }
    }
}

/// When it is, which no hash covers.
const NOW: u64 = 0;

fn decode<T: CandidType + DeserializeOwned>(argument: &[u8]) -> Result<T, Failure> {
    candid::decode_one(argument).map_err(trap)
}

fn reply(values: impl ArgumentEncoder) -> Vec<u8> {
    candid::encode_args(values).expect("the library's records always encode")
}

fn trap(error: impl ToString) -> Failure {
    Failure::Rejected(Reject {
        code: 503,
        message: error.to_string(),
    })
}

fn unknown(method: &str) -> Failure {
    Failure::Rejected(Reject {
        code: 536,
        message: format!("there is no method {method}"),
    })
}

/// Memory that grows by pages.
#[derive(Debug, Clone, Default)]
struct Pages(Arc<Mutex<Vec<u8>>>);

/// Bytes of a page (WebAssembly core specification, "Memory Instances").
const PAGE: usize = 65_536;

impl Pages {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory for Pages {
    fn size(&self) -> u64 {
        (self.bytes().len() / PAGE) as u64
    }

    fn grow(&self, pages: u64) -> i64 {
        let mut bytes = self.bytes();
        let before = bytes.len();
        let length = usize::try_from(pages)
            .ok()
            .and_then(|pages| pages.checked_mul(PAGE)?.checked_add(before));
        match length {
            Some(length) if bytes.try_reserve(length - before).is_ok() => {
                bytes.resize(length, 0);
                (before / PAGE) as i64
            }
            _ => -1,
        }
    }

    fn read(&self, offset: u64, into: &mut [u8]) {
        let from = offset as usize;
        into.copy_from_slice(&self.bytes()[from..from + into.len()]);
    }

    fn write(&self, offset: u64, from: &[u8]) {
        let at = offset as usize;
        self.bytes()[at..at + from.len()].copy_from_slice(from);
    }
}
