//! The records of one room that were shown to a person.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    fmt,
    ops::Range,
};

use pychat_wire::{
    client::{Message, RoomRecord},
    message::RoomEvent,
};

/// A record as it was shown.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Shown {
    pub(crate) seq: u64,
    pub(crate) time_ms: u64,
    pub(crate) author: String,
    /// The words of a message, or the subject of an event.
    pub(crate) content: String,
    pub(crate) event: Option<RoomEvent>,
}

/// A room as one person sees it, over all their lives.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    /// All that was ever shown, by its number.
    pub(crate) shown: BTreeMap<u64, Shown>,
    /// The numbers of the records that were shown as they were said.
    pub(crate) live: BTreeSet<u64>,
    /// The numbers that were shown in this life without a break; `None` while they are not in the room.
    span: Option<Range<u64>>,
    /// The first number from which on everything must have been shown, unless they are a window.
    pub(crate) begun_at: Option<u64>,
    /// Numbers were left out: nothing may come but what takes them out of the room.
    is_cut_short: bool,
}

impl Screen {
    /// Begins with what comes after `seq`.
    pub(crate) fn open(&mut self, seq: u64) {
        self.span = Some(seq + 1..seq + 1);
        self.begun_at.get_or_insert(seq + 1);
    }

    /// Nothing more comes.
    pub(crate) fn close(&mut self) {
        (self.span, self.is_cut_short) = (None, false);
    }

    /// Returns the number that comes next.
    pub(crate) fn next(&self) -> Option<u64> {
        self.span.as_ref().map(|span| span.end)
    }

    /// Returns the number of the oldest record that was shown in this life, or of the next one.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.span.as_ref().map(|span| span.start)
    }

    /// Takes in the next record.
    #[track_caller]
    pub(crate) fn show(&mut self, name: &str, shown: Shown, is_live: bool) {
        let span = self.span.as_mut().expect("nothing is shown of a room that one is not in");
        assert_eq!(shown.seq, span.end, "what {name} is shown next: {shown:?}");
        span.end += 1;
        let is_going = match shown.event {
            Some(RoomEvent::Left) => shown.author == name,
            Some(RoomEvent::Removed) => shown.content == name,
            _ => false,
        };
        assert!(!self.is_cut_short || is_going, "{name} is shown {shown:?} after a gap");
        if is_live {
            self.live.insert(shown.seq);
        }
        self.keep(name, shown);
    }

    /// Takes in older records, which end where those begin that were shown in this life.
    #[track_caller]
    pub(crate) fn show_older(&mut self, name: &str, older: Vec<Shown>) {
        let span = self.span.as_mut().expect("nothing is shown of a room that one is not in");
        let Some(first) = older.first() else { return };
        let seqs = older.iter().map(|shown| shown.seq);
        assert!(seqs.eq(first.seq..span.start), "{name} has {span:?}: {older:?}");
        span.start = first.seq;
        for shown in older {
            self.keep(name, shown);
        }
    }

    #[track_caller]
    fn keep(&mut self, name: &str, shown: Shown) {
        match self.shown.entry(shown.seq) {
            Entry::Vacant(place) => drop(place.insert_entry(shown)),
            Entry::Occupied(before) => {
                assert_eq!(*before.get(), shown, "what {name} is shown again");
            }
        }
    }

    /// Begins anew after `seq`, having missed too much.
    #[track_caller]
    pub(crate) fn skip_to(&mut self, seq: u64) {
        let next = self.next();
        assert!(next.is_some_and(|next| next <= seq), "{seq} is skipped, {next:?} is next");
        self.span = Some(seq + 1..seq + 1);
    }

    /// Takes in that the next numbers are left out.
    #[track_caller]
    pub(crate) fn miss(&mut self, from: u64, to: u64) {
        assert_eq!(self.next(), Some(from), "{from} to {to} are left out");
        self.span = Some(to + 1..to + 1);
        self.is_cut_short = true;
    }
}

// Texts are long, and unlike each other from the beginning.
impl fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seq, time_ms, author, content, event } = self;
        write!(formatter, "{seq} at {time_ms} by {author}: {event:?} {content:.40}")
    }
}

impl From<Message> for Shown {
    fn from(message: Message) -> Self {
        Self {
            seq: message.seq.unwrap(),
            time_ms: message.time_ms.unwrap(),
            author: message.author,
            content: message.state.content,
            event: None,
        }
    }
}

impl From<RoomRecord> for Shown {
    fn from(record: RoomRecord) -> Self {
        Self {
            seq: record.seq,
            time_ms: record.time_ms,
            author: record.username,
            content: record.subject.unwrap_or_default(),
            event: Some(record.event),
        }
    }
}
