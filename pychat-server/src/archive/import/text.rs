//! Words of elsewhere, as they are written here.

/// Returns the emoji that other programs call so, `thumbsup` or `+1::skin-tone-3`.
pub(super) fn emoji(name: &str) -> Option<&'static str> {
    let (name, tone) = name.split_once("::skin-tone-").unwrap_or((name, ""));
    let emoji = emojis::get_by_shortcode(name).or_else(|| {
        let (_, known) = OTHER_NAMES.iter().find(|(other, _)| *other == name)?;
        emojis::get(known)
    })?;
    let tone = match tone {
        "2" => emojis::SkinTone::Light,
        "3" => emojis::SkinTone::MediumLight,
        "4" => emojis::SkinTone::Medium,
        "5" => emojis::SkinTone::MediumDark,
        "6" => emojis::SkinTone::Dark,
        _ => return Some(emoji.as_str()),
    };
    Some(emoji.with_skin_tone(tone).unwrap_or(emoji).as_str())
}

/// Names that other programs have for emoji, and GitHub has not.
const OTHER_NAMES: [(&str, &str); 8] = [
    ("simple_smile", "🙂"),
    ("slightly_smiling_face", "🙂"),
    ("white_frowning_face", "☹️"),
    ("thumbsup_all", "👍"),
    ("the_horns", "🤘"),
    ("face_with_rolling_eyes", "🙄"),
    ("thinking_face", "🤔"),
    ("hugging_face", "🤗"),
];

/// Returns a text with emoji in the place of their names between colons.
pub(super) fn with_emoji(text: &str) -> String {
    /// The longest name of an emoji.
    const NAME_BYTES_MAX: usize = 64;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(':') {
        out.push_str(&rest[..begin]);
        rest = &rest[begin..];
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-:".contains(&byte);
        // The name of a tone is part of a name: `+1::skin-tone-3`.
        let len =
            rest.bytes().skip(1).take(NAME_BYTES_MAX).take_while(|byte| is_name(*byte)).count();
        let found = rest[1..=len]
            .rmatch_indices(':')
            .find_map(|(end, _)| Some((emoji(&rest[1..=end])?, end + 2)));
        let (emoji, len) = found.unwrap_or((":", 1));
        out.push_str(emoji);
        rest = &rest[len..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_between_colons_become_emoji() {
        for (text, expected) in [
            ("ok :+1: :thumbsup:", "ok 👍 👍"),
            (":wave::skin-tone-3:!", "👋🏼!"),
            (":smile::smile:", "😄😄"),
            ("12:30:45 :nonesuch: a:b", "12:30:45 :nonesuch: a:b"),
            (":slightly_smiling_face:", "🙂"),
            (":", ":"),
            ("::", "::"),
            ("я:тут:", "я:тут:"),
        ] {
            assert_eq!(with_emoji(text), expected);
        }
        assert_eq!(emoji("nonesuch"), None);
    }
}
