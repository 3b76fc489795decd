//! The records of one room that were shown to a person.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    fmt,
    ops::Range,
};

use pychat_wire::{
    client::{Amended, Message, MessageState, RoomRecord},
    message::{Amendment, RoomEvent},
};

/// A record as it was shown.
#[derive(Clone)]
pub(crate) struct Shown {
    pub(crate) seq: u64,
    pub(crate) time_ms: u64,
    pub(crate) author: String,
    pub(crate) what: What,
}

/// The content of a record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum What {
    Message { reply: Option<u64>, state: MessageState },
    Event { event: RoomEvent, subject: String },
    Amendment(Amendment<'static>),
}

impl Shown {
    /// Returns true if the other is the same record, but for what amendments change.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let is_same = match (&self.what, &other.what) {
            (What::Message { reply, .. }, What::Message { reply: other, .. }) => reply == other,
            (What::Amendment(it), What::Amendment(other)) => {
                let may_differ = matches!(it, Amendment::Edit { .. } | Amendment::Restore { .. });
                let is_like = (it.kind(), it.target()) == (other.kind(), other.target());
                it == other || (may_differ && is_like)
            }
            (it, other) => it == other,
        };
        let heads = [self, other].map(|it| (it.seq, it.time_ms, &*it.author));
        is_same && heads[0] == heads[1]
    }

    /// Returns true if the other looks the same, but for the order of reactions: who was told of some of
    /// them again has those later.
    pub(crate) fn looks_like(&self, other: &Self) -> bool {
        let looks_same = match (self.state(), other.state()) {
            (Some(state), Some(other)) => sorted(state) == sorted(other),
            _ => true,
        };
        looks_same && self.is_same(other)
    }

    /// Returns the state of a message.
    pub(crate) fn state(&self) -> Option<&MessageState> {
        match &self.what {
            What::Message { state, .. } => Some(state),
            What::Event { .. } | What::Amendment(_) => None,
        }
    }

    /// Returns true if the record is an amendment.
    pub(crate) fn is_amendment(&self) -> bool {
        matches!(self.what, What::Amendment(_))
    }

    /// Returns the event that the record is, and its subject.
    pub(crate) fn event(&self) -> Option<(RoomEvent, &str)> {
        match &self.what {
            What::Event { event, subject } => Some((*event, subject)),
            What::Message { .. } | What::Amendment(_) => None,
        }
    }
}

/// Returns a state in which the order of reactions does not matter.
fn sorted(state: &MessageState) -> MessageState {
    let mut state = state.clone();
    state.reactions.iter_mut().for_each(|(_, names)| names.sort_unstable());
    state.reactions.sort_unstable();
    state
}

/// A room as one person sees it, over all their lives.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    /// All that was ever shown, by its number; messages as they were shown or amended last.
    pub(crate) shown: BTreeMap<u64, Shown>,
    /// The numbers of the records that were shown as they were said.
    pub(crate) live: BTreeSet<u64>,
    /// The numbers that were shown in this life without a break, but for amendments that pages leave
    /// out; `None` while they are not in the room.
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

    /// Takes in the next record, and what it makes of its message.
    #[track_caller]
    pub(crate) fn show(&mut self, name: &str, shown: Shown, is_live: bool) {
        let span = self.span.as_mut().expect("nothing is shown of a room that one is not in");
        assert_eq!(shown.seq, span.end, "what {name} is shown next: {shown:?}");
        span.end += 1;
        let is_going = match shown.event() {
            Some((RoomEvent::Left, _)) => shown.author == name,
            Some((RoomEvent::Removed, subject)) => subject == name,
            _ => false,
        };
        assert!(!self.is_cut_short || is_going, "{name} is shown {shown:?} after a gap");
        if is_live {
            self.live.insert(shown.seq);
        }
        if let What::Amendment(amendment) = &shown.what
            && amendment.target() < shown.seq
            && let Some(message) = self.shown.get_mut(&amendment.target())
            && let What::Message { state, .. } = &mut message.what
        {
            state.amend(&shown.author, shown.time_ms, amendment);
        }
        self.keep(name, shown);
    }

    /// Takes in older records, after which amendments alone may be left out.
    #[track_caller]
    pub(crate) fn show_older(&mut self, name: &str, older: Vec<Shown>) {
        let span = self.span.as_mut().expect("nothing is shown of a room that one is not in");
        let (Some(first), Some(last)) = (older.first(), older.last()) else { return };
        let is_sorted = older.is_sorted_by(|a, b| a.seq < b.seq);
        assert!(is_sorted && last.seq < span.start, "{name} has {span:?}: {older:?}");
        span.start = first.seq;
        for shown in older {
            assert!(!shown.is_amendment(), "{name} is shown {shown:?} in a page");
            self.keep(name, shown);
        }
    }

    #[track_caller]
    fn keep(&mut self, name: &str, shown: Shown) {
        match self.shown.entry(shown.seq) {
            Entry::Vacant(place) => drop(place.insert_entry(shown)),
            Entry::Occupied(mut before) => {
                let known = before.get();
                assert!(known.is_same(&shown), "{name} is shown {shown:?} again: {known:?}");
                before.insert(shown);
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
        let Self { seq, time_ms, author, what } = self;
        write!(formatter, "{seq} at {time_ms} by {author}: ")?;
        match what {
            What::Message { reply, state } => {
                let MessageState { content, edited_ms, is_deleted, reactions } = state;
                write!(
                    formatter,
                    "{content:.40} to {reply:?}, {edited_ms:?} {is_deleted} {reactions:?}"
                )
            }
            What::Event { event, subject } => write!(formatter, "{event:?} {subject}"),
            What::Amendment(amendment) => write!(formatter, "{amendment:.40?}"),
        }
    }
}

impl From<Message> for Shown {
    fn from(message: Message) -> Self {
        Self {
            seq: message.seq.unwrap(),
            time_ms: message.time_ms.unwrap(),
            author: message.author,
            what: What::Message { reply: message.reply, state: message.state },
        }
    }
}

impl From<RoomRecord> for Shown {
    fn from(record: RoomRecord) -> Self {
        let (event, subject) = (record.event, record.subject.unwrap_or_default());
        Self {
            seq: record.seq,
            time_ms: record.time_ms,
            author: record.username,
            what: What::Event { event, subject },
        }
    }
}

impl From<Amended> for Shown {
    fn from(amended: Amended) -> Self {
        Self {
            seq: amended.seq,
            time_ms: amended.time_ms,
            author: amended.author,
            what: What::Amendment(amended.amendment),
        }
    }
}
