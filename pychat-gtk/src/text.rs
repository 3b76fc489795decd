//! What is in a text: links, mentions, nothing but emoji, words without end.
//!
//! Everybody else's texts are up to them, so each question is answered in one pass, and nothing
//! here takes any part of a text for markup.

use std::ops::Range;

use unicode_properties::UnicodeEmoji;
use unicode_properties::emoji::{
    is_emoji_presentation_selector, is_regional_indicator, is_tag_character, is_zwj,
};

/// What is followed, and what comes after it at least. Anything else that looks like a link could
/// start any program.
const SCHEMES: [(&str, &str); 3] = [("http", "://"), ("https", "://"), (MAIL, ":")];

/// The scheme of an address of mail, which is one only if it has an `@`.
const MAIL: &str = "mailto";

/// What ends a link, beside blanks: what quotes it.
const QUOTES: [char; 11] = ['"', '<', '>', '`', '«', '»', '“', '”', '„', '‘', '’'];

/// What may stand in a link, but at its end belongs to the sentence around it.
const PUNCTUATION: [char; 9] = ['.', ',', ':', ';', '!', '?', '\'', '*', '…'];

/// What belongs to the sentence where it closes what the link did not open.
const BRACKETS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];

/// The most emoji that are shown large; more of them are a picture, not a reaction.
const LARGE_EMOJI_MAX: usize = 6;

/// The most bytes that so many may have: families are long.
const LARGE_EMOJI_BYTES_MAX: usize = LARGE_EMOJI_MAX * 40;

/// The longest word, in characters, that is kept in one line where it can be.
const WORD_CHARS_MAX: usize = 100;

/// Returns what leads somewhere in `text`, in order: parts that are addresses of the web or of mail.
///
/// Link finders at hand take no host in letters of other scripts, and Russian quotes for a part of
/// it.
pub fn links(text: &str) -> Vec<Range<usize>> {
    let mut links = Vec::new();
    let mut looked_at = 0;
    for (colon, _) in text.match_indices(':') {
        if let Some((start, rest, scheme)) = link_start(text, looked_at, colon) {
            looked_at = text[rest..].find(is_link_end).map_or(text.len(), |size| rest + size);
            let link = start..rest + link_size(&text[rest..looked_at]);
            if rest < link.end && (scheme != MAIL || text[link.clone()].contains('@')) {
                links.push(link);
            }
        }
    }
    links
}

/// Returns where the scheme that ends with this colon starts, where what follows it does, and which
/// it is.
fn link_start(text: &str, from: usize, colon: usize) -> Option<(usize, usize, &'static str)> {
    let before = text.get(from..colon)?;
    let is_letter = |it: char| it.is_ascii_alphanumeric() || matches!(it, '+' | '-' | '.');
    let name = &before[before.trim_end_matches(is_letter).len()..];
    let (scheme, sign) = SCHEMES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known))?;
    let rest = text[colon..].strip_prefix(sign)?;
    let begins = rest.starts_with(|it: char| it.is_alphanumeric() || it == '[');
    begins.then_some((colon - name.len(), colon + sign.len(), scheme))
}

fn is_link_end(character: char) -> bool {
    character.is_whitespace() || character.is_control() || QUOTES.contains(&character)
}

/// Returns how many bytes of `rest` still belong to the link.
fn link_size(rest: &str) -> usize {
    let mut open = BRACKETS.map(|(open, close)| {
        let count = |bracket| rest.matches::<char>(bracket).count();
        count(open).cast_signed() - count(close).cast_signed()
    });
    let mut kept = rest;
    while let Some(last) = kept.chars().next_back() {
        let bracket = BRACKETS.iter().position(|(_, close)| *close == last);
        match bracket {
            Some(n) if open[n] < 0 => open[n] += 1,
            None if PUNCTUATION.contains(&last) => (),
            _ => break,
        }
        kept = &kept[..kept.len() - last.len_utf8()];
    }
    kept.len()
}

