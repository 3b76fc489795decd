//! The hall, in which everybody is, in either protocol: its people, who comes and goes, and the frames
//! that wait to be delivered to all.
//!
//! Each peer is told only of the coming and going of people whom it does not know of already. One
//! that is catching up hears of these one by one, and no new message until it has been sent every
//! one before it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeBounds,
    time::Instant,
};

use pychat_wire::{UserName, name::YOU, notice::Notice};

use super::{
    encode::{self, Copy},
    frames::{Frames, PacedFrames, RoomFrames},
    session::{Member, Progress, Session, SessionState},
    sessions::Sessions,
};
use crate::{
    core::{
        chat::{CloseReason, PerProtocol, Protocol, Subscribe},
        id::{ConnectionId, HALL},
        record::{Entry, PersonId, Target},
    },
    net::transport::Socket,
};

/// The hall, as those in it are told of it.
#[derive(Debug, Default)]
pub(super) struct Hall {
    frames: PacedFrames,
    /// The members whose connection is still there, by join index. The chat's roster is ahead of
    /// this by the effects that are still to be applied.
    members: BTreeMap<u64, ConnectionId>,
    /// The number of members that speak each protocol.
    speakers: PerProtocol<usize>,
    /// The members that are being sent what they missed before they hear what all hear.
    catching_up: BTreeSet<ConnectionId>,
    /// The members who proved who they are, by person.
    by_person: BTreeSet<(PersonId, ConnectionId)>,
}

