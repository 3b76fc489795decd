//! The things that a person does in rooms.

use super::{Oracle, Person, Rooms};
use crate::promise::plan::RoomAct;

impl Person {
    /// Does something about rooms, if they live. `other` is somebody's name, and `text` was never said.
    pub(crate) fn act_in_rooms(&mut self, act: RoomAct, any: usize, other: &str, text: &str) {
        let Some(client) = &mut self.client else { return };
        if act == RoomAct::Say {
            let room = self.rooms.some_room(client, any);
            self.rooms.say(client, &room, text);
        } else {
            self.rooms.act(client, act, any, other);
        }
        self.store();
    }

    /// Returns true if they have all that was heard of the rooms that they are in.
    pub(crate) fn has_all_of_rooms(&self, oracle: &Oracle) -> bool {
        self.client.as_ref().is_some_and(|client| Rooms::has_all(client, oracle))
    }

    /// Checks what they know of rooms.
    #[track_caller]
    pub(crate) fn check_rooms(&self, oracle: &Oracle) {
        self.rooms.check(self.client.as_ref().expect("everybody is there"), oracle);
    }
}
