//! Flags, variables and files, and what becomes of them.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt, time::Duration};

use super::{history::Folders, *};
use crate::core::rate_limit::RateLimit;
use crate::store::{Retention, sqlite::Durability};

/// The environment of a test: variables with their values.
pub(super) type Variables<'a> = &'a [(&'a str, &'a str)];

pub(super) fn read(flags: &[&str], variables: Variables) -> Result<Config, String> {
    let flags = [&["pychat-server"], flags].concat();
    let variable = |name: &str| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| value.into())
    };
    Config::read(flags.iter().map(Into::into), variable).map_err(|error| error.to_string())
}

/// Returns the configuration of a file with this text, and of `flags`.
pub(super) fn with_file(text: impl AsRef<[u8]>, flags: &[&str]) -> Result<Config, String> {
    let folder = env::temp_dir().join(format!("pychat-config-{:?}", std::thread::current().id()));
    let path = folder.join("pychat.toml");
    fs::create_dir_all(&folder).and_then(|()| fs::write(&path, text)).unwrap();
    let result = read(&[&["--config", path.to_str().unwrap()], flags].concat(), &[]);
    fs::remove_dir_all(&folder).unwrap();
    result.map_err(|error| error.replace(path.to_str().unwrap(), "FILE"))
}

fn addresses<const N: usize>(texts: [&str; N]) -> [ListenAddress; N] {
    texts.map(|text| text.parse().unwrap())
}

#[test]
fn flags_become_a_configuration() {
    command().debug_assert();
    let default = read(&[], &[]).unwrap();
    assert_eq!((default.listen, default.limits.payload_bytes_max), (vec![], 65_536));
    let flags =
        ["--listen", "127.0.0.1:7000", "--listen=[::1]:0", "--payload-max=1KiB", "--flood=off"];
    let Config { listen, limits, .. } = read(&flags, &[]).unwrap();
    assert_eq!(listen, addresses(["127.0.0.1:7000", "[::1]:0"]));
    assert_eq!((limits.payload_bytes_max, limits.rules.rate_limit), (1_024, None));
}

#[test]
fn a_file_says_the_same_with_the_same_names_and_a_flag_beats_it() {
    let text = "# everything\nlisten = [\"localhost\", \"[::1]:7\"]\nname = \"Office\"\npayload-max = 1_024\n\
        backlog-max = \"2MiB\"\nbacklog-total = \"3 MiB\"\nconnections = 5\ndurability = \"power\"\n\
        connections-per-address = 0\nhello-timeout = \"3s\"\nflood = \"2,1\"\ndisk-reserve = 0\n\
        history = \"disk\"\nhistory-messages = 8\nhistory-days = 2\nhistory-bytes = \"3MiB\"\n\
        name-days = 7\nguests-from = \"::/8\"\npublic-address = \"a.b\"\nservers = [\"c\"]\nadmission = \"open\"\nmetrics-file = \"/m\"\n\
        state-dir = \"/x/y\"\nstore = \"postgres://u@h/d?sslmode=disable\"\nstore-password-file = \"/w\"\nplain = \"never\"\ntls-certificate = \"/c\"\ntls-key = \"/k\"\ncontrol-socket = \"/s\"\n";
    for option in OPTIONS {
        assert!(text.contains(&format!("\n{} = ", option.key)), "{}", option.key);
    }
    let Config { listen, name, limits, history, .. } =
        with_file(text, &["--connections", "7"]).unwrap();
    assert_eq!(listen, addresses(["localhost", "[::1]:7"]));
    assert_eq!((limits.payload_bytes_max, limits.backlog_bytes_max), (1_024, 2 << 20));
    assert_eq!((limits.backlog_total_bytes_max, limits.connections_max), (3 << 20, 7));
    assert_eq!((limits.rules.connections_per_address_max, &*name), (0, "Office"));
    let Rules { hello_timeout, rate_limit, name_age_max, plain, .. } = limits.rules;
    assert_eq!((hello_timeout, rate_limit), (Duration::from_secs(3), RateLimit::new(2, 1)));
    assert_eq!((name_age_max, plain), (Duration::from_hours(7 * 24), Plain::Never));
    let retention = Retention {
        messages_max: 8,
        age_max: Duration::from_hours(48),
        bytes_max: 3 << 20,
        disk_reserve_bytes: 0,
    };
    let (directory, database) = (Some("/x/y".into()), history.database.clone());
    assert_eq!(history, History { directory, database, retention, durability: Durability::Power });
    let text = text.replace("\nstore", "\n#store");
    let memory = with_file(text, &["--history=memory", "--history-days=3"]).unwrap().history;
    assert_eq!((memory.directory, memory.retention.age_max), (None, Duration::from_hours(72)));
}

