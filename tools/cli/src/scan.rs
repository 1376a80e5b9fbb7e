//! Which files of a directory make up the site, and under which keys.
//!
//! ```text
//! site/index.html           /index.html
//! site/a b/ç.svg            /a b/ç.svg            names as they are, not normalised
//! site/.well-known/ic-env   /.well-known/ic-env   the one dot directory that is public
//! site/.git/…  site/.env    –                     others are not
//! site/link -> elsewhere    –                     nor is what a link points to
//! ```
//!
//! Of files and folders whose names begin with a dot, and of all others too, rules may say
//! otherwise, where a folder has some ([`rules`]).

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use ic_hallmark::site::{MAX_BODY, MAX_KEY};
use walkdir::{DirEntry, WalkDir};

use crate::Error;
use crate::rules::{self, Rules, Settings, Unused};

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
    /// What rules say of it.
    pub settings: Settings,
}

/// What is found in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The files of the site, in the order of their keys' bytes.
    pub files: Vec<File>,
    /// Rules that say nothing of anything.
    pub unused: Vec<Unused>,
}

/// Lists the files of `directory`.
///
/// # Errors
///
/// A directory that is not one, a file that cannot be an asset, rules that are none, or the
/// operating system's refusal; each names the path. [`Error::NotHardened`].
pub fn scan(directory: &Path) -> Result<Found, Error> {
    match fs::metadata(directory) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(Error::NotADirectory(directory.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::NoDirectory(directory.to_owned()));
        }
        Err(source) => return Err(Error::reading(directory, source)),
    }

    let mut files = Vec::new();
    let mut rules = Rules::default();
    let mut entries = WalkDir::new(directory).into_iter();
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(directory).to_owned();
            Error::reading(&path, error.into())
        })?;
        let is_folder = entry.file_type().is_dir();
        let Some(key) = key(directory, &entry) else {
            if is_public(&entry, &Settings::default()) && !entry.path_is_symlink() {
                return Err(Error::FileName(entry.into_path()));
            }
            if is_folder {
                entries.skip_current_dir();
            }
            continue;
        };
        let settings = rules.settings(&key);
        let is_public = is_public(&entry, &settings);
        match (is_folder, is_public) {
            (true, true) => read_rules(entry.path(), &key, &mut rules)?,
            (true, false) => entries.skip_current_dir(),
            (false, true) if entry.file_type().is_file() => {
                files.push(file(&entry, key, settings)?);
            }
            (false, _) => {}
        }
    }
    files.sort_by(|a, b| a.key.cmp(&b.key));
    let lacking = files.iter().filter(|file| file.settings.lacks_hardening());
    let lacking: Vec<_> = lacking.map(|file| file.key.clone()).collect();
    if !lacking.is_empty() {
        return Err(Error::NotHardened(lacking));
    }
    Ok(Found {
        files,
        unused: rules.unused(),
    })
}

/// "/" and the path below the directory, with "/" between its parts; nothing for the directory
/// itself. `None` if it is not UTF-8.
fn key(directory: &Path, entry: &DirEntry) -> Option<String> {
    let path = entry.path();
    let mut key = String::new();
    for part in path.strip_prefix(directory).unwrap_or(path).components() {
        if let Component::Normal(name) = part {
            key.push('/');
            key.push_str(name.to_str()?);
        }
    }
    Some(key)
}

fn is_public(entry: &DirEntry, settings: &Settings) -> bool {
    let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
    let is_well_known = entry.file_name() == ".well-known" && entry.file_type().is_dir();
    let is_ignored = settings.is_ignored();
    // As `ic-asset` has it, one of the two names of rules can be published, the other cannot.
    let is_never = entry.file_name() == rules::NAMES[1] && !entry.file_type().is_dir();
    let is_ignored = is_ignored.unwrap_or(is_hidden && !is_well_known);
    entry.depth() == 0 || !is_ignored && !is_never
}

/// Reads the rules of a folder, if it has any.
fn read_rules(folder: &Path, key: &str, rules: &mut Rules) -> Result<(), Error> {
    let paths = rules::NAMES.map(|name| folder.join(name));
    let mut paths = paths.into_iter().filter(|path| path.exists());
    let Some(path) = paths.next() else {
        return Ok(());
    };
    if paths.next().is_some() {
        return Err(Error::TwoRuleFiles(folder.to_owned()));
    }
    let text = fs::read_to_string(&path).map_err(|source| Error::reading(&path, source))?;
    rules.add(key, &path, &text)
}

fn file(entry: &DirEntry, key: String, settings: Settings) -> Result<File, Error> {
    let path = entry.path();
    let metadata = entry
        .metadata()
        .map_err(|error| Error::reading(path, error.into()))?;
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
        settings,
    })
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
        let files = scan(directory).unwrap().files;
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
        ]);
        let expected = ["/.well-known/ic-domains", "/a/.well-known/b"];
        assert_eq!(keys(site.path()), expected);
    }

    fn with_rules(files: &[&str], rules: &[(&str, &str)]) -> tempfile::TempDir {
        let site = directory(files);
        for (path, text) in rules {
            fs::write(site.path().join(path), text).unwrap();
        }
        site
    }

    #[test]
    fn rules_say_what_is_left_out() {
        let files = [
            "a.map",
            "b/c.map",
            "b/.shown",
            "drafts/d.txt",
            "drafts/e.txt",
            ".env",
            ".git/config",
            ".well-known/ic-domains",
        ];
        let upper = r#"[
            { match: "*.map", ignore: true },
            { match: "drafts", ignore: true },
            { match: "drafts/e.txt", ignore: false },
            { match: ".well-known", ignore: true },
            { match: ".git", ignore: false },
        ]"#;
        let lower = r#"[{ match: "*", ignore: false }]"#;
        let site = with_rules(
            &files,
            &[(".ic-assets.json", upper), ("b/.ic-assets.json5", lower)],
        );
        // What is in a folder that is left out is not looked at. Rules under the newer name are
        // published if they say so.
        let expected = [
            "/.git/config",
            "/b/.ic-assets.json5",
            "/b/.shown",
            "/b/c.map",
        ];
        assert_eq!(keys(site.path()), expected);
        let unused = scan(site.path()).unwrap().unused;
        assert_eq!(unused.len(), 1);
        assert_eq!(unused[0].glob, "drafts/e.txt");
        assert_eq!(unused[0].path, site.path().join(".ic-assets.json"));

        let all = r#"[{ match: "**/.*", ignore: false }]"#;
        let site = with_rules(&["a"], &[(".ic-assets.json", all)]);
        assert_eq!(keys(site.path()), ["/a"]);
    }

    #[test]
    fn a_folder_has_one_file_of_rules() {
        let site = with_rules(&["a/b"], &[("a/.ic-assets.json", "[]")]);
        assert_eq!(keys(site.path()), ["/a/b"]);
        let folder = site.path().join("a");
        fs::write(folder.join(".ic-assets.json5"), "[]").unwrap();
        let error = scan(site.path()).unwrap_err();
        assert!(matches!(error, Error::TwoRuleFiles(path) if path == folder));
    }

    #[test]
    fn a_hardened_policy_without_headers_is_refused() {
        let rules = r#"[
            { match: "*", security_policy: "hardened" },
            { match: "a", headers: { A: "b" } },
        ]"#;
        let site = with_rules(&["a", "b", "c"], &[(".ic-assets.json5", rules)]);
        let error = scan(site.path()).unwrap_err();
        assert!(matches!(error, Error::NotHardened(keys) if keys == ["/b", "/c"]));
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
        assert_eq!(scan(site.path()).unwrap().files.len(), 2);
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
