//! The window: the page that asks, then the conversation.

mod actions;
mod attention;
mod moderating;
mod rooms;
mod titles;

use adw::subclass::prelude::*;
use gtk::{gio, glib, glib::clone, prelude::*};

use crate::{
    config::APP_ID,
    model::{Person, time_watch::TimeWatch},
    session::{Account, Room, Session, SessionState, disconnect_reason::DisconnectReason},
    settings::Settings,
    text::server_uri::Access,
    ui::{
        compat,
        connect::connect_page::ConnectPage,
        conversation::{conversation_page::ConversationPage, selection_header::SelectionHeader},
        dialogs::distrust,
        encryption_button::EncryptionButton,
        notifications::Notifier,
        people::{people_flap, people_pane::PeoplePane},
        rooms::rooms_pane::RoomsPane,
    },
};

mod imp {
    use std::{
        cell::{Cell, OnceCell, RefCell},
        rc::Rc,
    };

    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/window.ui")]
    #[properties(wrapper_type = super::Window)]
    pub struct Window {
        #[template_child]
        pub(super) leaflet: TemplateChild<adw::Leaflet>,
        #[template_child]
        pub(super) rooms_pane: TemplateChild<RoomsPane>,
        /// Everything but the list of rooms.
        #[template_child]
        pub(super) content: TemplateChild<gtk::Box>,
        #[template_child]
        pub(super) header: TemplateChild<adw::HeaderBar>,
        #[template_child]
        pub(super) rooms_button: TemplateChild<gtk::Button>,
        #[template_child]
        pub(super) title: TemplateChild<adw::WindowTitle>,
        #[template_child]
        menu_button: TemplateChild<gtk::MenuButton>,
        #[template_child]
        pub(super) pages: TemplateChild<gtk::Stack>,
        #[template_child]
        back_button: TemplateChild<gtk::Button>,
        #[template_child]
        banned_page: TemplateChild<adw::StatusPage>,
        #[template_child]
        pub(super) connect_page: TemplateChild<ConnectPage>,
        #[template_child]
        pub(super) flap: TemplateChild<adw::Flap>,
        #[template_child]
        pub(super) conversation_page: TemplateChild<ConversationPage>,
        #[template_child]
        pub(super) people_pane: TemplateChild<PeoplePane>,
        #[template_child]
        people_button: TemplateChild<gtk::ToggleButton>,
        #[template_child]
        search_button: TemplateChild<gtk::ToggleButton>,
        /// The session of this window.
        #[property(get)]
        pub(super) session: Session,
        /// The room that is shown.
        #[property(get, set = Self::set_room, explicit_notify, nullable)]
        pub(super) room: RefCell<Option<Room>>,
        pub(super) room_signals: OnceCell<glib::SignalGroup>,
        pub(super) settings: OnceCell<Settings>,
        pub(super) notifier: OnceCell<Notifier>,
        /// True while somebody sees what comes: the window is there, and has the keyboard.
        #[property(get)]
        pub(super) is_attended: Cell<bool>,
        pub(super) time_watch: OnceCell<Rc<TimeWatch>>,
        /// Hears of the network, which outlives the window.
        pub(super) network_handler: RefCell<Option<glib::SignalHandlerId>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Window {
        const NAME: &'static str = "PychatWindow";
        type Type = super::Window;
        type ParentType = adw::ApplicationWindow;

        fn class_init(klass: &mut Self::Class) {
            ConnectPage::ensure_type();
            ConversationPage::ensure_type();
            EncryptionButton::ensure_type();
            PeoplePane::ensure_type();
            RoomsPane::ensure_type();
            SelectionHeader::ensure_type();
            klass.bind_template();
            klass.bind_template_callbacks();
            actions::install(klass);
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for Window {
        fn constructed(&self) {
            self.parent_constructed();
            if let Some(menu) = self.menu_button.popover() {
                compat::name_menu_items(&menu);
            }
            self.session.connect_state_notify(clone!(
                #[weak(rename_to = imp)]
                self,
                move |session| {
                    imp.show_state(session.state());
                    imp.look_at_times();
                }
            ));
            self.watch_rooms();
            self.show_state(self.session.state());
            self.watch_for_return();
            self.watch_moderation();
            self.watch_attention();
        }

        fn dispose(&self) {
            if let Some(handler) = self.network_handler.take() {
                gio::NetworkMonitor::default().disconnect(handler);
            }
        }
    }

    impl WidgetImpl for Window {}

    impl WindowImpl for Window {
        /// The window goes, or only out of sight, and the conversation goes on.
        fn close_request(&self) -> glib::Propagation {
            self.remember_size();
            if self.runs_on() {
                self.session.send_deletions(); // Nobody can take them back any more.
                self.obj().set_visible(false);
                return glib::Propagation::Stop;
            }
            self.leave();
            self.parent_close_request()
        }
    }

    impl ApplicationWindowImpl for Window {}

    impl AdwApplicationWindowImpl for Window {}

    #[gtk::template_callbacks]
    impl Window {
        /// The next window is as large as the one that was closed last.
        pub(super) fn remember_size(&self) {
            if let Some(settings) = self.settings.get() {
                settings.remember_window(self.obj().upcast_ref());
            }
        }

        /// Returns true if closing the window is not to end the conversation.
        fn runs_on(&self) -> bool {
            self.session.has_conversation()
                && self.settings.get().is_some_and(Settings::runs_in_background)
        }

        /// The window goes at once; the application stays until the connection is closed in order.
        pub(super) fn leave(&self) {
            if let Some(notifier) = self.notifier.get() {
                notifier.withdraw();
            }
            let session = self.session.clone();
            let guard = self.obj().application().map(|application| application.hold());
            glib::spawn_future_local(async move {
                session.leave().await;
                drop(guard);
            });
        }

        /// While a connection is sought, the page from which it is sought stays.
        fn show_state(&self, state: SessionState) {
            match state {
                SessionState::Connecting | SessionState::Joining => self.show_titles(),
                SessionState::Waiting => (),
                SessionState::Disconnected => self.show_connect_page(),
                SessionState::Joined => {
                    self.remember();
                    let is_new = !self.conversation_page.is_mapped();
                    self.show_conversation();
                    if is_new {
                        self.conversation_page.focus_composer();
                    }
                }
                SessionState::Lost if self.is_banned() => self.show_ban(),
                SessionState::Lost => self.show_conversation(),
            }
            self.update_leaflet();
            self.offer_name();
            for action in ["win.devices", "win.invite"] {
                self.obj().action_set_enabled(action, self.session.can_manage());
            }
            if let Some(reason) =
                self.session.disconnect_reason().filter(DisconnectReason::is_distrust)
                && matches!(state, SessionState::Disconnected | SessionState::Lost)
            {
                distrust::ask(self.obj().upcast_ref(), &self.session, &reason);
            }
        }

        fn show_connect_page(&self) {
            self.pages.set_visible_child(&*self.connect_page);
            self.connect_page.focus_next();
            self.enable_conversation(false);
            self.show_titles();
        }

        fn is_banned(&self) -> bool {
            matches!(self.session.disconnect_reason(), Some(DisconnectReason::Banned))
        }

        /// Nothing leads back by itself.
        fn show_ban(&self) {
            self.pages.set_visible_child(&*self.banned_page);
            self.enable_conversation(false);
            self.obj().action_set_enabled("win.leave", true);
            self.back_button.grab_focus();
            self.show_titles();
        }

        fn show_conversation(&self) {
            self.pages.set_visible_child(&*self.flap);
            self.enable_conversation(true);
            self.show_titles();
        }

        /// Offers what can be done with a conversation.
        fn enable_conversation(&self, is_enabled: bool) {
            self.obj().action_set_enabled("win.leave", is_enabled);
            self.obj().action_set_enabled("win.toggle-people", is_enabled);
            self.people_button.set_visible(is_enabled);
            for action in ["win.search", "win.search-everywhere"] {
                self.obj().action_set_enabled(action, is_enabled);
            }
            self.search_button.set_visible(is_enabled);
        }

        /// Joins what the form says, in this window; or brings forward the one where that is joined.
        #[template_callback]
        pub(super) fn on_join(&self) {
            let Some(account) = self.connect_page.account() else { return };
            let application = self.obj().application();
            if let Some(window) = application.and_then(|it| super::Window::find(&it, &account)) {
                window.present();
            } else {
                self.recall_name(&account);
                self.session.join_by(account, self.connect_page.access());
            }
        }

        #[template_callback]
        fn on_room_chosen(&self, room: &Room) {
            self.show_room(room);
        }

        #[template_callback]
        fn on_folded(&self) {
            self.update_leaflet();
        }

        #[template_callback]
        pub(super) fn on_people_closed(&self) {
            self.flap.set_reveal_flap(false);
            self.conversation_page.focus_composer();
        }

        /// To call oneself makes no sense.
        #[template_callback]
        fn on_person_chosen(&self, person: &Person) {
            if person.is_self() {
                self.leave_people();
                self.conversation_page.focus_composer();
            } else {
                self.mention(&person.name());
            }
        }

        /// Calls `name` in what is being written.
        pub(super) fn mention(&self, name: &str) {
            self.leave_people();
            self.conversation_page.mention(name);
        }

        /// Closes the list of people where it covers the conversation.
        pub(super) fn leave_people(&self) {
            self.people_pane.find_anybody();
            if self.flap.is_folded() {
                self.flap.set_reveal_flap(false);
            }
        }
    }
}

glib::wrapper! {
    /// The window of one person in one chat.
    pub struct Window(ObjectSubclass<imp::Window>)
        @extends adw::ApplicationWindow, gtk::ApplicationWindow, gtk::Window, gtk::Widget,
        @implements gio::ActionGroup, gio::ActionMap, gtk::Accessible, gtk::Buildable,
            gtk::ConstraintTarget, gtk::Native, gtk::Root, gtk::ShortcutManager;
}

impl Window {
    /// Makes a window that remembers in `settings`.
    pub fn new(application: &impl IsA<gtk::Application>, settings: &Settings) -> Self {
        let window: Self = glib::Object::builder()
            .property("application", application.as_ref())
            .property("icon-name", APP_ID)
            .build();
        settings.restore_window(window.upcast_ref());
        people_flap::keep(&window.imp().flap, settings);
        window.imp().conversation_page.follow(settings);
        window.imp().connect_page.follow(settings);
        window.imp().settings.get_or_init(|| settings.clone());
        window.imp().notifier.get_or_init(|| Notifier::new(&window.session(), settings));
        window.imp().update_attention();
        window.fill(&settings.name(), &settings.server(), Access::default());
        window
    }

    /// Fills in who is to join, and where, as a link with this `access` says it.
    pub fn fill(&self, name: &str, server: &str, access: Access) {
        self.imp().connect_page.fill(name, server, access);
    }

    /// Joins, as the main button does.
    pub fn join(&self) {
        self.imp().on_join();
    }

    /// Returns the window of `account`, if the application has one.
    pub fn find(application: &gtk::Application, account: &Account) -> Option<Self> {
        let mut windows = application.windows().into_iter().filter_map(|it| it.downcast().ok());
        windows.find(|window: &Self| window.is_of(account))
    }

    /// Returns true if this is the window of `account`, joined or on the way there.
    fn is_of(&self, account: &Account) -> bool {
        let session = self.session();
        session.state() != SessionState::Disconnected && session.account().as_ref() == Some(account)
    }

    /// Returns true while it asks who is to join and where, and nobody has answered anything yet.
    pub fn is_asking(&self) -> bool {
        matches!(self.session().state(), SessionState::Disconnected | SessionState::Waiting)
            && self.imp().connect_page.is_untouched()
    }

    /// Ends the conversation and the window, be it seen or not.
    pub fn end(&self) {
        self.imp().remember_size();
        self.imp().leave();
        self.destroy();
    }
}
