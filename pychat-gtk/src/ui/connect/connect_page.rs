//! The page from which a chat is joined: a form, the chats that were joined before, and the outcome.

use std::{cell::RefCell, marker::PhantomData, sync::OnceLock};

use adw::{prelude::*, subclass::prelude::*};
use gtk::{
    glib,
    glib::{clone, subclass::Signal},
};

use pychat_wire::link::Code;

use super::{
    account_form::AccountForm, join_button::JoinButton, nearby_servers::NearbyServers,
    recent_chats::RecentChats,
};
use crate::{
    session::{Account, Session, SessionState, disconnect_reason::DisconnectReason},
    settings::Settings,
    text::{
        i18n::{gettext, gettext_f},
        names,
        names::isolated,
        server_uri::Access,
    },
    ui::{dialogs::connection_details, retry_countdown::RetryCountdown},
};

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/connect_page.ui")]
    #[properties(wrapper_type = super::ConnectPage)]
    pub struct ConnectPage {
        #[template_child]
        toast_overlay: TemplateChild<adw::ToastOverlay>,
        #[template_child]
        pub(super) form: TemplateChild<AccountForm>,
        #[template_child]
        details_button: TemplateChild<gtk::Button>,
        #[template_child]
        explanation: TemplateChild<gtk::Label>,
        #[template_child]
        outlook: TemplateChild<gtk::Label>,
        #[template_child]
        pub(super) join_button: TemplateChild<JoinButton>,
        #[template_child]
        pub(super) recent_chats: TemplateChild<RecentChats>,
        #[template_child]
        nearby_servers: TemplateChild<NearbyServers>,
        /// The session that joins.
        #[property(get, set, nullable)]
        session: RefCell<Option<Session>>,
        /// Its state, to which the template binds this.
        #[property(name = "state", type = SessionState, set = Self::show_state, builder(SessionState::default()))]
        state: PhantomData<SessionState>,
        countdown: RetryCountdown,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for ConnectPage {
        const NAME: &'static str = "PychatConnectPage";
        type Type = super::ConnectPage;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            AccountForm::ensure_type();
            JoinButton::ensure_type();
            NearbyServers::ensure_type();
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
            self.on_form_changed();
        }
    }

    impl WidgetImpl for ConnectPage {
        /// Servers are searched for while somebody may see them.
        fn map(&self) {
            self.parent_map();
            self.nearby_servers.search(true);
        }

        fn unmap(&self) {
            self.nearby_servers.search(false);
            self.parent_unmap();
        }
    }

    impl BinImpl for ConnectPage {}

    #[gtk::template_callbacks]
    impl ConnectPage {
        fn ask_to_join(&self) {
            self.obj().emit_by_name::<()>("join", &[]);
        }

        fn show_state(&self, _: SessionState) {
            let Some(session) = self.obj().session() else { return };
            let session = &session;
            if session.has_conversation() {
                self.join_button.stop_spinning();
                return; // The conversation's page has the word.
            }
            // An attempt after one that has failed is told of below the reason for that.
            let reason = session.disconnect_reason();
            let is_joining = session.is_joining() && reason.is_none();
            let server = session.server();
            // The focus moves before what it is on becomes insensitive.
            if is_joining {
                let progress = gettext_f("Connecting to {server}…", &[("server", &server)]);
                self.join_button.show_progress(&progress);
            }
            self.form.set_editable(!is_joining);
            self.recent_chats.set_sensitive(!is_joining);
            self.nearby_servers.set_sensitive(!is_joining);
            if !is_joining {
                self.recent_chats.refresh();
                self.join_button.offer(&match &reason {
                    None | Some(DisconnectReason::NameTaken { .. }) => gettext("_Join"),
                    Some(_) => gettext("_Try Again"),
                });
            }
            self.show_outlook(session, reason.is_some());
            if let (Some(DisconnectReason::NameTaken { suggest: Some(name), .. }), false) =
                (&reason, is_joining)
            {
                self.form.enter_name(name);
            }
            let failure = session.disconnect_sentence();
            self.form.show_failure(failure.as_deref());
            self.details_button.set_visible(failure.is_some() && !session.attempts().is_empty());
        }

        /// Says when the next attempt is made, if one has failed.
        fn show_outlook(&self, session: &Session, has_failed: bool) {
            if has_failed {
                self.countdown.show(&self.outlook, session);
            } else {
                self.countdown.stop();
                self.outlook.set_visible(false);
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
        fn on_form_changed(&self) {
            self.stop_trying();
            let account = self.form.account();
            self.join_button.set_enabled(account.is_some());
            self.explain();
            self.recent_chats.leave_out(account);
        }

        /// Says what joining by a link means.
        pub(super) fn explain(&self) {
            let name = self.form.account().map(|account| isolated(account.name()));
            let explanation = match (self.form.access().code, name) {
                (Some(Code::Pair(_)), Some(name)) => gettext_f(
                    "This device will be added to those of {name}. All of them show the same messages.",
                    &[("name", &name)],
                ),
                (Some(Code::Invite(_)), _) => gettext("You were invited to this chat."),
                _ => String::new(),
            };
            self.explanation.set_visible(!explanation.is_empty());
            self.explanation.set_label(&explanation);
        }

        /// Enter means the main button, if it can be pressed.
        #[template_callback]
        fn on_form_activated(&self) {
            self.join_button.press();
        }

        #[template_callback]
        fn on_join_clicked(&self) {
            self.ask_to_join();
        }

        #[template_callback]
        fn on_details_clicked(&self) {
            if let Some(session) = self.obj().session() {
                connection_details::show(&*self.obj(), &session.attempts());
            }
        }

        #[template_callback]
        fn on_chat_chosen(&self, account: &Account) {
            self.obj().fill(account.name(), &account.server().to_string(), Access::default());
            self.ask_to_join();
        }

        /// Shows where a server leads before one joins: whoever announces it chooses its name.
        #[template_callback]
        fn on_server_chosen(&self) {
            if let Some((server, access)) = self.nearby_servers.chosen() {
                self.form.fill_server(&server, access);
                self.explain();
                if !self.form.focus_mistake() {
                    self.join_button.focus();
                }
            }
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
        fn on_cancelled(&self) {
            if let Some(session) = self.obj().session() {
                session.cancel();
            }
        }
    }
}

glib::wrapper! {
    /// The page from which a chat is joined.
    ///
    /// Emits `join` when what is in its form is to be joined.
    pub struct ConnectPage(ObjectSubclass<imp::ConnectPage>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl ConnectPage {
    /// Fills the entries in, from a link with this `access`, and goes to what is still to be done.
    pub fn fill(&self, name: &str, server: &str, access: Access) {
        self.imp().form.fill(name, server, access);
        self.imp().explain();
        self.focus_next();
    }

    /// Returns true if the entries are as they were filled in.
    pub fn is_untouched(&self) -> bool {
        self.imp().form.is_untouched()
    }

    /// Shows the chats that `settings` remember.
    pub fn follow(&self, settings: &Settings) {
        self.imp().recent_chats.follow(settings);
    }

    /// Goes to what is still to be done: the first entry that needs something, or the button.
    pub fn focus_next(&self) {
        let imp = self.imp();
        let is_known = matches!(imp.form.access().code, Some(Code::Pair(_)));
        if imp.recent_chats.is_empty() && !is_known {
            imp.form.focus_name(); // The first time, the name that is offered may be wrong.
        } else if !imp.form.focus_mistake() {
            imp.join_button.focus();
        }
    }

    /// Returns who is to join, and where; `None` while an entry has a mistake in it.
    pub fn account(&self) -> Option<Account> {
        self.imp().form.account()
    }

    /// Returns what the link has that leads there, if there was one.
    pub fn access(&self) -> Access {
        self.imp().form.access()
    }
}
