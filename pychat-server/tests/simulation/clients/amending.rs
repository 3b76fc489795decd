//! Amendments: what people do to messages that they are shown.

use pychat_wire::client::RoomId;

use super::{Fault, person::Act, world::World};

const EMOJI: [&str; 2] = ["👍", "🎉"];

impl World {
    /// Somebody amends a message, mostly one of their own, or what is none.
    pub(super) fn amend(&mut self, number: usize) {
        let room = if self.once_in(3) { self.some_room(number) } else { RoomId::hall() };
        let Some(target) = self.some_message(number, &room) else { return };
        let act = [Act::Edit, Act::Edit, Act::Delete, Act::React, Act::React][self.rng.usize(..5)];
        let emoji = EMOJI.get(self.rng.usize(..3)).copied();
        for _ in 0..self.rng.usize(1..=2) {
            self.people[number].amend(&room, target, emoji, act);
        }
        if self.once_in(40) {
            return self.kill(number, Fault::KilledUnstored);
        }
        self.attend(number);
    }

    /// Returns the number of a message that somebody may answer, or that is none; mostly nothing.
    pub(super) fn some_reply(&mut self, number: usize, room: &RoomId) -> Option<u64> {
        if self.once_in(4) { self.some_message(number, room) } else { None }
    }

    /// Returns the number of a message that is shown to somebody, often one of their own, or any number.
    fn some_message(&mut self, number: usize, room: &RoomId) -> Option<u64> {
        let is_any = self.once_in(2);
        let mut messages = self.people[number].messages(room);
        messages.retain(|(_, own)| is_any || *own);
        match messages.get(self.rng.usize(..messages.len().max(1))) {
            Some((seq, _)) if !self.once_in(12) => Some(*seq),
            Some((seq, _)) => Some(self.rng.u64(..=seq + 1)),
            None => None,
        }
    }
}
