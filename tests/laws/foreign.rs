//! A canister that was something else is not overwritten.

use ic_hallmark::{Site, site::Memories};
use ic_stable_structures::{Memory, VectorMemory};

/// The asset canister of dfx, for one, leaves its state as one blob.
#[test]
fn stable_memory_of_another_canister_is_refused() {
    let memory = VectorMemory::default();
    memory.grow(2);
    memory.write(0, b"\xd9\xd9\xf7\xa4 the assets of years");
    let before = memory.borrow().clone();
    assert!(Memories::of_stable_memory(memory.clone()).is_err());
    assert_eq!(memory.borrow()[..before.len()], before[..]);
}

#[test]
fn a_site_finds_its_own_stable_memory_again() {
    let memory = VectorMemory::default();
    let open = || Site::open(Memories::of_stable_memory(memory.clone()).unwrap()).unwrap();
    open().put("/a", "text/plain", b"a", 1).unwrap();
    assert_eq!(open().len(), 1);
}
