//! Who is present, as far as a client is told.

use super::{MEMBERS_BYTES_MAX, MEMBERS_MAX};

/// Names in join order. Whoever does not fit is not listed.
#[derive(Debug, Default)]
pub(super) struct Roster {
    names: Vec<String>,
    bytes: usize,
}

impl Roster {
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn replace(&mut self, names: impl IntoIterator<Item = String>) {
        *self = Self::default();
        names.into_iter().for_each(|name| self.push(name));
    }

    pub(super) fn push(&mut self, name: String) {
        let bytes = self.bytes + name.len();
        if self.names.len() < MEMBERS_MAX && bytes <= MEMBERS_BYTES_MAX {
            self.bytes = bytes;
            self.names.push(name);
        }
    }

    /// Lists `name`, unless it is there already: in protocol 2 a name is one person's.
    pub(super) fn push_once(&mut self, name: &str) {
        if !self.names.iter().any(|present| present == name) {
            self.push(name.to_owned());
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        if let Some(index) = self.names.iter().position(|present| present == name) {
            self.bytes -= self.names.remove(index).len();
        }
    }

    /// Returns everybody but the last one called `name`.
    pub(super) fn others(&self, name: &str) -> Vec<String> {
        let mut others = self.names.clone();
        if let Some(index) = others.iter().rposition(|present| present == name) {
            others.remove(index);
        }
        others
    }
}
