//! Tells how the connection is protected: a lock, or an open one with the reason.

use std::{cell::RefCell, marker::PhantomData};

use adw::subclass::prelude::*;
use gtk::{glib, prelude::*};

use crate::{
    session::{Session, SessionState, encryption::Encryption},
    text::i18n::{gettext, gettext_f},
};

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/encryption_button.ui")]
    #[properties(wrapper_type = super::EncryptionButton)]
    pub struct EncryptionButton {
        #[template_child]
        button: TemplateChild<gtk::MenuButton>,
        #[template_child]
        heading: TemplateChild<gtk::Label>,
        #[template_child]
        explanation: TemplateChild<gtk::Label>,
        #[template_child]
        pin: TemplateChild<gtk::Label>,
        /// The session whose connection it is.
        #[property(get, set, nullable)]
        session: RefCell<Option<Session>>,
        /// Its state, to which the template of the window binds this.
        #[property(name = "state", type = SessionState, set = Self::show_state, builder(SessionState::default()))]
        state: PhantomData<SessionState>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for EncryptionButton {
        const NAME: &'static str = "PychatEncryptionButton";
        type Type = super::EncryptionButton;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            klass.bind_template();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for EncryptionButton {}

    impl WidgetImpl for EncryptionButton {}

    impl BinImpl for EncryptionButton {}

    impl EncryptionButton {
        /// There is nothing to tell of a connection that is not there.
        fn show_state(&self, state: SessionState) {
            let session = self.obj().session().filter(|_| state == SessionState::Joined);
            let encryption = session.as_ref().and_then(Session::encryption);
            self.obj().set_visible(encryption.is_some());
            if let (Some(session), Some(encryption)) = (session, encryption) {
                self.show(&session.server(), &encryption);
            }
        }

        fn show(&self, server: &str, encryption: &Encryption) {
            let values = [("server", server)];
            let (icon, heading, explanation, pin) = match encryption {
                Encryption::None => (
                    "channel-insecure-symbolic",
                    gettext("Not Encrypted"),
                    gettext_f(
                        "{server} does not offer encryption. Others in the network can read your messages.",
                        &values,
                    ),
                    "",
                ),
                Encryption::Tls { pin, .. } => (
                    "channel-secure-symbolic",
                    gettext("Encrypted"),
                    gettext_f(
                        "Nobody in the network can read your messages. {server} is known by its certificate:",
                        &values,
                    ),
                    pin.as_str(),
                ),
            };
            self.button.set_icon_name(icon);
            self.button.set_tooltip_text(Some(&heading));
            self.button.update_property(&[gtk::accessible::Property::Label(&heading)]);
            self.heading.set_label(&heading);
            self.explanation.set_label(&explanation);
            self.pin.set_label(pin);
            self.pin.set_visible(!pin.is_empty());
        }
    }
}

glib::wrapper! {
    /// Tells how the connection is protected.
    pub struct EncryptionButton(ObjectSubclass<imp::EncryptionButton>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}
