//! What a deploy changes, in words.

use crate::freight::Freight;
use crate::plan::{Fate, Plan};
use crate::report::{bytes, count, quote};

/// What becomes of the assets of a site.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Those that do not stay as they are, by key.
    pub fates: Vec<(String, Fate)>,
    /// Bytes that have to be uploaded for it.
    pub bytes: u64,
}

impl Changes {
    /// What `plan` changes, for which `freight` has to be uploaded.
    pub fn new(plan: &Plan<'_>, freight: &Freight<'_>) -> Changes {
        let fates = plan.fates().into_iter();
        Changes {
            fates: fates.map(|(key, fate)| (key.to_owned(), fate)).collect(),
            bytes: freight.bytes(),
        }
    }

    /// Whether everything stays as it is.
    pub fn is_empty(&self) -> bool {
        self.fates.is_empty()
    }

    /// A line for each asset, and one that counts those beyond `limit`.
    pub fn lines(&self, limit: usize) -> Vec<String> {
        let shown = self.fates.iter().take(limit);
        let line = |(key, fate): &(String, Fate)| format!("  {:<9}  {}", word(*fate), quote(key));
        let mut lines: Vec<_> = shown.map(line).collect();
        match self.fates.len().saturating_sub(limit) {
            0 => {}
            more => lines.push(format!("  and {}", count(more as u64, "more asset"))),
        }
        lines
    }

    /// How many assets there are of each fate, in a line.
    pub fn summary(&self) -> String {
        let fates = [Fate::Added, Fate::Changed, Fate::Adjusted, Fate::Deleted];
        let number = |wanted| {
            self.fates
                .iter()
                .filter(|(_, fate)| *fate == wanted)
                .count()
        };
        let counts = fates.map(|fate| (number(fate), word(fate))).into_iter();
        let counts = counts.filter(|(number, _)| *number > 0);
        let counts: Vec<_> = counts
            .map(|(number, word)| format!("{number} {word}"))
            .collect();
        match counts.is_empty() {
            true => "  nothing has changed".to_owned(),
            false => format!("  {}, {}", counts.join(", "), bytes(self.bytes)),
        }
    }
}

fn word(fate: Fate) -> &'static str {
    match fate {
        Fate::Added => "added",
        Fate::Changed => "changed",
        Fate::Adjusted => "adjusted",
        Fate::Deleted => "deleted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_listed_and_counted() {
        let fates = [
            ("/a", Fate::Added),
            ("/b", Fate::Changed),
            ("/c", Fate::Added),
            ("/d", Fate::Adjusted),
            ("/e\x1b\n", Fate::Deleted),
        ];
        let changes = Changes {
            fates: fates.map(|(key, fate)| (key.to_owned(), fate)).to_vec(),
            bytes: 3 << 10,
        };
        let expected = [
            "  added      /a",
            "  changed    /b",
            "  added      /c",
            "  adjusted   /d",
            "  deleted    /e\\u{1b}\\n",
        ];
        assert_eq!(changes.lines(5), expected);
        let limited = changes.lines(2);
        assert_eq!(limited[..2], expected[..2]);
        assert_eq!(limited[2..], ["  and 3 more assets"]);
        let expected = "  2 added, 1 changed, 1 adjusted, 1 deleted, 3.00 KiB";
        assert_eq!(changes.summary(), expected);
        assert_eq!(Changes::default().summary(), "  nothing has changed");
    }
}
