//! What the asset canister costs: `cargo xtask bench`.
//!
//! Drives a canister's WebAssembly through its public interface, in the engine of `local-ic`, and prints what each
//! workload costs in instructions of the Internet Computer: operators with their weights, system calls, reply
//! bytes, stable memory, dirty pages. Nothing is timed. Some workloads have a most that they may cost, and it fails if
//! one costs more.
//!
//! The content is n HTML pages of 4 KiB in 17 directories, each with one header and its aliases.

mod canister;
mod import;
mod report;
mod site;

use anyhow::Context;
use canister::Canister;
use clap::Parser;
use report::{Report, Row};
use std::path::PathBuf;

/// Measure the instructions of an asset canister.
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Options {
    /// The canister's module, plain or gzipped.
    #[arg(long)]
    canister: PathBuf,
    /// Numbers of assets to measure with.
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1_000, 10_000])]
    assets: Vec<u32>,
    /// Measure only the import of what an asset canister of dfx left: 10,000 pages, and this many bytes in large files.
    #[arg(long, value_name = "BYTES")]
    import: Option<usize>,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let wasm = std::fs::read(&options.canister)
        .with_context(|| format!("cannot read {}", options.canister.display()))?;
    if let Some(bytes) = options.import {
        return import::measure(&wasm, 10_000, bytes);
    }
    let reports = options
        .assets
        .iter()
        .map(|count| measure(&wasm, *count))
        .collect::<anyhow::Result<Vec<_>>>()?;
    report::print(&reports);
    report::check(&reports)
}

/// All workloads with a site of `count` assets.
fn measure(wasm: &[u8], count: u32) -> anyhow::Result<Report> {
    let mut canister = Canister::install(wasm)?;
    let install = canister.last();
    let deploy = site::deploy(&mut canister, count)?;

    let middle = site::key(count / 2);
    let hit = canister.get(&middle)?;
    let alias = canister.get(middle.trim_end_matches(".html"))?;
    let miss = canister.get("/nothing/here")?;
    let first_page = canister.list(0)?;
    let last_page = canister.list(count.saturating_sub(100))?;
    let first_change = site::change(&mut canister, &site::key(0))?;
    let change = site::change(&mut canister, &middle)?;
    let delete = site::delete(&mut canister, &middle)?;
    let rollback = site::roll_back(&mut canister)?;
    let (staging, publish) = site::stage_all(&mut canister, count)?;
    let upgrade = canister.upgrade(wasm)?;
    let after = canister.get(&site::key(0))?;
    Ok(Report {
        count,
        rows: vec![
            Row::total("install: compile", install.compile),
            Row::bill("upgrade: hooks", upgrade).at_most(2_000_000),
            Row::bill("http_request: hit, 4 KiB", hit).at_most(800_000),
            Row::bill("http_request: hit by alias", alias),
            Row::bill("http_request: 404", miss),
            Row::bill("http_request: first after upgrade", after),
            Row::per("first deploy, per asset", deploy, count).at_most(3_000_000),
            Row::bill("first change after that deploy", first_change),
            Row::bill("change one asset, chunk and commit", change).at_most(2_500_000),
            Row::bill("delete one asset", delete),
            Row::bill("rollback", rollback),
            Row::per("stage all anew and seal, per asset", staging, count),
            Row::bill("publish that stage", publish).at_most(1_000_000),
            Row::bill("list: first page of 100", first_page).at_most(3_000_000),
            Row::bill("list: last page of 100", last_page).at_most(3_000_000),
            Row::bytes("heap", upgrade.heap_bytes.max(deploy.heap_bytes)).at_most(8_000_000),
            Row::bytes("stable memory", deploy.stable_bytes),
        ],
    })
}
