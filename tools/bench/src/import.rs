//! What it costs to take over the state of an asset canister of dfx: `cargo xtask bench --import BYTES`.
//!
//! The state is written as that canister writes it (CBOR), and the upgrade is followed by as many calls of
//! `continue_import` as it takes.

use crate::{canister::Canister, site};
use anyhow::ensure;
use candid::Decode;
use ic_hallmark::api::ImportProgress;
use sha2::{Digest, Sha256};

/// Bytes of a file that is uploaded in several chunks, and of a chunk.
const FILE: usize = 19_000_000;
const CHUNK: usize = 1_900_000;

/// Takes over `pages` pages, and then `bytes` bytes in large files, and prints both.
pub(crate) fn measure(wasm: &[u8], pages: u32, bytes: usize) -> anyhow::Result<()> {
    println!(
        "| state                                    |   messages |  instructions | per asset | per byte |"
    );
    println!(
        "| ---------------------------------------- | ---------: | ------------: | --------: | -------: |"
    );
    let small = state(pages, |number| {
        (site::key(number), site::content(&number.to_string()))
    });
    take_over(wasm, &format!("{pages} pages of 4 KiB"), pages, &small)?;
    let files = bytes.div_ceil(FILE) as u32;
    let large = state(files, |number| {
        (format!("/film-{number}.mp4"), noise(number))
    });
    take_over(
        wasm,
        &format!("{files} files of {} MB", FILE / 1_000_000),
        files,
        &large,
    )
}

fn take_over(wasm: &[u8], name: &str, assets: u32, state: &[u8]) -> anyhow::Result<()> {
    let mut canister = Canister::left_behind(state)?;
    let mut messages = vec![canister.upgrade(wasm)?.instructions];
    loop {
        let reply = canister.update("continue_import", ())?;
        let progress = Decode!(&reply, ImportProgress)?;
        ensure!(progress.damaged.is_empty(), "the digests are right");
        let instructions = canister.last().instructions;
        if instructions > 1_000_000 {
            messages.push(instructions);
        }
        if progress.done {
            break;
        }
    }
    let sum: u64 = messages.iter().sum();
    println!(
        "| {name:<40} | {:>10} | {:>11.2} G | {:>7.2} M | {:>8.1} |",
        messages.len(),
        sum as f64 / 1e9,
        sum as f64 / f64::from(assets) / 1e6,
        sum as f64 / state.len() as f64,
    );
    Ok(())
}

fn noise(seed: u32) -> Vec<u8> {
    let byte = |at: usize| (at.wrapping_mul(0x9e37_79b1) >> 24) as u8 ^ seed as u8;
    (0..FILE).map(byte).collect()
}

/// The state with these assets, by key and content.
fn state(count: u32, asset: impl Fn(u32) -> (String, Vec<u8>)) -> Vec<u8> {
    let mut cbor = Cbor::default();
    cbor.map(1);
    cbor.text("stable_assets");
    cbor.map(count.into());
    for number in 0..count {
        let (key, content) = asset(number);
        cbor.text(&key);
        cbor.map(3);
        cbor.text("content_type");
        cbor.text("text/html");
        cbor.text("headers");
        cbor.map(1);
        cbor.text("X-Content-Type-Options");
        cbor.text("nosniff");
        cbor.text("encodings");
        cbor.map(1);
        cbor.text("identity");
        cbor.map(4);
        cbor.text("modified");
        cbor.head(0, 1);
        cbor.text("content_chunks");
        cbor.head(4, content.len().div_ceil(CHUNK) as u64);
        for chunk in content.chunks(CHUNK) {
            cbor.head(2, chunk.len() as u64);
            cbor.0.extend_from_slice(chunk);
        }
        cbor.text("total_length");
        cbor.head(0, content.len() as u64);
        cbor.text("sha256");
        cbor.head(4, 32);
        for byte in Sha256::digest(&content) {
            cbor.head(0, byte.into());
        }
    }
    cbor.0
}

/// Concise Binary Object Representation (RFC 8949), as far as needed.
#[derive(Default)]
struct Cbor(Vec<u8>);

impl Cbor {
    fn head(&mut self, major: u8, argument: u64) {
        let major = major << 5;
        match argument {
            0..24 => self.0.push(major | argument as u8),
            24..256 => self.0.extend([major | 24, argument as u8]),
            _ => {
                self.0.push(major | 27);
                self.0.extend(argument.to_be_bytes());
            }
        }
    }

    fn map(&mut self, entries: u64) {
        self.head(5, entries);
    }

    fn text(&mut self, text: &str) {
        self.head(3, text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }
}
