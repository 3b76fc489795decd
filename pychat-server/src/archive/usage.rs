//! The command lines of these subcommands.

use std::{ffi::OsString, path::PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, error::ErrorKind, value_parser};

use super::{
    IDENTITY_FILE, LOG_FILE, Task, Work,
    backup::Backup,
    export::{Export, Format},
    files::is_there,
    import::{self, Import},
    migrate::Migrate,
    place::Place,
    progress::Progress,
    restore::Restore,
};
use crate::{
    config::{self, ConfigError},
    store::postgres::Config,
};

const STATE_DIR: &str = "state-dir";
const QUIET: &str = "quiet";
const REPLACE: &str = "replace";
const ROOM: &str = "ROOM";
const JSONL: &str = "jsonl";
const HTML: &str = "html";
const OUTPUT: &str = "output";
const FILE: &str = "FILE";
const FORMAT: &str = "format";
const CHANNEL: &str = "channel";
const NAME_OF_ROOM: &str = "room";
const MEMBER: &str = "member";
const SKIP_BAD: &str = "skip-bad";
const DISK_RESERVE: &str = "disk-reserve";
const FOLDER: &str = "DIR";
const STORE: &str = "store";
const PASSWORD_FILE: &str = "store-password-file";
const FROM: &str = "from";
const TO: &str = "to";
const PLACE: &str = "PLACE";

/// The beginnings of the names of places.
const OF_FOLDER: &str = "sqlite:";
const OF_DATABASE: &str = "postgres";

const AFTER_HELP: &str = "\
The messages are those of the system's service, or else of the server that this user runs; \
PYCHAT_STATE_DIR or --state-dir names another folder.

Exit codes:
  0  done
  1  not done, or something is wrong; standard error says why
  2  wrong usage";

/// A subcommand.
struct Subcommand {
    name: &'static str,
    /// Its purpose, in one line.
    about: &'static str,
    /// Its arguments.
    args: fn(Command) -> Command,
    /// The work that these make.
    task: fn(&ArgMatches) -> Result<Task, ConfigError>,
}

/// The subcommands, in the order in which help and manuals list them.
const SUBCOMMANDS: &[Subcommand] = &[
    Subcommand {
        name: "backup",
        about: "Copy messages, people and the server's own certificate into a folder, while the server runs",
        args: |command| {
            let folder = folder("The folder for the copy: empty, or not there yet");
            of_either(command.arg(folder))
        },
        task: |matches| Ok(Task::Backup(Backup { folder: path(matches, FOLDER) })),
    },
    Subcommand {
        name: "restore",
        about: "Put a backup in the place of the messages of a server that does not run",
        args: |command| of_either(command.arg(folder("The folder of the backup")).arg(replace())),
        task: |matches| {
            let is_replacing = matches.get_flag(REPLACE);
            Ok(Task::Restore(Restore { folder: path(matches, FOLDER), is_replacing }))
        },
    },
    Subcommand {
        name: "export",
        about: "Write a room into a file, for programs or for people, while the server runs",
        args: |command| {
            let room = Arg::new(ROOM).value_name(ROOM).required(true).allow_hyphen_values(true);
            let flag = |name| Arg::new(name).long(name).action(ArgAction::SetTrue);
            let output = Arg::new(OUTPUT).long(OUTPUT).short('o').value_name("FILE");
            let output =
                output.value_parser(value_parser!(PathBuf)).value_hint(ValueHint::FilePath);
            of_either(command)
                .arg(room.help("Its id, such as r7, its name if no other room has it, or hall"))
                .arg(flag(JSONL).conflicts_with(HTML).help("Lines of JSON, which import reads"))
                .arg(flag(HTML).required_unless_present(JSONL).help("A page for people"))
                .arg(output.help("The file, which must not be there; standard output without"))
        },
        task: |matches| {
            let format = if matches.get_flag(HTML) { Format::Html } else { Format::Jsonl };
            let room = matches.get_one::<String>(ROOM).cloned().unwrap_or_default();
            Ok(Task::Export(Export { room, format, output: matches.get_one(OUTPUT).cloned() }))
        },
    },
    Subcommand {
        name: "import",
        about: "Take rooms of an export into the messages of a server that does not run",
        args: import_args,
        task: |matches| {
            let word = |name| matches.get_one::<String>(name).cloned();
            let format = word(FORMAT).and_then(|word| FORMATS.iter().find(|(it, _)| *it == word));
            Ok(Task::Import(Import {
                file: path(matches, FILE),
                format: format.map(|(_, format)| *format),
                channel: word(CHANNEL),
                room: word(NAME_OF_ROOM),
                members: matches.get_many(MEMBER).into_iter().flatten().cloned().collect(),
                is_lenient: matches.get_flag(SKIP_BAD),
                reserve_bytes: matches.get_one(DISK_RESERVE).copied().unwrap_or_default(),
            }))
        },
    },
    Subcommand {
        name: "check",
        about: "Read all messages and say what is wrong with them, while the server runs",
        args: of_folder,
        task: |_| Ok(Task::Check),
    },
    Subcommand {
        name: "migrate",
        about: "Move all that a server keeps, which does not run, from a file into a database, or back",
        args: |command| {
            let place = |name| Arg::new(name).long(name).value_name(PLACE).required(true);
            let from = "The place of the messages: sqlite:DIR, the folder in which a server keeps them, or \
                postgres://…, as --store of the server names a database";
            with_password(command.arg(place(FROM).help(from)))
                .arg(place(TO).help("The place for them, which has none yet"))
                .arg(replace())
        },
        task: |matches| {
            let (from, to) = (place(matches, FROM)?, place(matches, TO)?);
            if matches!((&from, &to), (Place::Folder(_), Place::Folder(_)))
                || matches!((&from, &to), (Place::Database(_), Place::Database(_)))
            {
                let words = "--from and --to need one sqlite:DIR and one postgres://…";
                return Err(ConfigError::Usage(words.to_owned()));
            }
            Ok(Task::Migrate(Migrate { from, to, is_replacing: matches.get_flag(REPLACE) }))
        },
    },
];

