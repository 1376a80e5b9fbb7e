//! From a file's bytes to what is uploaded: its type, and its encodings with their hashes.
//!
//! The type follows from the name's extension. Which encodings there are, [`rules`](crate::rules)
//! say; without a word, types that are text in one way or another are compressed. Each encoding is
//! kept only if it is smaller than the file, or if the file itself is not offered.
//!
//! | encoding | level | why |
//! | --- | --- | --- |
//! | `gzip` | 6 of 9 | that of `ic-asset`, so what one has uploaded the other finds |
//! | `br`, if rules ask for it | 11 of 11 | the same |
//! | `br` otherwise | 5 of 11 | on a node_modules of 65 MB, 4 % larger than level 9 in a quarter of the time |
//!
//! Levels are part of a site's identity: the site hash covers the compressed bytes.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use flate2::{Compression, GzBuilder};
use ic_hallmark::site::{MAX_BODY, Outline, Properties};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::rules::Settings;
use crate::scan::File;
use crate::{Error, parallel};

/// A file as it is to be served.
#[derive(Debug, PartialEq, Eq)]
pub struct Asset {
    /// The path it is served under, not yet percent-encoded.
    pub key: String,
    /// Everything but the content.
    pub properties: Properties,
    /// What can be sent.
    pub encodings: Vec<Encoding>,
}

/// One way to send an asset.
#[derive(Debug, PartialEq, Eq)]
pub struct Encoding {
    /// The content coding: `identity`, `gzip` or `br`.
    pub name: &'static str,
    /// SHA-256 of the body.
    pub sha256: [u8; 32],
    /// The encoded bytes.
    pub body: Vec<u8>,
}

/// How content can be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Coding {
    /// Not at all.
    Identity,
    /// By `gzip`.
    Gzip,
    /// By Brotli.
    #[serde(alias = "br")]
    Brotli,
}

impl Asset {
    /// The asset that `bytes` are under `key` if no rule says anything of it.
    pub fn new(key: &str, bytes: Vec<u8>) -> Asset {
        Asset::with(&Settings::default(), key, bytes)
    }

    /// The asset that `bytes` are under `key`, with these settings.
    pub fn with(settings: &Settings, key: &str, bytes: Vec<u8>) -> Asset {
        let properties = settings.properties(content_type(key));
        let (codings, quality) = match settings.encodings() {
            Some(codings) => (codings, BEST),
            None if is_compressible(&properties.content_type) => {
                (&[Coding::Identity, Coding::Gzip, Coding::Brotli][..], QUICK)
            }
            None => (&[Coding::Identity][..], QUICK),
        };
        let mut codings = codings.to_vec();
        codings.sort_unstable();
        codings.dedup();
        let has_identity = codings.contains(&Coding::Identity);
        let compressed = codings.into_iter().filter_map(|coding| {
            let (name, body) = match coding {
                Coding::Identity => return None,
                Coding::Gzip => ("gzip", gzip(&bytes)),
                Coding::Brotli => ("br", brotli(&bytes, quality)),
            };
            let is_worth_it = !has_identity || body.len() < bytes.len();
            is_worth_it.then(|| Encoding::new(name, body))
        });
        let compressed: Vec<_> = compressed.collect();
        let identity = has_identity.then(|| Encoding::new("identity", bytes));
        Asset {
            key: key.to_owned(),
            properties,
            encodings: identity.into_iter().chain(compressed).collect(),
        }
    }

    /// What the content hash covers of it.
    pub fn outline(&self) -> Outline {
        let encodings = self.encodings.iter();
        Outline {
            properties: self.properties.clone(),
            encodings: encodings
                .map(|it| (it.name.to_owned(), (it.sha256, it.body.len() as u64)))
                .collect(),
        }
    }

    /// Reads the asset that `file` is.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], or [`Error::LargeFile`] if it has grown too large since it was listed.
    pub fn read(file: &File) -> Result<Asset, Error> {
        let bytes = fs::read(&file.path).map_err(|source| Error::reading(&file.path, source))?;
        if bytes.len() as u64 > MAX_BODY {
            let size = bytes.len() as u64;
            let path = file.path.clone();
            return Err(Error::LargeFile { path, size });
        }
        Ok(Asset::with(&file.settings, &file.key, bytes))
    }
}

impl Encoding {
    fn new(name: &'static str, body: Vec<u8>) -> Encoding {
        Encoding {
            name,
            sha256: Sha256::digest(&body).into(),
            body,
        }
    }
}

/// Reads and compresses files on all cores. `done` is called after each, on any thread.
///
/// The assets come back in the order of the files.
///
/// # Errors
///
/// Those of [`Asset::read`]; with several bad files, the error of any of them.
pub fn read_all(files: &[&File], done: &(dyn Fn() + Sync)) -> Result<Vec<Arc<Asset>>, Error> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    parallel::map(cores, files, |file| {
        let asset = Asset::read(file)?;
        done();
        Ok(Arc::new(asset))
    })
}

/// The media type that a key's extension stands for, else `application/octet-stream`.
pub fn content_type(key: &str) -> String {
    let guess = mime_guess::from_path(Path::new(key));
    guess.first_or_octet_stream().essence_str().to_owned()
}

