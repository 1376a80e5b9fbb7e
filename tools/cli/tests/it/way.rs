//! Ways to a canister on which something happens.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use candid::{CandidType, Nat};
use hallmark::canister::{Canister, Failure};
use serde::Deserialize;
use serde_bytes::ByteBuf;

/// When a call is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// On the way there.
    Before,
    /// On the way back.
    After,
}

/// A way to a canister that loses one call, and all after it if it is cut.
pub(crate) struct Way<'a> {
    canister: &'a dyn Canister,
    calls: Mutex<Vec<Call>>,
    lost: (usize, Lost),
    is_cut: bool,
    chunks: AtomicUsize,
}

/// A call, as it was made.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) argument: Vec<u8>,
    pub(crate) is_update: bool,
}

#[derive(CandidType, Deserialize)]
struct Chunks {
    batch_id: Nat,
    content: Vec<ByteBuf>,
}

impl<'a> Way<'a> {
    /// One that loses nothing.
    pub(crate) fn whole(canister: &'a dyn Canister) -> Way<'a> {
        Way::losing(canister, usize::MAX, Lost::Before)
    }

    pub(crate) fn losing(canister: &'a dyn Canister, number: usize, lost: Lost) -> Way<'a> {
        Way {
            canister,
            calls: Mutex::default(),
            lost: (number, lost),
            is_cut: false,
            chunks: AtomicUsize::new(0),
        }
    }

    pub(crate) fn cut(self) -> Way<'a> {
        Way {
            is_cut: true,
            ..self
        }
    }

    /// The calls so far, also those that were lost.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// How many chunks have arrived.
    pub(crate) fn chunks(&self) -> usize {
        self.chunks.load(Ordering::Relaxed)
    }

    fn call(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let number = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(call.clone());
            calls.len() - 1
        };
        let arrives = || {
            let reply = deliver(self.canister, &call)?;
            if call.method == "create_chunks" {
                let chunks: Chunks = candid::decode_one(&call.argument).unwrap();
                let count = chunks.content.len();
                self.chunks.fetch_add(count, Ordering::Relaxed);
            }
            Ok(reply)
        };
        if number < self.lost.0 || number > self.lost.0 && !self.is_cut {
            return arrives();
        }
        if number == self.lost.0 && self.lost.1 == Lost::After {
            let _ = arrives();
        }
        Err(Failure::Unreachable("lost".to_owned()))
    }
}

/// Makes a call.
pub(crate) fn deliver(canister: &dyn Canister, call: &Call) -> Result<Vec<u8>, Failure> {
    let (method, argument) = (&call.method, call.argument.clone());
    match call.is_update {
        true => canister.update(method, argument),
        false => canister.query(method, argument),
    }
}

impl Canister for Way<'_> {
    fn query(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        self.call(Call {
            method: method.to_owned(),
            argument,
            is_update: false,
        })
    }

    fn update(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        self.call(Call {
            method: method.to_owned(),
            argument,
            is_update: true,
        })
    }
}

/// A way on which something else answers the calls of a method.
pub(crate) struct Instead<'a> {
    pub(crate) canister: &'a dyn Canister,
    pub(crate) method: &'a str,
    pub(crate) answer: &'a Answer<'a>,
}

type Answer<'a> = dyn Fn(&str, Vec<u8>) -> Result<Vec<u8>, Failure> + Sync + 'a;

impl Canister for Instead<'_> {
    fn query(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        match method == self.method {
            true => (self.answer)(method, argument),
            false => self.canister.query(method, argument),
        }
    }

    fn update(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        match method == self.method {
            true => (self.answer)(method, argument),
            false => self.canister.update(method, argument),
        }
    }
}

type Event<'a> = Box<dyn FnOnce() + Send + 'a>;
type Moment<'a> = Box<dyn Fn(usize, &str) -> bool + Sync + 'a>;

/// A way on which something happens once, right before a call.
pub(crate) struct Meanwhile<'a> {
    canister: &'a dyn Canister,
    before: Moment<'a>,
    event: Mutex<Option<Event<'a>>>,
    calls: AtomicUsize,
}

impl<'a> Meanwhile<'a> {
    /// `before` is asked with the number and the method of each call.
    pub(crate) fn new(
        canister: &'a dyn Canister,
        before: impl Fn(usize, &str) -> bool + Sync + 'a,
        event: impl FnOnce() + Send + 'a,
    ) -> Meanwhile<'a> {
        Meanwhile {
            canister,
            before: Box::new(before),
            event: Mutex::new(Some(Box::new(event))),
            calls: AtomicUsize::new(0),
        }
    }

    fn look(&self, method: &str) {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        if (self.before)(number, method) {
            let event = self.event.lock().unwrap().take();
            if let Some(event) = event {
                event();
            }
        }
    }
}

impl Canister for Meanwhile<'_> {
    fn query(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        self.look(method);
        self.canister.query(method, argument)
    }

    fn update(&self, method: &str, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
        self.look(method);
        self.canister.update(method, argument)
    }
}
