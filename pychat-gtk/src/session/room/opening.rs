//! The opening of rooms: before it a room costs a few counters, and its messages are the server's.

use super::Room;

impl Room {
    /// Takes in that the room is about to be shown, and asks for its last messages unless they are
    /// here.
    pub fn open(&self) {}

    /// Takes in that nothing in it is new to the reader any more, whether they have seen it or not.
    pub fn mark_as_read(&self) {
        self.history().see_all();
    }

    /// Takes a room away that the reader is in no more, with what did not arrive there.
    pub fn dismiss(&self) {}
}
