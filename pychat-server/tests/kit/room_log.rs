//! The log of one room, as everybody together has heard it.

use std::collections::BTreeMap;

use pychat_wire::message::{RoomEvent, RoomKind};

/// One record as it was first heard.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Message {
    pub(crate) time: u64,
    pub(crate) author: String,
    /// The words of a message; the subject of an event, empty if it has none.
    pub(crate) content: String,
    /// The event that it is, unless it is a message.
    pub(crate) event: Option<RoomEvent>,
}

impl Message {
    /// Returns a message.
    pub(crate) fn text(time: u64, author: &str, content: &str) -> Self {
        Self { time, author: author.to_owned(), content: content.to_owned(), event: None }
    }
}

/// Every record of one room that was heard, by its number. All who hear a number must hear the same.
#[derive(Debug, Default)]
pub(crate) struct RoomLog {
    heard: BTreeMap<u64, Message>,
    /// The least size of records that a page had no room for, and that nobody has heard, in bytes of
    /// their text.
    unheard: BTreeMap<u64, usize>,
    /// The last number that anybody was told of.
    last_told: u64,
    /// The kind of the room, once somebody was told.
    kind: Option<RoomKind>,
    /// The people of a direct room.
    with: Vec<String>,
}

/// The stays of people in a room: from the record by which each came to the one by which they went.
#[derive(Debug, Default)]
pub(crate) struct Stays(BTreeMap<String, Vec<(u64, u64)>>);

impl RoomLog {
    /// Somebody hears number `seq`; returns true if nobody has heard it before.
    pub(crate) fn check(&mut self, seq: u64, heard: &Message) -> bool {
        let is_new = !self.heard.contains_key(&seq);
        if is_new {
            let least = self.unheard.remove(&seq).unwrap_or_default();
            assert!(least <= heard.content.len(), "a page had room for number {seq}");
            self.heard.insert(seq, heard.clone());
        }
        assert_eq!(&self.heard[&seq], heard, "number {seq}");
        is_new
    }

    /// Somebody is told that number `seq` is the last, who said hello when `known` was known to be
    /// there.
    pub(crate) fn check_last(&mut self, seq: u64, known: u64) {
        assert!(known <= seq, "number {known} was there before, {seq} is told to be the last");
        self.last_told = self.last_told.max(seq);
    }

    /// Somebody is told what the room is, and whom it is between.
    pub(crate) fn check_kind(&mut self, kind: RoomKind, with: &[String]) {
        if self.kind.replace(kind).is_none() {
            self.with = with.to_vec();
        }
        assert_eq!((self.kind, &*self.with), (Some(kind), with), "a kind never changes");
        assert_eq!(kind == RoomKind::Direct, (2..=8).contains(&with.len()), "between {with:?}");
    }

    /// Returns the kind of the room, if anybody was told.
    pub(crate) fn kind(&self) -> Option<RoomKind> {
        self.kind
    }

    /// Returns number `seq`.
    pub(crate) fn message(&self, seq: u64) -> &Message {
        &self.heard[&seq]
    }

    /// Returns true if number `seq` was heard, and is by `name`.
    pub(crate) fn is_by(&self, seq: u64, name: &str) -> bool {
        self.heard.get(&seq).is_some_and(|message| message.author == name)
    }

    /// Returns the event that number `seq` is, if it was heard and is one.
    pub(crate) fn event(&self, seq: u64) -> Option<RoomEvent> {
        self.heard.get(&seq).and_then(|message| message.event)
    }

    /// Returns every record that was heard, by its number.
    pub(crate) fn messages(&self) -> impl DoubleEndedIterator<Item = (u64, &Message)> {
        self.heard.iter().map(|(seq, message)| (*seq, message))
    }

    /// Returns the size of number `seq`, if anybody has heard it, in bytes of its text.
    pub(crate) fn bytes(&self, seq: u64) -> Option<usize> {
        self.heard.get(&seq).map(|message| message.content.len())
    }

    /// Number `seq`, if it was heard, or else once it is heard, has at least `least` bytes of text.
    pub(crate) fn check_bytes(&mut self, seq: u64, least: usize) {
        match self.bytes(seq) {
            Some(bytes) => assert!(least <= bytes, "a page had room for number {seq}"),
            None => _ = self.unheard.insert(seq, least),
        }
    }

