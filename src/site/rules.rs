//! What an asset may be: the bounds on keys, properties and content, and that content is what the caller says.

use super::{
    MAX_BODY, MAX_ENCODING_NAME, MAX_ENCODINGS, MAX_HEADER_BYTES, MAX_KEY, MAX_SEGMENTS,
    Properties, bodies::Body, store::Store,
};
use crate::{
    certification::Reach,
    error::{Error, KeyError},
    http::check_field,
    storage::Memory,
    tree::Hash,
};

/// Checks content against what the caller says of it, and returns its digest.
pub(super) fn check_content<M: Memory>(
    store: &Store<M>,
    key: &str,
    encoding: &str,
    body: &Body,
    given: Option<&[u8]>,
) -> Result<Hash, Error> {
    check_encoding(key, encoding, body.length())?;
    let given = match given {
        None => None,
        Some(bytes) => Some(Hash::try_from(bytes).map_err(|_| Error::InvalidHash {
            key: key.to_owned(),
            length: bytes.len(),
        })?),
    };
    let computed = match body.pieces() {
        [piece] => store.bodies.hash(*piece),
        _ => store.bodies.hash_range(body, 0..body.length()),
    };
    match given {
        Some(given) if given != computed => Err(Error::HashMismatch {
            key: key.to_owned(),
            encoding: encoding.to_owned(),
            computed,
            given: given.to_vec(),
        }),
        _ => Ok(computed),
    }
}

/// Checks what is said of content in some encoding.
pub(crate) fn check_encoding(key: &str, encoding: &str, length: u64) -> Result<(), Error> {
    if encoding.is_empty() || encoding.len() > MAX_ENCODING_NAME {
        return Err(Error::EncodingName {
            key: key.to_owned(),
            length: encoding.len(),
        });
    }
    check_field("content-encoding", encoding).map_err(|reason| Error::Header {
        key: key.to_owned(),
        reason,
    })?;
    check_count(key, "bytes in one encoding", length, MAX_BODY)
}

/// Checks what is said of an asset with so many encodings.
pub(crate) fn check_asset(
    key: &str,
    properties: &Properties,
    encodings: usize,
) -> Result<(), Error> {
    check_key(key)?;
    check_properties(key, properties)?;
    check_count(key, "encodings", encodings, MAX_ENCODINGS)
}

pub(super) fn check_key(key: &str) -> Result<(), Error> {
    let segments = key.split('/').count();
    let is_terminator = |segment: &str| {
        [Reach::Exact, Reach::Below]
            .iter()
            .any(|reach| reach.terminator() == segment.as_bytes())
    };
    let reason = match key.len() {
        0 => KeyError::Empty,
        length if length > MAX_KEY => KeyError::TooLong { length },
        _ if segments > MAX_SEGMENTS => KeyError::TooManySegments { segments },
        _ if key.split('/').any(is_terminator) => KeyError::Terminator,
        _ => return Ok(()),
    };
    Err(Error::Key {
        key: excerpt(key),
        reason,
    })
}

pub(super) fn check_properties(key: &str, properties: &Properties) -> Result<(), Error> {
    let headers = properties.headers.iter().flatten();
    let own = headers.clone().map(|(name, value)| (&**name, &**value));
    let content_type = ("content-type", &*properties.content_type);
    let mut bytes = 0;
    for (name, value) in own.chain([content_type]) {
        bytes += name.len() + value.len();
        check_field(name, value).map_err(|reason| Error::Header {
            key: key.to_owned(),
            reason,
        })?;
    }
    check_count(key, "bytes of headers", bytes, MAX_HEADER_BYTES)
}

pub(super) fn check_count<N: TryInto<u64>>(
    key: &str,
    what: &'static str,
    count: N,
    limit: u64,
) -> Result<(), Error> {
    match count.try_into() {
        Ok(count) if count <= limit => Ok(()),
        _ => Err(Error::AssetTooLarge {
            key: key.to_owned(),
            what,
            limit,
        }),
    }
}

/// A key as an error shows it: long ones cut.
pub(super) fn excerpt(key: &str) -> String {
    match key.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &key[..end]),
        None => key.to_owned(),
    }
}
