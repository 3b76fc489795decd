//! Flags and files, and what becomes of them.

use std::{fs, time::Duration};

use clap::CommandFactory;

use super::{history::Folders, *};
use crate::{
    log::{Keep, sqlite::Durability},
    pace::Pace,
};

fn config(arguments: &[&str]) -> Result<Config, String> {
    let arguments = [&["pychat-server"], arguments].concat();
    let parsed = Arguments::try_parse_from(arguments).map_err(|error| bad_value(&error));
    parsed.and_then(Config::try_from).map_err(|error| error.to_string())
}

/// Returns the configuration of a file with this text, and of `flags`.
fn with_file(text: &str, flags: &[&str]) -> Result<Config, String> {
    let folder =
        std::env::temp_dir().join(format!("pychat-config-{:?}", std::thread::current().id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("pychat.toml");
    fs::write(&path, text).unwrap();
    let result = config(&[&["--config", path.to_str().unwrap()], flags].concat());
    fs::remove_dir_all(&folder).unwrap();
    result.map_err(|error| error.replace(path.to_str().unwrap(), "FILE"))
}

#[test]
fn flags_become_a_configuration() {
    Arguments::command().debug_assert();
    let default = config(&[]).unwrap();
    assert_eq!((default.listen, default.limits.payload_bytes_max), (vec![], 65_536));
    let flags =
        ["--listen", "127.0.0.1:7000", "--listen=[::1]:0", "--payload-max=1KiB", "--flood=off"];
    let Config { listen, limits, .. } = config(&flags).unwrap();
    assert_eq!(listen, ["127.0.0.1:7000", "[::1]:0"].map(|text| text.parse().unwrap()));
    assert_eq!((limits.payload_bytes_max, limits.rules.pace), (1_024, None));
}

#[test]
fn a_file_says_the_same_with_the_same_names_and_a_flag_beats_it() {
    let text = "# everything\nlisten = [\"localhost\", \"[::1]:7\"]\npayload-max = 1024\n\
        backlog-max = \"2MiB\"\nbacklog-total = \"3 MiB\"\nconnections = 5\n\
        connections-per-address = 0\nhello-timeout = \"3s\"\nflood = \"2,1\"\n\
        history-messages = 8\nhistory-days = 2\ndurability = \"power\"\nstate-dir = \"/x/y\"\n";
    let Config { listen, limits, history, .. } = with_file(text, &["--connections", "7"]).unwrap();
    assert_eq!(listen, ["localhost", "[::1]:7"].map(|text| text.parse().unwrap()));
    assert_eq!((limits.payload_bytes_max, limits.backlog_bytes_max), (1_024, 2 << 20));
    assert_eq!((limits.backlog_total_bytes_max, limits.connections_max), (3 << 20, 7));
    assert_eq!(limits.rules.connections_per_address_max, 0);
    assert_eq!(limits.rules.hello_timeout, Duration::from_secs(3));
    assert_eq!(limits.rules.pace, Pace::new(2, 1));
    let keep = Keep { messages_max: 8, age_max: Duration::from_hours(48) };
    let directory = Some("/x/y".into());
    assert_eq!(history, History { directory, keep, durability: Durability::Power });
    let memory = with_file(text, &["--history=memory", "--history-days=3"]).unwrap().history;
    assert_eq!((memory.directory, memory.keep.age_max), (None, Duration::from_hours(72)));
}

#[test]
fn messages_are_kept_where_the_system_keeps_such_things() {
    let default = Options::default();
    let folders = |service: &str, user: &str, home: &str| {
        let path = |path: &str| (!path.is_empty()).then(|| path.into());
        Folders { service: path(service), user: path(user), home: path(home) }
    };
    for (folders, directory) in [
        (folders("/var/lib/a:/var/lib/b", "/x", "/home/anna"), "/var/lib/a"),
        (folders("", "/x", "/home/anna"), "/x/pychat"),
        (folders("relative", "here", "/home/anna"), "/home/anna/.local/state/pychat"),
    ] {
        let history = default.history(folders).unwrap();
        assert_eq!(history.directory, Some(directory.into()));
        assert_eq!((history.keep, history.durability), (Keep::default(), Durability::Process));
    }
    let nowhere = default.history(folders("", "", "")).unwrap_err().to_string();
    assert_eq!(nowhere, "no folder to keep messages in: give --state-dir, or --history memory");
    let given = Options { state_dir: Some("here".into()), ..Options::default() };
    let history = given.history(folders("/var/lib/a", "", "")).unwrap();
    assert_eq!(history.directory, Some("here".into()));
}

#[test]
fn what_cannot_be_used_is_named_with_its_line() {
    for (text, message) in [
        ("connections = 5\n\nconection = 5\n", "FILE:3: unknown field `conection`"),
        ("flood = \"fast\"\n", "FILE:1: write BURST,PER_SECOND with two numbers above 0"),
        ("# x\nhello-timeout = 0", "FILE:2: write a number of seconds from 1 to 86400"),
        ("connections = -1", "FILE:1: write a number"),
        ("connections = true", "FILE:1: invalid type: boolean `true`, expected a text or a number"),
        (
            "listen = \"localhost\"",
            "FILE:1: invalid type: string \"localhost\", expected a sequence",
        ),
        ("listen = [\"::1\"]", "FILE:1: an IPv6 address needs brackets"),
        ("payload-max = 1\npayload-max = 2", "FILE:2: duplicate key"),
        ("= 1", "FILE:1: "),
        ("payload-max = 10", "payload-max should be from 256 bytes to 16MiB"),
        ("backlog-max = 1000", "backlog-max should be no less than payload-max"),
        ("backlog-total = 70000", "backlog-total should be no less than backlog-max"),
        ("connections = 0", "connections should be from 1 to 1000000"),
        ("history = \"disc\"", "FILE:1: write disk or memory"),
        ("history-messages = 0", "history-messages should be from 1 to 100000000"),
        ("history-days = 40000", "history-days should be from 1 to 36500"),
        ("durability = \"none\"", "FILE:1: write process or power"),
        ("state-dir = 5", "FILE:1: invalid type: integer `5`"),
    ] {
        let error = with_file(text, &[]).unwrap_err();
        assert!(error.starts_with(message), "{text:?}: {error}");
    }
    let error = config(&["--config", "/nowhere/pychat.toml"]).unwrap_err();
    assert!(error.starts_with("cannot read /nowhere/pychat.toml: No such file"), "{error}");
}

#[test]
fn a_bad_flag_is_named() {
    for (flag, message) in [
        (
            "--listen=localhost:port",
            "--listen localhost:port: the port should be a number from 0 to 65535",
        ),
        (
            "--flood=fast",
            "--flood fast: write BURST,PER_SECOND with two numbers above 0, such as 10,5, or off",
        ),
        (
            "--payload-max=1MB",
            "--payload-max 1MB: write a number of bytes, such as 65536, 64KiB or 1MiB",
        ),
    ] {
        assert_eq!(config(&[flag]).unwrap_err(), message);
    }
}

#[test]
fn help_names_every_flag_and_its_default() {
    let help = Arguments::command().render_long_help().to_string();
    for word in [
        "--listen <ADDRESS:PORT>",
        "port 12345",
        "--payload-max <SIZE>",
        "64KiB",
        "--backlog-max",
        "1MiB",
        "--backlog-total",
        "256MiB",
        "--connections",
        "10000",
        "--connections-per-address",
        "[default: 64]",
        "--hello-timeout",
        "[default: 20]",
        "--flood",
        "[default: 10,5]",
        "--history <disk|memory>",
        "[default: disk]",
        "--history-messages",
        "--history-days",
        "[default: 90]",
        "--durability <process|power>",
        "[default: process]",
        "--state-dir <DIR>",
        "~/.local/state/pychat",
        "--config <FILE>",
        "--check-config",
        "HUP",
        "TERM",
    ] {
        assert!(help.contains(word), "{word}");
    }
}
