//! A message that was found in one of the rooms.

use std::{cell::OnceCell, cmp::Ordering};

use gtk::glib::{self, prelude::*, subclass::prelude::*};

use crate::{model::Message, session::Room};

mod imp {
    use super::*;

    #[derive(Debug, Default, glib::Properties)]
    #[properties(wrapper_type = super::FoundMessage)]
    pub struct FoundMessage {
        /// The message.
        #[property(get, construct_only)]
        message: OnceCell<Message>,
        /// The room in which it was said.
        #[property(get, construct_only)]
        room: OnceCell<Room>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for FoundMessage {
        const NAME: &'static str = "PychatFoundMessage";
        type Type = super::FoundMessage;
    }

    #[glib::derived_properties]
    impl ObjectImpl for FoundMessage {}
}

glib::wrapper! {
    /// A message that was found in one of the rooms.
    pub struct FoundMessage(ObjectSubclass<imp::FoundMessage>);
}

impl FoundMessage {
    /// Makes one of a `message` of `room`.
    pub(super) fn new(room: &Room, message: &Message) -> Self {
        glib::Object::builder().property("room", room).property("message", message).build()
    }

    /// Returns the order of two, of which the newer comes first.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let key = |it: &Self| (it.message().time_ms(), it.message().seq());
        key(other).cmp(&key(self))
    }
}
