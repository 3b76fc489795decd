//! The welcome of a newcomer, which is shown large as long as there is nothing else.

use gtk::gio::prelude::*;

use crate::model::{History, MessageKind};

/// The most messages that are a welcome still: of the server's certificate, of being an operator.
const WELCOME_MESSAGES_MAX: u32 = 3;

/// Returns the welcome, with what the chat itself says to a newcomer below it, if there is nothing else.
pub(super) fn text(history: &History) -> Option<String> {
    if WELCOME_MESSAGES_MAX < history.n_items() {
        return None;
    }
    let mut messages = (0..history.n_items()).filter_map(|n| history.message(n));
    let welcome = messages.next().filter(|first| first.kind() == MessageKind::Welcome)?;
    let mut text = welcome.text().to_string();
    for message in messages {
        if message.kind() != MessageKind::Notice || message.is_summary() {
            return None; // Somebody has come or gone, or said something.
        }
        text.push_str("\n\n");
        text.push_str(&message.text());
    }
    Some(text)
}
