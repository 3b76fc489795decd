//! The broadcasts to whole rooms: the frames that wait to be delivered to all in each, and how far each
//! log has been published.
//!
//! A room in which nothing was said costs nothing in a tick, however many are in it.

use std::{collections::BTreeSet, time::Instant};

use pychat_wire::message::RoomEvent;
use rustc_hash::FxHashMap;

use super::{
    encode::{self, Copy},
    frames::{PacedFrames, RoomFrames},
    hall::Hall,
    session::{Progress, Session},
    sessions::Sessions,
};
use crate::{
    core::{
        chat::{PerProtocol, Protocol, Recipients},
        id::{ConnectionId, HALL, RoomId},
        record::{Kind, Record},
    },
    net::transport::Socket,
};

/// The hall, and the other rooms that some connection hears.
#[derive(Debug, Default)]
pub(super) struct Broadcasts {
    pub(super) hall: Hall,
    rooms: FxHashMap<RoomId, Broadcast>,
    /// The rooms but for the hall in which something waits.
    active: Vec<RoomId>,
    /// The number of the last record of each room that was published: what a newcomer hears comes after
    /// it. A room that is missing has none.
    published: FxHashMap<RoomId, u64>,
}

/// A room other than the hall, as those in it are told of it. They all speak protocol 2.
#[derive(Debug, Default)]
struct Broadcast {
    frames: PacedFrames,
    subscribers: BTreeSet<ConnectionId>,
}

impl Broadcasts {
    /// Returns rooms without connections, whose logs have been published up to these numbers.
    pub(super) fn new(published: impl IntoIterator<Item = (RoomId, u64)>) -> Self {
        Self { published: published.into_iter().collect(), ..Self::default() }
    }

