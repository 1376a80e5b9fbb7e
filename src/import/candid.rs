//! The state in Candid, as the asset canister of dfx before 0.29.2 leaves it, and the library `ic-certified-assets`
//! up to 0.3.0.
//!
//! ```text
//! "DIDL" | types: count, each an opcode and its parts | values: count 1, its type | the value
//! ```
//!
//! Values do not say what they are, types do; so fields come in the order of the type, which is that of the hashes
//! of their names (Candid specification, "Binary Format").

use super::{
    ImportError,
    stream::Stream,
    wire::{Blob, Fields, List, MAX_NESTING, Map, Shape, Wire, known_field},
};
use crate::tree::Hash;
use ::candid::{Principal, idl_hash};

pub(super) struct Candid<'s> {
    stream: Stream<'s>,
    types: Vec<Type>,
    root: Shape,
}

/// The types that are not primitive. The state has no others.
enum Type {
    Optional(Shape),
    List(Shape),
    Record(Vec<Part>),
}

/// A field of a record.
#[derive(Clone, Copy)]
struct Part {
    /// The hash of its name, or its number in a tuple.
    id: u32,
    name: &'static str,
    shape: Shape,
}

const NULL: Shape = Shape(-1);
const BOOL: Shape = Shape(-2);
const NAT: Shape = Shape(-3);
const INT: Shape = Shape(-4);
const NAT8: Shape = Shape(-5);
const NAT16: Shape = Shape(-6);
const NAT32: Shape = Shape(-7);
const NAT64: Shape = Shape(-8);
const TEXT: Shape = Shape(-15);
const RESERVED: Shape = Shape(-16);
const PRINCIPAL: Shape = Shape(-24);

const OPTIONAL: i64 = -18;
const LIST: i64 = -19;
const RECORD: i64 = -20;

impl<'s> Candid<'s> {
    pub(super) const MAGIC: [u8; 4] = *b"DIDL";

    /// Reads the types. The stream is at the beginning of the state, and then at its value.
    pub(super) fn open(stream: Stream<'s>) -> Result<Self, ImportError> {
        let mut this = Self {
            stream,
            types: Vec::new(),
            root: NULL,
        };
        if this.stream.array()? != Self::MAGIC {
            return Err(this.stream.malformed("Candid"));
        }
        for _ in 0..this.count()? {
            let read = this.read_type()?;
            this.types.push(read);
        }
        if this.unsigned()? != 1 {
            return Err(this.stream.malformed("one value"));
        }
        this.root = this.shape()?;
        Ok(this)
    }

    fn read_type(&mut self) -> Result<Type, ImportError> {
        let malformed = self.stream.malformed("a type");
        Ok(match self.signed()? {
            OPTIONAL => Type::Optional(self.shape()?),
            LIST => Type::List(self.shape()?),
            RECORD => Type::Record(self.parts()?),
            _ => return Err(malformed),
        })
    }

    fn parts(&mut self) -> Result<Vec<Part>, ImportError> {
        let mut parts: Vec<Part> = Vec::new();
        for _ in 0..self.count()? {
            let malformed = self.stream.malformed("a field in order");
            let id = u32::try_from(self.unsigned()?).map_err(|_| malformed.clone())?;
            if parts.last().is_some_and(|last| last.id >= id) {
                return Err(malformed);
            }
            parts.push(Part {
                id,
                name: known_field(|name| idl_hash(name) == id),
                shape: self.shape()?,
            });
        }
        Ok(parts)
    }

    fn shape(&mut self) -> Result<Shape, ImportError> {
        Ok(Shape(self.signed()?))
    }

    fn count(&mut self) -> Result<u64, ImportError> {
        let count = self.unsigned()?;
        self.stream.count(count)
    }

    /// A number in LEB128. What does not fit into 64 bits, nothing in the state has.
    fn unsigned(&mut self) -> Result<u64, ImportError> {
        let malformed = self.stream.malformed("a number of 64 bits");
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.stream.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(malformed);
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(malformed)
    }

    /// A number in signed LEB128.
    fn signed(&mut self) -> Result<i64, ImportError> {
        let malformed = self.stream.malformed("a number of 64 bits");
        let mut number = 0i64;
        for shift in (0..63).step_by(7) {
            let byte = self.stream.byte()?;
            number |= i64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let unused = 64 - (shift + 7);
                return Ok(number << unused >> unused);
            }
        }
        // A tenth byte has the last bit, and repeats it.
        match self.stream.byte()? {
            0 => Ok(number),
            0x7f => Ok(number | i64::MIN),
            _ => Err(malformed),
        }
    }

    fn of_type(&self, shape: Shape) -> Option<&Type> {
        self.types.get(usize::try_from(shape.0).ok()?)
    }

    fn expect(
        &self,
        shape: Shape,
        type_: Shape,
        expected: &'static str,
    ) -> Result<(), ImportError> {
        if shape == type_ {
            Ok(())
        } else {
            Err(self.stream.malformed(expected))
        }
    }

    fn element(&self, shape: Shape, expected: &'static str) -> Result<Shape, ImportError> {
        match self.of_type(shape) {
            Some(Type::List(element)) => Ok(*element),
            _ => Err(self.stream.malformed(expected)),
        }
    }

    fn skip_nested(&mut self, shape: Shape, nesting: u32) -> Result<(), ImportError> {
        if nesting == MAX_NESTING {
            return Err(self.stream.malformed("less nesting"));
        }
        let nesting = nesting + 1;
        let malformed = self.stream.malformed("a value of a known type");
        let size = match shape {
            NULL | RESERVED => Some(0),
            BOOL | NAT8 => Some(1),
            NAT16 => Some(2),
            NAT32 => Some(4),
            NAT64 => Some(8),
            NAT | INT => {
                while self.stream.byte()? & 0x80 != 0 {}
                return Ok(());
            }
            TEXT => Some(self.unsigned()?),
            PRINCIPAL => return self.principal(shape).map(drop),
            _ => None,
        };
        if let Some(size) = size {
            return self.stream.skip(size).map(drop);
        }
        match self.of_type(shape) {
            Some(Type::Optional(inner)) => {
                let inner = *inner;
                match self.stream.byte()? {
                    0 => Ok(()),
                    1 => self.skip_nested(inner, nesting),
                    _ => Err(malformed),
                }
            }
            Some(Type::List(NAT8)) => {
                let length = self.unsigned()?;
                self.stream.skip(length).map(drop)
            }
            Some(Type::List(element)) => {
                let element = *element;
                (0..self.count()?).try_for_each(|_| self.skip_nested(element, nesting))
            }
            Some(Type::Record(parts)) => {
                let parts = parts.clone();
                parts
                    .into_iter()
                    .try_for_each(|part| self.skip_nested(part.shape, nesting))
            }
            None => Err(malformed),
        }
    }
}

