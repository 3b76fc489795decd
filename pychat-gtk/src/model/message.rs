//! One thing that was said. What and by whom never changes; whether it has arrived does.

use gtk::{
    glib,
    glib::{prelude::*, subclass::prelude::*},
};
use pychat_wire::client::MessageId;

/// Who said it, as far as the reader is concerned.
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

/// Whether it is in the room.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, glib::Enum)]
#[enum_type(name = "PychatDelivery")]
pub enum Delivery {
    /// It is.
    #[default]
    Sent,
    /// It will be, as soon as the server says so.
    Sending,
    /// It is not, or perhaps not, and will not be sent again by itself.
    Failed,
}

mod imp {
    use std::cell::{Cell, OnceCell, RefCell};

    use super::*;

    #[derive(Debug, Default, glib::Properties)]
    #[properties(wrapper_type = super::Message)]
    pub struct Message {
        /// Who said it, as far as the reader is concerned.
        #[property(get, construct_only, builder(MessageKind::default()))]
        kind: Cell<MessageKind>,
        /// The author's name; empty if it was the chat itself.
        #[property(get, construct_only)]
        author: OnceCell<String>,
        /// What was said: plain text, never markup.
        #[property(get, construct_only)]
        text: OnceCell<String>,
        /// When it was said or heard, in UTC milliseconds since 1970.
        #[property(get)]
        pub(super) time_ms: Cell<i64>,
        /// Whether it is in the room. Notified last, when everything else is up to date.
        #[property(get, builder(Delivery::default()))]
        pub(super) delivery: Cell<Delivery>,
        /// Why it failed, in words.
        #[property(get)]
        pub(super) failure: RefCell<String>,
        pub(super) seq: Cell<Option<u64>>,
        pub(super) id: OnceCell<MessageId>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Message {
        const NAME: &'static str = "PychatMessage";
        type Type = super::Message;
    }

    #[glib::derived_properties]
    impl ObjectImpl for Message {}
}

glib::wrapper! {
    /// One thing that was said.
    pub struct Message(ObjectSubclass<imp::Message>);
}

impl Message {
    /// Makes a message that was said or heard at `time_ms`, in UTC milliseconds since 1970. The
    /// chat itself is nobody: its `author` is empty.
    pub fn new(kind: MessageKind, author: &str, text: &str, time_ms: i64) -> Self {
        let message: Self = glib::Object::builder()
            .property("kind", kind)
            .property("author", author)
            .property("text", text)
            .build();
        message.imp().time_ms.set(time_ms);
        message
    }

    /// Makes a message of the reader's that is on its way, known as `id` until it has arrived.
    pub fn sending(id: MessageId, author: &str, text: &str, time_ms: i64) -> Self {
        let message = Self::new(MessageKind::Own, author, text, time_ms);
        message.imp().delivery.set(Delivery::Sending);
        message.imp().id.get_or_init(|| id);
        message
    }

    /// Gives it its number in the room.
    #[must_use]
    pub fn numbered(self, seq: Option<u64>) -> Self {
        self.imp().seq.set(seq);
        self
    }

    /// Returns its number in the room, if it has one.
    pub fn seq(&self) -> Option<u64> {
        self.imp().seq.get()
    }

    /// Returns what it is known as while it has not arrived, if it had to be sent.
    pub fn id(&self) -> Option<&str> {
        self.imp().id.get().map(MessageId::as_str)
    }

    /// Returns true if a person said it, not the chat itself.
    pub fn is_from_person(&self) -> bool {
        match self.kind() {
            MessageKind::Own | MessageKind::Other => true,
            MessageKind::Notice | MessageKind::Welcome => false,
        }
    }

    /// It has arrived: as number `seq`, at `time_ms`, where the server tells.
    pub(super) fn arrive(&self, seq: Option<u64>, time_ms: Option<i64>) {
        self.imp().seq.set(seq);
        if let Some(time_ms) = time_ms {
            self.imp().time_ms.set(time_ms);
        }
        self.imp().failure.take();
        self.imp().delivery.set(Delivery::Sent);
        self.notify_delivery();
    }

    /// It will not arrive; `failure` says why, in words.
    pub fn fail(&self, failure: &str) {
        self.imp().failure.replace(failure.to_owned());
        self.imp().delivery.set(Delivery::Failed);
        self.notify_delivery();
    }
}