/// Whether bodies of this type tend to shrink: text, and binary formats that are not
/// compressed in themselves.
fn is_compressible(content_type: &str) -> bool {
    let (kind, subtype) = content_type.split_once('/').unwrap_or((content_type, ""));
    let has_suffix = |suffixes: &[&str]| {
        let suffix = subtype.rsplit_once('+').map(|(_, suffix)| suffix);
        suffix.is_some_and(|suffix| suffixes.contains(&suffix))
    };
    match kind {
        "text" => true,
        "application" => {
            matches!(
                subtype,
                "javascript" | "json" | "xml" | "wasm" | "rtf" | "toml" | "yaml"
            ) || has_suffix(&["json", "xml"])
        }
        "image" => matches!(subtype, "bmp" | "x-icon") || has_suffix(&["xml"]),
        "font" => matches!(subtype, "ttf" | "otf" | "sfnt" | "collection"),
        _ => has_suffix(&["json", "xml"]),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::default());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("writing to memory cannot fail")
}

/// Levels of Brotli.
const QUICK: u32 = 5;
const BEST: u32 = 11;

fn brotli(bytes: &[u8], quality: u32) -> Vec<u8> {
    const BUFFER: usize = 1 << 12;
    const LOG_WINDOW: u32 = 22;
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), BUFFER, quality, LOG_WINDOW);
    // `ic-asset` flushes, which makes other bytes.
    let written = encoder.write_all(bytes).and_then(|()| encoder.flush());
    written.expect("writing to memory cannot fail");
    encoder.into_inner()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn names(asset: &Asset) -> Vec<&str> {
        asset
            .encodings
            .iter()
            .map(|encoding| encoding.name)
            .collect()
    }

    fn decoded(encoding: &Encoding) -> Vec<u8> {
        let body = &encoding.body[..];
        let mut bytes = Vec::new();
        match encoding.name {
            "gzip" => flate2::read::GzDecoder::new(body).read_to_end(&mut bytes),
            "br" => brotli::Decompressor::new(body, 4096).read_to_end(&mut bytes),
            _ => body.take(u64::MAX).read_to_end(&mut bytes),
        }
        .unwrap();
        bytes
    }

    #[test]
    fn types_follow_from_extensions() {
        let expected = [
            ("/index.html", "text/html"),
            ("/a.b/style.css", "text/css"),
            ("/app.js", "text/javascript"),
            ("/app.mjs", "application/javascript"),
            ("/data.json", "application/json"),
            ("/a.webmanifest", "application/manifest+json"),
            ("/logo.SVG", "image/svg+xml"),
            ("/photo.jpg", "image/jpeg"),
            ("/film.mp4", "video/mp4"),
            ("/f.woff2", "font/woff2"),
            ("/m.wasm", "application/wasm"),
            ("/LICENSE", "application/octet-stream"),
            ("/a.html/b", "application/octet-stream"),
        ];
        for (key, content_type) in expected {
            assert_eq!(super::content_type(key), content_type, "{key}");
        }
    }

    #[test]
    fn text_is_compressed_and_comes_back() {
        let text = "the same line again\n".repeat(100).into_bytes();
        for key in [
            "/a.html",
            "/a.js",
            "/a.json",
            "/a.svg",
            "/a.wasm",
            "/a.xml",
            "/a.webmanifest",
        ] {
            let asset = Asset::new(key, text.clone());
            assert_eq!(names(&asset), ["identity", "gzip", "br"], "{key}");
            for encoding in &asset.encodings {
                assert_eq!(decoded(encoding), text, "{key} {}", encoding.name);
                assert_eq!(encoding.sha256[..], Sha256::digest(&encoding.body)[..]);
            }
        }
    }

    #[test]
    fn what_does_not_shrink_is_sent_as_it_is() {
        assert_eq!(names(&Asset::new("/a.html", b"<p>".to_vec())), ["identity"]);
        assert_eq!(names(&Asset::new("/a.css", Vec::new())), ["identity"]);
        let compressible = vec![0; 1000];
        assert_eq!(
            names(&Asset::new("/a.jpg", compressible.clone())),
            ["identity"]
        );
        assert_eq!(names(&Asset::new("/a.woff2", compressible)), ["identity"]);
    }

    #[test]
    fn the_same_bytes_are_the_same_asset() {
        let text = b"x".repeat(100_000);
        assert_eq!(
            Asset::new("/a.txt", text.clone()),
            Asset::new("/a.txt", text)
        );
    }

    #[test]
    fn many_files_come_back_in_order() {
        let site = tempfile::tempdir().unwrap();
        for i in 0..300 {
            fs::write(site.path().join(format!("{i:03}.txt")), i.to_string()).unwrap();
        }
        let files = crate::scan::scan(site.path()).unwrap().files;
        let count = AtomicUsize::new(0);
        let done = || {
            count.fetch_add(1, Ordering::Relaxed);
        };
        let assets = read_all(&files.iter().collect::<Vec<_>>(), &done).unwrap();
        assert_eq!(count.into_inner(), 300);
        for (i, asset) in assets.iter().enumerate() {
            assert_eq!(asset.key, format!("/{i:03}.txt"));
            assert_eq!(asset.encodings[0].body, i.to_string().as_bytes());
        }
    }

    #[test]
    fn a_file_that_is_gone_is_named() {
        let site = tempfile::tempdir().unwrap();
        let path = site.path().join("gone.txt");
        fs::write(&path, "").unwrap();
        let files = crate::scan::scan(site.path()).unwrap().files;
        fs::remove_file(&path).unwrap();
        let error = read_all(&files.iter().collect::<Vec<_>>(), &|| ()).unwrap_err();
        assert!(matches!(error, Error::Io { path: named, .. } if named == path));
    }
}
