//! A room in detail: its name and topic, who is in it, and what it notifies of.

mod members;

use std::cell::{Cell, RefCell};

use adw::{prelude::*, subclass::prelude::*};
use gtk::{glib, glib::clone};

use self::members::Members;
use super::{question, room_requests::Requests};
use crate::{
    session::{
        Room, Session, error_text,
        room::{RoomKind, RoomNotifications},
    },
    text::i18n::{gettext, gettext_f},
    text::names::isolated,
};

/// The choices of notifications, as they are listed.
const NOTIFICATIONS: [RoomNotifications; 4] = [
    RoomNotifications::Default,
    RoomNotifications::All,
    RoomNotifications::Mentions,
    RoomNotifications::None,
];

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/room_details_window.ui")]
    #[properties(wrapper_type = super::RoomDetailsWindow)]
    pub struct RoomDetailsWindow {
        #[template_child]
        about: TemplateChild<adw::PreferencesGroup>,
        #[template_child]
        pub(super) name_row: TemplateChild<adw::EntryRow>,
        #[template_child]
        topic_row: TemplateChild<adw::EntryRow>,
        #[template_child]
        notifications_row: TemplateChild<adw::ComboRow>,
        #[template_child]
        pub(super) members: TemplateChild<adw::PreferencesGroup>,
        #[template_child]
        pub(super) add_button: TemplateChild<gtk::Button>,
        #[template_child]
        leaving: TemplateChild<adw::PreferencesGroup>,
        /// The session on whose server the room is.
        #[property(get, construct_only)]
        session: RefCell<Option<Session>>,
        /// The room.
        #[property(get, construct_only)]
        room: RefCell<Option<Room>>,
        pub(super) listed: Members,
        pub(super) requests: Requests,
        /// True while what is selected is what is so, and nobody's wish.
        is_showing: Cell<bool>,
        /// Follow the room, which outlives the window.
        pub(super) signals: RefCell<Vec<glib::SignalGroup>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for RoomDetailsWindow {
        const NAME: &'static str = "PychatRoomDetailsWindow";
        type Type = super::RoomDetailsWindow;
        type ParentType = adw::PreferencesWindow;

        fn class_init(klass: &mut Self::Class) {
            klass.bind_template();
            klass.bind_template_callbacks();
            members::install(klass);
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for RoomDetailsWindow {
        fn constructed(&self) {
            self.parent_constructed();
            let (Some(session), Some(room)) = (self.obj().session(), self.obj().room()) else {
                return;
            };
            let weak = self.downgrade();
            self.requests.follow(&session, move |outcome| {
                let Some(imp) = weak.upgrade() else { return };
                match outcome {
                    Ok(()) => imp.list_members_anew(),
                    Err(reason) => {
                        imp.show(); // What was typed does not hold.
                        imp.tell(reason);
                    }
                }
            });
            let signals = glib::SignalGroup::new::<Room>();
            for property in ["title", "topic", "is-mine", "is-gone", "notifications"] {
                let weak = self.downgrade();
                signals.connect_notify_local(Some(property), move |_, _| {
                    if let Some(imp) = weak.upgrade() {
                        imp.show();
                    }
                });
            }
            signals.set_target(Some(&room));
            self.signals.borrow_mut().push(signals);
            self.show();
            self.watch_members(&room);
        }
    }

    impl WidgetImpl for RoomDetailsWindow {}

    impl WindowImpl for RoomDetailsWindow {}

    impl AdwWindowImpl for RoomDetailsWindow {}

    impl PreferencesWindowImpl for RoomDetailsWindow {}

    #[gtk::template_callbacks]
    impl RoomDetailsWindow {
        fn show(&self) {
            let Some(room) = self.obj().room() else { return };
            if room.is_gone() {
                self.obj().close();
                return;
            }
            let changes = room.kind().has_changing_members();
            self.about.set_visible(changes);
            self.leaving.set_visible(changes);
            self.add_button.set_visible(room.kind() == RoomKind::Closed);
            for (row, text) in [(&self.name_row, room.title()), (&self.topic_row, room.topic())] {
                row.set_show_apply_button(false); // It would offer to apply what is so already.
                row.set_text(&text);
                row.set_show_apply_button(room.is_mine());
                row.set_editable(room.is_mine());
            }
            self.is_showing.set(true);
            let at = NOTIFICATIONS.iter().position(|it| *it == room.notifications());
            let at = at.and_then(|at| u32::try_from(at).ok());
            self.notifications_row.set_selected(at.unwrap_or_default());
            self.notifications_row.set_subtitle(&default_notifications(room.kind()));
            self.is_showing.set(false);
        }

        #[template_callback]
        fn on_name_applied(&self) {
            let name = self.name_row.text();
            self.request(|session, room| session.rename_room(&room.id(), name.trim()));
        }

        #[template_callback]
        fn on_topic_applied(&self) {
            let topic = self.topic_row.text();
            self.request(|session, room| session.set_room_topic(&room.id(), topic.trim()));
        }

        #[template_callback]
        fn on_notifications_selected(&self) {
            let at = usize::try_from(self.notifications_row.selected()).unwrap_or_default();
            if let (Some(room), Some(choice), false) =
                (self.obj().room(), NOTIFICATIONS.get(at), self.is_showing.get())
            {
                room.set_notifications(*choice);
            }
        }

        #[template_callback]
        fn on_add_clicked(&self) {
            self.ask_to_add();
        }

        #[template_callback]
        fn on_leave_clicked(&self) {
            let Some(room) = self.obj().room() else { return };
            let body = if room.kind() == RoomKind::Closed {
                gettext(
                    "You will not see its messages any more. To come back, you have to be added by a member.",
                )
            } else {
                gettext("You will not see its messages any more, until you join again.")
            };
            question::ask(
                self.obj().upcast_ref(),
                &gettext_f("Leave {room}?", &[("room", &isolated(&room.title()))]),
                &body,
                &gettext("_Leave"),
                clone!(
                    #[weak(rename_to = imp)]
                    self,
                    move || imp.request(|session, room| session.leave_room(&room.id()))
                ),
            );
        }

        /// Asks the server for a change; its outcome is told here.
        pub(super) fn request(&self, f: impl FnOnce(&Session, &Room) -> Option<String>) {
            let (Some(session), Some(room)) = (self.obj().session(), self.obj().room()) else {
                return;
            };
            if !self.requests.wait_for(f(&session, &room)) {
                self.tell(&error_text::not_connected());
            }
        }

        pub(super) fn tell(&self, text: &str) {
            self.obj().add_toast(adw::Toast::new(&glib::markup_escape_text(text)));
        }
    }
}

glib::wrapper! {
    /// The window of one room in detail.
    pub struct RoomDetailsWindow(ObjectSubclass<imp::RoomDetailsWindow>)
        @extends adw::PreferencesWindow, adw::Window, gtk::Window, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget, gtk::Native, gtk::Root,
            gtk::ShortcutManager;
}

impl RoomDetailsWindow {
    /// Makes a window above `parent` for `room` of `session`.
    pub fn new(parent: &impl IsA<gtk::Window>, session: &Session, room: &Room) -> Self {
        glib::Object::builder()
            .property("transient-for", parent)
            .property("session", session)
            .property("room", room)
            .build()
    }
}

/// Returns what rooms of this kind notify of by default.
fn default_notifications(kind: RoomKind) -> String {
    match kind {
        RoomKind::Direct => gettext("By default, all messages"),
        RoomKind::Hall => gettext("By default, as chosen in Preferences"),
        RoomKind::Open | RoomKind::Closed => gettext("By default, mentions of you"),
    }
}
