//! Answers, in words for people.

use std::{
    fmt::Write,
    time::{Duration, UNIX_EPOCH},
};

use humantime::{format_duration, format_rfc3339_seconds};
use pychat_wire::{Link, link::Address, message::RoomKind, name::is_one_line};

use super::{Answer, Shared, Stats};
use crate::core::moderation::{
    AuditEntry, Listed, ListedInvite, ListedMessage, ListedRoom, Present, Reply,
};

/// Returns an answer in words, without a newline at the end. Messages are cut to so many columns, if there
/// is such a limit.
pub(super) fn of(answer: &Answer, columns: Option<usize>) -> String {
    match answer {
        Answer::Stats(stats) => stats_words(stats),
        Answer::Audit { entries } => lines(entries, "No operator did anything yet.", entry_words),
        Answer::Messages { messages } => {
            let digits = messages.last().map_or(0, |last| last.number.to_string().len());
            let words = |message: &ListedMessage| cut(message_words(message, digits), columns);
            lines(messages, "There are no messages.", words)
        }
        Answer::Reply(Reply::Done { text } | Reply::Failed { text }) => text.clone(),
        Answer::Reply(Reply::People { people }) => lines(people, "Nobody is here.", person_words),
        Answer::Reply(Reply::Rooms { rooms }) => lines(rooms, "There are no rooms.", room_words),
        Answer::Reply(Reply::Operators { operators }) => {
            lines(operators, "There are no operators.", |names| names.join(", "))
        }
        Answer::Reply(Reply::Bots { bots }) => {
            lines(bots, "There are no bots.", |names| names.join(", "))
        }
        Answer::Reply(Reply::Invited { link, uses, until_ms }) => {
            let mut words = if link.code.is_none() {
                format!("{link}\n\nEverybody may join: this link has no code.")
            } else {
                format!("{link}\n\nIt lets in {}.", terms_words(*uses, *until_ms))
            };
            if leads_here(link) {
                words += "\n\nNo other machine can reach the server: see listen in pychat-server.toml(5).";
            }
            words
        }
        Answer::Reply(Reply::Invites { invites }) => lines(
            invites,
            "There are no invites.",
            |ListedInvite { invite, uses, until_ms, by }| {
                let by = by.as_deref().map_or(String::new(), |by| format!(" (by {by})"));
                format!("{invite} lets in {}{by}", terms_words(*uses, *until_ms))
            },
        ),
        Answer::Reply(Reply::Bans { bans, mutes, .. }) => {
            let bans = bans.iter().map(|listed| listed_words("banned", listed));
            let mutes = mutes.iter().map(|listed| listed_words("muted", listed));
            let all: Vec<_> = bans.chain(mutes).collect();
            lines(&all, "Nobody is banned or muted.", String::clone)
        }
    }
}

fn lines<T>(items: &[T], nothing: &str, words: impl Fn(&T) -> String) -> String {
    if items.is_empty() {
        return nothing.to_owned();
    }
    items.iter().map(words).collect::<Vec<_>>().join("\n")
}

fn stats_words(stats: &Stats) -> String {
    let Stats { version, uptime_seconds, people, connections, owed_bytes, last_message, .. } =
        stats;
    let Stats { rooms, stored_records, is_storage_failing, shared, .. } = stats;
    let Shared { servers, schema } = shared;
    let storage = if *is_storage_failing { "failing" } else { "works" };
    let schema = schema.map_or_else(String::new, |it| format!(", database schema {it}"));
    let uptime = format_duration(Duration::from_secs(*uptime_seconds));
    let mut words = format!(
        "Version:      {version}\n\
         Running for:  {uptime}\n\
         People:       {people}\n\
         Connections:  {connections}\n\
         Unsent:       {owed_bytes} bytes\n\
         Last message: {last_message}\n\
         Rooms:        {rooms}\n\
         Stored:       {stored_records} records since the start\n\
         Storage:      {storage}{schema}"
    );
    if !servers.is_empty() {
        words += "\nServers:      ";
        words += &servers.join(", ");
    }
    words
}

fn person_words(person: &Present) -> String {
    let Present { name, protocol, operator, muted, addresses } = person;
    let mut words = format!("{name}  (");
    if *operator {
        words += "operator, ";
    }
    if *muted {
        words += "muted, ";
    }
    let from = if addresses.is_empty() { "on another server" } else { &*addresses.join(" ") };
    let _ = write!(words, "protocol {protocol}, {from})"); // A String takes it all.
    words
}

fn room_words(listed: &ListedRoom) -> String {
    let ListedRoom { room, kind, name, members, last } = listed;
    let people = if *members == 1 { "1 person".to_owned() } else { format!("{members} people") };
    match kind {
        RoomKind::Hall => format!("hall  ({people} here, last number {last})"),
        RoomKind::Closed => {
            format!("{room}  {}  (closed, {people}, last number {last})", one_line(name))
        }
        _ => format!("{room}  {}  ({people}, last number {last})", one_line(name)),
    }
}

/// Returns true if a link is of use on this machine alone.
fn leads_here(link: &Link) -> bool {
    link.addresses.iter().all(Address::is_of_one_machine)
}

fn terms_words(uses: Option<u64>, until_ms: Option<u64>) -> String {
    let people = match uses {
        None => "any number of people".to_owned(),
        Some(1) => "1 person".to_owned(),
        Some(uses) => format!("{uses} people"),
    };
    until_ms.map_or(people.clone(), |until_ms| format!("{people} until {}", time(until_ms)))
}

