//! `pychat-tail`: prints what is said, a line each.

mod backlog;
mod following;

use std::{ffi::OsString, fs, io::ErrorKind, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use pychat_wire::client::{Hearing, Saved};

use self::{backlog::Wanted, following::Following};
use crate::{
    failure::Failure,
    identity::Identity,
    options::{self, Common, FILES},
    records::Format,
    session::Session,
};

const PROGRAM: &str = "pychat-tail";

const ABOUT: &str = "Prints what is said in a chat, a line for each message.";

const AFTER_HELP: &str = "\
It follows the rooms that one is in, from now on, until it is told to stop by a signal or nobody
reads its output any more; it comes back by itself whatever happens to the server.

With --state it goes on where it was, also after kill -9: no message is left out. What was printed just
before a kill may be printed again, in whole lines.

Exit codes:
  0   told to stop, or nobody reads any more
  1   refused, with the reason on standard error
  2   wrong usage
  75  not reached within --timeout

Examples:
  pychat-tail chat.example --name bot --lines 20
  pychat-tail --room builds --json --state builds.state | jq --unbuffered -r .text";

/// The things that were asked for.
#[derive(Debug)]
struct Order {
    /// The rooms, as they were named; all if there is none.
    rooms: Vec<String>,
    joins: bool,
    format: Format,
    wanted: Wanted,
    state: Option<PathBuf>,
    follows: bool,
    timeout: Option<Duration>,
}

/// Returns the command line as clap knows it, to write manuals and completions from.
pub fn command() -> Command {
    let flag = |name, value, help| Arg::new(name).long(name).value_name(value).help(help);
    let set = |name, help| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    let room = "A room, by its id or name, or @NAME for the talk with one person, or '' for the hall; \
        may be given several times [default: all that one is in]";
    let lines = "Print so many of the last messages of each room first";
    let since = "Print what has a higher number than this first";
    let state = "Keep in this file how much was printed, and go on from there; --lines and --since \
        count only where it knows nothing of a room";
    let timeout = "How long to try to be let in [default: for ever]";
    options::args(Command::new(PROGRAM))
        .about(ABOUT)
        .after_help("See --help for examples and exit codes.")
        .after_long_help(format!("{AFTER_HELP}\n\n{FILES}"))
        .arg(flag("room", "ROOM", room).action(ArgAction::Append))
        .arg(set("json", "Print a JSON object for each message, see the manual"))
        .arg(
            flag("lines", "N", lines).short('n').value_parser(value_parser!(u64).range(1..=10_000)),
        )
        .arg(
            flag("since", "NUMBER", since).value_parser(value_parser!(u64)).conflicts_with("lines"),
        )
        .arg(
            flag("state", "FILE", state)
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::FilePath),
        )
        .arg(set("no-follow", "End once everything is printed that was said so far"))
        .arg(flag("timeout", "SECONDS", timeout).value_parser(value_parser!(u64).range(1..=86_400)))
}

/// Runs the program.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = command().get_matches_from(arguments);
    match run(&matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(PROGRAM),
    }
}

fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let order = Order::of(matches);
    let common = Common::of(matches)?;
    let saved = order.load(&common.identity)?;
    let client = common.client(saved)?.hearing(Hearing::All);
    let mut session = Session::new(PROGRAM, client, common);
    let failed = |error| Failure::Later(format!("signals: {error}"));
    session.take_signals().map_err(failed)?;
    Following::new(session, order).run()
}

impl Order {
    fn of(matches: &ArgMatches) -> Self {
        let number = |name| matches.get_one::<u64>(name).copied();
        let wanted = match (number("lines"), number("since")) {
            (Some(lines), _) => Wanted::Lines(lines),
            (None, Some(since)) => Wanted::Since(since),
            (None, None) => Wanted::Nothing,
        };
        Self {
            rooms: matches.get_many("room").into_iter().flatten().cloned().collect(),
            joins: matches.get_flag("join"),
            format: if matches.get_flag("json") { Format::Json } else { Format::Plain },
            wanted,
            state: matches.get_one("state").cloned(),
            follows: !matches.get_flag("no-follow"),
            timeout: number("timeout").map(Duration::from_secs),
        }
    }

    /// Returns the state of the client that goes on from the file.
    fn load(&self, identity: &Identity) -> Result<Saved, Failure> {
        let Some(path) = &self.state else { return Ok(identity.state()) };
        let unusable = |words: &str| Failure::Refused(format!("{}: {words}", path.display()));
        let saved: Saved = match fs::read(path) {
            Ok(json) => serde_json::from_slice(&json)
                .map_err(|_| unusable("it is no state of pychat-tail"))?,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(identity.state()),
            Err(error) => return Err(unusable(&error.to_string())),
        };
        let of = saved.name().to_owned();
        identity.resume(saved).ok_or_else(|| unusable(&format!("it is the state of {of:?}")))
    }
}
