//! Messages of a server.

mod encode;
mod parse;

use std::borrow::Cow;

use serde::Serialize;

use super::{
    Amendment, FoundMessage, Reactions, Room, RoomEvent, RoomList,
    operator::BanList,
    parts::{AddressList, DeviceList, Door, ErrorCode, InviteList, Limits, Listing, Reason},
};
use crate::key::{InviteCode, Nonce, PairCode, Pin, PublicKey};

/// A message of a server.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage<'a> {
    /// A participant's text, or a sentence of the server's own. Protocol 1.
    Message {
        /// The author: [`SERVER`](crate::name::SERVER), [`YOU`](crate::name::YOU) for the receiver, or somebody else's name.
        username: Cow<'a, str>,
        /// The text.
        content: Cow<'a, str>,
    },
    /// The first message on every connection, which offers protocol 2 to clients that know it.
    #[serde(rename = "message")]
    Greeting {
        /// The author, [`SERVER`](crate::name::SERVER).
        username: Cow<'a, str>,
        /// The sentence that clients of protocol 1 read.
        content: Cow<'a, str>,
        /// The newest protocol that the server speaks.
        protocol: u64,
        /// The name of the server.
        server: Cow<'a, str>,
        /// The epoch: the name of the server's log.
        epoch: Cow<'a, str>,
        /// The nonce, which the hello signs.
        nonce: Nonce,
        /// True if TLS is to be had on this connection.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        tls: bool,
        /// The people whom the server lets in.
        admission: Door,
        /// The addresses of all servers of the chat, if there are several.
        #[serde(skip_serializing_if = "AddressList::is_empty")]
        servers: Cow<'a, AddressList>,
        /// The limits of what the server takes.
        limits: Limits,
        /// The silence after which either side asks whether the other is there, in seconds.
        ping_seconds: u64,
    },
    /// One message of the log. Protocol 2.
    #[serde(rename = "message")]
    Record {
        /// The room.
        #[serde(skip_serializing_if = "str::is_empty")]
        room: Cow<'a, str>,
        /// Its number in the room.
        seq: u64,
        /// The time at which it was accepted, in UTC milliseconds since 1970.
        time: u64,
        /// The author.
        username: Cow<'a, str>,
        /// The text.
        content: Cow<'a, str>,
        /// The id that its sender gave it; only in the sender's own copy.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
        /// True if it answers a text that was sent again, and had been accepted before.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        dup: bool,
        /// True if it is sent to a client that was not here, or that asked for it.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        replay: bool,
        /// The number of the message in the room that it answers.
        #[serde(skip_serializing_if = "Option::is_none")]
        reply: Option<u64>,
        /// The time of its last edit, in UTC milliseconds since 1970, if it was edited.
        #[serde(skip_serializing_if = "Option::is_none")]
        edited: Option<u64>,
        /// True if it was deleted: it has no words any more.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        deleted: bool,
        /// The reactions to it.
        #[serde(skip_serializing_if = "Reactions::is_empty")]
        reactions: Reactions<'a>,
    },
    /// The client has joined. Protocol 2, like all that follow.
    Welcome {
        /// The name under which it joined.
        username: Cow<'a, str>,
        /// The epoch: the name of the server's log.
        epoch: Cow<'a, str>,
        /// The server's time, in UTC milliseconds since 1970.
        time: u64,
        /// True if the client's person is an operator.
        operator: bool,
        /// The names of those present, the client itself included, in join order.
        #[serde(skip)]
        members: Cow<'a, Listing>,
        /// The rooms that the client's person is in, the hall first.
        #[serde(skip)]
        rooms: RoomList<'a>,
    },
    /// A room that the client's person is in, from now on or as it is now.
    Room(Room<'a>),
    /// A room that the client's person is in no more.
    RoomGone {
        /// The room.
        room: Cow<'a, str>,
    },
    /// The open rooms.
    Rooms {
        /// The rooms.
        rooms: RoomList<'a>,
    },
    /// The members of a room.
    Members {
        /// The room.
        room: Cow<'a, str>,
        /// Their names.
        members: Cow<'a, Listing>,
    },
    /// The names of those who are bots, all of them.
    Bots {
        /// Their names.
        members: Cow<'a, Listing>,
    },
    /// One record of a room that is no message.
    Event {
        /// The room.
        #[serde(skip_serializing_if = "str::is_empty")]
        room: Cow<'a, str>,
        /// Its number in the room.
        seq: u64,
        /// The time at which it was accepted, in UTC milliseconds since 1970.
        time: u64,
        /// The person who did it.
        username: Cow<'a, str>,
        /// The thing that they did.
        event: RoomEvent,
        /// The name or topic that it is about, if it is about one.
        #[serde(skip_serializing_if = "Option::is_none")]
        subject: Option<Cow<'a, str>>,
        /// The id that its sender gave it; only in the sender's own copy.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
        /// True if it answers a request that was sent again, and had been accepted before.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        dup: bool,
        /// True if it is sent to a client that was not here, or that asked for it.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        replay: bool,
    },
    /// One record of a type that this side does not know: it counts, and shows nothing.
    UnknownRecord {
        /// The room.
        #[serde(skip_serializing_if = "str::is_empty")]
        room: Cow<'a, str>,
        /// Its number in the room.
        seq: u64,
    },
    /// Everything up to a number was seen on another device of the client's person.
    Read {
        /// The room.
        #[serde(skip_serializing_if = "str::is_empty")]
        room: Cow<'a, str>,
        /// The number of the last record that was seen.
        seq: u64,
    },
    /// Somebody is writing a text.
    Typing {
        /// The room.
        #[serde(skip_serializing_if = "str::is_empty")]
        room: Cow<'a, str>,
        /// Their name.
        username: Cow<'a, str>,
    },
    /// Numbers that will not come: they are no longer kept, or belong to another epoch.
    Gap {
        /// The room.
        #[serde(skip_serializing_if = "str::is_empty")]
        room: Cow<'a, str>,
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// Numbers that are not sent, as the client missed more than the limit in its
    /// [`Resume`](super::Resume). It may ask for them.
    Skip {
        /// The room.
        #[serde(skip_serializing_if = "str::is_empty")]
        room: Cow<'a, str>,
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// The end of the answer to [`ClientMessage::History`](super::ClientMessage::History).
    Page {
        /// The room.
        #[serde(skip_serializing_if = "str::is_empty")]
        room: Cow<'a, str>,
        /// The exclusive upper bound of their numbers, as it was asked for.
        before: u64,
        /// The number of messages sent.
        count: u64,
        /// True if nothing older is kept.
        start: bool,
    },
    /// One message that a search found.
    Found {
        /// The reference of the search.
        #[serde(rename = "ref")]
        reference: Cow<'a, str>,
        /// The message.
        message: FoundMessage<'a>,
    },
    /// The end of the answer to a search.
    FoundEnd {
        /// The reference of the search.
        #[serde(rename = "ref")]
        reference: Cow<'a, str>,
        /// The cursor by which what is older can be searched; `None` if nothing older is kept.
        #[serde(skip_serializing_if = "Option::is_none")]
        before: Option<Cow<'a, str>>,
    },
    /// Somebody joined.
    Joined {
        /// Their name.
        username: Cow<'a, str>,
        /// The server's time, in UTC milliseconds since 1970.
        time: u64,
    },
    /// Somebody left.
    Left {
        /// Their name.
        username: Cow<'a, str>,
        /// The server's time, in UTC milliseconds since 1970.
        time: u64,
        /// The reason.
        reason: Reason,
    },
    /// A refusal.
    Error {
        /// The code: the thing that was refused.
        code: ErrorCode,
        /// The reason, for people to read.
        text: Cow<'a, str>,
        /// The id of the text that it is about, if it is about one.
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<Cow<'a, str>>,
        /// The time after which trying again makes sense, in milliseconds from now.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_ms: Option<u64>,
        /// A name that is free, in place of one that is not.
        #[serde(skip_serializing_if = "Option::is_none")]
        suggest: Option<Cow<'a, str>>,
    },
    /// The code by which another device can join this person.
    PairCode {
        /// The code.
        code: PairCode,
        /// The time for which it is good, in milliseconds from now.
        expires_ms: u64,
    },
    /// Another device joined this person.
    DeviceAdded {
        /// Its key.
        key: PublicKey,
        /// Its name; empty if it gave none.
        label: Cow<'a, str>,
    },
    /// The devices of this person.
    Devices {
        /// The devices, in the order in which they were added.
        devices: DeviceList<'a>,
    },
    /// A link by which others can join, in its parts: [`Link`](crate::Link).
    InviteLink {
        /// The addresses at which the chat can be reached, the best one first; none if it can be
        /// reached from its own machine alone.
        hosts: AddressList,
        /// The pin of the server's certificate, if it has one.
        #[serde(skip_serializing_if = "Option::is_none")]
        pin: Option<Pin>,
        /// The code that lets people in, if it takes one.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<InviteCode>,
        /// The number of people whom it lets in; any number if `None`.
        #[serde(skip_serializing_if = "Option::is_none")]
        uses: Option<u64>,
        /// The time for which it is good, in milliseconds from now; until it is revoked if `None`.
        #[serde(skip_serializing_if = "Option::is_none")]
        expires_ms: Option<u64>,
    },
    /// The invites that are good.
    Invites {
        /// The invites, in the order in which they were made.
        invites: InviteList<'a>,
    },
    /// The client's person is an operator from now on, or one no longer.
    Operator {
        /// True if they are.
        operator: bool,
    },
    /// An operator did something: the answer to the operator who asked for it, and what other
    /// operators are told.
    Done {
        /// The type of the request; one that is asked for on the machine alone may stand here too.
        verb: Cow<'a, str>,
        /// The operator.
        by: Cow<'a, str>,
        /// The name, network or setting that it is about.
        subject: Cow<'a, str>,
        /// The outcome, for people to read.
        text: Cow<'a, str>,
        /// The id of the request, in the answer to it.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// The bans and mutes, as an operator asked for them.
    Bans {
        /// The bans, in the order in which they were made.
        bans: BanList<'a>,
        /// The mutes.
        mutes: BanList<'a>,
        /// The time from one text of a person to their next, in seconds; 0 if there is no limit.
        seconds: u64,
        /// Those who may come in.
        admission: Door,
    },
    /// A sentence of the server's own, for people to read.
    Notice {
        /// The sentence.
        text: Cow<'a, str>,
    },
    /// The question whether the client is there, to be answered by a pong.
    Ping,
    /// The answer to a ping.
    Pong,
    /// The server is about to close this connection.
    Bye {
        /// The reason.
        reason: Reason,
        /// The time after which coming back makes sense, in milliseconds from now.
        retry_ms: u64,
        /// The addresses of all servers of the chat, this one among them, if it is stopping and there
        /// are several.
        #[serde(skip_serializing_if = "AddressList::is_empty")]
        servers: Cow<'a, AddressList>,
    },
    /// One record of a room that amends a message of the same room. Protocol 2.
    #[serde(untagged)]
    Amended {
        /// The amendment itself.
        #[serde(flatten)]
        amendment: Amendment<'a>,
        /// The room.
        #[serde(skip_serializing_if = "str::is_empty")]
        room: Cow<'a, str>,
        /// Its number in the room.
        seq: u64,
        /// The time at which it was accepted, in UTC milliseconds since 1970.
        time: u64,
        /// The person who did it.
        username: Cow<'a, str>,
        /// The id that its sender gave it; only in the sender's own copy.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
        /// True if it answers an amendment that was sent again, and had been accepted before.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        dup: bool,
        /// True if it is sent to a client that was not here, or that asked for it.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        replay: bool,
    },
}
