//! Candid as it comes over the wire, read along the types that come with it (Candid specification, "Binary Format").
//!
//! ```text
//! "DIDL" | type table | types of the arguments | values of the arguments
//! ```
//!
//! The crate `candid` holds the type of a whole argument against the type expected before it reads a value. For the
//! operations of a commit, that costs more than the commit of a small change. Here, the reader asks for what it
//! expects where it expects it: fields by name, in any order; those it does not know are skipped.

use std::{fmt, str};

/// Why an argument could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireError {
    /// It is not Candid.
    NotCandid,
    /// It ends too early.
    Truncated,
    /// It breaks a rule of the format.
    Malformed(&'static str),
    /// A value has a type that nothing can be made of here.
    Unexpected {
        /// What was expected.
        expected: &'static str,
    },
    /// A field without which nothing can be done is not there.
    Missing {
        /// Its name.
        field: &'static str,
    },
}

/// An argument, and where its values have been read to.
struct Reader<'a> {
    types: Vec<Type>,
    fields: Vec<(u32, TypeRef)>,
    rest: &'a [u8],
    /// Values that may still be read. A list can claim any number of values that take no bytes.
    quota: usize,
    nesting: u32,
}

/// The value that is read next.
#[must_use = "what follows can only be read behind it"]
pub(super) struct Value<'r, 'a> {
    reader: &'r mut Reader<'a>,
    of: TypeRef,
}

/// A type: an index into the table, or a primitive type by its negative code.
type TypeRef = i32;

/// An entry of the type table. Fields are a range of [`Reader::fields`].
#[derive(Clone, Copy, Debug)]
enum Type {
    Opt(TypeRef),
    Vec(TypeRef),
    Record(usize, usize),
    Variant(usize, usize),
    Func,
    Service,
    /// One that later versions of Candid may have.
    Future,
}

const NULL: TypeRef = -1;
const BOOL: TypeRef = -2;
const NAT: TypeRef = -3;
const INT: TypeRef = -4;
const NAT8: TypeRef = -5;
const NAT64: TypeRef = -8;
const FLOAT64: TypeRef = -14;
const TEXT: TypeRef = -15;
const RESERVED: TypeRef = -16;
const EMPTY: TypeRef = -17;
const OPT: TypeRef = -18;
const VEC: TypeRef = -19;
const RECORD: TypeRef = -20;
const VARIANT: TypeRef = -21;
const FUNC: TypeRef = -22;
const SERVICE: TypeRef = -23;
const PRINCIPAL: TypeRef = -24;

/// Bytes of the values of fixed size, from `nat8` on.
const SIZES: [usize; 10] = [1, 2, 4, 8, 1, 2, 4, 8, 4, 8];

const OPAQUE: WireError = WireError::Malformed("an opaque reference");

/// How deep values may nest. Types may refer to themselves.
const MAX_NESTING: u32 = 100;

/// The number that stands for a field's name.
pub(super) const fn field(name: &str) -> u32 {
    let name = name.as_bytes();
    let mut hash = 0u32;
    let mut at = 0;
    while at < name.len() {
        hash = hash.wrapping_mul(223).wrapping_add(name[at] as u32);
        at += 1;
    }
    hash
}

/// Reads the only argument of a method.
pub(super) fn argument<T>(
    bytes: &[u8],
    read: impl FnOnce(Value<'_, '_>) -> Result<T, WireError>,
) -> Result<T, WireError> {
    let rest = bytes.strip_prefix(b"DIDL").ok_or(WireError::NotCandid)?;
    let mut reader = Reader {
        types: Vec::new(),
        fields: Vec::new(),
        rest,
        quota: 4 * bytes.len() + 64,
        nesting: 0,
    };
    reader.type_table()?;
    let mut arguments = reader.type_list()?.into_iter();
    let first = arguments.next().ok_or(WireError::Unexpected {
        expected: "an argument",
    })?;
    let done = read(reader.value(first)?)?;
    for of in arguments {
        reader.value(of)?.skip()?;
    }
    match reader.rest {
        [] => Ok(done),
        _ => Err(WireError::Malformed("bytes behind the arguments")),
    }
}

