//! The configuration file that is installed: it can be used, lets in only people who are invited, and
//! says what would hold without it.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use pychat_server::config;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/pychat-server.toml");

#[test]
fn the_example_can_be_used_as_it_is() {
    assert_eq!(complaint(Path::new(EXAMPLE)), "");
}

/// A service that is installed can be reached by anybody.
#[test]
fn the_example_asks_for_invites_and_changes_nothing_else() {
    let example = fs::read_to_string(EXAMPLE).expect("the example is there");
    let in_force = example.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    assert_eq!(in_force.collect::<Vec<_>>(), [r#"admission = "invite""#]);
}

#[test]
fn the_example_can_be_used_with_every_line_of_it() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pychat-server.toml");
    let settings = settings();
    let lines: Vec<_> = settings.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    fs::write(&path, lines.join("\n")).expect("a folder that cargo made");
    assert_eq!(complaint(&path), "");
}

#[test]
fn the_example_names_every_option_with_its_default() {
    let mut expected = BTreeMap::new();
    for option in config::command().get_arguments() {
        let help = option.get_help().map(ToString::to_string).unwrap_or_default();
        let default = help.split_once("[default: ").and_then(|(_, rest)| rest.split_once(']'));
        if let Some((default, _)) = default {
            let name = option.get_long().expect("every option has a long name");
            expected.insert(name.to_owned(), default.to_owned());
        }
    }
    // Some defaults are described; what they come to for the unit, or may, is written.
    for (name, words, value) in [
        ("listen", "every address", r#"["0.0.0.0:12345", "[::]:12345"]"#),
        ("name", "the name of this machine", "Office"),
        ("public-address", "the addresses of this machine", "chat.example.org"),
        ("servers", "none", r#"["a.example.org", "b.example.org"]"#),
        ("guests-from", "none", r#"["10.0.0.0/8", "fd00::/8"]"#),
        (
            "store",
            "none",
            "postgres://pychat@db1.example.org,db2.example.org/pychat?sslrootcert=/etc/pychat/db-ca.pem",
        ),
        ("store-password-file", "the credential", "/etc/pychat/store-password"),
        ("state-dir", "$STATE_DIRECTORY", "/var/lib/pychat-server"),
        ("control-socket", "control.sock in", "/run/pychat-server/control.sock"),
        ("tls-certificate", "one of its own", "/etc/pychat/fullchain.pem"),
        ("tls-key", "in the same file", "/etc/pychat/privkey.pem"),
        ("admission", "open", "invite"),
        ("metrics-file", "none", "/var/lib/prometheus/node-exporter/pychat.prom"),
    ] {
        let described = expected.insert(name.to_owned(), value.to_owned());
        assert!(described.is_some_and(|default| default.starts_with(words)), "{name}");
    }

    let found: BTreeMap<_, _> = settings()
        .into_iter()
        .map(|(key, value)| (key, value.trim_matches('"').to_owned()))
        .collect();
    assert_eq!(found, expected);
}

/// Returns the keys of the example, commented out or not, with their values.
fn settings() -> Vec<(String, String)> {
    let example = fs::read_to_string(EXAMPLE).expect("the example is there");
    let settings = example.lines().filter_map(|line| {
        // What is no setting is a sentence, and those begin with a space.
        let (key, value) = line.strip_prefix('#').unwrap_or(line).split_once(" = ")?;
        (!key.starts_with(' ')).then(|| (key.to_owned(), value.to_owned()))
    });
    settings.collect()
}

/// Returns what the server has to say against the file at `path`.
fn complaint(path: &Path) -> String {
    let mut server = Command::new(env!("CARGO_BIN_EXE_pychat-server"));
    let output = server.arg("--check-config").arg("--config").arg(path).output();
    String::from_utf8(output.expect("the server can be run").stderr).expect("text")
}
