//! What the state of the asset canister of dfx says, whichever way it is encoded.
//!
//! ```text
//! state   authorized, permissions, next_batch_id, configuration, last_state_update_timestamp
//!         stable_assets: key ► asset
//! asset   content_type, max_age, headers, is_aliased, allow_raw_access
//!         encodings: name ► modified, sha256, total_length, content_chunks
//! ```
//!
//! The rest of it (certificate expressions, response hashes) is derived, and skipped. Of bodies, only where they
//! are is read.

use super::{
    ImportError,
    wire::{Blob, Shape, Wire},
};
use crate::{
    access::{Access, Permission},
    site::Properties,
    tree::Hash,
    upload::Limits,
};
use candid::Principal;
use std::collections::BTreeMap;

/// Chunks that content may be in. They are joined, so this only bounds what is kept in mind.
const MAX_CHUNKS: u64 = 1 << 20;

/// Everything but the assets.
#[derive(Default)]
pub(super) struct Rest {
    pub(super) access: Access,
    pub(super) limits: Limits,
    /// The id of the last batch that was created; 0 if none was.
    pub(super) last_batch: u64,
    /// When the assets last changed, if that is known.
    pub(super) last_change: Option<u64>,
}

/// An asset, and where its content is.
pub(super) struct Record {
    pub(super) properties: Properties,
    pub(super) encodings: BTreeMap<String, Content>,
}

/// Content in one encoding.
pub(super) struct Content {
    pub(super) modified: u64,
    pub(super) sha256: Hash,
    pub(super) chunks: Vec<Blob>,
}

/// Where an asset's record is, and its shape there.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) at: u64,
    pub(super) shape: Shape,
}

impl Content {
    /// Bytes in all.
    pub(super) fn length(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.length).sum()
    }
}

/// Reads the whole state, and calls `visit` with each asset.
pub(super) fn read(
    wire: &mut dyn Wire<'_>,
    visit: &mut dyn FnMut(String, Place, Record) -> Result<(), ImportError>,
) -> Result<Rest, ImportError> {
    let mut rest = Rest::default();
    let mut authorized = Vec::new();
    let mut has_permissions = false;
    let mut has_assets = false;
    let shape = wire.root()?;
    let mut fields = wire.record(shape)?;
    while let Some((name, shape)) = wire.field(&mut fields)? {
        match name {
            "authorized" => authorized = principals(wire, shape)?,
            "permissions" => {
                if let Some(shape) = wire.optional(shape)? {
                    rest.access = permissions(wire, shape)?;
                    has_permissions = true;
                }
            }
            "stable_assets" => {
                has_assets = true;
                let map = wire.map(shape)?;
                for _ in 0..map.count {
                    let key = wire.text(map.key)?;
                    let place = Place {
                        at: wire.stream().position(),
                        shape: map.value,
                    };
                    let record = read_asset(wire, map.value)?;
                    visit(key, place, record)?;
                }
            }
            "next_batch_id" => {
                if let Some(shape) = wire.optional(shape)? {
                    let malformed = wire.stream().malformed("the id of a batch");
                    let next = wire.number(shape)?;
                    // A chunk's id has that of its batch in its upper half.
                    if next > u64::from(u32::MAX) {
                        return Err(malformed);
                    }
                    rest.last_batch = next.saturating_sub(1);
                }
            }
            "configuration" => {
                if let Some(shape) = wire.optional(shape)? {
                    rest.limits = limits(wire, shape)?;
                }
            }
            "last_state_update_timestamp" => rest.last_change = optional_number(wire, shape)?,
            _ => wire.skip(shape)?,
        }
    }
    if !has_assets {
        return Err(wire.stream().malformed("assets"));
    }
    if !has_permissions {
        rest.access.replace(Permission::Commit, authorized);
    }
    Ok(rest)
}

/// Reads one asset.
pub(super) fn read_asset(wire: &mut dyn Wire<'_>, shape: Shape) -> Result<Record, ImportError> {
    let start = wire
        .stream()
        .malformed("an asset with content type and encodings");
    let mut properties = Properties::default();
    let (mut content_type, mut encodings) = (None, None);
    let mut fields = wire.record(shape)?;
    while let Some((name, shape)) = wire.field(&mut fields)? {
        match name {
            "content_type" => content_type = Some(wire.text(shape)?),
            "encodings" => encodings = Some(contents(wire, shape)?),
            "max_age" => properties.max_age = optional_number(wire, shape)?,
            "headers" => {
                properties.headers = match wire.optional(shape)? {
                    Some(shape) => Some(headers(wire, shape)?),
                    None => None,
                }
            }
            "is_aliased" => properties.is_aliased = optional_flag(wire, shape)?,
            "allow_raw_access" => properties.allow_raw_access = optional_flag(wire, shape)?,
            _ => wire.skip(shape)?,
        }
    }
    match (content_type, encodings) {
        (Some(content_type), Some(encodings)) => Ok(Record {
            properties: Properties {
                content_type,
                ..properties
            },
            encodings,
        }),
        _ => Err(start),
    }
}

