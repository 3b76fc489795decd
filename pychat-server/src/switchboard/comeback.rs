//! Connections that another process had before are taken up where they stand.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use pychat_wire::UserName;

use super::{
    CLOSING_TIMEOUT, Switchboard,
    seat::{Hears, Seat, Stay},
};
use crate::{
    chat::{CloseReason, Effect, Protocol, Standing},
    connection::{Connection, Interrupted, Moved, Socket},
    cursors::Cursors,
    id::ConnectionId,
    log::StorageError,
    notes::{Account, Person},
};

/// The most names that one tick says in second welcomes, each of which names everybody in the room.
const WELCOMED_NAMES_MAX: usize = 16 << 10;

/// A socket that waited for this process.
#[derive(Debug)]
pub struct Waiting<S> {
    /// The socket.
    pub socket: S,
    /// Who is at its other end.
    pub peer: SocketAddr,
    /// How far it came.
    pub cursors: Cursors,
}

/// Sockets that waited for this process, by their cookies.
pub type AllWaiting<S> = HashMap<u64, Waiting<S>>;

impl<S: Socket> Switchboard<S> {
    /// Takes up connections that another process had, which gave this `account` of them, and
    /// `register`s each under its id. What cannot be gone on with exactly is closed.
    ///
    /// What the log took and nobody was shown is shown now.
    ///
    /// # Errors
    ///
    /// [`StorageError`]: the log cannot be read.
    pub fn take_up(
        &mut self,
        (now, utc_ms): (Instant, u64),
        account: Option<&Account>,
        mut waiting: AllWaiting<S>,
        mut register: impl FnMut(&mut S, ConnectionId) -> io::Result<()>,
    ) -> Result<(), StorageError> {
        self.utc_ms = self.utc_ms.max(utc_ms);
        let mut departed = Vec::new();
        if let Some(account) = account {
            for person in account.people() {
                let is_taken_up = waiting.remove(&person.peer).is_some_and(|waiting| {
                    self.go_on(now, account, person, waiting, &mut register)
                });
                if !is_taken_up && let Some(name) = name(person) {
                    departed.push(Effect::Depart { name, reason: CloseReason::Lost });
                }
            }
        }
        for waiting in waiting.into_values() {
            self.begin(now, waiting, &mut register);
        }
        if let Some(account) = account.filter(|account| account.epoch == self.log.epoch()) {
            self.publish_after(account.published)?;
        }
        self.effects.extend(departed);
        Ok(())
    }

    /// Goes on with a connection where it stands, or closes it; returns whether it goes on.
    fn go_on(
        &mut self,
        now: Instant,
        account: &Account,
        person: &Person,
        mut waiting: Waiting<S>,
        register: impl FnOnce(&mut S, ConnectionId) -> io::Result<()>,
    ) -> bool {
        let id = self.next_id();
        let interrupted = interrupted(account, person, &mut waiting)
            .filter(|_| register(&mut waiting.socket, id).is_ok());
        let Some(interrupted) = interrupted else {
            waiting.socket.hang_up();
            return false;
        };
        self.seat_again(now, person, waiting, interrupted);
        true
    }

    /// Begins with a connection that nothing was noted of. Who was not read nor written to either has
    /// just called; any other is closed.
    fn begin(
        &mut self,
        now: Instant,
        waiting: Waiting<S>,
        register: impl FnOnce(&mut S, ConnectionId) -> io::Result<()>,
    ) {
        let Waiting { mut socket, peer, cursors } = waiting;
        let id = self.next_id();
        if cursors.moved == Moved::default() && register(&mut socket, id).is_ok() {
            self.admit(now, socket, peer);
        } else {
            socket.hang_up();
        }
    }

