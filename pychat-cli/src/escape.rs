//! Text of others for a terminal: no control character reaches it.

use std::fmt::Write;

/// Returns `text` with every character escaped that could command a terminal, or make text appear in
/// another order than it has. Tabs and line breaks stay.
pub(crate) fn plain(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for it in text.chars() {
        if is_harmful(it) {
            escaped.extend(it.escape_default());
        } else {
            escaped.push(it);
        }
    }
    escaped
}

/// Does the same to a line of JSON, which has escaped those below U+0020.
pub(crate) fn json(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len());
    for it in line.chars() {
        if is_harmful(it) {
            // None of them is beyond the basic plane.
            let _ = write!(escaped, "\\u{:04x}", u32::from(it));
        } else {
            escaped.push(it);
        }
    }
    escaped
}

fn is_harmful(it: char) -> bool {
    let is_control = it.is_control() && !matches!(it, '\n' | '\t');
    let is_order = matches!(
        it,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    is_control || is_order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_commands_a_terminal_is_left() {
        let hostile = "a\x1b[2J\r\x07\u{7f}\u{9b}31m\u{202e}b\u{2028}\0";
        let words = r"a\u{1b}[2J\r\u{7}\u{7f}\u{9b}31m\u{202e}b\u{2028}\u{0}";
        assert_eq!(plain(hostile), words);
        assert_eq!(plain("Привет,\n\t👩\u{200d}🚀"), "Привет,\n\t👩\u{200d}🚀");
        for it in (0..=0x10_ffff).filter_map(char::from_u32) {
            let left = plain(&it.to_string());
            assert!(!left.contains(|it: char| it.is_control() && it != '\n' && it != '\t'));
        }
    }

    #[test]
    fn escaped_json_is_the_same_json() {
        for it in (0..=0x3000).filter_map(char::from_u32) {
            let text = format!("a{it}b");
            let line = json(&serde_json::to_string(&text).expect("a text"));
            assert!(!line.contains(char::is_control), "{line:?}");
            assert_eq!(serde_json::from_str::<String>(&line).expect("still JSON"), text);
        }
    }
}
