//! One connection after another, as the client wants them.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use gtk::{glib, glib::prelude::*, glib::subclass::prelude::*};
use pychat_wire::{Client, client::Destination};

use super::{Account, STEP_TIMEOUT, Session, SessionState, now_ms};
use crate::{
    session::{
        attempt::{self, Attempt, Round, Target},
        disconnect_reason::DisconnectReason,
        encryption::{Encryption, Secured},
        error_text,
        transport::{Incoming, Line},
        trust::{Expected, Trust},
    },
    text::server_address::ServerAddress,
};

/// The number of one attempt to join, and of the connection that came of it.
type AttemptId = u64;

/// A connection, in whichever state it is.
#[derive(Debug, Default)]
pub(super) enum Connection {
    #[default]
    None,
    Connecting(glib::JoinHandle<()>),
    Open(Line),
}

/// The connection of a session, and the attempt that it came of.
#[derive(Debug)]
pub(super) struct Connecting {
    pub(super) connection: RefCell<Connection>,
    attempt: Cell<AttemptId>,
    /// The time limit for each step of an attempt.
    pub(super) time_limit: Cell<Duration>,
    /// The protection of the connection.
    pub(super) encryption: RefCell<Option<Encryption>>,
    /// The newest protocol that the server speaks; 0 if it does not say.
    protocol: Cell<u64>,
    /// The attempts of the last round at the server's addresses, and the place among them of the one
    /// that led to the connection.
    pub(super) attempts: RefCell<Vec<Attempt>>,
    connected: Cell<Option<usize>>,
    /// The address of the last connection.
    address: RefCell<Option<ServerAddress>>,
    /// The reason why the last attempt failed, where only we know it.
    pub(super) failure: RefCell<Option<DisconnectReason>>,
}

impl Default for Connecting {
    fn default() -> Self {
        Self {
            connection: RefCell::default(),
            attempt: Cell::default(),
            time_limit: Cell::new(STEP_TIMEOUT),
            encryption: RefCell::default(),
            protocol: Cell::default(),
            attempts: RefCell::default(),
            connected: Cell::default(),
            address: RefCell::default(),
            failure: RefCell::default(),
        }
    }
}

impl Session {
    /// Returns why there is no connection, in words, and what can be done about it.
    pub fn disconnect_sentence(&self) -> Option<String> {
        let reason = self.disconnect_reason()?;
        let attempts = self.imp().connecting.attempts.borrow();
        let at = attempt::furthest(&attempts).filter(|it| it.failed_step() == reason.step());
        let server = at.map_or_else(|| self.server(), |attempt| attempt.address.to_string());
        Some(error_text::disconnect_reason(&reason, &server))
    }