#[test]
fn lists_may_be_written_in_every_way_that_people_write_them() {
    let both = addresses(["127.0.0.1:1", "[::1]:2"]);
    for (flags, variables) in [
        (&["--listen", "127.0.0.1:1", "--listen", "[::1]:2"][..], &[][..]),
        (&["--listen=127.0.0.1:1, [::1]:2 ,"], &[]),
        (&[], &[("PYCHAT_LISTEN", " 127.0.0.1:1 , [::1]:2")]),
    ] {
        assert_eq!(read(flags, variables).unwrap().listen, both, "{flags:?} {variables:?}");
    }
    for file in [
        "listen = \"127.0.0.1:1, [::1]:2\"",
        "listen = [\"127.0.0.1:1\", \"[::1]:2\"]",
        "\u{feff}listen = [\r\n  '127.0.0.1:1', # here\r\n  '[::1]:2',\r\n]\r\n",
    ] {
        assert_eq!(with_file(file, &[]).unwrap().listen, both, "{file}");
    }
}

#[test]
fn a_variable_that_is_set_to_nothing_is_not_set() {
    let names: Vec<_> = OPTIONS.iter().map(ConfigOption::variable).collect();
    let variables: Vec<_> = names.iter().map(String::as_str).chain(["PYCHAT_CONFIG"]).collect();
    for nothing in ["", " "] {
        let variables: Vec<_> = variables.iter().map(|name| (*name, nothing)).collect();
        read(&[], &variables).unwrap();
    }
}

#[test]
fn unknown_variables_are_named_with_what_was_meant() {
    let names = ["HOME", "PYCHAT_FLOOD", "PYCHAT_PAYLOADMAX", "PYCHAT_PORT", "PYCHAT_X"];
    let names = names.into_iter().chain(usage::OTHER_VARIABLES).map(Into::into);
    let unknown = settings::unknown_variables(names, &usage::OTHER_VARIABLES);
    let expected = [
        "PYCHAT_PAYLOADMAX; did you mean PYCHAT_PAYLOAD_MAX?",
        "PYCHAT_PORT; did you mean PYCHAT_LISTEN?",
        "PYCHAT_X",
    ];
    assert_eq!(unknown, expected);
}

#[test]
fn messages_are_kept_where_the_system_keeps_such_things() {
    let none = Settings::default();
    let folders = |service: &str, user: &str, home: &str| {
        let path = |path: &str| (!path.is_empty()).then(|| path.into());
        Folders { service: path(service), user: path(user), home: path(home) }
    };
    for (folders, directory) in [
        (folders("/var/lib/a:/var/lib/b", "/x", "/home/anna"), "/var/lib/a"),
        (folders("", "/x", "/home/anna"), "/x/pychat"),
        (folders("relative", "here", "/home/anna"), "/home/anna/.local/state/pychat"),
    ] {
        let history = history::read(&none, folders).unwrap();
        assert_eq!(history.directory, Some(directory.into()));
        assert_eq!(
            (history.retention, history.durability),
            (Retention::default(), Durability::Process)
        );
    }
    let nowhere = history::read(&none, folders("", "", "")).unwrap_err().to_string();
    assert_eq!(nowhere, "no folder to keep messages in; give --state-dir DIR, or --history memory");
    let named = OsStr::from_bytes(b"/not \xff UTF-8");
    let settings =
        Settings::of_variables(|name| (name == "PYCHAT_STATE_DIR").then(|| named.to_owned()));
    let history = history::read(&settings, folders("/var/lib/a", "", "")).unwrap();
    assert_eq!(history.directory, Some(named.into()));
}