    /// Returns what has not been delivered yet to all in a room.
    pub(super) fn frames(&self, room: RoomId) -> RoomFrames<'_> {
        if room == HALL {
            return self.hall.waiting();
        }
        let broadcast = self.rooms.get(&room);
        broadcast.map_or(RoomFrames::none(room), |broadcast| broadcast.waiting(room))
    }

    /// Returns the number of the last record of a room that was published; 0 if there is none.
    pub(super) fn published_seq(&self, room: RoomId) -> u64 {
        self.published.get(&room).copied().unwrap_or(0)
    }

    /// Returns when there is something to deliver, if there ever is.
    pub(super) fn due_at(&self, now: Instant) -> Option<Instant> {
        let active = self.active.iter().filter_map(|room| self.rooms.get(room)?.frames.due_at(now));
        active.chain(self.hall.due_at(now)).min()
    }

    /// A member hears from here on what is told to all in a room other than the hall.
    pub(super) fn enter<T>(&mut self, id: ConnectionId, room: RoomId, session: &mut Session<T>) {
        let offset = self.frames(room).frames.of(Protocol::V2).len();
        let Some(member) = session.member_mut().filter(|it| it.protocol == Protocol::V2) else {
            return;
        };
        if room != HALL && member.enter(room, Progress::Live { offset }) {
            self.rooms.entry(room).or_default().subscribers.insert(id);
        }
    }

    /// A member hears nothing of a room other than the hall from here on: neither what is said there
    /// nor what was asked for.
    pub(super) fn exit<T: Socket>(
        &mut self,
        id: ConnectionId,
        room: RoomId,
        sessions: &mut Sessions<T>,
    ) {
        sessions.owe(id, self.frames(room), &[]);
        let Some(session) = sessions.get_mut(id) else { return };
        if session.member_mut().is_some_and(|member| member.exit(room)) {
            session.asked.replays.retain(|replay| replay.room != room);
            self.unsubscribe(id, room);
        }
    }

    /// A room is over, and nobody hears it.
    pub(super) fn end(&mut self, room: RoomId) {
        self.published.remove(&room);
    }

    /// Goes on with a member of an earlier process, who is in these rooms beside the hall.
    pub(super) fn restore<T>(
        &mut self,
        id: ConnectionId,
        rooms: impl IntoIterator<Item = RoomId>,
        session: &mut Session<T>,
    ) {
        for room in rooms {
            self.enter(id, room, session);
        }
        for index in 0..session.asked.replays.len() {
            let replay = session.asked.replays[index];
            if replay.is_resume() {
                session.set_progress(replay.room, Progress::CatchingUp);
            }
        }
        self.hall.restore(id, session);
        let Session { state, asked, .. } = session;
        let member = state.member_mut();
        let replays = &mut asked.replays;
        replays.retain(|it| member.as_ref().is_some_and(|of| of.progress_in(it.room).is_some()));
    }

    /// A member is to be sent what it missed of a room before it hears what all there hear.
    pub(super) fn begin_catching_up<T: Socket>(
        &mut self,
        id: ConnectionId,
        room: RoomId,
        sessions: &mut Sessions<T>,
    ) {
        sessions.owe(id, self.frames(room), &[]);
        if let Some(session) = sessions.get_mut(id) {
            session.set_progress(room, Progress::CatchingUp);
            if room == HALL {
                self.hall.begin_catching_up(id);
            }
        }
    }

    /// A member has been sent all that was published in a room, and hears what all there hear from here
    /// on.
    pub(super) fn go_live<T>(&mut self, id: ConnectionId, room: RoomId, session: &mut Session<T>) {
        let offset = self.frames(room).frames.of(session.protocol()).len();
        if session.progress_in(room) == Some(Progress::CatchingUp) {
            session.set_progress(room, Progress::Live { offset });
        }
        if room == HALL {
            self.hall.go_live(id);
        }
    }

    /// The connection of a member is gone.
    pub(super) fn remove<T>(&mut self, id: ConnectionId, session: &Session<T>) {
        self.hall.remove(id, session);
        for subscription in session.member().map_or(&[][..], |member| &member.rooms) {
            self.unsubscribe(id, subscription.room);
        }
    }

    /// A connection hears a room no more; where nobody does, nothing waits.
    fn unsubscribe(&mut self, id: ConnectionId, room: RoomId) {
        let Some(broadcast) = self.rooms.get_mut(&room) else { return };
        broadcast.subscribers.remove(&id);
        if broadcast.subscribers.is_empty() {
            let waits = !broadcast.waiting(room).frames.v2.is_empty();
            self.rooms.remove(&room);
            if waits {
                self.active.retain(|active| *active != room);
            }
        }
    }

    /// Tells everybody in a room of a record; its author, who said it by connection `from`, as their own,
    /// by whatever connection they hear it.
    pub(super) fn record<T: Socket>(
        &mut self,
        from: Option<ConnectionId>,
        record: &Record,
        sessions: &mut Sessions<T>,
    ) {
        let (room, entry) = (record.room, record.entry());
        self.published.insert(room, entry.seq);
        let authors = self.hall.authors(from, entry.person);
        if room == HALL {
            return self.hall.record(entry, record.target.as_ref(), &authors, sessions);
        }
        let Some(broadcast) = self.rooms.get_mut(&room) else { return };
        let own = Copy { own: true, ..Copy::default() };
        for id in &authors {
            let progress = sessions.get_mut(*id).and_then(|it| it.progress_in(room));
            // A peer that is catching up finds its own copy there, unless it will be sent no more of it.
            let is_last = matches!(entry.kind, Kind::Event { event: RoomEvent::Left, .. });
            let is_live = matches!(progress, Some(Progress::Live { .. }));
            if is_live || is_last && progress.is_some() {
                let waiting = broadcast.waiting(room);
                sessions.tell(*id, waiting, |out| encode::record(room, entry, own, out));
            }
        }
        if broadcast.waiting(room).frames.v2.is_empty() {
            self.active.push(room);
        }
        let people = PerProtocol { v1: 0, v2: broadcast.subscribers.len() };
        let other = |out: &mut Vec<u8>| encode::record(room, entry, Copy::default(), out);
        broadcast.frames.push(people, |_| (), other);
        for id in authors {
            if let Some(session) = sessions.get_mut(id) {
                session.take_broadcast(broadcast.waiting(room));
            }
        }
    }

    /// Returns the connections of those who are meant.
    pub(super) fn connections(&self, to: &Recipients) -> Vec<ConnectionId> {
        match to {
            Recipients::One(id) => vec![*id],
            Recipients::Room(HALL) => self.hall.connections(..),
            Recipients::JoinedWithin(_, indices) => self.hall.connections(indices.clone()),
            Recipients::Room(room) => self
                .rooms
                .get(room)
                .map_or_else(Vec::new, |it| it.subscribers.iter().copied().collect()),
        }
    }

    /// Owes a peer all that waits for it in any room.
    pub(super) fn owe_all<T: Socket>(&self, id: ConnectionId, sessions: &mut Sessions<T>) {
        for room in &self.active {
            sessions.owe(id, self.frames(*room), &[]);
        }
        sessions.owe(id, self.hall.waiting(), &[]);
    }

    /// Gives everybody what was told to all in their rooms, as far as that is due; `crowd` people in a
    /// room need no pace. Each is written to at most once: what comes from several rooms is gathered.
    pub(super) fn deliver<T: Socket>(
        &mut self,
        now: Instant,
        crowd: usize,
        sessions: &mut Sessions<T>,
    ) {
        let rooms = &self.rooms;
        let due_at = |room: &RoomId| rooms.get(room).and_then(|it| it.frames.due_at(now));
        let is_due = |room: &mut RoomId| due_at(room).is_none_or(|due| due <= now);
        let mut due: Vec<_> = self.active.extract_if(.., is_due).collect();
        let is_hall_due = self.hall.due_at(now).is_some_and(|due| due <= now);
        let last = if is_hall_due { None } else { due.pop() };
        for room in due {
            self.deliver_room(now, room, crowd, false, sessions);
        }
        if let Some(room) = last {
            self.deliver_room(now, room, crowd, true, sessions);
        }
        if is_hall_due {
            self.hall.deliver(now, crowd, sessions);
        }
    }

    fn deliver_room<T: Socket>(
        &mut self,
        now: Instant,
        room: RoomId,
        crowd: usize,
        directly: bool,
        sessions: &mut Sessions<T>,
    ) {
        let Some(Broadcast { frames, subscribers }) = self.rooms.get_mut(&room) else { return };
        // Their memory is not kept: there may be many rooms.
        let frames = frames.take(now, subscribers.len(), crowd);
        for id in subscribers.iter() {
            sessions.deliver_to(*id, RoomFrames { room, frames: &frames }, directly);
        }
    }
}

