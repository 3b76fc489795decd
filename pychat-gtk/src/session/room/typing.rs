//! The people who are writing in a room, and that the reader is.

use super::Room;

impl Room {
    /// Tells the others that the reader is writing, where that is told and the reader has it told.
    /// It may be called with each key that is pressed.
    pub fn set_typing(&self) {
        self.update_back_pages();
    }
}
