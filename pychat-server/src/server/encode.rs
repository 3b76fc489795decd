//! Messages to peers, encoded as frames of either protocol.

use std::borrow::Cow;

use pychat_wire::{
    Link, ServerMessage, UserName,
    key::{InviteCode, PairCode},
    message::{
        self as wire, AddressList, Amendment, BANS_MAX, Ban, BanList, DeviceList, Door, InviteList,
        Listing, Reason, Room, RoomList,
    },
    name::SERVER,
    notice::Notice,
};

use crate::core::{
    amending,
    chat::{CloseReason, Complaint, Deed, RoomView},
    id::RoomId,
    moderation::Listed,
    people::PAIR_CODE_AGE_MAX,
    record::{Amending, Device, Entry, Invite, InviteTerms, Kind, Target},
};

/// The time after which a peer that the server sends away should come back, in milliseconds.
const RETURN_MS: u64 = 1_000;

/// The time after a message in which protocol 1 is told of its edits, in milliseconds.
const EDIT_HEARD_MS: u64 = 600_000;

/// The copy of a message of the log that is meant.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Copy {
    /// Its author's own.
    pub(super) own: bool,
    /// Of a text that was sent again.
    pub(super) dup: bool,
    /// For somebody who was not here, or asks for it.
    pub(super) replay: bool,
}

/// Appends a message of protocol 1.
pub(super) fn message(author: &str, content: &str, out: &mut Vec<u8>) {
    ServerMessage::Message { username: author.into(), content: content.into() }.encode(out);
}

/// Appends a sentence of the server's own, in protocol 1.
pub(super) fn notice(notice: Notice<'_>, out: &mut Vec<u8>) {
    message(SERVER, &notice.to_string(), out);
}

/// Appends a record of a room's log, in protocol 2.
pub(super) fn record(room: RoomId, entry: Entry<'_>, copy: Copy, out: &mut Vec<u8>) {
    let Entry { seq, time_ms: time, author, person: _, kind, id, reply, state } = entry;
    let Copy { own, dup, replay } = copy;
    let (room, username) = (room.on_wire(), author.into());
    let id = id.filter(|_| own).map(Into::into);
    match kind {
        Kind::Text(text) => {
            let content = text.into();
            ServerMessage::Record {
                room,
                seq,
                time,
                username,
                content,
                id,
                dup,
                replay,
                reply,
                edited: state.edited_ms,
                deleted: state.is_deleted,
                reactions: amending::on_wire(state.reactions),
            }
        }
        Kind::Amendment { target, amending } => {
            let amendment = amendment(target, amending);
            ServerMessage::Amended { amendment, room, seq, time, username, id, dup, replay }
        }
        Kind::Event { event, subject } => {
            let subject = subject.map(Into::into);
            ServerMessage::Event { room, seq, time, username, event, subject, id, dup, replay }
        }
    }
    .encode(out);
}

/// Appends a message that a search found.
pub(super) fn found(reference: &str, room: RoomId, entry: Entry<'_>, own: bool, out: &mut Vec<u8>) {
    let Entry { seq, time_ms: time, author, person: _, kind, id, reply, state } = entry;
    let message = wire::FoundMessage {
        room: room.on_wire(),
        seq,
        time,
        username: author.into(),
        content: kind.text().into(),
        id: id.filter(|_| own).map(Into::into),
        reply,
        edited: state.edited_ms,
        reactions: amending::on_wire(state.reactions),
    };
    ServerMessage::Found { reference: reference.into(), message }.encode(out);
}

fn amendment(target: u64, amending: Amending<&str>) -> Amendment<'_> {
    match amending {
        Amending::Edit(text) => Amendment::Edit { target, content: text.map(Into::into) },
        Amending::Delete => Amendment::Delete { target },
        Amending::React(emoji) => Amendment::React { target, emoji: emoji.map(Into::into) },
        Amending::Restore(text) => Amendment::Restore { target, content: text.map(Into::into) },
    }
}

/// Returns the words in which protocol 1 is told of a record of the hall, if it is told of it: a message,
/// an answer below the line that it answers, and the words of an edit that comes soon. A message may have
/// been deleted before another server was told of it.
pub(super) fn original_words<'a>(
    entry: Entry<'a>,
    target: Option<&Target>,
) -> Option<Cow<'a, str>> {
    match (entry.kind, target) {
        (Kind::Text(_), _) if entry.state.is_deleted => None,
        (Kind::Text(text), Some(Target { line, .. })) if !line.is_empty() => {
            Some(format!("> {line}\n{text}").into())
        }
        (Kind::Text(text), _) => Some(text.into()),
        (
            Kind::Amendment { amending: Amending::Edit(Some(text)), .. },
            Some(Target { time_ms, .. }),
        ) => {
            let is_soon = entry.time_ms.saturating_sub(*time_ms) < EDIT_HEARD_MS;
            is_soon.then(|| format!("✎ {text}").into())
        }
        _ => None,
    }
}

