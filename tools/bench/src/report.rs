//! The table that is printed.

use anyhow::ensure;
use local_ic::Execution;

/// The measurements with one number of assets.
pub(crate) struct Report {
    pub(crate) count: u32,
    pub(crate) rows: Vec<Row>,
}

/// One workload.
pub(crate) struct Row {
    name: &'static str,
    amount: u64,
    unit: Unit,
    bill: Option<Execution>,
    /// The most that it may be, in the unit.
    goal: Option<u64>,
}

#[derive(Clone, Copy)]
enum Unit {
    Instructions,
    Bytes,
}

impl Row {
    pub(crate) fn bill(name: &'static str, bill: Execution) -> Self {
        Self {
            bill: Some(bill),
            ..Self::total(name, bill.instructions)
        }
    }

    /// The share of one of `count`.
    pub(crate) fn per(name: &'static str, bill: Execution, count: u32) -> Self {
        Self::total(name, bill.instructions / u64::from(count))
    }

    pub(crate) fn total(name: &'static str, instructions: u64) -> Self {
        Self {
            name,
            amount: instructions,
            unit: Unit::Instructions,
            bill: None,
            goal: None,
        }
    }

    /// The same, which is to be at most this many instructions, or bytes.
    pub(crate) fn at_most(self, goal: u64) -> Self {
        Self {
            goal: Some(goal),
            ..self
        }
    }

    /// What is wrong with it, if it is more than it may be.
    fn excess(&self, count: u32) -> Option<String> {
        let goal = self.goal.filter(|goal| self.amount > *goal)?;
        let (name, count) = (self.name, grouped(count));
        let (amount, most) = (self.amount(), self.unit.show(goal));
        Some(format!(
            "{name}, n = {count}: {amount}, and {most} is the most"
        ))
    }

    pub(crate) fn bytes(name: &'static str, bytes: u64) -> Self {
        Self {
            unit: Unit::Bytes,
            ..Self::total(name, bytes)
        }
    }

    fn amount(&self) -> String {
        self.unit.show(self.amount)
    }
}

impl Unit {
    fn show(self, amount: u64) -> String {
        match self {
            Self::Bytes => format!("{:.1} MB", amount as f64 / 1e6),
            Self::Instructions => millions(amount),
        }
    }
}

/// Fails if anything is more than it may be.
pub(crate) fn check(reports: &[Report]) -> anyhow::Result<()> {
    let excess = |report: &Report| {
        let rows = report.rows.iter();
        let excess = rows.filter_map(|row| row.excess(report.count));
        excess.collect::<Vec<_>>()
    };
    let all: Vec<String> = reports.iter().flat_map(excess).collect();
    ensure!(all.is_empty(), "too much: {}", all.join("; "));
    Ok(())
}

/// Prints one column for each report, then where the instructions of the last one go.
pub(crate) fn print(reports: &[Report]) {
    let Some(last) = reports.last() else {
        return;
    };
    print!("| {:<35} |", "workload");
    for report in reports {
        print!(" {:>13} |", format!("n = {}", grouped(report.count)));
    }
    print!("\n| {:-<35} |", "");
    reports.iter().for_each(|_| print!(" {:->12}: |", ""));
    println!();
    for (at, row) in last.rows.iter().enumerate() {
        print!("| {:<35} |", row.name);
        for report in reports {
            print!(" {:>13} |", report.rows[at].amount());
        }
        println!();
    }
    println!("\nWhere they go, n = {}:\n", grouped(last.count));
    println!(
        "| {:<35} | {:>9} | {:>9} | {:>9} | {:>9} | {:>10} | {:>12} |",
        "workload", "wasm", "system", "reply", "stable", "heap pages", "stable pages"
    );
    println!(
        "| {:-<35} | --------: | --------: | --------: | --------: | ---------: | -----------: |",
        ""
    );
    for row in &last.rows {
        if let Some(bill) = &row.bill {
            println!(
                "| {:<35} | {:>9} | {:>9} | {:>9} | {:>9} | {:>10} | {:>12} |",
                row.name,
                millions(bill.wasm),
                millions(bill.system_api),
                millions(bill.reply),
                millions(bill.stable),
                bill.dirty_heap_pages,
                bill.dirty_stable_pages
            );
        }
    }
}

fn millions(instructions: u64) -> String {
    let millions = instructions as f64 / 1e6;
    match instructions {
        0..1_000_000 => format!("{millions:.3} M"),
        1_000_000..10_000_000 => format!("{millions:.2} M"),
        _ => format!("{millions:.1} M"),
    }
}

fn grouped(number: u32) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", number / 1_000, number % 1_000),
    }
}
