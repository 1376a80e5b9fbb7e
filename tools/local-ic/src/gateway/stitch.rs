//! A body whose first part has come, and the parts that are still to come.
//!
//! A canister cannot answer with more than a message holds, so it answers a
//! large body with its first part, as a 206 that nobody asked for. Gateways ask
//! for the rest, part by part, each verified, and show the client one 200.

use super::content_range::ContentRange;
use super::exchange::Exchange;
use super::fault::{Fault, PartFault};

/// How many parts the genuine gateways fetch before they cut a body off.
const MAX_PARTS: u64 = 1000;

/// The parts of a body that are still to come, in order.
pub(super) struct Stitch {
    exchange: Exchange,
    total: u64,
    fetched: u64,
    parts: u64,
}

impl Stitch {
    /// Goes on after the part `first`; refuses a body that would be cut off.
    pub(super) fn after(first: ContentRange, exchange: Exchange) -> Result<Stitch, Fault> {
        let parts = first.total.div_ceil(first.length());
        if parts > MAX_PARTS {
            return Err(PartFault::TooMany {
                parts,
                limit: MAX_PARTS,
            }
            .at(0));
        }
        Ok(Stitch {
            exchange,
            total: first.total,
            fetched: first.length(),
            parts: 1,
        })
    }

    /// The URL that is answered.
    pub(super) fn url(&self) -> &str {
        &self.exchange.question.url
    }

    /// Fetches the next part, or `None` after the last. Every part moves the
    /// body forward by a byte at least.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        if self.fetched == self.total {
            return Ok(None);
        }
        let at = self.fetched;
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return Err(PartFault::TooMany {
                parts: self.parts,
                limit: MAX_PARTS,
            }
            .at(at));
        }
        let (range, mut body) = self.exchange.part(at)?;
        if range.total != self.total {
            return Err(PartFault::Total {
                range,
                before: self.total,
            }
            .at(at));
        }
        if range.first > at || range.last < at {
            return Err(PartFault::Elsewhere { range }.at(at));
        }
        // A part may begin earlier than asked, at a boundary of the canister's.
        body.drain(..(at - range.first) as usize);
        self.fetched = range.last + 1;
        Ok(Some(body))
    }
}
