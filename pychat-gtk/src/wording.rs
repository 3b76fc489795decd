//! The sentences of the program about what happens, in the reader's language.
//!
//! Enums come in, sentences come out; nothing else in the program turns an error into words.

mod ending;

use std::time::Duration;

use pychat_wire::{NameError, client::SayError, name::NAME_CHARS_MAX};

pub use self::ending::{ending, fail_reason};
use crate::{
    model::{Passage, Presence, Turn},
    text::{
        i18n::{gettext, gettext_f, ngettext_f},
        server_address::AddressError,
        times,
    },
};

/// The most names that a welcome lists; the rest are counted.
const NAMES_LISTED_MAX: usize = 3;

/// The most comings and goings that are told each by themselves.
const PASSAGES_TOLD_MAX: usize = 2;

/// The most people who are named where many came or went.
const NAMES_TOLD_MAX: usize = 3;

/// The most new messages that are counted where there is little room.
const NEW_MAX: u32 = 999;

/// The most characters of a message that a notification shows.
const EXCERPT_CHARS_MAX: usize = 200;

/// More bytes than those characters have.
const EXCERPT_BYTES_MAX: usize = 4 * EXCERPT_CHARS_MAX;

/// Returns `name` as it stands in a sentence: whatever its direction, it moves nothing around it.
fn isolated(name: &str) -> String {
    format!("\u{2068}{name}\u{2069}") // First strong isolate, pop directional isolate.
}

/// Returns the address `server` as it stands by itself: read from the left in every language.
pub fn left_to_right(server: &str) -> String {
    format!("\u{2066}{server}\u{2069}") // Left-to-right isolate, pop directional isolate.
}

/// Returns `names` one after the other.
fn listed(names: &[impl AsRef<str>]) -> String {
    let names: Vec<_> = names.iter().map(|name| isolated(name.as_ref())).collect();
    // Translators: stands between the names in a list, such as "Anna, Boris".
    names.join(&gettext(", "))
}

/// Returns the title of the window in which `name` is in the chat at `server`.
pub fn window_title(name: &str, server: &str) -> String {
    format!("{} — {}", isolated(name), left_to_right(server))
}

/// Returns how a message is read out: who said it, when and what.
pub fn read_out(author: &str, time: &str, text: &str) -> String {
    gettext_f("{author}, {time}: {text}", &[("author", author), ("time", time), ("text", text)])
}

/// Returns how the button is read out that leads `way`, where there are `n_new` messages.
pub fn way_with_count(way: &str, n_new: u32) -> String {
    // Translators: a button and what is there, such as "Jump to Latest: 3 new messages".
    gettext_f("{way}: {count}", &[("way", way), ("count", &new_messages(n_new as usize))])
}

/// Returns the greeting of somebody who has just joined as `name` and finds `others` there.
pub fn welcome(name: &str, others: &[String]) -> String {
    let name = &isolated(name);
    if others.is_empty() {
        return gettext_f("Welcome, {name}. Nobody else is here yet.", &[("name", name)]);
    }
    let (told, uncounted) = others.split_at(others.len().min(NAMES_LISTED_MAX));
    let names = listed(told);
    if uncounted.is_empty() {
        return gettext_f(
            "Welcome, {name}. Already here: {names}.",
            &[("name", name), ("names", &names)],
        );
    }
    ngettext_f(
        "Welcome, {name}. Already here: {names} and {count} other.",
        "Welcome, {name}. Already here: {names} and {count} others.",
        uncounted.len(),
        &[("name", name), ("names", &names)],
    )
}

/// Returns the greeting of somebody who has just joined as `name` and whom the title tells that nobody
/// else is there.
pub fn welcome_alone(name: &str) -> String {
    gettext_f("Welcome, {name}.", &[("name", &isolated(name))])
}

/// Returns that somebody came or went, and why where it was not by their own wish.
pub fn passage(passage: &Passage) -> String {
    let name = isolated(&passage.name);
    let values = [("name", name.as_str())];
    match passage.turn {
        Turn::Joined => gettext_f("{name} joined the chat.", &values),
        Turn::Left => gettext_f("{name} left the chat.", &values),
        Turn::Lost => gettext_f("{name} lost the connection.", &values),
    }
}

