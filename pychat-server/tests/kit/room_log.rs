//! The log of one room, as everybody together has heard it.

mod looks;
mod message;
mod stays;

use std::collections::{BTreeMap, BTreeSet};

use pychat_wire::message::{Amendment, RoomEvent, RoomKind};

pub(crate) use self::{
    message::{Copy, Message},
    stays::Stays,
};
use super::amended::{Look, Seen, State};

/// A page that was heard.
#[derive(Debug)]
pub(super) struct PageHeard {
    /// The numbers in it.
    pub(super) numbers: Vec<u64>,
    /// The last number that was heard when it was asked for.
    pub(super) known: u64,
    /// It has as many records as it may have, or begins with the first one.
    pub(super) is_full: bool,
}

/// Every record of one room that was heard, by its number. All who hear a number must hear the same,
/// but for what amendments change.
#[derive(Debug, Default)]
pub(crate) struct RoomLog {
    /// The records as they were said where anybody heard that, else as they were first heard.
    heard: BTreeMap<u64, Message>,
    /// The numbers of those that somebody heard as they were said.
    exact: BTreeSet<u64>,
    /// The ways in which messages were seen later, by their numbers.
    seen: BTreeMap<u64, Vec<Seen>>,
    /// The deletions of each message and what undid them, by their numbers.
    deletions: BTreeMap<u64, BTreeMap<u64, bool>>,
    /// The numbers that a page left out, and that nobody has heard.
    left_out: BTreeSet<u64>,
    /// The pages that were not as full as they could be, or seemed to be fuller.
    pages: Vec<PageHeard>,
    /// The last number that anybody was told of.
    last_told: u64,
    /// The kind of the room, once somebody was told.
    kind: Option<RoomKind>,
    /// The people of a direct room.
    with: Vec<String>,
}

impl RoomLog {
    /// Somebody hears number `seq`; returns true if nobody has heard it so before.
    pub(crate) fn check(&mut self, seq: u64, heard: &Message, copy: Copy) -> bool {
        let is_new = !self.heard.contains_key(&seq);
        if is_new {
            let is_left_out = self.left_out.remove(&seq);
            assert!(!is_left_out || heard.amendment.is_some(), "a page left out {seq}: {heard:?}");
            self.note_deletion(seq, heard);
        }
        let known = self.heard.entry(seq).or_insert_with(|| heard.clone());
        assert!(known.is_same(heard), "number {seq} is {heard:?} and {known:?}");
        match copy {
            Copy::Live => {
                assert_eq!(heard.state, State::default(), "number {seq} was just said");
                if self.exact.insert(seq) {
                    heard.clone_into(known);
                }
                assert_eq!(known, heard, "number {seq}");
                is_new
            }
            Copy::Later { known } => self.see(seq, heard, known) || is_new,
        }
    }

    fn note_deletion(&mut self, seq: u64, heard: &Message) {
        let (target, is_deleted) = match heard.amendment {
            Some(Amendment::Delete { target }) => (target, true),
            Some(Amendment::Restore { target, .. }) => (target, false),
            _ => return,
        };
        self.deletions.entry(target).or_default().insert(seq, is_deleted);
    }

    /// Returns true if a message has no words after number `seq`.
    fn is_deleted_after(&self, target: u64, seq: u64) -> bool {
        let deletions = self.deletions.get(&target);
        let last = deletions.and_then(|deletions| deletions.range(..=seq).next_back());
        last.is_some_and(|(_, is_deleted)| *is_deleted)
    }

    /// Somebody sees number `seq` as it was at some time after number `known`; returns true if nobody
    /// has seen it so before.
    fn see(&mut self, seq: u64, heard: &Message, known: u64) -> bool {
        let (target, look) = match &heard.amendment {
            Some(Amendment::Edit { target, content } | Amendment::Restore { target, content }) => {
                (*target, Look::Words(content.as_deref().map(ToOwned::to_owned)))
            }
            None if heard.event.is_none() => {
                let (words, state) = (heard.content.clone(), heard.state.clone());
                (seq, Look::Whole { words, state })
            }
            _ => return false,
        };
        let all = self.seen.entry(target).or_default();
        if let Some(seen) = all.iter_mut().find(|seen| seen.look == look) {
            seen.known = seen.known.max(known);
            return false;
        }
        all.push(Seen { look, known });
        true
    }

