//! Searches: what people look for in what the server keeps. What they find is held against the log by the
//! checker of their line.

use pychat_wire::client::{RoomId, Search};

use super::world::World;

impl World {
    /// Somebody searches, or goes on with their last search.
    pub(super) fn search(&mut self, number: usize) {
        let (who, what) = (self.rng.usize(..self.people.len()), self.rng.usize(..40));
        let mut query = match self.rng.usize(..6) {
            0 => format!("p{who}"),
            1 => format!("\"p{who} {what}\""),
            2 => format!("{what} says"),
            3 => "some".to_owned(),
            4 => "more ".to_owned(),
            _ => "so* says".to_owned(),
        };
        let from = self.once_in(4).then(|| format!("P{who}"));
        let room = self.once_in(3).then(|| match self.rng.usize(..2) {
            0 => RoomId::hall(),
            _ => self.some_room(number),
        });
        let limit = [1, 3, 100][self.rng.usize(..3)];
        let person = &mut self.people[number];
        let last = person.found_more.take();
        let before = last.map(|(words, before)| {
            query = words;
            before
        });
        // A cursor goes with its rooms, so those of another search may find less, and no other thing.
        let search = Search {
            query: &query,
            room: room.as_ref(),
            from: from.as_deref(),
            before: before.as_deref(),
            limit,
        };
        if let Some(id) = person.client.search(&search) {
            person.searches.insert(id, query);
        }
        self.attend(number);
    }
}
