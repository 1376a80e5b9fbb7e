//! The log of a canister: what it printed and how it trapped, in replicated
//! executions. The oldest lines make room for new ones.

use std::collections::VecDeque;

/// Lines, oldest first.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    records: VecDeque<Record>,
    next: u64,
    bytes: usize,
    capacity: usize,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) index: u64,
    pub(crate) time: u64,
    pub(crate) content: Vec<u8>,
}

/// What a log holds unless settings say otherwise, in bytes.
pub(crate) const DEFAULT_CAPACITY: u64 = 4096;
/// What a line costs beside its bytes.
const RECORD: usize = 16;

impl Default for Log {
    fn default() -> Self {
        Self {
            records: VecDeque::new(),
            next: 0,
            bytes: 0,
            capacity: DEFAULT_CAPACITY as usize,
        }
    }
}

impl Log {
    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn push(&mut self, time: u64, mut content: Vec<u8>) {
        content.truncate(self.capacity.saturating_sub(RECORD));
        self.bytes += RECORD + content.len();
        self.records.push_back(Record {
            index: self.next,
            time,
            content,
        });
        self.next += 1;
        self.shrink();
    }

    pub(crate) fn set_capacity(&mut self, capacity: u64) {
        self.capacity = usize::try_from(capacity).unwrap_or(usize::MAX);
        self.shrink();
    }

    /// The number of the next line.
    pub(crate) fn next_index(&self) -> u64 {
        self.next
    }

    /// Forgets the lines before a number; numbers are not given again.
    pub(crate) fn forget_before(&mut self, index: u64) {
        while let Some(oldest) = self.records.front()
            && oldest.index < index
        {
            self.bytes -= RECORD + oldest.content.len();
            self.records.pop_front();
        }
    }

    fn shrink(&mut self) {
        while self.bytes > self.capacity {
            let Some(oldest) = self.records.pop_front() else {
                break;
            };
            self.bytes -= RECORD + oldest.content.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_lines_make_room() {
        let mut log = Log::default();
        log.set_capacity(100);
        for time in 0..5 {
            log.push(time, vec![b'x'; 30]);
        }
        let indices: Vec<u64> = log.records().map(|record| record.index).collect();
        assert_eq!((indices, log.bytes()), (vec![3, 4], 92));
        log.push(9, vec![b'y'; 1_000]);
        assert_eq!(
            log.records().map(|r| r.content.len()).collect::<Vec<_>>(),
            [84]
        );
        log.forget_before(log.next_index());
        assert_eq!(log.bytes(), 0);
        log.push(10, vec![]);
        assert_eq!(log.records().next().map(|record| record.index), Some(6));
    }
}