/// The words for the programs whose exports are read.
const FORMATS: [(&str, import::Format); 3] = [
    ("own", import::Format::Own),
    ("slack", import::Format::Slack),
    ("mattermost", import::Format::Mattermost),
];

/// Adds the arguments of an import.
fn import_args(command: Command) -> Command {
    let file = Arg::new(FILE).value_name(FILE).required(true).value_hint(ValueHint::FilePath);
    let file = file.value_parser(value_parser!(PathBuf));
    let command = of_either(command);
    let named = |name| Arg::new(name).long(name).value_name("NAME");
    let format = Arg::new(FORMAT).long(FORMAT).value_name("FORMAT");
    let format = format.value_parser(FORMATS.map(|(word, _)| word));
    let member = named(MEMBER).action(ArgAction::Append);
    let skip = Arg::new(SKIP_BAD).long(SKIP_BAD).action(ArgAction::SetTrue);
    let reserve = Arg::new(DISK_RESERVE).long(DISK_RESERVE).value_name("SIZE");
    let reserve = reserve.value_parser(config::size).default_value("512MiB");
    command
        .arg(file.help("The export: lines of JSON, or a zip archive"))
        .arg(format.help("The program that it is of; found out if not given"))
        .arg(named(CHANNEL).help("The one channel to take; all that are open if not given"))
        .arg(named(NAME_OF_ROOM).help("The name of the room; that of the channel if not given"))
        .arg(member.help(
            "Make a closed room, with the owner of this name in it; may be given several times",
        ))
        .arg(skip.help("Leave out lines that cannot be read, and tell of each"))
        .arg(reserve.help("How much of the disk stays free: else nothing is imported"))
}

/// Adds the folder of a server.
fn of_folder(command: Command) -> Command {
    let state = Arg::new(STATE_DIR).long(STATE_DIR).value_name(FOLDER);
    let state = state.value_parser(value_parser!(PathBuf)).value_hint(ValueHint::DirPath);
    command.arg(state.help("The folder in which the server keeps messages"))
}

/// Adds the folder of a server, and the database that has the messages instead.
fn of_either(command: Command) -> Command {
    let store = Arg::new(STORE).long(STORE).value_name("URI");
    let store = store.help("The database in which the server keeps messages instead");
    with_password(of_folder(command).arg(store))
}

fn with_password(command: Command) -> Command {
    let file = Arg::new(PASSWORD_FILE).long(PASSWORD_FILE).value_name(FILE);
    let file = file.value_parser(value_parser!(PathBuf)).value_hint(ValueHint::FilePath);
    command.arg(file.help("The file with the password for the database"))
}

fn replace() -> Arg {
    let replace = Arg::new(REPLACE).long(REPLACE).action(ArgAction::SetTrue);
    replace.help("Put messages that are there into a folder or schema beside, named by the time")
}

/// Reads the place that an option names.
fn place(matches: &ArgMatches, option: &'static str) -> Result<Place, ConfigError> {
    let text = matches.get_one::<String>(option).map_or("", String::as_str);
    if text.starts_with(OF_DATABASE) {
        return database(matches, option, text).map(Place::Database);
    }
    match text.strip_prefix(OF_FOLDER) {
        Some(folder) if !folder.is_empty() => Ok(Place::Folder(folder.into())),
        _ => Err(ConfigError::Usage(format!("write --{option} sqlite:DIR or postgres://…"))),
    }
}

