//! Reading a foreign state from front to back, a few kilobytes at a time.

use super::ImportError;

/// Bytes that can be read anywhere.
pub(super) trait Source {
    /// How many there are.
    fn length(&self) -> u64;

    /// Fills `into` with the bytes from `at` on, all of which there are.
    fn read(&self, at: u64, into: &mut [u8]);
}

/// A place in a [`Source`] that moves on as values are read.
pub(super) struct Stream<'s> {
    source: &'s dyn Source,
    at: u64,
    buffer: Vec<u8>,
    /// Where the first byte of the buffer is.
    start: u64,
}

/// Bytes read ahead.
const BUFFER: u64 = 4096;

/// Bytes that a text may have. Only keys and headers are texts.
const MAX_TEXT: u64 = 1 << 20;

impl<'s> Stream<'s> {
    pub(super) fn new(source: &'s dyn Source, at: u64) -> Self {
        Self {
            source,
            at,
            buffer: Vec::new(),
            start: at,
        }
    }

    /// Where the next byte is.
    pub(super) fn position(&self) -> u64 {
        self.at
    }

    /// Goes on reading somewhere else.
    pub(super) fn seek(&mut self, at: u64) {
        self.at = at;
    }

    /// How many bytes follow.
    pub(super) fn remaining(&self) -> u64 {
        self.source.length().saturating_sub(self.at)
    }

    /// What is wrong is here.
    pub(super) fn malformed(&self, expected: &'static str) -> ImportError {
        ImportError::Malformed {
            at: self.at,
            expected,
        }
    }

    /// The next byte, which stays the next.
    pub(super) fn peek(&mut self) -> Result<u8, ImportError> {
        if let Some(byte) = self.buffered() {
            return Ok(byte);
        }
        let length = self.remaining().min(BUFFER);
        if length == 0 {
            return Err(self.malformed("more bytes"));
        }
        self.buffer.resize(length as usize, 0);
        self.source.read(self.at, &mut self.buffer);
        self.start = self.at;
        Ok(self.buffer[0])
    }

    fn buffered(&self) -> Option<u8> {
        let offset = self.at.checked_sub(self.start)?;
        self.buffer.get(usize::try_from(offset).ok()?).copied()
    }

    pub(super) fn byte(&mut self) -> Result<u8, ImportError> {
        let byte = self.peek()?;
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], ImportError> {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.byte()?;
        }
        Ok(bytes)
    }

    /// Leaves out `length` bytes, without reading them, and returns where they are.
    pub(super) fn skip(&mut self, length: u64) -> Result<u64, ImportError> {
        if length > self.remaining() {
            return Err(self.malformed("more bytes"));
        }
        let at = self.at;
        self.at += length;
        Ok(at)
    }

    /// A text of `length` bytes.
    pub(super) fn text(&mut self, length: u64) -> Result<String, ImportError> {
        if length > MAX_TEXT || length > self.remaining() {
            return Err(self.malformed("a shorter text"));
        }
        let at = self.at;
        let mut bytes = Vec::with_capacity(length as usize);
        for _ in 0..length {
            bytes.push(self.byte()?);
        }
        String::from_utf8(bytes).map_err(|_| ImportError::Malformed {
            at,
            expected: "a text in UTF-8",
        })
    }

    /// A number of things that follow, each of which takes a byte at least.
    pub(super) fn count(&self, count: u64) -> Result<u64, ImportError> {
        if count <= self.remaining() {
            Ok(count)
        } else {
            Err(self.malformed("a smaller count"))
        }
    }
}
