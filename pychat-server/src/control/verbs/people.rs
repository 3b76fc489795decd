//! Verbs about people.
#![expect(clippy::unnecessary_wraps, reason = "other verbs can be wrong")]

use clap::{ArgMatches, Command};

use super::{Request, for_ms, for_time, required, text};
use crate::core::moderation::{Order, Whom};

const NAME: &str = "NAME";
const WHOM: &str = "WHOM";
const MARK: &str = "MARK";

/// The values of a mark.
const ON: &str = "on";
const OFF: &str = "off";

pub(super) fn who() -> Command {
    Command::new("who").about("List the people who are here")
}

pub(super) fn who_request(_: &ArgMatches) -> Result<Request, String> {
    Ok(Request::Order(Order::Who))
}

pub(super) fn operator() -> Command {
    let name = || required(NAME, "A name that the person owns");
    Command::new("operator")
        .about("Say who the operators are")
        .subcommand_required(true)
        .disable_help_subcommand(true)
        .subcommand(Command::new("add").about("Make a person an operator").arg(name()))
        .subcommand(Command::new("remove").about("Make a person one no longer").arg(name()))
        .subcommand(Command::new("list").about("List the operators"))
}

pub(super) fn operator_request(matches: &ArgMatches) -> Result<Request, String> {
    let order = match matches.subcommand() {
        Some(("add", matches)) => Order::AddOperator { name: text(matches, NAME) },
        Some(("remove", matches)) => Order::RemoveOperator { name: text(matches, NAME) },
        _ => Order::Operators,
    };
    Ok(Request::Order(order))
}

pub(super) fn bot() -> Command {
    let mark = required(MARK, "on, or off if it is one no longer").value_parser([ON, OFF]);
    Command::new("bot")
        .about("Mark somebody as a program: their messages notify nobody but those they mention")
        .arg(required(NAME, "A name that they own"))
        .arg(mark)
}

pub(super) fn bot_request(matches: &ArgMatches) -> Result<Request, String> {
    let (name, is_bot) = (text(matches, NAME), text(matches, MARK) == ON);
    Ok(Request::Order(Order::Bot { name, is_bot }))
}

pub(super) fn bots() -> Command {
    Command::new("bots").about("List who is marked as a program")
}

pub(super) fn bots_request(_: &ArgMatches) -> Result<Request, String> {
    Ok(Request::Order(Order::Bots))
}

pub(super) fn name() -> Command {
    let free = Command::new("free")
        .about(
            "Take a name from a person who lost every device, so that they can have it again; \
             whoever was an operator by it is none until named again",
        )
        .arg(required(NAME, "The name; other names of the person are taken too"));
    Command::new("name")
        .about("Say whose a name is")
        .subcommand_required(true)
        .disable_help_subcommand(true)
        .subcommand(free)
}

pub(super) fn name_request(matches: &ArgMatches) -> Result<Request, String> {
    let name = matches.subcommand().map(|(_, matches)| text(matches, NAME)).unwrap_or_default();
    Ok(Request::Order(Order::FreeName { name }))
}

pub(super) fn kick() -> Command {
    Command::new("kick")
        .about("Send somebody away; they may come back")
        .arg(required(NAME, "Their name"))
}

pub(super) fn kick_request(matches: &ArgMatches) -> Result<Request, String> {
    Ok(Request::Order(Order::Kick { name: text(matches, NAME) }))
}

pub(super) fn mute() -> Command {
    Command::new("mute")
        .about("Let somebody read, but say nothing")
        .arg(required(NAME, "Their name"))
        .arg(for_time())
}

pub(super) fn mute_request(matches: &ArgMatches) -> Result<Request, String> {
    let (name, for_ms) = (text(matches, NAME), for_ms(matches)?);
    Ok(Request::Order(Order::Mute { name, for_ms }))
}

pub(super) fn unmute() -> Command {
    Command::new("unmute").about("Let somebody talk again").arg(required(NAME, "Their name"))
}

pub(super) fn unmute_request(matches: &ArgMatches) -> Result<Request, String> {
    Ok(Request::Order(Order::Unmute { name: text(matches, NAME) }))
}

pub(super) fn ban() -> Command {
    Command::new("ban")
        .about("Send somebody away, and do not let them back")
        .arg(required(WHOM, "A name, an address, or a prefix such as 192.0.2.0/24"))
        .arg(for_time())
}

pub(super) fn ban_request(matches: &ArgMatches) -> Result<Request, String> {
    let (whom, for_ms) = (Whom::Typed(text(matches, WHOM)), for_ms(matches)?);
    Ok(Request::Order(Order::Ban { whom, for_ms }))
}

pub(super) fn unban() -> Command {
    Command::new("unban")
        .about("Let somebody back")
        .arg(required(WHOM, "The name, address or prefix, as it was banned"))
}

pub(super) fn unban_request(matches: &ArgMatches) -> Result<Request, String> {
    Ok(Request::Order(Order::Unban { whom: Whom::Typed(text(matches, WHOM)) }))
}

pub(super) fn bans() -> Command {
    Command::new("bans").about("List who is banned or muted")
}

pub(super) fn bans_request(_: &ArgMatches) -> Result<Request, String> {
    Ok(Request::Order(Order::Bans))
}
