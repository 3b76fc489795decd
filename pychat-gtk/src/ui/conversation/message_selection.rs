//! The selected messages of a conversation.
//!
//! GTK's own model for this, [`gtk::MultiSelection`], remembers positions. A list is given only the
//! last messages while nobody looks further back; so here the messages themselves are remembered,
//! wherever they stand. And where GTK's selects any row that the keyboard moves to or a click hits,
//! both take the selection back here, as they do in a text: a message is selected with Ctrl, Shift
//! or the space bar.
//!
//! Lines of the chat itself, such as comings and goings, are never selected.

use std::{
    cell::{OnceCell, RefCell},
    collections::HashSet,
    marker::PhantomData,
};

use gtk::{gio, glib, glib::clone, prelude::*, subclass::prelude::*};

use crate::model::{History, Message, TailModel};

mod imp {
    use super::*;

    #[derive(Debug, Default, glib::Properties)]
    #[properties(wrapper_type = super::MessageSelection)]
    pub struct MessageSelection {
        pub(super) history: OnceCell<History>,
        /// The part of the history that is on show.
        pub(super) shown: OnceCell<TailModel>,
        pub(super) selected: RefCell<HashSet<Message>>,
        /// True while nothing is selected.
        #[property(get = |imp: &Self| imp.selected.borrow().is_empty())]
        is_empty: PhantomData<bool>,
        /// The number of selected messages.
        #[property(get = Self::n_selected)]
        n_selected: PhantomData<u32>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for MessageSelection {
        const NAME: &'static str = "PychatMessageSelection";
        type Type = super::MessageSelection;
        type Interfaces = (gio::ListModel, gtk::SelectionModel);
    }

    #[glib::derived_properties]
    impl ObjectImpl for MessageSelection {}

    impl ListModelImpl for MessageSelection {
        fn item_type(&self) -> glib::Type {
            Message::static_type()
        }

        fn n_items(&self) -> u32 {
            self.shown.get().map_or(0, ListModelExt::n_items)
        }

        fn item(&self, position: u32) -> Option<glib::Object> {
            self.shown.get()?.item(position)
        }
    }

    impl SelectionModelImpl for MessageSelection {
        fn is_selected(&self, position: u32) -> bool {
            let selected = self.selected.borrow();
            !selected.is_empty() && self.message(position).is_some_and(|it| selected.contains(&it))
        }

        fn select_all(&self) -> bool {
            let all = self.history.get().into_iter().flat_map(messages).collect::<Vec<_>>();
            self.change(|selected| selected.extend(all))
        }

        fn unselect_all(&self) -> bool {
            self.change(HashSet::clear)
        }

        fn select_item(&self, position: u32, unselect_rest: bool) -> bool {
            if unselect_rest {
                return self.unselect_all();
            }
            self.select_range(position, 1, false)
        }

        fn unselect_item(&self, position: u32) -> bool {
            self.unselect_range(position, 1)
        }

        fn select_range(&self, position: u32, n_items: u32, unselect_rest: bool) -> bool {
            let stretch = self.stretch(position, n_items);
            self.change(|selected| {
                if unselect_rest {
                    selected.clear();
                }
                selected.extend(stretch);
            })
        }

        fn unselect_range(&self, position: u32, n_items: u32) -> bool {
            let stretch = self.stretch(position, n_items);
            self.change(|selected| stretch.iter().for_each(|it| _ = selected.remove(it)))
        }
    }

    impl MessageSelection {
        pub(super) fn message(&self, position: u32) -> Option<Message> {
            self.shown.get()?.item(position).and_downcast()
        }

        fn n_selected(&self) -> u32 {
            u32::try_from(self.selected.borrow().len()).unwrap_or(u32::MAX)
        }

        /// Returns what can be selected of so many messages from `position` on.
        fn stretch(&self, position: u32, n_items: u32) -> Vec<Message> {
            let positions = position..position.saturating_add(n_items).min(self.n_items());
            positions.filter_map(|at| self.message(at)).filter(Message::is_from_person).collect()
        }

        /// Changes what is selected; GTK wants to hear that it could be done.
        fn change(&self, f: impl FnOnce(&mut HashSet<Message>)) -> bool {
            let before = self.n_selected();
            f(&mut self.selected.borrow_mut());
            let n_selected = self.n_selected();
            let (was_empty, is_empty) = (before == 0, n_selected == 0);
            let n_items = self.n_items();
            if !(was_empty && is_empty) && 0 < n_items {
                self.obj().selection_changed(0, n_items);
            }
            if was_empty != is_empty {
                self.obj().notify_is_empty();
            }
            if before != n_selected {
                self.obj().notify_n_selected();
            }
            true
        }
    }

    /// Returns what can be selected in `history`, oldest first.
    pub(super) fn messages(history: &History) -> impl Iterator<Item = Message> {
        let all = (0..history.n_items()).filter_map(|position| history.message(position));
        all.filter(Message::is_from_person)
    }
}

glib::wrapper! {
    /// The part of a history that is on show, and the selection in all of it.
    pub struct MessageSelection(ObjectSubclass<imp::MessageSelection>)
        @implements gio::ListModel, gtk::SelectionModel;
}

impl MessageSelection {
    /// Returns a model of the part of `history` that `tail` shows; nothing is selected.
    pub fn new(history: &History, tail: &TailModel) -> Self {
        let selection: Self = glib::Object::new();
        selection.imp().history.get_or_init(|| history.clone());
        selection.imp().shown.get_or_init(|| tail.clone());
        tail.connect_items_changed(clone!(
            #[weak]
            selection,
            move |_, at, n_removed, n_added| selection.items_changed(at, n_removed, n_added)
        ));
        history.connect_items_changed(clone!(
            #[weak]
            selection,
            move |history, _, _, _| {
                if history.n_items() == 0 {
                    selection.unselect_all();
                }
            }
        ));
        selection
    }

    /// Returns where `message` stands in what is on show.
    pub fn position_of(&self, message: &Message) -> Option<u32> {
        // Most are looked for near the end.
        (0..self.n_items()).rev().find(|at| self.imp().message(*at).as_ref() == Some(message))
    }

    /// Returns true if `message` is selected.
    pub fn contains(&self, message: &Message) -> bool {
        self.imp().selected.borrow().contains(message)
    }

    /// Returns what is selected, oldest first, as far as it has not been forgotten.
    pub fn messages(&self) -> Vec<Message> {
        let history = self.imp().history.get();
        let messages = history.into_iter().flat_map(imp::messages);
        messages.filter(|message| self.contains(message)).collect()
    }
}
