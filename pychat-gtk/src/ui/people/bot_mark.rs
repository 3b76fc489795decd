//! The mark beside the name of a bot: a small word, and the same read out.

use crate::text::{
    i18n::{gettext, gettext_f},
    names::isolated,
};

/// Makes the mark.
pub fn new() -> gtk::Label {
    gtk::Label::builder()
        .css_classes(["bot-mark", "caption", "dim-label"])
        // Translators: a small mark beside the name of somebody who is a program.
        .label(gettext("bot"))
        .valign(gtk::Align::Center)
        .build()
}

/// Returns how a bot called `name` is read out.
pub fn spoken(name: &str) -> String {
    // Translators: somebody who is a program.
    gettext_f("{name} (bot)", &[("name", &isolated(name))])
}
