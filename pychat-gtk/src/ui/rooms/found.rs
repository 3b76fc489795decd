//! The rooms and people whose names match what is typed.

use gtk::gio::prelude::*;
use pychat_wire::UserName;

use super::room_label;
use crate::{
    model::Person,
    session::{Room, Session, room::RoomKind},
    text::{self, i18n::gettext_f, names::isolated},
};

/// The most rooms, and the most people, that are listed; a longer list takes long to show.
const LISTED_MAX: usize = 50;

/// A conversation that is found: one that there is, or one that can be begun.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Found {
    /// A room that the reader is in.
    Room(Room),
    /// Somebody who is here, and with whom there is no direct room.
    Person(String),
    /// Somebody who is not here, as they were typed.
    Stranger(String),
}

impl Found {
    /// Returns its name alone.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Room(room) => room_label::title(room),
            Self::Person(name) | Self::Stranger(name) => name.clone(),
        }
    }

    /// Returns the kind of its picture, and its title.
    pub(super) fn shown(&self) -> (RoomKind, String) {
        match self {
            Self::Room(room) => (room.kind(), room_label::title(room)),
            Self::Person(name) => (RoomKind::Direct, name.clone()),
            Self::Stranger(name) => (RoomKind::Direct, message(name)),
        }
    }

    /// Returns how it is read out.
    pub(super) fn spoken(&self) -> String {
        match self {
            Self::Room(room) => room_label::spoken(room),
            Self::Person(name) => name.clone(),
            Self::Stranger(name) => message(name),
        }
    }
}

/// Returns what begins a direct talk with somebody who is not here.
fn message(name: &str) -> String {
    gettext_f("Message {name}", &[("name", &isolated(name))])
}

/// Returns the rooms and people of whose names a word begins with `typed`, and at last the person who
/// is called just so, if they are not among them.
pub(super) fn find(session: &Session, typed: &str) -> Vec<Found> {
    let begun = text::fold(typed);
    let rooms: Vec<_> = session.rooms().iter::<Room>().flatten().collect();
    let is_found = |name: &str| text::has_word(name, &begun);
    let mut found: Vec<_> = rooms
        .iter()
        .filter(|room| is_found(&room_label::title(room)))
        .take(LISTED_MAX)
        .cloned()
        .map(Found::Room)
        .collect();
    let is_direct = |name: &str| {
        rooms.iter().any(|room| room.kind() == RoomKind::Direct && room.title() == name)
    };
    let people = session.room().people().sorted();
    let people = (0..people.n_items()).filter_map(|at| people.item(at).and_downcast::<Person>());
    let people = people.filter(|person| !person.is_self());
    let names =
        people.map(|person| person.name()).filter(|name| is_found(name) && !is_direct(name));
    found.extend(names.take(LISTED_MAX).map(Found::Person));
    let is_known = |name: &str| text::fold(name) == begun;
    let is_listed = is_known(&session.name()) || found.iter().any(|it| is_known(&it.name()));
    if !is_listed && let Ok(name) = UserName::new(typed) {
        found.push(Found::Stranger(name.as_str().to_owned()));
    }
    found
}
