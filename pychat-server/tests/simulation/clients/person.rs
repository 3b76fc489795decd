//! Somebody with a client: what they said, what they were shown, and what survives them.

use std::collections::HashSet;

use pychat_wire::{
    Client, UserName,
    client::{Begin, Event, Message, MessageId, RoomId, Saved},
};

use super::{Fault, Fired};

/// One thing on somebody's screen, with the log that it belongs to.
#[derive(Clone, Debug)]
pub(crate) enum Shown {
    Message { epoch: usize, message: Message },
    Gap { epoch: usize, from: u64, to: u64 },
}

impl Shown {
    pub(crate) fn epoch(&self) -> usize {
        match self {
            Self::Message { epoch, .. } | Self::Gap { epoch, .. } => *epoch,
        }
    }

    /// Returns the first and the last number that it stands for.
    pub(crate) fn range(&self) -> (u64, u64) {
        match self {
            Self::Message { message, .. } => {
                let seq = message.seq.expect("protocol 2 has numbers");
                (seq, seq)
            }
            Self::Gap { from, to, .. } => (*from, *to),
        }
    }
}

/// A text that was taken.
pub(crate) struct Said {
    id: MessageId,
    pub(crate) content: String,
    pub(crate) care: Care,
}

/// The care that was taken to keep a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Care {
    NotYet,
    Stored,
    /// Its sender was killed before it was stored: it may have been sent, or not.
    Neglected,
}

pub(crate) struct Person {
    pub(crate) name: UserName,
    /// True if they look at the last page first, and lose their screen when they are killed.
    pub(crate) is_window: bool,
    pub(crate) client: Client,
    /// The line that their client knows of.
    pub(crate) line: Option<usize>,
    pub(crate) is_calling: bool,
    pub(crate) said: Vec<Said>,
    /// The ids of the texts that the server has accepted, of all that were ever said.
    accepted: HashSet<MessageId>,
    pub(crate) shown: Vec<Shown>,
    stored: Saved,
    n_stored: usize,
    n_lives: u128,
}

impl Person {
    pub(crate) fn new(number: usize, is_window: bool) -> Self {
        let name = UserName::new(&format!("p{number}")).expect("a good name");
        let n_lives = (number as u128) << 64; // No two lives choose the same secrets.
        let mut person = Self {
            client: client(&name, Saved::default(), n_lives, is_window),
            name,
            is_window,
            line: None,
            is_calling: false,
            said: Vec::new(),
            accepted: HashSet::new(),
            shown: Vec::new(),
            stored: Saved::default(),
            n_stored: 0,
            n_lives,
        };
        person.heed(&Fired::default());
        person
    }

    /// Says something that was never said before, if it can be said.
    pub(crate) fn say(&mut self) -> bool {
        let content = format!("@{}.{} says something", self.name.as_str(), self.said.len());
        let Ok(id) = self.client.say(&RoomId::hall(), &content) else { return false };
        self.said.push(Said { id, content, care: Care::NotYet });
        true
    }

    /// Does and shows what the client says; returns true if its line is to be closed.
    pub(crate) fn heed(&mut self, fired: &Fired) -> bool {
        let mut is_closing = false;
        while let Some(event) = self.client.next_event() {
            match event {
                Event::Connect => self.is_calling = true,
                Event::Disconnect => (is_closing, self.is_calling) = (true, false),
                Event::Message(message) => {
                    self.accepted.extend(message.id.clone());
                    let epoch = self.epoch();
                    self.shown.push(Shown::Message { epoch, message });
                }
                Event::Page(page) => {
                    self.show_older(page.messages);
                }
                Event::Gap { from, to, room: _ } => {
                    fired.note(Fault::Gap);
                    let epoch = self.epoch();
                    self.shown.push(Shown::Gap { epoch, from, to });
                }
                Event::NewEpoch => fired.note(Fault::OtherEpoch),
                Event::Accepted { id, .. } => drop(self.accepted.insert(id)),
                Event::Offline { retry_at_ms, cause } => {
                    assert!(retry_at_ms.is_some(), "{cause:?}");
                }
                Event::Failed { text, reason, .. } => panic!("{text} failed: {reason:?}"),
                Event::Refused { reason: text, .. }
                | Event::Denied { text, .. }
                | Event::Notice { text } => panic!("{text}"),
                _ => (),
            }
        }
        is_closing
    }

    /// Shows a page. What was forgotten while it was sent may be missing from it, or after it.
    fn show_older(&mut self, messages: Vec<Message>) {
        let epoch = self.epoch();
        let newer = std::mem::take(&mut self.shown);
        let page = messages.into_iter().map(|message| Shown::Message { epoch, message });
        let mut newer = newer.into_iter();
        for shown in page.chain(newer.next()) {
            let last = self.shown.last().map(|last| last.range().1);
            let from = last.filter(|_| shown.epoch() == epoch).map(|last| last + 1);
            if let (Some(from), to) = (from, shown.range().0 - 1)
                && from <= to
            {
                self.shown.push(Shown::Gap { epoch, from, to });
            }
            self.shown.push(shown);
        }
        self.shown.extend(newer);
    }

    /// Returns true if the server has accepted this text.
    pub(crate) fn has_accepted(&self, said: &Said) -> bool {
        self.accepted.contains(&said.id)
    }

    /// Stores what is to be stored, together with what was shown.
    pub(crate) fn store(&mut self) {
        if let Some(saved) = self.client.take_saved() {
            self.stored = saved.clone();
            self.n_stored = self.shown.len();
            self.care(Care::Stored);
        }
    }

    /// The process is gone; another one goes on from what was stored.
    pub(crate) fn kill(&mut self) {
        self.n_lives += 1;
        self.care(Care::Neglected);
        self.shown.truncate(if self.is_window { 0 } else { self.n_stored });
        let json = serde_json::to_string(&self.stored).expect("it can be written");
        let saved = serde_json::from_str(&json).expect("and read");
        self.client = client(&self.name, saved, self.n_lives, self.is_window);
        (self.line, self.is_calling) = (None, false);
        self.heed(&Fired::default());
    }

    fn care(&mut self, care: Care) {
        for said in self.said.iter_mut().filter(|said| said.care == Care::NotYet) {
            said.care = care;
        }
    }

    /// Returns which log is being shown.
    fn epoch(&self) -> usize {
        let saved = serde_json::to_value(self.client.saved()).expect("it can be written");
        let epoch = saved["epoch"].as_str().expect("somebody is shown something of it");
        usize::from_str_radix(epoch, 16).expect("the number of a log")
    }
}

fn client(name: &UserName, saved: Saved, seed: u128, is_window: bool) -> Client {
    let bytes = std::array::from_fn(|index| seed.to_le_bytes()[index % 16]);
    let begin = if is_window { Begin::LastPage(5) } else { Begin::Everything };
    Client::new(name.clone(), saved, bytes).beginning(begin).persistent()
}
