//! The calming of a world: nothing breaks any more, and everybody comes to have everything.

use std::time::Instant;

use pychat_server::core::id;
use pychat_wire::client::{Past, RoomId};

use super::{person::Person, world::World};

/// The most turns that the calm world may take until everybody must have everything.
const TURNS_MAX: usize = 5_000;

impl World {
    /// Nothing breaks any more: everybody must come to have everything.
    pub(crate) fn settle(&mut self) {
        self.is_away = false;
        self.waiting.set_full(false);
        self.links.values_mut().for_each(|link| link.is_stalled = false);
        let mut is_calm = false;
        for _ in 0..TURNS_MAX {
            let mut is_reading = false;
            for person in 0..self.people.len() {
                self.call(person);
                let Person { client, is_window, .. } = &mut self.people[person];
                for room in client.rooms().into_iter().filter(|_| *is_window) {
                    client.request_history(&room.id, 7);
                    is_reading |= client.past(&room.id) == Past::Asked;
                }
                self.attend(person);
            }
            self.end_left_lines();
            for link in self.links.keys().copied().collect::<Vec<_>>() {
                self.bring_up(Some((link, usize::MAX)));
                self.tick();
                self.bring_down(Some((link, usize::MAX)));
            }
            self.tick();
            // A page that came in this turn may let the next one be asked for.
            let was_calm = std::mem::replace(&mut is_calm, !is_reading && self.is_settled());
            if was_calm && is_calm {
                return;
            }
            if self.is_quiet() && !is_calm {
                self.pass_to_deadline();
            }
        }
        panic!("the world does not settle");
    }

    /// Returns true if nothing happens any more until some time has passed.
    fn is_quiet(&self) -> bool {
        !self.has_work()
            && self.links.values().all(|link| {
                let is_empty = link.up.is_empty() && link.down.is_empty() && !link.is_left;
                is_empty && (link.is_mute || link.line.unread() == 0)
            })
    }

    fn is_settled(&self) -> bool {
        let taken = self.waiting.taken();
        let last = |room: &RoomId| {
            let id = id::RoomId::of_wire(room.as_str()).expect("a room of the server's");
            taken.get(&id).copied().unwrap_or_default()
        };
        let has_all = |person: &Person| {
            person.client.is_joined()
                && person.client.unacknowledged().count() == 0
                && person.requests.is_empty()
                && person.searches.is_empty()
                && person
                    .client
                    .rooms()
                    .iter()
                    .all(|room| person.client.saved().seq(&room.id) == last(&room.id))
        };
        let is_mute = self.links.values().any(|link| link.is_mute);
        self.is_quiet() && !is_mute && self.people.iter().all(has_all)
    }

    /// Passes the time until somebody has something to do.
    fn pass_to_deadline(&mut self) {
        let now = self.now();
        let server = [
            self.server.next_deadline(now),
            self.server.next_release(),
            self.server.next_replay(),
            self.server.next_delivery(now),
        ];
        let since = |at: Instant| at.saturating_duration_since(now).as_nanos().div_ceil(1_000_000);
        let server = server.into_iter().flatten().map(since);
        let server = server.map(|ms| self.now_ms + u64::try_from(ms).expect("it is soon"));
        let clients = self.people.iter().filter_map(|it| it.client.next_deadline());
        let next = clients.chain(server).min().unwrap_or(self.now_ms);
        self.pass(next.saturating_sub(self.now_ms).max(1));
    }
}
