//! The form with a name and a server, which joins.
//!
//! Input is checked with every key; its error stands below the entries, in a place that is kept
//! free for it. An entry in which nothing was typed yet is not complained about.

use std::{
    cell::{Cell, OnceCell, RefCell},
    sync::OnceLock,
    time::Duration,
};

use adw::{prelude::*, subclass::prelude::*};
use gtk::{
    glib,
    glib::{clone, subclass::Signal},
};
use pychat_wire::{NameError, UserName};

use super::input_error::{address_error, name_error};
use crate::{
    session::{Account, Session, disconnect_reason::DisconnectReason, error_text},
    settings::Settings,
    text::{
        i18n::{gettext, gettext_f},
        names,
        server_address::{AddressError, ServerAddress},
        server_uri::ServerUri,
    },
    ui::{connect::recent_chats::RecentChats, retry_countdown},
};

/// The time that joining may take before a spinner shows it.
const SPINNER_DELAY: Duration = Duration::from_millis(500);

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/connect_page.ui")]
    #[properties(wrapper_type = super::ConnectPage)]
    pub struct ConnectPage {
        #[template_child]
        toast_overlay: TemplateChild<adw::ToastOverlay>,
        #[template_child]
        pub(super) name_row: TemplateChild<adw::EntryRow>,
        #[template_child]
        pub(super) server_row: TemplateChild<adw::EntryRow>,
        #[template_child]
        hints: TemplateChild<gtk::Box>,
        #[template_child]
        hint: TemplateChild<gtk::Label>,
        #[template_child]
        failure: TemplateChild<gtk::Label>,
        #[template_child]
        outlook: TemplateChild<gtk::Label>,
        #[template_child]
        actions: TemplateChild<gtk::Stack>,
        #[template_child]
        pub(super) join_button: TemplateChild<gtk::Button>,
        #[template_child]
        join_label: TemplateChild<gtk::Label>,
        #[template_child]
        progress: TemplateChild<gtk::Box>,
        #[template_child]
        progress_label: TemplateChild<gtk::Label>,
        #[template_child]
        spinner: TemplateChild<gtk::Spinner>,
        #[template_child]
        pub(super) recent_chats: TemplateChild<RecentChats>,
        #[template_child]
        cancel_button: TemplateChild<gtk::Button>,
        /// The session that joins.
        #[property(get, set = Self::set_session, explicit_notify, nullable)]
        session: RefCell<Option<Session>>,
        session_signals: OnceCell<glib::SignalGroup>,
        /// True once somebody has changed the name that was filled in.
        is_name_touched: Cell<bool>,
        /// True once somebody has changed the server that was filled in.
        is_server_touched: Cell<bool>,
        /// The task that starts the spinner after [`SPINNER_DELAY`].
        spinner_delay: RefCell<Option<glib::JoinHandle<()>>>,
        /// Counts the seconds until the next attempt.
        countdown: RefCell<Option<glib::JoinHandle<()>>>,
        /// The name and the server that were filled in last.
        pub(super) filled_in: RefCell<(String, String)>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for ConnectPage {
        const NAME: &'static str = "PychatConnectPage";
        type Type = super::ConnectPage;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            RecentChats::ensure_type();
            klass.set_accessible_role(gtk::AccessibleRole::Region);
            klass.bind_template();
            klass.bind_template_callbacks();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for ConnectPage {
        fn signals() -> &'static [Signal] {
            static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
            SIGNALS.get_or_init(|| vec![Signal::builder("join").build()])
        }

        fn constructed(&self) {
            self.parent_constructed();
            self.check();
        }
    }

    impl WidgetImpl for ConnectPage {}

    impl BinImpl for ConnectPage {}

    #[gtk::template_callbacks]
    impl ConnectPage {
        fn set_session(&self, session: Option<Session>) {
            self.session.replace(session);
            let signals = self.session_signals.get_or_init(|| {
                Session::state_signals(clone!(
                    #[weak(rename_to = imp)]
                    self,
                    move || imp.show_state()
                ))
            });
            signals.set_target(self.session.borrow().as_ref());
            self.show_state();
            self.obj().notify_session();
        }

        fn ask_to_join(&self) {
            self.obj().emit_by_name::<()>("join", &[]);
        }

        pub(super) fn focus_next(&self) {
            if self.name().is_err() || self.recent_chats.is_empty() {
                self.name_row.grab_focus(); // The first time, the name that is offered may be wrong.
            } else if self.server().is_err() {
                self.server_row.grab_focus();
            } else {
                self.join_button.grab_focus();
            }
        }

        pub(super) fn name(&self) -> Result<UserName, NameError> {
            UserName::new(&self.name_row.text())
        }

        pub(super) fn server(&self) -> Result<ServerAddress, AddressError> {
            ServerUri::from_typed(&self.server_row.text()).map(|link| link.server().clone())
        }

        pub(super) fn account(&self) -> Option<Account> {
            Some(Account::new(self.name().ok()?, self.server().ok()?))
        }

        /// Checks both entries, and shows what is wrong with the first of those that are not right.
        pub(super) fn check(&self) {
            let (name, server) = (self.name(), self.server());
            self.join_button.set_sensitive(name.is_ok() && server.is_ok());
            let is_touched = self.is_name_touched.get();
            let name = name.err().filter(|it| is_touched || *it != NameError::Empty);
            let is_touched = self.is_server_touched.get();
            let server = server.err().filter(|it| is_touched || *it != AddressError::Empty);
            mark(&self.name_row, name.is_some());
            mark(&self.server_row, server.is_some());
            let problem = name.map(name_error);
            let problem = problem.or_else(|| server.map(address_error));
            let class = if problem.is_some() { "error" } else { "dim-label" };
            self.hint.set_css_classes(&["caption", "hint", class]);
            self.hint.set_label(
                &problem.unwrap_or_else(|| gettext("Your name is how others will see you")),
            );
            self.recent_chats.leave_out(self.account());
        }

        /// Fills the entries in; nobody is blamed for what stands there then.
        pub(super) fn fill(&self, name: &str, server: &str) {
            self.name_row.set_text(name);
            self.server_row.set_text(server);
            self.filled_in.replace((name.to_owned(), server.to_owned()));
            self.is_name_touched.set(false);
            self.is_server_touched.set(false);
            self.check();
        }

        fn show_state(&self) {
            let Some(session) = self.obj().session() else { return };
            let session = &session;
            if session.has_conversation() {
                self.spin(false); // It would keep drawing where nobody sees it.
                return; // The conversation's page has the word.
            }
            // An attempt after one that has failed is told of below the reason for that.
            let reason = session.disconnect_reason();
            let is_joining = session.is_joining() && reason.is_none();
            let server = session.server();
            self.progress_label
                .set_label(&gettext_f("Connecting to {server}…", &[("server", &server)]));
            self.spin(is_joining);
            // The focus moves before what it is on becomes insensitive.
            if is_joining {
                self.actions.set_visible_child(&*self.progress);
                self.cancel_button.grab_focus();
            }
            self.name_row.set_sensitive(!is_joining);
            self.server_row.set_sensitive(!is_joining);
            self.recent_chats.set_sensitive(!is_joining);
            if !is_joining {
                self.recent_chats.refresh();
                self.actions.set_visible_child(&*self.join_button);
            }
            self.show_outlook(session, reason.is_some());

            if let (Some(DisconnectReason::NameTaken { suggest: Some(name), .. }), false) =
                (&reason, is_joining)
            {
                self.name_row.set_text(name);
            }
            let failure =
                reason.as_ref().map(|reason| error_text::disconnect_reason(reason, &server));
            let has_failure = failure.is_some() && !is_joining;
            if self.failure.is_visible() && !has_failure {
                self.hints.set_height_request(self.hints.height()); // Nothing moves while one types.
            }
            self.failure.set_visible(has_failure);
            self.hint.set_visible(!has_failure); // The entries are right then.
            self.join_label.set_label(&match &reason {
                None | Some(DisconnectReason::NameTaken { .. }) => gettext("_Join"),
                Some(_) => gettext("_Try Again"),
            });
            self.failure.set_label(&failure.unwrap_or_default());
        }

        /// Turns the spinner, in a while: most servers answer before anybody would look at it.
        fn spin(&self, is_joining: bool) {
            self.spinner.set_spinning(false);
            let weak = self.downgrade();
            let delay = is_joining.then(|| {
                glib::spawn_future_local(async move {
                    glib::timeout_future(SPINNER_DELAY).await;
                    if let Some(imp) = weak.upgrade() {
                        imp.spinner.set_spinning(true);
                    }
                })
            });
            if let Some(earlier) = self.spinner_delay.replace(delay) {
                earlier.abort();
            }
        }

        /// Says when the next attempt is made, if one has failed.
        fn show_outlook(&self, session: &Session, has_failed: bool) {
            if let Some(countdown) = self.countdown.take() {
                countdown.abort();
            }
            self.outlook.set_visible(false);
            if has_failed {
                self.countdown.replace(retry_countdown::show(&self.outlook, session));
            }
        }

        /// Ends the attempts to join what was asked for, as that is about to change.
        fn stop_trying(&self) {
            if let Some(session) = self.obj().session()
                && session.disconnect_reason().is_some()
            {
                session.cancel();
            }
        }

        #[template_callback]
        fn on_name_changed(&self) {
            self.stop_trying();
            self.is_name_touched.set(true);
            self.check();
        }

        /// A link may say who is to join, unless a name was typed.
        #[template_callback]
        fn on_server_changed(&self) {
            self.stop_trying();
            self.is_server_touched.set(true);
            if !self.is_name_touched.get()
                && let Ok(link) = ServerUri::from_typed(&self.server_row.text())
                && let Some(name) = link.name()
            {
                self.name_row.set_text(name);
                self.is_name_touched.set(false);
            }
            self.check();
        }

        /// Enter means the main button, if it can be pressed.
        #[template_callback]
        fn on_entry_activated(&self) {
            self.join_button.activate();
        }

        #[template_callback]
        fn on_join_clicked(&self) {
            self.ask_to_join();
        }

        #[template_callback]
        fn on_chat_chosen(&self, account: &Account) {
            self.obj().fill(account.name(), &account.server().to_string());
            self.ask_to_join();
        }

        /// Offers to put a chat back into the list.
        #[template_callback]
        fn on_chat_removed(&self, at: u32, account: &Account) {
            let chat = names::chat(account.name(), &account.server().to_string());
            let title = gettext_f("{chat} removed from the list", &[("chat", &chat)]);
            let toast = adw::Toast::builder()
                .title(glib::markup_escape_text(&title))
                .button_label(gettext("Undo"))
                .build();
            let account = account.clone();
            toast.connect_button_clicked(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| imp.recent_chats.put_back(at, &account)
            ));
            self.toast_overlay.add_toast(toast);
        }

        #[template_callback]
        fn on_cancel_clicked(&self) {
            if let Some(session) = self.obj().session() {
                session.cancel();
            }
        }
    }

    /// Shows whether there is a mistake in an entry, also to those who do not see colours.
    fn mark(row: &adw::EntryRow, is_mistake: bool) {
        if is_mistake {
            row.add_css_class("error");
        } else {
            row.remove_css_class("error");
        }
        row.update_state(&[gtk::accessible::State::Invalid(if is_mistake {
            gtk::AccessibleInvalidState::True
        } else {
            gtk::AccessibleInvalidState::False
        })]);
    }
}

glib::wrapper! {
    /// The form with a name and a server.
    ///
    /// Emits `join` when what is in it is to be joined.
    pub struct ConnectPage(ObjectSubclass<imp::ConnectPage>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl ConnectPage {
    /// Fills the entries in, and goes to what is still to be done.
    pub fn fill(&self, name: &str, server: &str) {
        self.imp().fill(name, server);
        self.focus_next();
    }

    /// Returns true if the entries are as they were filled in.
    pub fn is_untouched(&self) -> bool {
        let imp = self.imp();
        let (name, server) = &*imp.filled_in.borrow();
        imp.name_row.text() == *name && imp.server_row.text() == *server
    }

    /// Shows the chats that `settings` remember.
    pub fn follow(&self, settings: &Settings) {
        self.imp().recent_chats.follow(settings);
    }

    /// Goes to what is still to be done: the first entry that needs something, or the button.
    pub fn focus_next(&self) {
        self.imp().focus_next();
    }

    /// Returns who is to join, and where; `None` while an entry has a mistake in it.
    pub fn account(&self) -> Option<Account> {
        self.imp().account()
    }
}
