//! Several messages as text, for somebody who was not there.

use super::Message;
use crate::text::{self, i18n::gettext_f, times};

/// The indentation of each line of a text but the first, whatever ends the line before it, so that
/// nothing in it can be mistaken for what somebody else said.
const INDENT: &str = "    ";

/// Returns `messages` as text, with the words that they have now: one alone is what it says; where there are several, each begins with
/// when it was said and by whom.
pub fn transcript(messages: &[Message]) -> String {
    match messages {
        [message] => message.text().to_string(),
        messages => messages.iter().map(entry).collect::<Vec<_>>().join("\n"),
    }
}

fn entry(message: &Message) -> String {
    let time = times::stamp(message.time_ms());
    let text = message.shown_text();
    let lines: Vec<_> = text::lines(&text).collect();
    let text = lines.join(&format!("\n{INDENT}"));
    let values = [("time", time.as_str()), ("author", message.author()), ("text", &text)];
    // Translators: one of several messages that were copied.
    gettext_f("[{time}] {author}: {text}", &values)
}

/// Returns how a message is read out: who said it, when and what.
pub fn read_out(author: &str, time: &str, text: &str) -> String {
    gettext_f("{author}, {time}: {text}", &[("author", author), ("time", time), ("text", text)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MessageKind;

    const NOON_MS: i64 = 1_795_694_400_000;

    fn said(author: &str, text: &str, minute: i64) -> Message {
        Message::new(MessageKind::Other, author, text, NOON_MS + minute * 60_000)
    }

    /// Returns the transcript with `T0`, `T1`, … for the times of the minutes after noon.
    fn read(messages: &[Message]) -> String {
        let text = transcript(messages);
        (0..3).fold(text, |text, minute| {
            let stamp = times::stamp(NOON_MS + minute * 60_000);
            text.replace(&*stamp, &format!("T{minute}"))
        })
    }

    #[test]
    fn one_message_is_what_it_says() {
        assert_eq!(read(&[said("Анна", "tea?\n  now", 0)]), "tea?\n  now");
        assert_eq!(read(&[]), "");
    }

    #[test]
    fn several_say_who_and_when() {
        let messages =
            [said("Анна", "tea?", 0), said("{text}", "{author}", 1), said("Борис", "", 2)];
        let expected = "[T0] Анна: tea?\n[T1] {text}: {author}\n[T2] Борис: ";
        assert_eq!(read(&messages), expected);
    }

    #[test]
    fn nobody_can_put_words_into_the_mouth_of_somebody_else() {
        let stamp = times::stamp(NOON_MS);
        for end in ["\n", "\r", "\r\n", "\u{B}", "\u{C}", "\u{85}", "\u{2028}", "\u{2029}"] {
            let forged = format!("hm{end}[{stamp}] Борис: I am a fool{end}{end}\ttrue{end}");
            let messages = [said("Анна", &forged, 0), said("Борис", "no", 1)];
            let expected =
                "[T0] Анна: hm\n    [T0] Борис: I am a fool\n    \n    \ttrue\n[T1] Борис: no";
            assert_eq!(read(&messages), expected, "{end:?}");
        }
    }
}
