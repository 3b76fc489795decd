//! Searches: taken in here, and answered one of a peer after the other, as fast as it reads. Like history
//! they cost the peer's address what it is sent, and what was looked at for it.

use std::ops::ControlFlow;

use pychat_wire::{ServerMessage, message::ErrorCode};

use super::{
    broadcast::Broadcasts,
    encode,
    replay::{PAGE_BYTES_MAX, Parts},
    session::Session,
    sessions::Sessions,
};
use crate::{
    core::{
        admission::{Act, history_cost},
        chat::{Complaint, Search, cursor},
        id::{ConnectionId, HALL, RoomId},
        record::{Entry, StorageError},
    },
    logging,
    net::transport::Socket,
    store::{Looked, Place, Read, Wanted},
};

/// The most searches of one peer that may wait for their ends.
const SEARCHES_MAX: usize = 4;

/// A search and how far it is.
#[derive(Debug)]
pub(super) struct Searching {
    search: Search,
    place: Place,
    /// The most messages, and the most bytes of their texts, that may still be sent.
    n_left: u64,
    bytes_left: usize,
    /// The last message that was sent.
    last: Option<(RoomId, u64)>,
}

impl Searching {
    fn new(search: Search) -> Self {
        let place = search.before.map_or(Place::Newest, |(room, seq)| Place::Message(room, seq));
        let n_left = search.limit.max(1);
        Self { search, place, n_left, bytes_left: PAGE_BYTES_MAX, last: None }
    }

    fn is_full(&self) -> bool {
        self.n_left == 0 || self.bytes_left == 0
    }

    fn complaint(&self, code: ErrorCode, text: &str) -> Complaint {
        let reference = Some(self.search.reference.clone());
        Complaint { reference, ..Complaint::new(code, text) }
    }
}

/// Begins to send what a peer searches for.
pub(super) fn begin<T: Socket>(
    id: ConnectionId,
    search: Search,
    broadcasts: &Broadcasts,
    sessions: &mut Sessions<T>,
) {
    let Some(session) = sessions.get_mut(id).filter(|it| it.is_listening()) else { return };
    let searching = Searching::new(search);
    if SEARCHES_MAX <= session.asked.searches.len() {
        let complaint = searching.complaint(ErrorCode::SlowDown, "one search after the other");
        let frames = broadcasts.frames(HALL);
        return sessions.tell(id, frames, |out| encode::complaint(&complaint, out));
    }
    session.asked.searches.push_back(searching);
    sessions.mark_replaying(id);
}

/// Does a piece of the first search of a peer, and sends what it finds.
pub(super) fn go_on<T: Socket>(id: ConnectionId, parts: &mut Parts<'_, T>) -> Read {
    let Some(session) = parts.sessions.get_mut(id) else { return Read::Done };
    let Some(mut searching) = session.asked.searches.pop_front() else { return Read::Done };
    let looked = look(&mut searching, id, parts);
    let mut read = Read::Done;
    match looked {
        _ if searching.is_full() => end(&searching, true, id, parts),
        Ok(Looked::All) => end(&searching, false, id, parts),
        Ok(looked) => {
            if looked == Looked::Later {
                read = Read::Later;
            }
            if let Some(session) = parts.sessions.get_mut(id) {
                session.asked.searches.push_front(searching);
            }
        }
        Err(error) => {
            logging::read_failed(&error);
            let reference = Some(searching.search.reference);
            let text = format!("cannot search: {error}");
            let complaint = Complaint::storage(reference, &error, &text);
            let frames = parts.source.broadcasts.frames(HALL);
            parts.sessions.tell(id, frames, |out| encode::complaint(&complaint, out));
        }
    }
    parts.sessions.mark_dirty(id);
    read
}

/// Looks for messages, and owes the peer those that are found.
fn look<T: Socket>(
    searching: &mut Searching,
    id: ConnectionId,
    parts: &mut Parts<'_, T>,
) -> Result<Looked, StorageError> {
    let Parts {
        now, source, sessions, admission, backlog_bytes_low, search_budget: budget, ..
    } = parts;
    let Some(session) = sessions.get_mut(id) else { return Ok(Looked::All) };
    let Searching { search, place, n_left, bytes_left, last } = searching;
    if search.query.is_empty() {
        return Ok(Looked::All);
    }
    // Whoever has left a room since then finds nothing more of it.
    search.rooms.retain(|room| session.progress_in(*room).is_some());
    let person = session.member().and_then(|member| member.person);
    let (origin, mut frame) = (session.origin, Vec::new());
    let wanted = Wanted { query: &search.query, rooms: &search.rooms };
    let broadcasts = &source.broadcasts;
    let budget_before = *budget;
    let looked = source.store.search(&wanted, place, budget, &mut |room, entry: Entry<'_>| {
        if broadcasts.published_seq(room) < entry.seq {
            return ControlFlow::Continue(());
        }
        let own = person.is_some() && person == entry.person;
        frame.clear();
        encode::found(&search.reference, room, entry, own, &mut frame);
        session.connection.owe(&frame);
        let is_used_up =
            admission.fill(*now, origin, Act::History, history_cost(frame.len())).is_some();
        *last = Some((room, entry.seq));
        *n_left -= 1;
        *bytes_left = bytes_left.saturating_sub(entry.kind.text().len());
        let is_cut = *backlog_bytes_low <= session.connection.backlog() || is_used_up;
        if is_cut || *n_left == 0 || *bytes_left == 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    let cost = history_cost(budget_before.saturating_sub(*budget));
    admission.fill(*now, origin, Act::History, cost);
    looked
}

/// Tells a peer that its search is over, and where it can go on if there may be more.
fn end<T: Socket>(
    searching: &Searching,
    is_more: bool,
    id: ConnectionId,
    parts: &mut Parts<'_, T>,
) {
    let before = searching.last.filter(|_| is_more).map(|(room, seq)| cursor(room, seq).into());
    let reference = (&*searching.search.reference).into();
    let frames = parts.source.broadcasts.frames(HALL);
    parts
        .sessions
        .tell(id, frames, |out| ServerMessage::FoundEnd { reference, before }.encode(out));
}

/// Ends the searches of a peer, as this process does not live to end them; the peer may search anew.
pub(super) fn give_up<T: Socket>(session: &mut Session<T>) {
    let mut frame = Vec::new();
    for searching in session.asked.searches.drain(..) {
        let complaint = searching.complaint(ErrorCode::NotDone, "the server has started anew");
        frame.clear();
        encode::complaint(&complaint, &mut frame);
        session.connection.owe(&frame);
    }
}
