//! A message of a conversation. Its author never changes; its words do when it is edited or deleted,
//! and comings and goings gather in one message as long as nobody says anything. Its reactions, its
//! delivery, its placement and its search matches change too.

mod amending;
mod reply;

use std::{ops::Range, rc::Rc};

use gtk::{
    glib,
    glib::{prelude::*, subclass::prelude::*},
};
use pychat_wire::client::{MessageId, MessageState};

use self::amending::Amending;
pub use self::amending::{Deletion, Pending};
use super::{
    grouping::{GroupKey, Placement},
    presence::{Presence, PresenceEvent},
};
use crate::text::i18n::gettext;

/// The kind of a message, by its author's relation to the reader.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, glib::Enum)]
#[enum_type(name = "PychatMessageKind")]
pub enum MessageKind {
    /// Somebody else.
    #[default]
    Other,
    /// The reader.
    Own,
    /// The chat itself: somebody came or went.
    Notice,
    /// The chat itself, to the reader who has just joined.
    Welcome,
}

/// The delivery state of a message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, glib::Enum)]
#[enum_type(name = "PychatDelivery")]
pub enum Delivery {
    /// It is in the room.
    #[default]
    Sent,
    /// It is on its way, and in the room as soon as the server says so.
    Sending,
    /// It is not in the room, or perhaps not, and will not be sent again by itself.
    Failed,
}

/// The result of a search for a message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mark {
    /// It is not known to match.
    #[default]
    None,
    /// It matches: its text or its author's name has what is searched for.
    Found,
    /// It matches, and is the result being looked at.
    Current,
}

mod imp {
    use std::{
        cell::{Cell, OnceCell, RefCell},
        sync::OnceLock,
    };

    use gtk::glib::subclass::Signal;

    use super::*;

    #[derive(Debug, Default)]
    pub struct Message {
        pub(super) kind: Cell<MessageKind>,
        pub(super) author: OnceCell<String>,
        pub(super) is_from_bot: Cell<bool>,
        pub(super) amending: Amending,
        pub(super) mentions: RefCell<Rc<[Range<usize>]>>,
        /// The reader's name, if somebody else said it.
        pub(super) reader: OnceCell<String>,
        pub(super) time_ms: Cell<i64>,
        pub(super) delivery: Cell<Delivery>,
        pub(super) failure: RefCell<String>,
        pub(super) placement: Cell<Placement>,
        pub(super) presence: RefCell<Option<Presence>>,
        pub(super) mark: Cell<Mark>,
        pub(super) found: RefCell<Vec<Range<usize>>>,
        pub(super) seq: Cell<Option<u64>>,
        pub(super) id: OnceCell<MessageId>,
        /// The number of the message that it answers.
        pub(super) reply: Cell<Option<u64>>,
        /// True if it is known to answer its reader.
        pub(super) answers_reader: Cell<bool>,
        /// That message, while it is in the history.
        pub(super) quoted: glib::WeakRef<super::Message>,
        /// True for a moment once somebody was led to it.
        pub(super) is_flashed: Cell<bool>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Message {
        const NAME: &'static str = "PychatMessage";
        type Type = super::Message;
    }

    impl ObjectImpl for Message {
        fn signals() -> &'static [Signal] {
            static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
            SIGNALS.get_or_init(|| vec![Signal::builder("changed").build()])
        }
    }
}

glib::wrapper! {
    /// A message of a conversation.
    ///
    /// Emits `changed` when it has arrived or failed, was amended, stands otherwise than before, is
    /// found by a search, or has more comings and goings in it.
    pub struct Message(ObjectSubclass<imp::Message>);
}

impl Message {
    /// Makes a message that was said or heard at `time_ms`, in UTC milliseconds since 1970. The
    /// chat itself is nobody: its `author` is empty.
    pub fn new(kind: MessageKind, author: &str, text: &str, time_ms: i64) -> Self {
        let message: Self = glib::Object::new();
        let imp = message.imp();
        imp.kind.set(kind);
        imp.author.get_or_init(|| author.to_owned());
        imp.amending.set_state(MessageState::new(text.to_owned()));
        imp.time_ms.set(time_ms);
        message
    }

    /// Makes a message of the reader's that is on its way, known as `id` until it has arrived.
    pub fn sending(id: MessageId, author: &str, text: &str, time_ms: i64) -> Self {
        let message = Self::new(MessageKind::Own, author, text, time_ms);
        message.imp().delivery.set(Delivery::Sending);
        message.imp().id.get_or_init(|| id);
        message
    }

