//! One person's connection to a server and its state, over its whole life.
//!
//! It wraps [`pychat_wire::Client`], which decides, and a [`Line`], which moves bytes; it gathers
//! what there is to show in a [`History`](crate::model::History) and never meets a widget.
//!
//! ```text
//!                 join              connected           welcome
//!  Disconnected ───────▶ Connecting ─────────▶ Joining ─────────▶ Joined
//!       ▲                 │ ▲   │                 │                 │
//!       └── failed, ──────┘ │   └──── failed, ────┤                 │ line broke,
//!           first time      │         been in     ▼                 ▼ server stopped
//!                           └───────────────────────── Lost ◀───────┘
//!                                    rejoin
//! ```
//!
//! From everywhere `leave` goes back to `Disconnected`. Each attempt has a number that is never
//! used again; whatever arrives late, of an attempt that is over, finds nobody.

mod imp;

use std::{iter, time::Duration};

use gtk::{
    gio, glib,
    glib::{prelude::*, subclass::prelude::*},
};
use pychat_wire::{
    Client, UserName,
    client::{Event, SayError, ServerNotice},
};

use crate::{
    ending::Ending,
    model::{Message, MessageKind},
    server_address::ServerAddress,
    transport::{self, Incoming, Line, TransportError},
    wording,
};

/// How long connecting and joining may take together.
pub const JOIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a session stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, glib::Enum)]
#[enum_type(name = "PychatSessionState")]
pub enum SessionState {
    /// There is no connection, and no conversation.
    #[default]
    Disconnected,
    /// The server is being called.
    Connecting,
    /// The server has answered, and has not let us in yet.
    Joining,
    /// We are in the room.
    Joined,
    /// We were in the room; what was said there can still be read.
    Lost,
}

/// What there is of a connection.
#[derive(Debug, Default)]
enum Link {
    #[default]
    Down,
    Calling(glib::JoinHandle<()>),
    Open {
        line: Line,
        client: Box<Client>,
    },
}

/// Names one attempt to join, and the connection that came of it.
type Attempt = u64;

glib::wrapper! {
    /// One person's connection to a server.
    pub struct Session(ObjectSubclass<imp::Session>);
}

impl Default for Session {
    fn default() -> Self {
        glib::Object::new()
    }
}

impl Session {
    /// Makes a session that gives up joining after `timeout` instead of [`JOIN_TIMEOUT`].
    pub fn with_timeout(timeout: Duration) -> Self {
        let session = Self::default();
        session.imp().timeout.set(timeout);
        session
    }

    /// Joins `server` as `name`, with a new conversation. Does nothing unless `Disconnected`.
    pub fn join(&self, name: UserName, server: ServerAddress) {
        if self.state() != SessionState::Disconnected {
            return;
        }
        self.history().clear();
        self.imp().identity.replace(Some((name, server)));
        self.begin();
    }

    /// Joins again, where and as before, and keeps the conversation. Does nothing unless `Lost`.
    pub fn rejoin(&self) {
        if self.state() == SessionState::Lost {
            self.begin();
        }
    }

    /// Gives up joining. Does nothing once joined.
    pub fn cancel(&self) {
        if self.is_joining() {
            self.end(None);
        }
    }

    /// Says `text` to everybody in the room.
    ///
    /// # Errors
    ///
    /// [`SayError`] if it cannot be sent; the text is still the caller's then.
    pub fn say(&self, text: &str) -> Result<(), SayError> {
        match &mut *self.imp().link.borrow_mut() {
            Link::Open { line, client } => {
                client.say(text)?;
                line.send(client.take_outgoing());
                Ok(())
            }
            Link::Down | Link::Calling(_) => Err(SayError::NotJoined),
        }
    }

    /// Leaves the room; resolves when the connection has been closed in order.
    pub async fn leave(&self) {
        let line = self.hang_up();
        self.imp().has_conversation.set(false);
        self.imp().ending.take();
        self.set_state(SessionState::Disconnected);
        if let Some(line) = line {
            line.finish().await;
        }
    }

    /// Returns who we asked to be, and where; `None` before the first attempt.
    pub fn identity(&self) -> Option<(UserName, ServerAddress)> {
        self.imp().identity.borrow().clone()
    }

    /// Returns why there is no connection, if that was nobody's wish.
    pub fn ending(&self) -> Option<Ending> {
        self.imp().ending.borrow().clone()
    }

    /// Returns true if there is a conversation to be read, connected or not.
    pub fn has_conversation(&self) -> bool {
        self.imp().has_conversation.get()
    }

    /// Returns true while connecting or joining.
    pub fn is_joining(&self) -> bool {
        matches!(self.state(), SessionState::Connecting | SessionState::Joining)
    }

    /// Calls `f` with every text that was sent and never came back, once its connection is gone.
    /// Several texts arrive as one, in order, a line apart.
    pub fn connect_returned(&self, f: impl Fn(&Self, &str) + 'static) -> glib::SignalHandlerId {
        self.connect_closure(
            "returned",
            false,
            glib::closure_local!(|session: &Session, text: &str| f(session, text)),
        )
    }

