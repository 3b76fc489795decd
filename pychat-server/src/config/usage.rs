//! The command line: what it offers, and what is wrong with one that asks for something else.

use std::ffi::OsString;

use clap::{
    Arg, ArgAction, Command, ValueHint,
    error::{ContextKind, ErrorKind},
    value_parser,
};

use super::{
    ConfigError,
    options::{self, ConfigOption},
    settings::{Settings, shown},
};

/// The variable that names the file.
pub(super) const CONFIG_VARIABLE: &str = "PYCHAT_CONFIG";

/// The variables that stand for no option: the last one is for `pychat-send` and `pychat-tail`.
pub(super) const OTHER_VARIABLES: [&str; 2] = [CONFIG_VARIABLE, "PYCHAT_SERVER"];

const CONFIG: &str = "config";
const CHECK_CONFIG: &str = "check-config";

const ABOUT: &str = "A small chat server: one room, TLS or plain TCP, one thread.";

const LONG_ABOUT: &str = "\
A small chat server: one room, TLS or plain TCP, one thread.

It listens on port 12345 of every address of this machine, IPv4 and IPv6, unless told otherwise. \
People join with pychat-gtk, with the original Python client, or with netcat.";

const AFTER_HELP: &str = "\
Values:
  A SIZE is a number of bytes, or of KiB, MiB or GiB: 65536, 64KiB. A TIME is a number of seconds.

Configuration:
  Every option of the groups Listening, Admission, Encryption, Limits and History may also stand
  in a file, as a key of the same name, and in the environment. A flag beats the environment, which beats the
  file:

    $ cat /etc/pychat-server.toml
    listen = [\"127.0.0.1:12345\", \"[::1]:12345\"]
    payload-max = \"64KiB\"
    flood = \"10,5\"
    $ PYCHAT_FLOOD=off pychat-server --config /etc/pychat-server.toml --connections 100

  PYCHAT_CONFIG names the file as --config does. A variable that is set to nothing counts as not
  set.

Examples:
  pychat-server
      Listen on every address, port 12345.
  pychat-server --listen 127.0.0.1:12345 --listen '[::1]:12345'
      Listen on this machine only.
  pychat-server ctl who
      Ask a running server who is here; see pychat-server ctl --help.
  pychat-server backup /var/backups/pychat
      Copy what a server keeps, while it runs; restore brings it back.
  nc 127.0.0.1 12345
      Join by hand. Type a line, then talk:
        {\"type\":\"hello\",\"username\":\"Anna\"}
        {\"type\":\"text\",\"content\":\"Hello!\"}

Signals:
  TERM, INT   Say goodbye to everyone, flush what they are owed for up to 5 seconds, and exit
              with 0. A second one stops at once.
  HUP         Read the file and the certificate again. Everything but --listen, --state-dir, --store,
              --history, --durability, --control-socket and the place of the certificate changes
              without anyone being disconnected.

The log goes to standard error, or to the journal when systemd starts the server. What people say
is never logged.

Exit codes:
  0  stopped by a signal, or nothing was wrong with the configuration that was checked
  1  could not start, or could not go on
  2  wrong usage, or a configuration that cannot be used";

/// The parsed command line.
#[derive(Debug)]
pub(super) struct Flags {
    pub(super) config: Option<OsString>,
    pub(super) is_check: bool,
    pub(super) settings: Settings,
}

/// Returns the command line as clap knows it, to write manuals and completions from.
pub fn command() -> Command {
    let config = Arg::new(CONFIG).long(CONFIG).value_name("FILE").value_hint(ValueHint::FilePath);
    let config = config.value_parser(value_parser!(OsString));
    let check = Arg::new(CHECK_CONFIG).long(CHECK_CONFIG).action(ArgAction::SetTrue);
    let command = Command::new("pychat-server")
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .long_about(LONG_ABOUT)
        .after_help("See --help for examples and signals.")
        .after_long_help(AFTER_HELP)
        .arg(config.help("Read options from this TOML file"))
        .arg(check.help("Check the configuration, say what is wrong with it, and exit"));
    options::args(command)
}

/// Reads the arguments of the process. Prints and exits if they ask for help or the version.
pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Flags, ConfigError> {
    let mut matches =
        command().try_get_matches_from(arguments).map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => error.exit(),
            _ => ConfigError::Usage(complaint(&error)),
        })?;
    Ok(Flags {
        settings: Settings::of_flags(&matches),
        config: matches.remove_one(CONFIG),
        is_check: matches.get_flag(CHECK_CONFIG),
    })
}

/// Says in one line what clap says in several.
fn complaint(error: &clap::Error) -> String {
    let context = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let argument = context(ContextKind::InvalidArg);
    let flag = argument.split([' ', '=']).next().unwrap_or_default();
    let example = |option: &ConfigOption| format!("--{} {}", option.key, option.example_value());
    match error.kind() {
        ErrorKind::UnknownArgument if flag.starts_with('-') => {
            let hint = options::nearest(flag).map(|option| {
                format!("; did you mean --{}? Write {}", option.key, example(option))
            });
            format!("unknown option {}{}", shown(flag), hint.unwrap_or_else(see_help))
        }
        ErrorKind::UnknownArgument => {
            format!("{:?} belongs to no option{}", shown(&argument), see_help())
        }
        ErrorKind::ArgumentConflict => format!("{flag} is given twice"),
        ErrorKind::TooManyValues => format!("{flag} takes no value"),
        ErrorKind::InvalidValue => match options::find(flag.trim_start_matches('-')) {
            Some(option) => format!("{flag} needs a value, such as {}", example(option)),
            None => format!("{flag} needs a value{}", see_help()),
        },
        _ => {
            let words = error.to_string();
            let line = words.lines().next().unwrap_or_default();
            line.trim_start_matches("error: ").to_owned()
        }
    }
}

fn see_help() -> String {
    "; see pychat-server --help".to_owned()
}
