//! The things that people were told of rooms, which the whole log must bear out in the end.
//!
//! A claim is noted when it is heard, and judged when all records are known: what a welcome tells of
//! may have been heard by nobody yet.

use std::collections::{BTreeMap, BTreeSet};

use pychat_wire::{message::HALL, search::Query};

use super::room_log::{RoomLog, Stays};

/// The number above which unread messages are counted no further.
const UNREAD_MAX: u64 = 99;

/// The number of a room's last messages among which unread ones are counted.
const TAIL_MESSAGES: usize = 200;

/// Something that a person was told.
#[derive(Debug)]
pub(crate) enum Claim {
    /// They were in the room after number `last`, or came with the next.
    Member { room: String, name: String, last: u64 },
    /// They heard these numbers as they were said.
    Heard { room: String, name: String, from: u64, to: u64 },
    /// So many messages of others are unread.
    Unread { room: String, name: String, read: u64, last: u64, unread: u64 },
    /// They have seen everything up to `read`.
    Mark { room: String, name: String, read: u64 },
    /// These were the members at some time after number `after`.
    Members { room: String, after: u64, members: Vec<String> },
    /// They were in these rooms and no others, when everything up to these numbers had been said.
    Rooms { name: String, rooms: Vec<String>, known: BTreeMap<String, u64> },
    /// These are all messages that a query finds up to the numbers that were `known`, and that are before
    /// one message and not before the `end`; each is a room and a number.
    Found {
        query: Query,
        known: BTreeMap<String, u64>,
        before: Option<(String, u64)>,
        end: Option<(String, u64)>,
        found: BTreeSet<(String, u64)>,
    },
}

/// The claims that were made, and what people said themselves.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    noted: Vec<Claim>,
    /// The greatest number that somebody said they have seen, by room and name.
    marks: BTreeMap<(String, String), u64>,
    /// The greatest mark that anybody was told of, by room and name.
    told_marks: BTreeMap<(String, String), u64>,
}

impl Claims {
    /// Somebody is told something.
    pub(crate) fn note(&mut self, claim: Claim) {
        match &claim {
            Claim::Heard { room, name, from, to } => {
                if let Some(Claim::Heard { room: same, name: who, to: end, .. }) =
                    self.noted.last_mut()
                    && (&*same, &*who, *end + 1) == (room, name, *from)
                {
                    *end = *to;
                    return;
                }
            }
            Claim::Mark { room, name, read } => {
                let told = self.told_marks.entry((room.clone(), name.clone())).or_default();
                *told = (*told).max(*read);
            }
            _ => (),
        }
        self.noted.push(claim);
    }

    /// Somebody says that they have seen everything up to number `seq`.
    pub(crate) fn read(&mut self, room: &str, name: &str, seq: u64) {
        let mark = self.marks.entry((room.to_owned(), name.to_owned())).or_default();
        *mark = (*mark).max(seq);
    }

    /// Returns the greatest mark of somebody in a room that anybody was told of.
    pub(crate) fn told_mark(&self, room: &str, name: &str) -> u64 {
        self.told_marks.get(&(room.to_owned(), name.to_owned())).copied().unwrap_or_default()
    }

    /// Judges all claims by the whole logs of the rooms, of which numbers up to `forgotten_to` need
    /// not count.
    pub(crate) fn check(
        &self,
        rooms: &BTreeMap<String, RoomLog>,
        forgotten_to: &dyn Fn(&str) -> u64,
    ) {
        let stays = rooms.iter().filter(|(room, _)| *room != HALL);
        let stays: BTreeMap<_, _> = stays
            .filter(|(_, log)| log.is_known_from_the_start())
            .map(|(room, log)| (&**room, log.stays()))
            .collect();
        for claim in &self.noted {
            self.judge(claim, rooms, &stays, forgotten_to);
        }
    }

