//! Content, chunk by chunk: how clients of the legacy interface read and write assets one at a time.
//!
//! Chunks are those that the content was uploaded in, so one always fits a message.

use super::id_of;
use crate::{
    error::Error,
    site::{Asset, Content, Encoding, Operation, Properties, PropertyChange, Site},
    storage::Memory,
};
use candid::{CandidType, Deserialize, Nat};
use serde_bytes::ByteBuf;

/// Argument of `get`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct GetArguments {
    /// The key, or an alias.
    pub key: String,
    /// Names of encodings, the first that is there counts.
    pub accept_encodings: Vec<String>,
}

/// Reply of `get`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct EncodedAsset {
    /// The first chunk.
    pub content: ByteBuf,
    /// The `Content-Type`.
    pub content_type: String,
    /// The encoding.
    pub content_encoding: String,
    /// SHA-256 of all chunks together.
    pub sha256: Option<ByteBuf>,
    /// Bytes in all chunks.
    pub total_length: Nat,
}

/// One chunk of an asset's content: argument of `get_chunk`, and of `http_request_streaming_callback`, where it is
/// called a token.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct ChunkOfContent {
    /// The key, or an alias.
    pub key: String,
    /// The encoding.
    pub content_encoding: String,
    /// The number of the chunk, from 0.
    pub index: Nat,
    /// SHA-256 of the content, so that chunks of two versions do not mix.
    pub sha256: Option<ByteBuf>,
}

/// Reply of `get_chunk`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct GetChunkResponse {
    /// The chunk.
    pub content: ByteBuf,
}

/// Reply of `http_request_streaming_callback`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct StreamingCallbackHttpResponse {
    /// The chunk.
    pub body: ByteBuf,
    /// What to ask for next; null after the last chunk.
    pub token: Option<ChunkOfContent>,
}

/// Argument of `store`.
#[derive(Clone, Debug, CandidType, Deserialize)]
pub struct StoreArguments {
    /// The key.
    pub key: String,
    /// The `Content-Type`.
    pub content_type: String,
    /// The encoding.
    pub content_encoding: String,
    /// The content.
    pub content: ByteBuf,
    /// SHA-256 of it.
    pub sha256: Option<ByteBuf>,
    /// Whether the asset also answers for shorter paths. Null is yes.
    pub aliased: Option<bool>,
}

/// The first chunk of an asset.
///
/// # Errors
///
/// [`Error::AssetNotFound`], [`Error::EncodingNotFound`] or [`Error::Storage`].
pub fn get<M: Memory>(site: &Site<M>, arguments: &GetArguments) -> Result<EncodedAsset, Error> {
    let (key, asset) = find(site, &arguments.key)?;
    let mut accepted = arguments.accept_encodings.iter();
    let found = accepted.find_map(|name| asset.encodings.get_key_value(name));
    let (name, encoding) = found.ok_or(Error::EncodingNotFound { key })?;
    Ok(EncodedAsset {
        content: site.chunk(encoding, 0).unwrap_or_default().into(),
        content_type: asset.properties.content_type.clone(),
        content_encoding: name.clone(),
        sha256: Some(ByteBuf::from(encoding.sha256)),
        total_length: encoding.body.length().into(),
    })
}

/// One chunk of an asset.
///
/// # Errors
///
/// [`Error::AssetNotFound`], [`Error::EncodingNotFound`], [`Error::HashRequired`], [`Error::HashMismatch`],
/// [`Error::ChunkOutOfBounds`] or [`Error::Storage`].
pub fn get_chunk<M: Memory>(
    site: &Site<M>,
    wanted: &ChunkOfContent,
) -> Result<GetChunkResponse, Error> {
    let (content, _) = chunk(site, wanted)?;
    Ok(GetChunkResponse { content })
}

/// One chunk of an asset, and the token of the next.
///
/// # Errors
///
/// As [`get_chunk`], but in words of its own, [`Error::Token`], for what is not there.
pub fn stream<M: Memory>(
    site: &Site<M>,
    token: ChunkOfContent,
) -> Result<StreamingCallbackHttpResponse, Error> {
    let (body, chunks) = chunk(site, &token).map_err(|error| match error {
        Error::AssetNotFound { .. } => Error::Token { missing: "key" },
        Error::EncodingNotFound { .. } => Error::Token {
            missing: "encoding",
        },
        other => other,
    })?;
    let next = id_of(&token.index) + 1;
    let token = (next < chunks).then(|| ChunkOfContent {
        index: next.into(),
        ..token
    });
    Ok(StreamingCallbackHttpResponse { body, token })
}

/// The content of an asset that is not encoded and came in one chunk.
///
/// # Errors
///
/// [`Error::AssetNotFound`], [`Error::NoIdentity`], [`Error::InPieces`] or [`Error::Storage`].
pub fn retrieve<M: Memory>(site: &Site<M>, key: &str) -> Result<ByteBuf, Error> {
    let (key, asset) = find(site, key)?;
    let Some(encoding) = asset.encodings.get("identity") else {
        return Err(Error::NoIdentity { key });
    };
    if encoding.body.chunks() > 1 {
        return Err(Error::InPieces { key });
    }
    Ok(site.chunk(encoding, 0).unwrap_or_default().into())
}

/// The operations that `store` consists of: they create the asset, or keep its other encodings and headers.
///
/// # Errors
///
/// [`Error::Storage`].
pub fn store<M: Memory>(
    site: &Site<M>,
    arguments: StoreArguments,
) -> Result<[Operation; 2], Error> {
    let key = arguments.key;
    let first = match site.asset(&key)? {
        None => Operation::Create {
            key: key.clone(),
            properties: Properties {
                content_type: arguments.content_type,
                is_aliased: arguments.aliased,
                ..Properties::default()
            },
        },
        Some(_) => Operation::SetProperties {
            key: key.clone(),
            change: PropertyChange {
                content_type: Some(arguments.content_type),
                is_aliased: Some(arguments.aliased),
                ..PropertyChange::default()
            },
        },
    };
    let second = Operation::SetContent {
        key,
        encoding: arguments.content_encoding,
        content: Content::from(arguments.content.into_vec()),
        sha256: arguments.sha256.map(ByteBuf::into_vec),
    };
    Ok([first, second])
}

fn find<M: Memory>(site: &Site<M>, path: &str) -> Result<(String, Asset), Error> {
    site.asset_at(path)?.ok_or_else(|| Error::AssetNotFound {
        key: path.to_owned(),
    })
}

/// A chunk, and how many there are.
fn chunk<M: Memory>(site: &Site<M>, wanted: &ChunkOfContent) -> Result<(ByteBuf, u64), Error> {
    let (key, asset) = find(site, &wanted.key)?;
    let Some(encoding) = asset.encodings.get(&wanted.content_encoding) else {
        return Err(Error::EncodingNotFound { key });
    };
    let Some(sha256) = &wanted.sha256 else {
        return Err(Error::HashRequired { key });
    };
    if sha256[..] != encoding.sha256 {
        return Err(mismatch(key, wanted, encoding, sha256));
    }
    let index = id_of(&wanted.index);
    let content = site
        .chunk(encoding, index)
        .ok_or(Error::ChunkOutOfBounds { key, index })?;
    Ok((content.into(), encoding.body.chunks()))
}

fn mismatch(key: String, wanted: &ChunkOfContent, encoding: &Encoding, given: &[u8]) -> Error {
    Error::HashMismatch {
        key,
        encoding: wanted.content_encoding.clone(),
        computed: encoding.sha256,
        given: given.to_vec(),
    }
}
