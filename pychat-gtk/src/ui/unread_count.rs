//! The number of new messages, in words.

use crate::text::i18n::{gettext_f, ngettext_f};

/// The most new messages that are counted where there is little room.
const NEW_MAX: u32 = 999;

/// Returns how many messages have come.
pub fn new_messages(n_messages: usize) -> String {
    ngettext_f("{count} new message", "{count} new messages", n_messages, &[])
}

/// Returns the same where there is little room.
pub fn n_new(n_messages: u32) -> String {
    if NEW_MAX < n_messages {
        // Translators: more messages than are counted; on a small button.
        return gettext_f("{count}+ new", &[("count", &NEW_MAX.to_string())]);
    }
    // Translators: messages; on a small button.
    ngettext_f("{count} new", "{count} new", n_messages as usize, &[])
}

/// Returns how the button is read out that leads `way`, where there are `n_new` messages.
pub fn way_with_count(way: &str, n_new: u32) -> String {
    // Translators: a button and what is there, such as "Jump to Latest: 3 new messages".
    gettext_f("{way}: {count}", &[("way", way), ("count", &new_messages(n_new as usize))])
}
