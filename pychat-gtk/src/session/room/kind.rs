//! The kinds of rooms, the sections that they are listed in, and the choice of notifications.

use gtk::glib;
use pychat_wire::message;

/// The kind of a room: who can see and join it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, glib::Enum)]
#[enum_type(name = "PychatRoomKind")]
pub enum RoomKind {
    /// Everybody is in it.
    #[default]
    Hall,
    /// Everybody sees it, and may join.
    Open,
    /// Its members add others; nobody else sees it.
    Closed,
    /// Between a set of people that never changes.
    Direct,
}

impl From<message::RoomKind> for RoomKind {
    /// A kind that only later versions know is like one that others cannot see.
    fn from(kind: message::RoomKind) -> Self {
        match kind {
            message::RoomKind::Hall => Self::Hall,
            message::RoomKind::Open => Self::Open,
            message::RoomKind::Direct => Self::Direct,
            message::RoomKind::Closed | message::RoomKind::Unknown => Self::Closed,
        }
    }
}

/// A section of the list of rooms, in the order of the sections.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum RoomSection {
    /// Direct rooms: the people one talks to.
    People,
    /// The hall, and all other rooms.
    Rooms,
}

impl RoomKind {
    /// Returns the section in which rooms of this kind are listed.
    pub fn section(self) -> RoomSection {
        match self {
            Self::Direct => RoomSection::People,
            Self::Hall | Self::Open | Self::Closed => RoomSection::Rooms,
        }
    }

    /// Returns true if somebody can join or be added, and leave.
    pub fn has_changing_members(self) -> bool {
        matches!(self, Self::Open | Self::Closed)
    }
}

/// The messages of one room that cause notifications, as the reader chose for it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, glib::Enum)]
#[enum_type(name = "PychatRoomNotifications")]
pub enum RoomNotifications {
    /// As for others of its kind.
    #[default]
    Default,
    /// Every message.
    All,
    /// Those that mention the reader.
    Mentions,
    /// None: the room is muted.
    None,
}

impl RoomNotifications {
    /// Every choice, with its name in files.
    const NAMES: [(Self, &str); 4] = [
        (Self::Default, "default"),
        (Self::All, "all"),
        (Self::Mentions, "mentions"),
        (Self::None, "none"),
    ];

    /// Returns its name in files.
    pub fn nick(self) -> &'static str {
        Self::NAMES.iter().find(|(choice, _)| *choice == self).map_or("default", |(_, nick)| nick)
    }

    /// Returns the choice that is called `nick`; the default if none is.
    pub fn from_nick(nick: &str) -> Self {
        Self::NAMES
            .iter()
            .find(|(_, name)| *name == nick)
            .map_or(Self::Default, |(choice, _)| *choice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_found_again_by_its_name() {
        for (choice, nick) in RoomNotifications::NAMES {
            assert_eq!(choice.nick(), nick);
            assert_eq!(RoomNotifications::from_nick(nick), choice);
        }
        assert_eq!(RoomNotifications::from_nick("loud"), RoomNotifications::Default);
    }
}
