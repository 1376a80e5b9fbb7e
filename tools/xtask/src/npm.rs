//! The programs from npm that the tests drive, in the versions of a lockfile.
//!
//! `tools/xtask/npm` holds what is wanted and the hashes of it; `target/npm` is where it is
//! installed. Tests of deployments run the genuine `icp` and fail without it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::debian;
use crate::workspace::{Step, Workspace};

const MANIFEST: &str = "package.json";
const LOCK: &str = "package-lock.json";

/// Makes sure that the `icp` of the tests is there, and says where; `ICP_BIN` names another.
pub(crate) fn icp(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("ICP_BIN") {
        return Ok(path.into());
    }
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!(
            "the tests of deployments need `icp` 1.5.0, which is fetched only for Linux on \
             x86-64: set ICP_BIN to its path"
        );
    }
    let folder = workspace.target.join("npm");
    install(&workspace.root.join("tools/xtask/npm"), &folder)
        .context("`icp` could not be installed; set ICP_BIN to one")?;
    Ok(folder.join("node_modules/@icp-sdk/icp-cli-linux-x64/bin/icp"))
}

/// Installs what the lockfile in `wanted` names into `folder`, unless it is there.
fn install(wanted: &Path, folder: &Path) -> Result<()> {
    let lock = fs::read(wanted.join(LOCK))?;
    // Written last, so it is there when everything is.
    let installed = folder.join("installed.json");
    if fs::read(&installed).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    if !debian::has("npm") {
        if !debian::may_install() {
            bail!("there is no `npm`: install it (on Debian, `apt-get install npm`)");
        }
        eprintln!("  npm is not installed; the tests of deployments need it. Installing.");
        debian::install("npm")?;
    }
    fs::create_dir_all(folder)?;
    for file in [MANIFEST, LOCK] {
        fs::copy(wanted.join(file), folder.join(file))?;
    }
    let mut command = Command::new("npm");
    command.current_dir(folder);
    Step::new(Path::new("npm"), command)
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .succeed()?;
    fs::write(installed, lock)?;
    Ok(())
}
