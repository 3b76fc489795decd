//! The lines between the modules, and the limits of the files, are kept like any other promise.

#[path = "../../pychat-server/tests/kit/modules.rs"]
mod modules;

use std::{
    fs,
    path::{Path, PathBuf},
};

use modules::modules_known;

/// The most lines that a source file may have; past that it has two subjects.
const FILE_LINES_MAX: usize = 400;

/// The modules of the crate, each above all that it may know.
const LAYERS: [&str; 15] = [
    "send",
    "tail",
    "session",
    "options",
    "connecting",
    "finding",
    "rooms",
    "records",
    "trust",
    "identity",
    "line",
    "signals",
    "address",
    "private_file",
    "failure",
];

/// The innermost layer: it knows nobody.
const ESCAPE: &str = "escape";

#[test]
fn a_module_knows_only_those_below_it() {
    for path in sources(Path::new("src")) {
        let layer = path.iter().nth(1).map(Path::new).and_then(Path::file_stem);
        let Some(rank) = LAYERS.iter().position(|it| layer == Some(it.as_ref())) else {
            let is_known = ["src/lib.rs", "src/escape.rs"].map(Path::new).contains(&path.as_path());
            assert!(is_known || path.starts_with("src/bin"), "{} is in no layer", path.display());
            continue;
        };
        for module in modules_known(&code(&path)) {
            let known = LAYERS.iter().position(|layer| *layer == module);
            let is_below = module == ESCAPE || known.is_some_and(|known| rank <= known);
            assert!(is_below, "{} knows {module}", path.display());
        }
    }
}

#[test]
fn there_is_one_thread_and_one_place_that_waits() {
    for path in sources(Path::new("src")) {
        let code = code(&path);
        for word in ["std::thread", "thread::spawn", "sleep(", "tokio"] {
            assert!(!code.contains(word), "{} mentions {word}", path.display());
        }
        let is_line = path == Path::new("src/line.rs");
        assert!(is_line || !code.contains("poll("), "{} waits by itself", path.display());
    }
}

#[test]
fn every_file_has_a_header_and_one_subject() {
    for path in ["src", "tests"].iter().flat_map(|path| sources(Path::new(path))) {
        let source = fs::read_to_string(&path).expect("it was listed");
        let n_lines = code(&path).lines().count();
        assert!(source.starts_with("//! "), "{} has no header", path.display());
        assert!(n_lines <= FILE_LINES_MAX, "{} has {n_lines} lines", path.display());
    }
}

/// Returns the Rust files at and below `path`, which is relative to the crate's root.
fn sources(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let paths: Vec<_> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    let of = |path: &PathBuf| {
        if path.is_dir() { sources(path) } else { vec![path.clone()] }
    };
    let files = paths.iter().flat_map(of);
    files.filter(|path| path.extension().is_some_and(|it| it == "rs")).collect()
}

/// Returns the file without its tests.
fn code(path: &Path) -> String {
    let source = fs::read_to_string(path).expect("it was listed");
    match source.split_once("#[cfg(test)]") {
        Some((code, _)) => code.to_owned(),
        None => source,
    }
}