/// Reads the database that an option names. It is not repeated: a password may stand in it.
fn database(matches: &ArgMatches, option: &str, text: &str) -> Result<Config, ConfigError> {
    let config = text.parse::<Config>().map_err(|error| ConfigError::Bad {
        place: format!("--{option} postgres://…"),
        message: error.to_string(),
    })?;
    let given = matches.get_one::<PathBuf>(PASSWORD_FILE).cloned();
    Ok(config::with_password(config, given))
}

/// Returns the subcommands as clap knows them.
pub fn commands() -> impl Iterator<Item = Command> {
    SUBCOMMANDS.iter().map(Subcommand::command)
}

impl Subcommand {
    fn command(&self) -> Command {
        let quiet = Arg::new(QUIET).long(QUIET).action(ArgAction::SetTrue);
        (self.args)(Command::new(self.name).about(self.about).after_help(AFTER_HELP))
            .arg(quiet.help("Say nothing unless something is wrong"))
    }
}

/// Reads the arguments of the process, if they are for one of these. Prints and exits if they ask for
/// help.
///
/// # Errors
///
/// [`ConfigError`].
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Option<Result<Work, ConfigError>> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let first = arguments.get(1)?;
    let subcommand = SUBCOMMANDS.iter().find(|subcommand| first == subcommand.name)?;
    Some(read(subcommand, &arguments[1..]))
}

fn read(subcommand: &Subcommand, arguments: &[OsString]) -> Result<Work, ConfigError> {
    let name = format!("pychat-server {}", subcommand.name);
    let command = subcommand.command().bin_name(&name);
    let matches = command.try_get_matches_from(arguments).map_err(|error| {
        if error.kind() == ErrorKind::DisplayHelp {
            error.exit();
        }
        let words = error.to_string();
        let line = words.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let line = line.trim_end_matches(':');
        ConfigError::Usage(format!("{line}; see {name} --help"))
    })?;
    let task = (subcommand.task)(&matches)?;
    let given = |option| matches.try_get_one::<String>(option).ok().flatten();
    let database = given(STORE).map(|text| database(&matches, STORE, text)).transpose()?;
    let progress = Progress::new(matches.get_flag(QUIET));
    Ok(Work { task, state: state(&matches, database.is_some())?, database, progress })
}

/// Returns the folder of the server: the one that is given, or where its files are.
fn state(matches: &ArgMatches, has_database: bool) -> Result<PathBuf, ConfigError> {
    match matches.try_get_one::<PathBuf>(STATE_DIR) {
        Ok(Some(given)) => return Ok(given.clone()),
        Ok(None) => (),
        Err(_) => return Ok(PathBuf::new()), // Of no use to this subcommand.
    }
    let file = if has_database { IDENTITY_FILE } else { LOG_FILE };
    let all = config::state_directories();
    let used = all.iter().find(|path| is_there(&path.join(file))).or(all.first());
    used.cloned().ok_or(ConfigError::NoStateDirectory)
}

fn folder(help: &'static str) -> Arg {
    let folder = Arg::new(FOLDER).value_name(FOLDER).required(true).help(help);
    folder.value_parser(value_parser!(PathBuf)).value_hint(ValueHint::DirPath)
}

fn path(matches: &ArgMatches, id: &str) -> PathBuf {
    matches.get_one::<PathBuf>(id).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subcommand_is_read_by_its_own_name() {
        commands().for_each(Command::debug_assert);
        let read = |arguments: &[&str]| {
            let all = ["pychat-server"].iter().chain(arguments).map(OsString::from);
            parse(all).map(|work| work.map(|work| (work.state, work.task)))
        };
        let work = read(&["restore", "/b", "--replace", "--state-dir=/s"]).unwrap().unwrap();
        let Task::Restore(Restore { folder, is_replacing }) = work.1 else { unreachable!() };
        assert_eq!((work.0, folder, is_replacing), ("/s".into(), "/b".into(), true));
        let uri = "postgres://u@h/d?sslmode=disable";
        let places = ["migrate", "--from=sqlite:/s", "--to", uri, "--store-password-file=/p"];
        let Task::Migrate(migrate) = read(&places).unwrap().unwrap().1 else { unreachable!() };
        let Place::Database(config) = migrate.to else { unreachable!() };
        assert_eq!((migrate.from, migrate.is_replacing), (Place::Folder("/s".into()), false));
        assert_eq!(config.password_file, Some("/p".into()));
        assert!(read(&["ctl", "stats"]).is_none() && read(&[]).is_none());
        for (arguments, words) in [
            (&["backup"][..], "see pychat-server backup --help"),
            (&["check", "/x"], "unexpected argument '/x' found; see pychat-server check --help"),
        ] {
            let error = read(arguments).unwrap().unwrap_err().to_string();
            assert!(error.ends_with(words) && !error.contains('\n'), "{error}");
        }
    }
}
