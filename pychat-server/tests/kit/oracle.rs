//! The things that the logs of all rooms must hold: those that people said, each in its room, in the
//! one order in which anybody hears them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use pychat_wire::{
    ClientMessage,
    message::{Amendment, HALL, Room, RoomEvent, RoomKind, RoomList, RoomRequest},
};

use super::claims::{Claim, Claims};
pub(crate) use super::room_log::{Copy, Message, RoomLog};

/// Everything that was said, and every record of protocol 2 that was heard, by its room and number.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    /// Servers share the log: what was said at another one is told as it is by then.
    pub(crate) is_shared: bool,
    /// The name of the log, once that is known.
    epoch: Option<String>,
    /// The texts that were said, by room.
    said: BTreeMap<String, HashSet<String>>,
    /// The names, topics and reactions that anybody asked for.
    subjects: HashSet<String>,
    rooms: BTreeMap<String, RoomLog>,
    /// The open rooms that were there and are no more.
    over: BTreeSet<String>,
    claims: Claims,
}

impl Oracle {
    /// Returns what a log must hold that has the name `epoch`, and of which nobody has heard.
    pub(crate) fn of(epoch: &str) -> Self {
        Self { epoch: Some(epoch.to_owned()), ..Self::default() }
    }

    /// Returns what a log must hold of which nobody has heard, and that several servers share.
    pub(crate) fn shared() -> Self {
        Self { is_shared: true, ..Self::default() }
    }

    /// Somebody is told what the log is called, which is what everybody else is told.
    pub(crate) fn check_epoch(&mut self, epoch: &str) {
        let known = self.epoch.get_or_insert_with(|| epoch.to_owned());
        assert_eq!(known, epoch, "the log's name");
    }

    /// Returns true if the log is called `epoch`.
    pub(crate) fn is_epoch(&self, epoch: &str) -> bool {
        self.epoch.as_deref() == Some(epoch)
    }

    /// Somebody says `content` in the hall.
    pub(crate) fn say(&mut self, content: &str) {
        self.say_in(HALL, content);
    }

    fn say_in(&mut self, room: &str, content: &str) {
        self.said.entry(room.to_owned()).or_default().insert(line(content).to_owned());
    }

    /// Somebody called `name`, as far as is known, says `message` in protocol 2.
    pub(crate) fn hear_said(&mut self, name: &str, message: &ClientMessage<'_>) {
        match message {
            ClientMessage::Text { room, content, .. } => self.say_in(room, content),
            ClientMessage::Amend { amendment, room, .. } => match amendment {
                Amendment::Edit { content, .. } => {
                    self.say_in(room, content.as_deref().unwrap_or_default());
                }
                Amendment::React { emoji, .. } => {
                    self.subjects.extend(emoji.as_deref().map(ToOwned::to_owned));
                }
                Amendment::Delete { .. } | Amendment::Restore { .. } => (),
            },
            ClientMessage::Read { room, seq } => self.claims.read(room, name, *seq),
            ClientMessage::Change { request, .. } => match request {
                RoomRequest::CreateRoom { name, .. } => _ = self.subjects.insert(name.to_string()),
                RoomRequest::UpdateRoom { name, topic, .. } => {
                    let asked = name.iter().chain(topic).map(ToString::to_string);
                    self.subjects.extend(asked);
                }
                RoomRequest::AddMember { .. }
                | RoomRequest::RemoveMember { .. }
                | RoomRequest::Direct { .. }
                | RoomRequest::JoinRoom { .. }
                | RoomRequest::LeaveRoom { .. } => (),
            },
            _ => (), // No record and no mark comes of it.
        }
    }

    /// Somebody hears number `seq` of a room: it is something that was said there, and what everybody
    /// else hears under it, but for what amendments change.
    pub(crate) fn check(&mut self, room: &str, seq: u64, heard: &Message, copy: Copy) {
        let log = self.rooms.entry(room.to_owned()).or_default();
        if !log.check(seq, heard, copy) {
            return;
        }
        let Message { content, event, amendment, state, .. } = heard;
        let words =
            |words: &str| self.said.get(room).is_some_and(|said| said.contains(line(words)));
        let was_said = match (event, amendment) {
            (None, None) if state.is_deleted => content.is_empty(),
            (None, None) => words(content),
            (None, Some(Amendment::Edit { content, .. } | Amendment::Restore { content, .. })) => {
                content.as_deref().is_none_or(words)
            }
            (None, Some(Amendment::React { emoji, .. })) => {
                emoji.as_deref().is_none_or(|emoji| self.subjects.contains(emoji))
            }
            (None, Some(Amendment::Delete { .. })) => true,
            (Some(RoomEvent::Unknown), _) => false,
            (Some(RoomEvent::Joined | RoomEvent::Left), _) => content.is_empty(),
            (Some(RoomEvent::Added | RoomEvent::Removed), _) => !content.is_empty(), // By any spelling.
            (Some(RoomEvent::Created | RoomEvent::Renamed | RoomEvent::Topic), _) => {
                content.is_empty() || self.subjects.contains(content)
            }
        };
        assert!(was_said, "nobody said {heard:.40?}, number {seq} of {room:?}");
        assert!(event.is_none() || room != HALL, "{heard:?} in the hall");
    }

