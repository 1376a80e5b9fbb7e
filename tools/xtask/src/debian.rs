//! Programs of this machine, and installing those that are missing where that may be done.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::workspace::Step;

/// Whether there is such a program.
pub(crate) fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Whether packages may be installed: root on Debian, as in CI.
pub(crate) fn may_install() -> bool {
    has("apt-get") && is_root()
}

/// Installs a package.
pub(crate) fn install(package: &str) -> Result<()> {
    apt(&["update", "-qq"])?;
    apt(&[
        "install",
        "-qq",
        "--yes",
        "--no-install-recommends",
        package,
    ])
}

fn apt(args: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    Step::new(Path::new("apt-get"), command)
        .args(args)
        .succeed()
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
