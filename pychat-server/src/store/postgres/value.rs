//! Values of statements, in PostgreSQL's binary format.

use bytes::{BufMut, BytesMut};
use postgres_protocol::{
    IsNull, Oid,
    types::{self, ArrayDimension},
};

/// The types that are spoken here, by their numbers in every PostgreSQL (`pg_type.dat`).
pub(super) mod oid {
    use postgres_protocol::Oid;

    pub(crate) const UNKNOWN: Oid = 0;
    pub(crate) const BOOL: Oid = 16;
    pub(crate) const BYTEA: Oid = 17;
    pub(crate) const INT8: Oid = 20;
    pub(crate) const INT2: Oid = 21;
    pub(crate) const INT4: Oid = 23;
    pub(crate) const TEXT: Oid = 25;
    pub(crate) const VARCHAR: Oid = 1043;
    pub(crate) const NAME: Oid = 19;
    pub(crate) const BYTEA_ARRAY: Oid = 1001;
    pub(crate) const TEXT_ARRAY: Oid = 1009;
    pub(crate) const INT8_ARRAY: Oid = 1016;
}

/// A value for a parameter of a statement.
///
/// The database is told its type with the first use of the statement, and every later use needs the
/// same one or `Null`. One that is `Null` in the first use has the type that the statement gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// No value, of any type.
    Null,
    /// `boolean`.
    Bool(bool),
    /// `bigint`.
    Int(i64),
    /// `text`, which cannot contain U+0000: the database refuses that (`22021`).
    Text(&'a str),
    /// `bytea`.
    Bytes(&'a [u8]),
    /// `bigint[]`.
    Ints(&'a [i64]),
    /// `text[]`.
    Texts(&'a [&'a str]),
    /// `bytea[]`.
    ByteStrings(&'a [&'a [u8]]),
}

/// An error of encoding: the value is too large to be sent.
pub(super) type EncodeError = Box<dyn std::error::Error + Send + Sync>;

impl Value<'_> {
    /// Returns the number of its type.
    pub(super) fn oid(self) -> Oid {
        match self {
            Self::Null => oid::UNKNOWN,
            Self::Bool(_) => oid::BOOL,
            Self::Int(_) => oid::INT8,
            Self::Text(_) => oid::TEXT,
            Self::Bytes(_) => oid::BYTEA,
            Self::Ints(_) => oid::INT8_ARRAY,
            Self::Texts(_) => oid::TEXT_ARRAY,
            Self::ByteStrings(_) => oid::BYTEA_ARRAY,
        }
    }

    /// Appends it to `out`.
    pub(super) fn encode(self, out: &mut BytesMut) -> Result<IsNull, EncodeError> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Bool(value) => types::bool_to_sql(value, out),
            Self::Int(value) => types::int8_to_sql(value, out),
            Self::Text(value) => out.put_slice(value.as_bytes()),
            Self::Bytes(value) => out.put_slice(value),
            Self::Ints(values) => {
                let put = |value: &i64, out: &mut BytesMut| types::int8_to_sql(*value, out);
                array(oid::INT8, values, put, out)?;
            }
            Self::Texts(values) => {
                let put = |value: &&str, out: &mut BytesMut| out.put_slice(value.as_bytes());
                array(oid::TEXT, values, put, out)?;
            }
            Self::ByteStrings(values) => {
                let put = |value: &&[u8], out: &mut BytesMut| out.put_slice(value);
                array(oid::BYTEA, values, put, out)?;
            }
        }
        Ok(IsNull::No)
    }
}

/// Appends an array of one dimension.
fn array<T>(
    element: Oid,
    values: &[T],
    put: impl Fn(&T, &mut BytesMut),
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let dimension = ArrayDimension { len: values.len().try_into()?, lower_bound: 1 };
    let put = |value, out: &mut BytesMut| {
        put(value, out);
        Ok(IsNull::No)
    };
    types::array_to_sql([dimension], element, values, put, out)
}