impl Hall {
    /// Returns what has not been delivered yet.
    pub(super) fn waiting(&self) -> RoomFrames<'_> {
        RoomFrames { room: HALL, frames: self.frames() }
    }

    fn frames(&self) -> &Frames {
        self.frames.frames()
    }

    /// Returns when there is something to deliver, if there ever is.
    pub(super) fn due_at(&self, now: Instant) -> Option<Instant> {
        self.frames.due_at(now)
    }

    /// A guest becomes a member, and hears what is told to all from here on.
    pub(super) fn subscribe<T: Socket>(
        &mut self,
        id: ConnectionId,
        session: &mut Session<T>,
        subscribe: Subscribe,
    ) {
        let Subscribe { room: _, name, person, protocol, join_index } = subscribe;
        let progress = Progress::Live { offset: self.frames().of(protocol).len() };
        session.state = SessionState::Joined(Member {
            name,
            protocol,
            person,
            join_index,
            progress,
            rooms: Vec::new(),
        });
        session.welcome = session.connection.backlog();
        self.insert(id, protocol, join_index, person);
    }

    /// Goes on with a member of an earlier process.
    pub(super) fn restore<T>(&mut self, id: ConnectionId, session: &Session<T>) {
        let Some(Member { protocol, join_index, person, progress, .. }) = session.member() else {
            return;
        };
        self.insert(id, *protocol, *join_index, *person);
        if *progress == Progress::CatchingUp {
            self.catching_up.insert(id);
        }
    }

    fn insert(
        &mut self,
        id: ConnectionId,
        protocol: Protocol,
        join_index: u64,
        person: Option<PersonId>,
    ) {
        self.members.insert(join_index, id);
        *self.speakers.of_mut(protocol) += 1;
        self.by_person.extend(person.map(|person| (person, id)));
    }

    /// A member is to be sent what it missed before it hears what all hear.
    pub(super) fn begin_catching_up(&mut self, id: ConnectionId) {
        self.catching_up.insert(id);
    }

    /// A member hears what all hear from here on.
    pub(super) fn go_live(&mut self, id: ConnectionId) {
        self.catching_up.remove(&id);
    }

    /// The connection of a member is gone.
    pub(super) fn remove<T>(&mut self, id: ConnectionId, session: &Session<T>) {
        self.catching_up.remove(&id);
        if let Some(member) = session.member()
            && self.members.remove(&member.join_index).is_some()
        {
            *self.speakers.of_mut(member.protocol) -= 1;
            if let Some(person) = member.person {
                self.by_person.remove(&(person, id));
            }
        }
    }

    /// Tells everybody of a message; at the connections of its `authors` as their own.
    pub(super) fn record<T: Socket>(
        &mut self,
        entry: Entry<'_>,
        target: Option<&Target>,
        authors: &[ConnectionId],
        sessions: &mut Sessions<T>,
    ) {
        let words = encode::original_words(entry, target);
        let own = Copy { own: true, ..Copy::default() };
        for id in authors {
            let author = sessions.get_mut(*id).map(|it| (it.protocol(), it.progress()));
            match author {
                Some((Protocol::V1, _)) => {
                    if let Some(words) = &words {
                        let encode = |out: &mut Vec<u8>| encode::message(YOU, words, out);
                        sessions.tell(*id, self.waiting(), encode);
                    }
                }
                Some((Protocol::V2, Some(Progress::Live { .. }))) => {
                    let encode = |out: &mut Vec<u8>| encode::record(HALL, entry, own, out);
                    sessions.tell(*id, self.waiting(), encode);
                }
                // A peer that is catching up finds its own copy there.
                Some((Protocol::V2, _)) | None => (),
            }
        }
        self.frames.push(
            self.speakers,
            |out| {
                if let Some(words) = &words {
                    encode::message(entry.author, words, out);
                }
            },
            |out| encode::record(HALL, entry, Copy::default(), out),
        );
        for id in authors {
            if let Some(session) = sessions.get_mut(*id) {
                session.take_broadcast(self.waiting());
            }
        }
    }

    /// Returns the connections of the person who said something by connection `from`; of somebody who
    /// is nobody in particular, that one, if there is one.
    pub(super) fn authors(
        &self,
        from: Option<ConnectionId>,
        person: Option<PersonId>,
    ) -> Vec<ConnectionId> {
        person.map_or_else(|| from.into_iter().collect(), |person| self.connections_of(person))
    }

    /// Returns the connections of a person.
    fn connections_of(&self, person: PersonId) -> Vec<ConnectionId> {
        let [first, last] =
            [0, u32::MAX].map(|end| (person, ConnectionId { slot: end, generation: end }));
        self.by_person.range(first..=last).map(|(_, id)| *id).collect()
    }

    /// Tells the members that people joined, in join order, each of them only those who joined
    /// before: the others know by their own welcome.
    pub(super) fn joined<T: Socket>(
        &mut self,
        people: &[(UserName, u64)],
        time_ms: u64,
        sessions: &mut Sessions<T>,
    ) {
        let Some((_, first)) = people.first() else { return };
        let later: Vec<_> = self.members.range(first..).map(|(_, id)| *id).collect();
        for id in &later {
            // First all of the broadcast up to here; of what follows they hear only a part.
            sessions.owe(*id, self.waiting(), &[]);
        }
        let mut begins = Vec::with_capacity(people.len());
        for (name, index) in people {
            begins.push((*index, self.frames.ends()));
            self.frames.push(
                self.speakers,
                |out| encode::notice(Notice::Joined { name: name.as_str() }, out),
                |out| encode::joined(name, time_ms, out),
            );
        }
        for id in &self.catching_up {
            let Some(session) = sessions.get_mut(*id) else { continue };
            let rest = session.member().map(|member| rest_for(&begins, member, self.frames()));
            sessions.owe(*id, self.waiting(), rest.unwrap_or_default());
        }
        for id in later {
            let Some(Member { protocol, join_index, progress, .. }) =
                sessions.get_mut(id).and_then(Session::member_mut)
            else {
                continue;
            };
            if let Progress::Live { offset } = progress {
                let end = self.frames().of(*protocol).len();
                *offset = begin_for(&begins, *join_index, *protocol).unwrap_or(end);
            }
        }
    }

    /// Tells all members that somebody left.
    pub(super) fn left<T: Socket>(
        &mut self,
        name: &UserName,
        reason: CloseReason,
        time_ms: u64,
        sessions: &mut Sessions<T>,
    ) {
        let v2 = |out: &mut Vec<u8>| encode::left(name, time_ms, reason, out);
        for id in &self.catching_up {
            sessions.tell(*id, self.waiting(), v2);
        }
        let notice = Notice::Left { name: name.as_str() };
        self.frames.push(self.speakers, |out| encode::notice(notice, out), v2);
    }

    /// Returns the connections of those whose join indices lie within a range.
    pub(super) fn connections(&self, indices: impl RangeBounds<u64>) -> Vec<ConnectionId> {
        self.members.range(indices).map(|(_, id)| *id).collect()
    }

    /// Gives every member what was told to all; `crowd` of them need no pace.
    pub(super) fn deliver<T: Socket>(
        &mut self,
        now: Instant,
        crowd: usize,
        sessions: &mut Sessions<T>,
    ) {
        let frames = self.frames.take(now, self.members.len(), crowd);
        sessions.deliver(&frames);
        self.frames.delivered(frames);
    }
}

/// Returns where in the broadcast the first of several announcements begins that a peer is to hear
/// that joined at `join_index`; `begins` has each one's join index and place.
fn begin_for(
    begins: &[(u64, PerProtocol<usize>)],
    join_index: u64,
    protocol: Protocol,
) -> Option<usize> {
    let first = begins.partition_point(|(joined, _)| *joined <= join_index);
    begins.get(first).map(|(_, begin)| *begin.of(protocol))
}

/// Returns the announcements that a member is to hear.
fn rest_for<'a>(
    begins: &[(u64, PerProtocol<usize>)],
    member: &Member,
    frames: &'a Frames,
) -> &'a [u8] {
    let frames = frames.of(member.protocol);
    let begin = begin_for(begins, member.join_index, member.protocol);
    &frames[begin.unwrap_or(frames.len())..]
}
