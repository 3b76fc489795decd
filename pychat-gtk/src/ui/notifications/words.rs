//! The words of notifications.

use gtk::gio::prelude::*;

use crate::{
    session::{Room, room::RoomKind},
    text::{i18n::gettext_f, names::isolated, server_address::ServerAddress},
    ui::unread_count::new_messages,
};

/// The most characters of a message that a notification shows.
const EXCERPT_CHARS_MAX: usize = 200;

/// More bytes than those characters have.
const EXCERPT_BYTES_MAX: usize = 4 * EXCERPT_CHARS_MAX;

/// The number of people in a direct room of two.
const PAIR: u32 = 2;

/// Returns where something was said: a room, or the server where the room needs no name.
pub(super) fn place(room: &Room, server: &ServerAddress) -> String {
    let is_pair = room.kind() == RoomKind::Direct && room.people().n_items() <= PAIR;
    if room.kind() == RoomKind::Hall || is_pair { server.brief() } else { isolated(&room.title()) }
}

/// Returns the title and the body of the notification of `n_messages` at `place`; the last is `text`
/// of `author`.
pub(super) fn news(n_messages: usize, author: &str, text: &str, place: &str) -> (String, String) {
    let (author, text) = (isolated(&excerpt(author)), excerpt(text));
    if n_messages <= 1 {
        return (in_chat(&author, place), text);
    }
    let title = in_chat(&new_messages(n_messages), place);
    // Translators: the last of several messages, in a notification.
    let body = gettext_f("{author}: {text}", &[("author", &author), ("text", &text)]);
    (title, body)
}

/// Returns the title and the body of the notification that `author` mentions the reader in `text`,
/// at `place`.
pub(super) fn mention(author: &str, text: &str, place: &str) -> (String, String) {
    let author = isolated(&excerpt(author));
    let title = gettext_f("{author} mentioned you", &[("author", &author)]);
    (in_chat(&title, place), excerpt(text))
}

/// Returns the title and the body of the notification that `author` answers the reader with `text`, at
/// `place`.
pub(super) fn reply(author: &str, text: &str, place: &str) -> (String, String) {
    let author = isolated(&excerpt(author));
    let title = gettext_f("{author} replied to you", &[("author", &author)]);
    (in_chat(&title, place), excerpt(text))
}

fn in_chat(title: &str, place: &str) -> String {
    // Translators: the title of a notification, and the chat or the room that it is of.
    gettext_f("{title} · {place}", &[("title", title), ("place", place)])
}

/// Returns the beginning of `text` in one line.
fn excerpt(text: &str) -> String {
    let mut words = String::new();
    for word in text.split_whitespace() {
        words.extend((!words.is_empty()).then_some(' '));
        words.push_str(word);
        if EXCERPT_BYTES_MAX < words.len() {
            break;
        }
    }
    let mut excerpt: String = words.chars().take(EXCERPT_CHARS_MAX).collect();
    if excerpt.len() < words.len() {
        excerpt.push('…');
    }
    excerpt
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns `sentence` without what isolates the names in it.
    fn plain(sentence: &str) -> String {
        sentence.replace(['\u{2068}', '\u{2069}'], "")
    }

    #[test]
    fn a_notification_is_one_short_line() {
        let body = |text: &str| news(1, "Анна", text, "host").1;
        for (text, expected) in [
            ("tea", "tea"),
            (" tea\n\n and\tcake ", "tea and cake"),
            ("<b>tea</b> &", "<b>tea</b> &"),
        ] {
            assert_eq!(body(text), expected);
        }
        let long = "я".repeat(EXCERPT_CHARS_MAX);
        assert_eq!(body(&long), long);
        assert_eq!(body(&format!("{long}я")), format!("{long}…"));
        assert_eq!(body(&"о ".repeat(65_536)).chars().count(), EXCERPT_CHARS_MAX + 1);
    }

    #[test]
    fn a_notification_says_who_speaks_and_where() {
        for ((title, body), expected) in [
            (news(1, "Анна", "tea", "host"), ("Анна · host", "tea")),
            (news(2, "Анна", "tea", "host"), ("2 new messages · host", "Анна: tea")),
            (mention("Анна", "@Борис", "host"), ("Анна mentioned you · host", "@Борис")),
            (reply("Анна", "yes", "host"), ("Анна replied to you · host", "yes")),
        ] {
            assert_eq!((plain(&title).as_str(), plain(&body).as_str()), expected);
        }
    }
}
