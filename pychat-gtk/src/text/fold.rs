//! Texts and names as they are compared.
//!
//! People do not mind how a letter is stored, how large or how wide it is, so texts are compared
//! folded: NFKC, without case, every blank a space, `ё` like `е`.

use std::ops::Range;

use caseless::Caseless;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};
use unicode_segmentation::UnicodeSegmentation;

use super::is_word;

/// Returns `text` as it is compared.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        let mut folded = text.to_ascii_lowercase();
        if folded.contains(|it: char| it.is_ascii_whitespace()) {
            folded = folded.chars().map(fold_char).collect();
        }
        return folded;
    }
    // Nearly all texts are normalized already, and to see that is cheaper than to do it.
    let folded: String = if is_nfkc_quick(text.chars()) == IsNormalized::Yes {
        text.chars().default_case_fold().collect()
    } else {
        text.nfkc().default_case_fold().collect()
    };
    if is_nfkc_quick(folded.chars()) == IsNormalized::Yes {
        folded.chars().map(fold_char).collect()
    } else {
        folded.nfkc().map(fold_char).collect()
    }
}

fn fold_char(character: char) -> char {
    match character {
        'ё' => 'е',
        _ if character.is_whitespace() => ' ',
        _ => character,
    }
}

/// Returns true if a word of `name` begins with `begun`, which is folded.
pub fn has_word(name: &str, begun: &str) -> bool {
    let name = fold(name);
    let begins_word = |at: usize| !name[..at].chars().next_back().is_some_and(is_word);
    begun.is_empty() || name.match_indices(begun).any(|(at, _)| begins_word(at))
}

/// A text that is folded, and knows where each part of it came from.
#[derive(Debug, Default)]
pub struct Folded {
    text: String,
    /// Where each letter begins: here, and in the text as it was.
    letters: Vec<(usize, usize)>,
    /// The size of the text as it was.
    size: usize,
}

impl Folded {
    /// Folds `text`, letter by letter as a reader sees them.
    pub fn new(text: &str) -> Self {
        let mut folded = Self { size: text.len(), ..Self::default() };
        for (at, letter) in text.grapheme_indices(true) {
            folded.letters.push((folded.text.len(), at));
            folded.text.push_str(&fold(letter));
        }
        folded
    }

    /// Returns the folded text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns where in the text as it was `range` is, if it begins and ends between letters; `None`
    /// otherwise.
    pub fn whole_letters(&self, range: Range<usize>) -> Option<Range<usize>> {
        let begin = self.letters.binary_search_by_key(&range.start, |(here, _)| *here).ok()?;
        if range.end == self.text.len() {
            return Some(self.place(begin)..self.size);
        }
        let end = self.letters.binary_search_by_key(&range.end, |(here, _)| *here).ok()?;
        Some(self.place(begin)..self.place(end))
    }

    fn place(&self, letter: usize) -> usize {
        self.letters.get(letter).map_or(self.size, |(_, there)| *there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_any_of_their_words() {
        for (name, begun, expected) in [
            ("Сергей Константинопольский", "Конст", true),
            ("Сергей Константинопольский", "ергей", false),
            ("Фёдор", "федор", true),
            ("Алена", "алёна", true),
            ("Андрей", "Андре\u{438}\u{306}", true),
            ("Jean-Luc (2)", "luc", true),
            ("Jean-Luc (2)", "2", true),
            ("ＡＮＮＡ", "anna", true),
            ("Anna", "", true),
            ("Anna", "nn", false),
        ] {
            assert_eq!(has_word(name, &fold(begun)), expected, "{begun:?} in {name:?}");
        }
    }

    #[test]
    fn folding_knows_no_difference_between_the_quick_way_and_the_other() {
        for (text, expected) in [
            ("Ёлка", "елка"),
            ("Straße", "strasse"),
            ("ΣΑΣ σας", "σασ σασ"),
            ("\u{1F88}", "ἀι"),
            ("e\u{301}É", "éé"),
            ("a\u{A0}ｂ", "a b"),
        ] {
            let both = [fold(text), fold(&text.nfd().collect::<String>())];
            assert_eq!(both, [expected, expected], "{text:?}");
        }
    }
}
