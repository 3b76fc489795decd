//! The window: the page that asks, then the conversation.

use adw::subclass::prelude::*;
use gtk::{gio, glib, glib::clone, prelude::*};

use crate::{
    application::Application,
    config::APP_ID,
    connect_page::ConnectPage,
    conversation_page::ConversationPage,
    i18n::gettext,
    session::{Session, SessionState},
    settings::Settings,
};

mod imp {
    use std::cell::{OnceCell, RefCell};

    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/window.ui")]
    #[properties(wrapper_type = super::Window)]
    pub struct Window {
        #[template_child]
        title: TemplateChild<adw::WindowTitle>,
        #[template_child]
        pages: TemplateChild<gtk::Stack>,
        #[template_child]
        pub(super) connect_page: TemplateChild<ConnectPage>,
        #[template_child]
        conversation_page: TemplateChild<ConversationPage>,
        /// Who uses this window, and where.
        #[property(get)]
        session: Session,
        pub(super) settings: OnceCell<Settings>,
        /// Hears of the network, which outlives the window.
        network_handler: RefCell<Option<glib::SignalHandlerId>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Window {
        const NAME: &'static str = "PychatWindow";
        type Type = super::Window;
        type ParentType = adw::ApplicationWindow;

        fn class_init(klass: &mut Self::Class) {
            ConnectPage::ensure_type();
            ConversationPage::ensure_type();
            klass.bind_template();
            klass.install_action_async("win.leave", None, |window, _, _| async move {
                window.session().leave().await;
            });
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for Window {
        fn constructed(&self) {
            self.parent_constructed();
            self.session.connect_state_notify(clone!(
                #[weak(rename_to = imp)]
                self,
                move |session| imp.show_state(session.state())
            ));
            self.show_state(self.session.state());
            self.watch_for_return();
        }

        fn dispose(&self) {
            if let Some(handler) = self.network_handler.take() {
                gio::NetworkMonitor::default().disconnect(handler);
            }
        }
    }

    impl WidgetImpl for Window {}

    impl WindowImpl for Window {
        /// The window goes at once; the application stays until the connection is closed in order.
        fn close_request(&self) -> glib::Propagation {
            let session = self.session.clone();
            let guard = self.obj().application().map(|application| application.hold());
            glib::spawn_future_local(async move {
                session.leave().await;
                drop(guard);
            });
            self.parent_close_request()
        }
    }

    impl ApplicationWindowImpl for Window {}

    impl AdwApplicationWindowImpl for Window {}

    impl Window {
        /// A lost connection is tried again at once when the network returns, or somebody looks.
        fn watch_for_return(&self) {
            let handler = gio::NetworkMonitor::default().connect_network_changed(clone!(
                #[weak(rename_to = session)]
                self.session,
                move |_, is_available| {
                    if is_available {
                        session.wake();
                    }
                }
            ));
            self.network_handler.replace(Some(handler));
            self.obj().connect_is_active_notify(clone!(
                #[weak(rename_to = session)]
                self.session,
                move |window| {
                    if window.is_active() {
                        session.wake();
                    }
                }
            ));
        }

        /// While a connection is sought, the page from which it is sought stays.
        fn show_state(&self, state: SessionState) {
            match state {
                SessionState::Connecting | SessionState::Joining => (),
                SessionState::Disconnected => self.show_connect_page(),
                SessionState::Joined => {
                    self.remember();
                    let is_new = !self.conversation_page.is_mapped();
                    self.show_conversation();
                    if is_new {
                        self.conversation_page.focus_composer();
                    }
                }
                SessionState::Lost => self.show_conversation(),
            }
        }

        fn show_connect_page(&self) {
            self.pages.set_visible_child(&*self.connect_page);
            self.connect_page.focus_next();
            self.obj().action_set_enabled("win.leave", false);
            self.set_titles(&gettext("Pychat"), "");
        }

        fn show_conversation(&self) {
            self.pages.set_visible_child(&*self.conversation_page);
            self.obj().action_set_enabled("win.leave", true);
            self.set_titles(&self.session.name(), &self.session.server());
        }

        fn set_titles(&self, title: &str, subtitle: &str) {
            self.title.set_title(title);
            self.title.set_subtitle(subtitle);
            self.obj().set_title(Some(&match subtitle {
                "" => title.to_owned(),
                _ => format!("{title} — {subtitle}"),
            }));
        }

        /// Remembers who joined and where: as it was asked for, not as the server calls it.
        fn remember(&self) {
            if let (Some(settings), Some((name, server))) =
                (self.settings.get(), self.session.identity())
            {
                settings.remember(name.as_str(), &server.to_string());
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
    pub fn new(application: &Application, settings: &Settings) -> Self {
        let window: Self = glib::Object::builder()
            .property("application", application)
            .property("icon-name", APP_ID)
            .build();
        settings.bind_window(window.upcast_ref());
        window.imp().settings.get_or_init(|| settings.clone());
        window.fill(&settings.name(), &settings.server());
        window
    }

    /// Fills in who is to join, and where.
    pub fn fill(&self, name: &str, server: &str) {
        self.imp().connect_page.fill(name, server);
    }

    /// Joins, as the main button does.
    pub fn join(&self) {
        self.imp().connect_page.join();
    }
}