    /// Makes the chat say that somebody came or went.
    pub fn presence(presence: PresenceEvent) -> Self {
        let message = Self::new(MessageKind::Notice, "", "", presence.time_ms);
        message.imp().presence.replace(Some([presence].into_iter().collect()));
        message
    }

    /// Gives it its number in the room.
    #[must_use]
    pub fn numbered(self, seq: Option<u64>) -> Self {
        self.imp().seq.set(seq);
        self
    }

    /// Lets it be read by the person called `reader`, whom it calls in these ranges of its words, in
    /// bytes.
    #[must_use]
    pub fn read_by(self, reader: String, mentions: impl Into<Rc<[Range<usize>]>>) -> Self {
        self.imp().mentions.replace(mentions.into());
        self.imp().reader.get_or_init(|| reader);
        self
    }

    /// Returns the emoji with which its reader reacts to it.
    pub fn own_reaction(&self) -> Option<String> {
        match self.kind() {
            MessageKind::Own => self.reaction_of(self.author()),
            _ => self.reaction_of(self.imp().reader.get()?),
        }
    }

    /// Returns what it is called by who asks for something to be done with it: its number, or else
    /// what it is known as while it has not arrived.
    pub fn key(&self) -> String {
        self.seq().map(|seq| seq.to_string()).or(self.id().map(Into::into)).unwrap_or_default()
    }

    /// Returns the kind of the message.
    pub fn kind(&self) -> MessageKind {
        self.imp().kind.get()
    }

    /// Returns the author's name; empty if it was the chat itself.
    pub fn author(&self) -> &str {
        self.imp().author.get().map_or("", String::as_str)
    }

    /// Returns true if its author is a bot.
    pub fn is_from_bot(&self) -> bool {
        self.imp().is_from_bot.get()
    }

    /// Takes in whether its author is a bot.
    pub fn set_from_bot(&self, is_from_bot: bool) {
        if self.imp().is_from_bot.replace(is_from_bot) != is_from_bot {
            self.tell_change();
        }
    }

    /// Returns what was said, as it reads now: plain text, never markup; empty once it was deleted.
    pub fn text(&self) -> Rc<str> {
        match &*self.imp().presence.borrow() {
            Some(presence) => presence.sentence().into(),
            None => self.imp().amending.text(),
        }
    }

    /// Returns the text to show: that it was deleted, if so.
    pub fn shown_text(&self) -> Rc<str> {
        if self.is_deleted() { gettext("Message deleted").into() } else { self.text() }
    }

    /// Returns true if its text sums up comings and goings, and grows with them.
    pub fn is_summary(&self) -> bool {
        self.imp().presence.borrow().is_some()
    }

    /// Returns the number of bytes of memory that its text, its reactions and its author's name take.
    pub(super) fn size(&self) -> usize {
        self.author().len() + self.imp().amending.size()
    }

    /// Returns what its text sums up; empty if it says everything.
    pub fn details(&self) -> String {
        let presence = self.imp().presence.borrow();
        presence.as_ref().map(Presence::details).unwrap_or_default()
    }

    /// Returns where its text calls its reader, in bytes.
    pub fn mentions(&self) -> Rc<[Range<usize>]> {
        if self.is_deleted() { Rc::default() } else { self.imp().mentions.borrow().clone() }
    }

    /// Returns true if it is for its reader: it mentions them, or answers them.
    pub fn calls_reader(&self) -> bool {
        !self.mentions().is_empty() || self.answers_reader()
    }

    /// Returns when it was said or heard, in UTC milliseconds since 1970.
    pub fn time_ms(&self) -> i64 {
        self.imp().time_ms.get()
    }

    /// Returns whether it is in the room, as it reads here.
    pub fn delivery(&self) -> Delivery {
        match self.imp().delivery.get() {
            Delivery::Sent if self.imp().amending.edit_pending_since_ms().is_some() => {
                Delivery::Sending
            }
            delivery => delivery,
        }
    }

    /// Returns true while it is not in the room itself.
    pub fn is_unsent(&self) -> bool {
        self.imp().delivery.get() != Delivery::Sent
    }

    /// Returns when it, or the change of it, began to be on its way, in UTC milliseconds since 1970.
    pub fn sending_since_ms(&self) -> i64 {
        self.imp().amending.edit_pending_since_ms().unwrap_or_else(|| self.time_ms())
    }

