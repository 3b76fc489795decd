//! Skeletons of names, which are equal for names that look the same.

use std::{
    borrow::Borrow,
    fmt::Write,
    sync::{Arc, LazyLock},
};

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

/// The look of a name, in which letters that are taken for each other are the same.
///
/// The skeleton of Unicode Technical Standard 39, section 4, of the NFKC form with case folded.
/// Each name has two: in one the case is folded before the skeleton is taken and after, in the
/// other only after. `Bы` is taken for `Вы` only while its first letter is a capital, and `вы` is
/// the same word only once its case is folded. Names that share either clash. Cheap to clone.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Skeleton(Arc<str>);

/// The skeletons of the ten digits.
static DIGITS: LazyLock<[Skeleton; 10]> =
    LazyLock::new(|| std::array::from_fn(|digit| Skeleton::of(&digit.to_string())));

/// The most digits that a number after a name may have to be read as one.
const NUMBER_DIGITS_MAX: usize = 9;

impl Skeleton {
    /// Returns the skeletons of any text, such as the name of a room; it looks like any other that
    /// shares either.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::name::Skeleton;
    ///
    /// assert_eq!(Skeleton::of_text("Kitchen")[0], Skeleton::of_text("KITCHEN")[0]);
    /// ```
    pub fn of_text(text: &str) -> [Self; 2] {
        Self::both_of(&text.nfkc().collect::<String>())
    }

    /// Returns the skeletons of a name in NFKC: its case folded before and after, and only after.
    pub(super) fn both_of(composed: &str) -> [Self; 2] {
        let folded: String = composed.chars().default_case_fold().collect();
        let first = Self::of(&folded);
        let second = if folded == composed { first.clone() } else { Self::of(composed) };
        if first == second { [first.clone(), first] } else { [first, second] }
    }

    fn of(name: &str) -> Self {
        let skeleton = unicode_security::skeleton(name).default_case_fold().collect::<String>();
        // A run of white space counts as one space, however wide it is.
        Self(skeleton.split_whitespace().collect::<Vec<_>>().join(" ").into())
    }

    /// Returns the skeleton of `NAME (number)`, this being that of NAME, without looking at any
    /// letter: no character of ` (number)` composes with another.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        let mut skeleton = String::with_capacity(self.0.len() + NUMBER_DIGITS_MAX + 3);
        skeleton.push_str(&self.0);
        skeleton.push_str(" (");
        let mut digits = itoa::Buffer::new();
        for digit in digits.format(number).bytes() {
            skeleton.push_str(&DIGITS[usize::from(digit - b'0')].0);
        }
        skeleton.push(')');
        Self(skeleton.into())
    }

    /// Takes `NAME (number)` apart, into the skeleton of NAME and the number; `None` if it is not
    /// what [`Self::numbered`] makes, or the number has more than nine digits.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::UserName;
    /// let (name, second) = (UserName::new("anna")?, UserName::new("ANNA (10)")?);
    /// let [skeleton, _] = second.skeletons();
    /// assert_eq!(skeleton.split_number(), Some((name.skeletons()[0].as_str(), 10)));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn split_number(&self) -> Option<(&str, u32)> {
        let (name, digits) = self.0.strip_suffix(')')?.rsplit_once(" (")?;
        let mut number = String::new();
        for letter in digits.chars() {
            let is_it = |digit: &Self| digit.0.chars().eq([letter]);
            write!(number, "{}", DIGITS.iter().position(is_it)?).ok()?;
        }
        let is_canonical = number.len() <= NUMBER_DIGITS_MAX && !number.starts_with('0');
        let number = number.parse().ok().filter(|_| is_canonical)?;
        Some((name, number))
    }

    /// Returns it as text, to be compared and never shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Skeleton {
    fn borrow(&self) -> &str {
        &self.0
    }
}
