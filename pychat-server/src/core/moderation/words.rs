//! The sentences by which people hear what an operator did: the same on every server, as they are made
//! from its record.

use super::AuditEntry;

/// The words before the name of somebody whose address was banned in place of them.
const GUEST: &str = "the guest ";

impl AuditEntry {
    /// Returns what was done, for people to read. Of a ban of addresses `n_closed` is how many connections
    /// it closed, where that is known.
    pub fn in_words(&self, n_closed: Option<usize>) -> String {
        let Self { verb, subject, detail, .. } = self;
        let is = if subject.contains(", ") { "are" } else { "is" }; // No name has a comma.
        match (verb.as_str(), detail.as_str()) {
            ("kick", _) => format!("{subject} was sent away."),
            ("mute", time) => format!("{subject} is muted{}.", spaced(time)),
            ("unmute", _) => format!("{subject} {is} no longer muted."),
            ("ban", detail) => banned(subject, detail, n_closed),
            ("unban", _) => format!("{subject} {is} no longer banned."),
            ("slow", _) => slowed(subject),
            ("door", _) if subject == "open" => "Everybody may join.".to_owned(),
            ("door", _) => "Only those may join who own a name here, or have an invite.".to_owned(),
            ("add_operator", _) => format!("{subject} is an operator now."),
            ("remove_operator", _) => format!("{subject} is no longer an operator."),
            ("bot", "on") => format!("{subject} is a bot now."),
            ("bot", _) => format!("{subject} is no longer a bot."),
            ("free_name", detail) => {
                let role = if detail.is_empty() {
                    ""
                } else {
                    " Their owner was an operator: whoever owns them next is none."
                };
                format!("{subject} {is} free: the next who joins under such a name owns it.{role}")
            }
            ("revoke_invite", _) => format!("The invite {subject} is good no longer."),
            ("say", _) => "Everybody was told.".to_owned(),
            // A server of a later version did it.
            (verb, detail) => format!("{verb}{}{}.", spaced(subject), spaced(detail)),
        }
    }
}

fn banned(subject: &str, detail: &str, n_closed: Option<usize>) -> String {
    // The time stands first, and no part of it is anybody's choice.
    let (time, guest) = match detail.split_once(GUEST) {
        Some((time, guest)) => (time.trim_end_matches(", "), Some(guest)),
        None => (detail, None),
    };
    let who = guest.map_or(String::new(), |name| {
        format!("{name} joined without a key, so cannot be told from others by name. ")
    });
    let closed = match n_closed {
        None => String::new(),
        Some(1) => "; 1 connection was closed".to_owned(),
        Some(n_closed) => format!("; {n_closed} connections were closed"),
    };
    format!("{who}{subject} is banned{}{closed}.", spaced(time))
}

fn slowed(subject: &str) -> String {
    match subject.strip_suffix(" s") {
        None => "Everybody may talk as fast as they like.".to_owned(),
        Some("1") => "Everybody may say one thing a second.".to_owned(),
        Some(seconds) => format!("Everybody may say one thing in {seconds} seconds."),
    }
}

/// Returns the detail of a ban of the address of a guest, who has no key to be known by; `time` is as
/// [`for_words`] has it.
pub fn guest_detail(name: &str, time: &str) -> String {
    if time.is_empty() { format!("{GUEST}{name}") } else { format!("{time}, {GUEST}{name}") }
}

