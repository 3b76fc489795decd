//! Words of elsewhere, as they are written here.

use std::{collections::HashMap, sync::LazyLock};

/// Names that other programs have for emoji, and neither GitHub nor Unicode has.
const OTHER_NAMES: [(&str, &str); 8] = [
    ("simple_smile", "🙂"),
    ("white_frowning_face", "☹️"),
    ("thumbsup_all", "👍"),
    ("the_horns", "🤘"),
    ("hugging_face", "🤗"),
    ("first_place_medal", "🥇"),
    ("second_place_medal", "🥈"),
    ("third_place_medal", "🥉"),
];

/// The beginnings of names that are spelt in another way there, and how they begin here.
const OTHER_BEGINNINGS: [(&str, &str); 3] =
    [("male_", "man_"), ("female_", "woman_"), ("large_", "")];

/// Returns the emoji that other programs call so, `thumbsup` or `+1::skin-tone-3`.
pub(super) fn emoji(name: &str) -> Option<&'static str> {
    let (name, tone) = name.split_once("::skin-tone-").unwrap_or((name, ""));
    let emoji = emojis::get_by_shortcode(name).or_else(|| by_other_name(name))?;
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

/// Returns the emoji of a name that GitHub has not: most are GitHub's in another spelling, a country's flag,
/// or the name that Unicode has, with or without `face`.
fn by_other_name(name: &str) -> Option<&'static emojis::Emoji> {
    static BY_UNICODE_NAME: LazyLock<HashMap<String, &emojis::Emoji>> = LazyLock::new(|| {
        let name = |emoji: &'static emojis::Emoji| (emoji.name().replace([' ', '-'], "_"), emoji);
        emojis::iter().map(name).collect()
    });
    if !name.starts_with(|it: char| it.is_ascii_lowercase()) {
        return None; // No emoji is called so, but each minute of a time is asked for.
    }
    if let Some((_, emoji)) = OTHER_NAMES.iter().find(|(other, _)| *other == name) {
        return emojis::get(emoji);
    }
    if let Some(country) = name.strip_prefix("flag-") {
        let letters = country.bytes().filter(u8::is_ascii_lowercase);
        let letters = letters.map(|it| u32::from('🇦') + u32::from(it - b'a'));
        return emojis::get(&letters.filter_map(char::from_u32).collect::<String>());
    }
    let mut name = name.replace('-', "_");
    for (there, here) in OTHER_BEGINNINGS {
        if let Some(rest) = name.strip_prefix(there) {
            name = format!("{here}{rest}");
        }
    }
    let names = [Some(&*name), name.strip_suffix("_face")];
    names.into_iter().flatten().find_map(|name| {
        emojis::get_by_shortcode(name).or_else(|| BY_UNICODE_NAME.get(name).copied())
    })
}

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
        for (name, expected) in [
            ("thinking_face", "🤔"),
            ("face_with_rolling_eyes", "🙄"),
            ("robot_face", "🤖"),
            ("star-struck", "🤩"),
            ("man-shrugging::skin-tone-2", "🤷🏻‍♂️"),
            ("female-technologist", "👩‍💻"),
            ("large_green_circle", "🟢"),
            ("flag-ua", "🇺🇦"),
        ] {
            assert_eq!(emoji(name), Some(expected), "{name}");
        }
        for name in ["nonesuch", "", "30", "flag-", "flag-USA", "flag-zz", "face", "male-"] {
            assert_eq!(emoji(name), None, "{name}");
        }
    }
}
