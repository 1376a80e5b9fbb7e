//! Proposals: operations that one principal prepares and another, often a DAO, has carried out after a vote.
//!
//! ```text
//! propose ──► compute evidence, in as many calls as it takes ──► vote on the hash ──► commit, given the hash
//! ```
//!
//! The operations are kept as a blob beside the batch's chunks. Everything about a proposal is in the tree of
//! uploads and so survives upgrades, a half computed evidence too.

use super::{Phase, Uploads, corrupt, piece_in, proposal_path};
use crate::{
    error::{Error, StageError},
    site::{
        Body, By, Digest, Event, HASHED_AT_ONCE, Operation, Piece, Site, Store, from_cbor, to_cbor,
    },
    storage::{Memory, StorageError},
    tree::Hash,
};
use minicbor::{Decode, Encode};

/// How far the evidence of a proposal is computed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
enum Evidence {
    #[n(0)]
    Partial {
        #[n(0)]
        digest: Digest,
        /// Operations done.
        #[n(1)]
        operations: u32,
        /// Chunks of the next operation that are done.
        #[n(2)]
        chunks: u32,
    },
    #[n(1)]
    Computed(
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        Hash,
    ),
}

struct Proposal {
    evidence: Evidence,
    /// The operations, encoded.
    piece: Piece,
}

/// What carrying out a proposal is in the log.
const CARRIED_OUT: Event = Event::Publish {
    note: String::new(),
};

impl<M: Memory> Site<M> {
    /// Gives a batch the operations that [`commit_proposed_batch`](Self::commit_proposed_batch) will apply. It
    /// takes no more chunks from then on.
    ///
    /// # Errors
    ///
    /// [`Error::BatchNotFound`], [`Error::ProposedBefore`], [`Error::Staged`] or [`Error::Storage`]; nothing has
    /// changed then.
    pub fn propose_batch(
        &mut self,
        batch_id: u64,
        operations: &[Operation],
        now: u64,
    ) -> Result<(), Error> {
        self.change_uploads(|store, uploads| {
            let mut batch = uploads.existing(store, batch_id)?;
            match batch.phase {
                Phase::Open => {}
                Phase::Staging => return Err(Error::Staged { batch: batch_id }),
                Phase::Proposed | Phase::Evident => {
                    return Err(Error::ProposedBefore { batch: batch_id });
                }
                Phase::Filling | Phase::Sealing | Phase::Sealed => {
                    return Err(StageError::NoBatch.of(batch_id));
                }
            }
            batch.phase = Phase::Proposed;
            batch.used(now);
            uploads.put(store, batch_id, &batch)?;
            let piece =
                store.put(&minicbor::to_vec(operations).expect("a vector takes any CBOR"))?;
            let evidence = Evidence::Partial {
                digest: Digest::NEW,
                operations: 0,
                chunks: 0,
            };
            uploads.put_proposal(store, batch_id, &Proposal { evidence, piece })
        })
    }

    /// Computes the evidence of a proposed batch, or some more of it: `iterations` operations or chunks, one at
    /// least, and at most 200 MB of content. `None`: call again, it goes on from there.
    ///
    /// # Errors
    ///
    /// [`Error::BatchNotFound`], [`Error::NotProposed`], [`Error::ChunkNotFound`] or [`Error::Storage`]; nothing
    /// has changed then.
    pub fn compute_evidence(
        &mut self,
        batch_id: u64,
        iterations: Option<u16>,
        now: u64,
    ) -> Result<Option<Hash>, Error> {
        self.change_uploads(|store, uploads| {
            let mut batch = uploads.existing(store, batch_id)?;
            let proposal = uploads.proposal(store, batch_id)?;
            if let Evidence::Computed(hash) = proposal.evidence {
                return Ok(Some(hash));
            }
            let operations = proposal.operations(store)?;
            let evidence = uploads.hash_some(store, proposal.evidence, &operations, iterations)?;
            let computed = match evidence {
                Evidence::Computed(hash) => Some(hash),
                Evidence::Partial { .. } => None,
            };
            if computed.is_some() {
                batch.phase = Phase::Evident;
            }
            batch.used(now);
            uploads.put(store, batch_id, &batch)?;
            // The new leaf's reference; the old one keeps its own until it is freed.
            store.bodies.retain(proposal.piece);
            let proposal = Proposal {
                evidence,
                ..proposal
            };
            uploads.put_proposal(store, batch_id, &proposal)?;
            Ok(computed)
        })
    }

