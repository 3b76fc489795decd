//! Amendments: the changes of a message that was said before, and the reactions to it.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use unicode_properties::{
    UnicodeEmoji,
    emoji::{is_emoji_presentation_selector, is_tag_character, is_zwj},
};
use unicode_segmentation::UnicodeSegmentation;

use super::{MessageError, bounds, lenient, lossy::Lossy, members::Members, unknown};

/// The most bytes of the emoji of a reaction.
pub const EMOJI_BYTES_MAX: usize = 64;

/// The most different emoji among the reactions to one message; any beyond are left out.
pub const EMOJI_MAX: usize = 20;

/// The most people whose reactions to one message are listed; any beyond are left out.
pub const REACTIONS_MAX: usize = 500;

/// The character that makes a key cap of a digit.
const KEY_CAP: char = '\u{20E3}';

/// A change of a message, or a reaction to it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Amendment<'a> {
    /// The message has other words.
    Edit {
        /// The number of the message in its room.
        target: u64,
        /// The words; in a record, `None` if they are known no more.
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<Cow<'a, str>>,
    },
    /// The message has no words any more.
    Delete {
        /// The number of the message in its room.
        target: u64,
    },
    /// The author of the reaction has no other to this message.
    React {
        /// The number of the message in its room.
        target: u64,
        /// The emoji; `None` takes the reaction back.
        #[serde(skip_serializing_if = "Option::is_none")]
        emoji: Option<Cow<'a, str>>,
    },
    /// The message has the words again that an operator took away.
    Restore {
        /// The number of the message in its room.
        target: u64,
        /// The words, in a record; `None` if they are known no more.
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<Cow<'a, str>>,
    },
}

/// The reactions to a message: for each emoji the names of those who reacted with it, both in the order
/// in which they came. At most [`EMOJI_MAX`] emoji and [`REACTIONS_MAX`] names are read.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reactions<'a>(pub Vec<(Cow<'a, str>, Vec<Cow<'a, str>>)>);

/// Returns true if a text is one emoji, with which somebody can react.
///
/// # Examples
///
/// ```
/// use pychat_wire::message::is_emoji;
///
/// assert!(is_emoji("👍🏽"));
/// assert!(!is_emoji("👍👍"));
/// assert!(!is_emoji("ok"));
/// ```
pub fn is_emoji(text: &str) -> bool {
    let is_part = |character: char| {
        character.is_emoji_char()
            || character == KEY_CAP
            || is_zwj(character)
            || is_emoji_presentation_selector(character)
            || is_tag_character(character)
    };
    let is_picture = |character: char| {
        !character.is_ascii() && character.is_emoji_char() || character == KEY_CAP
    };
    text.len() <= EMOJI_BYTES_MAX
        && text.chars().all(is_part)
        && text.chars().any(is_picture)
        && text.graphemes(true).count() == 1
}

impl<'a> Amendment<'a> {
    /// Reads the amendment of this `kind`, if it is one.
    pub(super) fn parse(kind: &str, members: &mut Members<'a>) -> Result<Self, MessageError> {
        let mut content = || std::mem::take(&mut members.content).string().map(bounds::content);
        let target = members.target.required_number("target");
        match kind {
            "edit" => Ok(Self::Edit { content: content(), target: target? }),
            "delete" => Ok(Self::Delete { target: target? }),
            "react" => {
                let emoji = std::mem::take(&mut members.emoji);
                let emoji = if emoji.is_missing() { None } else { Some(emoji.required("emoji")?) };
                Ok(Self::React { target: target?, emoji })
            }
            "restore" => Ok(Self::Restore { content: content(), target: target? }),
            kind => Err(unknown(kind)),
        }
    }

    /// Returns the number of the message that it is about.
    pub fn target(&self) -> u64 {
        match self {
            Self::Edit { target, .. }
            | Self::Delete { target }
            | Self::React { target, .. }
            | Self::Restore { target, .. } => *target,
        }
    }

    /// Returns the type of its payload.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Edit { .. } => "edit",
            Self::Delete { .. } => "delete",
            Self::React { .. } => "react",
            Self::Restore { .. } => "restore",
        }
    }

    /// Returns it with strings of its own.
    #[must_use]
    pub fn into_owned(self) -> Amendment<'static> {
        let owned = |text: Option<Cow<'_, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        match self {
            Self::Edit { target, content } => Amendment::Edit { target, content: owned(content) },
            Self::Delete { target } => Amendment::Delete { target },
            Self::React { target, emoji } => Amendment::React { target, emoji: owned(emoji) },
            Self::Restore { target, content } => {
                Amendment::Restore { target, content: owned(content) }
            }
        }
    }
}

impl Reactions<'_> {
    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns them with strings of their own.
    #[must_use]
    pub fn into_owned(self) -> Reactions<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let reactions = self.0.into_iter();
        Reactions(
            reactions
                .map(|(emoji, names)| (owned(emoji), names.into_iter().map(owned).collect()))
                .collect(),
        )
    }
}

impl Serialize for Reactions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(emoji, names)| (emoji, names)))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Reactions<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ReactionsVisitor)
    }
}

struct ReactionsVisitor;

impl<'de> Visitor<'de> for ReactionsVisitor {
    type Value = Reactions<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of lists of names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut reactions = Reactions::default();
        let mut n_left = REACTIONS_MAX;
        while reactions.0.len() < EMOJI_MAX
            && let Some((Lossy(emoji), names)) = map.next_entry::<_, &RawValue>()?
        {
            let names = lenient::<Vec<Lossy<'_>>>(names).unwrap_or_default();
            let names: Vec<_> =
                names.into_iter().take(n_left).map(|Lossy(name)| bounds::name(name)).collect();
            if !names.is_empty() && is_emoji(&emoji) {
                n_left -= names.len();
                reactions.0.push((emoji, names));
            }
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(reactions)
    }
}
