//! Errors of the server: what they mean for what was said.

use super::{Client, Event, RETRY_MS, RETRY_MS_MAX, SearchEnd};
use crate::message::ErrorCode;

impl Client {
    /// Takes an error of the server's once we are in the room.
    pub(super) fn on_error(
        &mut self,
        now: u64,
        code: ErrorCode,
        text: String,
        reference: Option<&str>,
        retry_ms: Option<u64>,
    ) {
        if let Some((id, is_news)) = reference.and_then(|id| Some((id, self.end_change(id)?))) {
            if is_news {
                self.tell(Event::Denied { code, text, id: Some(id.to_owned()) });
            }
            return;
        }
        if let Some(id) = reference
            && self.end_search(id, SearchEnd::Refused { code, text: text.clone() })
        {
            return;
        }
        let index = reference.and_then(|id| self.saved.index_of(id));
        match code {
            // Of a text that is there it is no news.
            ErrorCode::SlowDown if reference.is_none() || index.is_some() => {
                self.tell(Event::SlowDown { retry_ms });
            }
            ErrorCode::AlreadyJoined => return, // It is what we wanted.
            _ => (),
        }
        let Some(index) = index else {
            // That a text must be sent again, or under another id, is no news once it is there, or
            // given up.
            let is_old_news = reference.is_some_and(|id| {
                let held = &mut self.line.held;
                held.is_given_up(id) || can_be_repeated(code) || code == ErrorCode::IdReused
            });
            if !is_old_news && code != ErrorCode::SlowDown {
                self.tell(Event::Denied { code, text, id: reference.map(Into::into) });
            }
            return;
        };
        match code {
            _ if can_be_repeated(code) => {
                let wait_ms = retry_ms.unwrap_or(RETRY_MS).min(RETRY_MS_MAX);
                let held = &mut self.line.held;
                held.until = Some(now.saturating_add(wait_ms));
                held.ids.insert(self.saved.unacknowledged[index].id.clone());
                held.is_one_by_one |= code == ErrorCode::SlowDown;
            }
            ErrorCode::IdReused => self.renew(now, index, text),
            _ => self.fail(now, index, code, text),
        }
    }
}

/// Returns true if a text that the server refused for this reason can be sent again later.
fn can_be_repeated(code: ErrorCode) -> bool {
    use ErrorCode::{Full, NotJoined, SlowDown, Storage, Timeout};
    matches!(code, Storage | NotJoined | Full | Timeout | SlowDown)
}
