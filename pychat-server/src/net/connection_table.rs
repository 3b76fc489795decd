//! The one table of connections, and the one gate for stale ids.

use mio::Token;
use slab::Slab;

use crate::core::id::ConnectionId;

/// Every connection, each under an id that is never given again.
#[derive(Debug)]
pub struct ConnectionTable<T> {
    slots: Slab<(ConnectionId, T)>,
    next_generation: u32,
}

impl<T> Default for ConnectionTable<T> {
    fn default() -> Self {
        Self { slots: Slab::new(), next_generation: 0 }
    }
}

impl<T> ConnectionTable<T> {
    /// Returns the id under which the next connection will be [inserted](Self::insert).
    ///
    /// # Panics
    ///
    /// At 2³² connections at once.
    pub fn next_id(&self) -> ConnectionId {
        let slot = u32::try_from(self.slots.vacant_key()).expect("fewer than 2³² connections");
        ConnectionId { slot, generation: self.next_generation }
    }

    /// Takes `connection` in; returns its id.
    pub fn insert(&mut self, connection: T) -> ConnectionId {
        let id = self.next_id();
        self.next_generation = self.next_generation.wrapping_add(1);
        self.slots.insert((id, connection));
        id
    }

    /// Finds the connection that `id` was given to, if it is still here.
    pub fn get(&self, id: ConnectionId) -> Option<&T> {
        let (live, connection) = self.slots.get(id.slot as usize)?;
        (*live == id).then_some(connection)
    }

    /// Finds the connection that `id` was given to, if it is still here, to change it.
    pub fn get_mut(&mut self, id: ConnectionId) -> Option<&mut T> {
        match self.slots.get_mut(id.slot as usize) {
            Some((live, connection)) if *live == id => Some(connection),
            Some(_) | None => None,
        }
    }

    /// Takes out the connection that `id` was given to, if it is still here.
    pub fn remove(&mut self, id: ConnectionId) -> Option<T> {
        self.get_mut(id)?;
        Some(self.slots.remove(id.slot as usize).1)
    }

    /// Returns every connection with its id.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (ConnectionId, &mut T)> {
        self.slots.iter_mut().map(|(_, (id, connection))| (*id, connection))
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Returns true if there is none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

const _: () = assert!(usize::BITS == 64, "a token holds a slot and its generation");

impl From<ConnectionId> for Token {
    fn from(id: ConnectionId) -> Self {
        Self((id.generation as usize) << 32 | id.slot as usize)
    }
}

impl From<Token> for ConnectionId {
    #[expect(clippy::cast_possible_truncation, reason = "each half of a token is 32 bits")]
    fn from(token: Token) -> Self {
        Self { slot: token.0 as u32, generation: (token.0 >> 32) as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_id_finds_nobody_though_its_slot_is_used_again() {
        let mut connections = ConnectionTable::default();
        let first = connections.insert("first");
        assert_eq!(connections.remove(first), Some("first"));
        let expected = connections.next_id();
        let second = connections.insert("second");
        assert_eq!((second, second.slot), (expected, first.slot));
        assert_eq!(connections.get_mut(first), None);
        assert_eq!(connections.remove(first), None);
        assert_eq!(connections.get_mut(second), Some(&mut "second"));
        assert_eq!(connections.len(), 1);
    }

    #[test]
    fn a_token_is_an_id() {
        for (slot, generation) in [(0, 0), (7, 1), (u32::MAX, 0), (0, u32::MAX)] {
            let id = ConnectionId { slot, generation };
            assert_eq!(ConnectionId::from(Token::from(id)), id);
        }
    }
}
