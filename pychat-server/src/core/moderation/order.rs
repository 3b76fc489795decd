//! Orders: the things that operators ask of the server, and the answers.

use pychat_wire::{
    Link,
    key::InviteId,
    message::{Door, RoomEvent, RoomKind},
};
use serde::{Deserialize, Serialize};

/// Something that an operator asks for. Names and networks are as they were written, not yet checked.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Order {
    /// The people who are here.
    Who,
    /// The hall, and the open and closed rooms.
    Rooms,
    /// The operators.
    Operators,
    /// Another operator.
    AddOperator {
        /// A name of theirs.
        name: String,
    },
    /// An operator is one no longer.
    RemoveOperator {
        /// A name of theirs.
        name: String,
    },
    /// Somebody is a bot, or one no longer.
    Bot {
        /// A name of theirs.
        name: String,
        /// They are one.
        is_bot: bool,
    },
    /// The bots.
    Bots,
    /// A name is nobody's any more: its owner lost every device.
    FreeName {
        /// The name.
        name: String,
    },
    /// Somebody is sent away, and may come back.
    Kick {
        /// Their name.
        name: String,
    },
    /// Somebody may say nothing.
    Mute {
        /// Their name.
        name: String,
        /// The time for which, in milliseconds; until it is undone if `None`.
        for_ms: Option<u64>,
    },
    /// Somebody may talk again.
    Unmute {
        /// Their name.
        name: String,
    },
    /// Somebody may not come in.
    Ban {
        /// The name or network that is banned.
        whom: Whom,
        /// The time for which, in milliseconds; until it is undone if `None`.
        for_ms: Option<u64>,
    },
    /// Somebody may come in again.
    Unban {
        /// The name or network whose ban is lifted.
        whom: Whom,
    },
    /// The bans and mutes.
    Bans,
    /// Each person may say one thing in so long.
    Slow {
        /// The time, in seconds; 0 is no limit.
        seconds: u64,
    },
    /// Others may come in than before.
    Door {
        /// Those who may.
        admission: Door,
    },
    /// A link by which others can join.
    Invite {
        /// The number of people whom it lets in; any number if `None`.
        uses: Option<u64>,
        /// The time for which it is good, in milliseconds; until it is revoked if `None`.
        for_ms: Option<u64>,
    },
    /// The invites that are good.
    Invites,
    /// An invite is good no longer.
    RevokeInvite {
        /// Its name.
        invite: InviteId,
    },
    /// Everybody is told something, in the server's name.
    Say {
        /// The words.
        text: String,
    },
    /// A message has no words any more, for now.
    RemoveMessage {
        /// The room, as peers call it.
        room: String,
        /// The number of the message.
        number: u64,
    },
    /// A message has the words again that an operator took away.
    RestoreMessage {
        /// The room, as peers call it.
        room: String,
        /// The number of the message.
        number: u64,
    },
}

/// Somebody who is banned.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// A person or a guest, by name.
    Name(String),
    /// All who call from an address, or from a prefix of many.
    Network(String),
    /// Either, as somebody typed it: a network if it can be one, and nobody is called so.
    Typed(String),
}

/// The answer to an order.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    /// It is done, and kept.
    Done {
        /// The outcome, for people to read.
        text: String,
    },
    /// It is not done, or not kept.
    Failed {
        /// The reason, for people to read.
        text: String,
    },
    /// The people who are here, in the order in which they joined.
    People {
        /// The people.
        people: Vec<Present>,
    },
    /// The hall, and the open and closed rooms, in the order in which they were made.
    Rooms {
        /// The rooms.
        rooms: Vec<ListedRoom>,
    },
    /// The operators.
    Operators {
        /// Their names; several of one person are in one list.
        operators: Vec<Vec<String>>,
    },
    /// The bots.
    Bots {
        /// Their names; several of one person are in one list.
        bots: Vec<Vec<String>>,
    },
    /// A link by which others can join.
    Invited {
        /// The link. It has a code where one is needed, and is then good for as long as the rest says.
        link: Link,
        /// The number of people whom it lets in; any number if `None`.
        uses: Option<u64>,
        /// Its end, in UTC milliseconds since 1970; none if `None`.
        until_ms: Option<u64>,
    },
    /// The invites that are good, in the order in which they were made.
    Invites {
        /// The invites.
        invites: Vec<ListedInvite>,
    },
    /// The bans and mutes, in the order in which they were made, and the rules for all.
    Bans {
        /// The bans.
        bans: Vec<Listed>,
        /// The mutes.
        mutes: Vec<Listed>,
        /// The time from one text of a person to their next, in seconds; 0 if there is no limit.
        slow_seconds: u64,
        /// Those who may come in.
        admission: Door,
    },
}

/// Somebody who is here.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Present {
    /// Their name.
    pub name: String,
    /// The protocol that they speak.
    pub protocol: u64,
    /// They are an operator.
    pub operator: bool,
    /// They are muted.
    pub muted: bool,
    /// The addresses that they call from, one for each connection here; of IPv6 the /64.
    pub addresses: Vec<String>,
}

/// A room, as it is listed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ListedRoom {
    /// Its id; empty for the hall.
    pub room: String,
    /// Its kind.
    pub kind: RoomKind,
    /// Its name; empty for the hall.
    pub name: String,
    /// The number of people who are in it, here or away; of the hall those who are here.
    pub members: usize,
    /// The number of its last record.
    pub last: u64,
}

/// A ban or a mute, as it is listed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Listed {
    /// The name or the network.
    pub subject: String,
    /// When it was made, in UTC milliseconds since 1970.
    pub since_ms: u64,
    /// When it ends, in UTC milliseconds since 1970; not by itself if `None`.
    pub until_ms: Option<u64>,
    /// The operator who made it.
    pub by: String,
}

/// An invite, as it is listed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ListedInvite {
    /// Its name.
    pub invite: InviteId,
    /// The number of people whom it lets in still; any number if `None`.
    pub uses: Option<u64>,
    /// Its end, in UTC milliseconds since 1970; none if `None`.
    pub until_ms: Option<u64>,
    /// The operator who made it; `None` if it was made on the server's machine.
    pub by: Option<String>,
}

/// A message, or an event of its room, as it is listed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ListedMessage {
    /// Its number in the room.
    pub number: u64,
    /// When it was taken, in UTC milliseconds since 1970.
    pub time_ms: u64,
    /// The name of its author.
    pub author: String,
    /// Its words as they are now; of an event the name or topic that it is about.
    pub words: String,
    /// It has no words any more.
    pub deleted: bool,
    /// The thing that happened, if it is an event.
    pub event: Option<RoomEvent>,
}

impl Order {
    /// Returns the word that stands for it in records.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Who => "who",
            Self::Rooms => "rooms",
            Self::Operators => "operators",
            Self::AddOperator { .. } => "add_operator",
            Self::RemoveOperator { .. } => "remove_operator",
            Self::Bot { .. } => "bot",
            Self::Bots => "bots",
            Self::FreeName { .. } => "free_name",
            Self::Kick { .. } => "kick",
            Self::Mute { .. } => "mute",
            Self::Unmute { .. } => "unmute",
            Self::Ban { .. } => "ban",
            Self::Unban { .. } => "unban",
            Self::Bans => "bans",
            Self::Slow { .. } => "slow",
            Self::Door { .. } => "door",
            Self::Invite { .. } => "invite",
            Self::Invites => "invites",
            Self::RevokeInvite { .. } => "revoke_invite",
            Self::Say { .. } => "say",
            Self::RemoveMessage { .. } => "delete",
            Self::RestoreMessage { .. } => "restore",
        }
    }
}
