//! One message, one instance.
//!
//! ```text
//! code: module + heap image + globals        stable memory
//!        │ instantiate, map, set                 │ lent to the instance
//!        ▼                                       ▼
//!      run the function ── trap ──► instance dropped, stable memory rolled back
//!        │ return
//!        ▼
//!      dirty pages into the image, globals read back, stable memory committed
//!      (unless the entry point keeps no changes)
//! ```
//!
//! What else a message did ([`Effects`]) is handed to the caller, who applies
//! it or not.

use std::mem;

use wasmtime::{Store, TypedFunc, Val};

use crate::heap::HeapImage;
use crate::meter::{Execution, charge};
use crate::module::{GLOBAL_PREFIX, MEMORY, SharedModule, TABLE, engine};
use crate::stable_memory::StableMemory;
use crate::system_api::{
    Closure, Effects, EntryPoint, Environment, Function, Message, SystemState, Trap,
};

/// What an installed module is between messages.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) module: SharedModule,
    pub(crate) heap: HeapImage,
    /// The mutable globals; `None` until the first execution.
    pub(crate) globals: Option<Vec<Global>>,
}

/// The value of a mutable global.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Global {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    V128(u128),
}

/// How an execution ended, what it printed and what it cost.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) result: Result<Effects, Trap>,
    pub(crate) printed: Vec<Vec<u8>>,
    pub(crate) execution: Execution,
}

impl Code {
    /// A module that has not run.
    pub(crate) fn new(module: SharedModule, heap: HeapImage) -> Self {
        Self {
            module,
            heap,
            globals: None,
        }
    }

    /// A copy to try something on.
    pub(crate) fn duplicate(&self) -> Self {
        Self {
            module: self.module.clone(),
            heap: self.heap.duplicate(),
            globals: self.globals.clone(),
        }
    }

    /// Runs `message`, which may spend `limit` instructions.
    ///
    /// Code and stable memory are as before unless the message succeeds and is
    /// of a kind whose changes are kept.
    pub(crate) fn execute(
        &mut self,
        stable: &mut StableMemory,
        environment: Environment,
        message: Message,
        limit: u64,
    ) -> Outcome {
        let entry = message.entry;
        let function = message.function.clone();
        let state = SystemState::new(environment, message, mem::take(stable), limit);
        let mut instance = Instance {
            store: Store::new(engine(), state),
        };
        let result = instance.run(self, entry, &function, limit);
        let state = instance.store.into_data();
        *stable = state.stable;
        let (result, mut execution) = match result {
            Ok(execution) => (Ok(state.effects), execution),
            Err((trap, execution)) => (Err(trap), execution),
        };
        match &result {
            Ok(_) if entry.keeps_changes() => stable.commit(),
            _ => stable.rollback(),
        }
        execution.heap_bytes = self.heap.len() as u64;
        execution.stable_bytes = stable.size_in_bytes();
        Outcome {
            result,
            printed: state.printed,
            execution,
        }
    }
}

struct Instance {
    store: Store<SystemState>,
}

