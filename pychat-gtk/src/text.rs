//! The contents of a text: lines, links, mentions, code, nothing but emoji, words without end.
//!
//! Everybody else's texts are up to them, so each question is answered in one pass, and nothing
//! here takes any part of a text for markup.

mod code;
mod excerpt;
mod fold;
mod line;
mod links;
mod mention;

pub mod host_name;
pub mod i18n;
pub mod names;
pub mod server_address;
pub mod server_uri;
pub mod times;

use unicode_properties::{
    EmojiStatus, GeneralCategory, GeneralCategoryGroup, UnicodeEmoji, UnicodeGeneralCategory,
    emoji::{is_emoji_presentation_selector, is_regional_indicator, is_tag_character, is_zwj},
};

pub use self::{
    code::{Code, code, source},
    excerpt::Excerpt,
    fold::{Folded, fold, has_word},
    line::{beginning, displayed, is_line_end, lines},
    links::{Link, links},
    mention::{MentionTarget, begun_mention},
};

/// The sizes of emoji alone, each with the largest number of them shown so: the more there are, the
/// smaller.
const EMOJI_SIZES: [(usize, EmojiSize); 3] =
    [(3, EmojiSize::Huge), (6, EmojiSize::Large), (EMOJI_MAX, EmojiSize::Big)];

/// The most emoji that are larger than text; more of them are a picture, not a reaction.
const EMOJI_MAX: usize = 12;

/// The most bytes that so many may have: families are long.
const EMOJI_BYTES_MAX: usize = EMOJI_MAX * 40;

/// The longest word, in characters, that is kept in one line where it can be.
const WORD_CHARS_MAX: usize = 100;

/// Returns true for what words are made of: letters with their accents, digits and `_`.
fn is_word(character: char) -> bool {
    let is_accent = || {
        character.general_category_group() == GeneralCategoryGroup::Mark && !is_invisible(character)
    };
    character.is_alphanumeric() || character == '_' || is_accent()
}

/// Returns true for a character of which nothing is seen, not even a blank between others.
pub fn is_invisible(character: char) -> bool {
    matches!(character.general_category(), GeneralCategory::Control | GeneralCategory::Format)
        || matches!(
            character, // The rest of those that Unicode lets be ignored, and an empty pattern.
            '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
                | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FFA0}'
                | '\u{E0100}'..='\u{E01EF}'
        )
}

/// Returns true if there is nothing in `text` to be seen.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|it| it.is_whitespace() || is_invisible(it))
}

/// The size of a few emoji that stand alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EmojiSize {
    /// Larger than text.
    Big,
    /// Twice as large.
    Large,
    /// Larger still.
    Huge,
}

/// Returns how large to show `text`, if there is nothing but a few emoji in it.
pub fn emoji_size(text: &str) -> Option<EmojiSize> {
    let n_emoji = if text.len() <= EMOJI_BYTES_MAX { count_emoji(text)? } else { return None };
    EMOJI_SIZES.iter().find(|(max, _)| (1..=*max).contains(&n_emoji)).map(|(_, size)| *size)
}

/// Returns how many emoji there are in `text`; `None` if there is anything else.
fn count_emoji(text: &str) -> Option<usize> {
    let (mut n_emoji, mut n_letters, mut is_joined) = (0, 0, false);
    for character in text.chars().filter(|it| !it.is_whitespace()) {
        let begins = is_picture(character) && !is_joined;
        is_joined = is_zwj(character);
        if is_regional_indicator(character) {
            n_letters += 1; // Two are a flag.
        } else if begins {
            n_emoji += 1;
        } else if !is_picture(character) && !is_part(character) {
            return None;
        }
    }
    (n_letters % 2 == 0).then_some(n_emoji + n_letters / 2)
}

/// Returns `emoji` without what asks for a picture where it is one by itself: some programs put that
/// there, and most do not.
pub fn plain_emoji(emoji: &str) -> String {
    let mut characters = emoji.chars();
    match (characters.next(), characters.next(), characters.next()) {
        (Some(picture), Some(selector), None)
            if is_emoji_presentation_selector(selector) && is_picture_by_itself(picture) =>
        {
            picture.into()
        }
        _ => emoji.to_owned(),
    }
}

fn is_picture_by_itself(character: char) -> bool {
    matches!(
        character.emoji_status(),
        EmojiStatus::EmojiPresentation
            | EmojiStatus::EmojiPresentationAndEmojiComponent
            | EmojiStatus::EmojiPresentationAndModifierBase
            | EmojiStatus::EmojiPresentationAndModifierAndEmojiComponent
    )
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

#[cfg(test)]
mod tests;
