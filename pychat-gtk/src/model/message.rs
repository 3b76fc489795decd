//! One thing that was said. It never changes.

use gtk::{
    glib,
    glib::{prelude::*, subclass::prelude::*},
};

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

mod imp {
    use std::cell::{Cell, OnceCell};

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
        /// When it was heard, in UTC milliseconds since 1970.
        #[property(get, construct_only)]
        time_ms: Cell<i64>,
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
    /// Makes a message that was heard at `time_ms`, in UTC milliseconds since 1970. The chat
    /// itself is nobody: its `author` is empty.
    pub fn new(kind: MessageKind, author: &str, text: &str, time_ms: i64) -> Self {
        glib::Object::builder()
            .property("kind", kind)
            .property("author", author)
            .property("text", text)
            .property("time-ms", time_ms)
            .build()
    }

    /// Returns true if a person said it, not the chat itself.
    pub fn is_from_person(&self) -> bool {
        match self.kind() {
            MessageKind::Own | MessageKind::Other => true,
            MessageKind::Notice | MessageKind::Welcome => false,
        }
    }
}
