//! Rows that the database answers with, in its binary format.

use std::{ops::Range, str, sync::Arc};

use fallible_iterator::FallibleIterator;
use postgres_protocol::{Oid, message::backend::DataRowBody, types};
use thiserror::Error;

use super::value::oid;

/// A row of an answer.
#[derive(Clone, Debug)]
pub struct Row {
    body: DataRowBody,
    /// The place of each value in `body`; none for null.
    ranges: Vec<Option<Range<usize>>>,
    /// The type of each column.
    types: Arc<[Oid]>,
}

/// The reason why a column has no value of the type that was asked for.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum ColumnError {
    /// The row has fewer columns.
    #[error("there is no column {0}")]
    Missing(usize),
    /// It is null.
    #[error("column {0} is null")]
    Null(usize),
    /// Its type is another one: its number in `pg_type`.
    #[error("column {0} is of another type, {1}")]
    Type(usize, Oid),
    /// Its value cannot be one of that type.
    #[error("column {0} has a value that cannot be read")]
    Value(usize),
}

impl Row {
    /// Returns a row with columns of these types; `None` if that is not what the body has.
    pub(super) fn new(body: DataRowBody, types: Arc<[Oid]>) -> Option<Self> {
        let ranges: Vec<_> = body.ranges().collect().ok()?;
        (ranges.len() == types.len()).then_some(Self { body, ranges, types })
    }

    /// Returns the value of a column, counted from 0: a `bool`, `i64` (of any integer type), `u64`,
    /// `&str`, `&[u8]`, `Vec<i64>`, or an `Option` of one of these, which is `None` for null.
    ///
    /// # Errors
    ///
    /// [`ColumnError`] if it is not of that type.
    pub fn get<'a, T: Column<'a>>(&'a self, column: usize) -> Result<T, ColumnError> {
        let range = self.ranges.get(column).ok_or(ColumnError::Missing(column))?;
        let Some(range) = range else { return T::null().ok_or(ColumnError::Null(column)) };
        let type_ = self.types[column];
        if !T::is_of(type_) {
            return Err(ColumnError::Type(column, type_));
        }
        let bytes = &self.body.buffer()[range.clone()];
        T::decode(type_, bytes).ok_or(ColumnError::Value(column))
    }

    /// Returns the number of its columns.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Returns true if it has none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }
}

/// A type that a column can be read as.
pub trait Column<'a>: Sized {
    /// Returns true for a type of the database that it stands for.
    fn is_of(type_: Oid) -> bool;

    /// Returns the value that these bytes are, if they are any.
    fn decode(type_: Oid, bytes: &'a [u8]) -> Option<Self>;

    /// Returns the value that stands for null, if there is one.
    fn null() -> Option<Self> {
        None
    }
}

impl<'a, T: Column<'a>> Column<'a> for Option<T> {
    fn is_of(type_: Oid) -> bool {
        T::is_of(type_)
    }

    fn decode(type_: Oid, bytes: &'a [u8]) -> Option<Self> {
        T::decode(type_, bytes).map(Some)
    }

    fn null() -> Option<Self> {
        Some(None)
    }
}

impl Column<'_> for bool {
    fn is_of(type_: Oid) -> bool {
        type_ == oid::BOOL
    }

    fn decode(_: Oid, bytes: &[u8]) -> Option<Self> {
        types::bool_from_sql(bytes).ok()
    }
}

impl Column<'_> for i64 {
    fn is_of(type_: Oid) -> bool {
        [oid::INT8, oid::INT4, oid::INT2].contains(&type_)
    }

    fn decode(type_: Oid, bytes: &[u8]) -> Option<Self> {
        match type_ {
            oid::INT8 => types::int8_from_sql(bytes).ok(),
            oid::INT4 => types::int4_from_sql(bytes).ok().map(Self::from),
            _ => types::int2_from_sql(bytes).ok().map(Self::from),
        }
    }
}

/// Negative numbers are no values of it.
impl Column<'_> for u64 {
    fn is_of(type_: Oid) -> bool {
        i64::is_of(type_)
    }

    fn decode(type_: Oid, bytes: &[u8]) -> Option<Self> {
        i64::decode(type_, bytes)?.try_into().ok()
    }
}

impl<'a> Column<'a> for &'a str {
    fn is_of(type_: Oid) -> bool {
        [oid::TEXT, oid::VARCHAR, oid::NAME].contains(&type_)
    }

    fn decode(_: Oid, bytes: &'a [u8]) -> Option<Self> {
        str::from_utf8(bytes).ok()
    }
}

impl<'a> Column<'a> for &'a [u8] {
    fn is_of(type_: Oid) -> bool {
        type_ == oid::BYTEA
    }

    fn decode(_: Oid, bytes: &'a [u8]) -> Option<Self> {
        Some(bytes)
    }
}

/// Nulls among the elements are no values of it.
impl Column<'_> for Vec<i64> {
    fn is_of(type_: Oid) -> bool {
        type_ == oid::INT8_ARRAY
    }

    fn decode(_: Oid, bytes: &[u8]) -> Option<Self> {
        let array = types::array_from_sql(bytes).ok()?;
        let element = |bytes: Option<&[u8]>| {
            bytes.map_or_else(|| Err("a null element".into()), types::int8_from_sql)
        };
        array.values().map(element).collect().ok()
    }
}
