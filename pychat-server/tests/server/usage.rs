//! The program's output about itself, and about arguments that it cannot use.

use std::process::{Output, Stdio};

use crate::process::program;

fn output(arguments: &[&str]) -> Output {
    program().args(arguments).stdout(Stdio::piped()).output().unwrap()
}

#[test]
fn help_tells_what_a_newcomer_needs() {
    for (flag, words) in [
        ("-h", &["Usage: pychat-server", "--listen <ADDRESS:PORT>", "12345", "--help"][..]),
        (
            "--help",
            &["--listen <ADDRESS:PORT>", "12345", "nc 127.0.0.1", "TERM, INT", "Exit codes"],
        ),
    ] {
        let Output { status, stdout, stderr } = output(&[flag]);
        let help = String::from_utf8(stdout).unwrap();
        for word in words {
            assert!(help.contains(word), "{flag}: no {word:?} in {help}");
        }
        assert_eq!((status.code(), stderr), (Some(0), vec![]), "{flag}");
    }
}

#[test]
fn the_version_is_the_packages() {
    for flag in ["-V", "--version"] {
        let Output { status, stdout, stderr } = output(&[flag]);
        let version = concat!("pychat-server ", env!("CARGO_PKG_VERSION"), "\n");
        assert_eq!(String::from_utf8(stdout).unwrap(), version);
        assert_eq!((status.code(), stderr), (Some(0), vec![]), "{flag}");
    }
}

#[test]
fn arguments_of_another_program_are_wrong_usage() {
    for arguments in [
        &["--port", "1"][..],
        &["12345"],
        &["--listen"],
        &["--flood", "0"],
        &["--listen", "x:y"],
        &["--connections=0"],
        &["--config=/nowhere"],
    ] {
        let Output { status, stdout, stderr } = output(arguments);
        let complaint = String::from_utf8(stderr).unwrap();
        assert!(complaint.starts_with("pychat-server: "), "{arguments:?}: {complaint}");
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
        assert_eq!((status.code(), stdout), (Some(2), vec![]), "{arguments:?}");
    }
}

#[test]
fn short_help_groups_the_options() {
    let help = String::from_utf8(output(&["-h"]).stdout).unwrap();
    let place = |words: &str| help.find(words).unwrap_or_else(|| panic!("no {words:?} in {help}"));
    let words =
        ["--config", "Listening:", "--listen", "Limits:", "--flood", "History:", "--durability"];
    assert!(words.map(place).is_sorted(), "{help}");
}
