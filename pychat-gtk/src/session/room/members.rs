//! The members of a room other than the hall, whose list is asked for when it is needed.

use gtk::gio::prelude::*;
use pychat_wire::message::RoomEvent;

use super::Room;

impl Room {
    /// Asks the server for the members; [`people`](Self::people) follow. Does nothing where they are
    /// known without asking, or without a connection.
    pub fn request_members(&self) {
        if self.kind().has_changing_members() && self.is_online() {
            let id = self.client_id();
            self.tell_client(|client| client.request_members(id));
        }
    }

    /// Takes in who is in it.
    pub(in crate::session) fn on_members(&self, names: &[String]) {
        if self.kind().has_changing_members() {
            self.set_people(names, &self.own_name());
        }
    }

    /// Takes in that `name` did this, to `subject`: the members are others then, if they are known.
    pub(super) fn update_members(&self, event: RoomEvent, name: &str, subject: &str) {
        let known = self.people();
        let mut names: Vec<_> =
            (0..known.n_items()).filter_map(|at| Some(known.person(at)?.name())).collect();
        if names.is_empty() {
            return;
        }
        let (changed, is_there) = match event {
            RoomEvent::Joined => (name, true),
            RoomEvent::Added => (subject, true),
            RoomEvent::Left => (name, false),
            RoomEvent::Removed => (subject, false),
            _ => return,
        };
        names.retain(|name| name != changed);
        if is_there {
            names.push(changed.to_owned());
        }
        self.on_members(&names);
    }
}
