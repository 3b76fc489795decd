//! A message that was found in one of the rooms.

use std::{
    cell::{OnceCell, RefCell},
    cmp::Ordering,
};

use gtk::glib::{self, prelude::*, subclass::prelude::*};

use crate::{model::Message, session::Room};

mod imp {
    use super::*;

    #[derive(Debug, Default, glib::Properties)]
    #[properties(wrapper_type = super::FoundMessage)]
    pub struct FoundMessage {
        /// The message: that of the conversation, if it is there.
        #[property(get, set, nullable)]
        message: RefCell<Option<Message>>,
        /// The room in which it was said.
        #[property(get, construct_only)]
        room: OnceCell<Room>,
        /// The same, where the results are of several rooms.
        #[property(get, construct_only, nullable)]
        named_room: OnceCell<Option<Room>>,
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
    /// Makes one of a `message` of `room`, which is named if `is_named`.
    pub(super) fn new(room: &Room, message: &Message, is_named: bool) -> Self {
        glib::Object::builder()
            .property("room", room)
            .property("named-room", is_named.then_some(room))
            .property("message", message)
            .build()
    }

    /// Returns the order of two, of which the newer comes first.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let key = |it: &Self| it.message().map(|message| (message.time_ms(), message.seq()));
        key(other).cmp(&key(self))
    }
}
