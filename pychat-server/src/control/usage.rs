//! The command line of `pychat-server ctl`.

use std::{ffi::OsString, path::PathBuf};

use clap::{Arg, ArgAction, Command, ValueHint, error::ErrorKind, value_parser};

use super::{
    client::{Ctl, Format},
    verbs,
};
use crate::{
    archive,
    config::{self, ConfigError},
};

/// The word after the program's name that makes it call a server.
const CTL: &str = "ctl";

const JSON: &str = "json";
const CONTROL_SOCKET: &str = "control-socket";

const AFTER_HELP: &str = "\
A TIME is a number with a unit, such as 90s, 10m, 2h or 7days.

The socket is that of the system's service, or else of the server that this user runs; \
PYCHAT_CONTROL_SOCKET or --control-socket names another.

Exit codes:
  0  done
  1  not done: no server, no permission, or a reason that the server gives
  2  wrong usage";

/// Returns the command line of the program with all its subcommands, to write manuals and completions from.
pub fn command() -> Command {
    config::command().subcommand(ctl()).subcommands(archive::commands())
}

fn ctl() -> Command {
    let json = Arg::new(JSON).long(JSON).action(ArgAction::SetTrue).global(true);
    let socket = Arg::new(CONTROL_SOCKET).long(CONTROL_SOCKET).value_name("PATH").global(true);
    let socket = socket.value_parser(value_parser!(PathBuf)).value_hint(ValueHint::FilePath);
    Command::new(CTL)
        .about("Ask a running server, or tell it something")
        .after_help(AFTER_HELP)
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .arg(json.help("Print the answer as JSON"))
        .arg(socket.help("The socket at which the server listens for operators"))
        .subcommands(verbs::VERBS.iter().map(|verb| (verb.command)()))
}

/// Reads the arguments of the process, if they are for `ctl`. Prints and exits if they ask for help.
///
/// # Errors
///
/// [`ConfigError::Usage`].
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Option<Result<Ctl, ConfigError>> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let is_ctl = arguments.get(1).is_some_and(|first| first == CTL);
    is_ctl.then(|| read(&arguments[1..]))
}

fn read(arguments: &[OsString]) -> Result<Ctl, ConfigError> {
    let command = ctl().bin_name("pychat-server ctl");
    let matches = command.try_get_matches_from(arguments).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            error.exit()
        }
        _ => {
            let words = error.to_string();
            let line = words.lines().next().unwrap_or_default().trim_start_matches("error: ");
            ConfigError::Usage(format!("{line}; see pychat-server ctl --help"))
        }
    })?;
    let given: Option<PathBuf> = matches.get_one(CONTROL_SOCKET).cloned();
    let Some((name, of_verb)) = matches.subcommand() else {
        return Err(ConfigError::Usage("say what to do; see pychat-server ctl --help".to_owned()));
    };
    let request = verbs::request(name, of_verb).map_err(ConfigError::Usage)?;
    let sockets = given.map_or_else(config::control_sockets, |path| vec![path]);
    let is_prometheus = of_verb.try_get_one(verbs::PROMETHEUS).is_ok_and(|it| it == Some(&true));
    let format = match (matches.get_flag(JSON), is_prometheus) {
        (false, false) => Format::Words,
        (true, false) => Format::Json,
        (false, true) => Format::Prometheus,
        (true, true) => {
            let words = "--json and --prometheus do not go together";
            return Err(ConfigError::Usage(words.to_owned()));
        }
    };
    Ok(Ctl { request, format, sockets })
}
