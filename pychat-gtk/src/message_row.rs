//! One message in the conversation.
//!
//! Rows are recycled: the message on show changes, and everything about it is set anew. Its text
//! is put into a label as it is and never taken for markup.
//!
//! Laying out a label takes time that grows with its text, and everybody else's text is up to
//! them. So only the beginning of a long one is shown, until its reader asks for more.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use adw::subclass::prelude::*;
use gtk::{glib, glib::clone, prelude::*};

use crate::{
    failure_note::FailureNote,
    i18n::gettext,
    model::{Delivery, Message, MessageKind},
};

/// How long a message may be on its way before that is shown. Most arrive before one could look.
const SENDING_PATIENCE: Duration = Duration::from_millis(500);

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
        clock: TemplateChild<gtk::Image>,
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
        /// Tells whether the message on show has arrived.
        delivery_handler: RefCell<Option<glib::SignalHandlerId>>,
        /// Waits until it is worth showing that it has not.
        patience: RefCell<Option<glib::JoinHandle<()>>>,
        /// There only where something failed.
        failure_note: RefCell<Option<FailureNote>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for MessageRow {
        const NAME: &'static str = "PychatMessageRow";
        type Type = super::MessageRow;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            klass.bind_template();
            klass.bind_template_callbacks();
            klass.install_action("message.copy", None, |row, _, _| row.imp().copy());
            for (action, effect) in [
                ("message.send-again", "conversation.send-again"),
                ("message.discard", "conversation.discard"),
            ] {
                klass.install_action(action, None, move |row, _, _| row.imp().ask_for(effect));
            }
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
            let handler = message.as_ref().map(|message| {
                self.show(message);
                message.connect_delivery_notify(clone!(
                    #[weak(rename_to = imp)]
                    self,
                    move |message| imp.show_state(message)
                ))
            });
            let before = self.message.replace(message).zip(self.delivery_handler.replace(handler));
            if let Some((message, handler)) = before {
                message.disconnect(handler);
            }
            self.obj().notify_message();
        }

        fn show(&self, message: &Message) {
            self.author.set_label(beginning(&author(message), WORD_CHARS_MAX, 1));
            self.heading.set_visible(message.is_from_person());
            self.arrange(message.kind());
            self.stretch.set(1);
            self.show_text(&message.text());
            self.show_state(message);
        }

        /// Shows what may change: the time, and whether the message has arrived.
        fn show_state(&self, message: &Message) {
            let delivery = message.delivery();
            let (clock, date) = spell_time(message.time_ms());
            self.time.set_label(&clock);
            self.time.set_tooltip_text(Some(&date));
            self.show_sending(message);
            self.show_failure((delivery == Delivery::Failed).then(|| message.failure()));
            let text = self.text.label();
            let name = if message.is_from_person() {
                format!("{}, {clock}: {text}", author(message))
            } else {
                text.into()
            };
            self.name_list_item(
                &name,
                &match delivery {
                    Delivery::Sent => String::new(),
                    Delivery::Sending => gettext("Sending…"),
                    Delivery::Failed => message.failure(),
                },
            );
        }

        /// Shows that a message is on its way, once it has been for a while.
        fn show_sending(&self, message: &Message) {
            if let Some(patience) = self.patience.take() {
                patience.abort();
            }
            let is_sending = message.delivery() == Delivery::Sending;
            let age_ms = glib::real_time() / 1_000 - message.time_ms();
            let age = Duration::from_millis(u64::try_from(age_ms).unwrap_or_default());
            let wait = SENDING_PATIENCE.saturating_sub(age);
            let is_shown = is_sending && wait.is_zero();
            self.clock.set_visible(is_shown);
            self.mark("sending", is_shown);
            if is_sending && !is_shown {
                let (weak, message) = (self.downgrade(), message.clone());
                let patience = glib::spawn_future_local(async move {
                    glib::timeout_future(wait).await;
                    if let Some(imp) = weak.upgrade() {
                        imp.patience.take();
                        imp.show_sending(&message);
                    }
                });
                self.patience.replace(Some(patience));
            }
        }

        fn mark(&self, class: &str, is_marked: bool) {
            if is_marked {
                self.bubble.add_css_class(class);
            } else {
                self.bubble.remove_css_class(class);
            }
        }

        fn show_failure(&self, reason: Option<String>) {
            self.mark("failed", reason.is_some());
            let mut note = self.failure_note.borrow_mut();
            match reason {
                Some(reason) => note
                    .get_or_insert_with(|| {
                        let note = FailureNote::default();
                        self.bubble.append(&note);
                        note
                    })
                    .explain(&reason),
                None => {
                    if let Some(note) = note.take() {
                        self.bubble.remove(&note);
                    }
                }
            }
        }

        fn copy(&self) {
            if let Some(message) = self.obj().message() {
                self.obj().clipboard().set_text(&message.text());
            }
        }

        /// Has the conversation do something about the message, which has not arrived.
        fn ask_for(&self, action: &str) {
            if let Some(message) = self.obj().message()
                && let Some(id) = message.id()
            {
                // It fails only outside a conversation, where there is nothing to be done.
                let _ = self.obj().activate_action(action, Some(&id.to_variant()));
            }
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
        fn name_list_item(&self, name: &str, description: &str) {
            if let Some(item) = self.obj().parent() {
                item.update_property(&[
                    gtk::accessible::Property::Label(name),
                    gtk::accessible::Property::Description(description),
                ]);
            }
        }
    }

    /// Returns who said it, as its reader calls them.
    fn author(message: &Message) -> String {
        match message.kind() {
            MessageKind::Own => gettext("You"),
            _ => message.author(),
        }
    }

    /// Returns the time of day, with the day if that is not today, and the full date for those who
    /// ask.
    fn spell_time(time_ms: i64) -> (glib::GString, glib::GString) {
        let spell = |format: &str| {
            let time = glib::DateTime::from_unix_local(time_ms / 1_000)?;
            time.format(format)
        };
        let is_today = || {
            let day = glib::DateTime::from_unix_local(time_ms / 1_000).ok()?.ymd();
            Some(day == glib::DateTime::now_local().ok()?.ymd())
        };
        let clock = spell(&if is_today().unwrap_or(true) {
            // Translators: the time of day beside each message; see `man strftime`.
            gettext("%H:%M")
        } else {
            // Translators: the same for a message of another day.
            gettext("%-d %b, %H:%M")
        });
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
