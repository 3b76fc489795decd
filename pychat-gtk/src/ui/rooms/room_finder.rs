//! Finds rooms and people by their names: all by keyboard, from wherever one is.
//!
//! The keyboard stays in the entry. A screen reader is told what is selected by the entry's
//! description.

use std::cell::RefCell;

use adw::{prelude::*, subclass::prelude::*};
use gtk::{gdk, glib};

use super::{
    found::{self, Found},
    room_sign::RoomSign,
};
use crate::{
    session::Session,
    text::i18n::{gettext, gettext_f},
};

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/room_finder.ui")]
    #[properties(wrapper_type = super::RoomFinder)]
    pub struct RoomFinder {
        #[template_child]
        entry: TemplateChild<gtk::SearchEntry>,
        #[template_child]
        views: TemplateChild<gtk::Stack>,
        #[template_child]
        found: TemplateChild<gtk::ScrolledWindow>,
        #[template_child]
        list: TemplateChild<gtk::ListBox>,
        #[template_child]
        nothing: TemplateChild<adw::StatusPage>,
        /// The session on whose server they are.
        #[property(get, construct_only)]
        session: RefCell<Option<Session>>,
        /// The rooms and people that are listed.
        listed: RefCell<Vec<Found>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for RoomFinder {
        const NAME: &'static str = "PychatRoomFinder";
        type Type = super::RoomFinder;
        type ParentType = adw::Window;

        fn class_init(klass: &mut Self::Class) {
            klass.bind_template();
            klass.bind_template_callbacks();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for RoomFinder {
        fn constructed(&self) {
            self.parent_constructed();
            self.on_search_changed();
            self.entry.grab_focus();
        }
    }

    impl WidgetImpl for RoomFinder {}

    impl WindowImpl for RoomFinder {}

    impl AdwWindowImpl for RoomFinder {}

    #[gtk::template_callbacks]
    impl RoomFinder {
        #[template_callback]
        fn on_search_changed(&self) {
            let Some(session) = self.obj().session() else { return };
            let listed = found::find(&session, self.entry.text().trim());
            while let Some(row) = self.list.row_at_index(0) {
                self.list.remove(&row);
            }
            for found in &listed {
                self.list.append(&row(found));
            }
            if listed.is_empty() {
                self.views.set_visible_child(&*self.nothing);
                self.describe(&gettext("Nothing Found"));
            } else {
                self.views.set_visible_child(&*self.found);
            }
            self.listed.replace(listed);
            self.list.select_row(self.list.row_at_index(0).as_ref());
        }

        /// Has a screen reader say what Enter would open.
        #[template_callback]
        fn on_row_selected(&self, row: Option<&gtk::ListBoxRow>) {
            let Some((at, found)) = row.and_then(|row| self.found_at(row)) else { return };
            let (at, count) = ((at + 1).to_string(), self.listed.borrow().len().to_string());
            let values = [("name", &*found.spoken()), ("ordinal", &*at), ("count", &*count)];
            // Translators: a room or a person that was found, read out by screen readers.
            self.describe(&gettext_f("{name}: {ordinal} of {count}", &values));
        }

        fn describe(&self, sentence: &str) {
            self.entry.update_property(&[gtk::accessible::Property::Description(sentence)]);
        }

        fn found_at(&self, row: &gtk::ListBoxRow) -> Option<(usize, Found)> {
            let at = usize::try_from(row.index()).ok()?;
            Some((at, self.listed.borrow().get(at).cloned()?))
        }

        #[template_callback]
        fn on_key_pressed(&self, key: gdk::Key, _: u32, modifiers: gdk::ModifierType) -> bool {
            let modifiers = modifiers & gtk::accelerator_get_default_mod_mask();
            let step = match key {
                gdk::Key::Up | gdk::Key::KP_Up => -1,
                gdk::Key::Down | gdk::Key::KP_Down => 1,
                _ => return false,
            };
            if !modifiers.is_empty() {
                return false;
            }
            let at = self.list.selected_row().map_or(-1, |row| row.index());
            if let Some(row) = self.list.row_at_index(at + step) {
                self.list.select_row(Some(&row));
                self.scroll_to(&row);
            }
            true
        }

        fn scroll_to(&self, row: &gtk::ListBoxRow) {
            let Some(bounds) = row.compute_bounds(&*self.list) else { return };
            let (top, bottom) = (f64::from(bounds.y()), f64::from(bounds.y() + bounds.height()));
            self.found.vadjustment().clamp_page(top, bottom);
        }

        #[template_callback]
        fn on_activate(&self) {
            self.on_search_changed_at_once();
            if let Some(row) = self.list.selected_row() {
                self.on_row_activated(&row);
            }
        }

        /// Looks for what was typed, which may wait for another key; a selection among the same stays.
        fn on_search_changed_at_once(&self) {
            let Some(session) = self.obj().session() else { return };
            if *self.listed.borrow() != found::find(&session, self.entry.text().trim()) {
                self.on_search_changed();
            }
        }

        #[template_callback]
        fn on_row_activated(&self, row: &gtk::ListBoxRow) {
            let Some(session) = self.obj().session() else { return };
            let Some((_, found)) = self.found_at(row) else { return };
            self.obj().close();
            match found {
                Found::Room(room) => session.show_room(&room.id()),
                Found::Person(name) | Found::Stranger(name) => {
                    if let Some(parent) = self.obj().transient_for() {
                        // It fails only where the window has gone.
                        let target = name.to_variant();
                        let _ = parent.activate_action("win.message-person", Some(&target));
                    }
                }
            }
        }

        #[template_callback]
        fn on_stop_search(&self) {
            self.obj().close();
        }
    }
}

glib::wrapper! {
    /// The window in which rooms and people are found.
    pub struct RoomFinder(ObjectSubclass<imp::RoomFinder>)
        @extends adw::Window, gtk::Window, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget, gtk::Native, gtk::Root,
            gtk::ShortcutManager;
}

impl RoomFinder {
    /// Makes a window above `parent` for the server of `session`.
    pub fn new(parent: &impl IsA<gtk::Window>, session: &Session) -> Self {
        glib::Object::builder()
            .property("transient-for", parent)
            .property("session", session)
            .build()
    }
}

fn row(found: &Found) -> gtk::ListBoxRow {
    let (kind, title) = found.shown();
    let sign: RoomSign = glib::Object::new();
    sign.show_room(kind, &found.name());
    let title = gtk::Label::builder()
        .ellipsize(gtk::pango::EllipsizeMode::End)
        .hexpand(true)
        .label(&title)
        .xalign(0.0)
        .build();
    let line = gtk::Box::builder().spacing(12).build();
    line.append(&sign);
    line.append(&title);
    let row = gtk::ListBoxRow::builder().child(&line).css_classes(["room-row"]).build();
    row.update_property(&[gtk::accessible::Property::Label(&found.spoken())]);
    row
}