/// Words of a library's own errors, which none of ours should repeat.
const RAW_WORDS: [&str; 9] =
    ["invalid", "expected", "sequence", "type:", "field", "parse", "error:", "literal", "serde"];

#[track_caller]
fn check_words(error: &str) {
    assert!(!error.contains('\n'), "more than one line: {error}");
    for word in RAW_WORDS {
        assert!(!error.contains(word), "{word:?} in {error}");
    }
}

/// Files that cannot be used, and what is said of each.
const BAD_FILES: &[(&str, &str)] = &[
    // Keys.
    (
        "connections = 5\n\nconection = 5\n",
        "FILE:3: unknown key `conection`; did you mean `connections`? Write connections = 10000",
    ),
    (
        "payload_max = 1024",
        "FILE:1: unknown key `payload_max`; did you mean `payload-max`? Write payload-max = \"64KiB\"",
    ),
    (
        "Flood = \"off\"",
        "FILE:1: unknown key `Flood`; did you mean `flood`? Write flood = \"10,5\"",
    ),
    (
        "port = 7000",
        "FILE:1: unknown key `port`; did you mean `listen`? Write listen = [\"127.0.0.1:12345\", \"[::1]:12345\"]",
    ),
    ("zzz = 1", "FILE:1: unknown key `zzz`; the manual lists the keys: man pychat-server.toml"),
    ("check-config = true", "FILE:1: `check-config` is an option of the command line only"),
    (
        "\n[server]\nlisten = \"localhost\"",
        "FILE:2: [server]: this file has no sections; remove this line",
    ),
    (
        "[[listen]]",
        "FILE:1: listen = [[listen]]: write listen = [\"127.0.0.1:12345\", \"[::1]:12345\"]",
    ),
    ("payload-max = 1\npayload-max = 2", "FILE:2: `payload-max` is set twice"),
    // Values.
    (
        "flood = \"fast\"\n",
        "FILE:1: flood = \"fast\": write BURST,PER_SECOND as two numbers above 0, such as 10,5, or off for no limit",
    ),
    ("flood = false", "FILE:1: flood = false: text needs quotes; write flood = \"10,5\""),
    (
        "# x\nhello-timeout = 0",
        "FILE:2: hello-timeout = 0: write a number of seconds from 1 to 86400, such as 20 or 20s",
    ),
    (
        "hello-timeout = 1.5",
        "FILE:1: hello-timeout = 1.5: write a number of seconds from 1 to 86400, such as 20 or 20s",
    ),
    ("connections = -1", "FILE:1: connections = -1: write a number from 1 to 50000"),
    ("connections = true", "FILE:1: connections = true: write a number from 1 to 50000"),
    ("connections = 0xff", "FILE:1: connections = 0xff: write a number from 1 to 50000"),
    ("connections = [5]", "FILE:1: connections = [5]: write connections = 10000"),
    (
        "payload-max = \"64KB\"",
        "FILE:1: payload-max = \"64KB\": unknown unit; write 64KiB (1KiB is 1024 bytes, 1MiB is 1024KiB)",
    ),
    ("history = \"disc\"", "FILE:1: history = \"disc\": write disk or memory"),
    ("durability = \"none\"", "FILE:1: durability = \"none\": write process or power"),
    ("state-dir = \"\"", "FILE:1: state-dir = \"\": write the path of a folder"),
    ("flood = { burst = 5 }", "FILE:1: flood = { burst = 5 }: write flood = \"10,5\""),
    // Addresses.
    (
        "listen = [\"::1\"]",
        "FILE:1: listen = ::1: an IPv6 address needs brackets, such as [::1]:12345",
    ),
    (
        "listen = [\n\"localhost\",\n\"localhost:x\",\n]",
        "FILE:3: listen = localhost:x: the port should be a number from 0 to 65535; write ADDRESS:PORT",
    ),
    (
        "listen = [12345]",
        "FILE:1: listen = 12345: text needs quotes; write listen = [\"127.0.0.1:12345\", \"[::1]:12345\"]",
    ),
    // Bounds.
    (
        "payload-max = 10",
        "FILE:1: payload-max = 10: write a size from 256 bytes to 1MiB, such as 65536, 64KiB or 1MiB",
    ),
    (
        "backlog-max = 1000",
        "FILE:1: backlog-max = 1000: should not be less than payload-max, which is 64KiB",
    ),
    (
        "\nbacklog-max = 1024\npayload-max = \"1MiB\"",
        "FILE:2: backlog-max = 1024: should not be less than payload-max, which is 1MiB",
    ),
    (
        "backlog-total = 70000",
        "FILE:1: backlog-total = 70000: should not be less than backlog-max, which is 1MiB",
    ),
    ("connections = 0", "FILE:1: connections = 0: write a number from 1 to 50000"),
    ("history-days = 40000", "FILE:1: history-days = 40000: write a number from 0 to 36500"),
    // What is not TOML.
    (
        "listen = [127.0.0.1:12345]",
        "FILE:1: listen = [127.0.0.1:12345]: text needs quotes; write listen = [\"127.0.0.1:12345\"]",
    ),
    (
        "listen = localhost, [::1]:7 # both",
        "FILE:1: listen = localhost, [::1]:7: text needs quotes; write listen = [\"localhost\", \"[::1]:7\"]",
    ),
    (
        "\ndurability = power",
        "FILE:2: durability = power: text needs quotes; write durability = \"power\"",
    ),
    (
        "payload-max = 64KiB",
        "FILE:1: payload-max = 64KiB: text needs quotes; write payload-max = \"64KiB\"",
    ),
    ("connections = many", "FILE:1: connections = many: write connections = 10000"),
    ("connections = 010", "FILE:1: connections = 010: write connections = 10000"),
    ("flood =", "FILE:1: flood = : the value is missing; write flood = \"10,5\""),
    (
        "flood = \"off",
        "FILE:1: flood = \"off: a quote, bracket or comma is missing; write flood = \"10,5\"",
    ),
    ("lisen = localhost:1", "FILE:1: unknown key `lisen`; did you mean `listen`?"),
    ("= 1", "FILE:1: the key is missing; write KEY = VALUE, such as connections = 10000"),
    ("flood off", "FILE:1: flood off: write KEY = VALUE, such as connections = 10000"),
    ("flood: off", "FILE:1: flood: off: write KEY = VALUE, such as connections = 10000"),
];

