//! Announcements of comings and goings, to each peer only of people whom it does not know of
//! already.

use std::ops::Range;

use pychat_wire::{UserName, notice::Notice};

use super::{
    Server, encode,
    session::{Session, Subscription},
};
use crate::{
    core::chat::{CloseReason, Protocol},
    net::connection::Socket,
};

impl<S: Socket> Server<S> {
    /// Tells those in the room that people joined, in join order, each of them only those who joined
    /// before: the others know by their own welcome.
    pub(super) fn announce(&mut self, people: &[(UserName, u64)]) {
        let Some((_, first)) = people.first() else { return };
        let later: Vec<_> = self.room.range(first..).map(|(_, id)| *id).collect();
        for id in &later {
            // First all of the run up to here; of what follows they hear only a part.
            if let Some(session) = self.connections.get_mut(*id) {
                self.queues.owe(*id, session, self.broadcast.frames(), &[]);
            }
        }
        let mut begins = Vec::with_capacity(people.len());
        for (name, index) in people {
            begins.push((*index, self.broadcast.ends()));
            let time_ms = self.utc_ms;
            self.broadcast.push(
                |out| encode::notice(Notice::Joined { name: name.as_str() }, out),
                |out| encode::joined(name, time_ms, out),
            );
        }
        for id in &self.catching_up {
            let Some(session) = self.connections.get_mut(*id) else { continue };
            let begin = begin_for(&begins, session);
            let frames = self.broadcast.frames().of(session.protocol);
            let frames = frames[begin.unwrap_or(frames.len())..].to_vec();
            self.queues.owe(*id, session, self.broadcast.frames(), &frames);
        }
        for id in later {
            let Some(session) = self.connections.get_mut(id) else { continue };
            let begin = begin_for(&begins, session);
            if let Subscription::All { given } = &mut session.subscription {
                *given = begin.unwrap_or(self.broadcast.frames().of(session.protocol).len());
            }
        }
    }

    /// Tells those in the room that somebody left, all of them or those who could know of them.
    pub(super) fn depart(
        &mut self,
        name: &UserName,
        reason: CloseReason,
        known_to: Option<Range<u64>>,
    ) {
        let time_ms = self.utc_ms;
        let Some(known_to) = known_to else {
            self.frame.clear();
            encode::left(name, time_ms, reason, &mut self.frame);
            for id in &self.catching_up {
                if let Some(session) = self.connections.get_mut(*id) {
                    self.queues.owe(*id, session, self.broadcast.frames(), &self.frame);
                }
            }
            let notice = Notice::Left { name: name.as_str() };
            let two = |out: &mut Vec<u8>| out.extend_from_slice(&self.frame);
            return self.broadcast.push(|out| encode::notice(notice, out), two);
        };
        let known_to: Vec<_> = self.room.range(known_to).map(|(_, id)| *id).collect();
        for id in known_to {
            match self.connections.get(id).map(|session| (session.subscription, session.protocol)) {
                Some((Subscription::All { .. }, Protocol::V1)) => {
                    let notice = Notice::Left { name: name.as_str() };
                    self.tell(id, |out| encode::notice(notice, out));
                }
                Some((Subscription::All { .. } | Subscription::Presence, Protocol::V2)) => {
                    self.tell(id, |out| encode::left(name, time_ms, reason, out));
                }
                _ => (),
            }
        }
    }
}

/// Returns where in the broadcast the first of several announcements begins that a peer is to hear;
/// `begins` has each one's join index and place.
fn begin_for<S>(begins: &[(u64, (usize, usize))], session: &Session<S>) -> Option<usize> {
    let first = begins.partition_point(|(joined, _)| Some(*joined) <= session.join_index);
    begins.get(first).map(|(_, (one, two))| match session.protocol {
        Protocol::V1 => *one,
        Protocol::V2 => *two,
    })
}