/// Returns `for 10 minutes`, or nothing if there is no end.
pub fn for_words(for_ms: Option<u64>) -> String {
    /// The units of time, largest first, in seconds.
    const UNITS: [(u64, &str); 4] =
        [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let Some(seconds) = for_ms.map(|for_ms| for_ms.div_ceil(1_000)) else { return String::new() };
    let unit = UNITS.into_iter().find(|(unit, _)| 0 < seconds && seconds.is_multiple_of(*unit));
    let (count, word) = unit.map_or((0, "second"), |(unit, word)| (seconds / unit, word));
    let plural = if count == 1 { "" } else { "s" };
    format!("for {count} {word}{plural}")
}

/// Returns words with a space before them, or nothing if there are none.
fn spaced(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(" {words}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(verb: &str, subject: &str, detail: &str, n_closed: Option<usize>) -> String {
        let [verb, subject, detail] = [verb, subject, detail].map(ToOwned::to_owned);
        let entry = AuditEntry { time_ms: 0, who: "root".to_owned(), verb, subject, detail };
        entry.in_words(n_closed)
    }

    #[test]
    fn each_deed_has_its_sentence() {
        for (verb, subject, detail, expected) in [
            ("kick", "Boris", "", "Boris was sent away."),
            ("mute", "Boris", "", "Boris is muted."),
            ("mute", "Boris", "for 10 minutes", "Boris is muted for 10 minutes."),
            ("unmute", "Boris", "", "Boris is no longer muted."),
            ("unmute", "Boris, Bob", "", "Boris, Bob are no longer muted."),
            ("ban", "Boris", "for 2 hours", "Boris is banned for 2 hours."),
            ("unban", "Boris, Bob", "", "Boris, Bob are no longer banned."),
            ("slow", "off", "", "Everybody may talk as fast as they like."),
            ("slow", "1 s", "", "Everybody may say one thing a second."),
            ("slow", "30 s", "", "Everybody may say one thing in 30 seconds."),
            ("door", "open", "", "Everybody may join."),
            ("door", "invite", "", "Only those may join who own a name here, or have an invite."),
            ("add_operator", "Anna", "", "Anna is an operator now."),
            ("remove_operator", "Anna", "", "Anna is no longer an operator."),
            ("bot", "backup", "on", "backup is a bot now."),
            ("bot", "backup", "off", "backup is no longer a bot."),
            ("revoke_invite", "i7", "", "The invite i7 is good no longer."),
            ("say", "", "Lunch at noon.", "Everybody was told."),
            ("move", "hall", "east", "move hall east."),
        ] {
            assert_eq!(words(verb, subject, detail, None), expected);
        }
        let freed = "is free: the next who joins under such a name owns it.";
        assert_eq!(words("free_name", "Anna", "", None), format!("Anna {freed}"));
        let role = " Their owner was an operator: whoever owns them next is none.";
        let said = words("free_name", "Anna, Anya", "an operator no longer", None);
        assert_eq!(said, format!("Anna, Anya are {}{role}", freed.trim_start_matches("is ")));
    }

    #[test]
    fn a_banned_address_is_told_with_its_guest_whatever_they_are_called() {
        let ban = |detail: &str, n_closed| words("ban", "192.0.2.7", detail, n_closed);
        assert_eq!(ban("", None), "192.0.2.7 is banned.");
        assert_eq!(ban("", Some(0)), "192.0.2.7 is banned; 0 connections were closed.");
        let for_hours = "192.0.2.7 is banned for 2 hours; 1 connection was closed.";
        assert_eq!(ban("for 2 hours", Some(1)), for_hours);
        for name in ["Boris", "Boris for 2 days", "for 2 days", "the guest Bob"] {
            let who =
                format!("{name} joined without a key, so cannot be told from others by name.");
            let for_good = ban(&guest_detail(name, ""), None);
            assert_eq!(for_good, format!("{who} 192.0.2.7 is banned."));
            let time = for_words(Some(7_200_000));
            assert_eq!(ban(&guest_detail(name, &time), Some(1)), format!("{who} {for_hours}"));
        }
    }

    #[test]
    fn times_are_told_in_the_largest_unit_that_fits() {
        for (for_ms, expected) in [
            (None, ""),
            (Some(0), "for 0 seconds"),
            (Some(1), "for 1 second"),
            (Some(90_000), "for 90 seconds"),
            (Some(60_000), "for 1 minute"),
            (Some(7_200_000), "for 2 hours"),
            (Some(7 * 86_400_000), "for 7 days"),
        ] {
            assert_eq!(for_words(for_ms), expected);
        }
    }
}
