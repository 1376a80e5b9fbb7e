//! What a command has to say: its result, and how far it is.
//!
//! On a terminal each step is a bar while it lasts. Everywhere, it leaves a line. Both go
//! to the error stream: the output is for results.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressFinish, ProgressStyle};

use crate::Error;

/// What has become of the output.
static OUTPUT: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints a line of the result, if there is still somebody to read it.
pub(crate) fn say(line: impl Display) {
    if let Err(error) = writeln!(io::stdout(), "{line}")
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        *OUTPUT.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

/// Prints a line beside the result, if it can be.
pub fn tell(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Whether all lines of the result have gone where they should.
///
/// # Errors
///
/// [`Error::Output`].
pub fn written() -> Result<(), Error> {
    match OUTPUT.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(error) => Err(Error::Output(error)),
        None => Ok(()),
    }
}

/// Words of somebody else's, on one line and without what moves a terminal's cursor or turns the
/// direction of writing, so that they cannot pass for this program's.
pub(crate) fn quote(words: &str) -> String {
    let is_harmless = |letter: char| {
        !letter.is_control()
            && !matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut quoted = String::with_capacity(words.len());
    for letter in words.chars() {
        match is_harmless(letter) {
            true => quoted.push(letter),
            false => quoted.extend(letter.escape_default()),
        }
    }
    quoted
}

/// A part of a deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Files are read and compressed; counted in files.
    Reading,
    /// Bodies are sent; counted in bytes.
    Uploading,
    /// Changes are made beside the live site; counted in operations.
    Staging,
    /// Changes are made; counted in operations.
    Committing,
    /// A site is asked for what it answers; counted in questions. The result says how many, so no
    /// line is left.
    Asking,
}

/// Whoever wants to know how far a deploy is.
///
/// One step after another begins, advances until its total is reached, and ends, or is given up.
pub trait Report: Sync {
    /// A step begins, of which so much is to be done.
    fn begin(&self, step: Step, total: u64);
    /// So much more is done. Called on any thread.
    fn advance(&self, by: u64);
    /// The step is over.
    fn end(&self);
    /// Something that is no error, and perhaps not meant.
    fn note(&self, text: &str);
}

/// Nobody wants to know.
impl Report for () {
    fn begin(&self, _: Step, _: u64) {}
    fn advance(&self, _: u64) {}
    fn end(&self) {}
    fn note(&self, _: &str) {}
}

/// A person at a terminal, or the reader of a log.
#[derive(Debug, Default)]
pub struct Console {
    bar: Mutex<Option<(Step, ProgressBar)>>,
}

impl Report for Console {
    fn begin(&self, step: Step, total: u64) {
        // The bar hides itself where the error stream is no terminal.
        let bar = ProgressBar::new(total)
            .with_style(style(step))
            .with_finish(ProgressFinish::AndClear);
        *self.bar() = Some((step, bar));
    }

    fn advance(&self, by: u64) {
        if let Some((_, bar)) = &*self.bar() {
            bar.inc(by);
        }
    }

    fn end(&self) {
        if let Some((step, bar)) = self.bar().take() {
            bar.finish_and_clear();
            if let Some(line) = summary(step, bar.position()) {
                tell(line);
            }
        }
    }

    fn note(&self, text: &str) {
        let line = format_args!("  note: {}", quote(text)).to_string();
        match &*self.bar() {
            Some((_, bar)) => bar.suspend(|| tell(line)),
            None => tell(line),
        }
    }
}

impl Console {
    fn bar(&self) -> MutexGuard<'_, Option<(Step, ProgressBar)>> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn summary(step: Step, done: u64) -> Option<String> {
    Some(match step {
        Step::Reading => format!("  read       {}", count(done, "file")),
        Step::Uploading => format!("  uploaded   {}", bytes(done)),
        Step::Staging => format!("  staged     {}", count(done, "operation")),
        Step::Committing => format!("  committed  {}", count(done, "operation")),
        Step::Asking => return None,
    })
}

/// So many bytes, for people.
pub(crate) fn bytes(number: u64) -> String {
    HumanBytes(number).to_string()
}

/// So many of a thing, for people.
pub(crate) fn count(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", HumanCount(number))
}

fn style(step: Step) -> ProgressStyle {
    let template = match step {
        Step::Reading => "  reading    {bar:32} {human_pos} of {human_len} files",
        Step::Uploading => "  uploading  {bar:32} {bytes} of {total_bytes}",
        Step::Staging => "  staging    {bar:32} {human_pos} of {human_len} operations",
        Step::Committing => "  committing {bar:32} {human_pos} of {human_len} operations",
        Step::Asking => "  asking     {bar:32} {human_pos} of {human_len} questions",
    };
    let style = ProgressStyle::with_template(template).expect("the templates are well-formed");
    style.progress_chars("━╸─")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_words_stay_on_their_line() {
        assert_eq!(quote("a \"b\" é ✓"), "a \"b\" é ✓");
        assert_eq!(quote("a\n\x1b[2K\r\u{9b}b"), "a\\n\\u{1b}[2K\\r\\u{9b}b");
        assert_eq!(quote("\u{202e}a\u{2028}"), "\\u{202e}a\\u{2028}");
    }

    #[test]
    fn each_step_has_a_style_and_a_line() {
        let steps = [
            Step::Reading,
            Step::Uploading,
            Step::Staging,
            Step::Committing,
            Step::Asking,
        ];
        let lines = steps.map(|step| {
            style(step);
            summary(step, 12_345)
        });
        let expected = [
            "  read       12,345 files",
            "  uploaded   12.06 KiB",
            "  staged     12,345 operations",
            "  committed  12,345 operations",
        ];
        let lines: Vec<_> = lines.iter().flatten().collect();
        assert_eq!(lines, expected);
        let one = summary(Step::Reading, 1);
        assert_eq!(one.as_deref(), Some("  read       1 file"));
    }
}
