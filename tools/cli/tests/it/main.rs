//! Tests of the command line: deploying to a canister in memory.

mod memory;
mod upload;
