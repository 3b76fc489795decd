//! Makes a room: asks for its name, its topic, and who may join it.

use std::cell::RefCell;

use adw::{prelude::*, subclass::prelude::*};
use gtk::glib;

use super::room_requests::Requests;
use crate::session::{Session, error_text, room::RoomKind};

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/new_room_window.ui")]
    #[properties(wrapper_type = super::NewRoomWindow)]
    pub struct NewRoomWindow {
        #[template_child]
        create_button: TemplateChild<gtk::Button>,
        #[template_child]
        name_row: TemplateChild<adw::EntryRow>,
        #[template_child]
        topic_row: TemplateChild<adw::EntryRow>,
        #[template_child]
        open_switch: TemplateChild<gtk::Switch>,
        #[template_child]
        failure: TemplateChild<gtk::Label>,
        /// The session on whose server the room is to be.
        #[property(get, construct_only)]
        session: RefCell<Option<Session>>,
        requests: Requests,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for NewRoomWindow {
        const NAME: &'static str = "PychatNewRoomWindow";
        type Type = super::NewRoomWindow;
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
    impl ObjectImpl for NewRoomWindow {
        fn constructed(&self) {
            self.parent_constructed();
            let Some(session) = self.obj().session() else { return };
            let weak = self.downgrade();
            self.requests.follow(&session, move |outcome| {
                let Some(imp) = weak.upgrade() else { return };
                match outcome {
                    Ok(()) => imp.obj().close(),
                    Err(reason) => imp.fail(reason),
                }
            });
            self.name_row.grab_focus();
        }
    }

    impl WidgetImpl for NewRoomWindow {}

    impl WindowImpl for NewRoomWindow {}

    impl AdwWindowImpl for NewRoomWindow {}

    #[gtk::template_callbacks]
    impl NewRoomWindow {
        #[template_callback]
        fn on_name_changed(&self) {
            self.failure.set_visible(false);
            self.create_button.set_sensitive(!self.name_row.text().trim().is_empty());
        }

        #[template_callback]
        fn on_create(&self) {
            let Some(session) = self.obj().session() else { return };
            if !self.create_button.is_sensitive() {
                return;
            }
            let kind = if self.open_switch.is_active() { RoomKind::Open } else { RoomKind::Closed };
            let (name, topic) = (self.name_row.text(), self.topic_row.text());
            let id = session.create_room(kind, name.trim(), topic.trim());
            if self.requests.wait_for(id) {
                self.failure.set_visible(false);
                self.create_button.set_sensitive(false);
            } else {
                self.fail(&error_text::not_connected());
            }
        }

        fn fail(&self, reason: &str) {
            self.create_button.set_sensitive(true);
            self.failure.set_label(reason);
            self.failure.set_visible(true);
            self.name_row.grab_focus();
        }
    }
}

glib::wrapper! {
    /// The window in which a room is made.
    pub struct NewRoomWindow(ObjectSubclass<imp::NewRoomWindow>)
        @extends adw::Window, gtk::Window, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget, gtk::Native, gtk::Root,
            gtk::ShortcutManager;
}

impl NewRoomWindow {
    /// Makes a window above `parent` for the server of `session`.
    pub fn new(parent: &impl IsA<gtk::Window>, session: &Session) -> Self {
        glib::Object::builder()
            .property("transient-for", parent)
            .property("session", session)
            .build()
    }
}