/// Appends numbers of a room that will not come, in protocol 2.
pub(super) fn gap(room: RoomId, from: u64, to: u64, out: &mut Vec<u8>) {
    ServerMessage::Gap { room: room.on_wire(), from, to }.encode(out);
}

/// Appends numbers of a room that are not sent unless they are asked for, in protocol 2.
pub(super) fn skip(room: RoomId, from: u64, to: u64, out: &mut Vec<u8>) {
    ServerMessage::Skip { room: room.on_wire(), from, to }.encode(out);
}

/// Appends a room that the peer's person is in, in protocol 2.
pub(super) fn room(view: &RoomView, out: &mut Vec<u8>) {
    ServerMessage::Room(on_wire(view)).encode(out);
}

/// Appends that the peer's person is in a room no more, in protocol 2.
pub(super) fn room_gone(room: RoomId, out: &mut Vec<u8>) {
    ServerMessage::RoomGone { room: room.on_wire() }.encode(out);
}

/// Appends the open rooms, in protocol 2.
pub(super) fn rooms(views: &[RoomView], out: &mut Vec<u8>) {
    ServerMessage::Rooms { rooms: RoomList(views.iter().map(on_wire).collect()) }.encode(out);
}

/// Appends the members of a room, in protocol 2.
pub(super) fn members(room: RoomId, members: &Listing, out: &mut Vec<u8>) {
    ServerMessage::Members { room: room.on_wire(), members: Cow::Borrowed(members) }.encode(out);
}

/// Appends the names of all bots, in protocol 2.
pub(super) fn bots(names: &[String], out: &mut Vec<u8>) {
    let members: Listing = names.iter().map(String::as_str).collect();
    ServerMessage::Bots { members: Cow::Owned(members) }.encode(out);
}

/// Appends how far the peer's person has seen a room, in protocol 2.
pub(super) fn read(room: RoomId, seq: u64, out: &mut Vec<u8>) {
    ServerMessage::Read { room: room.on_wire(), seq }.encode(out);
}

/// Appends that somebody is writing a text, in protocol 2.
pub(super) fn typing(room: RoomId, name: &UserName, out: &mut Vec<u8>) {
    ServerMessage::Typing { room: room.on_wire(), username: name.as_str().into() }.encode(out);
}

/// Appends what was refused.
pub(super) fn complaint(complaint: &Complaint, out: &mut Vec<u8>) {
    ServerMessage::Error {
        code: complaint.code,
        text: (&complaint.text).into(),
        reference: complaint.reference.as_deref().map(Into::into),
        retry_ms: complaint.retry_ms,
        suggest: complaint.suggest.as_ref().map(|name| name.as_str().into()),
    }
    .encode(out);
}

/// Appends that somebody joined, in protocol 2.
pub(super) fn joined(name: &UserName, time_ms: u64, out: &mut Vec<u8>) {
    ServerMessage::Joined { username: name.as_str().into(), time: time_ms }.encode(out);
}

/// Appends that somebody left, in protocol 2.
pub(super) fn left(name: &UserName, time_ms: u64, reason: CloseReason, out: &mut Vec<u8>) {
    let (username, reason) = (name.as_str().into(), reason.reason());
    ServerMessage::Left { username, time: time_ms, reason }.encode(out);
}

/// Appends that the connection is about to be closed.
pub(super) fn bye(reason: Reason, out: &mut Vec<u8>) {
    ServerMessage::bye(reason, RETURN_MS).encode(out);
}

/// Appends that the server is stopping, and which servers the chat has.
pub(super) fn stopping(servers: &AddressList, out: &mut Vec<u8>) {
    let (reason, servers) = (Reason::Shutdown, Cow::Borrowed(servers));
    ServerMessage::Bye { reason, retry_ms: RETURN_MS, servers }.encode(out);
}

