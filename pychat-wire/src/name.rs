//! Names of people: which are valid, and which look the same to a reader.
//!
//! A [`UserName`] exists only once it is checked, so its holder need not check it again. Two names
//! that a reader would take for each other (`Анна` in Cyrillic and `Aннa` with Latin letters,
//! `ANNA` and `anna`) share a [`Skeleton`]; a room has at most one person for each skeleton.

mod rules;
mod skeleton;

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

pub use self::{rules::is_one_line, skeleton::Skeleton};

/// The author of everything that the server itself says in protocol 1.
pub const SERVER: &str = "Сервер Чата";

/// The author that a sender's own message comes back with in protocol 1.
pub const YOU: &str = "Вы";

/// The most characters (Unicode scalar values) that a name may have.
pub const NAME_CHARS_MAX: usize = 32;

/// The most bytes that a name may have in NFKC, its compatibility composition.
pub const NAME_BYTES_MAX: usize = 64;

/// The most characters of a name that stand before a number, which takes up to ` (999999)`.
const STEM_CHARS_MAX: usize = NAME_CHARS_MAX - " (999999)".len();

/// The largest number that may follow a name.
pub const NAME_NUMBER_MAX: u32 = 999_999;

/// The reason why a name cannot be used.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing is left of it after trimming, or nothing that can be seen.
    #[error("a name needs at least one visible character")]
    Empty,

    /// It has more than [`NAME_CHARS_MAX`] characters.
    #[error("a name may have at most {NAME_CHARS_MAX} characters, not {chars}")]
    TooLong {
        /// The number of characters that it has.
        chars: usize,
    },

    /// It holds a character that no name may hold.
    #[error("a name may not hold the character U+{:04X}", u32::from(*.character))]
    Forbidden {
        /// The first such character.
        character: char,
    },

    /// It has more than [`NAME_BYTES_MAX`] bytes in NFKC.
    #[error("a name may have at most {NAME_BYTES_MAX} bytes, not {bytes}")]
    TooLarge {
        /// The number of bytes that it has in NFKC.
        bytes: usize,
    },

    /// It has marks that stand on no letter, or more than two on the same one.
    #[error("a name may have no more than two marks in a row, and each on a letter")]
    Marks,

    /// It is, or looks like, a name that the protocol keeps for itself.
    #[error("this name is kept for the chat itself")]
    Reserved,

    /// A sentence of the server's own could be read in it.
    #[error("this name reads like something that the chat itself says")]
    Sentence,
}

/// A valid name. Cheap to clone.
///
/// Two are equal if they are written alike; for those that look alike, see [`Self::skeletons`].
#[derive(Clone)]
pub struct UserName(Arc<Checked>);

struct Checked {
    name: Box<str>,
    skeletons: [Skeleton; 2],
    /// The beginning of the name, to stand before a number, where there is no room for all of it.
    stem: Option<Arc<Checked>>,
}

impl UserName {
    /// Trims `name` and checks it. Whatever `name` is, no more than [`NAME_CHARS_MAX`] characters
    /// are looked at closely.
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
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        let chars = name.chars().count();
        if NAME_CHARS_MAX < chars {
            return Err(NameError::TooLong { chars });
        }
        if let Some(character) = rules::find_forbidden(name) {
            return Err(NameError::Forbidden { character });
        }
        // Nothing that is allowed has a decomposition of more than a few characters.
        let composed: String = name.nfkc().collect();
        if NAME_BYTES_MAX < composed.len() {
            return Err(NameError::TooLarge { bytes: composed.len() });
        }
        if rules::has_stray_marks(&composed) {
            return Err(NameError::Marks);
        }
        let checked = Checked::of(name, &composed)?;
        let Some((end, _)) = name.char_indices().nth(STEM_CHARS_MAX) else {
            return Ok(Self(Arc::new(checked)));
        };
        let stem = name[..end].trim_end();
        let stem = Checked::of(stem, &stem.nfkc().collect::<String>())?;
        Ok(Self(Arc::new(Checked { stem: Some(Arc::new(stem)), ..checked })))
    }

    /// Returns `NAME (number)`. A name that leaves no room for ` (999999)` within
    /// [`NAME_CHARS_MAX`] is shortened, and a `number` above [`NAME_NUMBER_MAX`] is lowered to it.
    /// The cost is that of a copy.
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
        let number = number.min(NAME_NUMBER_MAX);
        let stem = self.0.stem.as_ref().unwrap_or(&self.0);
        let name = format!("{} ({number})", stem.name);
        let is_long = STEM_CHARS_MAX < name.chars().count();
        Self(Arc::new(Checked {
            name: name.into(),
            skeletons: self.stem_skeletons().each_ref().map(|stem| stem.numbered(number)),
            stem: is_long.then(|| stem.clone()),
        }))
    }

    /// Returns the skeletons of what stands before the number in every [`numbered`](Self::numbered)
    /// name.
    pub fn stem_skeletons(&self) -> &[Skeleton; 2] {
        self.0.stem.as_ref().map_or(&self.0.skeletons, |stem| &stem.skeletons)
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

    /// Returns the skeletons of this name; it clashes with any name that shares either.
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

impl Checked {
    /// Returns `name`, whose NFKC is `composed`, with its skeletons, if it may look like that.
    fn of(name: &str, composed: &str) -> Result<Self, NameError> {
        let skeletons = Skeleton::both_of(composed);
        if skeletons.iter().any(|skeleton| skeleton.as_str().is_empty()) {
            return Err(NameError::Empty);
        }
        rules::check_looks(&skeletons)?;
        Ok(Self { name: name.into(), skeletons, stem: None })
    }
}

impl PartialEq for UserName {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for UserName {}

impl Hash for UserName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
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

#[cfg(test)]
mod tests;
