//! Tests of the command line: deploying to a canister in memory, and the program itself.

mod deploy;
mod errors;
mod memory;
mod upload;
