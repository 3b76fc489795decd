//! Statements with values of their own, so that they can be sent again.

use super::{row::Row, value::Value};
use crate::core::record::StorageError;

/// One statement to be carried out.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Statement {
    pub(super) sql: &'static str,
    pub(super) values: Vec<Owned>,
}

/// A value of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Owned {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    Ints(Vec<i64>),
    ByteStrings(Vec<Vec<u8>>),
}

impl Statement {
    pub(super) fn new(sql: &'static str, values: impl Into<Vec<Owned>>) -> Self {
        Self { sql, values: values.into() }
    }

    /// Calls `send` with the values as the connection takes them.
    pub(super) fn with<T>(&self, send: impl FnOnce(&'static str, &[Value<'_>]) -> T) -> T {
        let strings: Vec<Vec<&[u8]>> = self.values.iter().map(Owned::strings).collect();
        let values = self.values.iter().zip(&strings);
        let values: Vec<_> = values.map(|(value, strings)| value.borrow(strings)).collect();
        send(self.sql, &values)
    }
}

impl Owned {
    fn strings(&self) -> Vec<&[u8]> {
        match self {
            Self::ByteStrings(strings) => strings.iter().map(Vec::as_slice).collect(),
            _ => Vec::new(),
        }
    }

    fn borrow<'a>(&'a self, strings: &'a [&'a [u8]]) -> Value<'a> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Text(value) => Value::Text(value),
            Self::Bytes(value) => Value::Bytes(value),
            Self::Ints(values) => Value::Ints(values),
            Self::ByteStrings(_) => Value::ByteStrings(strings),
        }
    }
}

impl From<bool> for Owned {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// A number as the database has it, which knows none above 2⁶³: neither does anybody reach it.
impl From<u64> for Owned {
    fn from(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<i64> for Owned {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Owned {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}

/// A name or the like: U+0000, which no text of the database contains, is replaced.
impl From<&str> for Owned {
    fn from(value: &str) -> Self {
        Self::Text(value.replace('\0', "\u{fffd}"))
    }
}

impl From<&[u8]> for Owned {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_owned())
    }
}

impl<T: Into<Self>> From<Option<T>> for Owned {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Returns the text that is in a column as bytes, if there is one.
pub(super) fn text(row: &Row, column: usize) -> Result<Option<&str>, StorageError> {
    let bytes: Option<&[u8]> = row.get(column)?;
    let damage = |error: std::str::Utf8Error| StorageError::Damaged(error.to_string());
    bytes.map(str::from_utf8).transpose().map_err(damage)
}
