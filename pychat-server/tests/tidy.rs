//! Who may know whom, kept as a test: the compiler keeps the lines between crates, this one those
//! between modules.

use std::fs;

/// What decides: pure, so that it can be run a million times under a test's clock.
const CORE: [&str; 16] = [
    "src/admission.rs",
    "src/chat.rs",
    "src/chat/arrival.rs",
    "src/chat/interface.rs",
    "src/chat/presence.rs",
    "src/chat/refusal.rs",
    "src/chat/restore.rs",
    "src/chat/talk.rs",
    "src/deadlines.rs",
    "src/id.rs",
    "src/log.rs",
    "src/log/memory.rs",
    "src/rate_limit.rs",
    "src/roster.rs",
    "src/sweep.rs",
    "src/tokens.rs",
];

/// Returns a source file without its tests and comments.
fn code(path: &str) -> String {
    let source = fs::read_to_string(path).expect("tests run in the crate's folder");
    let (code, _tests) = source.split_once("#[cfg(test)]").unwrap_or((&source, ""));
    let code = if path.ends_with("/tests.rs") { "" } else { code };
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    code.lines().filter(is_code).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check(path: &str, forbidden: &[&str]) {
    for word in forbidden {
        assert!(!code(path).contains(word), "{path} mentions {word}");
    }
}

#[test]
fn the_core_does_no_io_reads_no_clock_and_writes_no_log() {
    for path in CORE {
        check(path, &["mio", "std::io", "std::net", "tracing", "logging", "Instant::now", "rand"]);
    }
}

#[test]
fn bytes_are_moved_by_who_does_not_know_what_a_person_is() {
    for path in ["src/connection.rs", "src/outbox.rs", "src/connections.rs"] {
        check(path, &["crate::chat", "roster", "UserName", "tracing", "logging"]);
    }
}

#[test]
fn only_the_reactor_waits_and_reads_the_clock() {
    for path in sources("src") {
        if path != "src/reactor.rs" {
            check(&path, &["Instant::now", "SystemTime::now", ".poll("]);
        }
    }
}

#[test]
fn every_source_is_registered_once() {
    let registrations = |path: &str| code(path).matches(".register(").count();
    assert_eq!(registrations("src/reactor.rs"), 2, "listeners and connections");
    assert_eq!(registrations("src/signals.rs"), 1);
    for path in sources("src") {
        check(&path, &["reregister"]);
    }
}

#[test]
fn connections_are_taken_out_at_one_place() {
    let count = |path: &str| code(path).matches("connections.remove(").count();
    assert_eq!(sources("src").iter().map(|path| count(path)).sum::<usize>(), 1);
}

#[test]
fn a_second_server_on_the_port_is_never_allowed() {
    for path in sources("src") {
        check(&path, &["reuse_port", "REUSEPORT"]);
    }
}

#[test]
fn the_wire_does_no_io_reads_no_clock_and_writes_no_log() {
    for path in sources("../pychat-wire/src") {
        check(&path, &["std::io", "std::net", "std::time", "tracing", "println!"]);
    }
}

#[test]
fn a_file_has_one_subject() {
    for folder in ["src", "tests", "../pychat-wire/src", "../pychat-wire/tests"] {
        for path in sources(folder) {
            let lines = fs::read_to_string(&path).expect("a source file").lines().count();
            assert!(lines <= LINES_MAX, "{path} has {lines} lines");
        }
    }
}

/// Longer than this, a file has two subjects.
const LINES_MAX: usize = 400;

/// Returns every Rust file below `folder`.
fn sources(folder: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).expect("tests run in the crate's folder") {
        let path = entry.expect("a readable folder").path();
        let name = path.to_str().expect("our own names are UTF-8").to_owned();
        if path.is_dir() {
            paths.extend(sources(&name));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(name);
        }
    }
    paths
}
