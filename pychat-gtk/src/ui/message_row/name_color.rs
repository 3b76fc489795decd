//! The colour by which a person is known: always the same for the same name.

/// The number of colours.
pub(super) const NAME_COLORS: u32 = 14;

/// Returns the class of everything that bears the colour of `name`.
///
/// `AdwAvatar` picks its colour in this way; so somebody's name is of the colour of their picture.
pub(super) fn name_color(name: &str) -> String {
    let hash = name.bytes().fold(5_381_u32, |hash, byte| {
        let byte = i32::from(byte.cast_signed()).cast_unsigned();
        hash.wrapping_mul(33).wrapping_add(byte)
    });
    format!("name-color-{}", hash % NAME_COLORS + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_always_has_the_color_of_its_picture() {
        // As `g_str_hash` has it.
        for (name, expected) in
            [("", "name-color-6"), ("a", "name-color-11"), ("Анна", "name-color-8")]
        {
            assert_eq!(name_color(name), expected, "{name}");
        }
    }
}
