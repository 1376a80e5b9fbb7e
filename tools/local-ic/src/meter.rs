//! What executions cost, and how much they may cost.
//!
//! The unit is the instruction of the Internet Computer. WebAssembly operators
//! are weighed by [`operator_cost`] and counted by the code wasmtime generates;
//! what the system interface charges on top is taken from the same budget by
//! [`Meter`], so a message runs out at the same place wherever it spends.
//!
//! The weights and charges are those of the replica's execution layer
//! (`rs/embedders` and `rs/config` of dfinity/ic). One is inexact by
//! construction: `data.drop` and `elem.drop` weigh 255 instead of 300, the
//! largest weight wasmtime's table can hold. `memory.grow` is corrected by the
//! meter itself, unless it grows by nothing.

use wasmtime::OperatorCost;

/// The bill of one message, in instructions unless stated otherwise.
///
/// For an install or upgrade it is the sum over the hooks that ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Execution {
    /// All of the message: `wasm`, `system_api`, `reply`, `stable` and 1,000
    /// for each of `dirty_heap_pages`.
    pub instructions: u64,
    /// WebAssembly operators.
    pub wasm: u64,
    /// Calls of the system interface, without the two below.
    pub system_api: u64,
    /// Bytes of the reply or reject (and of outgoing calls): 50 each.
    pub reply: u64,
    /// Stable memory: 20 an access, one a byte, 1,000 a page written first.
    pub stable: u64,
    /// Heap pages of 4 KiB written to: pages, not instructions.
    pub dirty_heap_pages: u64,
    /// Stable pages of 4 KiB written to: pages, whose charge is in `stable`.
    pub dirty_stable_pages: u64,
    /// Compiling the module at install and upgrade; not part of `instructions`.
    pub compile: u64,
    /// Size of the heap afterwards, in bytes.
    pub heap_bytes: u64,
    /// Size of stable memory afterwards, in bytes.
    pub stable_bytes: u64,
}

impl Execution {
    /// This bill with another one after it: charges add up, sizes are the later.
    pub(crate) fn then(self, next: Execution) -> Execution {
        Execution {
            instructions: self.instructions + next.instructions,
            wasm: self.wasm + next.wasm,
            system_api: self.system_api + next.system_api,
            reply: self.reply + next.reply,
            stable: self.stable + next.stable,
            dirty_heap_pages: self.dirty_heap_pages + next.dirty_heap_pages,
            dirty_stable_pages: self.dirty_stable_pages + next.dirty_stable_pages,
            compile: self.compile + next.compile,
            heap_bytes: next.heap_bytes,
            stable_bytes: next.stable_bytes,
        }
    }
}

/// Instructions a message may execute.
pub(crate) mod limit {
    /// Updates, timers and heartbeats.
    pub(crate) const UPDATE: u64 = 40_000_000_000;
    /// Non-replicated queries.
    pub(crate) const QUERY: u64 = 5_000_000_000;
    /// Installing and upgrading, all hooks together.
    pub(crate) const INSTALL: u64 = 300_000_000_000;
    /// `canister_inspect_message`.
    pub(crate) const INSPECT: u64 = 200_000_000;
    /// As good as none.
    pub(crate) const NONE: u64 = 1 << 62;
}

/// What the system interface charges.
pub(crate) mod charge {
    /// Most functions.
    pub(crate) const CALL: u64 = 500;
    /// `call_new`.
    pub(crate) const CALL_NEW: u64 = 1_500;
    /// `call_perform`.
    pub(crate) const CALL_PERFORM: u64 = 5_000;
    /// `is_controller`.
    pub(crate) const IS_CONTROLLER: u64 = 1_000;
    /// `performance_counter`.
    pub(crate) const PERFORMANCE_COUNTER: u64 = 200;
    /// `debug_print`.
    pub(crate) const DEBUG_PRINT: u64 = 100;
    /// Each byte of a reply, a reject or an outgoing call.
    pub(crate) const TRANSMITTED_BYTE: u64 = 50;
    /// Reading, writing or asking the size of stable memory.
    pub(crate) const STABLE_ACCESS: u64 = 20;
    /// Growing stable memory.
    pub(crate) const STABLE_GROW: u64 = 500;
    /// A 4 KiB page, of heap or stable memory, written for the first time in a message.
    pub(crate) const DIRTY_PAGE: u64 = 1_000;
    /// Compiling one operator.
    pub(crate) const COMPILED_OPERATOR: u64 = 6_000;
    /// What `memory.grow` costs beyond the 255 in the operator table.
    pub(crate) const MEMORY_GROW_REST: u64 = 300 - 255;
}

/// Where a charge goes on the bill.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item {
    SystemApi,
    Reply,
    Stable,
}

/// The running bill of one message, beside the fuel that wasmtime counts.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// What the message may spend.
    limit: u64,
    system_api: u64,
    reply: u64,
    stable: u64,
    /// Charged to operators after the fact and not yet taken from the fuel.
    owed: u64,
}

/// The budget of a message is spent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutOfInstructions;

impl Meter {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// Takes `amount` from `fuel`; what remains is the new fuel.
    pub(crate) fn charge(
        &mut self,
        item: Item,
        amount: u64,
        fuel: u64,
    ) -> Result<u64, OutOfInstructions> {
        match item {
            Item::SystemApi => self.system_api += amount,
            Item::Reply => self.reply += amount,
            Item::Stable => self.stable += amount,
        }
        let amount = amount + std::mem::take(&mut self.owed);
        fuel.checked_sub(amount).ok_or(OutOfInstructions)
    }

