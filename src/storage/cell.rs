//! One small value, rewritten as a whole.
//!
//! ```text
//!  0  "HALLMARK"
//!  8  layout version   u32
//! 12  length           u32
//! 16  the value        length bytes
//! ```

use super::{Memory, StorageError, region::Region};

const MAGIC: &[u8; 8] = b"HALLMARK";
const VERSION: u32 = 1;
const HEADER: u64 = 16;

/// A byte string in a memory of its own.
#[derive(Debug)]
pub struct Cell<M> {
    region: Region<M>,
}

impl<M: Memory> Cell<M> {
    /// Opens the cell; a memory never used becomes an empty one.
    ///
    /// # Errors
    ///
    /// [`StorageError::Foreign`] or [`StorageError::Version`] if the memory holds something else.
    pub fn open(memory: M) -> Result<Self, StorageError> {
        let region = Region(memory);
        if region.is_new() {
            let cell = Self { region };
            cell.set(&[])?;
            return Ok(cell);
        }
        if &region.array(0) != MAGIC {
            return Err(StorageError::Foreign { expected: "site" });
        }
        match region.u32(8) {
            VERSION => Ok(Self { region }),
            found => Err(StorageError::Version {
                structure: "site",
                found,
            }),
        }
    }

    /// The value.
    pub fn get(&self) -> Vec<u8> {
        let mut value = vec![0; self.region.u32(12) as usize];
        self.region.read(HEADER, &mut value);
        value
    }

    /// Replaces the value.
    ///
    /// # Errors
    ///
    /// [`StorageError::Full`] if the memory cannot hold it; the old value stays.
    pub fn set(&self, value: &[u8]) -> Result<(), StorageError> {
        self.region.ensure(HEADER + value.len() as u64)?;
        let mut bytes = Vec::with_capacity(HEADER as usize + value.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
        bytes.extend_from_slice(value);
        self.region.write(0, &bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ic_stable_structures::VectorMemory;

    #[test]
    fn holds_a_value_and_survives_reopening() {
        let memory = VectorMemory::default();
        let cell = Cell::open(memory.clone()).unwrap();
        assert!(cell.get().is_empty());
        cell.set(b"a longer value").unwrap();
        cell.set(b"short").unwrap();
        assert_eq!(Cell::open(memory).unwrap().get(), b"short");
    }

    #[test]
    fn refuses_a_foreign_memory() {
        let memory = VectorMemory::default();
        memory.grow(1);
        memory.write(0, b"DIDLsomething else");
        assert_eq!(
            Cell::open(memory).unwrap_err(),
            StorageError::Foreign { expected: "site" }
        );
    }
}
