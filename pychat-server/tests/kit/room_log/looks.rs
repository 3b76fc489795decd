//! The looks of messages after amendments, held against those amendments.

use std::collections::BTreeMap;

use pychat_wire::{message::Amendment, search::Query};

use super::{Message, PageHeard, RoomLog};
use crate::kit::amended::{History, Look, Said, State, by_target};

/// The most text that a page has, in bytes.
pub(in crate::kit) const PAGE_BYTES_MAX: usize = 256 << 10;

/// The most characters of the line of a message that protocol 1 is told where somebody answers it.
const LINE_CHARS_MAX: usize = 100;

/// The time after a message in which protocol 1 is told of its edits, in milliseconds.
const EDIT_HEARD_MS: u64 = 600_000;

impl RoomLog {
    /// Each message was seen only as the amendments of it, all of which must be known of those after
    /// `forgotten_to`, explain; each of these was one that may be. No page was too large, nor too small.
    pub(super) fn check_amended(&self, forgotten_to: u64) {
        let from = self.whole_from();
        let amendments = by_target(self.all());
        for (target, amendments) in &amendments {
            assert!(
                *target < amendments[0].seq,
                "number {target} was said after its amendment {:?}",
                amendments[0]
            );
            if from <= *target {
                let is_text = self.heard[target].is_text();
                assert!(is_text, "{:?} is amended", self.heard[target]);
            }
        }
        for (target, seen) in self.seen.range(from..) {
            let history = self.history(*target, &amendments);
            for seen in seen {
                let is_forgotten = *target <= forgotten_to && seen.look == Look::Words(None);
                assert!(
                    is_forgotten || history.explains(seen),
                    "number {target} was {seen:?}, and it was {history:?}"
                );
            }
        }
        for page in &self.pages {
            if page.numbers.first().is_some_and(|first| from < *first) {
                self.check_page(page, &amendments);
            }
        }
    }

    /// Checks that a page has at most so many bytes of words and reactions but for one record, and no room for the one before.
    fn check_page(&self, page: &PageHeard, amendments: &BTreeMap<u64, Vec<Said<'_>>>) {
        let PageHeard { numbers, known, is_full } = page;
        let bytes = |seq: &u64| match &self.heard[seq] {
            it if it.is_text() => self.history(*seq, amendments).bytes_after(*known),
            it => (it.content.len(), it.content.len()),
        };
        let sizes: Vec<_> = numbers.iter().map(bytes).collect();
        let least: usize = sizes.iter().map(|(least, _)| least).sum();
        assert!(sizes.len() <= 1 || least <= PAGE_BYTES_MAX, "{least} bytes in {page:?}");
        let before = numbers.first().map_or(0, |first| *first);
        let mut before = self.heard.range(..before).rev().filter(|(_, it)| it.amendment.is_none());
        if let (false, Some((before, _))) = (*is_full, before.next()) {
            let most = sizes.iter().fold(0, |most: usize, size| most.saturating_add(size.1));
            let most = most.saturating_add(bytes(before).1);
            assert!(PAGE_BYTES_MAX < most, "a page had room for number {before}");
        }
    }

    /// Returns the words and the state of a message as somebody has seen it who knew more than all others.
    pub(crate) fn last_look(&self, seq: u64) -> (&str, &State) {
        let last = self.seen.get(&seq).and_then(|seen| {
            let whole = seen.iter().filter_map(|seen| match &seen.look {
                Look::Whole { words, state } => Some((seen.known, &**words, state)),
                Look::Words(_) => None,
            });
            whole.max_by_key(|(known, ..)| *known)
        });
        let (_, words, state) = last.expect("it was read from the store");
        (words, state)
    }

    /// Returns the messages up to number `known` that a query finds as they are ever after that number, as far
    /// as all is known that amends them.
    pub(in crate::kit) fn always_found(
        &self,
        query: &Query,
        known: u64,
    ) -> impl Iterator<Item = (u64, &Message)> {
        let amendments = by_target(self.all());
        let known_whole =
            self.heard.range(self.whole_from()..).take_while(move |it| *it.0 <= known);
        let texts = known_whole.filter(|(_, it)| it.is_text());
        texts.filter_map(move |(seq, message)| {
            let history = self.history(*seq, &amendments);
            let is_found = |words: &str| query.finds(&message.author, words);
            history.always_says(known, is_found).then_some((*seq, message))
        })
    }

    /// Returns true if a message ever had no words.
    pub(crate) fn was_deleted(&self, target: u64) -> bool {
        self.deletions.contains_key(&target)
    }

