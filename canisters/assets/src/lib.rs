//! The Hallmark asset canister.
