//! The first line of what a message answers, above its words. It leads there.

use std::cell::OnceCell;

use adw::{prelude::*, subclass::prelude::*};
use gtk::{glib, glib::clone, pango};

use crate::{
    model::{Message, MessageKind},
    text::{
        self,
        i18n::{gettext, gettext_f},
    },
    ui::highlight,
};

/// The most characters of what is answered that are shown.
const QUOTE_CHARS_MAX: usize = 120;

/// The most characters for which a bubble gets wider.
const WIDTH_CHARS_MAX: i32 = 40;

mod imp {
    use super::*;

    #[derive(Debug, Default)]
    pub struct Quote {
        label: gtk::Label,
        button: gtk::Button,
        /// The message that answers.
        answer: glib::WeakRef<Message>,
        /// The signals of the message that it answers.
        signals: OnceCell<glib::SignalGroup>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Quote {
        const NAME: &'static str = "PychatQuote";
        type Type = super::Quote;
        type ParentType = adw::Bin;
    }

    impl ObjectImpl for Quote {
        fn constructed(&self) {
            self.parent_constructed();
            self.label.set_ellipsize(pango::EllipsizeMode::End);
            self.label.set_max_width_chars(WIDTH_CHARS_MAX);
            self.label.set_single_line_mode(true);
            self.label.set_xalign(0.0);
            self.button.set_child(Some(&self.label));
            self.button.set_css_classes(&["flat", "quote"]);
            self.button.connect_clicked(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| imp.go_there()
            ));
            self.obj().set_child(Some(&self.button));
        }
    }

    impl WidgetImpl for Quote {}

    impl BinImpl for Quote {}

    impl Quote {
        pub(super) fn show(&self, answer: &Message) {
            self.answer.set(Some(answer));
            let signals = self.signals.get_or_init(|| self.signals());
            signals.set_target(answer.quoted().as_ref());
            self.update();
        }

        fn signals(&self) -> glib::SignalGroup {
            let signals = glib::SignalGroup::new::<Message>();
            signals.connect_closure(
                "changed",
                false,
                glib::closure_local!(
                    #[weak(rename_to = imp)]
                    self,
                    move |_: &Message| imp.update()
                ),
            );
            signals
        }

        fn update(&self) {
            let Some(answer) = self.answer.upgrade() else { return };
            let Some(quoted) = answer.quoted() else {
                self.label.set_attributes(None);
                self.label.set_label(&gettext("In reply to an earlier message"));
                return;
            };
            let author = author(&quoted);
            let line = first_line(&quoted);
            // Translators: above an answer: who said what is answered, and its first line.
            let text = gettext_f("{author}: {text}", &[("author", &author), ("text", &line)]);
            let bold = text.starts_with(&author).then_some(0..author.len());
            self.label.set_attributes(Some(&highlight::bold(bold.as_slice())));
            self.label.set_label(&text);
        }

        fn go_there(&self) {
            if let Some(seq) = self.answer.upgrade().and_then(|answer| answer.reply()) {
                // It fails only outside a conversation.
                let _ = self
                    .obj()
                    .activate_action("conversation.go-to-message", Some(&seq.to_variant()));
            }
        }
    }
}

glib::wrapper! {
    /// Shows what a message answers.
    pub struct Quote(ObjectSubclass<imp::Quote>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl Default for Quote {
    fn default() -> Self {
        glib::Object::new()
    }
}

impl Quote {
    /// Shows what `answer` answers.
    pub(super) fn show(&self, answer: &Message) {
        self.imp().show(answer);
    }
}

/// Returns who said what `answer` answers, to be read out.
pub(super) fn answered(answer: &Message) -> String {
    answer.quoted().map_or_else(|| gettext("an earlier message"), |quoted| author(&quoted))
}

/// Returns who said `message`.
pub fn author(message: &Message) -> String {
    match message.kind() {
        MessageKind::Own => gettext("You"),
        _ => message.author().to_owned(),
    }
}

/// Returns the beginning of the first line of `message`.
pub fn first_line(message: &Message) -> String {
    let text = message.shown_text();
    let line = text::lines(&text).find(|line| !text::is_blank(line)).unwrap_or_default();
    text::beginning(line, QUOTE_CHARS_MAX, 1).to_owned()
}
