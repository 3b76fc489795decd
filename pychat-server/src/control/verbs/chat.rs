//! Verbs about the chat as a whole.

use clap::{ArgMatches, Command};
use pychat_wire::message::Door;

use super::{Request, required, text};
use crate::core::moderation::Order;

pub(super) fn slow() -> Command {
    Command::new("slow")
        .about("Let each person say one thing in so many seconds; off ends that")
        .arg(required("SECONDS", "A number of seconds up to 3600, or off"))
}

pub(super) fn slow_request(matches: &ArgMatches) -> Result<Request, String> {
    let text = text(matches, "SECONDS");
    let seconds = if text == "off" { Some(0) } else { text.parse().ok() };
    let seconds = seconds.ok_or_else(|| format!("{text}: write a number of seconds, or off"))?;
    Ok(Request::Order(Order::Slow { seconds }))
}

pub(super) fn door() -> Command {
    let who = required("WHO", "open: everybody; invite: only those who own a name here");
    Command::new("door").about("Decide who may join").arg(who.value_parser(["open", "invite"]))
}

#[expect(clippy::unnecessary_wraps, reason = "other verbs can be wrong")]
pub(super) fn door_request(matches: &ArgMatches) -> Result<Request, String> {
    let admission = if text(matches, "WHO") == "open" { Door::Open } else { Door::Invite };
    Ok(Request::Order(Order::Door { admission }))
}

pub(super) fn say() -> Command {
    Command::new("say")
        .about("Tell everybody something in the server's name")
        .arg(required("TEXT", "The words"))
}

#[expect(clippy::unnecessary_wraps, reason = "other verbs can be wrong")]
pub(super) fn say_request(matches: &ArgMatches) -> Result<Request, String> {
    Ok(Request::Order(Order::Say { text: text(matches, "TEXT") }))
}
