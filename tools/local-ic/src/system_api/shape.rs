//! Shapes that many functions of the interface have: a pair that reads a blob,
//! one that returns a number, one that writes an amount of cycles.

use wasmtime::{Linker, WasmTy};

use super::{Caller, In, Result, SystemState, copy, enter, write_u128};
use crate::meter::charge;

/// Defines `…_size` and `…_copy` of a blob.
pub(super) fn blob(
    linker: &mut Linker<SystemState>,
    [size_name, copy_name]: [&'static str; 2],
    allowed: In,
    content: fn(&SystemState) -> Result<&[u8]>,
) -> Result<()> {
    linker.func_wrap("ic0", size_name, move |mut caller: Caller<'_>| {
        enter(&mut caller, size_name, allowed, charge::CALL)?;
        content(caller.data()).map(|content| content.len() as u32)
    })?;
    linker.func_wrap(
        "ic0",
        copy_name,
        move |mut caller: Caller<'_>, dst: u32, offset: u32, size: u32| {
            let charge = charge::CALL + u64::from(size);
            enter(&mut caller, copy_name, allowed, charge)?;
            copy(&mut caller, copy_name, (dst, offset, size), content)
        },
    )?;
    Ok(())
}

/// Defines a function that takes nothing and returns a number.
pub(super) fn value<T: WasmTy + 'static>(
    linker: &mut Linker<SystemState>,
    name: &'static str,
    allowed: In,
    value: fn(&SystemState) -> Result<T>,
) -> Result<()> {
    linker.func_wrap("ic0", name, move |mut caller: Caller<'_>| {
        enter(&mut caller, name, allowed, charge::CALL)?;
        value(caller.data())
    })?;
    Ok(())
}

/// Defines a function that writes an amount of cycles.
pub(super) fn amount(
    linker: &mut Linker<SystemState>,
    name: &'static str,
    allowed: In,
    amount: fn(&SystemState) -> u128,
) -> Result<()> {
    linker.func_wrap("ic0", name, move |mut caller: Caller<'_>, dst: u32| {
        enter(&mut caller, name, allowed, charge::CALL)?;
        let amount = amount(caller.data());
        write_u128(&mut caller, dst, amount)
    })?;
    Ok(())
}