fn listed_words(what: &str, listed: &Listed) -> String {
    let Listed { subject, since_ms, until_ms, by } = listed;
    let until = until_ms.map_or(String::new(), |until_ms| format!(" until {}", time(until_ms)));
    format!("{subject} is {what}{until} (by {by}, {})", time(*since_ms))
}

fn entry_words(entry: &AuditEntry) -> String {
    let AuditEntry { time_ms, who, verb, subject, detail } = entry;
    let time = time(*time_ms);
    let words = [&time, who, verb, subject, detail].map(String::as_str);
    let words = words.iter().filter(|word| !word.is_empty()).copied();
    words.collect::<Vec<_>>().join("  ").replace('\n', " ")
}

fn message_words(message: &ListedMessage, digits: usize) -> String {
    let ListedMessage { number, time_ms, author, words, deleted, event } = message;
    let words = match event {
        _ if *deleted => "(deleted)".to_owned(),
        Some(event) if words.is_empty() => format!("({})", event.name()),
        Some(event) => format!("({} {})", event.name(), one_line(words)),
        None => one_line(words),
    };
    format!("{number:>digits$}  {}  {}  {words}", time(*time_ms), one_line(author))
}

/// Returns a text as one line that does nothing to a terminal.
fn one_line(text: &str) -> String {
    let shown = |character: char| {
        if is_one_line(character.encode_utf8(&mut [0; 4])) { character } else { ' ' }
    };
    let line: String = text.chars().map(shown).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns a line cut to so many columns, if there is such a limit.
fn cut(line: String, columns: Option<usize>) -> String {
    let Some(columns) = columns else { return line };
    let (mut used, mut end) = (0, 0);
    for (index, character) in line.char_indices() {
        if used < columns {
            end = index;
        }
        used += width(character);
        if columns < used {
            return format!("{}…", &line[..end]);
        }
    }
    line
}

/// Returns the columns that a character takes at most.
fn width(character: char) -> usize {
    match character {
        '\u{1100}'..='\u{115F}'
        | '\u{2E80}'..='\u{A4CF}'
        | '\u{AC00}'..='\u{D7A3}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{FE30}'..='\u{FE6F}'
        | '\u{FF00}'..='\u{FF60}'
        | '\u{FFE0}'..='\u{FFE6}'
        | '\u{1F000}'..='\u{1FAFF}'
        | '\u{20000}'..='\u{3FFFD}' => 2,
        _ => 1,
    }
}

fn time(utc_ms: u64) -> String {
    /// The end of the year 9999: the latest time that can be written.
    const LATEST_MS: u64 = 253_402_300_799_000;
    let since_1970 = Duration::from_millis(utc_ms.min(LATEST_MS));
    format_rfc3339_seconds(UNIX_EPOCH + since_1970).to_string()
}

#[cfg(test)]
mod tests {
    use pychat_wire::message::RoomEvent;

    use super::*;

    fn message(number: u64, words: &str) -> ListedMessage {
        ListedMessage {
            number,
            time_ms: 0,
            author: "Анна".to_owned(),
            words: words.to_owned(),
            deleted: false,
            event: None,
        }
    }

    #[test]
    fn who_is_on_another_server_has_no_address_here() {
        let present = |addresses: &[&str]| Present {
            name: "Anna".to_owned(),
            protocol: 2,
            operator: true,
            muted: false,
            addresses: addresses.iter().map(ToString::to_string).collect(),
        };
        let there = person_words(&present(&[]));
        assert_eq!(there, "Anna  (operator, protocol 2, on another server)");
        let here = person_words(&present(&["127.0.0.1", "192.0.2.7"]));
        assert_eq!(here, "Anna  (operator, protocol 2, 127.0.0.1 192.0.2.7)");
    }

    #[test]
    fn each_message_is_one_line_whatever_it_says() {
        let deleted = ListedMessage { deleted: true, ..message(9, "") };
        let event = |event, words| ListedMessage { event: Some(event), ..message(10, words) };
        let messages = vec![
            message(8, " two\r\nlines\t\u{1b}[2J\u{202e}and more "),
            deleted,
            event(RoomEvent::Joined, ""),
            event(RoomEvent::Added, "Вера"),
        ];
        let answer = Answer::Messages { messages };
        assert_eq!(
            of(&answer, None),
            " 8  1970-01-01T00:00:00Z  Анна  two lines [2J and more\n \
             9  1970-01-01T00:00:00Z  Анна  (deleted)\n\
             10  1970-01-01T00:00:00Z  Анна  (joined)\n\
             10  1970-01-01T00:00:00Z  Анна  (added Вера)"
        );
        let cut = of(&answer, Some(35));
        assert_eq!(cut.lines().next(), Some(" 8  1970-01-01T00:00:00Z  Анна  tw…"));
        let nothing = Answer::Messages { messages: Vec::new() };
        assert_eq!(of(&nothing, Some(1)), "There are no messages.");
    }

    #[test]
    fn a_line_is_cut_where_the_terminal_ends() {
        for (line, columns, expected) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("日本", 4, "日本"),
            ("日本", 3, "日…"),
            ("日本", 2, "…"),
            ("a👍b", 4, "a👍b"),
            ("a👍bc", 4, "a👍…"),
            ("ab", 1, "…"),
            ("", 1, ""),
        ] {
            assert_eq!(cut(line.to_owned(), Some(columns)), expected, "{line} {columns}");
        }
    }
}
