//! The programs and libraries from npm that the tests use, in the versions of a lockfile.
//!
//! `tools/xtask/npm` holds what is wanted and the hashes of it; `target/npm` is where it is
//! installed. Tests of deployments run the genuine `icp`, tests of clients run JavaScript on
//! Node, and both fail without them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::debian;
use crate::workspace::{Step, Workspace};

const MANIFEST: &str = "package.json";
const LOCK: &str = "package-lock.json";

/// What is installed.
#[derive(Debug)]
pub(crate) struct Installed {
    /// The folder of packages.
    pub(crate) modules: PathBuf,
    /// The `icp` of the tests.
    pub(crate) icp: PathBuf,
}

/// Makes sure that everything is there, and says where; `ICP_BIN` names another `icp`.
pub(crate) fn ensure(workspace: &Workspace) -> Result<Installed> {
    let folder = workspace.target.join("npm");
    install(&workspace.root.join("tools/xtask/npm"), &folder)
        .context("what the tests need from npm could not be installed")?;
    let modules = folder.join("node_modules");
    let icp = match std::env::var_os("ICP_BIN") {
        Some(path) => path.into(),
        None if cfg!(all(target_os = "linux", target_arch = "x86_64")) => {
            modules.join("@icp-sdk/icp-cli-linux-x64/bin/icp")
        }
        None => bail!(
            "the tests of deployments need `icp` 1.5.0, which is fetched only for Linux on \
             x86-64: set ICP_BIN to its path"
        ),
    };
    Ok(Installed { modules, icp })
}

/// Installs what the lockfile in `wanted` names into `folder`, unless it is there.
fn install(wanted: &Path, folder: &Path) -> Result<()> {
    let lock = fs::read(wanted.join(LOCK))?;
    // Debian's npm depends on its Node.
    if !debian::has("node") || !debian::has("npm") {
        if !debian::may_install() {
            bail!("there is no Node, or no npm: install both (on Debian, `apt-get install npm`)");
        }
        eprintln!("  Node and npm are not both installed; the tests need them. Installing.");
        debian::install("npm")?;
    }
    // Written last, so it is there when everything is.
    let installed = folder.join("installed.json");
    if fs::read(&installed).is_ok_and(|installed| installed == lock) {
        return Ok(());
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
