//! The messages that the user sends, and the handling of those that do not arrive.

use std::time::Duration;

use gtk::glib::subclass::prelude::*;
use pychat_wire::client::SayError;

use super::{MessageChange, Room};
use crate::{
    model::Message,
    session::{error_text, now_ms, wall_ms},
    text,
};

/// The most bytes of texts that may wait to be acknowledged, together: all of them are saved with
/// each that is said.
const UNACKNOWLEDGED_BYTES_MAX: usize = 1 << 20;

/// The longest time for which a server may say that it takes nothing, in milliseconds.
const HOLD_MS_MAX: u64 = 60 * 60 * 1_000;

impl Room {
    /// Says `text` to everybody in the room, now or when the connection is back.
    ///
    /// # Errors
    ///
    /// [`SayError`] if it cannot be said; the text is still the caller's then.
    pub fn say(&self, text: &str) -> Result<(), SayError> {
        self.say_as(text, None)
    }

    /// Says `text` like [`say`](Self::say), as an answer to a message if one is `answered`.
    pub(super) fn say_as(&self, text: &str, answered: Option<&Message>) -> Result<(), SayError> {
        if text::is_blank(text) {
            return Err(SayError::Blank);
        }
        let session = self.session().filter(|_| !self.is_gone()).ok_or(SayError::NotJoined)?;
        let room = self.client_id();
        let is_saved = self.has_numbers();
        let reply =
            answered.filter(|it| self.can(MessageChange::Answer, it)).and_then(Message::seq);
        let said = session.with_client(|client| {
            let waiting = client.unacknowledged().map(|it| it.said.words().map_or(0, str::len));
            let (n_texts, n_bytes) = waiting.fold((0, 0), |sum, size| (sum.0 + 1, sum.1 + size));
            if is_saved && 0 < n_texts && UNACKNOWLEDGED_BYTES_MAX < n_bytes + text.len() {
                return Err(SayError::Full { limit: n_texts });
            }
            match reply {
                Some(target) => client.reply(room, target, text),
                None => client.say(room, text),
            }
        });
        let id = said.unwrap_or(Err(SayError::NotJoined))?;
        let message = Message::sending(id, &self.own_name(), text.trim_end(), wall_ms());
        self.history().say(message.answering(reply));
        self.history().see_all(); // Who answers has read.
        self.expect_news();
        session.process_events();
        Ok(())
    }

    /// Returns how long it is until the server takes what is said next; `None` if it takes it at once.
    pub fn held_for(&self) -> Option<Duration> {
        let rest_ms = self.held_until_ms().saturating_sub(now_ms());
        (0 < rest_ms).then(|| Duration::from_millis(rest_ms))
    }

    /// Takes in that the server takes no more of what is said for `retry_ms` milliseconds.
    pub(in crate::session) fn hold(&self, retry_ms: u64) {
        let until_ms =
            if retry_ms == 0 { 0 } else { now_ms().saturating_add(retry_ms.min(HOLD_MS_MAX)) };
        if self.imp().held_until_ms.replace(until_ms) != until_ms {
            self.notify_held_until_ms();
        }
    }

    /// Returns how many bytes a message that says `text` could still take; fewer than none if it
    /// is too long. `None` without a client, which knows the limit.
    pub fn bytes_left(&self, text: &str) -> Option<isize> {
        let id = self.client_id();
        let (bytes, limit) = self.ask_client(|client| client.size_of(id, text))?;
        Some(limit.cast_signed().saturating_sub(bytes.cast_signed()))
    }

    /// Says again what failed, as if it had not been said before.
    pub fn say_again(&self, id: &str) {
        let Some(message) = self.history().unsent(id) else { return };
        let text = message.text();
        match self.say_as(&text, message.quoted().as_ref()) {
            Ok(()) => self.discard(id),
            Err(_) if self.is_gone() => message.fail(&error_text::not_in_room()),
            Err(error) => message.fail(&error_text::say_error(error).unwrap_or_default()),
        }
    }

    /// Takes away what failed.
    pub fn discard(&self, id: &str) {
        self.history().remove(id);
        if let Some(session) = self.session() {
            session.forget_lost_room(self);
        }
    }
}
