//! What a commit consists of. Proposals keep operations as CBOR.

use minicbor::{Decode, Encode};
use std::collections::BTreeMap;

/// One change to the assets of a site.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Operation {
    /// A new asset, without content yet.
    #[n(0)]
    Create {
        /// Its key.
        #[n(0)]
        key: String,
        /// What it is served with.
        #[n(1)]
        properties: super::Properties,
    },
    /// Content for an asset, in place of that in the same encoding if there is any.
    #[n(1)]
    SetContent {
        /// The asset.
        #[n(0)]
        key: String,
        /// The encoding, `identity` for none.
        #[n(1)]
        encoding: String,
        /// The content.
        #[n(2)]
        content: Content,
        /// SHA-256 that the content must have, in 32 bytes.
        #[n(3)]
        #[cbor(with = "minicbor::bytes")]
        sha256: Option<Vec<u8>>,
    },
    /// An asset's content in one encoding goes, if there is any.
    #[n(2)]
    UnsetContent {
        /// The asset.
        #[n(0)]
        key: String,
        /// The encoding.
        #[n(1)]
        encoding: String,
    },
    /// Some properties change.
    #[n(3)]
    SetProperties {
        /// The asset.
        #[n(0)]
        key: String,
        /// Which, and to what.
        #[n(1)]
        change: PropertyChange,
    },
    /// An asset goes, if there is one.
    #[n(4)]
    Delete {
        /// Its key.
        #[n(0)]
        key: String,
    },
    /// All assets go.
    #[n(5)]
    Clear,
}

/// Content for an asset: what was uploaded before, then what came with the operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Content {
    /// Ids of uploaded chunks, in order, of any batch.
    #[n(0)]
    pub chunks: Vec<u64>,
    /// SHA-256 of chunks that follow them and that the site holds, whoever uploaded them and for whatever.
    #[n(1)]
    pub held: Vec<Vec<u8>>,
    /// Bytes that follow those.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub rest: Option<Vec<u8>>,
    /// When the content was set, in nanoseconds since 1970, if that is not now.
    #[n(3)]
    pub modified: Option<u64>,
}

/// New values for some properties; `None` leaves one as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct PropertyChange {
    /// See [`Properties::content_type`](super::Properties::content_type).
    #[n(0)]
    pub content_type: Option<String>,
    /// See [`Properties::max_age`](super::Properties::max_age).
    #[n(1)]
    #[cbor(with = "nested")]
    pub max_age: Option<Option<u64>>,
    /// See [`Properties::headers`](super::Properties::headers).
    #[n(2)]
    #[cbor(with = "nested")]
    pub headers: Option<Option<BTreeMap<String, String>>>,
    /// See [`Properties::is_aliased`](super::Properties::is_aliased).
    #[n(3)]
    #[cbor(with = "nested")]
    pub is_aliased: Option<Option<bool>>,
    /// See [`Properties::allow_raw_access`](super::Properties::allow_raw_access).
    #[n(4)]
    #[cbor(with = "nested")]
    pub allow_raw_access: Option<Option<bool>>,
}

impl Content {
    /// How many chunks it names.
    pub(crate) fn chunk_count(&self) -> usize {
        self.chunks.len() + self.held.len()
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            rest: Some(bytes),
            ..Self::default()
        }
    }
}

/// Options of options in CBOR, where null is both: an array of one for what is there.
mod nested {
    use minicbor::{
        Decode, Decoder, Encode, Encoder,
        decode::Error,
        encode::{self, Write},
    };

    pub(super) fn encode<C, T: Encode<C>, W: Write>(
        value: &Option<Option<T>>,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        match value {
            None => encoder.null()?,
            Some(value) => encoder.array(1)?.encode_with(value, context)?,
        };
        Ok(())
    }

    pub(super) fn decode<'b, C, T: Decode<'b, C>>(
        decoder: &mut Decoder<'b>,
        context: &mut C,
    ) -> Result<Option<Option<T>>, Error> {
        if decoder.datatype()? == minicbor::data::Type::Null {
            decoder.null()?;
            return Ok(None);
        }
        match decoder.array()? {
            Some(1) => decoder.decode_with(context).map(Some),
            _ => Err(Error::message("not an option of an option")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{from_cbor, to_cbor};

    #[test]
    fn what_is_kept_what_is_cleared_and_what_is_set_stay_apart() {
        for max_age in [None, Some(None), Some(Some(5))] {
            for is_aliased in [None, Some(None), Some(Some(false))] {
                let change = PropertyChange {
                    max_age,
                    is_aliased,
                    ..PropertyChange::default()
                };
                assert_eq!(
                    from_cbor::<PropertyChange>(&to_cbor(&change)).unwrap(),
                    change
                );
            }
        }
    }
}
