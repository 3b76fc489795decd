//! The loop: one thread waits for readiness, for signals and for the next deadline.
//!
//! The reactor alone calls `Poll::poll` and reads the clock. Each source is registered once, and
//! edges only set bits; what becomes possible is done by the [`Server`], once a tick.
//!
//! ```text
//!     a signal, or other          everybody gone,           other servers know
//!  Running ──────────▶ Draining ── or the deadline ──▶ Closing ─── that it stops ───▶ Stopped
//!     │ SIGUSR2           ▲  └────── a second signal ──────┴────────────────────────────▲
//!     │                   └── it does not take them
//!     └────────▶ HandingOver ── the service manager has the connections ──▶ HandedOver
//! ```

mod accepting;
mod calls;
mod ending;
mod fdstore;
mod links;
mod listening;
mod metrics;
mod reload;
mod start;

use std::{
    io::{self, ErrorKind},
    mem,
    os::fd::OwnedFd,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use mio::{Events, Interest, Poll, Token, event::Source, net::TcpStream};

pub use self::{accepting::ACCEPT_RETRY, ending::DRAIN_TIMEOUT, start::StartError};
use self::{
    accepting::{Accepting, Listener},
    calls::Calls,
    ending::{HAND_OVER_RETRY, Phase},
    listening::Listening,
    metrics::MetricsFile,
};
use crate::{
    config::Config,
    control::CALLERS_MAX,
    core::id::ConnectionId,
    logging,
    net::{identity::Identity, listen},
    server::Server,
    signals::{Request, Signals},
    store::{self, Store},
    systemd::{Inherited, Manager},
};

/// The most edges taken from the kernel at once.
const EVENTS_MAX: usize = 1_024;

/// Tokens from here on are not connections' (their slots never come near): signals, operators, the
/// store and listeners.
const SIGNALS: Token = Token(usize::MAX);
const FIRST_CALLER: Token = Token(usize::MAX - CALLERS_MAX);
const CONTROL: Token = Token(FIRST_CALLER.0 - 1);
const STORE: Token = Token(CONTROL.0 - store::SOCKETS_MAX);
const FIRST_LISTENER: Token = Token(usize::MAX - u16::MAX as usize);

/// The server's loop.
#[derive(Debug)]
pub struct Reactor {
    poll: Poll,
    events: Events,
    listening: Listening,
    signals: Signals,
    calls: Calls,
    server: Server<TcpStream>,
    earlier: Earlier,
    manager: Manager,
    config: Config,
    phase: Phase,
}

/// The sockets of an earlier process, until the loop begins.
#[derive(Debug)]
struct Earlier {
    /// Connections that came before there was a loop, until they are taken in.
    waiting: Vec<TcpStream>,
    /// The carriers of its connections, until these are restored.
    carriers: Vec<OwnedFd>,
}

impl Reactor {
    /// Opens the listening sockets, unless some are `inherited`, and everything else that the loop
    /// needs.
    ///
    /// # Errors
    ///
    /// [`StartError`]: nothing has been opened then.
    pub fn bind(config: Config, mut inherited: Inherited) -> Result<Self, StartError> {
        let mut poll = Poll::new()?;
        let mut signals = Signals::subscribe(poll.registry(), SIGNALS)?;
        let mut store = start::open_store(&config)?;
        store.register(poll.registry(), STORE)?;
        open(&mut *store, &mut poll, &mut signals)?; // Before anybody can call.
        let mut listeners = Vec::new();
        let carriers = mem::take(&mut inherited.carriers);
        let kept = inherited.own_listeners.drain(..);
        let waiting = kept.flat_map(|kept| listen::take_over(&kept)).collect();
        let (sockets, is_own) = start::listeners(&config.listen, inherited.listeners)?;
        for (index, mut socket) in sockets.into_iter().enumerate() {
            let token = Token(FIRST_LISTENER.0 + index);
            poll.registry().register(&mut socket, token, Interest::READABLE)?;
            let address = socket.local_addr()?;
            listeners.push(Listener { socket, address, is_own, accepting: Accepting::Ready });
        }
        let identity = config.identity.as_ref().map(Identity::load).transpose()?;
        let metrics = MetricsFile::new(config.metrics_file.clone());
        let calls = Calls::open(config.control.as_ref(), metrics, &poll)?;
        let mut server = start::open_server(&config.limits, store)?;
        server.set_shown(&config.name, &config.reach.servers);
        Ok(Self {
            poll,
            events: Events::with_capacity(EVENTS_MAX),
            listening: Listening { listeners, are_stored: false, identity, known_until: None },
            signals,
            calls,
            server,
            earlier: Earlier { waiting, carriers },
            manager: Manager::of_process(),
            config,
            phase: Phase::Running,
        })
    }

    /// Turns the loop until a signal stops the server.
    ///
    /// # Errors
    ///
    /// Waiting itself failed, which no peer can bring about; or the other servers of the chat go on without
    /// this one, which can only begin anew.
    pub fn run(mut self) -> io::Result<()> {
        logging::started();
        if let Some(place) = self.config.history.place() {
            logging::keeping(&place);
        }
        start::raise_descriptor_limit(self.config.limits.connections_max);
        self.restore(Instant::now());
        let mut addresses = Vec::new();
        if let Some(identity) = &self.listening.identity {
            logging::encrypting(&identity.pin);
        }
        for listener in &self.listening.listeners {
            logging::listening(listener.address);
            addresses.push(listener.address.to_string());
        }
        self.listening.announce(&self.config.name);
        self.look_around(Instant::now());
        self.invite(Instant::now());
        self.manager.ready(Instant::now(), &addresses);
        self.store_listeners(Instant::now());
        while !self.is_over() {
            self.tick()?;
        }
        if let Phase::Stopped = self.phase {
            self.calls.metrics.remove();
            logging::stopped(self.server.len());
        }
        self.server.store().end().map_or(Ok(()), |error| Err(io::Error::other(error.clone())))
    }

    /// Waits once, then does everything that became possible.
    fn tick(&mut self) -> io::Result<()> {
        let poll_timeout = self.poll_timeout(Instant::now());
        wait(&mut self.poll, &mut self.events, poll_timeout)?;
        let (now, utc_ms) = (Instant::now(), utc_ms()); // Read once; everyone below is told.
        if let Phase::Closing { .. } = self.phase {
            self.note_readiness(now);
            self.advance(now);
            return Ok(());
        }
        self.store_listeners(now);
        self.look_around(now);
        self.note_readiness(now);
        self.accept_all(now);
        self.calls.take_in(now, &self.poll, &mut self.server);
        self.server.tick(now, utc_ms);
        self.calls.answer(now, &mut self.server);
        self.calls.write_metrics(now, &self.server);
        self.advance(now);
        self.manager.maintain(now, self.server.people());
        Ok(())
    }

    /// Gives the manager the sockets that listen, unless it has them.
    fn store_listeners(&mut self, now: Instant) {
        let Listening { listeners, are_stored, .. } = &mut self.listening;
        if !*are_stored {
            *are_stored = fdstore::store_listeners(now, &mut self.manager, listeners);
        }
    }

    /// Goes on with the connections of an earlier process, and takes in those that came meanwhile.
    fn restore(&mut self, now: Instant) {
        let carriers = mem::take(&mut self.earlier.carriers);
        let (poll, server) = (&self.poll, &mut self.server);
        let offer = self.listening.offer();
        fdstore::restore_connections(now, &carriers, &self.manager, poll, server, offer.as_ref());
        fdstore::admit_waiting(
            now,
            mem::take(&mut self.earlier.waiting),
            poll,
            server,
            offer.as_ref(),
        );
    }

    /// Returns how long the loop may wait; `None` is for ever.
    fn poll_timeout(&mut self, now: Instant) -> Option<Duration> {
        if let Phase::Closing { deadline, .. } = self.phase {
            let next = self.server.store().next_deadline().map_or(deadline, |it| it.min(deadline));
            return Some(next.saturating_duration_since(now));
        }
        let mut next = self.server.next_deadline(now);
        let mut sooner = |deadline| next = Some(next.map_or(deadline, |next| deadline.min(next)));
        if let Some(deadline) = self.manager.next_deadline() {
            sooner(deadline);
        }
        for listener in &self.listening.listeners {
            match listener.accepting {
                Accepting::Ready => sooner(now),
                Accepting::Drained => (),
                Accepting::Resting { until } => sooner(until),
            }
        }
        if self.server.has_work() {
            sooner(now);
        }
        if let Some(deadline) = self.calls.next_deadline(now) {
            sooner(deadline);
        }
        if let Some(deadline) = self.manager.keep_deadline() {
            sooner(deadline);
        }
        match self.phase {
            Phase::Draining { deadline } => sooner(deadline),
            Phase::HandingOver { .. } => sooner(now + HAND_OVER_RETRY),
            Phase::Running | Phase::Closing { .. } | Phase::HandedOver | Phase::Stopped => (),
        }
        next.map(|next| next.saturating_duration_since(now))
    }

    /// Notes each edge as a bit on its source. Nothing else happens here, but for signals.
    fn note_readiness(&mut self, now: Instant) {
        let mut is_signalled = false;
        for event in &self.events {
            match event.token() {
                SIGNALS => is_signalled = true,
                token if CONTROL <= token => self.calls.set_ready(event),
                token if STORE <= token => self.server.store().set_ready(token.0 - STORE.0),
                token if FIRST_LISTENER <= token => {
                    if let Some(listener) =
                        self.listening.listeners.get_mut(token.0 - FIRST_LISTENER.0)
                    {
                        listener.accepting.set_ready();
                    }
                }
                token => {
                    // An error is found by reading; a stale token finds nobody.
                    let readable =
                        event.is_readable() || event.is_read_closed() || event.is_error();
                    self.server.set_ready(token.into(), readable, event.is_writable());
                }
            }
        }
        if is_signalled {
            self.heed_signals(now);
        }
    }

    fn heed_signals(&mut self, now: Instant) {
        let requests: Vec<_> = self.signals.requests().collect();
        for request in requests {
            match (request, self.phase) {
                (Request::Reload, _) => {
                    self.manager.reloading(now);
                    let identity = &mut self.listening.identity;
                    reload::reload(&mut self.config, identity, &mut self.server);
                    self.calls.metrics.move_to(self.config.metrics_file.as_deref());
                    self.listening.announce(&self.config.name);
                    self.listening.known_until = None;
                    self.manager.reloaded(now);
                }
                (Request::HandOver, Phase::Running) if self.manager.keeps() => {
                    self.phase = Phase::handing_over(now);
                }
                (Request::Stop | Request::HandOver, Phase::Running) => self.drain(now),
                (Request::Stop, _) => self.phase = Phase::Stopped,
                (Request::HandOver, _) => (),
            }
        }
    }

    fn accept_all(&mut self, now: Instant) {
        let offer = self.listening.offer();
        for listener in &mut self.listening.listeners {
            if listener.accepting.is_due(now) {
                listener.accept(now, &self.poll, &mut self.server, offer.as_ref());
            }
        }
    }
}

/// Waits once; a signal may end that before anything else does.
fn wait(poll: &mut Poll, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
    match poll.poll(events, timeout) {
        Err(error) if error.kind() == ErrorKind::Interrupted => {
            events.clear();
            Ok(())
        }
        result => result,
    }
}

/// Waits until the store is open, or a signal asks the server to stop.
fn open(store: &mut dyn Store, poll: &mut Poll, signals: &mut Signals) -> Result<(), StartError> {
    let mut events = Events::with_capacity(EVENTS_MAX);
    while !store.open(Instant::now())? {
        let deadline = store.next_deadline();
        wait(poll, &mut events, deadline.map(|it| it.saturating_duration_since(Instant::now())))?;
        if signals.requests().any(|request| request == Request::Stop) {
            return Err(StartError::Stopped);
        }
        let indices = events.iter().map(|event| event.token().0.wrapping_sub(STORE.0));
        indices.filter(|it| *it < store::SOCKETS_MAX).for_each(|it| store.set_ready(it));
    }
    Ok(())
}

/// Returns what the clock on the wall says, in UTC milliseconds since 1970.
fn utc_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

/// Registers the socket of an operator, or of the socket that they call.
fn register_call(poll: &Poll, socket: &mut impl Source, token: Token) -> io::Result<()> {
    poll.registry().register(socket, token, Interest::READABLE | Interest::WRITABLE)
}

/// Registers a connection's socket, once and for both directions.
fn register(poll: &Poll, socket: &mut TcpStream, id: ConnectionId) -> io::Result<()> {
    let both = Interest::READABLE | Interest::WRITABLE;
    poll.registry().register(socket, id.into(), both)
}
