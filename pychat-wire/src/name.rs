//! What a person may be called, and when two names are the same to a reader.
//!
//! A [`UserName`] can only be had checked, so nobody who holds one checks again. Two names that a
//! reader would take for each other (`Анна` in Cyrillic and `Aннa` with Latin letters, `ANNA` and
//! `anna`) share a [`Skeleton`]; a room keeps one person a skeleton.

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use caseless::Caseless;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// The author of everything that the server itself says in protocol 1.
pub const SERVER: &str = "Сервер Чата";

/// The author that a sender's own message comes back with in protocol 1.
pub const YOU: &str = "Вы";

/// The most characters (Unicode scalar values) that a name may have.
pub const NAME_CHARS_MAX: usize = 32;

/// Why a name cannot be used.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing is left of it after trimming, or nothing that can be seen.
    #[error("a name needs at least one visible character")]
    Empty,

    /// It has more than [`NAME_CHARS_MAX`] characters.
    #[error("a name may have at most {NAME_CHARS_MAX} characters, not {chars}")]
    TooLong {
        /// How many it has.
        chars: usize,
    },

    /// It holds a control or format character, or breaks the line.
    #[error("a name may not hold the character U+{:04X}", u32::from(*.character))]
    Forbidden {
        /// The first such character.
        character: char,
    },

    /// It is, or looks like, a name that the protocol keeps for itself.
    #[error("this name is kept for the chat itself")]
    Reserved,
}

/// A name that keeps all the rules. Cheap to clone.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct UserName(Arc<Checked>);

#[derive(Eq, Hash, PartialEq)]
struct Checked {
    name: Box<str>,
    skeletons: [Skeleton; 2],
}

impl UserName {
    /// Trims `name` and checks it.
    ///
    /// # Errors
    ///
    /// [`NameError`] says which rule it breaks; the first of them, in the order of the variants.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::{NameError, UserName};
    ///
    /// assert_eq!(UserName::new("  Анна ")?.as_str(), "Анна");
    /// assert_eq!(UserName::new("Bы"), Err(NameError::Reserved)); // a Latin B
    /// # Ok::<(), NameError>(())
    /// ```
    pub fn new(name: &str) -> Result<Self, NameError> {
        let name = name.trim();
        let chars = name.chars().count();
        if NAME_CHARS_MAX < chars {
            return Err(NameError::TooLong { chars });
        }
        if let Some(character) = name.chars().find(|character| is_forbidden(*character)) {
            return Err(NameError::Forbidden { character });
        }
        let skeletons = Skeleton::both_of(name);
        if skeletons.iter().any(Skeleton::is_blank) {
            return Err(NameError::Empty);
        }
        if RESERVED.iter().any(|reserved| skeletons.contains(reserved)) {
            return Err(NameError::Reserved);
        }
        Ok(Self(Arc::new(Checked { name: name.into(), skeletons })))
    }

    /// Returns `NAME (number)`, the name shortened where the whole would pass [`NAME_CHARS_MAX`].
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::UserName;
    ///
    /// assert_eq!(UserName::new("Анна")?.numbered(2).as_str(), "Анна (2)");
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        let suffix = format!(" ({number})");
        let (name, kept) = (self.as_str(), NAME_CHARS_MAX - suffix.len());
        let end = name.char_indices().nth(kept).map_or(name.len(), |(end, _)| end);
        let name = name[..end].trim_end().to_owned() + &suffix;
        let skeletons = Skeleton::both_of(&name);
        Self(Arc::new(Checked { name: name.into(), skeletons }))
    }

    /// Returns the name as it is shown.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::UserName;
    /// assert_eq!(UserName::new("Борис")?.as_str(), "Борис");
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0.name
    }

    /// Returns what this name looks like; it clashes with any name that shares either.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::UserName;
    /// let (mixed, cyrillic) = (UserName::new("Aннa")?, UserName::new("Анна")?);
    /// assert!(mixed.skeletons().iter().any(|one| cyrillic.skeletons().contains(one)));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn skeletons(&self) -> &[Skeleton; 2] {
        &self.0.skeletons
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("UserName").field(&self.as_str()).finish()
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What a name looks like: letters that are taken for each other are one here.
///
/// The skeleton of Unicode Technical Standard 39, section 4, of the NFKC form with case folded.
/// Folding the case before and after are two questions: `Bы` is taken for `Вы` only while its first
/// letter is a capital, and `вы` is the same word only once its case is folded. Each name therefore
/// has two skeletons, and names clash that share one. Cheap to clone.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Skeleton(Arc<str>);

/// What [`SERVER`] and [`YOU`] look like.
static RESERVED: LazyLock<Vec<Skeleton>> =
    LazyLock::new(|| [SERVER, YOU].into_iter().flat_map(Skeleton::both_of).collect());

impl Skeleton {
    fn both_of(name: &str) -> [Self; 2] {
        let composed: String = name.nfkc().collect();
        let folded: String = composed.chars().default_case_fold().collect();
        let first = Self::of(&folded);
        let second = if folded == composed { first.clone() } else { Self::of(&composed) };
        if first == second { [first.clone(), first] } else { [first, second] }
    }

