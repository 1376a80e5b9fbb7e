//! The browser that the tests drive.
//!
//! A test of the example site runs in Chromium and fails without one. Where this machine
//! has none and may be given one, it is installed first.

use anyhow::{Context as _, Result, bail};

use crate::debian;

/// Makes sure that one of the browsers the tests look for is there.
pub(crate) fn ensure() -> Result<()> {
    let set = std::env::var_os("CHROMIUM").is_some();
    if set
        || ["chromium", "chromium-browser", "google-chrome"]
            .iter()
            .any(|name| debian::has(name))
    {
        return Ok(());
    }
    if !debian::may_install() {
        bail!(
            "the test of the example site needs Chromium: install it (on Debian, \
             `apt-get install chromium`) or set CHROMIUM to its path"
        );
    }
    eprintln!("  Chromium is not installed; the test of the example site needs it. Installing.");
    debian::install("chromium").context("Chromium could not be installed; set CHROMIUM to one")
}
