//! The state in CBOR (RFC 8949), as the asset canister of dfx 0.29.2 and later leaves it.
//!
//! Records are maps with the names of their fields as keys, digests are arrays of 32 numbers, and what is absent
//! is null. Lengths are always definite.

use super::{
    ImportError,
    stream::Stream,
    wire::{Blob, Fields, List, MAX_NESTING, Map, Shape, Wire, known_field},
};
use crate::tree::Hash;
use candid::Principal;

pub(super) struct Cbor<'s>(Stream<'s>);

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const SIMPLE: u8 = 7;

const FALSE: u8 = 0xf4;
const TRUE: u8 = 0xf5;
const NULL: u8 = 0xf6;

const ANY: Shape = Shape(0);

impl<'s> Cbor<'s> {
    pub(super) fn new(stream: Stream<'s>) -> Self {
        Self(stream)
    }

    /// True if CBOR that begins with this byte may be a record.
    pub(super) fn begins_with(byte: u8) -> bool {
        byte >> 5 == MAP
    }

    /// The beginning of a value: its major type and its argument.
    fn head(&mut self) -> Result<(u8, u64), ImportError> {
        let first = self.0.peek()?;
        let malformed = self.0.malformed("a definite length");
        self.0.byte()?;
        let argument = match first & 0x1f {
            small @ 0..24 => u64::from(small),
            24 => u64::from(self.0.byte()?),
            25 => u64::from(u16::from_be_bytes(self.0.array()?)),
            26 => u64::from(u32::from_be_bytes(self.0.array()?)),
            27 => u64::from_be_bytes(self.0.array()?),
            _ => return Err(malformed),
        };
        Ok((first >> 5, argument))
    }

    fn expect(&mut self, major: u8, expected: &'static str) -> Result<u64, ImportError> {
        let malformed = self.0.malformed(expected);
        match self.head()? {
            (found, argument) if found == major => Ok(argument),
            _ => Err(malformed),
        }
    }

    fn elements(&mut self, major: u8, expected: &'static str) -> Result<u64, ImportError> {
        let count = self.expect(major, expected)?;
        self.0.count(count)
    }

    fn skip_nested(&mut self, nesting: u32) -> Result<(), ImportError> {
        if nesting == MAX_NESTING {
            return Err(self.0.malformed("less nesting"));
        }
        let (major, argument) = self.head()?;
        let values = match major {
            BYTES | TEXT => return self.0.skip(argument).map(drop),
            UNSIGNED | NEGATIVE | SIMPLE => return Ok(()),
            ARRAY => self.0.count(argument)?,
            MAP => 2 * self.0.count(argument)?,
            _ => 1,
        };
        debug_assert!(matches!(major, ARRAY | MAP | TAG));
        (0..values).try_for_each(|_| self.skip_nested(nesting + 1))
    }
}

impl<'s> Wire<'s> for Cbor<'s> {
    fn root(&mut self) -> Result<Shape, ImportError> {
        Ok(ANY)
    }

    fn record(&mut self, shape: Shape) -> Result<Fields, ImportError> {
        let count = self.elements(MAP, "a record")?;
        Ok(Fields {
            shape,
            next: 0,
            count,
        })
    }

    fn field(&mut self, fields: &mut Fields) -> Result<Option<(&'static str, Shape)>, ImportError> {
        if fields.next == fields.count {
            return Ok(None);
        }
        fields.next += 1;
        let name = self.text(ANY)?;
        Ok(Some((known_field(|field| field == name), ANY)))
    }

    fn list(&mut self, _: Shape) -> Result<List, ImportError> {
        let count = self.elements(ARRAY, "a list")?;
        Ok(List {
            count,
            element: ANY,
        })
    }

    fn map(&mut self, _: Shape) -> Result<Map, ImportError> {
        let count = self.elements(MAP, "a map")?;
        Ok(Map {
            count,
            key: ANY,
            value: ANY,
        })
    }

    fn optional(&mut self, _: Shape) -> Result<Option<Shape>, ImportError> {
        if self.0.peek()? == NULL {
            self.0.byte()?;
            return Ok(None);
        }
        Ok(Some(ANY))
    }

    fn text(&mut self, _: Shape) -> Result<String, ImportError> {
        let length = self.expect(TEXT, "a text")?;
        self.0.text(length)
    }

    fn number(&mut self, _: Shape) -> Result<u64, ImportError> {
        self.expect(UNSIGNED, "a number")
    }

    fn flag(&mut self, _: Shape) -> Result<bool, ImportError> {
        let malformed = self.0.malformed("true or false");
        match self.0.byte()? {
            FALSE => Ok(false),
            TRUE => Ok(true),
            _ => Err(malformed),
        }
    }

    fn blob(&mut self, _: Shape) -> Result<Blob, ImportError> {
        let length = self.expect(BYTES, "bytes")?;
        let at = self.0.skip(length)?;
        Ok(Blob { at, length })
    }

    fn digest(&mut self, _: Shape) -> Result<Hash, ImportError> {
        let malformed = self.0.malformed("a digest of 32 bytes");
        if self.expect(ARRAY, "a digest")? != 32 {
            return Err(malformed);
        }
        let mut hash = [0; 32];
        for byte in &mut hash {
            *byte = u8::try_from(self.number(ANY)?).map_err(|_| malformed.clone())?;
        }
        Ok(hash)
    }

    fn principal(&mut self, _: Shape) -> Result<Principal, ImportError> {
        let malformed = self.0.malformed("a principal");
        let length = self.expect(BYTES, "a principal")?;
        if length > Principal::MAX_LENGTH_IN_BYTES as u64 {
            return Err(malformed);
        }
        let bytes: Vec<u8> = (0..length)
            .map(|_| self.0.byte())
            .collect::<Result<_, _>>()?;
        Ok(Principal::from_slice(&bytes))
    }

    fn skip(&mut self, _: Shape) -> Result<(), ImportError> {
        self.skip_nested(0)
    }

    fn stream(&mut self) -> &mut Stream<'s> {
        &mut self.0
    }
}
