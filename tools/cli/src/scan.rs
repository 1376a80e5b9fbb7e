//! Which files of a directory make up the site, and under which keys.
//!
//! ```text
//! site/index.html           /index.html
//! site/a b/ç.svg            /a b/ç.svg            names as they are, not normalised
//! site/.well-known/ic-env   /.well-known/ic-env   the one dot directory that is public
//! site/.git/…  site/.env    –                     others are not
//! site/link -> elsewhere    –                     nor is what a link points to
//! ```

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use ic_hallmark::site::{MAX_BODY, MAX_KEY};
use walkdir::{DirEntry, WalkDir};

use crate::Error;

/// A file of the site, as the directory lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// "/" and the path below the directory, with "/" between its parts.
    pub key: String,
    /// Where to read it.
    pub path: PathBuf,
    /// Bytes in it.
    pub size: u64,
    /// When it was last written, where the file system knows.
    pub modified: Option<SystemTime>,
}

/// Lists the files of `directory`, in the order of their keys' bytes.
///
/// # Errors
///
/// A directory that is not one, a file that cannot be an asset, or the operating system's
/// refusal; each names the path.
pub fn scan(directory: &Path) -> Result<Vec<File>, Error> {
    match fs::metadata(directory) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(Error::NotADirectory(directory.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::NoDirectory(directory.to_owned()));
        }
        Err(source) => return Err(reading(directory, source)),
    }

    let mut files = Vec::new();
    for entry in WalkDir::new(directory).into_iter().filter_entry(is_public) {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(directory).to_owned();
            reading(&path, error.into())
        })?;
        if entry.file_type().is_file() {
            files.push(file(directory, &entry)?);
        }
    }
    files.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(files)
}

fn is_public(entry: &DirEntry) -> bool {
    let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
    let is_well_known = entry.file_name() == ".well-known" && entry.file_type().is_dir();
    entry.depth() == 0 || !is_hidden || is_well_known
}

fn file(directory: &Path, entry: &DirEntry) -> Result<File, Error> {
    let path = entry.path();
    let metadata = entry
        .metadata()
        .map_err(|error| reading(path, error.into()))?;

    let mut key = String::new();
    for part in path.strip_prefix(directory).unwrap_or(path).components() {
        if let Component::Normal(name) = part {
            let name = name.to_str();
            key.push('/');
            key.push_str(name.ok_or_else(|| Error::FileName(path.to_owned()))?);
        }
    }
    if key.len() > MAX_KEY {
        let length = key.len();
        let path = path.to_owned();
        return Err(Error::LongKey { path, length });
    }
    if metadata.len() > MAX_BODY {
        let size = metadata.len();
        let path = path.to_owned();
        return Err(Error::LargeFile { path, size });
    }
    Ok(File {
        key,
        path: path.to_owned(),
        size: metadata.len(),
        modified: metadata.modified().ok(),
    })
}

fn reading(path: &Path, source: io::Error) -> Error {
    Error::Io {
        doing: "read",
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(files: &[&str]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for file in files {
            let path = directory.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        directory
    }

    fn keys(directory: &Path) -> Vec<String> {
        let files = scan(directory).unwrap();
        files.into_iter().map(|file| file.key).collect()
    }

    #[test]
    fn keys_are_paths_in_byte_order() {
        let site = directory(&["b.css", "a/z.js", "a b.txt", "index.html", "a/é/ü.svg"]);
        let expected = ["/a b.txt", "/a/z.js", "/a/é/ü.svg", "/b.css", "/index.html"];
        assert_eq!(keys(site.path()), expected);
    }

    #[test]
    fn names_are_not_normalised() {
        let site = directory(&["e\u{301}.txt"]);
        assert_eq!(keys(site.path()), ["/e\u{301}.txt"]);
    }

    #[test]
    fn only_one_hidden_directory_is_public() {
        let site = directory(&[
            ".env",
            ".git/config",
            ".well-known/ic-domains",
            ".well-known/.secret",
            "a/.well-known/b",
            "a/.hidden/c",
            ".ic-assets.json5",
        ]);
        let expected = ["/.well-known/ic-domains", "/a/.well-known/b"];
        assert_eq!(keys(site.path()), expected);
    }

    #[test]
    fn the_directory_itself_may_be_hidden() {
        let site = directory(&[".output/index.html"]);
        assert_eq!(keys(&site.path().join(".output")), ["/index.html"]);
    }

    #[test]
    fn an_empty_directory_is_an_empty_site() {
        assert_eq!(keys(directory(&[]).path()), [""; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let outside = directory(&["secret.txt"]);
        let site = directory(&["index.html"]);
        let link = |from: &Path, to: &str| {
            std::os::unix::fs::symlink(from, site.path().join(to)).unwrap();
        };
        link(outside.path(), "directory");
        link(&outside.path().join("secret.txt"), "file.txt");
        assert_eq!(keys(site.path()), ["/index.html"]);
    }

    #[test]
    fn what_is_no_directory_is_named() {
        let site = directory(&["index.html"]);
        let missing = site.path().join("missing");
        let file = site.path().join("index.html");
        assert!(matches!(scan(&missing), Err(Error::NoDirectory(path)) if path == missing));
        assert!(matches!(scan(&file), Err(Error::NotADirectory(path)) if path == file));
    }

    #[test]
    fn a_file_over_the_limit_is_named() {
        let site = directory(&["small.bin"]);
        let large = site.path().join("large.bin");
        // Sparse: it takes no room on the disk.
        fs::File::create(&large)
            .unwrap()
            .set_len(MAX_BODY + 1)
            .unwrap();
        let error = scan(site.path()).unwrap_err();
        assert!(
            matches!(error, Error::LargeFile { ref path, .. } if *path == large),
            "{error}"
        );
        fs::File::create(&large).unwrap().set_len(MAX_BODY).unwrap();
        assert_eq!(scan(site.path()).unwrap().len(), 2);
    }

    #[test]
    fn a_path_over_the_limit_is_named() {
        let name = "n".repeat(200);
        let long = [&*name; 6].join("/");
        let site = directory(&[&long]);
        let error = scan(site.path()).unwrap_err();
        assert!(
            matches!(error, Error::LongKey { length: 1206, .. }),
            "{error}"
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_that_is_not_text_is_refused() {
        use std::os::unix::ffi::OsStrExt as _;
        let site = directory(&[]);
        let path = site.path().join(std::ffi::OsStr::from_bytes(b"\xff.txt"));
        fs::write(&path, "").unwrap();
        assert!(matches!(scan(site.path()), Err(Error::FileName(named)) if named == path));
    }
}