    fn judge(
        &self,
        claim: &Claim,
        rooms: &BTreeMap<String, RoomLog>,
        stays: &BTreeMap<&str, Stays>,
        forgotten_to: &dyn Fn(&str) -> u64,
    ) {
        match claim {
            Claim::Member { room, name, last } => {
                let Some(stays) = stays.get(&**room) else { return };
                let is_there = stays.has_after(name, *last) || stays.is_entry(name, last + 1);
                assert!(is_there, "{claim:?}: not in it");
            }
            Claim::Heard { room, name, from, to } => {
                let Some(stays) = stays.get(&**room) else { return };
                assert!((*from..=*to).all(|seq| stays.has(name, seq)), "{claim:?}: not in it");
            }
            Claim::Unread { room, name, read, last, unread } => {
                let (log, from) = (&rooms[room], (read + 1).max(forgotten_to(room) + 1));
                let least = log.count_of_others(from..=*last, name, TAIL_MESSAGES);
                // Somebody else may have had the name before.
                let most = log.count_of_others(read + 1..=*last, "", usize::MAX);
                let most = if log.is_known_from_the_start() { most } else { UNREAD_MAX };
                let range = least.min(UNREAD_MAX)..=most.min(UNREAD_MAX);
                assert!(range.contains(unread), "{claim:?}: it is {range:?}");
            }
            Claim::Mark { room, name, read } => {
                let Some(stays) = stays.get(&**room) else { return };
                let said = self.marks.get(&(room.clone(), name.clone())).copied();
                // What is not kept counts as seen.
                let is_meant = *read <= said.unwrap_or_default().max(forgotten_to(room))
                    || stays.is_entry(name, *read)
                    || stays.is_entry(name, read + 1)
                    || rooms[room].is_by(*read, name);
                assert!(is_meant, "{claim:?}: they have not said so");
            }
            Claim::Members { room, after, members } => {
                let Some(stays) = stays.get(&**room) else { return };
                let mut members: Vec<_> = members.iter().map(|name| &**name).collect();
                members.sort_unstable();
                let was_so =
                    (*after..=rooms[room].last()).any(|seq| stays.names_after(seq) == members);
                assert!(was_so, "{claim:?}: it never was so");
            }
            Claim::Rooms { name, rooms, known } => {
                for (room, last) in known {
                    let Some(stays) = stays.get(&**room) else { continue };
                    let is_told = rooms.contains(room);
                    assert!(is_told || !stays.has_ever_after(name, *last), "{claim:?}: not {room}");
                }
            }
            Claim::Found { query, known, before, end, found } => {
                // What is being forgotten may end a search before its time.
                if known.keys().any(|room| forgotten_to(room) != 0) {
                    return;
                }
                let time = |(room, seq): &(String, u64)| Some(rooms.get(room)?.find(*seq)?.time);
                let (before, end) = (before.as_ref().map(time), end.as_ref().map(time));
                // Of a place that nobody heard of, nothing is known.
                if before == Some(None) || end == Some(None) {
                    return;
                }
                let (before, end) = (before.flatten(), end.flatten());
                for (room, last) in known {
                    let Some(log) = rooms.get(room) else { continue };
                    for (seq, message) in log.always_found(query, *last) {
                        // Of those of one time, nobody knows which are before.
                        let is_meant = before.is_none_or(|before| message.time < before)
                            && end.is_none_or(|end| end < message.time);
                        let is_found = found.contains(&(room.clone(), seq));
                        assert!(
                            is_found || !is_meant,
                            "{claim:?}: {message:?}, number {seq} of {room:?}, is not found"
                        );
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use pychat_wire::message::RoomEvent;

    use crate::kit::room_log::{Copy, Message};

    /// Judges `claim` by a room that `a` made, that `b` joined, and in which both have talked.
    fn judge(claim: Claim) {
        let mut log = RoomLog::default();
        let records = [
            ("a", Some(RoomEvent::Created)),
            ("b", Some(RoomEvent::Joined)),
            ("a", None),
            ("b", None),
            ("b", Some(RoomEvent::Left)),
        ];
        for (seq, (author, event)) in (1..).zip(records) {
            log.check(seq, &Message::event(seq, author, event, ""), Copy::Live);
        }
        let mut claims = Claims::default();
        claims.read("r1", "b", 3);
        claims.note(claim);
        claims.check(&BTreeMap::from([("r1".to_owned(), log)]), &|_| 0);
    }

    fn it() -> (String, String) {
        ("r1".to_owned(), "b".to_owned())
    }

    #[test]
    fn what_is_so_is_borne_out() {
        let (room, name) = it();
        judge(Claim::Heard { room, name, from: 2, to: 5 });
        let (room, name) = it();
        judge(Claim::Member { room, name, last: 1 });
        let (room, name) = it();
        judge(Claim::Unread { room, name, read: 2, last: 4, unread: 1 });
        let (room, name) = it();
        judge(Claim::Mark { room, name, read: 4 });
        let (room, name) = it();
        judge(Claim::Members { room, after: 2, members: vec![name, "a".to_owned()] });
        let (room, name) = it();
        judge(Claim::Rooms { name, rooms: Vec::new(), known: BTreeMap::from([(room, 2)]) });
    }

    #[test]
    #[should_panic(expected = "not in it")]
    fn nobody_hears_what_was_said_before_they_came() {
        let (room, name) = it();
        judge(Claim::Heard { room, name, from: 1, to: 2 });
    }

    #[test]
    #[should_panic(expected = "not in it")]
    fn nobody_is_told_of_a_room_that_they_left() {
        let (room, name) = it();
        judge(Claim::Member { room, name, last: 5 });
    }

    #[test]
    #[should_panic(expected = "it is 1..=2")]
    fn what_is_unread_is_counted() {
        let (room, name) = it();
        judge(Claim::Unread { room, name, read: 2, last: 4, unread: 0 });
    }

    #[test]
    #[should_panic(expected = "they have not said so")]
    fn nobody_has_seen_more_than_they_said() {
        let (room, name) = (it().0, "a".to_owned());
        judge(Claim::Mark { room, name, read: 4 });
    }

    #[test]
    #[should_panic(expected = "it never was so")]
    fn members_are_those_who_are_in_it() {
        let (room, name) = it();
        judge(Claim::Members { room, after: 5, members: vec![name, "a".to_owned()] });
    }

    #[test]
    #[should_panic(expected = "not r1")]
    fn a_welcome_leaves_no_room_out() {
        let (room, name) = (it().0, "a".to_owned());
        judge(Claim::Rooms { name, rooms: Vec::new(), known: BTreeMap::from([(room, 2)]) });
    }
}