/// Appends a code by which another device can join a person, in protocol 2.
pub(super) fn pair_code(code: PairCode, out: &mut Vec<u8>) {
    let expires_ms = u64::try_from(PAIR_CODE_AGE_MAX.as_millis()).unwrap_or(u64::MAX);
    ServerMessage::PairCode { code, expires_ms }.encode(out);
}

/// Appends a link by which others can join, in protocol 2, as of `now_ms`.
pub(super) fn invite_link(
    link: &Link,
    code: Option<InviteCode>,
    terms: InviteTerms,
    now_ms: u64,
    out: &mut Vec<u8>,
) {
    ServerMessage::InviteLink {
        hosts: AddressList(link.addresses.clone()),
        pin: link.pin,
        code,
        uses: terms.uses,
        expires_ms: left_ms(terms, now_ms),
    }
    .encode(out);
}

/// Appends the invites that are good, in protocol 2, as of `now_ms`.
pub(super) fn invites(invites: &[Invite], now_ms: u64, out: &mut Vec<u8>) {
    let invites = invites.iter().map(|invite| wire::Invite {
        id: invite.id(),
        uses: invite.terms.uses,
        expires_ms: left_ms(invite.terms, now_ms),
        by: invite.by.as_deref().map(Into::into),
    });
    ServerMessage::Invites { invites: InviteList(invites.collect()) }.encode(out);
}

/// Returns the time that is left of an invite, if it has an end.
fn left_ms(terms: InviteTerms, now_ms: u64) -> Option<u64> {
    terms.expires_ms.map(|expires_ms| expires_ms.saturating_sub(now_ms))
}

/// Appends the devices of a person, in protocol 2.
pub(super) fn devices(devices: &[Device], out: &mut Vec<u8>) {
    let devices = devices.iter().map(|device| wire::Device {
        key: device.key,
        label: (&*device.label).into(),
        time: device.added_ms,
    });
    ServerMessage::Devices { devices: DeviceList(devices.collect()) }.encode(out);
}

/// Appends that another device joined a person, in protocol 2.
pub(super) fn device_added(device: &Device, out: &mut Vec<u8>) {
    ServerMessage::DeviceAdded { key: device.key, label: (&*device.label).into() }.encode(out);
}

/// Appends what an operator did, in protocol 2.
pub(super) fn done(deed: &Deed, out: &mut Vec<u8>) {
    let Deed { verb, by, subject, text, id } = deed;
    ServerMessage::Done {
        verb: verb.into(),
        by: by.into(),
        subject: subject.into(),
        text: text.into(),
        id: id.as_deref().map(Into::into),
    }
    .encode(out);
}

/// Appends the newest bans and mutes and the rules for all, in protocol 2.
pub(super) fn bans(
    [bans, mutes]: [&[Listed]; 2],
    seconds: u64,
    admission: Door,
    out: &mut Vec<u8>,
) {
    let [bans, mutes] = [bans, mutes].map(|listed| {
        let newest = listed.iter().skip(listed.len().saturating_sub(BANS_MAX));
        BanList(newest.map(ban).collect())
    });
    ServerMessage::Bans { bans, mutes, seconds, admission }.encode(out);
}

fn ban(Listed { subject, since_ms, until_ms, by }: &Listed) -> Ban<'_> {
    Ban { subject: subject.into(), since: *since_ms, until: *until_ms, by: by.into() }
}

/// The content of a welcome of protocol 2.
pub(super) struct Welcome<'a> {
    pub(super) name: &'a UserName,
    pub(super) epoch: &'a str,
    pub(super) time_ms: u64,
    pub(super) is_operator: bool,
    pub(super) members: &'a Listing,
    pub(super) rooms: &'a [RoomView],
}

/// Appends a welcome, in protocol 2.
pub(super) fn welcome(welcome: &Welcome<'_>, out: &mut Vec<u8>) {
    ServerMessage::Welcome {
        username: welcome.name.as_str().into(),
        epoch: welcome.epoch.into(),
        time: welcome.time_ms,
        operator: welcome.is_operator,
        members: Cow::Borrowed(welcome.members),
        rooms: RoomList(welcome.rooms.iter().map(on_wire).collect()),
    }
    .encode(out);
}

fn on_wire(view: &RoomView) -> Room<'_> {
    Room {
        room: view.room.on_wire(),
        kind: view.kind,
        name: (&view.name).into(),
        topic: (&view.topic).into(),
        with: view.with.as_ref().map(|names| names.iter().map(String::as_str).collect()),
        mine: view.is_mine,
        last: view.last,
        read: view.read,
        unread: view.unread,
    }
}