    /// Somebody is sent a page.
    pub(super) fn note_page(&mut self, page: PageHeard) {
        self.pages.push(page);
    }

    /// A page left out number `seq`, which must be an amendment.
    pub(super) fn leave_out(&mut self, seq: u64) {
        match self.heard.get(&seq) {
            Some(heard) => assert!(heard.amendment.is_some(), "a page left out {seq}: {heard:?}"),
            None => _ = self.left_out.insert(seq),
        }
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

    /// Returns number `seq`, if anybody heard it.
    pub(crate) fn find(&self, seq: u64) -> Option<&Message> {
        self.heard.get(&seq)
    }

    /// Returns true if number `seq` was heard, and is by `name`.
    pub(crate) fn is_by(&self, seq: u64, name: &str) -> bool {
        self.heard.get(&seq).is_some_and(|it| it.author == name && it.amendment.is_none())
    }

    /// Returns true if number `seq` was heard, and is an amendment.
    pub(crate) fn is_amendment(&self, seq: u64) -> bool {
        self.heard.get(&seq).is_some_and(|it| it.amendment.is_some())
    }

    /// Returns true if somebody heard number `seq` as it was said.
    pub(crate) fn is_exact(&self, seq: u64) -> bool {
        self.exact.contains(&seq)
    }

    /// Returns true if number `seq` may have been said with these words: nobody heard other ones of it.
    pub(crate) fn may_say(&self, seq: u64, words: &str) -> bool {
        !self.exact.contains(&seq) || self.heard[&seq].content == words
    }

    /// Returns the event that number `seq` is, if it was heard and is one.
    pub(crate) fn event(&self, seq: u64) -> Option<RoomEvent> {
        self.heard.get(&seq).and_then(|message| message.event)
    }

    /// Returns every record that was heard, by its number.
    pub(crate) fn messages(&self) -> impl DoubleEndedIterator<Item = (u64, &Message)> {
        self.heard.iter().map(|(seq, message)| (*seq, message))
    }

    /// Returns the last number that was heard; 0 if there is none.
    pub(crate) fn last(&self) -> u64 {
        self.heard.last_key_value().map_or(0, |(seq, _)| *seq)
    }

    /// Returns the last number that anybody has heard, or was told of.
    pub(crate) fn last_known(&self) -> u64 {
        self.last().max(self.last_told)
    }

    /// Everything after `forgotten_to`, up to which the log need not have anything any more, was heard,
    /// up to the last number that anybody was told of, and is [in order](Self::check_order).
    pub(crate) fn check_whole(&self, forgotten_to: u64) {
        let kept = self.heard.range(forgotten_to + 1..).map(|(seq, _)| *seq);
        assert!(kept.eq(forgotten_to + 1..=self.last()), "numbers are dense");
        let last = self.last().max(forgotten_to);
        assert!(self.last_told <= last, "{} was never there", self.last_told);
        self.check_order(forgotten_to);
        self.check_amended(forgotten_to);
    }

    /// Nobody is in the room, which is over, and nothing that was said after `forgotten_to` is in it.
    pub(crate) fn check_over(&self, forgotten_to: u64) {
        let said = self.heard.range(forgotten_to + 1..).filter(|(_, it)| it.is_text());
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

    /// Returns how many of the numbers in `range` are messages of others than `name` that have words at
    /// its end.
    ///
    /// No more than the last `n_max` messages are looked at.
    pub(crate) fn count_of_others(
        &self,
        range: std::ops::RangeInclusive<u64>,
        name: &str,
        n_max: usize,
    ) -> u64 {
        let until = ..=*range.end();
        let messages = self.heard.range(until).rev().filter(|(_, it)| it.is_text());
        let has_words = |seq| !self.is_deleted_after(seq, *range.end());
        let counts = |(seq, it): &(&u64, &Message)| {
            range.contains(*seq) && it.author != name && has_words(**seq)
        };
        messages.take(n_max).filter(counts).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the log of these records: an author, an event and its subject.
    fn log(records: &[(&str, Option<RoomEvent>, &str)]) -> RoomLog {
        let mut log = RoomLog::default();
        for (seq, (author, event, content)) in (1..).zip(records) {
            log.check(seq, &Message::event(seq, author, *event, content), Copy::Live);
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