    /// Returns why it failed, in words.
    pub fn failure(&self) -> String {
        self.imp().failure.borrow().clone()
    }

    /// Returns where it stands.
    pub fn placement(&self) -> Placement {
        self.imp().placement.get()
    }

    /// Returns its number in the room, if it has one.
    pub fn seq(&self) -> Option<u64> {
        self.imp().seq.get()
    }

    /// Returns what it is known as while it has not arrived, if it had to be sent.
    pub fn id(&self) -> Option<&str> {
        self.imp().id.get().map(MessageId::as_str)
    }

    /// Returns the same as the client knows it.
    pub fn message_id(&self) -> Option<MessageId> {
        self.imp().id.get().cloned()
    }

    /// Returns the result of a search for it.
    pub fn mark(&self) -> Mark {
        self.imp().mark.get()
    }

    /// Returns where the text has what is searched for, in bytes.
    pub fn found(&self) -> Vec<Range<usize>> {
        self.imp().found.borrow().clone()
    }

    /// Takes in where the text has what is searched for: nowhere, if its author has; `None` if
    /// neither does.
    pub fn set_found(&self, found: Option<Vec<Range<usize>>>) {
        let mark = if found.is_none() { Mark::None } else { Mark::Found };
        let found = found.unwrap_or_default();
        let is_other = *self.imp().found.borrow() != found;
        self.imp().found.replace(found);
        if self.imp().mark.replace(mark) != mark || is_other {
            self.tell_change();
        }
    }

    /// Takes in whether it is the one being looked at, of those that have what is searched for.
    pub fn set_current(&self, is_current: bool) {
        let mark = if is_current { Mark::Current } else { Mark::Found };
        let before = self.imp().mark.get();
        if before != Mark::None && before != mark {
            self.imp().mark.set(mark);
            self.tell_change();
        }
    }

    /// Returns true if a person said it, not the chat itself.
    pub fn is_from_person(&self) -> bool {
        match self.kind() {
            MessageKind::Own | MessageKind::Other => true,
            MessageKind::Notice | MessageKind::Welcome => false,
        }
    }

    /// Calls `f` whenever something about it is otherwise than before.
    pub fn connect_changed(&self, f: impl Fn(&Self) + 'static) -> glib::SignalHandlerId {
        self.connect_closure(
            "changed",
            false,
            glib::closure_local!(move |message: &Self| f(message)),
        )
    }

    /// It has arrived: as number `seq`, at `time_ms`, where the server tells.
    pub(super) fn arrive(&self, seq: Option<u64>, time_ms: Option<i64>) {
        self.imp().seq.set(seq);
        if let Some(time_ms) = time_ms {
            self.imp().time_ms.set(time_ms);
        }
        self.imp().failure.take();
        self.imp().delivery.set(Delivery::Sent);
        self.tell_change();
    }

    /// It will not arrive; `failure` says why, in words.
    pub fn fail(&self, failure: &str) {
        self.imp().failure.replace(failure.to_owned());
        self.imp().delivery.set(Delivery::Failed);
        self.tell_change();
    }

    /// Returns what it is placed by.
    pub(super) fn group_key(&self) -> GroupKey<'_> {
        GroupKey {
            author: self.is_from_person().then(|| self.author()),
            is_own: self.kind() == MessageKind::Own,
            time_ms: self.time_ms(),
        }
    }

    /// It stands like this.
    pub(super) fn set_placement(&self, placement: Placement) {
        if self.imp().placement.replace(placement) != placement {
            self.tell_change();
        }
    }

    /// Takes in the comings and goings after it, if it and `after` consist of such and are one line
    /// together; returns false otherwise.
    pub(super) fn fold(&self, after: &Self) -> bool {
        let mut line = self.imp().presence.borrow_mut();
        let Some(presence) = line.as_mut() else { return false };
        let Some(more) = after.imp().presence.take() else { return false };
        let folded = presence.append(more);
        drop(line);
        match folded {
            Ok(()) => {
                self.tell_change();
                true
            }
            Err(more) => {
                after.imp().presence.replace(Some(more));
                false
            }
        }
    }

    /// Has every view of the message show it anew.
    pub(super) fn tell_change(&self) {
        self.emit_by_name::<()>("changed", &[]);
    }
}
