//! The dependencies that are allowed, kept as a test: the compiler keeps those between crates, this
//! one those between modules.

#[path = "kit/modules.rs"]
mod modules;

use std::fs;

use modules::modules_known;

/// The modules of the crate, each above all that it may know.
const LAYERS: [&str; 13] = [
    "main", "reactor", "signals", "systemd", "control", "server", "archive", "handover", "config",
    "logging", "limits", "net", "store",
];

/// The innermost layer: it knows itself alone.
const CORE: &str = "core";

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
    let core = sources("src/core");
    assert!(10 < core.len());
    for path in core {
        check(&path, &["mio", "std::io", "std::net", "tracing", "logging", "Instant::now", "rand"]);
        for module in LAYERS {
            check(&path, &[&format!("crate::{module}"), &format!("crate::{{{module}")]);
        }
    }
}

#[test]
fn a_module_knows_only_those_below_it() {
    for (rank, layer) in LAYERS.iter().enumerate() {
        let prefix = format!("src/{layer}");
        let is_of_layer = |path: &String| {
            path.strip_prefix(&prefix).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        for path in sources("src").into_iter().filter(is_of_layer) {
            let known = modules_known(&code(&path));
            for above in &LAYERS[..rank] {
                assert!(!known.contains(*above), "{path} knows {above}");
            }
            let strangers: Vec<_> =
                known.iter().filter(|it| !LAYERS.contains(&it.as_str()) && *it != CORE).collect();
            assert_eq!(strangers, [""; 0], "{path}: not among the layers");
        }
    }
}

#[test]
fn bytes_are_moved_by_who_does_not_know_what_a_person_is() {
    for path in sources("src/net") {
        check(&path, &["core::chat", "roster", "UserName", "tracing", "logging"]);
    }
}

#[test]
fn only_the_reactor_waits_and_reads_the_clock() {
    // A command that works on a database has nothing else to do.
    let waiting = ["src/reactor.rs", "src/archive/waiting.rs"];
    for path in sources("src") {
        if !waiting.contains(&&*path) {
            check(&path, &["Instant::now", "SystemTime::now", "poll.poll("]);
        }
    }
}

#[test]
fn every_source_is_registered_once() {
    let registrations = |path: &str| code(path).matches(".register(").count();
    let all = "listeners, connections, operators, and the store with its own";
    assert_eq!(registrations("src/reactor.rs"), 4, "{all}");
    assert_eq!(registrations("src/signals.rs"), 1);
    assert_eq!(registrations("src/store/postgres/stream.rs"), 2, "over TCP and on a Unix socket");
    for path in sources("src") {
        check(&path, &["reregister"]);
    }
}

#[test]
fn connections_are_taken_out_at_one_place() {
    let count = |path: &str| code(path).matches("table.remove(").count();
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

#[test]
fn a_struct_has_no_more_than_ten_fields() {
    for path in sources("src") {
        let code = code(&path);
        for declared in code.split("struct ").skip(1).filter(|it| !is_tuple(it)) {
            let Some((name, body)) = declared.split_once(" {\n") else { continue };
            let fields = body.lines().take_while(|line| !line.trim_start().starts_with('}'));
            let count = fields.filter(|line| line.contains(": ")).count();
            assert!(count <= FIELDS_MAX, "{path}: {name} has {count} fields");
        }
    }
}

#[test]
fn a_comment_begins_with_the_thing() {
    let crates = [".", "../pychat-wire", "../pychat-gtk", "../pychat-cli"];
    for folder in crates.iter().flat_map(|it| ["src", "tests"].map(|sub| format!("{it}/{sub}"))) {
        for path in sources(&folder) {
            let source = fs::read_to_string(&path).expect("a source file");
            let mut before = "";
            for line in source.lines().map(str::trim_start) {
                let is_comment = |line: &str| line.starts_with("///") || line.starts_with("//!");
                if is_comment(line) && !is_comment(before) {
                    let word = line.split_whitespace().nth(1).unwrap_or_default();
                    assert!(!RIDDLES.contains(&word), "{path}: {line}");
                }
                before = line;
            }
        }
    }
}

/// Words after which a reader still does not know what a comment is about.
const RIDDLES: [&str; 5] = ["What", "How", "Who", "Why", "Whether"];

/// Returns true if what stands behind `struct` has no braces of its own.
fn is_tuple(declared: &str) -> bool {
    declared.find(';').unwrap_or(usize::MAX) < declared.find('{').unwrap_or(usize::MAX)
}

/// More fields than this belong to more than one thing.
const FIELDS_MAX: usize = 10;

#[test]
fn the_parts_of_the_server_do_not_know_it() {
    for path in sources("src/server") {
        check(&path, &["super::Server", "Server<", "server::Server"]);
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
