//! A report that can be read afterwards.

use std::sync::Mutex;

use hallmark::report::{Report, Step};

/// Notes each step with what was to be done and what was done.
#[derive(Default)]
pub(crate) struct Log(Mutex<Vec<(Step, u64, u64)>>, Mutex<Vec<String>>);

impl Log {
    pub(crate) fn take(&self) -> Vec<(Step, u64, u64)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        self.1.lock().unwrap().clone()
    }
}

impl Report for Log {
    fn begin(&self, stage: Step, total: u64) {
        self.0.lock().unwrap().push((stage, total, 0));
    }

    fn advance(&self, by: u64) {
        self.0.lock().unwrap().last_mut().unwrap().2 += by;
    }

    fn end(&self) {}

    fn note(&self, text: &str) {
        self.1.lock().unwrap().push(text.to_owned());
    }
}