    fn of(name: &str) -> Self {
        let skeleton = unicode_security::skeleton(name).default_case_fold().collect::<String>();
        // However wide a gap is, it is a gap.
        Self(skeleton.split_whitespace().collect::<Vec<_>>().join(" ").into())
    }

    /// Returns true if there is nothing to be seen: all of it was ignorable.
    fn is_blank(&self) -> bool {
        const BRAILLE_BLANK: char = '\u{2800}';
        self.0.chars().all(|character| character.is_whitespace() || character == BRAILLE_BLANK)
    }
}

/// Returns true for what would let a name hide, reorder or break the text around it.
fn is_forbidden(character: char) -> bool {
    matches!(
        character.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> UserName {
        UserName::new(name).unwrap()
    }

    fn clash(one: &str, other: &str) -> bool {
        let (one, other) = (name(one), name(other));
        one.skeletons().iter().any(|skeleton| other.skeletons().contains(skeleton))
    }

    #[test]
    fn names_are_trimmed_and_otherwise_kept() {
        for (given, kept) in [
            ("Анна", "Анна"),
            ("  Анна \u{a0}\n", "Анна"),
            ("Анна  Мария", "Анна  Мария"),
            ("<b>&\"\\", "<b>&\"\\"),
            ("👋", "👋"),
            ("❤\u{fe0f}", "❤\u{fe0f}"),
            ("x", "x"),
            ("ﬁ", "ﬁ"),
        ] {
            assert_eq!(UserName::new(given).as_ref().map(UserName::as_str), Ok(kept));
        }
        assert_eq!(name(&"ж".repeat(32)).as_str(), "ж".repeat(32));
    }

    #[test]
    fn names_that_break_a_rule_are_refused() {
        let forbidden = |character| NameError::Forbidden { character };
        for (given, error) in [
            ("", NameError::Empty),
            (" \t\u{3000} ", NameError::Empty),
            ("\u{2800}", NameError::Empty),
            ("\u{3164}\u{fe0f}", NameError::Empty),
            (&"ж".repeat(33), NameError::TooLong { chars: 33 }),
            ("a\nb", forbidden('\n')),
            ("a\u{0}b", forbidden('\0')),
            ("a\u{1b}[31m", forbidden('\u{1b}')),
            ("a\u{85}b", forbidden('\u{85}')),
            ("a\u{2028}b", forbidden('\u{2028}')),
            ("a\u{2029}b", forbidden('\u{2029}')),
            ("a\u{202e}b", forbidden('\u{202e}')),
            ("a\u{200b}b", forbidden('\u{200b}')),
            ("\u{feff}a", forbidden('\u{feff}')),
            ("a\u{e0041}", forbidden('\u{e0041}')),
        ] {
            assert_eq!(UserName::new(given), Err(error), "{given:?}");
        }
    }

    #[test]
    fn nobody_passes_for_the_server_or_for_you() {
        for given in [
            "Сервер Чата",
            "сервер чата",
            "СЕРВЕР ЧАТА",
            "Сервер  Чата",
            "Сервер\u{a0}Чата",
            "Cepвep Чaтa",
            "Серве\u{34f}р Чата",
            "Вы",
            "вы",
            "ВЫ",
            "Bы",
            "В\u{fe0f}ы",
        ] {
            assert_eq!(UserName::new(given), Err(NameError::Reserved), "{given:?}");
        }
        for given in ["Сервер", "Чата", "Выдра", "Вы (2)"] {
            assert_eq!(name(given).as_str(), given);
        }
    }

    #[test]
    fn names_clash_that_a_reader_would_confuse() {
        for (one, other) in [
            ("Анна", "анна"),
            ("Анна", "Aннa"),
            ("anna", "ＡＮＮＡ"),
            ("straße", "STRASSE"),
            ("Bob", "B0b"),
            ("Ivan", "lvan"),
            ("Зоё", "Зое\u{308}"),
            ("a b", "a  b"),
        ] {
            assert!(clash(one, other) && clash(other, one), "{one} and {other}");
        }
        for (one, other) in [("Анна", "Инна"), ("Bob", "Rob"), ("a b", "ab"), ("Анна", "Анна (2)")]
        {
            assert!(!clash(one, other), "{one} and {other}");
        }
    }

    #[test]
    fn a_numbered_name_stays_within_the_limit() {
        let long = name(&"ж".repeat(32));
        assert_eq!(long.numbered(2).as_str(), "ж".repeat(28) + " (2)");
        assert_eq!(long.numbered(u32::MAX).as_str().chars().count(), NAME_CHARS_MAX);
        let gap = name(&("ж".repeat(27) + " жжжж"));
        assert_eq!(gap.numbered(2).as_str(), "ж".repeat(27) + " (2)");
        assert_eq!(UserName::new(long.numbered(7).as_str()), Ok(long.numbered(7)));
    }
}