    /// Returns the numbers of the messages that ever had no words.
    pub(crate) fn deleted(&self) -> impl Iterator<Item = u64> {
        self.deletions.keys().copied()
    }

    /// Returns how often somebody deleted a message of another.
    pub(crate) fn n_removed(&self) -> usize {
        let is_removal = |it: &&Message| match it.amendment {
            Some(Amendment::Delete { target }) => {
                self.heard.get(&target).is_some_and(|target| !target.is_of(&it.author))
            }
            _ => false,
        };
        self.heard.values().filter(is_removal).count()
    }

    /// Returns the number from which on every record was heard.
    fn whole_from(&self) -> u64 {
        let numbers = self.heard.keys().rev();
        let dense = numbers.zip((0..=self.last()).rev()).take_while(|(a, b)| *a == b);
        dense.last().map_or(self.last() + 1, |(seq, _)| *seq)
    }

    fn all(&self) -> impl Iterator<Item = Said<'_>> {
        self.heard.keys().map(|seq| self.said(*seq))
    }

    fn said(&self, seq: u64) -> Said<'_> {
        Said { seq, message: &self.heard[&seq], is_exact: self.exact.contains(&seq) }
    }

    fn history<'a>(
        &'a self,
        target: u64,
        amendments: &BTreeMap<u64, Vec<Said<'a>>>,
    ) -> History<'a> {
        History::of(self.said(target), amendments.get(&target).into_iter().flatten().copied())
    }

    /// Returns what protocol 1 may be told of each record of the hall where servers share the log: it is told
    /// of a record as that is by the time at which its server hears of it, or, as `None`, not at all.
    pub(crate) fn told_later_in_one(&self) -> BTreeMap<u64, Vec<Option<String>>> {
        let amendments = by_target(self.all());
        let words = |target, seq| {
            let words: Vec<_> = self.history(target, &amendments).words_later(seq).collect();
            words
        };
        let mut told = BTreeMap::new();
        for (seq, message) in &self.heard {
            let own = words(*seq, *seq).into_iter();
            let texts: Vec<_> = match (&message.amendment, message.reply) {
                (None, None) => own.map(|text| text.map(ToOwned::to_owned)).collect(),
                (None, Some(reply)) => {
                    let lines: Vec<_> =
                        words(reply, *seq).into_iter().map(|words| words.map(line)).collect();
                    own.flat_map(|text| {
                        lines.iter().map(move |line| Some(answer(line.as_deref(), text?)))
                    })
                    .collect()
                }
                (Some(Amendment::Edit { target, .. }), _)
                    if message.time - self.heard[target].time < EDIT_HEARD_MS =>
                {
                    let words = words(*target, *seq).into_iter();
                    words.map(|words| Some(format!("✎ {}", words?))).collect()
                }
                (Some(_), _) => continue,
            };
            told.insert(*seq, texts);
        }
        told
    }

    /// Returns what protocol 1 is told of each record of the hall that it is told of, in order: one of
    /// these texts each. Of messages up to so many numbers before it, nothing need be known.
    pub(crate) fn told_in_one(&self, n_kept: u64) -> BTreeMap<u64, Vec<String>> {
        let amendments = by_target(self.all());
        let mut told = BTreeMap::new();
        for (seq, message) in &self.heard {
            let Message { time, content, amendment, reply, .. } = message;
            let texts = match (amendment, reply) {
                (None, None) => vec![content.clone()],
                (None, Some(reply)) => {
                    let words = self.heard.contains_key(reply).then(|| {
                        self.history(*reply, &amendments).words_after(*seq).unwrap_or_default()
                    });
                    let mut texts = vec![answer(words.map(line).as_deref(), content)];
                    if reply + n_kept <= *seq {
                        texts.push(content.clone());
                    }
                    texts
                }
                (Some(Amendment::Edit { target, content: Some(words) }), _)
                    if time - self.heard[target].time < EDIT_HEARD_MS =>
                {
                    vec![format!("✎ {words}")]
                }
                (Some(_), _) => continue,
            };
            told.insert(*seq, texts);
        }
        told
    }
}

/// Returns the line of a message that stands above an answer to it; empty if it has no words.
fn line(words: &str) -> String {
    let line = words.trim_start().lines().next();
    line.unwrap_or_default().chars().take(LINE_CHARS_MAX).collect()
}

/// Returns an answer as protocol 1 is told of it, below the line that it answers.
fn answer(line: Option<&str>, content: &str) -> String {
    match line {
        Some("") | None => content.to_owned(),
        Some(line) => format!("> {line}\n{content}"),
    }
}