    /// Notes a part of an operator's weight where there is no fuel at hand.
    pub(crate) fn owe(&mut self, amount: u64) {
        self.owed += amount;
    }

    /// Instructions spent so far, with `fuel` left.
    pub(crate) fn spent(&self, fuel: u64) -> u64 {
        self.limit - fuel + self.owed
    }

    /// The bill, with `fuel` left and this many pages written to.
    pub(crate) fn bill(
        &self,
        fuel: u64,
        dirty_heap_pages: u64,
        dirty_stable_pages: u64,
    ) -> Execution {
        let spent = self.spent(fuel);
        Execution {
            instructions: spent + dirty_heap_pages * charge::DIRTY_PAGE,
            wasm: spent.saturating_sub(self.system_api + self.reply + self.stable),
            system_api: self.system_api,
            reply: self.reply,
            stable: self.stable,
            dirty_heap_pages,
            dirty_stable_pages,
            ..Execution::default()
        }
    }
}

/// The weight of each operator. Those not listed weigh 1.
pub(crate) fn operator_cost() -> OperatorCost {
    let mut cost = OperatorCost::new();
    macro_rules! weigh {
        ($($weight:literal: $($operator:ident)+;)+) => { $($(cost.$operator = $weight;)+)+ };
    }
    weigh! {
        0: Block Loop Else End;
        1: Return Drop Unreachable Nop;
        2: If Br BrIf BrTable GlobalGet GlobalSet;
        5: Call TableGet TableSet RefIsNull;
        10: CallIndirect I32DivS I32DivU I32RemS I32RemU I64DivS I64DivU I64RemS I64RemU;
        3: ReturnCall;
        60: ReturnCallIndirect;
        20: MemorySize;
        100: TableSize MemoryFill MemoryCopy MemoryInit TableFill TableCopy TableInit;
        130: RefFunc;
        255: MemoryGrow TableGrow DataDrop ElemDrop;

        2: F32Add F32Sub F32Mul F32Ceil F32Floor F32Trunc F32Nearest F32Copysign
           F64Add F64Sub F64Mul F64Ceil F64Floor F64Trunc F64Nearest;
        3: F32Div F64Copysign F32Eq F32Ne F32Lt F32Gt F32Le F32Ge F64Eq F64Ne F64Lt F64Gt F64Le F64Ge
           F32ConvertI32S F32ConvertI64S F64ConvertI32S F64ConvertI64S;
        5: F64Div F32Sqrt;
        8: F64Sqrt;
        16: F32ConvertI32U F32ConvertI64U F64ConvertI32U F64ConvertI64U;
        18: F32Min F32Max F64Min F64Max;
        20: I32TruncF32S I32TruncF32U I32TruncF64S I32TruncF64U
            I64TruncF32S I64TruncF32U I64TruncF64S I64TruncF64U
            I32TruncSatF32S I32TruncSatF32U I32TruncSatF64S I32TruncSatF64U
            I64TruncSatF32S I64TruncSatF32U I64TruncSatF64S I64TruncSatF64U;

        2: I8x16LtU I8x16GtU I16x8LtU I16x8GtU I32x4LtU I32x4GtU I8x16ShrU
           I16x8ExtAddPairwiseI8x16U I16x8Shl I16x8ShrS I16x8ShrU
           I16x8ExtMulHighI8x16S I16x8ExtMulHighI8x16U
           I32x4Shl I32x4ShrS I32x4ShrU I32x4Mul
           I32x4ExtMulLowI16x8S I32x4ExtMulHighI16x8S I32x4ExtMulLowI16x8U I32x4ExtMulHighI16x8U
           I64x2Shl I64x2ShrU
           F32x4Ceil F32x4Floor F32x4Trunc F32x4Nearest F32x4Abs F32x4Neg F32x4Add F32x4Sub F32x4Mul
           F64x2Ceil F64x2Floor F64x2Trunc F64x2Nearest F64x2Abs F64x2Neg F64x2Add F64x2Sub F64x2Mul
           I32x4TruncSatF32x4S I32x4TruncSatF64x2SZero;
        3: I8x16Shuffle I8x16Popcnt I8x16Shl I8x16ShrS I32x4ExtAddPairwiseI16x8U I64x2ShrS
           I32x4TruncSatF64x2UZero;
        4: I64x2Mul F32x4Min F32x4Max F64x2Min I32x4TruncSatF32x4U F32x4ConvertI32x4U;
        5: F32x4Sqrt F64x2Max;
        10: F32x4Div;
        12: F64x2Div;
        14: F64x2Sqrt;
    }
    cost.variable.memory_copy_per_byte = 1;
    cost.variable.memory_fill_per_byte = 1;
    cost.variable.memory_init_per_byte = 1;
    cost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bill_splits_what_was_spent() {
        let mut meter = Meter::new(10_000);
        let fuel = meter.charge(Item::SystemApi, 500, 10_000 - 7).unwrap();
        let fuel = meter.charge(Item::Reply, 150, fuel).unwrap();
        meter.owe(45);
        let bill = meter.bill(fuel, 2, 0);
        assert_eq!((bill.wasm, bill.system_api, bill.reply), (52, 500, 150));
        assert_eq!(bill.instructions, 52 + 500 + 150 + 2_000);
    }

    #[test]
    fn what_is_owed_is_paid_by_the_next_charge() {
        let mut meter = Meter::new(100);
        meter.owe(45);
        assert_eq!(meter.charge(Item::SystemApi, 10, 100).unwrap(), 45);
        assert_eq!(meter.spent(45), 55);
        assert!(meter.charge(Item::Stable, 46, 45).is_err());
    }
}