    /// Gives a connection its seat again; it has the next id.
    fn seat_again(
        &mut self,
        now: Instant,
        person: &Person,
        waiting: Waiting<S>,
        interrupted: Interrupted,
    ) {
        let Waiting { socket, peer, cursors: _ } = waiting;
        let connection = Connection::resume(socket, self.limits.payload_bytes_max, interrupted);
        let mut seat = Seat::new(now, connection, peer, stay(person));
        (seat.cookie, seat.protocol) = (Some(person.peer), person.protocol);
        let is_present = matches!(seat.stay, Stay::Present(_));
        if is_present {
            seat.hears = match person.protocol {
                Protocol::One => Hears::All { given: 0 },
                Protocol::Two => Hears::Presence, // It will say how far it came.
            };
        }
        let is_left = matches!(seat.stay, Stay::Left);
        self.callers.enter(peer, 0);
        let id = self.connections.insert(seat);
        if !is_left {
            let standing = self.standing(now, person);
            self.chat.restore(now, id, standing);
            let owner = self.chat.owner_of(id);
            if let Some(seat) = self.connections.get_mut(id) {
                seat.owner = owner;
            }
        }
        if is_present && person.protocol == Protocol::Two {
            self.returning.insert(id);
            self.watch(now, id);
            if let Some(keeping) = &mut self.keeping {
                keeping.unwelcomed.push_back(id);
            }
        }
        if person.closing.is_some() {
            self.deadlines.set(id, now + CLOSING_TIMEOUT);
            self.queues.ended.push(id);
        }
        if let Some(seat) = self.connections.get_mut(id) {
            self.queues.mark_ready(id, seat);
            self.queues.mark_dirty(id, seat);
            self.queues.mark_touched(id, seat);
        }
    }

    /// Returns what the chat is to know of somebody.
    fn standing(&self, now: Instant, person: &Person) -> Standing {
        let paced_ms = person.paced_until_ms.map(|until| until.saturating_sub(self.utc_ms));
        Standing {
            name: name(person),
            protocol: person.protocol,
            is_closing: person.closing.is_some(),
            paced_until: paced_ms.map(|ms| now + Duration::from_millis(ms)),
        }
    }

    /// Shows what the log took after number `published`.
    fn publish_after(&mut self, published: u64) -> Result<(), StorageError> {
        let mut records = Vec::new();
        self.log.read(published, |entry| {
            let (author, content) = (entry.author.to_owned(), entry.content.to_owned());
            records.push((entry.seq, entry.time_ms, author, content));
            std::ops::ControlFlow::Continue(())
        })?;
        for (seq, time_ms, author, content) in records {
            let (author, content) = (author.as_str(), content.as_str());
            self.publish(
                None,
                crate::log::Entry { seq, time_ms, author, owner: None, content, id: None },
            );
        }
        Ok(())
    }

    /// Welcomes some of those who have not been welcomed by this process.
    pub(super) fn welcome_again(&mut self) {
        let Some(keeping) = &mut self.keeping else { return };
        let count = 1.max(WELCOMED_NAMES_MAX / self.chat.roster().len().max(1));
        for id in keeping.unwelcomed.drain(..count.min(keeping.unwelcomed.len())) {
            self.chat.welcome_again(id, &mut self.effects);
        }
    }
}

/// Returns the name under which somebody is in the room, if it is.
fn name(person: &Person) -> Option<UserName> {
    let (name, _) = person.joined.as_ref()?;
    UserName::new(name).ok()
}

/// Returns where somebody stands between coming and going.
fn stay(person: &Person) -> Stay {
    match (name(person), person.closing) {
        (None, None) => Stay::Guest,
        (Some(name), None) => Stay::Present(name),
        (None, Some(_)) => Stay::Left,
        (Some(name), Some(reason)) => Stay::Ending { name: Some(name), reason, error: None },
    }
}

/// Returns how to go on with somebody exactly where it stands; nothing if that cannot be known.
fn interrupted<S: Socket>(
    account: &Account,
    person: &Person,
    waiting: &mut Waiting<S>,
) -> Option<Interrupted> {
    let Cursors { moved, is_ended } = waiting.cursors;
    let owed = account.owed(person, moved.written)?;
    // What was noted as read may still be there.
    let mut rest = usize::try_from(person.read.checked_sub(moved.read)?).ok()?;
    let mut scratch = [0; 4 << 10];
    while 0 < rest {
        match waiting.socket.read(&mut scratch[..rest.min(4 << 10)]) {
            Ok(size) if 0 < size => rest -= size,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Ok(_) | Err(_) => return None,
        }
    }
    if person.joined.is_some() {
        name(person)?;
    }
    Some(Interrupted {
        moved: Moved { read: person.read, written: moved.written },
        unfinished: person.unfinished.clone(),
        owed,
        is_ended,
        is_closing: person.closing.is_some(),
    })
}
