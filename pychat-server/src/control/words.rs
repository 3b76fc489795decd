//! Answers, in words for people.

use std::{
    fmt::Write,
    time::{Duration, UNIX_EPOCH},
};

use humantime::{format_duration, format_rfc3339_seconds};
use pychat_wire::{Link, link::Host};

use super::{Answer, Stats};
use crate::core::moderation::{AuditEntry, Listed, ListedInvite, Present, Reply};

/// Returns an answer in words, without a newline at the end.
pub(super) fn of(answer: &Answer) -> String {
    match answer {
        Answer::Stats(stats) => stats_words(stats),
        Answer::Audit { entries } => lines(entries, "No operator did anything yet.", entry_words),
        Answer::Reply(Reply::Done { text } | Reply::Failed { text }) => text.clone(),
        Answer::Reply(Reply::People { people }) => lines(people, "Nobody is here.", person_words),
        Answer::Reply(Reply::Operators { operators }) => {
            lines(operators, "There are no operators.", |names| names.join(", "))
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
    let Stats { version, uptime_seconds, people, connections, owed_bytes, last_message } = stats;
    let uptime = format_duration(Duration::from_secs(*uptime_seconds));
    format!(
        "Version:      {version}\n\
         Running for:  {uptime}\n\
         People:       {people}\n\
         Connections:  {connections}\n\
         Unsent:       {owed_bytes} bytes\n\
         Last message: {last_message}"
    )
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
    let _ = write!(words, "protocol {protocol}, {})", addresses.join(" ")); // A String takes it all.
    words
}

/// Returns true if a link is of use on this machine alone.
fn leads_here(link: &Link) -> bool {
    link.hosts == [Host::Domain("localhost".to_owned())]
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

fn time(utc_ms: u64) -> String {
    /// The end of the year 9999: the latest time that can be written.
    const LATEST_MS: u64 = 253_402_300_799_000;
    let since_1970 = Duration::from_millis(utc_ms.min(LATEST_MS));
    format_rfc3339_seconds(UNIX_EPOCH + since_1970).to_string()
}
