//! Names in sentences, each kept apart from what stands around it in another direction.

use crate::text::i18n::{gettext, gettext_f};

/// Returns `name` as it stands in a sentence: whatever its direction, it moves nothing around it.
pub fn isolated(name: &str) -> String {
    format!("\u{2068}{name}\u{2069}") // First strong isolate, pop directional isolate.
}

/// Returns the address `server` as it stands by itself: read from the left in every language.
pub fn left_to_right(server: &str) -> String {
    format!("\u{2066}{server}\u{2069}") // Left-to-right isolate, pop directional isolate.
}

/// Returns `names` one after the other.
pub fn listed(names: &[impl AsRef<str>]) -> String {
    let names: Vec<_> = names.iter().map(|name| isolated(name.as_ref())).collect();
    in_a_row(&names)
}

/// Returns `names` one after the other, as a title that is nothing else.
pub fn in_a_row<T: AsRef<str>>(names: &[T]) -> String {
    let names: Vec<_> = names.iter().map(AsRef::as_ref).collect();
    // Translators: stands between the names in a list, such as "Anna, Boris".
    names.join(&gettext(", "))
}

/// Returns the title of the window in which `name` is in the chat that is called `server`.
pub fn window_title(name: &str, server: &str) -> String {
    format!("{} — {}", isolated(name), isolated(server))
}

/// Returns whose chat it is, and where.
pub fn chat(name: &str, server: &str) -> String {
    gettext_f("{name} at {server}", &[("name", &isolated(name)), ("server", server)])
}
