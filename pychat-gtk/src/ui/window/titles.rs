//! The titles of a window, and the name of its server, which the reader may choose where it has none.

use gtk::{glib, glib::clone, prelude::*, subclass::prelude::*};

use super::imp::Window;
use crate::{
    model::Person,
    session::{Account, Room, SessionState, room::RoomKind},
    text::{i18n::gettext, names},
    ui::{dialogs::name_server, people::people_pane::people_here, rooms::room_label},
};

impl Window {
    /// Shows, in the window itself, the room with the number of people there, or the state of the
    /// connection; in the title of the window the server and the name.
    pub(super) fn show_titles(&self) {
        if !self.session.has_conversation() {
            self.title.set_title(&gettext("Pychat"));
            self.title.set_subtitle("");
            self.obj().set_title(Some(&gettext("Pychat")));
            return;
        }
        let (name, server) = (self.session.name(), self.session.title());
        let room = self.obj().room().unwrap_or_else(|| self.session.room());
        let state = match self.session.state() {
            SessionState::Joined => self.state_of(&room),
            SessionState::Connecting | SessionState::Joining => gettext("Reconnecting…"),
            _ => gettext("Offline"),
        };
        let is_hall = room.kind() == RoomKind::Hall;
        let has_name = is_hall && !self.session.has_rooms();
        self.title.set_title(&if has_name { server.clone() } else { room_label::title(&room) });
        self.title.set_subtitle(&if is_hall {
            format!("{state} · {}", names::isolated(&name))
        } else {
            state
        });
        self.obj().set_title(Some(&names::window_title(&name, &server)));
    }

    /// Returns who is in a room, or what it is about.
    fn state_of(&self, room: &Room) -> String {
        let people = self.session.room().people();
        match room.kind() {
            _ if room.is_gone() => gettext("You are not in this room any more"),
            RoomKind::Hall => people_here(people.n_items()),
            RoomKind::Direct => {
                let title = room.title();
                if people.iter::<Person>().flatten().any(|person| person.name() == title) {
                    gettext("Online")
                } else {
                    // Translators: of somebody one talks to directly.
                    gettext("Not online; your messages will wait")
                }
            }
            RoomKind::Open | RoomKind::Closed if !room.topic().is_empty() => room.topic(),
            RoomKind::Open => gettext("Open room"),
            RoomKind::Closed => gettext("Closed room"),
        }
    }

    /// Remembers who joined and where: as it was asked for, not as the server calls it.
    pub(super) fn remember(&self) {
        if let (Some(settings), Some(account)) = (self.settings.get(), self.session.account()) {
            settings.remember(account, &self.session.title());
        }
    }

    /// Calls the server of `account` as the reader has called it before.
    pub(super) fn recall_name(&self, account: &Account) {
        let name = self.settings.get().and_then(|it| it.server_name(account.server()));
        self.session.set_alias(&name.unwrap_or_default());
    }

    /// Offers to name the server, if there is one that has no name.
    pub(super) fn offer_name(&self) {
        let is_unnamed = self.session.has_conversation() && !self.session.has_server_name();
        self.obj().action_set_enabled("win.name-server", is_unnamed);
    }

    /// Asks how the server is to be called.
    pub(super) fn ask_for_name(&self) {
        let Some(account) = self.session.account() else { return };
        let known = self.settings.get().and_then(|it| it.server_name(account.server()));
        let set_name = clone!(
            #[weak(rename_to = imp)]
            self,
            move |name: &str| {
                imp.session.set_alias(name);
                imp.remember();
                imp.show_titles();
            }
        );
        let address = account.server().brief();
        name_server::ask(&*self.obj(), &address, &known.unwrap_or_default(), set_name);
    }
}
