//! The people who are here, by name: all of them, or those who are searched for.
//!
//! Rows are made for those in view alone, so a room of thousands costs no more than one of twenty.

use std::{
    cell::{Cell, OnceCell, RefCell},
    sync::OnceLock,
};

use adw::subclass::prelude::*;
use gtk::{gio, glib, glib::clone, glib::subclass::Signal, prelude::*};

use crate::{
    model::{People, Person},
    session::Room,
    text::i18n::{gettext, ngettext_f},
    ui::people::{
        person_menu::{self, Offered},
        person_row::PersonRow,
    },
};

/// The classes of the list.
const LIST: [&str; 1] = ["navigation-sidebar"];
const LIST_OF_ABSENT: [&str; 2] = ["navigation-sidebar", "dim-label"];

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/people_pane.ui")]
    #[properties(wrapper_type = super::PeoplePane)]
    pub struct PeoplePane {
        #[template_child]
        pub(super) filter_entry: TemplateChild<gtk::SearchEntry>,
        #[template_child]
        count: TemplateChild<gtk::Label>,
        #[template_child]
        list_view: TemplateChild<gtk::ListView>,
        #[template_child]
        views: TemplateChild<gtk::Stack>,
        #[template_child]
        list: TemplateChild<gtk::ScrolledWindow>,
        #[template_child]
        no_one: TemplateChild<adw::StatusPage>,
        filter: OnceCell<gtk::CustomFilter>,
        found: OnceCell<gtk::FilterListModel>,
        /// The room whose people are listed.
        #[property(get, set = Self::set_room, explicit_notify, nullable)]
        room: RefCell<Option<Room>>,
        room_signals: OnceCell<glib::SignalGroup>,
        /// True if a click on a person opens the menu, in which they can be written to directly. It
        /// mentions them otherwise.
        #[property(get, set)]
        offers_messages: Cell<bool>,
        /// The menu on a person.
        menu: OnceCell<gtk::PopoverMenu>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for PeoplePane {
        const NAME: &'static str = "PychatPeoplePane";
        type Type = super::PeoplePane;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            PersonRow::ensure_type();
            klass.set_accessible_role(gtk::AccessibleRole::Region);
            klass.bind_template();
            klass.bind_template_callbacks();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for PeoplePane {
        fn constructed(&self) {
            self.parent_constructed();
            let filter = self.filter.get_or_init(|| gtk::CustomFilter::new(Person::finder("")));
            let found = self.found.get_or_init(|| {
                gtk::FilterListModel::new(None::<gio::ListModel>, Some(filter.clone()))
            });
            found.connect_items_changed(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_, _, _, _| imp.show_count()
            ));
            self.list_view.set_model(Some(&gtk::NoSelection::new(Some(found.clone()))));
            // Who types while the list has the keyboard means the entry.
            self.filter_entry.set_key_capture_widget(Some(&*self.list_view));
            let weak = self.downgrade();
            self.menu.get_or_init(|| {
                person_menu::install(&*self.obj(), &self.list_view, move || {
                    weak.upgrade().map(|imp| imp.offered()).unwrap_or_default()
                })
            });
        }

        fn dispose(&self) {
            if let Some(menu) = self.menu.get() {
                menu.unparent();
            }
        }

        fn signals() -> &'static [Signal] {
            static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
            SIGNALS.get_or_init(|| {
                vec![
                    Signal::builder("chosen").param_types([Person::static_type()]).build(),
                    Signal::builder("closed").build(),
                ]
            })
        }
    }

    impl WidgetImpl for PeoplePane {}

    impl BinImpl for PeoplePane {}

    #[gtk::template_callbacks]
    impl PeoplePane {
        fn set_room(&self, room: Option<Room>) {
            if let Some(found) = self.found.get() {
                let people = room.as_ref().map(|room| room.people().sorted());
                found.set_model(people.as_ref());
            }
            self.room.replace(room);
            let signals = self.room_signals.get_or_init(|| {
                Room::online_signals(clone!(
                    #[weak(rename_to = imp)]
                    self,
                    move || imp.show_count()
                ))
            });
            signals.set_target(self.room.borrow().as_ref());
            self.show_count();
            self.obj().notify_room();
        }

        fn offered(&self) -> Offered {
            let room = self.room.borrow();
            Offered {
                messages: self.offers_messages.get(),
                moderation: room.as_ref().is_some_and(Room::can_moderate),
            }
        }

        /// Opens the menu on `person`; returns false if there is none.
        fn open_menu(&self, person: &Person) -> bool {
            let items =
                std::iter::successors(self.list_view.first_child(), WidgetExt::next_sibling);
            let mut rows = items.filter_map(|item| item.first_child().and_downcast::<PersonRow>());
            let row = rows.find(|row| row.person().as_ref() == Some(person));
            row.zip(self.menu.get()).is_some_and(|(row, menu)| {
                person_menu::open(menu, &self.list_view, &row, None, self.offered())
            })
        }

        fn people(&self) -> Option<People> {
            self.room.borrow().as_ref().map(Room::people)
        }

        /// Without a connection, the people who were there when it was lost may be gone.
        fn show_count(&self) {
            let n_found = self.found.get().map_or(0, ListModelExt::n_items);
            if n_found == 0 && !self.filter_entry.text().is_empty() {
                self.views.set_visible_child(&*self.no_one);
            } else {
                self.views.set_visible_child(&*self.list);
            }
            let room = self.room.borrow();
            let is_there = room.as_ref().is_some_and(Room::is_online);
            self.list_view.set_css_classes(if is_there { &LIST } else { &LIST_OF_ABSENT });
            if !is_there {
                self.count.set_label(&gettext("Offline"));
                return;
            }
            let n_people = self.people().map_or(0, |people| people.n_items());
            let label = if self.filter_entry.text().is_empty() {
                people_here(n_people)
            } else {
                people_found(n_found, n_people)
            };
            self.count.set_label(&label);
        }

        #[template_callback]
        fn on_filter_changed(&self) {
            if let Some(filter) = self.filter.get() {
                filter.set_filter_func(Person::finder(self.filter_entry.text().trim()));
            }
            self.show_count();
        }

        /// Enter chooses the first person found.
        #[template_callback]
        fn on_filter_activated(&self) {
            self.on_filter_changed(); // It may wait for another key.
            if !self.filter_entry.text().trim().is_empty() {
                self.on_person_activated(0);
            }
        }

        /// Escape takes back what was typed, then closes.
        #[template_callback]
        fn on_filter_stopped(&self) {
            if self.filter_entry.text().is_empty() {
                self.obj().emit_by_name::<()>("closed", &[]);
            } else {
                self.filter_entry.set_text("");
            }
        }

        #[template_callback]
        fn on_person_activated(&self, position: u32) {
            let found = self.found.get().and_then(|found| found.item(position));
            if let Some(person) = found.and_downcast::<Person>() {
                if self.offers_messages.get() && self.open_menu(&person) {
                    return;
                }
                self.filter_entry.set_text("");
                self.obj().emit_by_name::<()>("chosen", &[&person]);
            }
        }
    }
}

glib::wrapper! {
    /// The list of people in the room.
    ///
    /// Emits `chosen` with the person who was picked out, and `closed` when Escape was pressed and
    /// there was nothing to take back.
    pub struct PeoplePane(ObjectSubclass<imp::PeoplePane>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl PeoplePane {
    /// Takes back what was typed.
    pub fn find_anybody(&self) {
        self.imp().filter_entry.set_text("");
    }

    /// Lets a name be typed.
    pub fn focus_filter(&self) {
        self.imp().filter_entry.grab_focus();
    }
}

/// Returns how many are here, the reader among them.
pub fn people_here(n_people: u32) -> String {
    if n_people == 1 {
        return gettext("Only you");
    }
    ngettext_f("{count} person online", "{count} people online", n_people as usize, &[])
}

/// Returns how many of those who are here were found.
fn people_found(n_found: u32, n_people: u32) -> String {
    let found = n_found.to_string();
    let values = [("found", found.as_str())];
    ngettext_f("{found} of {count} person", "{found} of {count} people", n_people as usize, &values)
}