    /// Returns the last number that was heard; 0 if there is none.
    pub(crate) fn last(&self) -> u64 {
        self.heard.last_key_value().map_or(0, |(seq, _)| *seq)
    }

    /// Everything after `forgotten_to`, up to which the log need not have anything any more, was heard,
    /// up to the last number that anybody was told of, and is [in order](Self::check_order).
    pub(crate) fn check_whole(&self, forgotten_to: u64) {
        let kept = self.heard.range(forgotten_to + 1..).map(|(seq, _)| *seq);
        assert!(kept.eq(forgotten_to + 1..=self.last()), "numbers are dense");
        let last = self.last().max(forgotten_to);
        assert!(self.last_told <= last, "{} was never there", self.last_told);
        self.check_order(forgotten_to);
    }

    /// Nobody is in the room, which is over, and nothing that was said after `forgotten_to` is in it.
    pub(crate) fn check_over(&self, forgotten_to: u64) {
        let said = self.heard.range(forgotten_to + 1..).filter(|(_, it)| it.event.is_none());
        assert_eq!(said.count(), 0, "there was something to read: {self:?}");
        if self.is_known_from_the_start() {
            let stays = self.stays();
            assert!(stays.names_after(self.last()).is_empty(), "somebody is there: {stays:?}");
        }
    }

    /// No time is before the one before it. What somebody tagged as `@WHO.NUMBER`, however often it
    /// was sent, is there once, unless it was said again after it was forgotten.
    pub(crate) fn check_order(&self, forgotten_to: u64) {
        assert!(self.heard.values().is_sorted_by_key(|message| message.time), "time goes back");
        let mut tags = BTreeMap::new();
        for (seq, Message { content, .. }) in &self.heard {
            if let Some((tag, _)) = content.split_once(' ')
                && tag.starts_with('@')
                && let Some(first) = tags.insert(tag, *seq)
            {
                assert!(first <= forgotten_to, "{tag} is there twice, as {first} and {seq}");
            }
        }
    }

    /// Returns true if every record from the first one on was heard.
    pub(crate) fn is_known_from_the_start(&self) -> bool {
        !self.heard.is_empty() && self.heard.len() as u64 == self.last()
    }

    /// Returns who was in the room when, by its records, each of which must be of somebody who was in
    /// it, and must change something.
    pub(crate) fn stays(&self) -> Stays {
        let mut stays = Stays::default();
        for (seq, Message { author, content: subject, event, .. }) in &self.heard {
            let seq = *seq;
            match event {
                Some(RoomEvent::Created) => {
                    assert_eq!(seq, 1, "a room begins with its making");
                    stays.enter(author, 1);
                    self.with.iter().filter(|it| *it != author).for_each(|it| stays.enter(it, 1));
                    continue;
                }
                Some(RoomEvent::Joined) => {
                    stays.enter(author, seq);
                    continue;
                }
                _ => assert!(stays.has(author, seq), "{author} is not there, number {seq}"),
            }
            match event {
                Some(RoomEvent::Left) => stays.go(author, seq),
                Some(RoomEvent::Added) => stays.enter(subject, seq),
                Some(RoomEvent::Removed) => stays.go(subject, seq),
                _ => (),
            }
        }
        stays
    }

    /// Returns how many of the numbers in `range` are messages of others than `name`.
    ///
    /// No more than the last `n_max` messages are looked at.
    pub(crate) fn count_of_others(
        &self,
        range: std::ops::RangeInclusive<u64>,
        name: &str,
        n_max: usize,
    ) -> u64 {
        let until = ..=*range.end();
        let messages = self.heard.range(until).rev().filter(|(_, it)| it.event.is_none());
        let counts = |(seq, it): &(&u64, &Message)| range.contains(seq) && it.author != name;
        messages.take(n_max).filter(counts).count() as u64
    }
}

impl Stays {
    fn enter(&mut self, name: &str, seq: u64) {
        assert!(!self.has(name, seq), "{name} comes, being there, number {seq}");
        self.0.entry(name.to_owned()).or_default().push((seq, u64::MAX));
    }