    /// Somebody called `name` is told of a room that they are in, when everything up to `known` was
    /// known to be there.
    pub(crate) fn check_room(&mut self, told: &Room<'_>, name: &str, known: u64) {
        let Room { room, kind, with, last, read, unread, .. } = told;
        let (room, name) = (room.to_string(), name.to_owned());
        assert_eq!(*kind == RoomKind::Hall, room == HALL, "{told:?}");
        assert!(read <= last, "{told:?}");
        let log = self.rooms.entry(room.clone()).or_default();
        log.check_last(*last, known);
        let mut with: Vec<_> =
            with.iter().flat_map(|names| &names.0).map(ToString::to_string).collect();
        with.sort_unstable();
        log.check_kind(*kind, &with);
        self.check_mark(&room, &name, *read);
        let (last, read, unread) = (*last, *read, *unread);
        self.note(Claim::Unread { room: room.clone(), name: name.clone(), read, last, unread });
        if room != HALL {
            self.note(Claim::Member { room, name, last });
        }
    }

    /// Somebody is told how far they have seen a room.
    pub(crate) fn check_mark(&mut self, room: &str, name: &str, read: u64) {
        self.note(Claim::Mark { room: room.to_owned(), name: name.to_owned(), read });
    }

    /// Somebody is told something that the whole log must bear out.
    pub(crate) fn note(&mut self, claim: Claim) {
        self.claims.note(claim);
    }

    /// Returns how far somebody is known to have seen a room.
    pub(crate) fn mark(&self, room: &str, name: &str) -> u64 {
        self.claims.told_mark(room, name)
    }

    /// The store has a room of this kind, with these people in it.
    pub(crate) fn check_stored(&mut self, room: &str, kind: RoomKind, mut members: Vec<String>) {
        members.sort_unstable();
        let log = self.room(room);
        let with = if kind == RoomKind::Direct { members.clone() } else { Vec::new() };
        log.check_kind(kind, &with);
        if log.is_known_from_the_start() {
            let (stays, last) = (log.stays(), log.last());
            assert_eq!(stays.names_after(last), members, "the people in {room}: {stays:?}");
        }
    }

    /// The store has that somebody has seen a room up to number `seq`, and keeps those after
    /// `forgotten_to`: so they were told no more, but of what they had said themselves.
    pub(crate) fn check_stored_mark(&self, room: &str, name: &str, seq: u64, forgotten_to: u64) {
        let told = self.mark(room, name);
        let is_kept = told <= seq.max(forgotten_to) || self.rooms[room].is_by(told, name);
        assert!(is_kept, "{name} was told that they have seen {told} of {room:?}, not {seq}");
    }

    /// Returns the log of a room, of which nothing need have been heard.
    pub(crate) fn room(&mut self, room: &str) -> &mut RoomLog {
        self.rooms.entry(room.to_owned()).or_default()
    }

    /// Returns every room that was heard of, by its id.
    pub(crate) fn rooms(&self) -> &BTreeMap<String, RoomLog> {
        &self.rooms
    }

    /// Returns the ids of the open rooms whose making was heard of.
    pub(crate) fn open_rooms(&self) -> Vec<String> {
        let is_open = |log: &RoomLog| log.kind() == Some(RoomKind::Open) && 0 < log.last();
        let open = self.rooms.iter().filter(|(_, log)| is_open(log));
        open.map(|(room, _)| room.clone()).collect()
    }

    /// Somebody is told of the open rooms, who asked for them when `known` were known to be; returns
    /// their ids. Those that are missing are over.
    pub(crate) fn check_open_rooms(
        &mut self,
        rooms: &RoomList<'_>,
        known: &[String],
    ) -> Vec<String> {
        for Room { room, kind, .. } in &rooms.0 {
            assert_eq!(*kind, RoomKind::Open, "{room:?} is listed");
            self.room(room).check_kind(*kind, &[]);
        }
        let rooms: Vec<_> = rooms.0.iter().map(|room| room.room.to_string()).collect();
        self.over.extend(known.iter().filter(|room| !rooms.contains(room)).cloned());
        rooms
    }

    /// Returns the last number of each room that was heard.
    pub(crate) fn lasts(&self) -> BTreeMap<String, u64> {
        self.rooms.iter().map(|(room, log)| (room.clone(), log.last())).collect()
    }

    /// Returns number `seq` of the hall.
    pub(crate) fn message(&self, seq: u64) -> &Message {
        self.rooms[HALL].message(seq)
    }

    /// Returns every message of the hall that was heard, by its number.
    pub(crate) fn messages(&self) -> impl Iterator<Item = (u64, &Message)> {
        self.rooms.get(HALL).into_iter().flat_map(RoomLog::messages)
    }

    /// Returns the last number of the hall; 0 if there is none.
    pub(crate) fn last(&self) -> u64 {
        self.rooms.get(HALL).map_or(0, RoomLog::last)
    }

    /// Everything of each room after its number up to which its log need not have anything any more was
    /// heard, up to the last number that anybody was told of, and is in order; and all that anybody was
    /// told of rooms was so.
    pub(crate) fn check_whole(&self, forgotten_to: impl Fn(&str) -> u64) {
        for (room, log) in &self.rooms {
            log.check_whole(forgotten_to(room));
            if self.over.contains(room) {
                log.check_over(forgotten_to(room));
            }
        }
        self.claims.check(&self.rooms, &forgotten_to);
    }

    /// The records of each room that were heard are [in order](RoomLog::check_order).
    pub(crate) fn check_order(&self, forgotten_to: impl Fn(&str) -> u64) {
        for (room, log) in &self.rooms {
            log.check_order(forgotten_to(room));
        }
    }
}

/// Returns a text without the end of line that clients of protocol 1 put after it.
pub(crate) fn line(content: &str) -> &str {
    content.strip_suffix('\n').unwrap_or(content)
}
