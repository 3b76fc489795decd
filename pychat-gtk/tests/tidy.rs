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
const LAYERS: [&str; 8] =
    ["main", "application", "ui", "settings", "session", "model", "text", "config"];

/// The folders (or files) that must not know certain things, and the words that stand for these.
const LINES: [(&[&str], &[&str]); 5] = [
    // Models and the session know no widget.
    (
        &["src/model.rs", "src/model", "src/session.rs", "src/session"],
        &["adw::", "gdk::", "gtk::prelude", "gtk::subclass", "Template", "Widget"],
    ),
    // No widget knows the transport.
    (&["src/application.rs", "src/ui.rs", "src/ui"], &["transport", "gio::Socket", "std::net"]),
    // What shows a conversation follows a room, never its session.
    (&["src/ui/composer.rs", "src/ui/composer", "src/ui/people", "src/ui/search"], &["Session"]),
    // What decides is pure.
    (
        &["src/text.rs", "src/text", "src/session/disconnect_reason.rs"],
        &["gtk::{", "gtk::prelude", "gio::", "std::fs", "TcpStream"],
    ),
    // One thread, one main context.
    (&["src"], &["std::thread", "thread::spawn", "tokio", "spawn_blocking"]),
];

#[test]
fn a_module_knows_only_those_below_it() {
    for path in sources(Path::new("src")) {
        let layer = path.iter().nth(1).map(Path::new).and_then(Path::file_stem);
        let Some(rank) = LAYERS.iter().position(|it| layer == Some(it.as_ref())) else {
            assert_eq!(path, Path::new("src/lib.rs"), "it is in no layer");
            continue;
        };
        for module in modules_known(&code(&path)) {
            let known = LAYERS.iter().position(|layer| *layer == module);
            assert!(known.is_some_and(|known| rank <= known), "{} knows {module}", path.display());
        }
    }
}

#[test]
fn nobody_knows_what_they_must_not() {
    for (paths, words) in LINES {
        for path in paths.iter().flat_map(|path| sources(Path::new(path))) {
            let code = code(&path);
            for word in words {
                assert!(!code.contains(word), "{} mentions {word}", path.display());
            }
        }
    }
}

#[test]
fn every_file_has_a_header_and_one_subject() {
    for path in ["build.rs", "src", "tests"].iter().flat_map(|path| sources(Path::new(path))) {
        let source = fs::read_to_string(&path).expect("it was listed");
        let n_lines = code(&path).lines().count();
        assert!(source.starts_with("//! "), "{} has no header", path.display());
        assert!(n_lines <= FILE_LINES_MAX, "{} has {n_lines} lines", path.display());
    }
}

#[test]
fn the_shortcuts_window_lists_every_accelerator() {
    let window = fs::read_to_string("resources/ui/help_overlay.ui").expect("there is one");
    let window: String = window.split_whitespace().collect();
    for (action, keys) in pychat_gtk::application::ACCELS {
        let keys = keys.join("").replace('<', "&lt;").replace('>', "&gt;");
        let properties = format!(
            "<propertyname=\"accelerator\">{keys}</property><propertyname=\"action-name\">{action}</property>"
        );
        assert!(window.contains(&properties), "{action} is not listed with its keys");
    }
}

/// Returns the Rust files at and below `path`, which is relative to the crate's root.
fn sources(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    entries
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter(|path| path.is_dir() || path.extension().is_some_and(|it| it == "rs"))
        .flat_map(|path| sources(&path))
        .collect()
}

/// Returns the file without its tests.
fn code(path: &Path) -> String {
    let source = fs::read_to_string(path).expect("it was listed");
    match source.split_once("#[cfg(test)]") {
        Some((code, _)) => code.to_owned(),
        None => source,
    }
}