impl Broadcast {
    fn waiting(&self, room: RoomId) -> RoomFrames<'_> {
        RoomFrames { room, frames: self.frames.frames() }
    }
}

#[cfg(test)]
mod tests {
    use mio::net::TcpStream;
    use pychat_wire::UserName;

    use super::*;
    use crate::core::record::State;

    const NOBODY: ConnectionId = ConnectionId { slot: 0, generation: 0 };

    /// Returns rooms that one connection hears, all of them.
    fn rooms(count: u32) -> Broadcasts {
        let mut broadcasts = Broadcasts::new([]);
        for room in 1..=count {
            broadcasts.rooms.entry(RoomId(room)).or_default().subscribers.insert(NOBODY);
        }
        broadcasts
    }

    fn say(broadcasts: &mut Broadcasts, room: u32, seq: u64) {
        let record = Record {
            room: RoomId(room),
            seq,
            time_ms: 0,
            author: UserName::new("Анна").unwrap(),
            person: None,
            kind: Kind::Event { event: RoomEvent::Left, subject: None },
            id: None,
            reply: None,
            state: State::default(),
            target: None,
        };
        broadcasts.record(Some(NOBODY), &record, &mut Sessions::<TcpStream>::default());
    }

    #[test]
    fn only_rooms_in_which_something_was_said_are_looked_at() {
        let (mut broadcasts, now) = (rooms(10_000), Instant::now());
        for seq in 1..=3 {
            say(&mut broadcasts, 7, seq);
        }
        say(&mut broadcasts, 9, 1);
        assert_eq!(broadcasts.active, [RoomId(7), RoomId(9)]);
        assert_eq!(broadcasts.published_seq(RoomId(7)), 3);
        assert_eq!(broadcasts.due_at(now), Some(now));
        broadcasts.deliver(now, 100, &mut Sessions::<TcpStream>::default());
        assert_eq!((broadcasts.active.len(), broadcasts.due_at(now)), (0, None));
    }

    #[test]
    fn a_room_of_many_waits_by_itself() {
        let (mut broadcasts, now) = (rooms(2), Instant::now());
        let crowd = (0..1_000).map(|slot| ConnectionId { slot, generation: 1 });
        broadcasts.rooms.get_mut(&RoomId(1)).unwrap().subscribers.extend(crowd);
        for seq in 1..=2 {
            say(&mut broadcasts, 1, seq);
            say(&mut broadcasts, 2, seq);
            broadcasts.deliver(now, 100, &mut Sessions::<TcpStream>::default());
        }
        assert_eq!(broadcasts.active, [RoomId(1)]);
        let due = broadcasts.due_at(now).unwrap();
        assert!(now < due);
        broadcasts.deliver(due, 100, &mut Sessions::<TcpStream>::default());
        assert_eq!(broadcasts.active, []);
    }

    #[test]
    fn a_room_that_nobody_hears_takes_no_memory() {
        let mut broadcasts = rooms(2);
        say(&mut broadcasts, 1, 1);
        for room in [1, 2] {
            broadcasts.unsubscribe(NOBODY, RoomId(room));
        }
        assert!(broadcasts.rooms.is_empty() && broadcasts.active.is_empty());
        say(&mut broadcasts, 1, 2);
        assert!(broadcasts.active.is_empty());
        assert_eq!(broadcasts.published_seq(RoomId(1)), 2);
    }
}