/// Returns where `text` calls somebody of this `name`, in bytes: `@name`, in letters of any size.
pub fn mentions(text: &str, name: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if name.is_empty() {
        return found;
    }
    for (at, sign) in text.match_indices('@') {
        let begin = at + sign.len();
        if is_mention_begin(&text[..at])
            && let Some(size) = prefix_size(&text[begin..], name)
        {
            found.push(at..begin + size);
        }
    }
    found
}

/// Returns what there is of a name at the end of `text` that somebody has begun to call: what
/// follows the last `@`.
pub fn begun_mention(text: &str) -> Option<&str> {
    let (before, begun) = text.rsplit_once('@')?;
    let is_over = begun.contains('\n') || begun.ends_with(char::is_whitespace);
    (is_mention_begin(before) && !is_over).then_some(begun)
}

/// Returns true if an `@` after `text` calls somebody: not within a word, an address for mail or a
/// link.
fn is_mention_begin(text: &str) -> bool {
    text.chars().next_back().is_none_or(|it| !is_word(it) && it != '/')
}

/// Returns how many bytes at the beginning of `text` spell `name`, if they do and it ends there.
fn prefix_size(text: &str, name: &str) -> Option<usize> {
    let mut rest = text.char_indices();
    let mut wanted = name.chars().flat_map(char::to_lowercase).peekable();
    while wanted.peek().is_some() {
        let (_, character) = rest.next()?;
        if !character.to_lowercase().all(|it| wanted.next() == Some(it)) {
            return None;
        }
    }
    let size = rest.offset();
    rest.next().is_none_or(|(_, next)| !is_word(next)).then_some(size)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Returns true if there is nothing but a few emoji in `text`.
pub fn is_only_emoji(text: &str) -> bool {
    if LARGE_EMOJI_BYTES_MAX < text.len() {
        return false;
    }
    let (mut n_emoji, mut n_letters, mut is_joined) = (0, 0, false);
    for character in text.chars().filter(|it| !it.is_whitespace()) {
        let begins = is_picture(character) && !is_joined;
        is_joined = is_zwj(character);
        if is_regional_indicator(character) {
            n_letters += 1; // Two are a flag.
        } else if begins {
            n_emoji += 1;
        } else if !is_picture(character) && !is_part(character) {
            return false;
        }
    }
    let n_emoji = n_emoji + n_letters / 2;
    (1..=LARGE_EMOJI_MAX).contains(&n_emoji) && n_letters % 2 == 0
}

/// Returns true for what is an emoji by itself; signs like `©` and `↔` belong to texts.
fn is_picture(character: char) -> bool {
    '\u{231A}' <= character && character.is_emoji_char() && !is_tone(character)
}

/// Returns true for what changes the emoji before it.
fn is_part(character: char) -> bool {
    is_zwj(character)
        || is_emoji_presentation_selector(character)
        || is_tag_character(character)
        || is_tone(character)
}

/// Returns true for what colours a skin.
fn is_tone(character: char) -> bool {
    matches!(character, '\u{1F3FB}'..='\u{1F3FF}')
}

/// Returns true if there is a word too long for one line. To look for the ends of words in a text
/// without any is slow, and so is laying it out by words.
pub fn has_endless_word(text: &str) -> bool {
    has_longer_word(text, WORD_CHARS_MAX)
}

/// Returns true if there is a word of more than `chars_max` characters.
pub fn has_longer_word(text: &str, chars_max: usize) -> bool {
    chars_max < text.len()
        && text.split(char::is_whitespace).any(|word| chars_max < word.chars().count())
}

/// Returns the beginning of `text`: at most so many characters, and at most so many lines.
pub fn beginning(text: &str, chars_max: usize, lines_max: usize) -> &str {
    let after_chars = text.char_indices().nth(chars_max).map(|(end, _)| end);
    let after_lines = text.match_indices('\n').nth(lines_max - 1).map(|(end, _)| end);
    let end = after_chars.into_iter().chain(after_lines).min();
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests;
