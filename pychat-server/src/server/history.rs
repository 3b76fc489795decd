//! Requests for history: what a peer missed of a room, and pages of it. They are taken in here, and
//! answered by [`Replays`](super::replay::Replays), one of a peer after the other.

use pychat_wire::message::ErrorCode;

use super::{
    broadcast::Broadcasts,
    encode,
    session::{Progress, Session},
    sessions::Sessions,
};
use crate::{
    core::{
        chat::Complaint,
        id::{ConnectionId, RoomId},
    },
    net::transport::Socket,
    store::Store,
};

/// The most pages that one peer may wait for.
const PAGES_MAX: usize = 4;

/// A peer's request for history of a room: everything after a number, up to some end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replay {
    pub(super) room: RoomId,
    pub(super) after: u64,
    pub(super) end: End,
}

/// The end of a replay.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// The newest message; then the peer hears what all hear. Of what was missed only the last
    /// `limit` messages are sent, if there is a limit that was not looked at yet.
    Live { limit: Option<u64> },
    /// The page before number `before` of at most `limit` messages, which is not looked up yet.
    Page { before: u64, limit: u64 },
    /// Number `last`; then the peer is told that those were `count`.
    PageFound { before: u64, last: u64, count: u64, is_start: bool },
}

impl Replay {
    /// Returns true for what the peer is sent before it hears anything live of the room.
    pub(super) fn is_resume(&self) -> bool {
        matches!(self.end, End::Live { .. })
    }
}

/// A request to resume a room.
pub(super) struct Resume<'a> {
    pub(super) room: RoomId,
    /// The log that the number belongs to.
    pub(super) epoch: &'a str,
    /// The last number that the peer has.
    pub(super) after: u64,
    /// The most messages that it wants, the newest ones.
    pub(super) limit: Option<u64>,
}

/// Where history comes from.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) store: &'a mut dyn Store,
    pub(super) broadcasts: &'a mut Broadcasts,
}

/// Begins to send what `id` missed of a room; if that is more than it wants, or than a page, the last of
/// it. Where it missed nothing, it hears what all hear at once.
pub(super) fn resume<T: Socket>(
    id: ConnectionId,
    resume: &Resume<'_>,
    source: Source<'_>,
    sessions: &mut Sessions<T>,
) {
    let Source { store, broadcasts } = source;
    let Resume { room, epoch, after, limit } = *resume;
    let is_other = epoch != store.epoch();
    let last = broadcasts.published_seq(room);
    let (after, gap) = match after {
        0 => (0, None),
        after if is_other => (0, Some((1, after))),
        after if last < after => (last, Some((last + 1, after))),
        after => (after, None),
    };
    let progress = sessions.get_mut(id).and_then(|session| listened(session, room));
    let Some(progress) = progress else { return };
    if let Some((from, to)) = gap {
        sessions.tell(id, broadcasts.frames(room), |out| encode::gap(room, from, to, out));
    }
    if after == last || progress == Progress::CatchingUp {
        return;
    }
    broadcasts.begin_catching_up(id, room, sessions);
    if let Some(session) = sessions.get_mut(id) {
        let before_pages = session.asked.replays.partition_point(Replay::is_resume);
        session
            .asked
            .replays
            .insert(before_pages, Replay { room, after, end: End::Live { limit } });
        sessions.mark_replaying(id);
    }
}

/// Returns how far the subscription of a session to a room is, if it hears it, or will.
fn listened<T: Socket>(session: &Session<T>, room: RoomId) -> Option<Progress> {
    session.progress_in(room).filter(|_| session.is_listening())
}

/// Begins to send the newest `limit` messages of a room before number `before`, or as many of them as
/// make a page.
pub(super) fn page<T: Socket>(
    id: ConnectionId,
    room: RoomId,
    (before, limit): (u64, u64),
    broadcasts: &Broadcasts,
    sessions: &mut Sessions<T>,
) {
    let Some(session) = sessions.get_mut(id).filter(|it| listened(it, room).is_some()) else {
        return;
    };
    let pages =
        session.asked.replays.len() - session.asked.replays.partition_point(Replay::is_resume);
    if PAGES_MAX <= pages {
        let complaint = Complaint::new(ErrorCode::SlowDown, "one page after the other");
        let frames = broadcasts.frames(room);
        return sessions.tell(id, frames, |out| encode::complaint(&complaint, out));
    }
    session.asked.replays.push_back(Replay { room, after: 0, end: End::Page { before, limit } });
    sessions.mark_replaying(id);
}
