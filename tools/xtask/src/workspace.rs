//! Where the workspace is, where its build output goes, and how programs are run in it.
//!
//! Every command is shown before it runs, and runs in the workspace root, so that the
//! toolchain file applies wherever `cargo xtask` was called from.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, bail};

/// The workspace and its target directory.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Asks cargo, which knows of `CARGO_TARGET_DIR` and of configuration files.
    pub(crate) fn find() -> Result<Workspace> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
        let output = Command::new(cargo())
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .arg("--manifest-path")
            .arg(&manifest)
            .output()
            .context("cannot run cargo")?;
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr);
            bail!("`cargo metadata` failed: {}", reason.trim());
        }
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let path = |key: &str| {
            let text = metadata[key].as_str();
            text.map(PathBuf::from)
                .with_context(|| format!("`cargo metadata` names no {key}"))
        };
        Ok(Workspace {
            root: path("workspace_root")?,
            target: path("target_directory")?,
        })
    }

    /// Where `build` leaves the canisters.
    pub(crate) fn artifacts(&self) -> PathBuf {
        self.target.join("canisters")
    }

    /// A program of this workspace, as `cargo build` leaves it.
    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        self.target.join("debug").join(file)
    }

    /// The cargo that runs this task.
    pub(crate) fn cargo(&self) -> Step {
        let mut step = Step::new(Path::new("cargo"), Command::new(cargo()));
        step.command.current_dir(&self.root);
        step
    }

    /// A program that takes the paths in its arguments from the user's own directory.
    pub(crate) fn program(&self, path: &Path) -> Step {
        let shown = path.strip_prefix(&self.root).unwrap_or(path);
        Step::new(shown, Command::new(path))
    }
}

/// One command: what is shown is what runs.
#[derive(Debug)]
pub(crate) struct Step {
    shown: String,
    command: Command,
}

impl Step {
    pub(crate) fn new(name: &Path, command: Command) -> Step {
        Step {
            shown: name.display().to_string(),
            command,
        }
    }

    pub(crate) fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Step {
        let text = arg.as_ref().to_string_lossy();
        let quoted = text.is_empty() || text.contains(|c: char| c.is_whitespace() || c == '\'');
        self.shown.push(' ');
        match quoted {
            true => self
                .shown
                .push_str(&format!("'{}'", text.replace('\'', r"'\''"))),
            false => self.shown.push_str(&text),
        }
        self.command.arg(arg.as_ref());
        self
    }

    pub(crate) fn args<I: IntoIterator<Item: AsRef<OsStr>>>(&mut self, args: I) -> &mut Step {
        for arg in args {
            self.arg(arg);
        }
        self
    }

    /// An argument that would only be noise on the screen.
    pub(crate) fn unshown(&mut self, arg: impl AsRef<OsStr>) -> &mut Step {
        self.command.arg(arg);
        self
    }

    pub(crate) fn env(&mut self, name: &str, value: impl AsRef<OsStr>) -> &mut Step {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without_env(&mut self, name: &str) -> &mut Step {
        self.command.env_remove(name);
        self
    }

    /// Runs to the end and hands on the exit status.
    pub(crate) fn status(&mut self) -> Result<ExitCode> {
        let status = self.run()?;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
    }

    /// Runs to the end; anything but success is an error.
    pub(crate) fn succeed(&mut self) -> Result<()> {
        match self.run()? {
            status if status.success() => Ok(()),
            status => bail!("`{}` failed ({status})", self.shown),
        }
    }

    fn run(&mut self) -> Result<ExitStatus> {
        eprintln!("  $ {}", self.shown);
        self.command
            .status()
            .with_context(|| format!("cannot run `{}`", self.shown))
    }
}

fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}