fn contents(
    wire: &mut dyn Wire<'_>,
    shape: Shape,
) -> Result<BTreeMap<String, Content>, ImportError> {
    let map = wire.map(shape)?;
    let mut contents = BTreeMap::new();
    for _ in 0..map.count {
        let name = wire.text(map.key)?;
        contents.insert(name, content(wire, map.value)?);
    }
    Ok(contents)
}

fn content(wire: &mut dyn Wire<'_>, shape: Shape) -> Result<Content, ImportError> {
    let start = wire
        .stream()
        .malformed("content with its time, digest, length and chunks");
    let (mut modified, mut sha256, mut length, mut chunks) = (None, None, None, None);
    let mut fields = wire.record(shape)?;
    while let Some((name, shape)) = wire.field(&mut fields)? {
        match name {
            "modified" => modified = Some(wire.number(shape)?),
            "sha256" => sha256 = Some(wire.digest(shape)?),
            "total_length" => length = Some(wire.number(shape)?),
            "content_chunks" => chunks = Some(blobs(wire, shape)?),
            _ => wire.skip(shape)?,
        }
    }
    let (Some(modified), Some(sha256), Some(length), Some(chunks)) =
        (modified, sha256, length, chunks)
    else {
        return Err(start);
    };
    let content = Content {
        modified,
        sha256,
        chunks,
    };
    if content.length() == length {
        Ok(content)
    } else {
        Err(start)
    }
}

fn blobs(wire: &mut dyn Wire<'_>, shape: Shape) -> Result<Vec<Blob>, ImportError> {
    let malformed = wire.stream().malformed("fewer chunks");
    let list = wire.list(shape)?;
    if list.count > MAX_CHUNKS {
        return Err(malformed);
    }
    (0..list.count).map(|_| wire.blob(list.element)).collect()
}

fn headers(wire: &mut dyn Wire<'_>, shape: Shape) -> Result<BTreeMap<String, String>, ImportError> {
    let map = wire.map(shape)?;
    (0..map.count)
        .map(|_| Ok((wire.text(map.key)?, wire.text(map.value)?)))
        .collect()
}

fn permissions(wire: &mut dyn Wire<'_>, shape: Shape) -> Result<Access, ImportError> {
    let mut access = Access::default();
    let mut fields = wire.record(shape)?;
    while let Some((name, shape)) = wire.field(&mut fields)? {
        let permission = match name {
            "commit" => Permission::Commit,
            "prepare" => Permission::Prepare,
            "manage_permissions" => Permission::ManagePermissions,
            _ => {
                wire.skip(shape)?;
                continue;
            }
        };
        access.replace(permission, principals(wire, shape)?);
    }
    Ok(access)
}

fn principals(wire: &mut dyn Wire<'_>, shape: Shape) -> Result<Vec<Principal>, ImportError> {
    let list = wire.list(shape)?;
    (0..list.count)
        .map(|_| wire.principal(list.element))
        .collect()
}

fn limits(wire: &mut dyn Wire<'_>, shape: Shape) -> Result<Limits, ImportError> {
    let mut limits = Limits::default();
    let mut fields = wire.record(shape)?;
    while let Some((name, shape)) = wire.field(&mut fields)? {
        match name {
            "max_batches" => limits.max_batches = optional_number(wire, shape)?,
            "max_chunks" => limits.max_chunks = optional_number(wire, shape)?,
            "max_bytes" => limits.max_bytes = optional_number(wire, shape)?,
            _ => wire.skip(shape)?,
        }
    }
    Ok(limits)
}

fn optional_number(wire: &mut dyn Wire<'_>, shape: Shape) -> Result<Option<u64>, ImportError> {
    match wire.optional(shape)? {
        Some(shape) => wire.number(shape).map(Some),
        None => Ok(None),
    }
}

fn optional_flag(wire: &mut dyn Wire<'_>, shape: Shape) -> Result<Option<bool>, ImportError> {
    match wire.optional(shape)? {
        Some(shape) => wire.flag(shape).map(Some),
        None => Ok(None),
    }
}