impl<'s> Wire<'s> for Candid<'s> {
    fn root(&mut self) -> Result<Shape, ImportError> {
        Ok(self.root)
    }

    fn record(&mut self, shape: Shape) -> Result<Fields, ImportError> {
        match self.of_type(shape) {
            Some(Type::Record(parts)) => Ok(Fields {
                shape,
                next: 0,
                count: parts.len() as u64,
            }),
            _ => Err(self.stream.malformed("a record")),
        }
    }

    fn field(&mut self, fields: &mut Fields) -> Result<Option<(&'static str, Shape)>, ImportError> {
        let Some(Type::Record(parts)) = self.of_type(fields.shape) else {
            return Err(self.stream.malformed("a record"));
        };
        let part = parts.get(fields.next as usize);
        fields.next += 1;
        Ok(part.map(|part| (part.name, part.shape)))
    }

    fn list(&mut self, shape: Shape) -> Result<List, ImportError> {
        let element = self.element(shape, "a list")?;
        let count = self.count()?;
        Ok(List { count, element })
    }

    fn map(&mut self, shape: Shape) -> Result<Map, ImportError> {
        let entry = self.element(shape, "a map")?;
        let Some(Type::Record(parts)) = self.of_type(entry) else {
            return Err(self.stream.malformed("a map"));
        };
        let [key @ Part { id: 0, .. }, value @ Part { id: 1, .. }] = parts[..] else {
            return Err(self.stream.malformed("a map"));
        };
        Ok(Map {
            count: self.count()?,
            key: key.shape,
            value: value.shape,
        })
    }

    fn optional(&mut self, shape: Shape) -> Result<Option<Shape>, ImportError> {
        let malformed = self.stream.malformed("a value or none");
        match (shape, self.of_type(shape)) {
            (NULL | RESERVED, _) => Ok(None),
            (_, Some(Type::Optional(inner))) => {
                let inner = *inner;
                match self.stream.byte()? {
                    0 => Ok(None),
                    1 => Ok(Some(inner)),
                    _ => Err(malformed),
                }
            }
            _ => Ok(Some(shape)),
        }
    }

    fn text(&mut self, shape: Shape) -> Result<String, ImportError> {
        self.expect(shape, TEXT, "a text")?;
        let length = self.unsigned()?;
        self.stream.text(length)
    }

    fn number(&mut self, shape: Shape) -> Result<u64, ImportError> {
        let malformed = self.stream.malformed("a number");
        match shape {
            NAT => self.unsigned(),
            INT => u64::try_from(self.signed()?).map_err(|_| malformed),
            NAT64 => Ok(u64::from_le_bytes(self.stream.array()?)),
            NAT32 => Ok(u32::from_le_bytes(self.stream.array()?).into()),
            _ => Err(malformed),
        }
    }

    fn flag(&mut self, shape: Shape) -> Result<bool, ImportError> {
        self.expect(shape, BOOL, "true or false")?;
        let malformed = self.stream.malformed("true or false");
        match self.stream.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(malformed),
        }
    }

    fn blob(&mut self, shape: Shape) -> Result<Blob, ImportError> {
        let element = self.element(shape, "bytes")?;
        self.expect(element, NAT8, "bytes")?;
        let length = self.unsigned()?;
        let at = self.stream.skip(length)?;
        Ok(Blob { at, length })
    }

    fn digest(&mut self, shape: Shape) -> Result<Hash, ImportError> {
        let element = self.element(shape, "a digest")?;
        self.expect(element, NAT8, "a digest")?;
        let malformed = self.stream.malformed("a digest of 32 bytes");
        match self.unsigned()? {
            32 => self.stream.array(),
            _ => Err(malformed),
        }
    }

    fn principal(&mut self, shape: Shape) -> Result<Principal, ImportError> {
        let malformed = self.stream.malformed("a principal");
        self.expect(shape, PRINCIPAL, "a principal")?;
        // An opaque reference has a 0 here.
        if self.stream.byte()? != 1 {
            return Err(malformed);
        }
        let length = self.unsigned()?;
        if length > Principal::MAX_LENGTH_IN_BYTES as u64 {
            return Err(malformed);
        }
        let bytes: Vec<u8> = (0..length)
            .map(|_| self.stream.byte())
            .collect::<Result<_, _>>()?;
        Ok(Principal::from_slice(&bytes))
    }

    fn skip(&mut self, shape: Shape) -> Result<(), ImportError> {
        self.skip_nested(shape, 0)
    }

    fn stream(&mut self) -> &mut Stream<'s> {
        &mut self.stream
    }
}
