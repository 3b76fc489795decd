//! What the program says of itself, and of arguments that it cannot use.

use std::process::{Command, Output};

use crate::support::PROGRAM;

fn output(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).env("PYCHAT_HISTORY", "memory").args(arguments).output().unwrap()
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
    for arguments in [&["--port", "1"][..], &["12345"], &["--listen"]] {
        let Output { status, stdout, stderr } = output(arguments);
        let complaint = String::from_utf8(stderr).unwrap();
        assert!(complaint.starts_with("error: "), "{arguments:?}: {complaint}");
        assert_eq!((status.code(), stdout), (Some(2), vec![]), "{arguments:?}");
    }
}