    /// Whether a batch is proposed with this evidence, and so what [`Self::commit_proposed_batch`] would do.
    ///
    /// # Errors
    ///
    /// [`Error::BatchNotFound`], [`Error::NotProposed`], [`Error::NoEvidence`], [`Error::EvidenceMismatch`] or
    /// [`Error::Storage`].
    pub fn check_evidence(&self, batch_id: u64, evidence: &[u8]) -> Result<(), Error> {
        self.proposed(batch_id, evidence)?;
        self.guard().check(&CARRIED_OUT)
    }

    /// Applies the operations of a proposed batch and closes it, given its evidence.
    ///
    /// # Errors
    ///
    /// As [`check_evidence`](Self::check_evidence) and [`commit`](Self::commit); the proposal stays then.
    pub fn commit_proposed_batch(
        &mut self,
        batch_id: u64,
        evidence: &[u8],
        by: impl Into<By>,
    ) -> Result<(), Error> {
        let proposal = self.proposed(batch_id, evidence)?;
        let operations = proposal.operations(&self.store)?;
        self.close_batch(batch_id, operations, by.into(), CARRIED_OUT)
    }

    fn proposed(&self, batch_id: u64, given: &[u8]) -> Result<Proposal, Error> {
        let uploads = &self.state.uploads;
        uploads.existing(&self.store, batch_id)?;
        let proposal = uploads.proposal(&self.store, batch_id)?;
        match proposal.evidence {
            Evidence::Partial { .. } => Err(Error::NoEvidence { batch: batch_id }),
            Evidence::Computed(computed) if computed[..] != *given => {
                Err(Error::EvidenceMismatch {
                    batch: batch_id,
                    computed,
                    given: given.to_vec(),
                })
            }
            Evidence::Computed(_) => Ok(proposal),
        }
    }
}

impl Uploads {
    fn proposal<M: Memory>(&self, store: &Store<M>, id: u64) -> Result<Proposal, Error> {
        let leaf = store
            .forest
            .get(&self.tree, &proposal_path(id))
            .ok_or(Error::NotProposed { batch: id })?;
        Ok(Proposal {
            evidence: from_cbor(&leaf.value)?,
            piece: piece_in(&leaf.attachment).ok_or_else(corrupt)?,
        })
    }

    /// Keeps a proposal, and takes over the reference to its operations.
    fn put_proposal<M: Memory>(
        &mut self,
        store: &mut Store<M>,
        id: u64,
        proposal: &Proposal,
    ) -> Result<(), Error> {
        let value = to_cbor(&proposal.evidence);
        Ok(self.put_piece(store, &proposal_path(id), &value, proposal.piece)?)
    }

    fn hash_some<M: Memory>(
        &self,
        store: &Store<M>,
        evidence: Evidence,
        all: &[Operation],
        iterations: Option<u16>,
    ) -> Result<Evidence, Error> {
        let Evidence::Partial {
            mut digest,
            mut operations,
            mut chunks,
        } = evidence
        else {
            return Ok(evidence);
        };
        let mut left = iterations.map_or(u32::MAX, |iterations| iterations.max(1).into());
        let mut bytes = 0;
        while let Some(operation) = all.get(operations as usize) {
            if left == 0 || bytes >= HASHED_AT_ONCE {
                return Ok(Evidence::Partial {
                    digest,
                    operations,
                    chunks,
                });
            }
            left -= 1;
            if chunks == 0 {
                digest.operation(operation);
            }
            if let Operation::SetContent { content, .. } = operation {
                if let Some(piece) = self.chunk_of(store, content, chunks as usize)? {
                    let body = Body::new(vec![piece]);
                    bytes += body.length();
                    digest.update(&store.bodies.read(&body, 0..body.length()));
                    chunks += 1;
                    if (chunks as usize) < content.chunk_count() {
                        continue;
                    }
                }
                digest.update(content.rest.as_deref().unwrap_or_default());
            }
            operations += 1;
            chunks = 0;
        }
        Ok(Evidence::Computed(digest.finish()))
    }
}

impl Proposal {
    fn operations<M: Memory>(&self, store: &Store<M>) -> Result<Vec<Operation>, StorageError> {
        let body = Body::new(vec![self.piece]);
        from_cbor(&store.bodies.read(&body, 0..body.length()))
    }
}
