//! `pychat-send`: says something, and ends with 0 once the server has accepted it.

mod input;
mod saying;

use std::{ffi::OsString, process::ExitCode, time::Duration};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use pychat_wire::client::{Hearing, MessageId};

use self::{
    input::Input,
    saying::{Saying, Target},
};
use crate::{
    failure::Failure,
    options::{self, Common, FILES},
    session::Session,
};

const PROGRAM: &str = "pychat-send";

const ABOUT: &str = "Says something in a chat, and ends with 0 once the server has accepted it.";

const AFTER_HELP: &str = "\
The text is all of standard input, as one message, unless --message or --lines says otherwise.

Exit codes:
  0   accepted: the server has stored it
  1   refused, with the reason on standard error
  2   wrong usage
  75  not reached, or no answer in time; it may have been accepted, and with --id it can be sent
      again without being said twice

Examples:
  uptime | pychat-send chat.example --name bot
  pychat-send --room builds --message 'Build 7 failed' --id build-7
  tail -f app.log | pychat-send --room logs --lines";

/// The answer that is printed for each accepted message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Printed {
    Nothing,
    Id,
    Json,
}

/// The things that were asked for.
#[derive(Debug)]
struct Order {
    /// The room, as it was named.
    room: String,
    joins: bool,
    target: Target,
    /// The id to say it under; in each line it is followed by the line's number.
    id: Option<MessageId>,
    is_lines: bool,
    timeout: Duration,
    printed: Printed,
}

/// Returns the command line as clap knows it, to write manuals and completions from.
pub fn command() -> Command {
    let flag = |name, value, help| Arg::new(name).long(name).value_name(value).help(help);
    let set = |name, help| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    let room =
        "The room, by its id or name, or @NAME for a talk with one person [default: the hall]";
    let message = flag("message", "TEXT", "The text; otherwise it is read from standard input");
    let number = value_parser!(u64).range(1..);
    let timeout = flag("timeout", "SECONDS", "How long to try, for each message [default: 30]");
    options::args(Command::new(PROGRAM))
        .about(ABOUT)
        .after_help("See --help for examples and exit codes.")
        .after_long_help(format!("{AFTER_HELP}\n\n{FILES}"))
        .arg(flag("room", "ROOM", room).default_value("").hide_default_value(true))
        .arg(message.short('m').allow_hyphen_values(true))
        .arg(set("lines", "Say each line of standard input when it comes, as a message of its own").conflicts_with("message"))
        .arg(flag("reply", "NUMBER", "Answer the message with this number").value_parser(number))
        .arg(
            flag("edit", "ID", "Give this message of ours other words; ID is its number, or what --id or --print-id said")
                .conflicts_with_all(["reply", "lines"]),
        )
        .arg(flag("id", "ID", "Say it under this id, of at most 64 bytes: sent again under it, it is said once"))
        .arg(timeout.value_parser(value_parser!(u64).range(1..=86_400)).default_value("30").hide_default_value(true))
        .arg(set("print-id", "Print the id of what was accepted"))
        .arg(set("json", "Print room, number and id of what was accepted, as JSON").conflicts_with("print-id"))
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
    let order = Order::of(matches)?;
    let input = match matches.get_one::<String>("message") {
        Some(text) => Input::text(text.clone()),
        None if order.is_lines => Input::lines(),
        None => Input::whole()?,
    };
    let common = Common::of(matches)?;
    let client = common.client(common.identity.state())?.hearing(Hearing::All);
    let session = Session::new(PROGRAM, client, common);
    Saying::new(session, order, input).run()
}

impl Order {
    fn of(matches: &ArgMatches) -> Result<Self, Failure> {
        let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
        let bad_id =
            || Failure::Usage("an id has 1 to 64 bytes and no control characters".to_owned());
        let target = match (text("edit"), matches.get_one("reply")) {
            (Some(edit), _) => Target::edited(edit).ok_or_else(bad_id)?,
            (None, Some(reply)) => Target::Reply(*reply),
            (None, None) => Target::None,
        };
        let printed = match (matches.get_flag("json"), matches.get_flag("print-id")) {
            (true, _) => Printed::Json,
            (_, true) => Printed::Id,
            _ => Printed::Nothing,
        };
        Ok(Self {
            room: text("room").unwrap_or_default().to_owned(),
            joins: matches.get_flag("join"),
            target,
            id: text("id").map(|id| MessageId::chosen(id).ok_or_else(bad_id)).transpose()?,
            is_lines: matches.get_flag("lines"),
            timeout: Duration::from_secs(matches.get_one("timeout").copied().unwrap_or(30)),
            printed,
        })
    }
}
