//! Verbs about the server.

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::Request;

/// The most records that are asked for at once.
const RECORDS_MAX: u64 = 1_000;

/// The records that are asked for, unless told otherwise.
const RECORDS_DEFAULT: &str = "50";

/// The argument by which the state of the server is told as metrics.
pub(in crate::control) const PROMETHEUS: &str = "prometheus";

pub(super) fn stats() -> Command {
    let prometheus = Arg::new(PROMETHEUS).long(PROMETHEUS).action(ArgAction::SetTrue);
    Command::new("stats")
        .about("Tell how many are here, and how the server does")
        .arg(prometheus.help("Print metrics for Prometheus"))
}

#[expect(clippy::unnecessary_wraps, reason = "other verbs can be wrong")]
pub(super) fn stats_request(_: &ArgMatches) -> Result<Request, String> {
    Ok(Request::Stats)
}

pub(super) fn audit() -> Command {
    let last = Arg::new("last").long("last").value_name("N").default_value(RECORDS_DEFAULT);
    let last = last.value_parser(value_parser!(u64).range(1..=RECORDS_MAX));
    Command::new("audit")
        .about("List what operators did, the newest last")
        .arg(last.help("How many records, the newest ones"))
}

pub(super) fn audit_request(matches: &ArgMatches) -> Result<Request, String> {
    let last = matches.get_one::<u64>("last").copied().unwrap_or(RECORDS_MAX);
    let limit = usize::try_from(last).map_err(|error| error.to_string())?;
    Ok(Request::Audit { limit })
}
