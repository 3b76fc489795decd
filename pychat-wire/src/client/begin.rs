//! The messages that a client shows first, and the rooms that it hears.

use super::{Client, Hearing, rooms::Rooms};
use crate::message::PAGE_MESSAGES_MAX;

/// The messages that a client shows first.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Begin {
    /// Those after the last ones that were shown; in rooms that are new to this client, those that are
    /// sent from now on. For bots.
    #[default]
    Resume,
    /// The same, but on a first visit all that the server keeps of the hall.
    Everything,
    /// The last messages of the hall, as an [`Event::Page`](super::Event::Page) of at most so many, and
    /// those sent from now on in all rooms. For a window, which shows nothing when it opens, and
    /// [asks](Client::request_history) for a page of another room when it shows that. If its reader has
    /// [seen](Client::see) less than all before the page of the hall, it begins further back, where one
    /// page can hold so much.
    LastPage(u64),
}

impl Begin {
    /// Returns true if somebody reads what is shown.
    pub(super) fn has_reader(self) -> bool {
        matches!(self, Self::LastPage(_))
    }
}

/// Returns how many messages to ask for first in a room with `n_unseen` that were not seen: `limit`, or
/// all of those and some before them, unless that is more than one page can hold.
///
/// # Examples
///
/// ```
/// use pychat_wire::client::first_page_messages;
///
/// assert_eq!([0, 70, 501].map(|n_unseen| first_page_messages(n_unseen, 50)), [50, 95, 50]);
/// ```
pub fn first_page_messages(n_unseen: u64, limit: u64) -> u64 {
    if PAGE_MESSAGES_MAX < n_unseen {
        return limit;
    }
    limit.max(n_unseen + limit.min(PAGE_MESSAGES_MAX) / 2)
}

impl Client {
    /// Sets which messages are shown first; the default is [`Begin::Resume`].
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::{Client, UserName, client::{Begin, Saved}};
    ///
    /// let name = UserName::new("Анна")?;
    /// let window = Client::new(name, Saved::default(), [7; 32]).beginning(Begin::LastPage(50));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    #[must_use]
    pub fn beginning(mut self, begin: Begin) -> Self {
        self.begin = begin;
        if begin.has_reader() {
            self.saved.begin_reading();
        }
        self.begin_rooms();
        self
    }

    /// Sets which rooms are heard. Unless this is called, that is [`Hearing::All`] for a window, which
    /// begins with the [last page](Begin::LastPage), and [`Hearing::Hall`] for a bot.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::{Client, UserName, client::{Hearing, Saved}};
    ///
    /// let name = UserName::new("bot")?;
    /// let bot = Client::new(name, Saved::default(), [7; 32]).hearing(Hearing::All);
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    #[must_use]
    pub fn hearing(mut self, hearing: Hearing) -> Self {
        self.hearing = Some(hearing);
        self.begin_rooms();
        self
    }

    /// Returns the rooms that are heard.
    pub(super) fn heard_rooms(&self) -> Hearing {
        let by_default = if self.begin.has_reader() { Hearing::All } else { Hearing::Hall };
        self.hearing.unwrap_or(by_default)
    }

    /// Takes the rooms from what is saved, before the first line.
    fn begin_rooms(&mut self) {
        self.rooms = Rooms::new(&self.saved, self.heard_rooms(), !self.begin.has_reader());
    }
}
