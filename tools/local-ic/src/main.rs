//! The `local-ic` server.

fn main() {}
