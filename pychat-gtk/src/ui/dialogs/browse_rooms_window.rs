//! The open rooms of a server, to be joined.

use std::cell::RefCell;

use adw::{prelude::*, subclass::prelude::*};
use gtk::{glib, glib::clone};

use super::room_requests::Requests;
use crate::{
    session::{OpenRoom, Session, error_text},
    text::{
        self,
        i18n::{gettext, gettext_f, ngettext_f},
        names::isolated,
    },
};

/// The most rooms that are listed at once; a longer list takes long to show.
const LISTED_MAX: usize = 100;

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/browse_rooms_window.ui")]
    #[properties(wrapper_type = super::BrowseRoomsWindow)]
    pub struct BrowseRoomsWindow {
        #[template_child]
        filter_entry: TemplateChild<gtk::SearchEntry>,
        #[template_child]
        toast_overlay: TemplateChild<adw::ToastOverlay>,
        #[template_child]
        views: TemplateChild<gtk::Stack>,
        #[template_child]
        nothing: TemplateChild<adw::StatusPage>,
        #[template_child]
        found: TemplateChild<gtk::ScrolledWindow>,
        #[template_child]
        list: TemplateChild<gtk::ListBox>,
        /// The session on whose server the rooms are.
        #[property(get, construct_only)]
        session: RefCell<Option<Session>>,
        requests: Requests,
        signals: RefCell<Option<glib::SignalGroup>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for BrowseRoomsWindow {
        const NAME: &'static str = "PychatBrowseRoomsWindow";
        type Type = super::BrowseRoomsWindow;
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
    impl ObjectImpl for BrowseRoomsWindow {
        fn constructed(&self) {
            self.parent_constructed();
            let Some(session) = self.obj().session() else { return };
            let weak = self.downgrade();
            self.requests.follow(&session, move |outcome| {
                let Some(imp) = weak.upgrade() else { return };
                match outcome {
                    Ok(()) => imp.obj().close(),
                    Err(reason) => imp.tell(reason),
                }
            });
            let signals = glib::SignalGroup::new::<Session>();
            signals.connect_closure(
                "open-rooms-changed",
                false,
                glib::closure_local!(
                    #[weak(rename_to = imp)]
                    self,
                    move |_: &Session| imp.show()
                ),
            );
            signals.set_target(Some(&session));
            self.signals.replace(Some(signals));
            if !session.request_open_rooms() {
                self.nothing.set_title(&gettext("Not Connected"));
                self.views.set_visible_child(&*self.nothing);
            }
            self.filter_entry.grab_focus();
        }
    }

    impl WidgetImpl for BrowseRoomsWindow {}

    impl WindowImpl for BrowseRoomsWindow {}

    impl AdwWindowImpl for BrowseRoomsWindow {}

    #[gtk::template_callbacks]
    impl BrowseRoomsWindow {
        /// Lists the rooms of whose names or topics a word begins with what is typed.
        #[template_callback(name = "on_filter_changed")]
        fn show(&self) {
            let Some(session) = self.obj().session() else { return };
            let begun = text::fold(self.filter_entry.text().trim());
            let is_found = |room: &OpenRoom| {
                [&room.name, &room.topic].into_iter().any(|it| text::has_word(it, &begun))
            };
            let rooms = session.open_rooms();
            let found: Vec<_> = rooms.iter().filter(|room| is_found(room)).collect();
            while let Some(row) = self.list.row_at_index(0) {
                self.list.remove(&row);
            }
            for room in found.iter().take(LISTED_MAX) {
                self.list.append(&self.row(&session, room));
            }
            if LISTED_MAX < found.len() {
                let n_left_out = found.len() - LISTED_MAX;
                let title = ngettext_f("{count} more room", "{count} more rooms", n_left_out, &[]);
                let row = adw::ActionRow::builder().css_classes(["dim-label"]).title(&title);
                self.list.append(&row.build());
            }
            if found.is_empty() {
                self.nothing.set_title(&if rooms.is_empty() {
                    gettext("No Open Rooms")
                } else {
                    gettext("No Rooms Found")
                });
                self.views.set_visible_child(&*self.nothing);
            } else {
                self.views.set_visible_child(&*self.found);
            }
        }

        fn row(&self, session: &Session, room: &OpenRoom) -> adw::ActionRow {
            let is_member = session.rooms().room(&room.id).is_some();
            let name = isolated(&room.name);
            let (label, spoken) = if is_member {
                // Translators: a button that shows a room.
                (gettext("Open"), gettext_f("Open {room}", &[("room", &name)]))
            } else {
                // Translators: a button by which one joins a room.
                (gettext("Join"), gettext_f("Join {room}", &[("room", &name)]))
            };
            let button = gtk::Button::builder().label(&label).valign(gtk::Align::Center).build();
            button.connect_clicked(clone!(
                #[weak(rename_to = imp)]
                self,
                #[strong(rename_to = id)]
                room.id,
                move |_| imp.enter(&id)
            ));
            let row = adw::ActionRow::builder()
                .activatable_widget(&button)
                .subtitle(glib::markup_escape_text(&room.topic))
                .subtitle_lines(2)
                .title(glib::markup_escape_text(&name))
                .title_lines(1)
                .build();
            row.add_suffix(&button);
            button.reset_relation(gtk::AccessibleRelation::LabelledBy); // The row named it by its own.
            button.update_property(&[gtk::accessible::Property::Label(&spoken)]);
            row
        }

        /// Shows a room, after joining it unless that was done before.
        fn enter(&self, id: &str) {
            let Some(session) = self.obj().session() else { return };
            if session.rooms().room(id).is_some() {
                self.obj().close();
                session.show_room(id);
            } else if !self.requests.wait_for(session.join_room(id)) {
                self.tell(&error_text::not_connected());
            }
        }

        fn tell(&self, reason: &str) {
            self.toast_overlay.add_toast(adw::Toast::new(&glib::markup_escape_text(reason)));
        }

        /// Escape takes back what was typed, then closes.
        #[template_callback]
        fn on_filter_stopped(&self) {
            if self.filter_entry.text().is_empty() {
                self.obj().close();
            } else {
                self.filter_entry.set_text("");
            }
        }
    }
}

glib::wrapper! {
    /// The window that lists the open rooms.
    pub struct BrowseRoomsWindow(ObjectSubclass<imp::BrowseRoomsWindow>)
        @extends adw::Window, gtk::Window, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget, gtk::Native, gtk::Root,
            gtk::ShortcutManager;
}

impl BrowseRoomsWindow {
    /// Makes a window above `parent` for the server of `session`.
    pub fn new(parent: &impl IsA<gtk::Window>, session: &Session) -> Self {
        glib::Object::builder()
            .property("transient-for", parent)
            .property("session", session)
            .build()
    }
}
