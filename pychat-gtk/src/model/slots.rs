//! Places in a list, which outlive the messages shown in them.
//!
//! A list makes a new row for each item that it has not seen before, and throws away the rows of
//! those that are gone; a row takes some milliseconds. So a list gets slots instead of messages:
//! where others take the place of messages, as in a flood, the slots stay, and so do their rows.

use std::cell::{OnceCell, RefCell};

use gtk::{
    gio,
    gio::{prelude::*, subclass::prelude::*},
    glib,
    glib::clone,
};

use super::Message;

mod imp {
    use super::*;

    #[derive(Debug, Default, glib::Properties)]
    #[properties(wrapper_type = super::Slot)]
    pub struct Slot {
        /// What is shown there.
        #[property(get, set, nullable)]
        message: RefCell<Option<Message>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Slot {
        const NAME: &'static str = "PychatSlot";
        type Type = super::Slot;
    }

    #[glib::derived_properties]
    impl ObjectImpl for Slot {}

    #[derive(Debug, Default)]
    pub struct Slots {
        pub(super) messages: OnceCell<gio::ListModel>,
        /// One for each message; made when somebody asks for it first.
        pub(super) slots: RefCell<Vec<Option<super::Slot>>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Slots {
        const NAME: &'static str = "PychatSlots";
        type Type = super::Slots;
        type Interfaces = (gio::ListModel,);
    }

    impl ObjectImpl for Slots {}

    impl ListModelImpl for Slots {
        fn item_type(&self) -> glib::Type {
            super::Slot::static_type()
        }

        fn n_items(&self) -> u32 {
            u32::try_from(self.slots.borrow().len()).unwrap_or(u32::MAX)
        }

        fn item(&self, position: u32) -> Option<glib::Object> {
            let mut slots = self.slots.borrow_mut();
            let slot = slots.get_mut(position as usize)?.get_or_insert_with(|| {
                let slot = super::Slot::default();
                slot.set_message(self.message(position));
                slot
            });
            Some(slot.clone().upcast())
        }
    }

    impl Slots {
        pub(super) fn message(&self, position: u32) -> Option<Message> {
            self.messages.get()?.item(position).and_downcast()
        }
    }
}

glib::wrapper! {
    /// A place in a list, and the message that is shown there.
    pub struct Slot(ObjectSubclass<imp::Slot>);
}

impl Default for Slot {
    fn default() -> Self {
        glib::Object::new()
    }
}

glib::wrapper! {
    /// The slots of messages.
    pub struct Slots(ObjectSubclass<imp::Slots>) @implements gio::ListModel;
}

impl Slots {
    /// Makes one slot for each of `messages`, whatever becomes of them.
    pub fn new(messages: &impl IsA<gio::ListModel>) -> Self {
        let slots: Self = glib::Object::new();
        slots.imp().messages.get_or_init(|| messages.clone().upcast());
        slots.imp().slots.borrow_mut().resize(messages.n_items() as usize, None);
        messages.connect_items_changed(clone!(
            #[weak]
            slots,
            move |_, at, n_removed, n_added| slots.on_changed(at, n_removed, n_added)
        ));
        slots
    }

    /// Returns the message at `position`.
    pub fn message(&self, position: u32) -> Option<Message> {
        self.imp().message(position)
    }

    /// Of messages that are replaced, the last slots are kept: a list is mostly seen at its end.
    fn on_changed(&self, at: u32, n_removed: u32, n_added: u32) {
        let n_kept = n_removed.min(n_added);
        let (n_gone, n_new) = (n_removed - n_kept, n_added - n_kept);
        let (begin, end) = (at as usize, (at + n_gone) as usize);
        let none = std::iter::repeat_n(None, n_new as usize);
        self.imp().slots.borrow_mut().splice(begin..end, none);
        if 0 < n_gone + n_new {
            self.items_changed(at, n_gone, n_new);
        }
        for position in at + n_new..at + n_added {
            let slot = self.imp().slots.borrow().get(position as usize).cloned().flatten();
            if let Some(slot) = slot {
                slot.set_message(self.message(position));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::model::MessageKind;

    fn message(text: &str) -> Message {
        Message::new(MessageKind::Other, "Анна", text, 0)
    }

    /// What a view makes of it that hears only of the changes: the slots, each with its number.
    type View = Rc<RefCell<Vec<(Slot, usize)>>>;

    fn viewed(store: &gio::ListStore) -> (Slots, View) {
        let slots = Slots::new(store);
        let view = View::default();
        let made = Rc::new(std::cell::Cell::new(0));
        let update = {
            let view = view.clone();
            move |slots: &Slots, at: u32, n_removed: u32, n_added: u32| {
                let new = (at..at + n_added).map(|position| {
                    let slot = slots.item(position).and_downcast().expect("there is one");
                    (slot, made.replace(made.get() + 1))
                });
                view.borrow_mut().splice(at as usize..(at + n_removed) as usize, new);
            }
        };
        update(&slots, 0, 0, slots.n_items());
        slots.connect_items_changed(update);
        (slots, view)
    }

    #[test]
    fn slots_stay_where_messages_are_replaced() {
        // What is changed, and the numbers of the slots afterwards, in the order they were made.
        let cases: [(u32, u32, &[&str], &[usize]); 8] = [
            (0, 4, &["e", "f", "g", "h"], &[0, 1, 2, 3]),
            (0, 4, &["e", "f"], &[2, 3]),
            (0, 4, &["e", "f", "g", "h", "i"], &[4, 0, 1, 2, 3]),
            (4, 0, &["e"], &[0, 1, 2, 3, 4]),
            (0, 0, &["e"], &[4, 0, 1, 2, 3]),
            (1, 2, &["e"], &[0, 2, 3]),
            (1, 1, &["e", "f"], &[0, 4, 1, 2, 3]),
            (0, 4, &[], &[]),
        ];
        for (at, n_removed, added, expected) in cases {
            let store = gio::ListStore::new::<Message>();
            store.extend_from_slice(&["a", "b", "c", "d"].map(message));
            let (slots, view) = viewed(&store);
            let added: Vec<_> = added.iter().map(|text| message(text)).collect();
            store.splice(at, n_removed, &added);
            let view = view.borrow();
            let case = format!("{n_removed} at {at} by {}", added.len());
            assert_eq!(view.iter().map(|slot| slot.1).collect::<Vec<_>>(), expected, "{case}");
            let shown: Vec<_> = view.iter().map(|slot| slot.0.message()).collect();
            let wanted: Vec<_> = (0..store.n_items())
                .map(|position| store.item(position).and_downcast::<Message>())
                .collect();
            assert_eq!(shown, wanted, "{case}");
            assert_eq!(slots.n_items(), store.n_items(), "{case}");
        }
    }

    #[test]
    fn who_looks_while_messages_are_replaced_never_finds_an_old_one() {
        let store = gio::ListStore::new::<Message>();
        store.extend_from_slice(&["a", "b", "c"].map(message));
        let (slots, view) = viewed(&store);
        slots.connect_items_changed(|slots, _, _, _| {
            assert_eq!(slots.message(0).map(|it| it.text().into_owned()).as_deref(), Some("d"));
        });
        store.splice(0, 3, &["d", "e", "f", "g"].map(message));
        assert_eq!(view.borrow().len(), 4);
    }
}
