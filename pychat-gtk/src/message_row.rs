//! One message in the conversation.
//!
//! Rows are recycled: the message on show changes, and everything about it is set anew. Its text
//! is put into a label as it is and never taken for markup.

use std::cell::RefCell;

use adw::subclass::prelude::*;
use gtk::{glib, prelude::*};

use crate::{
    i18n::gettext,
    model::{Message, MessageKind},
};

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/message_row.ui")]
    #[properties(wrapper_type = super::MessageRow)]
    pub struct MessageRow {
        #[template_child]
        bubble: TemplateChild<gtk::Box>,
        #[template_child]
        heading: TemplateChild<gtk::Box>,
        #[template_child]
        author: TemplateChild<gtk::Label>,
        #[template_child]
        time: TemplateChild<gtk::Label>,
        #[template_child]
        text: TemplateChild<gtk::Label>,
        /// The message on show.
        #[property(get, set = Self::set_message, explicit_notify, nullable)]
        message: RefCell<Option<Message>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for MessageRow {
        const NAME: &'static str = "PychatMessageRow";
        type Type = super::MessageRow;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            klass.bind_template();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for MessageRow {}

    impl WidgetImpl for MessageRow {}

    impl BinImpl for MessageRow {}

    impl MessageRow {
        fn set_message(&self, message: Option<Message>) {
            if *self.message.borrow() == message {
                return;
            }
            if let Some(message) = &message {
                self.show(message);
            }
            self.message.replace(message);
            self.obj().notify_message();
        }

        fn show(&self, message: &Message) {
            let kind = message.kind();
            let author = match kind {
                MessageKind::Own => gettext("You"),
                _ => message.author(),
            };
            let (clock, date) = spell_time(message.time_ms());
            self.author.set_label(&author);
            self.time.set_label(&clock);
            self.time.set_tooltip_text(Some(&date));
            self.text.set_label(&message.text());
            self.heading.set_visible(message.is_from_person());
            self.arrange(kind);
            self.name_list_item(&if message.is_from_person() {
                format!("{author}, {clock}: {}", message.text())
            } else {
                message.text()
            });
        }

        /// Own messages stand at the end of the line, other people's at its start, notices in the
        /// middle.
        fn arrange(&self, kind: MessageKind) {
            let (align, justify, classes): (_, _, &[&str]) = match kind {
                MessageKind::Own => (gtk::Align::End, gtk::Justification::Left, &["bubble", "own"]),
                MessageKind::Other => {
                    (gtk::Align::Start, gtk::Justification::Left, &["bubble", "other"])
                }
                MessageKind::Notice | MessageKind::Welcome => (
                    gtk::Align::Center,
                    gtk::Justification::Center,
                    &["bubble", "caption", "dim-label"],
                ),
            };
            self.bubble.set_halign(align);
            self.bubble.set_css_classes(classes);
            self.text.set_justify(justify);
        }

        /// What a screen reader says when the list is walked through by keyboard: it stops at the
        /// list's own item around this row, which has no name by itself.
        fn name_list_item(&self, name: &str) {
            if let Some(item) = self.obj().parent() {
                item.update_property(&[gtk::accessible::Property::Label(name)]);
            }
        }
    }

    /// Returns the time of day, short, and the full date for those who ask.
    fn spell_time(time_ms: i64) -> (glib::GString, glib::GString) {
        let spell = |format: &str| {
            let time = glib::DateTime::from_unix_local(time_ms / 1_000)?;
            time.format(format)
        };
        // Translators: the time of day beside each message; see `man strftime`.
        let clock = spell(&gettext("%H:%M"));
        let date = spell("%c");
        (clock.unwrap_or_default(), date.unwrap_or_default()) // Empty past the year 9999.
    }
}

glib::wrapper! {
    /// One message in the conversation.
    pub struct MessageRow(ObjectSubclass<imp::MessageRow>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}