#[test]
fn what_is_wrong_in_a_file_is_named_with_its_line_and_what_was_meant() {
    for &(text, message) in BAD_FILES {
        let error = with_file(text, &[]).unwrap_err();
        assert_eq!(error.get(..message.len()), Some(message), "{text:?}: {error}");
        check_words(&error);
    }
}

#[test]
fn a_list_without_an_end_is_named_wherever_that_shows() {
    for text in [
        "listen = [\n  127.0.0.1:12345,\n]",
        "listen = [\"localhost\"\nconnections = 5\n",
        "listen = [\"localhost\"",
        "listen = [\"a\" \"b\"]",
    ] {
        let error = with_file(text, &[]).unwrap_err();
        assert!(error.starts_with("FILE:"), "{error}");
        let message = "a quote, bracket or comma is missing; write listen = [\"127.0.0.1:12345\", ";
        assert!(error.contains(message), "{text:?}: {error}");
        check_words(&error);
    }
}

#[test]
fn whatever_a_file_holds_the_answer_is_one_line_of_bounded_length() {
    let long = format!("flood = \"{}\"", "x".repeat(100_000));
    for bytes in [
        &b"\xff\xfe"[..],
        b"connections = 5\nflood = \"\xff\"\n",
        b"\0",
        b"a\x1b[31m = 1",
        b"\"\\n\\u001b\" = 1",
        b"[",
        b"]",
        b"[]",
        b"\"",
        b"'''",
        b"flood = \"\"\"\n\n",
        b"a.b.c = 1",
        b"flood.x = 1",
        b"listen = [[[[[",
        b"listen = {",
        b"\r",
        b"=",
        b"====",
        long.as_bytes(),
    ] {
        let error = with_file(bytes, &[]).unwrap_err();
        assert!(error.starts_with("FILE:"), "{error}");
        assert!(error.len() < 400 && !error.contains(char::is_control), "{error:?}");
        check_words(&error);
    }
    let error = read(&["--config", "/nowhere/pychat.toml"], &[]).unwrap_err();
    assert!(error.starts_with("cannot read /nowhere/pychat.toml: No such file"), "{error}");
    let error = read(&["--config", "/"], &[]).unwrap_err();
    assert!(error.starts_with("cannot read /: "), "{error}");
    let error = with_file(b"connections = 5\nflood = \"\xff\"\n", &[]).unwrap_err();
    assert_eq!(error, "FILE:2: not UTF-8 text");
}

