//! The lines between the modules, and the limits of the files, are kept like any other promise.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The most lines that a source file may have; past that it has two subjects.
const FILE_LINES_MAX: usize = 400;

/// Who may not know whom: files (or folders) and the words that stand for what they must not know.
const LINES: [(&[&str], &[&str]); 4] = [
    // Models and the session know no widget.
    (
        &[
            "src/ending.rs",
            "src/model.rs",
            "src/model",
            "src/search.rs",
            "src/session.rs",
            "src/session",
            "src/state_file.rs",
            "src/time_watch.rs",
            "src/transport.rs",
        ],
        &["adw::", "gdk::", "gtk::prelude", "gtk::subclass", "Template", "Widget", "crate::window"],
    ),
    // No widget knows the transport.
    (
        &[
            "src/about.rs",
            "src/announcer.rs",
            "src/application.rs",
            "src/compat.rs",
            "src/composer.rs",
            "src/connect_page.rs",
            "src/connection_bar.rs",
            "src/conversation_page.rs",
            "src/conversation_page",
            "src/emoji_button.rs",
            "src/failure_note.rs",
            "src/follow_end.rs",
            "src/swipe.rs",
            "src/talk_layout.rs",
            "src/highlight.rs",
            "src/latest_button.rs",
            "src/message_menu.rs",
            "src/message_row.rs",
            "src/message_row",
            "src/name_completion.rs",
            "src/notifier.rs",
            "src/people_flap.rs",
            "src/people_pane.rs",
            "src/person_row.rs",
            "src/picture.rs",
            "src/place.rs",
            "src/preferences_window.rs",
            "src/recent_group.rs",
            "src/results_pane.rs",
            "src/results_pane",
            "src/retry_countdown.rs",
            "src/search_bar.rs",
            "src/selection.rs",
            "src/selection_area.rs",
            "src/selection_area",
            "src/selection_header.rs",
            "src/shortcuts.rs",
            "src/unread_bar.rs",
            "src/window.rs",
            "src/window",
        ],
        &["transport", "gio::Socket", "std::net"],
    ),
    // What decides is pure.
    (
        &[
            "src/server_address.rs",
            "src/wording.rs",
            "src/wording",
            "src/ending.rs",
            "src/text.rs",
            "src/text",
        ],
        &["use gtk", "gio::", "std::io", "TcpStream", "Instant::now"],
    ),
    // One thread, one main context.
    (&["src"], &["std::thread", "thread::spawn", "tokio", "spawn_blocking"]),
];

/// What both sides of the first two lines may use.
const NEUTRAL: [&str; 15] = [
    "src/config.rs",
    "src/desktop.rs",
    "src/host_name.rs",
    "src/i18n.rs",
    "src/lib.rs",
    "src/main.rs",
    "src/name_color.rs",
    "src/server_address.rs",
    "src/server_link.rs",
    "src/settings.rs",
    "src/text.rs",
    "src/text",
    "src/times.rs",
    "src/wording.rs",
    "src/wording",
];

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
fn every_file_is_on_one_side_of_the_line_between_widgets_and_the_rest() {
    let [(session_side, _), (widget_side, _), ..] = LINES;
    for path in sources(Path::new("src")) {
        let sides = [session_side, widget_side, &NEUTRAL];
        let n_sides =
            sides.iter().filter(|side| side.iter().any(|it| path.starts_with(it))).count();
        assert_eq!(n_sides, 1, "{} is on no side, or on two", path.display());
    }
}

#[test]
fn the_shortcuts_window_lists_every_accelerator() {
    let window = fs::read_to_string("resources/ui/help_overlay.ui").expect("there is one");
    for (action, _) in pychat_gtk::application::ACCELS {
        let property = format!("<property name=\"action-name\">{action}</property>");
        assert!(window.contains(&property), "{action} is not listed");
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