impl Instance {
    fn run(
        &mut self,
        code: &mut Code,
        entry: EntryPoint,
        function: &Function,
        limit: u64,
    ) -> Result<Execution, (Trap, Execution)> {
        let store = &mut self.store;
        let failed = |store: &Store<SystemState>, error: wasmtime::Error| {
            let trap = trap(error, limit);
            let fuel = match trap {
                Trap::Instructions(_) => 0,
                _ => store.get_fuel().unwrap_or(0),
            };
            (trap, store.data().meter.bill(fuel, 0, 0))
        };

        store.limiter(|state| state);
        let started = store
            .set_fuel(limit)
            .and_then(|()| code.module.code.instantiate(&mut *store));
        let instance = started.map_err(|error| failed(store, error))?;
        let heap = match instance.get_memory(&mut *store, MEMORY) {
            Some(memory) => {
                store.data_mut().memory = Some(memory);
                let heap = code.heap.load(memory, &mut *store);
                Some(heap.map_err(|error| failed(store, error))?)
            }
            None => None,
        };
        let globals: Vec<wasmtime::Global> = (0..code.module.globals)
            .filter_map(|number| {
                instance.get_global(&mut *store, &format!("{GLOBAL_PREFIX}{number}"))
            })
            .collect();
        for (global, value) in globals.iter().zip(code.globals.iter().flatten()) {
            global
                .set(&mut *store, value.to_val())
                .map_err(|error| failed(store, error))?;
        }

        store.data_mut().running = true;
        match function {
            Function::Export(name) => instance
                .get_typed_func::<(), ()>(&mut *store, name)
                .and_then(|function| function.call(&mut *store, ())),
            Function::Callback(closure) => callback(&instance, store, *closure)
                .and_then(|function| function.call(&mut *store, closure.env)),
        }
        .map_err(|error| failed(store, error))?;

        let dirty = heap
            .as_ref()
            .map(|heap| code.heap.dirty_pages(heap, &mut *store))
            .unwrap_or_default();
        let fuel = store.get_fuel().unwrap_or(0);
        let state = store.data();
        let bill = state
            .meter
            .bill(fuel, dirty.count(), state.stable.dirty_pages());
        if bill.instructions > limit || fuel < dirty.count() * charge::DIRTY_PAGE {
            return Err((Trap::Instructions(limit), bill));
        }
        if entry.keeps_changes() {
            if let Some(heap) = &heap {
                code.heap.commit(heap, &dirty, &mut *store);
            }
            code.globals = Some(
                globals
                    .iter()
                    .filter_map(|global| Global::of(&global.get(&mut *store)))
                    .collect(),
            );
        }
        Ok(bill)
    }
}

/// The function that a canister gave as a callback.
fn callback(
    instance: &wasmtime::Instance,
    store: &mut Store<SystemState>,
    closure: Closure,
) -> wasmtime::Result<TypedFunc<u32, ()>> {
    instance
        .get_table(&mut *store, TABLE)
        .and_then(|table| table.get(&mut *store, closure.function.into()))
        .and_then(|element| element.as_func().flatten().copied())
        .and_then(|function| function.typed(&*store).ok())
        .ok_or_else(|| Trap::NoFunction(closure.function).into())
}

impl Global {
    fn of(value: &Val) -> Option<Self> {
        match value {
            Val::I32(value) => Some(Self::I32(*value)),
            Val::I64(value) => Some(Self::I64(*value)),
            Val::F32(bits) => Some(Self::F32(*bits)),
            Val::F64(bits) => Some(Self::F64(*bits)),
            Val::V128(value) => Some(Self::V128(value.as_u128())),
            // A module with such a global is not installed.
            _ => None,
        }
    }

    fn to_val(self) -> Val {
        match self {
            Self::I32(value) => Val::I32(value),
            Self::I64(value) => Val::I64(value),
            Self::F32(bits) => Val::F32(bits),
            Self::F64(bits) => Val::F64(bits),
            Self::V128(value) => Val::V128(value.into()),
        }
    }
}

/// What went wrong, in the words of the Internet Computer.
fn trap(error: wasmtime::Error, limit: u64) -> Trap {
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return trap.clone();
    }
    let Some(trap) = error.downcast_ref::<wasmtime::Trap>() else {
        return Trap::Wasm(format!("{error:#}"));
    };
    let what = match trap {
        wasmtime::Trap::OutOfFuel => return Trap::Instructions(limit),
        wasmtime::Trap::StackOverflow => "stack overflow",
        wasmtime::Trap::MemoryOutOfBounds => "heap out of bounds",
        wasmtime::Trap::TableOutOfBounds => "table out of bounds",
        wasmtime::Trap::IndirectCallToNull => "null reference",
        wasmtime::Trap::BadSignature => "indirect call type mismatch",
        wasmtime::Trap::IntegerOverflow => "integer overflow",
        wasmtime::Trap::IntegerDivisionByZero => "integer division by 0",
        wasmtime::Trap::BadConversionToInteger => "conversion to integer",
        wasmtime::Trap::UnreachableCodeReached => "unreachable",
        other => return Trap::Wasm(other.to_string()),
    };
    Trap::Wasm(what.to_owned())
}
