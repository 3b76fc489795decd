//! One message in the conversation.
//!
//! Rows are recycled: the message on show changes, and everything about it is set anew. Its text
//! is put into a label as it is and never taken for markup.
//!
//! Laying out a label takes time that grows with its text, and everybody else's text is up to
//! them. So only the beginning of a long one is shown, until its reader asks for more.

use std::cell::{Cell, RefCell};

use adw::subclass::prelude::*;
use gtk::{glib, prelude::*};

use crate::{
    i18n::gettext,
    model::{Message, MessageKind},
};

/// The most characters of a message that are shown unasked.
const SHOWN_CHARS_MAX: usize = 2_000;

/// The most lines of a message that are shown unasked.
const SHOWN_LINES_MAX: usize = 40;

/// How many times as much is shown when more is asked for.
const MORE: usize = 4;

/// The longest word, in characters, that is kept in one line where it can be. To look for the
/// ends of words in a text without any is slow.
const WORD_CHARS_MAX: usize = 100;

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
        #[template_child]
        more_button: TemplateChild<gtk::Button>,
        /// How many times the usual length is shown.
        stretch: Cell<usize>,
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
            klass.bind_template_callbacks();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for MessageRow {}

    impl WidgetImpl for MessageRow {}

    impl BinImpl for MessageRow {}

    #[gtk::template_callbacks]
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
            self.author.set_label(beginning(&author, WORD_CHARS_MAX, 1));
            self.time.set_label(&clock);
            self.time.set_tooltip_text(Some(&date));
            self.heading.set_visible(message.is_from_person());
            self.arrange(kind);
            self.stretch.set(1);
            self.show_text(&message.text());
            let text = self.text.label();
            self.name_list_item(&if message.is_from_person() {
                format!("{author}, {clock}: {text}")
            } else {
                text.into()
            });
        }

        fn show_text(&self, text: &str) {
            let stretch = self.stretch.get();
            let shown = beginning(text, SHOWN_CHARS_MAX * stretch, SHOWN_LINES_MAX * stretch);
            let mut words = shown.split(char::is_whitespace);
            let has_long_word = words.any(|word| WORD_CHARS_MAX < word.chars().count());
            self.text.set_wrap_mode(if has_long_word {
                gtk::pango::WrapMode::Char
            } else {
                gtk::pango::WrapMode::WordChar
            });
            self.text.set_label(shown);
            self.more_button.set_visible(shown.len() < text.len());
        }

        #[template_callback]
        fn on_more_clicked(&self) {
            if let Some(message) = self.obj().message() {
                self.stretch.set(self.stretch.get().saturating_mul(MORE));
                self.show_text(&message.text());
            }
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

/// Returns the beginning of `text`: at most so many characters, and at most so many lines.
fn beginning(text: &str, chars_max: usize, lines_max: usize) -> &str {
    let after_chars = text.char_indices().nth(chars_max).map(|(end, _)| end);
    let after_lines = text.match_indices('\n').nth(lines_max - 1).map(|(end, _)| end);
    let end = after_chars.into_iter().chain(after_lines).min();
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_bounded_in_characters_and_lines() {
        for (text, chars_max, lines_max, expected) in [
            ("", 1, 1, ""),
            ("abc", 3, 1, "abc"),
            ("abcd", 3, 1, "abc"),
            ("жжжж", 3, 1, "жжж"),
            ("a\nb", 9, 2, "a\nb"),
            ("a\nb\nc", 9, 2, "a\nb"),
            ("a\nb\nc", 2, 2, "a\n"),
            ("\n\n\n", 9, 1, ""),
        ] {
            assert_eq!(beginning(text, chars_max, lines_max), expected, "{text:?}");
        }
    }
}
