//! The list of people who may be meant by `@` and the beginning of a name, while that is typed.
//!
//! The focus stays with the text: its keys that move in the list and choose from it are passed on
//! to here.

use std::cell::{Cell, RefCell};

use gtk::{gdk, glib, glib::clone, prelude::*, subclass::prelude::*};
use pychat_wire::name::NAME_CHARS_MAX;

use crate::{
    model::Person,
    session::Room,
    text::{begun_mention, fold},
    ui::people::person_row::PersonRow,
};

/// The most characters that can be the beginning of a name, with its sign and what is before that.
const BEGUN_CHARS_MAX: usize = 2 + NAME_CHARS_MAX;

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/mention_popover.ui")]
    #[properties(wrapper_type = super::MentionPopover)]
    pub struct MentionPopover {
        #[template_child]
        pub(super) list_view: TemplateChild<gtk::ListView>,
        #[template_child]
        pub(super) selection: TemplateChild<gtk::SingleSelection>,
        #[template_child]
        found: TemplateChild<gtk::FilterListModel>,
        #[template_child]
        pub(super) filter: TemplateChild<gtk::CustomFilter>,
        /// The beginning of a name for which people are found.
        begun: RefCell<String>,
        /// True once Escape was pressed, until another name is begun.
        pub(super) is_declined: Cell<bool>,
        /// Where names are begun, and completed.
        #[property(get, set = Self::set_text_view, explicit_notify, nullable)]
        text_view: RefCell<Option<gtk::TextView>>,
        /// The room whose people may be meant.
        #[property(get, set = Self::set_room, explicit_notify, nullable)]
        room: RefCell<Option<Room>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for MentionPopover {
        const NAME: &'static str = "PychatMentionPopover";
        type Type = super::MentionPopover;
        type ParentType = gtk::Popover;

        fn class_init(klass: &mut Self::Class) {
            Person::ensure_type();
            PersonRow::ensure_type();
            klass.bind_template();
            klass.bind_template_callbacks();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for MentionPopover {}

    impl WidgetImpl for MentionPopover {}

    impl PopoverImpl for MentionPopover {}

    #[gtk::template_callbacks]
    impl MentionPopover {
        fn set_text_view(&self, text_view: Option<gtk::TextView>) {
            if let Some(text_view) = &text_view {
                text_view.buffer().connect_cursor_position_notify(clone!(
                    #[weak(rename_to = imp)]
                    self,
                    move |buffer| imp.offer(buffer)
                ));
                text_view.connect_has_focus_notify(clone!(
                    #[weak(rename_to = imp)]
                    self,
                    move |_| imp.obj().popdown()
                ));
            }
            self.text_view.replace(text_view);
            self.obj().notify_text_view();
        }

        fn set_room(&self, room: Option<Room>) {
            self.obj().popdown();
            let people = room.as_ref().map(|room| room.people().sorted());
            self.found.set_model(people.as_ref());
            self.room.replace(room);
            self.obj().notify_room();
        }

        /// Offers everybody whose name, or a word of it, begins as the one at the cursor; nobody if
        /// none is begun, if there is nothing left to complete, or if it was declined.
        fn offer(&self, buffer: &gtk::TextBuffer) {
            let begun = begun_name(buffer);
            if begun.is_none() {
                self.is_declined.set(false);
            }
            let is_found = begun.is_some_and(|begun| self.find(&begun));
            if !is_found || self.is_declined.get() {
                self.obj().popdown();
            } else if !self.obj().is_visible() {
                self.selection.set_selected(0);
                self.obj().set_pointing_to(self.place(buffer).as_ref());
                self.obj().popup();
            }
        }

        /// Finds those whose names have a word that begins like this; returns false if there is
        /// nobody to choose.
        fn find(&self, begun: &str) -> bool {
            if *self.begun.borrow() != begun {
                self.begun.replace(begun.to_owned());
                self.filter.set_filter_func(Person::finder(begun));
            }
            let n_found = self.selection.n_items();
            let is_whole = |person: Person| fold(&person.name()) == fold(begun);
            0 < n_found && !(n_found == 1 && self.person(0).is_some_and(is_whole))
        }

        /// Returns the column of the entry in which the cursor is, in the widget that this belongs to:
        /// a popover that points there covers nothing of the entry.
        #[expect(clippy::cast_possible_truncation, reason = "no screen is 2³¹ pixels wide")]
        fn place(&self, buffer: &gtk::TextBuffer) -> Option<gdk::Rectangle> {
            let text_view = self.obj().text_view()?;
            let cursor = text_view.iter_location(&buffer.iter_at_mark(&buffer.get_insert()));
            let (x, _) = text_view.buffer_to_window_coords(
                gtk::TextWindowType::Widget,
                cursor.x(),
                cursor.y(),
            );
            let parent = self.obj().parent()?;
            let (x, _) = text_view.translate_coordinates(&parent, x.into(), 0.0)?;
            let entry = text_view.parent()?.compute_bounds(&parent)?; // With its border.
            Some(gdk::Rectangle::new(x as i32, entry.y() as i32, 1, entry.height() as i32))
        }

        fn person(&self, position: u32) -> Option<Person> {
            self.selection.item(position).and_downcast()
        }

        /// Puts the whole name in the place of the one that was begun.
        #[template_callback]
        pub(super) fn choose(&self, position: u32) {
            let (Some(person), Some(text_view)) = (self.person(position), self.obj().text_view())
            else {
                return;
            };
            let buffer = text_view.buffer();
            let Some(name) = begun_name(&buffer) else { return };
            let mut cursor = buffer.iter_at_mark(&buffer.get_insert());
            let mut begin = cursor;
            go_back(&mut begin, name.chars().count());
            self.is_declined.set(true); // What is whole now may be another's beginning.
            let gap = if cursor.char().is_whitespace() { "" } else { " " };
            buffer.begin_user_action();
            buffer.delete(&mut begin, &mut cursor);
            buffer.insert(&mut begin, &format!("{}{gap}", person.name()));
            buffer.end_user_action();
        }
    }

    /// Returns what there is of a name before the cursor.
    fn begun_name(buffer: &gtk::TextBuffer) -> Option<String> {
        let cursor = buffer.iter_at_mark(&buffer.get_insert());
        let mut begin = cursor;
        go_back(&mut begin, BEGUN_CHARS_MAX);
        begun_mention(&buffer.text(&begin, &cursor, true)).map(str::to_owned)
    }

    fn go_back(iter: &mut gtk::TextIter, n_chars: usize) {
        iter.backward_chars(i32::try_from(n_chars).unwrap_or(i32::MAX));
    }
}

glib::wrapper! {
    /// The list of people who may be meant by the text that is typed in a text view.
    pub struct MentionPopover(ObjectSubclass<imp::MentionPopover>)
        @extends gtk::Popover, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget, gtk::Native,
            gtk::ShortcutManager;
}

impl Default for MentionPopover {
    fn default() -> Self {
        glib::Object::new()
    }
}

impl MentionPopover {
    /// Handles a key that moves in the list, chooses from it or closes it; returns false for any
    /// other.
    pub fn handle_key(&self, key: gdk::Key) -> bool {
        if !self.is_visible() {
            return false;
        }
        match key {
            gdk::Key::Up | gdk::Key::KP_Up => self.select(-1),
            gdk::Key::Down | gdk::Key::KP_Down => self.select(1),
            gdk::Key::Return | gdk::Key::KP_Enter | gdk::Key::ISO_Enter | gdk::Key::Tab => {
                self.imp().choose(self.imp().selection.selected());
            }
            gdk::Key::Escape => {
                self.imp().is_declined.set(true);
                self.popdown();
            }
            _ => return false,
        }
        true
    }

    /// Goes `step` further, and round.
    fn select(&self, step: i64) {
        let selection = &self.imp().selection;
        let n_offered = i64::from(selection.n_items()).max(1);
        let at = (i64::from(selection.selected()) + step).rem_euclid(n_offered);
        if let Ok(at) = u32::try_from(at) {
            selection.set_selected(at);
            let _ =
                self.imp().list_view.activate_action("list.scroll-to-item", Some(&at.to_variant()));
        }
    }
}
