//! The browser that the tests drive.
//!
//! A test of the example site runs in Chromium and fails without one. Where this machine
//! has none and may be given one (root on Debian, as in CI), it is installed first.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::workspace::Step;

/// Makes sure that one of the browsers the tests look for is there.
pub(crate) fn ensure() -> Result<()> {
    let set = std::env::var_os("CHROMIUM").is_some();
    if set
        || ["chromium", "chromium-browser", "google-chrome"]
            .iter()
            .any(|name| on_path(name))
    {
        return Ok(());
    }
    if !(on_path("apt-get") && is_root()) {
        bail!(
            "the test of the example site needs Chromium: install it (on Debian, \
             `apt-get install chromium`) or set CHROMIUM to its path"
        );
    }
    eprintln!("  Chromium is not installed; the test of the example site needs it. Installing.");
    apt(&["update", "-qq"])?;
    apt(&[
        "install",
        "-qq",
        "--yes",
        "--no-install-recommends",
        "chromium",
    ])
    .context("Chromium could not be installed; set CHROMIUM to one")
}

fn apt(args: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    Step::new(Path::new("apt-get"), command)
        .args(args)
        .succeed()
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