    /// Returns the attempts of the last round at the server's addresses, in order; none if it let us in.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.imp().connecting.attempts.borrow().clone()
    }

    /// Forgets by which certificate the server was known, or that it had one, and joins again.
    pub fn trust_anew(&self) {
        let Some(account) = self.account() else { return };
        let trust = Trust::of(&self.imp().persistence.folder.borrow(), account.server());
        if let Err(error) = trust.forget() {
            glib::g_warning!("pychat", "cannot forget a certificate: {error}");
        }
        self.with_client(Client::forget_told);
        if self.has_conversation() {
            self.imp().access.take(); // The link has led here once; since then the reader has decided.
        }
        match self.state() {
            SessionState::Disconnected => {
                let access = self.imp().access.borrow().clone();
                self.join_by(account, access);
            }
            _ => self.rejoin(),
        }
    }

    /// Has a connection made.
    pub(super) fn begin_connecting(&self) {
        let Some(account) = self.account() else { return };
        let connecting = &self.imp().connecting;
        let attempt = self.next_attempt();
        connecting.failure.take();
        let limit = connecting.time_limit.get();
        let trust = Trust::of(&self.imp().persistence.folder.borrow(), account.server());
        let access = self.imp().access.borrow().clone();
        let expected = Expected { trust, pin: access.pin, is_found: access.is_found };
        let targets = self.targets(&account, &access.others);
        let weak = self.downgrade();
        let task = glib::spawn_future_local(async move {
            let on_connected = || {
                if let Some(session) = weak.upgrade() {
                    session.set_state(SessionState::Joining);
                }
            };
            let round = Round::run(&targets, &expected, limit, on_connected).await;
            if let Some(session) = weak.upgrade() {
                session.on_round(attempt, round);
            }
        });
        connecting.connection.replace(Connection::Connecting(task));
        self.set_retry_at(None);
        self.set_state(SessionState::Connecting);
    }

    /// Ends the connection, or the attempt at one; what was said last goes along the line that is returned.
    pub(super) fn take_line(&self) -> Option<Line> {
        self.send();
        self.next_attempt();
        match self.imp().connecting.connection.take() {
            Connection::None => None,
            Connection::Connecting(task) => {
                task.abort();
                None
            }
            Connection::Open(line) => Some(line),
        }
    }

    /// Hello can be said, or the attempt ends.
    fn on_round(&self, attempt: AttemptId, round: Round) {
        let connecting = &self.imp().connecting;
        connecting.connection.take(); // The task that calls this; it is about to end.
        connecting.connected.set(round.secured.as_ref().map(|(n, _)| *n));
        let failure = round.failure().cloned();
        self.on_attempts(&round);
        connecting.attempts.replace(round.attempts);
        let Some((_, secured)) = round.secured else {
            return self.fail(failure.unwrap_or(DisconnectReason::NoAnswer));
        };
        let Secured { stream, bytes, protocol, encryption, binding } = secured;
        connecting.encryption.replace(Some(encryption));
        connecting.protocol.set(protocol);
        let weak = self.downgrade();
        let line = Line::open(stream, move |incoming| {
            if let Some(session) = weak.upgrade() {
                session.on_incoming(attempt, incoming);
            }
        });
        connecting.connection.replace(Connection::Open(line));
        self.tell_client(|client| {
            client.connected(now_ms());
            if let Some(binding) = binding {
                client.secured(now_ms(), binding);
            }
            client.receive(now_ms(), &bytes);
        });
    }

    /// Returns the servers to try: in the order that the client wants, and beside those that it knows the
    /// ones that only this computer understands, or that were found in the network.
    fn targets(&self, account: &Account, others: &[ServerAddress]) -> Vec<Target> {
        let route = self.with_client(Client::route).unwrap_or_default();
        let target = |it: &Destination| {
            let address = ServerAddress::try_from(&it.address).ok()?;
            Some(Target { address, is_told: it.is_told })
        };
        let mut targets = Vec::new();
        let of_client = route.iter().filter_map(target);
        let given = |address: &ServerAddress| Target { address: address.clone(), is_told: false };
        let is_known = route.iter().filter_map(target).any(|it| it.address == *account.server());
        let first = if is_known { None } else { Some(given(account.server())) };
        for target in first.into_iter().chain(of_client).chain(others.iter().map(given)) {
            if targets.iter().all(|it: &Target| it.address != target.address) {
                targets.push(target);
            }
        }
        targets
    }

    /// Tells the client which servers were tried in vain, and which one is there.
    fn on_attempts(&self, round: &Round) {
        let connected = round.secured.as_ref().map(|(n, _)| *n);
        for (n, attempt) in round.attempts.iter().enumerate() {
            let address = attempt.address.to_link_address();
            if connected == Some(n) {
                self.imp().connecting.address.replace(Some(attempt.address.clone()));
                self.with_client(|client| address.map(|address| client.reached(&address)));
            } else {
                self.with_client(|client| address.map(|address| client.missed(&address)));
            }
        }
    }

    /// Returns true if the last connection was to another address than the first of the chat.
    pub(super) fn is_elsewhere(&self) -> bool {
        let address = self.imp().connecting.address.borrow();
        let account = self.account();
        address.as_ref().zip(account.as_ref()).is_some_and(|(it, account)| it != account.server())
    }

    /// Returns why the server did not let us in over the connection that there was, by what is known
    /// of it, and remembers that for the attempt.
    pub(super) fn explained(&self, reason: DisconnectReason) -> DisconnectReason {
        let connecting = &self.imp().connecting;
        let Some(connected) = connecting.connected.take() else { return reason };
        let reason = reason.explained(connecting.protocol.get());
        if let Some(attempt) = connecting.attempts.borrow_mut().get_mut(connected) {
            attempt.reason = Some(reason.clone());
        }
        reason
    }

    /// Forgets the attempts that led into the room.
    pub(super) fn forget_attempts(&self) {
        self.imp().connecting.connected.take();
        self.imp().connecting.attempts.take();
    }

    fn on_incoming(&self, attempt: AttemptId, incoming: Incoming<'_>) {
        if !self.is_current(attempt) {
            return;
        }
        match incoming {
            Incoming::Bytes(bytes) => self.tell_client(|client| client.receive(now_ms(), bytes)),
            Incoming::End(end) => {
                if let Err(error) = end {
                    glib::g_info!("pychat", "{}: {error}", self.server());
                }
                self.close_line();
                self.tell_client(|client| client.disconnected(now_ms()));
            }
        }
    }

    /// Ends an attempt for a reason that only we know.
    fn fail(&self, failure: DisconnectReason) {
        self.close_line();
        self.imp().connecting.failure.replace(Some(failure));
        self.tell_client(|client| client.disconnected(now_ms()));
    }

    /// Closes what there is of a connection, in its own time.
    pub(super) fn close_line(&self) {
        drop(self.take_line());
    }

    fn next_attempt(&self) -> AttemptId {
        let attempt = self.imp().connecting.attempt.get() + 1;
        self.imp().connecting.attempt.set(attempt);
        attempt
    }

    fn is_current(&self, attempt: AttemptId) -> bool {
        self.imp().connecting.attempt.get() == attempt
    }
}
