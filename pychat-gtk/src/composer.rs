//! Where a message is written and sent.
//!
//! A text leaves the entry only when the session has taken it; what becomes of it then is shown in
//! the conversation.

use std::{cell::RefCell, sync::OnceLock};

use adw::subclass::prelude::*;
use gtk::{glib, glib::clone, glib::subclass::Signal, prelude::*};

use crate::{session::Session, wording};

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/composer.ui")]
    #[properties(wrapper_type = super::Composer)]
    pub struct Composer {
        #[template_child]
        pub(super) text_view: TemplateChild<gtk::TextView>,
        #[template_child]
        buffer: TemplateChild<gtk::TextBuffer>,
        #[template_child]
        placeholder: TemplateChild<gtk::Label>,
        #[template_child]
        hint: TemplateChild<gtk::Label>,
        #[template_child]
        send_button: TemplateChild<gtk::Button>,
        /// Whom the messages are given to.
        #[property(get, set = Self::set_session, explicit_notify, nullable)]
        session: RefCell<Option<Session>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Composer {
        const NAME: &'static str = "PychatComposer";
        type Type = super::Composer;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            klass.bind_template();
            klass.bind_template_callbacks();
            klass.install_action("composer.send", None, |composer, _, _| composer.imp().send());
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for Composer {
        fn signals() -> &'static [Signal] {
            static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
            SIGNALS.get_or_init(|| vec![Signal::builder("sent").build()])
        }
    }

    impl WidgetImpl for Composer {}

    impl BinImpl for Composer {}

    #[gtk::template_callbacks]
    impl Composer {
        fn set_session(&self, session: Option<Session>) {
            if let Some(session) = &session {
                session.connect_state_notify(clone!(
                    #[weak(rename_to = imp)]
                    self,
                    move |_| imp.show_hint(None)
                ));
                session.connect_can_say_notify(clone!(
                    #[weak(rename_to = imp)]
                    self,
                    move |_| imp.update_send_button()
                ));
            }
            self.session.replace(session);
            self.obj().notify_session();
        }

        pub(super) fn send(&self) {
            let text = self.text();
            let Some(session) = self.obj().session() else { return };
            match session.say(&text) {
                Ok(()) => {
                    self.buffer.set_text("");
                    self.obj().emit_by_name::<()>("sent", &[]);
                }
                Err(error) => self.show_hint(wording::say_error(error)),
            }
        }

        fn show_hint(&self, hint: Option<String>) {
            self.hint.set_visible(hint.is_some());
            self.hint.set_label(&hint.unwrap_or_default());
        }

        fn text(&self) -> glib::GString {
            self.buffer.text(&self.buffer.start_iter(), &self.buffer.end_iter(), true)
        }

        fn update_send_button(&self) {
            let can_say = self.obj().session().is_some_and(|session| session.can_say());
            self.send_button.set_sensitive(can_say && !self.text().trim().is_empty());
        }

        #[template_callback]
        fn on_text_changed(&self) {
            self.placeholder.set_visible(self.buffer.char_count() == 0);
            self.show_hint(None);
            self.update_send_button();
        }

        #[template_callback]
        fn on_send_clicked(&self) {
            self.send();
            self.obj().focus_text();
        }
    }
}

glib::wrapper! {
    /// Where a message is written and sent.
    ///
    /// Emits `sent` when the session has taken a text.
    pub struct Composer(ObjectSubclass<imp::Composer>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl Composer {
    /// Puts the cursor into the text.
    pub fn focus_text(&self) {
        self.imp().text_view.grab_focus();
    }

    /// Calls `name` where the cursor is, as a word of its own, and goes on after it.
    pub fn mention(&self, name: &str) {
        let buffer = self.imp().text_view.buffer();
        let cursor = buffer.iter_at_mark(&buffer.get_insert());
        let mut before = cursor;
        let is_word_end = before.backward_char() && !before.char().is_whitespace();
        let gap = if is_word_end { " " } else { "" };
        buffer.begin_user_action();
        buffer.insert_at_cursor(&format!("{gap}@{name} "));
        buffer.end_user_action();
        self.focus_text();
    }
}
