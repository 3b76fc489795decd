//! The part of a text around what was found in it.

use std::ops::Range;

/// The most characters of an excerpt before what was found, and in all.
const BEFORE_CHARS_MAX: usize = 24;
const EXCERPT_CHARS_MAX: usize = 200;

/// The part of a text around what was found in it, without lines, and where that is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Excerpt {
    /// The text: plain, never markup.
    pub text: String,
    /// The ranges that were found, in bytes, in order.
    pub found: Vec<Range<usize>>,
}

impl Excerpt {
    /// Cuts out of `text` what is around the first place of `found`: from a few words before that
    /// on, or from the beginning if nothing was found.
    pub fn new(text: &str, found: &[Range<usize>]) -> Self {
        let mut excerpt = Self::default();
        let mut at = found.first().map_or(0, |first| begin(&text[..first.start]));
        if 0 < at {
            excerpt.text.push('…');
        }
        let end = text[at..].char_indices().nth(EXCERPT_CHARS_MAX);
        let end = end.map_or(text.len(), |(size, _)| at + size);
        for range in found.iter().take_while(|range| range.start < end) {
            excerpt.push(&text[at..range.start]);
            at = range.end.min(end);
            let from = excerpt.text.len();
            excerpt.push(&text[range.start..at]);
            excerpt.found.push(from..excerpt.text.len());
        }
        excerpt.push(&text[at..end]);
        excerpt
    }

    /// Appends `text` with one space for all blanks in a row, ends of lines among them.
    fn push(&mut self, text: &str) {
        for character in text.chars() {
            if !character.is_whitespace() {
                self.text.push(character);
            } else if !self.text.is_empty() && !self.text.ends_with([' ', '…']) {
                self.text.push(' ');
            }
        }
    }
}

/// Returns where to begin so that a few whole words of `before` are shown, or of a long word its
/// end.
fn begin(before: &str) -> usize {
    // One more: a word may begin right after it.
    let Some((at, left_out)) = before.char_indices().nth_back(BEFORE_CHARS_MAX) else { return 0 };
    let blank = before[at..].char_indices().find(|(_, it)| it.is_whitespace());
    let (size, last) = blank.unwrap_or((0, left_out));
    at + size + last.len_utf8()
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;

    /// Cuts out around each `x` of `text`; those found are put in brackets.
    fn cut(text: &str) -> String {
        let found: Vec<_> = text.match_indices('x').map(|(at, it)| at..at + it.len()).collect();
        let mut excerpt = Excerpt::new(text, &found);
        for range in excerpt.found.into_iter().rev() {
            excerpt.text.insert(range.end, ']');
            excerpt.text.insert(range.start, '[');
        }
        excerpt.text
    }

    #[test]
    fn an_excerpt_begins_a_few_words_before_what_was_found() {
        for (text, expected) in [
            ("", ""),
            ("nothing of it", "nothing of it"),
            ("x", "[x]"),
            ("one x two x", "one [x] two [x]"),
            ("what was said before this x after", "…was said before this [x] after"),
            ("одно два три четыре пять шесть x", "…три четыре пять шесть [x]"),
            ("one\n  two\r\n\u{2028}x\u{85}\ty\n", "one two [x] y "),
            (" \n x", "[x]"),
            ("\u{3000}x\u{A0}\u{3000}x", "[x] [x]"),
            (&format!("{}x", "ж".repeat(30)), &format!("…{}[x]", "ж".repeat(24))),
        ] {
            assert_eq!(cut(text), expected, "{text:?}");
        }
    }

    #[test]
    fn an_excerpt_is_bounded() {
        let long = Excerpt::new(&"x".repeat(1_000), slice::from_ref(&(0..1_000)));
        assert_eq!((long.text.len(), &long.found[0]), (200, &(0..200)));
        let text = "y".repeat(1_000);
        assert_eq!(Excerpt::new(&text, &[]).text.len(), 200);
        let found: Vec<_> = (0..1_000).map(|at| at..at + 1).collect();
        assert_eq!(Excerpt::new(&text, &found).found.len(), 200);
    }
}