    /// `Disconnected` and `Lost` become `Connecting`.
    fn begin(&self) {
        let imp = self.imp();
        let Some((name, server)) = self.identity() else { return };
        let attempt = self.next_attempt();
        imp.ending.take();
        imp.is_server_stopping.set(false);
        self.set_name(name.as_str());
        self.set_server(&server.to_string());

        let weak = self.downgrade();
        let calling = glib::spawn_future_local(async move {
            let connected = transport::connect(&server).await;
            if let Some(session) = weak.upgrade() {
                session.on_connected(attempt, name, connected);
            }
        });
        imp.link.replace(Link::Calling(calling));
        self.set_state(SessionState::Connecting);

        let (weak, timeout) = (self.downgrade(), imp.timeout.get());
        glib::spawn_future_local(async move {
            glib::timeout_future(timeout).await;
            if let Some(session) = weak.upgrade() {
                session.on_timeout(attempt);
            }
        });
    }

    /// `Connecting` becomes `Joining`, or the attempt ends.
    fn on_connected(
        &self,
        attempt: Attempt,
        name: UserName,
        connected: Result<gio::SocketConnection, TransportError>,
    ) {
        self.imp().link.take(); // The task that calls this; it is about to end.
        match connected {
            Ok(connection) => {
                let weak = self.downgrade();
                let line = Line::open(connection, move |incoming| {
                    if let Some(session) = weak.upgrade() {
                        session.on_incoming(attempt, incoming);
                    }
                });
                let client = Box::new(Client::new(name));
                self.imp().link.replace(Link::Open { line, client });
                self.set_state(SessionState::Joining);
            }
            Err(error) => self.end(Some(error.into())),
        }
    }

    fn on_timeout(&self, attempt: Attempt) {
        if self.is_current(attempt) && self.is_joining() {
            self.end(Some(Ending::NoAnswer));
        }
    }

    fn on_incoming(&self, attempt: Attempt, incoming: Incoming<'_>) {
        if !self.is_current(attempt) {
            return;
        }
        match incoming {
            Incoming::Bytes(bytes) => {
                for event in self.receive(bytes) {
                    if self.is_current(attempt) {
                        self.on_event(event);
                    }
                }
            }
            Incoming::End(end) => self.end(Some(self.why(end))),
        }
    }

    /// Says why the line has ended.
    fn why(&self, end: Result<(), TransportError>) -> Ending {
        if self.imp().is_server_stopping.get() {
            Ending::ServerStopped
        } else if self.is_joining() {
            Ending::CutShort
        } else {
            end.map_or_else(Ending::from, |()| Ending::Lost)
        }
    }

    fn receive(&self, bytes: &[u8]) -> Vec<Event> {
        match &mut *self.imp().link.borrow_mut() {
            Link::Open { line, client } => {
                client.receive(bytes);
                line.send(client.take_outgoing());
                iter::from_fn(|| client.next_event()).collect()
            }
            Link::Down | Link::Calling(_) => Vec::new(),
        }
    }

    fn on_event(&self, event: Event) {
        match event {
            Event::Joined { name, others } => self.on_joined(&name, &others),
            Event::Refused { reason } => self.end(Some(Ending::Rejected { reason })),
            Event::Message { author, content, own } => {
                let kind = if own { MessageKind::Own } else { MessageKind::Other };
                self.show(kind, &author, &content);
            }
            Event::Notice(notice) => {
                if notice == ServerNotice::Stopping {
                    self.imp().is_server_stopping.set(true);
                }
                self.show(MessageKind::Notice, "", &wording::server_notice(notice));
            }
            Event::Broken(error) => self.end(Some(Ending::Garbled(error))),
        }
    }

    /// `Joining` becomes `Joined`.
    fn on_joined(&self, name: &str, others: &[String]) {
        self.set_name(name);
        self.imp().has_conversation.set(true);
        self.show(MessageKind::Welcome, "", &wording::welcome(name, others));
        self.history().flush();
        self.set_state(SessionState::Joined);
    }

    /// Everything but `Disconnected` becomes `Lost`, or `Disconnected` where there is nothing to
    /// lose.
    fn end(&self, ending: Option<Ending>) {
        if let Some(line) = self.hang_up() {
            glib::spawn_future_local(line.finish());
        }
        if let Some(ending) = &ending {
            glib::g_info!("pychat", "{}: {ending:?}", self.server());
        }
        self.imp().ending.replace(ending);
        self.set_state(if self.has_conversation() {
            SessionState::Lost
        } else {
            SessionState::Disconnected
        });
    }

    /// Takes the link down, shows what it brought and gives back what it did not take along.
    fn hang_up(&self) -> Option<Line> {
        self.next_attempt();
        self.history().flush();
        match self.imp().link.take() {
            Link::Down => None,
            Link::Calling(task) => {
                task.abort();
                None
            }
            Link::Open { line, client } => {
                let texts: Vec<_> = client.unacknowledged().collect();
                if !texts.is_empty() {
                    self.emit_by_name::<()>("returned", &[&texts.join("\n")]);
                }
                Some(line)
            }
        }
    }

    fn show(&self, kind: MessageKind, author: &str, text: &str) {
        let now_ms = glib::real_time() / 1_000;
        self.history().push(Message::new(kind, author, text, now_ms));
    }

    fn next_attempt(&self) -> Attempt {
        let attempt = self.imp().attempt.get() + 1;
        self.imp().attempt.set(attempt);
        attempt
    }

    fn is_current(&self, attempt: Attempt) -> bool {
        self.imp().attempt.get() == attempt
    }

    fn set_state(&self, state: SessionState) {
        if self.imp().state.replace(state) != state {
            self.notify_state();
        }
    }

    fn set_name(&self, name: &str) {
        if self.imp().name.replace(name.to_owned()) != name {
            self.notify_name();
        }
    }

    fn set_server(&self, server: &str) {
        if self.imp().server.replace(server.to_owned()) != server {
            self.notify_server();
        }
    }
}
