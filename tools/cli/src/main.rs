//! The `hallmark` command line.
fn main() {}