/// A record of two texts.
pub(super) fn pair(value: Value<'_, '_>) -> Result<(String, String), WireError> {
    let (mut first, mut second) = (None, None);
    value.record(|name, value| {
        match name {
            0 => first = Some(value.text()?.to_owned()),
            1 => second = Some(value.text()?.to_owned()),
            _ => value.skip()?,
        }
        Ok(())
    })?;
    Ok((required(first, "0")?, required(second, "1")?))
}

/// What a field must hold.
pub(super) fn required<T>(value: Option<T>, field: &'static str) -> Result<T, WireError> {
    value.ok_or(WireError::Missing { field })
}

impl<'a> Reader<'a> {
    fn type_table(&mut self) -> Result<(), WireError> {
        let count = self.length()?;
        for _ in 0..count {
            let entry = match self.type_code()? {
                OPT => Type::Opt(self.type_code()?),
                VEC => Type::Vec(self.type_code()?),
                RECORD => {
                    let (start, end) = self.type_fields()?;
                    Type::Record(start, end)
                }
                VARIANT => {
                    let (start, end) = self.type_fields()?;
                    Type::Variant(start, end)
                }
                FUNC => {
                    self.type_list()?;
                    self.type_list()?;
                    let annotations = self.length()?;
                    self.take(annotations)?;
                    Type::Func
                }
                SERVICE => {
                    for _ in 0..self.length()? {
                        self.text()?;
                        self.type_code()?;
                    }
                    Type::Service
                }
                code if code < PRINCIPAL => {
                    let length = self.length()?;
                    self.take(length)?;
                    Type::Future
                }
                _ => return Err(WireError::Malformed("a type that does not exist")),
            };
            self.types.push(entry);
        }
        let exists = |of: &TypeRef| *of < count as TypeRef;
        let of_fields = self.fields.iter().map(|(_, of)| of);
        let of_types = self.types.iter().filter_map(|entry| match entry {
            Type::Opt(of) | Type::Vec(of) => Some(of),
            _ => None,
        });
        match of_fields.chain(of_types).all(exists) {
            true => Ok(()),
            false => Err(WireError::Malformed("a type that is not in the table")),
        }
    }

    fn type_fields(&mut self) -> Result<(usize, usize), WireError> {
        let start = self.fields.len();
        let mut last = None;
        for _ in 0..self.length()? {
            let name = u32::try_from(self.leb128()?)
                .map_err(|_| WireError::Malformed("a field number beyond 32 bits"))?;
            if last >= Some(name) {
                return Err(WireError::Malformed("fields out of order"));
            }
            last = Some(name);
            let of = self.type_code()?;
            self.fields.push((name, of));
        }
        Ok((start, self.fields.len()))
    }

    fn type_list(&mut self) -> Result<Vec<TypeRef>, WireError> {
        let count = self.length()?;
        (0..count).map(|_| self.type_code()).collect()
    }

    /// A type or the code of a type constructor, as signed LEB128.
    fn type_code(&mut self) -> Result<TypeRef, WireError> {
        let mut code = 0;
        for shift in (0..28).step_by(7) {
            let byte = self.byte()?;
            code |= i32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let unused = 32 - 7 - shift;
                return Ok(code << unused >> unused);
            }
        }
        Err(WireError::Malformed("a type number beyond 28 bits"))
    }

    fn value(&mut self, of: TypeRef) -> Result<Value<'_, 'a>, WireError> {
        self.quota = self
            .quota
            .checked_sub(1)
            .ok_or(WireError::Malformed("more values than bytes"))?;
        if of < PRINCIPAL || of >= self.types.len() as TypeRef {
            return Err(WireError::Malformed("a type that does not exist"));
        }
        Ok(Value { reader: self, of })
    }

    fn byte(&mut self) -> Result<u8, WireError> {
        let (byte, rest) = self.rest.split_first().ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(*byte)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let (bytes, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// An unsigned LEB128 number; the largest one for all that do not fit.
    fn leb128(&mut self) -> Result<u64, WireError> {
        let mut number = 0u64;
        let mut shift = 0;
        loop {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            number = match bits {
                0 => number,
                _ if shift < 64 && bits << shift >> shift == bits => number | bits << shift,
                _ => u64::MAX,
            };
            if byte & 0x80 == 0 {
                return Ok(number);
            }
            shift += 7;
        }
    }

    fn length(&mut self) -> Result<usize, WireError> {
        usize::try_from(self.leb128()?).map_err(|_| WireError::Truncated)
    }

    fn text(&mut self) -> Result<&'a str, WireError> {
        let length = self.length()?;
        str::from_utf8(self.take(length)?)
            .map_err(|_| WireError::Malformed("a text that is not UTF-8"))
    }

    /// The bytes of a reference, transparent ones only.
    fn reference(&mut self) -> Result<(), WireError> {
        match self.byte()? {
            1 => {
                let length = self.length()?;
                self.take(length).map(drop)
            }
            _ => Err(OPAQUE),
        }
    }
}

