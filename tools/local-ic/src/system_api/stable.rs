//! Stable memory, in both widths.

use wasmtime::Linker;

use super::{Caller, In, Result, SystemState, Trap, enter, heap, pay, range};
use crate::meter::{Item, charge};
use crate::stable_memory::OutOfBounds;

/// What the old functions, with 32-bit offsets, can reach: 4 GiB.
const PAGES_OF_32_BITS: u64 = 1 << 16;

pub(super) fn define(linker: &mut Linker<SystemState>) -> Result<()> {
    linker.func_wrap("ic0", "stable64_size", |mut caller: Caller<'_>| {
        size(&mut caller)
    })?;
    linker.func_wrap(
        "ic0",
        "stable64_grow",
        |mut caller: Caller<'_>, pages: u64| grow(&mut caller, pages),
    )?;
    linker.func_wrap(
        "ic0",
        "stable64_read",
        |mut caller: Caller<'_>, dst: u64, offset: u64, size: u64| {
            read(&mut caller, dst, offset, size)
        },
    )?;
    linker.func_wrap(
        "ic0",
        "stable64_write",
        |mut caller: Caller<'_>, offset: u64, src: u64, size: u64| {
            write(&mut caller, offset, src, size)
        },
    )?;
    linker.func_wrap("ic0", "stable_size", |mut caller: Caller<'_>| {
        narrow(&caller)?;
        size(&mut caller).map(|pages| pages as u32)
    })?;
    linker.func_wrap(
        "ic0",
        "stable_grow",
        |mut caller: Caller<'_>, pages: u32| {
            narrow(&caller)?;
            if caller.data().stable.size() + u64::from(pages) > PAGES_OF_32_BITS {
                return Ok(u32::MAX);
            }
            grow(&mut caller, pages.into()).map(|pages| pages as u32)
        },
    )?;
    linker.func_wrap(
        "ic0",
        "stable_read",
        |mut caller: Caller<'_>, dst: u32, offset: u32, size: u32| {
            narrow(&caller)?;
            read(&mut caller, dst.into(), offset.into(), size.into())
        },
    )?;
    linker.func_wrap(
        "ic0",
        "stable_write",
        |mut caller: Caller<'_>, offset: u32, src: u32, size: u32| {
            narrow(&caller)?;
            write(&mut caller, offset.into(), src.into(), size.into())
        },
    )?;
    Ok(())
}

/// The old functions trap once there is more than they can address.
fn narrow(caller: &Caller<'_>) -> Result<()> {
    if caller.data().stable.size() > PAGES_OF_32_BITS {
        return Err(
            Trap::Wasm("32 bit stable memory api used on a memory larger than 4GB".into()).into(),
        );
    }
    Ok(())
}

fn size(caller: &mut Caller<'_>) -> Result<u64> {
    enter(caller, "stable64_size", In::ANYWHERE, 0)?;
    pay(caller, Item::Stable, charge::STABLE_ACCESS)?;
    Ok(caller.data().stable.size())
}

fn grow(caller: &mut Caller<'_>, pages: u64) -> Result<u64> {
    enter(caller, "stable64_grow", In::ANYWHERE, 0)?;
    pay(caller, Item::Stable, charge::STABLE_GROW)?;
    Ok(caller.data_mut().stable.grow(pages).unwrap_or(u64::MAX))
}

fn read(caller: &mut Caller<'_>, dst: u64, offset: u64, size: u64) -> Result<()> {
    enter(caller, "stable64_read", In::ANYWHERE, 0)?;
    pay(
        caller,
        Item::Stable,
        charge::STABLE_ACCESS.saturating_add(size),
    )?;
    let (heap, state) = heap(caller)?;
    state
        .stable
        .read(offset, range(heap, dst, size)?)
        .map_err(out_of_bounds)
}

fn write(caller: &mut Caller<'_>, offset: u64, src: u64, size: u64) -> Result<()> {
    enter(caller, "stable64_write", In::ANYWHERE, 0)?;
    let stable = &caller.data().stable;
    stable.check(offset, size).map_err(out_of_bounds)?;
    let first_writes = stable.clean_pages(offset, size) * charge::DIRTY_PAGE;
    pay(
        caller,
        Item::Stable,
        charge::STABLE_ACCESS + size + first_writes,
    )?;
    let (heap, state) = heap(caller)?;
    state
        .stable
        .write(offset, range(heap, src, size)?)
        .map_err(out_of_bounds)
}

fn out_of_bounds(_: OutOfBounds) -> wasmtime::Error {
    Trap::Wasm("stable memory out of bounds".into()).into()
}
