//! Somebody who is here.

use gtk::{
    glib,
    glib::{prelude::*, subclass::prelude::*},
};

use crate::text;

mod imp {
    use std::cell::{Cell, OnceCell};

    use glib::CollationKey;

    use super::*;

    #[derive(Debug, Default, glib::Properties)]
    #[properties(wrapper_type = super::Person)]
    pub struct Person {
        /// The person's name.
        #[property(get, construct_only)]
        pub(super) name: OnceCell<String>,
        /// True if the person is the reader.
        #[property(get, construct_only)]
        is_self: Cell<bool>,
        /// True if the person is a bot.
        #[property(get, construct_only)]
        is_bot: Cell<bool>,
        /// The key by which people are sorted.
        pub(super) sort_key: OnceCell<CollationKey>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Person {
        const NAME: &'static str = "PychatPerson";
        type Type = super::Person;
    }

    #[glib::derived_properties]
    impl ObjectImpl for Person {}
}

glib::wrapper! {
    /// Somebody who is here. Nothing about them ever changes.
    pub struct Person(ObjectSubclass<imp::Person>);
}

impl Person {
    /// Makes somebody called `name`.
    pub fn new(name: &str, is_self: bool, is_bot: bool) -> Self {
        glib::Object::builder()
            .property("name", name)
            .property("is-self", is_self)
            .property("is-bot", is_bot)
            .build()
    }

    /// Returns what finds those of whose names a word begins with `begun`: everybody, if that is
    /// empty.
    pub fn finder(begun: &str) -> impl Fn(&glib::Object) -> bool + use<> {
        let begun = text::fold(begun);
        move |person| {
            let person = person.downcast_ref::<Self>();
            person.is_some_and(|person| text::has_word(person.name_str(), &begun))
        }
    }

    /// Returns what sorts people by their names as the reader's language does, whatever their case.
    pub fn sorter() -> gtk::CustomSorter {
        gtk::CustomSorter::new(|one, other| {
            let [one, other] = [one, other].map(|it| it.downcast_ref::<Self>().map(Self::sort_key));
            one.cmp(&other).into()
        })
    }

    fn sort_key(&self) -> (&glib::CollationKey, &str) {
        let name = self.name_str();
        (self.imp().sort_key.get_or_init(|| text::fold(name).into()), name)
    }

    /// Returns the name, and whether the person is the reader, and a bot: people with equal keys are the
    /// same.
    pub(super) fn key(&self) -> (&str, bool, bool) {
        (self.name_str(), self.is_self(), self.is_bot())
    }

    fn name_str(&self) -> &str {
        self.imp().name.get().map(String::as_str).unwrap_or_default()
    }
}
