//! Older messages, which are asked for page by page.

use super::{Client, line::Protocol};

/// The availability of messages older than all that were shown.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Past {
    /// None: all were shown, the server keeps none, or we are not in a room of protocol 2.
    #[default]
    None,
    /// Perhaps more: [`Client::request_history`] would ask for it.
    Kept,
    /// A page of them is on its way.
    Asked,
}

impl Client {
    /// Asks for at most `limit` messages older than those shown; they come as an
    /// [`Event::Page`](super::Event::Page).
    ///
    /// Returns false, and does nothing, unless there is a [past](Self::past) that is
    /// [`Kept`](Past::Kept): nothing older exists, a page is on its way already, or we are not in a
    /// room of protocol 2.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert!(!client.request_history(50)); // Not joined.
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn request_history(&mut self, limit: u64) -> bool {
        let is_asked = self.phase.is_joined(Protocol::Second) && self.place.request(limit);
        if is_asked {
            self.send_request();
        }
        is_asked
    }

    /// Records that messages older than number `seq` are shown no more, so that they can be asked
    /// for again. A page that is on its way is dropped: it belongs above messages that are gone.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// client.forget_before(10_000); // Nothing was shown, so nothing changes.
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn forget_before(&mut self, seq: u64) {
        self.place.forget_before(seq);
    }

    /// Returns the availability of older messages, on which [`Self::request_history`] depends.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{Past, Saved}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.past(), Past::None); // Not joined.
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn past(&self) -> Past {
        if !self.phase.is_joined(Protocol::Second) {
            Past::None
        } else if self.place.requested().is_some() {
            Past::Asked
        } else if self.place.has_older() {
            Past::Kept
        } else {
            Past::None
        }
    }
}
