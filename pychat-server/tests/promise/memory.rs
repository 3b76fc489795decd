//! The messages that a person was shown and said, in all their lives, and those that may come next.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
};

use pychat_wire::client::{Message, MessageId, Page};

use super::plan::Habit;

/// A message as it was shown.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Shown {
    pub(crate) seq: u64,
    pub(crate) time_ms: u64,
    pub(crate) author: String,
    pub(crate) content: String,
}

/// The memory of one person of protocol 2.
#[derive(Debug)]
pub(crate) struct Memory {
    name: String,
    /// A window forgets what it was shown when it is closed.
    is_window: bool,
    /// It is one device of several of the same person.
    pub(crate) is_shared: bool,
    /// The messages that were shown: to a window in this life, to all others in all lives.
    pub(crate) shown: Vec<Shown>,
    /// The number that comes next from the client; less than what was shown where it may repeat.
    pub(crate) next_seq: Option<u64>,
    /// The first number that they must have been shown, unless they are a window.
    pub(crate) begun_at: Option<u64>,
    /// The texts that were said and stored, which must come to be in the log.
    pub(crate) said: BTreeMap<MessageId, String>,
    /// In the order in which it was said.
    pub(crate) texts: Vec<String>,
    /// The texts that were lost with a life before they were stored, which must not.
    pub(crate) void: HashSet<String>,
    pub(crate) acknowledged: BTreeMap<MessageId, u64>,
}

impl Memory {
    /// Returns the memory of somebody who was never there.
    pub(crate) fn new(name: &str, habit: Habit) -> Self {
        Self {
            name: name.to_owned(),
            is_window: matches!(habit, Habit::Window { .. }),
            is_shared: false,
            shown: Vec::new(),
            next_seq: None,
            begun_at: None,
            said: BTreeMap::new(),
            texts: Vec::new(),
            void: HashSet::new(),
            acknowledged: BTreeMap::new(),
        }
    }

    /// Begins a life in which everything after `seq` counts as not shown.
    pub(crate) fn live(&mut self, seq: u64) {
        if self.is_window {
            self.shown.clear();
            self.next_seq = None;
        } else if self.next_seq.is_some() {
            self.next_seq = Some(seq + 1);
        }
    }

    /// Takes in that they were let in, when everything up to `seq` counted as shown.
    #[track_caller]
    pub(crate) fn join(&mut self, seq: u64, again: bool) {
        if self.next_seq.is_none() {
            assert!(!again, "{} was never there", self.name);
            self.next_seq = Some(seq + 1);
            self.begun_at = self.next_seq.filter(|_| !self.is_window);
        }
    }

    /// Takes in a message that was shown, which must be the next; returns true if another device of
    /// the same person has said it.
    #[track_caller]
    pub(crate) fn show(&mut self, message: Message) -> bool {
        let name = &self.name;
        let next = self.next_seq.expect("nothing is shown before we are in the room");
        let (is_own, id) = (message.own, message.id.clone());
        let shown = Shown::of(message);
        assert_eq!(shown.seq, next, "what {name} is shown next: {shown:?}");
        assert_eq!(is_own, shown.author == *name, "whose it is: {shown:?}");
        self.next_seq = Some(next + 1);
        let said_elsewhere = id.as_ref().is_some_and(|id| self.is_of_another(id));
        if let Some(id) = id.filter(|_| !said_elsewhere) {
            self.acknowledge(id, next);
        }
        match self.shown.last().map(|last| last.seq) {
            // Shown before the last death, and not stored.
            Some(last) if next <= last => {
                let index = next.checked_sub(self.shown[0].seq).expect("it was shown");
                let before = &self.shown[usize::try_from(index).unwrap()];
                assert_eq!(*before, shown, "what {} is shown again", self.name);
            }
            _ => self.shown.push(shown),
        }
        said_elsewhere
    }

    /// Returns true if another device has said the text with this id.
    fn is_of_another(&self, id: &MessageId) -> bool {
        self.is_shared && !self.said.contains_key(id)
    }

    /// Takes in a page of older messages, which goes before all that was shown.
    #[track_caller]
    pub(crate) fn show_page(&mut self, page: Page) {
        for message in &page.messages {
            if let (Some(id), Some(seq)) = (message.id.clone(), message.seq)
                && !self.is_of_another(&id)
            {
                self.acknowledge(id, seq);
            }
        }
        let older = page.messages.into_iter().map(Shown::of);
        self.shown.splice(0..0, older);
    }

    /// Takes in that a window missed so much that it begins anew after `seq`.
    #[track_caller]
    pub(crate) fn skip_to(&mut self, seq: u64) {
        assert!(self.is_window, "{} is shown everything", self.name);
        assert!(self.next_seq.is_some_and(|next| next <= seq), "{} has {seq}", self.name);
        self.shown.clear();
        self.next_seq = Some(seq + 1);
    }

    /// Takes in that a text has a number.
    #[track_caller]
    pub(crate) fn acknowledge(&mut self, id: MessageId, seq: u64) {
        let name = &self.name;
        assert!(self.said.contains_key(&id), "{name} never said {id}");
        let known = *self.acknowledged.entry(id).or_insert(seq);
        assert_eq!(known, seq, "one text of {name}'s has two numbers");
    }
}

// Texts are long, and unlike each other from the beginning.
impl fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seq, time_ms, author, content } = self;
        write!(formatter, "{seq} at {time_ms} by {author}: {content:.40}")
    }
}

impl Shown {
    fn of(message: Message) -> Self {
        Self {
            seq: message.seq.unwrap(),
            time_ms: message.time_ms.unwrap(),
            author: message.author,
            content: message.content,
        }
    }
}
