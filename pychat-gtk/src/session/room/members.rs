//! The members of a room other than the hall, whose list is asked for when it is needed.

use super::Room;

impl Room {
    /// Asks the server for the members; [`people`](Self::people) follow. Does nothing where they are
    /// known without asking, or without a connection.
    pub fn request_members(&self) {}
}
