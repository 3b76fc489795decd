//! The rules of names: the characters that they may hold, and the looks that they may not have.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{
    GeneralCategory, GeneralCategoryGroup, UnicodeEmoji, UnicodeGeneralCategory,
    emoji::is_emoji_presentation_selector,
};
use unicode_security::GeneralSecurityProfile;

use super::{NameError, SERVER, Skeleton, YOU};
use crate::notice::SENTENCE_PARTS;

/// The most marks in a row that a name may have: more are drawn over the lines above and below.
const MARKS_IN_A_ROW_MAX: usize = 2;

/// Finds the first character that no name may hold.
///
/// A name may hold what the General Security Profile of Unicode Technical Standard 39 allows in
/// identifiers; emoji, each with an emoji presentation selector or without; the space between
/// words; and the parentheses around a number.
pub(super) fn find_forbidden(name: &str) -> Option<char> {
    let mut is_after_emoji = false;
    name.chars().find(|character| {
        let is_emoji = !character.is_ascii() && character.is_emoji_char();
        let is_selector = is_after_emoji && is_emoji_presentation_selector(*character);
        is_after_emoji = is_emoji;
        let is_ours = matches!(character, ' ' | '(' | ')');
        !(is_ours || is_emoji || is_selector || character.identifier_allowed())
    })
}

/// The character that joins emoji to one.
const JOINER: char = '\u{200D}';

/// Returns true if every character of a text can be shown on one line, and moves no other one about.
///
/// # Examples
///
/// ```
/// use pychat_wire::name::is_one_line;
///
/// assert!(is_one_line("Kitchen, 2nd floor"));
/// assert!(!is_one_line("Kitchen\u{202E}"));
/// ```
pub fn is_one_line(text: &str) -> bool {
    text.chars().all(|character| {
        character == JOINER
            || !matches!(
                character.general_category(),
                GeneralCategory::Control
                    | GeneralCategory::Format
                    | GeneralCategory::LineSeparator
                    | GeneralCategory::ParagraphSeparator
                    | GeneralCategory::PrivateUse
                    | GeneralCategory::Surrogate
                    | GeneralCategory::Unassigned
            )
    })
}

/// Returns true if a mark stands on nothing, or too many stand on the same letter.
pub(super) fn has_stray_marks(composed: &str) -> bool {
    let mut n_free = 0;
    composed.chars().any(|character| {
        if character.general_category_group() != GeneralCategoryGroup::Mark {
            n_free = if character == ' ' { 0 } else { MARKS_IN_A_ROW_MAX };
            return false;
        }
        let is_stray = n_free == 0;
        n_free = n_free.saturating_sub(1);
        is_stray
    })
}

/// Checks that a reader takes none of these skeletons for a name that the protocol keeps for
/// itself, or for one of the server's sentences.
pub(super) fn check_looks(skeletons: &[Skeleton]) -> Result<(), NameError> {
    for skeleton in skeletons {
        let letters = letters(skeleton);
        let is_reserved = |reserved: &String| {
            letters.strip_prefix(reserved.as_str()).is_some_and(|rest| rest.chars().all(is_digit))
        };
        if RESERVED.iter().any(is_reserved) {
            return Err(NameError::Reserved);
        }
        if SENTENCES.iter().any(|part| letters.contains(part.as_str())) {
            return Err(NameError::Sentence);
        }
    }
    Ok(())
}

/// The [`letters`] of the skeletons of [`SERVER`] and [`YOU`].
static RESERVED: LazyLock<Vec<String>> = LazyLock::new(|| looks(&[SERVER, YOU]));

/// The [`letters`] of the skeletons of [`SENTENCE_PARTS`].
static SENTENCES: LazyLock<Vec<String>> = LazyLock::new(|| looks(&SENTENCE_PARTS));

fn looks(texts: &[&str]) -> Vec<String> {
    let skeletons =
        texts.iter().flat_map(|text| Skeleton::both_of(&text.nfkc().collect::<String>()));
    skeletons.map(|skeleton| letters(&skeleton)).collect()
}

/// Returns the letters and digits of a skeleton, with more of those that look alike made the same:
/// a letter that looks like a small capital becomes the plain letter, and `i` becomes `l`.
fn letters(skeleton: &Skeleton) -> String {
    let letters = skeleton.as_str().chars().filter(|character| character.is_alphanumeric());
    letters
        .map(|letter| match letter {
            'ʙ' | 'ƅ' => 'b',
            'ʜ' => 'h',
            'ᴋ' | 'ĸ' => 'k',
            'ᴍ' => 'm',
            'ᴛ' => 't',
            'i' => 'l',
            letter => letter,
        })
        .collect()
}

/// Returns true for a digit as it is in a skeleton, where 0 has become `o`, and 1 `l`.
fn is_digit(letter: char) -> bool {
    matches!(letter, 'o' | 'l' | '2'..='9')
}
