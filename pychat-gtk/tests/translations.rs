//! Every word that the program shows is translated, and nothing else is.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The strings that show that a file has words in it.
const MARKS: [&str; 3] = ["translatable=\"yes\"", "gettext(\"", "gettext_f("];

#[test]
fn potfiles_lists_the_files_that_have_words_in_them() {
    let potfiles = fs::read_to_string("po/POTFILES").expect("tests run in the crate's root");
    let listed: BTreeSet<_> = potfiles.lines().map(PathBuf::from).collect();
    let mut found = BTreeSet::new();
    for folder in ["resources", "src"] {
        collect_files(Path::new(folder), &mut found);
    }
    found.retain(|path| {
        let Ok(source) = fs::read_to_string(path) else { return false }; // A picture.
        // The one place that takes the words from others.
        path != Path::new("src/text/i18n.rs") && MARKS.iter().any(|mark| source.contains(mark))
    });
    found.insert("../data/io.github.pychat.Pychat.gschema.xml".into());
    assert_eq!(listed, found);
}

#[test]
fn every_translation_is_complete_and_up_to_date() {
    let template = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pychat.pot");
    let template = template.to_str().expect("a path that cargo made");
    run("po/extract", &[template]);
    for language in languages() {
        let translation = format!("po/{language}.po");
        for flag in ["--untranslated", "--only-fuzzy", "--only-obsolete"] {
            let left = run("msgattrib", &[flag, &translation]);
            assert_eq!(left, "", "{translation} has entries that are {flag}");
        }
        // Both ways: nothing is missing from the translation, and nothing in it is out of use.
        for pair in [[translation.as_str(), template], [template, translation.as_str()]] {
            run("msgcmp", &[&["--use-untranslated"], &pair[..]].concat());
        }
    }
}

#[test]
fn a_translation_fills_in_what_the_original_does() {
    for language in languages() {
        let entries = run("msgcat", &["--no-wrap", "--no-location", &format!("po/{language}.po")]);
        let mut original = "";
        let mut n_filled_in = 0;
        for line in entries.lines() {
            let (keyword, words) = line.split_once(' ').unwrap_or_default();
            if keyword == "msgid" || keyword == "msgid_plural" {
                original = words; // Both forms name the same places.
            } else if keyword.starts_with("msgstr") {
                assert_eq!(places(words), places(original), "{language}: {words}");
                n_filled_in += usize::from(!places(original).is_empty());
            }
        }
        assert!(5 < n_filled_in, "the entries were not read");
    }
}

fn languages() -> Vec<String> {
    let languages = fs::read_to_string("po/LINGUAS").expect("tests run in the crate's root");
    languages.split_whitespace().map(ToOwned::to_owned).collect()
}

/// Returns the names that stand in braces.
fn places(words: &str) -> BTreeSet<&str> {
    words.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect()
}

fn collect_files(folder: &Path, files: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).expect("tests run in the crate's root") {
        let path = entry.expect("a folder can be listed").path();
        if path.is_dir() {
            collect_files(&path, files);
        } else {
            files.insert(path);
        }
    }
}

/// Runs a program of gettext and returns what it printed; if it fails, so does the test.
#[track_caller]
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program} cannot be run: {error}"));
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {complaints}");
    String::from_utf8(output.stdout).expect("the translations are UTF-8")
}