/// Flags and variables that cannot be used, and what is said of each.
const BAD_ARGUMENTS: &[(&[&str], Variables, &str)] = &[
    (
        &["--listen=localhost:port"],
        &[],
        "--listen localhost:port: the port should be a number from 0 to 65535; write ADDRESS:PORT",
    ),
    (
        &["--flood=fast"],
        &[],
        "--flood fast: write BURST,PER_SECOND as two numbers above 0, such as 10,5, or off for no limit",
    ),
    (&["--flood="], &[], "--flood : write BURST,PER_SECOND"),
    (&["--payload-max=1MB"], &[], "--payload-max 1MB: unknown unit; write 1MiB"),
    (&["--connections", "0"], &[], "--connections 0: write a number from 1 to 50000"),
    (&["--listen", "localhost, ::1"], &[], "--listen ::1: an IPv6 address needs brackets"),
    (&["--state-dir="], &[], "--state-dir : write the path of a folder"),
    (
        &["--backlog-max=300"],
        &[],
        "--backlog-max 300: should not be less than payload-max, which is 64KiB",
    ),
    (
        &["--port", "1"],
        &[],
        "unknown option --port; did you mean --listen? Write --listen 127.0.0.1:12345",
    ),
    (
        &["--payload_max=1"],
        &[],
        "unknown option --payload_max; did you mean --payload-max? Write --payload-max 64KiB",
    ),
    (&["-p"], &[], "unknown option -p; see pychat-server --help"),
    (&["12345"], &[], "\"12345\" belongs to no option; see pychat-server --help"),
    (&["--listen"], &[], "--listen needs a value, such as --listen 127.0.0.1:12345"),
    (&["--config"], &[], "--config needs a value; see pychat-server --help"),
    (&["--check-config=yes"], &[], "--check-config takes no value"),
    (&["--flood=1,1", "--flood=2,2"], &[], "--flood is given twice"),
    (&[], &[("PYCHAT_FLOOD", "fast")], "PYCHAT_FLOOD=fast: write BURST,PER_SECOND"),
    (&[], &[("PYCHAT_CONNECTIONS", "0")], "PYCHAT_CONNECTIONS=0: write a number from 1 to 50000"),
    (
        &[],
        &[("PYCHAT_LISTEN", "localhost,[::1")],
        "PYCHAT_LISTEN=[::1: not an IPv6 address in the brackets",
    ),
    (&[], &[("PYCHAT_CONFIG", "/nowhere")], "cannot read /nowhere: "),
];

#[test]
fn what_is_wrong_with_flags_and_variables_is_named_as_it_was_given() {
    for &(flags, variables, message) in BAD_ARGUMENTS {
        let error = read(flags, variables).unwrap_err();
        assert!(error.starts_with(message), "{flags:?} {variables:?}: {error}");
        check_words(&error);
    }
    let flag = OsStr::from_bytes(b"--flood=\xff").to_owned();
    let error = Config::read(["pychat-server".into(), flag], |_| None).unwrap_err().to_string();
    assert_eq!(error, "--flood \u{fffd}: not UTF-8 text");
}
