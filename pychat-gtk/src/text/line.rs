//! Lines of a text, and the beginning of a long one.
//!
//! Programs do not agree on what ends a line. Here everything does that ends one anywhere, so that
//! no text is taller than it is thought to be, and none looks like several where it is pasted.

use std::{iter, ops::Range};

/// The most characters by which a beginning is shortened to end with a whole word.
const CUT_CHARS_MAX: usize = 100;

/// Returns true for each of the characters that Unicode has break a line, whatever follows.
pub fn is_line_end(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Returns `text` as a label shows it right: a line that ends it is no line, each end of a line ends
/// one in Pango too, and what comes after a zero byte is not lost.
pub fn displayed(text: &str) -> String {
    let is_unknown = |it: char| matches!(it, '\u{B}' | '\u{C}' | '\u{85}');
    text.trim_end_matches(is_line_end).replace(is_unknown, "\n").replace('\0', "␀")
}

/// Returns the lines of `text` without their ends; `\r\n` is one end, and no line begins after the
/// last.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    iter::from_fn(move || {
        let end = next_line_end(rest).unwrap_or(rest.len()..rest.len());
        let line = (!rest.is_empty()).then(|| &rest[..end.start]);
        rest = &rest[end.end..];
        line
    })
}

/// Returns where the first line of `text` ends, if another may begin after it.
fn next_line_end(text: &str) -> Option<Range<usize>> {
    let (start, end) = text.char_indices().find(|(_, it)| is_line_end(*it))?;
    let size = if text[start..].starts_with("\r\n") { 2 } else { end.len_utf8() };
    Some(start..start + size)
}

/// Returns the beginning of `text`: at most so many characters, and at most so many lines. It ends
/// with a whole word, unless that is very long.
pub fn beginning(text: &str, chars_max: usize, lines_max: usize) -> &str {
    let mut rest = text;
    for _ in 0..lines_max {
        let Some(end) = next_line_end(rest) else {
            rest = "";
            break;
        };
        rest = &rest[end.end..];
    }
    let lines = &text[..text.len() - rest.len()];
    let lines = if rest.is_empty() { lines } else { lines.trim_end_matches(is_line_end) };
    match lines.char_indices().nth(chars_max) {
        Some((end, next)) if !next.is_whitespace() => whole_words(&lines[..end]),
        Some((end, _)) => lines[..end].trim_end(),
        None => lines,
    }
}

/// Returns `text` without the part of a word at its end.
fn whole_words(text: &str) -> &str {
    let mut word = text.char_indices().rev().take(CUT_CHARS_MAX);
    match word.find(|(_, it)| it.is_whitespace()) {
        Some((end, _)) if !text[..end].trim().is_empty() => text[..end].trim_end(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_end_there_is_ends_a_line() {
        for end in ["\n", "\r", "\r\n", "\u{B}", "\u{C}", "\u{85}", "\u{2028}", "\u{2029}"] {
            let text = format!("a{end}b{end}{end}c{end}");
            assert_eq!(lines(&text).collect::<Vec<_>>(), ["a", "b", "", "c"], "{end:?}");
            assert_eq!(beginning(&text, 99, 2), format!("a{end}b"), "{end:?}");
        }
        assert_eq!(lines("").count(), 0);
        assert_eq!(lines("a").collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn every_line_is_one_in_a_label() {
        for (text, expected) in [
            ("a\u{B}b\u{C}c\u{85}d", "a\nb\nc\nd"),
            ("a\r\nb\u{2028}c\r\n\u{2029}", "a\r\nb\u{2028}c"),
            ("a\0b", "a␀b"),
            ("\u{85}", ""),
        ] {
            assert_eq!(displayed(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_beginning_is_bounded_in_characters_and_lines() {
        for (text, chars_max, lines_max, expected) in [
            ("", 1, 1, ""),
            ("abc", 3, 1, "abc"),
            ("abcd", 3, 1, "abc"),
            ("жжжж", 3, 1, "жжж"),
            ("one two three", 9, 1, "one two"),
            ("one two three", 7, 1, "one two"),
            ("one two", 5, 1, "one"),
            (" wide", 3, 1, " wi"),
            ("a\nb", 9, 2, "a\nb"),
            ("a\nb\nc", 9, 2, "a\nb"),
            ("a\nb\nc", 2, 2, "a"),
            ("\n\n\n", 9, 1, ""),
        ] {
            assert_eq!(beginning(text, chars_max, lines_max), expected, "{text:?}");
        }
        let long = format!("a {}", "b".repeat(CUT_CHARS_MAX + 1));
        assert_eq!(beginning(&long, CUT_CHARS_MAX + 2, 1).len(), CUT_CHARS_MAX + 2);
    }
}
