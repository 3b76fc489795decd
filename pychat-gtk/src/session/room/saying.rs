//! The messages that the user sends, and the handling of those that do not arrive.

use gtk::glib::subclass::prelude::*;
use pychat_wire::client::SayError;

use super::{Room, Session};
use crate::{
    model::Message,
    session::{error_text, wall_ms},
    text,
};

/// The most bytes of texts that may wait to be acknowledged, together: all of them are saved with
/// each that is said.
const UNACKNOWLEDGED_BYTES_MAX: usize = 1 << 20;

impl Room {
    /// Says `text` to everybody in the room, now or when the connection is back.
    ///
    /// # Errors
    ///
    /// [`SayError`] if it cannot be said; the text is still the caller's then.
    pub fn say(&self, text: &str) -> Result<(), SayError> {
        if text::is_blank(text) {
            return Err(SayError::Blank);
        }
        let Some(session) = self.session() else { return Err(SayError::NotJoined) };
        let is_saved = self.has_numbers();
        let said = session.with_client(|client| {
            let waiting = client.unacknowledged().map(|(_, text)| text.len());
            let (n_texts, n_bytes) = waiting.fold((0, 0), |sum, size| (sum.0 + 1, sum.1 + size));
            if is_saved && 0 < n_texts && UNACKNOWLEDGED_BYTES_MAX < n_bytes + text.len() {
                return Err(SayError::Full { limit: n_texts });
            }
            client.say(text)
        });
        let id = said.unwrap_or(Err(SayError::NotJoined))?;
        self.history().say(Message::sending(id, &self.own_name(), text.trim_end(), wall_ms()));
        self.history().see_all(); // Who answers has read.
        session.process_events();
        Ok(())
    }

    /// Returns how many bytes a message that says `text` could still take; fewer than none if it
    /// is too long. `None` without a client, which knows the limit.
    pub fn bytes_left(&self, text: &str) -> Option<isize> {
        let (bytes, limit) = self.ask_client(|client| client.size_of(text))?;
        Some(limit.cast_signed().saturating_sub(bytes.cast_signed()))
    }

    /// Says again what failed, as if it had not been said before.
    pub fn say_again(&self, id: &str) {
        let Some(message) = self.history().unsent(id) else { return };
        let text = message.text().into_owned();
        match self.say(&text) {
            Ok(()) => self.discard(id),
            Err(error) => message.fail(&error_text::say_error(error).unwrap_or_default()),
        }
    }

    /// Takes away what failed.
    pub fn discard(&self, id: &str) {
        self.history().remove(id);
    }

    /// Says what is being written. It is saved as what was said and no longer as what is being
    /// written, in one: whatever happens, it will be there once.
    ///
    /// # Errors
    ///
    /// [`SayError`] as for [`say`](Self::say); it is still being written then.
    pub fn say_draft(&self) -> Result<(), SayError> {
        let draft = self.imp().draft.take();
        let said = self.say(&draft);
        match said {
            // In protocol 1 nothing else of it is saved.
            Ok(()) => drop(self.session().inspect(Session::save_soon)),
            Err(_) => drop(self.imp().draft.replace(draft)),
        }
        said
    }
}
