//! One connection after another, as the client wants them.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use gtk::{gio, glib, glib::prelude::*, glib::subclass::prelude::*};

use super::{JOIN_TIMEOUT, Session, SessionState, now_ms};
use crate::session::{
    disconnect_reason::DisconnectReason,
    encryption::{self, Encryption, Secured},
    transport::{self, Incoming, Line, TransportError},
    trust::Trust,
};

/// The number of one attempt to join, and of the connection that came of it.
type Attempt = u64;

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
    attempt: Cell<Attempt>,
    /// The time limit for an attempt.
    pub(super) time_limit: Cell<Duration>,
    /// Ends an attempt that takes longer.
    join_timeout: RefCell<Option<glib::JoinHandle<()>>>,
    /// The protection of the connection.
    pub(super) encryption: RefCell<Option<Encryption>>,
    /// The reason why the last attempt failed, where only we know it.
    pub(super) failure: RefCell<Option<DisconnectReason>>,
}

impl Default for Connecting {
    fn default() -> Self {
        Self {
            connection: RefCell::default(),
            attempt: Cell::default(),
            time_limit: Cell::new(JOIN_TIMEOUT),
            join_timeout: RefCell::default(),
            encryption: RefCell::default(),
            failure: RefCell::default(),
        }
    }
}

impl Session {
    /// Has a connection made.
    pub(super) fn begin_connecting(&self) {
        let Some(account) = self.account() else { return };
        let imp = self.imp();
        let attempt = self.next_attempt();
        imp.connecting.failure.take();
        let weak = self.downgrade();
        let expected = imp.access.get().pin;
        let trust = Trust::of(&imp.persistence.folder.borrow(), account.server());
        let connecting = glib::spawn_future_local(async move {
            let (host, port) = (account.server().host(), account.server().port());
            let address = gio::NetworkAddress::new(host, port);
            let secured = async {
                let connection = transport::connect(&address).await?;
                if let Some(session) = weak.upgrade() {
                    session.set_state(SessionState::Joining);
                }
                encryption::secure(connection, &address, &trust, expected).await
            };
            let secured = secured.await;
            if let Some(session) = weak.upgrade() {
                session.on_secured(attempt, secured);
            }
        });
        imp.connecting.connection.replace(Connection::Connecting(connecting));
        self.set_retry_at(None);
        self.set_state(SessionState::Connecting);

        let (weak, timeout) = (self.downgrade(), imp.connecting.time_limit.get());
        let join_timeout = glib::spawn_future_local(async move {
            glib::timeout_future(timeout).await;
            if let Some(session) = weak.upgrade() {
                session.on_timeout(attempt);
            }
        });
        imp.connecting.join_timeout.replace(Some(join_timeout));
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
    fn on_secured(&self, attempt: Attempt, secured: Result<Secured, TransportError>) {
        self.imp().connecting.connection.take(); // The task that calls this; it is about to end.
        match secured {
            Ok(Secured { stream, bytes, encryption, binding }) => {
                self.imp().connecting.encryption.replace(Some(encryption));
                let weak = self.downgrade();
                let line = Line::open(stream, move |incoming| {
                    if let Some(session) = weak.upgrade() {
                        session.on_incoming(attempt, incoming);
                    }
                });
                self.imp().connecting.connection.replace(Connection::Open(line));
                self.tell_client(|client| {
                    client.connected(now_ms());
                    if let Some(binding) = binding {
                        client.secured(now_ms(), binding);
                    }
                    client.receive(now_ms(), &bytes);
                });
            }
            Err(error) => self.fail(error.into()),
        }
    }

    fn on_timeout(&self, attempt: Attempt) {
        self.imp().connecting.join_timeout.take(); // The task that calls this; it is about to end.
        if !self.is_current(attempt) {
            return;
        }
        match self.state() {
            SessionState::Connecting => self.fail(DisconnectReason::NoAnswer),
            SessionState::Joining => self.fail(DisconnectReason::Mute),
            _ => (),
        }
    }

    fn on_incoming(&self, attempt: Attempt, incoming: Incoming<'_>) {
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

    fn next_attempt(&self) -> Attempt {
        let attempt = self.imp().connecting.attempt.get() + 1;
        self.imp().connecting.attempt.set(attempt);
        self.clear_join_timeout();
        attempt
    }

    /// Nobody waits any longer for the attempt to lead somewhere.
    pub(super) fn clear_join_timeout(&self) {
        if let Some(join_timeout) = self.imp().connecting.join_timeout.take() {
            join_timeout.abort();
        }
    }

    fn is_current(&self, attempt: Attempt) -> bool {
        self.imp().connecting.attempt.get() == attempt
    }
}
