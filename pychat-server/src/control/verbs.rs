//! The verbs of `pychat-server ctl`. Another one is a function each for its command line and its
//! request, in a file below this one, and a line in [`VERBS`].

mod chat;
mod invites;
mod messages;
mod people;
mod server;

use clap::{Arg, ArgMatches, Command};

pub(super) use self::server::PROMETHEUS;
use super::Request;

/// A verb.
#[derive(Debug)]
pub(super) struct Verb {
    /// Its command line.
    pub(super) command: fn() -> Command,
    /// The request that its arguments make, or the reason why they make none.
    request: fn(&ArgMatches) -> Result<Request, String>,
}

/// The verbs, in the order in which help and manuals list them.
pub(super) const VERBS: &[Verb] = &[
    Verb { command: people::who, request: people::who_request },
    Verb { command: server::stats, request: server::stats_request },
    Verb { command: invites::invite, request: invites::invite_request },
    Verb { command: invites::invites, request: invites::invites_request },
    Verb { command: invites::revoke, request: invites::revoke_request },
    Verb { command: people::operator, request: people::operator_request },
    Verb { command: people::bot, request: people::bot_request },
    Verb { command: people::bots, request: people::bots_request },
    Verb { command: people::name, request: people::name_request },
    Verb { command: people::kick, request: people::kick_request },
    Verb { command: people::mute, request: people::mute_request },
    Verb { command: people::unmute, request: people::unmute_request },
    Verb { command: people::ban, request: people::ban_request },
    Verb { command: people::unban, request: people::unban_request },
    Verb { command: people::bans, request: people::bans_request },
    Verb { command: messages::rooms, request: messages::rooms_request },
    Verb { command: messages::messages, request: messages::messages_request },
    Verb { command: messages::remove, request: messages::remove_request },
    Verb { command: messages::restore, request: messages::restore_request },
    Verb { command: chat::slow, request: chat::slow_request },
    Verb { command: chat::door, request: chat::door_request },
    Verb { command: chat::say, request: chat::say_request },
    Verb { command: server::audit, request: server::audit_request },
];

/// Returns the request of the verb called `name`.
pub(super) fn request(name: &str, matches: &ArgMatches) -> Result<Request, String> {
    let verb = VERBS.iter().find(|verb| (verb.command)().get_name() == name);
    let verb = verb.ok_or_else(|| format!("unknown verb {name}"))?;
    (verb.request)(matches)
}

/// Returns an argument that has to be there. It may begin with a hyphen, as a name or an invite can.
fn required(id: &'static str, help: &'static str) -> Arg {
    Arg::new(id).value_name(id).required(true).allow_hyphen_values(true).help(help)
}

/// Returns the text of an argument.
fn text(matches: &ArgMatches, id: &str) -> String {
    matches.get_one::<String>(id).cloned().unwrap_or_default()
}

/// Returns the argument `--for TIME`.
fn for_time() -> Arg {
    Arg::new(FOR).long(FOR).value_name("TIME").help("For how long; until it is undone if not given")
}

/// Returns the value of `--for`, in milliseconds.
fn for_ms(matches: &ArgMatches) -> Result<Option<u64>, String> {
    matches.get_one::<String>(FOR).map(|text| milliseconds(text)).transpose()
}

fn milliseconds(text: &str) -> Result<u64, String> {
    let time = humantime::parse_duration(text).ok().filter(|time| !time.is_zero());
    let time = time.and_then(|time| u64::try_from(time.as_millis()).ok());
    time.ok_or_else(|| format!("{text}: write a time such as 90s, 10m, 2h or 7days"))
}

const FOR: &str = "for";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::moderation::{Order, Whom};

    #[test]
    fn every_verb_is_read_by_its_own_name() {
        for verb in VERBS {
            let command = (verb.command)();
            assert!(command.get_about().is_some(), "{command}");
        }
        let ban = (people::ban)().get_matches_from(["ban", "Анна", "--for", "2h"]);
        let whom = Whom::Typed("Анна".to_owned());
        let order = Order::Ban { whom, for_ms: Some(7_200_000) };
        assert_eq!(request("ban", &ban), Ok(Request::Order(order)));
        for id in ["-Gy1ioyS", "--y1ioyS", "-hy1ioyS"] {
            let revoke = (invites::revoke)().get_matches_from(["revoke", id]);
            assert_eq!(text(&revoke, "INVITE"), id);
        }
        let messages = (messages::messages)().get_matches_from(["messages", "--before", "7"]);
        let newest = Request::Messages { room: String::new(), limit: 20, before: Some(7) };
        assert_eq!(request("messages", &messages), Ok(newest));
        let remove = (messages::remove)().get_matches_from(["remove", "5", "--room", "r7"]);
        let order = Order::RemoveMessage { room: "r7".to_owned(), number: 5 };
        assert_eq!(request("remove", &remove), Ok(Request::Order(order)));
        for (text, expected) in [("90s", Some(90_000)), ("0s", None), ("2", None), ("soon", None)] {
            assert_eq!(milliseconds(text).ok(), expected, "{text}");
        }
    }
}
