//! The sentences that the chat itself says between the messages.

use pychat_wire::message::{Door, OperatorRequest, RoomEvent, Whom};

use super::moderation::whom;
use crate::text::{
    i18n::{gettext, gettext_f, ngettext_f},
    names::{isolated, listed},
};

/// The most names that a welcome lists; the rest are counted.
const NAMES_LISTED_MAX: usize = 3;

/// Returns the greeting of somebody who has just joined as `name` and finds `others` there.
pub(super) fn welcome(name: &str, others: &[String]) -> String {
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
pub(super) fn welcome_alone(name: &str) -> String {
    gettext_f("Welcome, {name}.", &[("name", &isolated(name))])
}

/// Returns what stands where messages are missing.
pub(super) fn gap() -> String {
    gettext("Some earlier messages are no longer available.")
}

/// Returns what stands where a server begins to count anew.
pub(super) fn new_epoch() -> String {
    gettext("The server has started a new history.")
}

/// Returns what a first visit with encryption means.
pub(super) fn first_certificate(server: &str) -> String {
    gettext_f(
        "The connection is encrypted. From now on {server} is known by its certificate.",
        &[("server", server)],
    )
}

/// Returns what is said when another device has joined as the reader; `label` is its name.
pub(super) fn device_added(label: &str) -> String {
    if label.is_empty() {
        return gettext("A device was added to yours.");
    }
    gettext_f("The device “{device}” was added to yours.", &[("device", &isolated(label))])
}

/// Returns what is said when the reader has become an operator, or is one no longer.
pub(super) fn operator(is_operator: bool) -> String {
    if is_operator {
        gettext("You are an operator of this chat now.")
    } else {
        gettext("You are no longer an operator of this chat.")
    }
}

/// Returns what the reader did as an operator, to `subject`.
pub(super) fn deed(request: &OperatorRequest<'_>, subject: &str) -> String {
    let name = isolated(subject);
    let values = [("name", name.as_str())];
    match request {
        OperatorRequest::Mute { .. } => gettext_f("{name} was muted", &values),
        OperatorRequest::Unmute { .. } => gettext_f("{name} was unmuted", &values),
        OperatorRequest::Kick { .. } => gettext_f("{name} was removed from the chat", &values),
        OperatorRequest::Ban { whom: Whom::Person(asked), .. }
            if *asked != subject && matches!(whom(subject), Whom::Network(_)) =>
        {
            gettext_f(
                "The address {address} of {name} was banned",
                &[("address", &name), ("name", &isolated(asked))],
            )
        }
        OperatorRequest::Ban { .. } => gettext_f("{name} was banned", &values),
        OperatorRequest::Unban { .. } => gettext_f("{name} is no longer banned", &values),
        OperatorRequest::Slow { seconds: 0 } => gettext("Slow mode was turned off"),
        OperatorRequest::Slow { .. } => gettext("Slow mode was turned on"),
        OperatorRequest::Door { admission: Door::Open } => gettext("Everybody can join now"),
        OperatorRequest::Door { admission: Door::Invite } => {
            gettext("Only people with an invite can join now")
        }
        OperatorRequest::Bans => String::new(),
    }
}

/// Returns what an operator did, `by` name, to `subject`; in the server's words where the `verb` is
/// not known.
pub(super) fn moderated(verb: &str, by: &str, subject: &str, text: &str) -> String {
    let (by, name) = (isolated(by), isolated(subject));
    let values = [("operator", by.as_str()), ("name", &name)];
    match (verb, subject) {
        ("mute", _) => gettext_f("{operator} muted {name}.", &values),
        ("unmute", _) => gettext_f("{operator} unmuted {name}.", &values),
        ("kick", _) => gettext_f("{operator} removed {name} from the chat.", &values),
        ("ban", _) => gettext_f("{operator} banned {name}.", &values),
        ("unban", _) => gettext_f("{operator} lifted the ban on {name}.", &values),
        ("slow", "off") => gettext_f("{operator} turned slow mode off.", &values),
        ("slow", _) => gettext_f("{operator} turned slow mode on.", &values),
        ("door", "open") => gettext_f("{operator} opened the chat to everybody.", &values),
        ("door", _) => {
            gettext_f("{operator} closed the chat to people without an invite.", &values)
        }
        ("add_operator", _) => gettext_f("{operator} made {name} an operator.", &values),
        ("remove_operator", _) => {
            gettext_f("{operator} ended the operator rights of {name}.", &values)
        }
        // Translators: {text} is a sentence of its own: what an operator did.
        _ => gettext_f("{operator}: {text}", &[("operator", &by), ("text", text)]),
    }
}

/// Returns the title of a room of which nothing is known any more.
pub(super) fn unknown_room() -> String {
    gettext("Unknown Room")
}

/// Returns that `name` began a direct room.
pub(super) fn direct_created(name: &str) -> String {
    gettext_f("{name} started this conversation.", &[("name", &isolated(name))])
}

/// Returns what `name` did to a room, to `subject`; `None` if that is not known.
pub(super) fn room_event(event: RoomEvent, name: &str, subject: &str) -> Option<String> {
    let (name, subject) = (isolated(name), isolated(subject));
    let values = [("name", name.as_str()), ("subject", subject.as_str())];
    Some(match event {
        RoomEvent::Created => gettext_f("{name} created the room.", &values),
        RoomEvent::Joined => gettext_f("{name} joined the room.", &values),
        RoomEvent::Left => gettext_f("{name} left the room.", &values),
        // Translators: {name} did it, {subject} is another person.
        RoomEvent::Added => gettext_f("{name} added {subject}.", &values),
        // Translators: {name} did it, {subject} is another person.
        RoomEvent::Removed => gettext_f("{name} removed {subject} from the room.", &values),
        RoomEvent::Renamed => gettext_f("{name} renamed the room to “{subject}”.", &values),
        RoomEvent::Topic if subject == isolated("") => {
            gettext_f("{name} removed the topic.", &values)
        }
        RoomEvent::Topic => gettext_f("{name} changed the topic to “{subject}”.", &values),
        RoomEvent::Unknown => return None,
    })
}

/// Returns the last words of a server of protocol 1.
pub(super) fn server_stopping() -> String {
    gettext("The server is shutting down. Bye!")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns `sentence` without what isolates the names in it.
    fn plain(sentence: &str) -> String {
        sentence.replace(['\u{2068}', '\u{2069}'], "")
    }

    #[test]
    fn names_in_a_welcome_move_nothing_around_them() {
        assert_eq!(
            welcome("a", &["b".to_owned(), "c".to_owned()]),
            "Welcome, \u{2068}a\u{2069}. Already here: \u{2068}b\u{2069}, \u{2068}c\u{2069}."
        );
    }

    #[test]
    fn a_welcome_lists_names_and_counts_the_rest() {
        let others: Vec<_> = (1..=NAMES_LISTED_MAX + 3).map(|n| n.to_string()).collect();
        for (n_others, expected) in [
            (0, "Welcome, {Анна}. Nobody else is here yet."),
            (1, "Welcome, {Анна}. Already here: 1."),
            (3, "Welcome, {Анна}. Already here: 1, 2, 3."),
        ] {
            assert_eq!(plain(&welcome("{Анна}", &others[..n_others])), expected);
        }
        assert!(plain(&welcome("Анна", &others[..NAMES_LISTED_MAX])).ends_with(": 1, 2, 3."));
        assert!(plain(&welcome("Анна", &others)).ends_with(": 1, 2, 3 and 3 others."));
    }
}