impl<'a> Value<'_, 'a> {
    pub(super) fn text(self) -> Result<&'a str, WireError> {
        self.expect(TEXT, "text")?;
        self.reader.text()
    }

    pub(super) fn bool(self) -> Result<bool, WireError> {
        self.expect(BOOL, "bool")?;
        match self.reader.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError::Malformed("a bool that is neither 0 nor 1")),
        }
    }

    /// A `nat`; the largest number for all that do not fit.
    pub(super) fn nat(self) -> Result<u64, WireError> {
        self.expect(NAT, "nat")?;
        self.reader.leb128()
    }

    pub(super) fn nat64(self) -> Result<u64, WireError> {
        self.expect(NAT64, "nat64")?;
        let bytes = self.reader.take(8)?.first_chunk();
        Ok(u64::from_le_bytes(*bytes.ok_or(WireError::Truncated)?))
    }

    pub(super) fn blob(self) -> Result<&'a [u8], WireError> {
        match self.entry() {
            Some(Type::Vec(NAT8)) => {
                let length = self.reader.length()?;
                self.reader.take(length)
            }
            _ => Err(WireError::Unexpected { expected: "blob" }),
        }
    }

    /// An optional value. As the rules of subtyping have it, a value of a type that `read` cannot make anything of
    /// counts as none.
    pub(super) fn option<T>(
        self,
        read: impl FnOnce(Value<'_, 'a>) -> Result<T, WireError>,
    ) -> Result<Option<T>, WireError> {
        let of = match (self.of, self.entry()) {
            (NULL | RESERVED, _) => return Ok(None),
            (_, Some(Type::Opt(of))) => match self.reader.byte()? {
                0 => return Ok(None),
                1 => of,
                _ => return Err(WireError::Malformed("an opt that is neither 0 nor 1")),
            },
            (of, _) => of,
        };
        let start = self.reader.rest;
        match read(self.reader.value(of)?) {
            Ok(value) => Ok(Some(value)),
            Err(WireError::Unexpected { .. } | WireError::Missing { .. }) => {
                self.reader.rest = start;
                self.reader.value(of)?.skip()?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// A value that is optional twice.
    pub(super) fn twice<T>(
        self,
        read: impl FnOnce(Value<'_, 'a>) -> Result<T, WireError>,
    ) -> Result<Option<Option<T>>, WireError> {
        self.option(|inner| inner.option(read))
    }

    /// The elements of a list, in order.
    pub(super) fn list<T>(
        self,
        mut read: impl FnMut(Value<'_, 'a>) -> Result<T, WireError>,
    ) -> Result<Vec<T>, WireError> {
        let Some(Type::Vec(of)) = self.entry() else {
            return Err(WireError::Unexpected { expected: "vec" });
        };
        let count = self.reader.length()?;
        (0..count).map(|_| read(self.reader.value(of)?)).collect()
    }

    /// Shows each field with its number. `read` must read or skip its value.
    pub(super) fn record(
        self,
        mut read: impl FnMut(u32, Value<'_, 'a>) -> Result<(), WireError>,
    ) -> Result<(), WireError> {
        let Some(Type::Record(start, end)) = self.entry() else {
            return Err(WireError::Unexpected { expected: "record" });
        };
        self.reader.nested(|reader| {
            for index in start..end {
                let (name, of) = reader.fields[index];
                read(name, reader.value(of)?)?;
            }
            Ok(())
        })
    }

    /// Shows the alternative that is there, with its number.
    pub(super) fn variant<T>(
        self,
        read: impl FnOnce(u32, Value<'_, 'a>) -> Result<T, WireError>,
    ) -> Result<T, WireError> {
        let Some(Type::Variant(start, end)) = self.entry() else {
            return Err(WireError::Unexpected {
                expected: "variant",
            });
        };
        let chosen = self.reader.leb128()?;
        self.reader.nested(|reader| {
            let fields = &reader.fields[start..end];
            let chosen = usize::try_from(chosen).ok().and_then(|at| fields.get(at));
            let (name, of) = *chosen.ok_or(WireError::Malformed("no such alternative"))?;
            read(name, reader.value(of)?)
        })
    }

    /// Passes over the value.
    pub(super) fn skip(self) -> Result<(), WireError> {
        let reader = self.reader;
        match self.of {
            NULL | RESERVED => Ok(()),
            BOOL => reader.take(1).map(drop),
            NAT | INT => reader.leb128().map(drop),
            FLOAT64..=NAT8 => {
                let size = SIZES[(NAT8 - self.of) as usize];
                reader.take(size).map(drop)
            }
            TEXT => reader.text().map(drop),
            PRINCIPAL => reader.reference(),
            EMPTY => Err(WireError::Malformed("a value of a type that has none")),
            index => reader.skip_composed(index),
        }
    }

    fn expect(&self, of: TypeRef, expected: &'static str) -> Result<(), WireError> {
        match self.of == of {
            true => Ok(()),
            false => Err(WireError::Unexpected { expected }),
        }
    }

    fn entry(&self) -> Option<Type> {
        let index = usize::try_from(self.of).ok()?;
        self.reader.types.get(index).copied()
    }
}

impl Reader<'_> {
    fn skip_composed(&mut self, of: TypeRef) -> Result<(), WireError> {
        let entry = usize::try_from(of).ok();
        let entry = entry.and_then(|index| self.types.get(index).copied());
        let Some(entry) = entry else {
            return Err(WireError::Malformed("a type that does not exist"));
        };
        self.nested(|reader| {
            let value = |reader| Value { reader, of };
            match entry {
                Type::Opt(_) => value(reader).option(|inner| inner.skip()).map(drop),
                Type::Vec(NAT8) => value(reader).blob().map(drop),
                Type::Vec(_) => value(reader).list(|inner| inner.skip()).map(drop),
                Type::Record(..) => value(reader).record(|_, field| field.skip()),
                Type::Variant(..) => value(reader).variant(|_, chosen| chosen.skip()),
                Type::Service => reader.reference(),
                Type::Future => {
                    let length = reader.length()?;
                    let references = reader.length()?;
                    match references {
                        0 => reader.take(length).map(drop),
                        _ => Err(OPAQUE),
                    }
                }
                Type::Func => {
                    if reader.byte()? != 1 {
                        return Err(OPAQUE);
                    }
                    reader.reference()?;
                    reader.text().map(drop)
                }
            }
        })
    }

    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, WireError>,
    ) -> Result<T, WireError> {
        if self.nesting == MAX_NESTING {
            return Err(WireError::Malformed("values nested too deep"));
        }
        self.nesting += 1;
        let done = read(self);
        self.nesting -= 1;
        done
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot read the argument: ")?;
        match self {
            Self::NotCandid => f.write_str("it is not Candid"),
            Self::Truncated => f.write_str("it ends too early"),
            Self::Malformed(what) => f.write_str(what),
            Self::Unexpected { expected } => write!(f, "{expected} expected"),
            Self::Missing { field } => write!(f, "{field} is missing"),
        }
    }
}

impl std::error::Error for WireError {}
