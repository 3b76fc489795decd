//! Verbs about invites.

use clap::{Arg, ArgMatches, Command, value_parser};

use super::{Request, for_ms, for_time, required, text};
use crate::core::moderation::Order;

const USES: &str = "uses";
const INVITE: &str = "INVITE";

pub(super) fn invite() -> Command {
    let uses =
        Arg::new(USES).long(USES).value_name("N").value_parser(value_parser!(u64).range(1..));
    Command::new("invite")
        .about(
            "Print a link by which others can join, with the code of a new invite if one is needed",
        )
        .arg(uses.help("How many people it lets in; any number if not given"))
        .arg(for_time().help("For how long it is good; until it is revoked if not given"))
}

pub(super) fn invite_request(matches: &ArgMatches) -> Result<Request, String> {
    let (uses, for_ms) = (matches.get_one(USES).copied(), for_ms(matches)?);
    Ok(Request::Order(Order::Invite { uses, for_ms }))
}

pub(super) fn invites() -> Command {
    Command::new("invites").about("List the invites that are good")
}

#[expect(clippy::unnecessary_wraps, reason = "other verbs can be wrong")]
pub(super) fn invites_request(_: &ArgMatches) -> Result<Request, String> {
    Ok(Request::Order(Order::Invites))
}

pub(super) fn revoke() -> Command {
    Command::new("revoke")
        .about("End an invite; those whom it let in stay")
        .arg(required(INVITE, "The invite, as invites lists it"))
}

pub(super) fn revoke_request(matches: &ArgMatches) -> Result<Request, String> {
    let text = text(matches, INVITE);
    let invite =
        text.parse().map_err(|_| format!("{text}: write an invite as invites lists it"))?;
    Ok(Request::Order(Order::RevokeInvite { invite }))
}
