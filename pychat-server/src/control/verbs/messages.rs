//! Verbs about rooms and messages.
#![expect(clippy::unnecessary_wraps, reason = "other verbs can be wrong")]

use clap::{Arg, ArgMatches, Command, value_parser};

use super::{Request, required, text};
use crate::{core::moderation::Order, server::LISTED_MAX};

const NUMBER: &str = "NUMBER";
const ROOM: &str = "room";
const COUNT: &str = "count";
const BEFORE: &str = "before";

/// The messages that are asked for, unless told otherwise.
const COUNT_DEFAULT: &str = "20";

pub(super) fn rooms() -> Command {
    Command::new("rooms").about("List the rooms with their ids, but for direct ones")
}

pub(super) fn rooms_request(_: &ArgMatches) -> Result<Request, String> {
    Ok(Request::Order(Order::Rooms))
}

pub(super) fn messages() -> Command {
    let count = Arg::new(COUNT).long(COUNT).value_name("N").default_value(COUNT_DEFAULT);
    let count = count.value_parser(value_parser!(u64).range(1..=LISTED_MAX));
    let before = Arg::new(BEFORE).long(BEFORE).value_name(NUMBER).value_parser(value_parser!(u64));
    Command::new("messages")
        .about("List the newest messages of a room with their numbers, the newest last")
        .arg(room())
        .arg(count.help("How many messages; fewer if they are very long"))
        .arg(before.help("Those before this one instead of the newest"))
}

pub(super) fn messages_request(matches: &ArgMatches) -> Result<Request, String> {
    let limit = matches.get_one(COUNT).copied().unwrap_or(LISTED_MAX);
    let before = matches.get_one(BEFORE).copied();
    Ok(Request::Messages { room: text(matches, ROOM), limit, before })
}

pub(super) fn remove() -> Command {
    Command::new("remove")
        .about("Take the words of a message away, and its reactions; the words can be restored for a week")
        .arg(number())
        .arg(room())
}

pub(super) fn remove_request(matches: &ArgMatches) -> Result<Request, String> {
    let (room, number) = message(matches);
    Ok(Request::Order(Order::RemoveMessage { room, number }))
}

pub(super) fn restore() -> Command {
    Command::new("restore")
        .about("Bring back the words of a message that an operator removed")
        .arg(number())
        .arg(room())
}

pub(super) fn restore_request(matches: &ArgMatches) -> Result<Request, String> {
    let (room, number) = message(matches);
    Ok(Request::Order(Order::RestoreMessage { room, number }))
}

fn number() -> Arg {
    let number = required(NUMBER, "The number of the message, as messages lists it");
    number.value_parser(value_parser!(u64).range(1..))
}

fn room() -> Arg {
    let room = Arg::new(ROOM).long(ROOM).value_name("ID");
    room.help("The room, by its id, as rooms lists it; the hall if not given")
}

/// Returns the room and the number of the message that is meant.
fn message(matches: &ArgMatches) -> (String, u64) {
    (text(matches, ROOM), matches.get_one(NUMBER).copied().unwrap_or_default())
}
