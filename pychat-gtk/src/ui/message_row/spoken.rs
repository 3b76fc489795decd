//! A message as it is read out.

use gtk::glib;

use super::{quote, reactions};
use crate::{
    model::{Message, MessageKind, read_out},
    text::{
        i18n::{gettext, gettext_f},
        times,
    },
    ui::people::bot_mark,
};

/// Returns what a screen reader says of `message`, of which `text` is shown.
pub(super) fn sentence(message: &Message, text: String) -> String {
    let moment = moment(message);
    let sentence = match message.kind() {
        MessageKind::Own => read_out(&gettext("You"), &moment, &text),
        MessageKind::Other if message.is_from_bot() => {
            read_out(&bot_mark::spoken(message.author()), &moment, &text)
        }
        MessageKind::Other => read_out(message.author(), &moment, &text),
        MessageKind::Notice | MessageKind::Welcome => text,
    };
    let reactions = reactions::spell(message);
    if reactions.is_empty() {
        return sentence;
    }
    // Translators: read out; {reactions} is a list like "👍 2, ❤️ 1".
    gettext_f(
        "{message} (reactions: {reactions})",
        &[("message", &sentence), ("reactions", &reactions)],
    )
}

/// Returns when `message` was said, whether it was edited, and whom it answers.
fn moment(message: &Message) -> String {
    let mut moment = times::moment(message.time_ms(), glib::real_time() / 1_000).to_string();
    if message.edited_ms().is_some() {
        // Translators: read out before a message that was edited; {time} is when it was said.
        moment = gettext_f("{time}, edited", &[("time", &moment)]);
    }
    if message.reply().is_some() && !message.is_deleted() {
        let author = quote::answered(message);
        // Translators: read out before an answer; {time} is when it was said, {author} who or what is
        // answered.
        moment =
            gettext_f("{time}, in reply to {author}", &[("time", &moment), ("author", &author)]);
    }
    moment
}