    fn go(&mut self, name: &str, seq: u64) {
        let stays = self.0.get_mut(name).and_then(|stays| stays.last_mut());
        let (_, end) = stays.filter(|(_, end)| *end == u64::MAX).expect("who goes is there");
        *end = seq;
    }

    /// Returns true if `name` was there when number `seq` was said: it may be the one by which they
    /// came, or went.
    pub(crate) fn has(&self, name: &str, seq: u64) -> bool {
        self.of(name).any(|(from, to)| (from..=to).contains(&seq))
    }

    /// Returns true if `name` was there after number `seq`.
    pub(crate) fn has_after(&self, name: &str, seq: u64) -> bool {
        self.of(name).any(|(from, to)| (from..to).contains(&seq))
    }

    /// Returns true if `name` was there all the time after number `seq`.
    pub(crate) fn has_ever_after(&self, name: &str, seq: u64) -> bool {
        self.of(name).any(|(from, to)| from <= seq && to == u64::MAX)
    }

    /// Returns true if `name` ever was there.
    pub(crate) fn had(&self, name: &str) -> bool {
        self.of(name).next().is_some()
    }

    /// Returns the names of those who were there after number `seq`, sorted.
    pub(crate) fn names_after(&self, seq: u64) -> Vec<&str> {
        self.0.keys().map(|name| &**name).filter(|name| self.has_after(name, seq)).collect()
    }

    /// Returns true if `name` came with number `seq`.
    pub(crate) fn is_entry(&self, name: &str, seq: u64) -> bool {
        self.of(name).any(|(from, _)| from == seq)
    }

    fn of(&self, name: &str) -> impl Iterator<Item = (u64, u64)> {
        self.0.get(name).into_iter().flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the log of these records: an author, an event and its subject.
    fn log(records: &[(&str, Option<RoomEvent>, &str)]) -> RoomLog {
        let mut log = RoomLog::default();
        for (seq, (author, event, content)) in (1..).zip(records) {
            let (author, content) = ((*author).to_owned(), (*content).to_owned());
            log.check(seq, &Message { time: seq, author, content, event: *event });
        }
        log
    }

    const CREATED: (&str, Option<RoomEvent>, &str) = ("a", Some(RoomEvent::Created), "");

    #[test]
    fn a_stay_is_from_the_coming_to_the_going() {
        let added = ("a", Some(RoomEvent::Added), "b");
        let removed = ("a", Some(RoomEvent::Removed), "b");
        let stays = log(&[CREATED, added, ("b", None, "hi"), removed, ("a", None, "ho")]).stays();
        assert_eq!(
            [1, 2, 3, 4, 5].map(|seq| stays.has("b", seq)),
            [false, true, true, true, false]
        );
        assert_eq!(
            [1, 2, 3, 4, 5].map(|seq| stays.has_after("b", seq)),
            [false, true, true, false, false]
        );
        assert!(stays.has_ever_after("a", 1) && !stays.has_ever_after("b", 2));
        assert_eq!((stays.names_after(2), stays.names_after(4)), (vec!["a", "b"], vec!["a"]));
    }

    #[test]
    #[should_panic(expected = "b is not there, number 3")]
    fn nobody_talks_where_they_are_no_more() {
        let left = ("a", Some(RoomEvent::Left), "");
        log(&[CREATED, left, ("b", None, "hi")]).stays();
    }

    #[test]
    #[should_panic(expected = "b comes, being there, number 3")]
    fn nobody_comes_twice() {
        let joined = ("b", Some(RoomEvent::Joined), "");
        log(&[CREATED, joined, joined]).stays();
    }

    #[test]
    fn what_is_unread_is_of_others_and_no_event() {
        let joined = ("b", Some(RoomEvent::Joined), "");
        let log = log(&[CREATED, joined, ("a", None, "1"), ("b", None, "2"), ("a", None, "3")]);
        assert_eq!(
            (log.count_of_others(1..=5, "b", 9), log.count_of_others(4..=5, "b", 9)),
            (2, 1)
        );
        assert_eq!(log.count_of_others(1..=4, "b", 9), 1);
        assert_eq!(log.count_of_others(1..=5, "b", 2), 1, "the last two alone");
    }
}
