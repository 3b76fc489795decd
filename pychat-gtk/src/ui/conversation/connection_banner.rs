//! Says, above a conversation, that there is no connection, and what is done about it.
//!
//! Most connections are back before anybody could read that they were gone; so the bar waits a
//! moment before it shows, and another before it speaks of an attempt.

use std::{
    cell::{Cell, RefCell},
    marker::PhantomData,
    time::Duration,
};

use adw::subclass::prelude::*;
use gtk::{glib, prelude::*};

use crate::{
    session::{Session, SessionState},
    text::i18n::gettext,
    ui::{dialogs::connection_details, retry_countdown::RetryCountdown},
};

/// The time without a connection, or of an attempt, before that is shown.
const DELAY: Duration = Duration::from_secs(1);

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/connection_banner.ui")]
    #[properties(wrapper_type = super::ConnectionBanner)]
    pub struct ConnectionBanner {
        #[template_child]
        revealer: TemplateChild<gtk::Revealer>,
        #[template_child]
        spinner: TemplateChild<gtk::Spinner>,
        #[template_child]
        sentence: TemplateChild<gtk::Label>,
        #[template_child]
        outlook: TemplateChild<gtk::Label>,
        #[template_child]
        details_button: TemplateChild<gtk::Button>,
        #[template_child]
        retry_button: TemplateChild<gtk::Button>,
        #[template_child]
        retry_label: TemplateChild<gtk::Label>,
        #[template_child]
        cancel_button: TemplateChild<gtk::Button>,
        /// The session whose connection it is.
        #[property(get, set, nullable)]
        session: RefCell<Option<Session>>,
        /// Its state, to which the template binds this.
        #[property(name = "state", type = SessionState, set = Self::show_state, builder(SessionState::default()))]
        state: PhantomData<SessionState>,
        /// True while the bar is there.
        is_shown: Cell<bool>,
        /// Waits until something is worth showing.
        delay: RefCell<Option<glib::JoinHandle<()>>>,
        countdown: RetryCountdown,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for ConnectionBanner {
        const NAME: &'static str = "PychatConnectionBanner";
        type Type = super::ConnectionBanner;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            klass.set_accessible_role(gtk::AccessibleRole::Group);
            klass.bind_template();
            klass.bind_template_callbacks();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for ConnectionBanner {}

    impl WidgetImpl for ConnectionBanner {}

    impl BinImpl for ConnectionBanner {}

    #[gtk::template_callbacks]
    impl ConnectionBanner {
        fn show_state(&self, state: SessionState) {
            let Some(session) = self.obj().session() else { return };
            let session = &session;
            match state {
                SessionState::Disconnected | SessionState::Joined => self.hide(),
                SessionState::Lost if self.is_shown.get() || session.retry_in().is_none() => {
                    self.show(session);
                }
                SessionState::Connecting | SessionState::Lost if session.has_conversation() => {
                    self.wait(session);
                }
                _ => (),
            }
        }

        fn hide(&self) {
            self.stop_waiting();
            self.countdown.stop();
            self.is_shown.set(false);
            self.revealer.set_reveal_child(false);
        }

        /// Shows, in a moment, how things are then.
        fn wait(&self, session: &Session) {
            let is_waiting = self.delay.borrow().is_some();
            if is_waiting && !self.is_shown.get() {
                return; // Attempts come and go; the wait began with the first.
            }
            self.stop_waiting();
            let (weak, session) = (self.downgrade(), session.clone());
            let delay = glib::spawn_future_local(async move {
                glib::timeout_future(DELAY).await;
                if let Some(imp) = weak.upgrade() {
                    imp.delay.take();
                    imp.show(&session);
                }
            });
            self.delay.replace(Some(delay));
        }

        fn stop_waiting(&self) {
            if let Some(delay) = self.delay.take() {
                delay.abort();
            }
        }

        fn show(&self, session: &Session) {
            self.stop_waiting();
            let sentence = session.disconnect_sentence();
            self.sentence.set_label(
                &sentence.unwrap_or_else(|| gettext("You are not connected to the server.")),
            );
            self.details_button.set_visible(!session.attempts().is_empty());
            let is_joining = session.is_joining();
            self.spinner.set_visible(is_joining);
            self.spinner.set_spinning(is_joining);
            self.retry_label.set_label(&match session.retry_in() {
                Some(_) => gettext("_Try Now"),
                None => gettext("_Reconnect"),
            });
            self.offer(if is_joining { &self.cancel_button } else { &self.retry_button });
            self.countdown.show(&self.outlook, session);
            self.is_shown.set(true);
            self.obj().set_visible(true);
            self.revealer.set_reveal_child(true);
        }

        /// Shows this button instead of the other, and leaves the focus with it if it was there.
        fn offer(&self, offered: &gtk::Button) {
            let had_focus = self.obj().focus_child().is_some();
            offered.set_visible(true);
            if had_focus {
                offered.grab_focus();
            }
            for button in [&*self.retry_button, &*self.cancel_button] {
                button.set_visible(button == offered);
            }
        }

        /// Hides the bar once it has slid out of sight, so that a screen reader does not find it
        /// either.
        #[template_callback]
        fn on_revealed(&self) {
            self.obj().set_visible(self.revealer.reveals_child());
        }

        #[template_callback]
        fn on_details_clicked(&self) {
            if let Some(session) = self.obj().session() {
                connection_details::show(&*self.obj(), &session.attempts());
            }
        }

        #[template_callback]
        fn on_retry_clicked(&self) {
            if let Some(session) = self.obj().session() {
                session.rejoin();
                if session.state() != SessionState::Joined {
                    self.show(&session); // Who asked for it wants to see it.
                }
            }
        }

        #[template_callback]
        fn on_cancel_clicked(&self) {
            if let Some(session) = self.obj().session() {
                session.cancel();
            }
        }
    }
}

glib::wrapper! {
    /// Says that there is no connection, when that will be tried again, and offers to try now.
    pub struct ConnectionBanner(ObjectSubclass<imp::ConnectionBanner>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}