/// Returns who came and went: each by themselves if they are few, or else what has changed.
pub fn presence(presence: &Presence) -> String {
    let passages = presence.passages();
    if passages.len() <= PASSAGES_TOLD_MAX {
        return passages.iter().map(passage).collect::<Vec<_>>().join("\n");
    }
    let summary = presence.summary();
    let passing = (0 < summary.n_passing).then(|| {
        ngettext_f(
            "{count} person came and left.",
            "{count} people came and left.",
            summary.n_passing,
            &[],
        )
    });
    let sentences = [joined(&summary.joined), left(&summary.left), passing];
    sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Returns each of them by itself, with its time, where [`presence`] sums them up; empty otherwise.
pub fn presence_details(presence: &Presence) -> String {
    let passages = presence.passages();
    if passages.len() <= PASSAGES_TOLD_MAX {
        return String::new();
    }
    let dated = |it: &Passage| format!("{} {}", times::clock(it.time_ms), passage(it));
    passages.iter().map(dated).collect::<Vec<_>>().join("\n")
}

fn joined(names: &[&str]) -> Option<String> {
    Some(match list(names)? {
        List::One(name) => gettext_f("{name} joined the chat.", &[("name", &name)]),
        List::All(names) => gettext_f("{names} joined the chat.", &[("names", &names)]),
        List::First(names, n_others) => ngettext_f(
            "{names} and {count} other joined the chat.",
            "{names} and {count} others joined the chat.",
            n_others,
            &[("names", &names)],
        ),
    })
}

fn left(names: &[&str]) -> Option<String> {
    Some(match list(names)? {
        List::One(name) => gettext_f("{name} left the chat.", &[("name", &name)]),
        List::All(names) => gettext_f("{names} left the chat.", &[("names", &names)]),
        List::First(names, n_others) => ngettext_f(
            "{names} and {count} other left the chat.",
            "{names} and {count} others left the chat.",
            n_others,
            &[("names", &names)],
        ),
    })
}

/// Some people, as far as they are named.
enum List {
    /// There is only one.
    One(String),
    /// All of several.
    All(String),
    /// The first of many, and how many others there are.
    First(String, usize),
}

/// Names them if they are few, the first of them if they are many; `None` if there is nobody.
fn list(names: &[&str]) -> Option<List> {
    if NAMES_TOLD_MAX < names.len() {
        let (told, others) = names.split_at(NAMES_TOLD_MAX - 1);
        return Some(List::First(listed(told), others.len()));
    }
    let (last, before) = names.split_last()?;
    if before.is_empty() {
        return Some(List::One(isolated(last)));
    }
    let (before, last) = (listed(before), isolated(last));
    // Translators: the end of a list of names, as in “Anna, Boris and Vera”.
    Some(List::All(gettext_f("{names} and {last}", &[("names", &before), ("last", &last)])))
}

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

/// Returns how many messages are selected.
pub fn n_selected(n_messages: u32) -> String {
    ngettext_f("{count} Selected", "{count} Selected", n_messages as usize, &[])
}

/// Returns how many are here, the reader among them.
pub fn people_here(n_people: u32) -> String {
    if n_people == 1 {
        return gettext("Only you");
    }
    ngettext_f("{count} person online", "{count} people online", count(n_people), &[])
}

/// Returns how many of those who are here were found.
pub fn people_found(n_found: u32, n_people: u32) -> String {
    let found = n_found.to_string();
    let values = [("found", found.as_str())];
    ngettext_f("{found} of {count} person", "{found} of {count} people", count(n_people), &values)
}

/// Returns what a click on somebody in the list of people does.
pub fn mention_person(name: &str) -> String {
    gettext_f("Mention {name}", &[("name", &isolated(name))])
}

/// Returns what the reader is called among those who are here.
pub fn oneself(name: &str) -> String {
    gettext_f("{name} (you)", &[("name", &isolated(name))])
}

/// Returns whose chat it is, and where.
pub fn chat(name: &str, server: &str) -> String {
    gettext_f("{name} at {server}", &[("name", &isolated(name)), ("server", server)])
}

/// Returns the last words of a server of protocol 1.
pub fn server_stopping() -> String {
    gettext("The server is shutting down. Bye!")
}

/// Returns what stands where messages are missing.
pub fn gap() -> String {
    gettext("Some earlier messages are no longer available.")
}

/// Returns what stands where a server begins to count anew.
pub fn new_epoch() -> String {
    gettext("The server has started a new history.")
}

/// Returns when the next attempt begins, in whole seconds.
pub fn retry_in(wait: Duration) -> String {
    let seconds = usize::try_from(wait.as_millis().div_ceil(1_000).max(1)).unwrap_or(usize::MAX);
    ngettext_f("Retrying in {count} second", "Retrying in {count} seconds", seconds, &[])
}

/// Returns what is wrong with a name.
pub fn name_error(error: NameError) -> String {
    match error {
        NameError::Empty => gettext("Enter your name to join"),
        NameError::TooLong { chars } => gettext_f(
            "Names can have at most {limit} characters; this one has {count}",
            &[("limit", &NAME_CHARS_MAX.to_string()), ("count", &chars.to_string())],
        ),
        NameError::Forbidden { character } if character.is_ascii_graphic() => {
            gettext_f("Names can’t contain “{character}”", &[("character", &character.to_string())])
        }
        NameError::Forbidden { character } => gettext_f(
            "Names can’t contain the character {code}",
            &[("code", &format!("U+{:04X}", u32::from(character)))],
        ),
        NameError::TooLarge { .. } => gettext("This name is too long"),
        NameError::Marks => gettext("Names can have at most two accents on a letter"),
        NameError::Sentence => gettext("This name looks like a message from the server"),
        NameError::Reserved => gettext("This name is reserved"),
        // The rules are the wire's; whatever it adds, the name cannot be used.
        _ => gettext("This name cannot be used"),
    }
}

/// Returns what is wrong with the address of a server.
pub fn address_error(error: AddressError) -> String {
    match error {
        AddressError::Empty => gettext("Enter the server’s address"),
        AddressError::BadHost => gettext("Not a valid host name or IP address"),
        AddressError::Unbracketed => {
            gettext("An IPv6 address needs brackets, like this: [::1]:12345")
        }
        AddressError::BadPort => gettext("The port must be between 1 and 65535"),
    }
}

/// Returns why a text was not sent; `None` where the reader needs no telling.
pub fn say_error(error: SayError) -> Option<String> {
    match error {
        SayError::Blank => None,
        SayError::TooLarge { .. } => Some(gettext("This message is too long")),
        SayError::Full { .. } => {
            Some(gettext("Too many unsent messages. Wait until some have been sent."))
        }
        _ => Some(gettext("Not sent: there is no connection to the server")),
    }
}

/// Returns how much room is left in a message that is nearly full and says `text` so far; fewer
/// bytes than none are too many. It is told in characters as large as those of the text.
pub fn room_left(bytes: isize, text: &str) -> String {
    let n_chars = bytes.unsigned_abs() * text.chars().count();
    let n_bytes = text.len().max(1);
    if bytes < 0 {
        ngettext_f(
            "The message is about {count} character too long",
            "The message is about {count} characters too long",
            n_chars.div_ceil(n_bytes),
            &[],
        )
    } else {
        let count = n_chars / n_bytes;
        ngettext_f("About {count} character left", "About {count} characters left", count, &[])
    }
}

/// Returns that of what was to be inserted only the beginning was.
pub fn cut() -> String {
    gettext("The text was too long and has been cut off")
}

/// Returns the title and the body of the notification of `n_messages` in the chat at `server`; the
/// last is `text` of `author`.
pub fn news(n_messages: usize, author: &str, text: &str, server: &str) -> (String, String) {
    let (author, text) = (isolated(&excerpt(author)), excerpt(text));
    if n_messages <= 1 {
        return (in_chat(&author, server), text);
    }
    let title = in_chat(&new_messages(n_messages), server);
    // Translators: the last of several messages, in a notification.
    let body = gettext_f("{author}: {text}", &[("author", &author), ("text", &text)]);
    (title, body)
}

/// Returns the title and the body of the notification that `author` mentions the reader in `text`, in
/// the chat at `server`.
pub fn mention(author: &str, text: &str, server: &str) -> (String, String) {
    let author = isolated(&excerpt(author));
    let title = gettext_f("{author} mentioned you", &[("author", &author)]);
    (in_chat(&title, server), excerpt(text))
}

fn in_chat(title: &str, server: &str) -> String {
    // Translators: the title of a notification, and the chat that it is of.
    gettext_f("{title} · {server}", &[("title", title), ("server", server)])
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

/// Returns a list's count as others are counted.
fn count(n_items: u32) -> usize {
    usize::try_from(n_items).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
