//! From a file's bytes to what is uploaded: its type, and its encodings with their hashes.
//!
//! The type follows from the name's extension. Types that are text in one way or another are
//! compressed as well, each encoding kept only if it is smaller than the file.
//!
//! | encoding | level | why |
//! | --- | --- | --- |
//! | `gzip` | 9 of 9 | for old clients; its slowest level is fast enough |
//! | `br` | 5 of 11 | on a node_modules of 65 MB, 4 % larger than level 9 in a quarter of the time |
//!
//! Levels are part of a site's identity: the site hash covers the compressed bytes.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use flate2::{Compression, GzBuilder};
use ic_hallmark::site::MAX_BODY;
use sha2::{Digest as _, Sha256};

use crate::scan::File;
use crate::{Error, parallel};

/// A file as it is to be served.
#[derive(Debug, PartialEq, Eq)]
pub struct Asset {
    /// The path it is served under, not yet percent-encoded.
    pub key: String,
    /// The media type, without parameters.
    pub content_type: String,
    /// What can be sent, the file itself (`identity`) first.
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

impl Asset {
    /// The asset that `bytes` are under `key`.
    pub fn new(key: &str, bytes: Vec<u8>) -> Asset {
        let content_type = content_type(key);
        let identity = Encoding::new("identity", bytes);
        let mut encodings = vec![identity];
        if is_compressible(&content_type) {
            let bytes = &encodings[0].body;
            let compressed = [("gzip", gzip(bytes)), ("br", brotli(bytes))];
            let smaller = compressed.map(|(name, body)| {
                let is_smaller = body.len() < bytes.len();
                is_smaller.then(|| Encoding::new(name, body))
            });
            encodings.extend(smaller.into_iter().flatten());
        }
        Asset {
            key: key.to_owned(),
            content_type,
            encodings,
        }
    }

    /// Reads the asset that `file` is.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], or [`Error::LargeFile`] if it has grown too large since it was listed.
    pub fn read(file: &File) -> Result<Asset, Error> {
        let bytes = fs::read(&file.path).map_err(|source| Error::Io {
            doing: "read",
            path: file.path.clone(),
            source,
        })?;
        if bytes.len() as u64 > MAX_BODY {
            let size = bytes.len() as u64;
            let path = file.path.clone();
            return Err(Error::LargeFile { path, size });
        }
        Ok(Asset::new(&file.key, bytes))
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
        .write(Vec::new(), Compression::best());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("writing to memory cannot fail")
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    const BUFFER: usize = 1 << 16;
    const QUALITY: u32 = 5;
    const LOG_WINDOW: u32 = 22;
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), BUFFER, QUALITY, LOG_WINDOW);
    encoder
        .write_all(bytes)
        .expect("writing to memory cannot fail");
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
        let files = crate::scan::scan(site.path()).unwrap();
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
        let files = crate::scan::scan(site.path()).unwrap();
        fs::remove_file(&path).unwrap();
        let error = read_all(&files.iter().collect::<Vec<_>>(), &|| ()).unwrap_err();
        assert!(matches!(error, Error::Io { path: named, .. } if named == path));
    }
}
