//! Says, above a conversation, that there is no connection, and offers to try again.

use std::cell::RefCell;

use adw::subclass::prelude::*;
use gtk::{glib, glib::clone, prelude::*};

use crate::{
    i18n::{gettext, gettext_f},
    session::{Session, SessionState},
    wording,
};

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/connection_bar.ui")]
    #[properties(wrapper_type = super::ConnectionBar)]
    pub struct ConnectionBar {
        #[template_child]
        revealer: TemplateChild<gtk::Revealer>,
        #[template_child]
        spinner: TemplateChild<gtk::Spinner>,
        #[template_child]
        sentence: TemplateChild<gtk::Label>,
        #[template_child]
        retry_button: TemplateChild<gtk::Button>,
        #[template_child]
        cancel_button: TemplateChild<gtk::Button>,
        /// Whose connection it is.
        #[property(get, set = Self::set_session, explicit_notify, nullable)]
        session: RefCell<Option<Session>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for ConnectionBar {
        const NAME: &'static str = "PychatConnectionBar";
        type Type = super::ConnectionBar;
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
    impl ObjectImpl for ConnectionBar {}

    impl WidgetImpl for ConnectionBar {}

    impl BinImpl for ConnectionBar {}

    #[gtk::template_callbacks]
    impl ConnectionBar {
        fn set_session(&self, session: Option<Session>) {
            if let Some(session) = &session {
                session.connect_state_notify(clone!(
                    #[weak(rename_to = imp)]
                    self,
                    move |session| imp.show_state(session)
                ));
                self.show_state(session);
            }
            self.session.replace(session);
            self.obj().notify_session();
        }

        fn show_state(&self, session: &Session) {
            let is_lost = session.state() == SessionState::Lost;
            let is_joining = session.is_joining() && session.has_conversation();
            if is_lost {
                let ending = session.ending();
                let sentence = ending.as_ref().map(wording::ending);
                self.sentence.set_label(
                    &sentence.unwrap_or_else(|| gettext("You are not connected to the server.")),
                );
            } else if is_joining {
                let server = session.server();
                self.sentence
                    .set_label(&gettext_f("Connecting to {server}…", &[("server", &server)]));
            }
            self.spinner.set_visible(is_joining);
            self.spinner.set_spinning(is_joining);
            self.offer(if is_joining { &self.cancel_button } else { &self.retry_button });
            let is_revealed = is_lost || is_joining;
            if is_revealed {
                self.obj().set_visible(true);
            }
            self.revealer.set_reveal_child(is_revealed);
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

        /// What has slid out of sight is not there for a screen reader either.
        #[template_callback]
        fn on_revealed(&self) {
            self.obj().set_visible(self.revealer.reveals_child());
        }

        #[template_callback]
        fn on_retry_clicked(&self) {
            if let Some(session) = self.obj().session() {
                session.rejoin();
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
    /// Says that there is no connection, and offers to try again.
    pub struct ConnectionBar(ObjectSubclass<imp::ConnectionBar>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}
