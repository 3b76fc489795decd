//! Words that are in no message any more are not in the server's files either.

use std::{collections::HashSet, fs};

use super::{stored::Stored, tally::Effect, texts::Texts, world::World};

/// The beginning of each text, which its number follows.
pub(super) const NUMBER: &str = "№";

impl World<'_> {
    /// Stops the server for good, and looks for words in its files that nobody has any more.
    pub(super) fn check_erased(&mut self) {
        let directory = self.house.close(self.tally).to_owned();
        let paths = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
        let paths: Vec<_> = paths.filter(|path| path.is_file()).collect();
        let is_log = |it: &&std::path::PathBuf| it.to_string_lossy().ends_with("-wal");
        assert_eq!(paths.iter().find(is_log), None, "a write-ahead log is left");
        let files: Vec<_> = paths.iter().map(|path| fs::read(path).unwrap()).collect();

        let stored = Stored::read(&self.house.file(), u64::from(u32::MAX));
        let records = stored.records.values().flatten();
        let kept: HashSet<_> = records.filter_map(|it| number(it.words.as_bytes())).collect();
        let texts = self.people.iter().map(|person| &person.memory.texts);
        let accepted = texts.flat_map(Texts::accepted_words);
        let accepted = accepted.filter_map(|words| number(words.as_bytes()));
        let erased: HashSet<_> = accepted.filter(|number| !kept.contains(number)).collect();
        for _ in &erased {
            self.tally.note_effect(Effect::Erased);
        }

        let traces: HashSet<_> = files.iter().flat_map(|bytes| numbers(bytes)).collect();
        let traces: Vec<_> = traces.into_iter().filter(|number| !kept.contains(number)).collect();
        assert!(traces.is_empty(), "{traces:?} are found, of {} erased", erased.len());
    }
}

/// Returns the numbers of all texts in `bytes`.
fn numbers(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let places = bytes.windows(NUMBER.len()).enumerate();
    let places = places.filter(|(_, window)| *window == NUMBER.as_bytes());
    places.filter_map(|(place, _)| number(&bytes[place..]))
}

/// Returns the number with which a text begins.
fn number(text: &[u8]) -> Option<u64> {
    let digits = text.strip_prefix(NUMBER.as_bytes())?;
    let n_digits = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    let is_whole = digits[n_digits] == b' ';
    str::from_utf8(&digits[..n_digits]).ok()?.parse().ok().filter(|_| is_whole)
}
