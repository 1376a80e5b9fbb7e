//! Instruction benchmarks of the asset canister.

fn main() {}
