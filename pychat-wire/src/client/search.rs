//! Searches, which the server answers from what it keeps. A search belongs to its line: it is not saved,
//! and not made again on another.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Client, Event, FOUND_BYTES_MAX, Message, MessageId, MessageState, RoomId, SEARCHES_MAX,
    original::shown, phase::Protocol, record::Record,
};
use crate::message::{
    self, ClientMessage, ErrorCode, FoundMessage, SEARCH_CURSOR_BYTES_MAX, SEARCH_LIMIT_MAX,
    SEARCH_QUERY_BYTES_MAX, ServerMessage,
};

/// The messages to search for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Search<'a> {
    /// The words, all of which a message has to have; see [`message::Search::query`].
    pub query: &'a str,
    /// The only room to be searched; all that our person is in if `None`.
    pub room: Option<&'a RoomId>,
    /// The name of the only author; everybody if `None`.
    pub from: Option<&'a str>,
    /// The cursor of [`SearchEnd::More`], to go on with the same search; the newest message if `None`.
    pub before: Option<&'a str>,
    /// The most messages that are wanted, lowered to [`SEARCH_LIMIT_MAX`].
    pub limit: u64,
}

/// The end of a search.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SearchEnd {
    /// There is nothing older.
    Complete,
    /// There may be more, which the same search finds with this cursor.
    More {
        /// The cursor.
        before: String,
    },
    /// The line was lost first.
    Lost,
    /// The server refused it.
    Refused {
        /// The code of the error.
        code: ErrorCode,
        /// The reason, in the server's words.
        text: String,
    },
}

/// The searches of one line whose ends are still to come.
#[derive(Debug, Default)]
pub(super) struct Searches {
    /// The number of searches that were ever made.
    n_made: u64,
    open: BTreeMap<String, OpenSearch>,
}

/// A search whose end is still to come.
#[derive(Debug)]
struct OpenSearch {
    /// The only room that it may find something in.
    room: Option<RoomId>,
    /// The messages that were found.
    found: BTreeSet<(RoomId, u64)>,
    /// The most messages that it may still find, and the most memory for them, in bytes.
    n_left: u64,
    bytes_left: usize,
    /// Nobody wants to know any more.
    is_forgotten: bool,
}

impl OpenSearch {
    /// Takes a message in; returns true if it is one that was asked for, and new.
    fn take(&mut self, room: &RoomId, seq: u64, bytes: usize) -> bool {
        let is_elsewhere = self.room.as_ref().is_some_and(|only| only != room);
        if self.is_forgotten || is_elsewhere || self.n_left == 0 || self.bytes_left < bytes {
            return false;
        }
        self.n_left -= 1;
        self.bytes_left -= bytes;
        self.found.insert((room.clone(), seq))
    }
}

impl Client {
    /// Searches for messages in the rooms that our person is in. [`Event::Found`] tells each, the newest
    /// first, and [`Event::SearchEnded`] the end; both bear the id that is returned. A line that is lost
    /// ends it, too.
    ///
    /// Returns `None`, and does nothing, if there is no line in protocol 2, if the ends of
    /// [`SEARCHES_MAX`] searches are still to come, or if the query, the name or the cursor is longer
    /// than a server takes.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{Saved, Search}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// let search = Search { query: "lunch", limit: 20, ..Search::default() };
    /// assert_eq!(client.search(&search), None); // Not joined.
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn search(&mut self, search: &Search<'_>) -> Option<String> {
        let is_too_long = SEARCH_QUERY_BYTES_MAX < search.query.len()
            || search.from.is_some_and(|from| SEARCH_QUERY_BYTES_MAX < from.len())
            || search.before.is_some_and(|before| SEARCH_CURSOR_BYTES_MAX < before.len());
        let is_joined = self.phase.is_joined(Protocol::Second);
        if is_too_long || !is_joined || SEARCHES_MAX <= self.searches.open.len() {
            return None;
        }
        let id = format!("s-{}", self.searches.n_made);
        let limit = search.limit.min(SEARCH_LIMIT_MAX);
        let is_sent = self.request(&ClientMessage::Search(message::Search {
            reference: id.as_str().into(),
            query: search.query.into(),
            room: search.room.map(|room| room.as_str().into()),
            from: search.from.map(Into::into),
            before: search.before.map(Into::into),
            limit,
        }));
        if !is_sent {
            return None;
        }
        self.searches.n_made += 1;
        let open = OpenSearch {
            room: search.room.cloned(),
            found: BTreeSet::new(),
            n_left: limit,
            bytes_left: FOUND_BYTES_MAX,
            is_forgotten: false,
        };
        self.searches.open.insert(id.clone(), open);
        Some(id)
    }

    /// Has nothing more be told of a search. It counts among [`SEARCHES_MAX`] until its end has come.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// client.forget_search("s-0"); // There is none.
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn forget_search(&mut self, id: &str) {
        if let Some(open) = self.searches.open.get_mut(id) {
            open.is_forgotten = true;
        }
    }

    /// Takes what a server says of searches; returns anything else. What was not asked for, or is more
    /// than was asked for, is passed over, as are rooms that our person is not in.
    pub(super) fn on_searches<'a>(
        &mut self,
        message: ServerMessage<'a>,
    ) -> Option<ServerMessage<'a>> {
        match message {
            ServerMessage::Found { reference, message } => {
                let room = self.rooms.id_of(&message.room)?;
                let open = self.searches.open.get_mut(&*reference)?;
                let record = Record::Message(found(room.clone(), message));
                let bytes = record.bytes();
                if let Record::Message(message) = record
                    && let Some(seq) = message.seq
                    && open.take(&room, seq, bytes)
                {
                    let id = reference.into_owned();
                    self.tell(Event::Found { id, message });
                }
            }
            ServerMessage::FoundEnd { reference, before } => {
                let end = before.map_or(SearchEnd::Complete, |before| SearchEnd::More {
                    before: before.into_owned(),
                });
                self.end_search(&reference, end);
            }
            other => return Some(other),
        }
        None
    }

    /// Takes in that a search with this id is over, if there is one; returns true if there was.
    pub(super) fn end_search(&mut self, id: &str, end: SearchEnd) -> bool {
        let Some(open) = self.searches.open.remove(id) else { return false };
        if !open.is_forgotten {
            self.tell(Event::SearchEnded { id: id.to_owned(), end });
        }
        true
    }

    /// Takes in that the line is gone, on which the searches were made.
    pub(super) fn end_searches(&mut self) {
        let ids: Vec<_> = self.searches.open.keys().cloned().collect();
        for id in ids {
            self.end_search(&id, SearchEnd::Lost);
        }
    }
}

fn found(room: RoomId, message: FoundMessage<'_>) -> Message {
    let FoundMessage { seq, time, username, content, id, reply, edited, reactions, .. } = message;
    Message {
        room,
        seq: Some(seq),
        time_ms: Some(time),
        author: username.into_owned(),
        state: MessageState::heard(shown(&content), edited, false, reactions),
        reply,
        own: id.is_some(),
        id: id.as_deref().map(MessageId::heard),
        replayed: true,
    }
}
