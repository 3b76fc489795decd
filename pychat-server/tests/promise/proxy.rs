//! The lines between clients and server, and everything that can go wrong with a line.

use std::{
    collections::HashMap,
    io::ErrorKind,
    net::SocketAddr,
    time::{Duration, Instant},
};

use mio::{Interest, Registry, Token, event::Event, net::TcpListener};
use slab::Slab;

use super::{
    line::{Heard, Line},
    plan::{Ambush, Trouble, Way},
    tally::{Fault, Tally},
};

/// The token of the proxy's listener; two more for each link come after it.
pub(crate) const LISTENER: Token = Token(1_000_000);

/// The most that the proxy itself holds of a stream, in bytes.
const PIPE_BYTES_MAX: usize = 16 << 10;

/// The number of bytes of a stream that come at once while it trickles, and the pause after them.
const TRICKLE_BYTES: usize = 3;
const TRICKLE_PAUSE: Duration = Duration::from_micros(200);

/// The proxy: every line of every client goes through it.
#[derive(Debug)]
pub(crate) struct Proxy {
    listener: TcpListener,
    is_accepting: bool,
    /// Where the server listens.
    pub(crate) server: SocketAddr,
    /// Whose calls come from where.
    callers: HashMap<SocketAddr, Caller>,
    /// The trouble that waits for whose next line.
    ambushes: HashMap<usize, Ambush>,
    links: Slab<Link>,
}

/// The person who calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    pub(crate) who: usize,
    pub(crate) is_narrow: bool,
    pub(crate) is_encrypted: bool,
}

/// One client's line, in two halves.
#[derive(Debug)]
struct Link {
    who: usize,
    /// The client's half and the server's; a half that is gone takes everything and says nothing.
    halves: [Option<Line>; 2],
    /// Up and down.
    pipes: [Pipe; 2],
}

/// One direction.
#[derive(Debug, Default)]
struct Pipe {
    stalled_until: Option<Instant>,
    has_stalled_bytes: bool,
    trickles_until: Option<Instant>,
    next_drop: Option<Instant>,
    /// The trouble that waits, and after how many bytes more.
    ambush: Option<(usize, Trouble)>,
    /// Nothing more comes.
    is_over: bool,
    /// The other half knows.
    is_told: bool,
}

impl Way {
    /// Returns the index of the pipe that goes this way.
    fn index(self) -> usize {
        match self {
            Self::Up => 0,
            Self::Down => 1,
        }
    }
}

impl Proxy {
    /// Opens a proxy on a free port.
    pub(crate) fn new(registry: &Registry, server: SocketAddr) -> Self {
        let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        registry.register(&mut listener, LISTENER, Interest::READABLE).unwrap();
        let (callers, ambushes, links) = (HashMap::new(), HashMap::new(), Slab::new());
        Self { listener, is_accepting: true, server, callers, ambushes, links }
    }

    /// Returns where clients call.
    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// Tells who is calling from `address`.
    pub(crate) fn expect(&mut self, address: SocketAddr, caller: Caller) {
        self.callers.insert(address, caller);
    }

    /// Notes an edge.
    pub(crate) fn set_ready(&mut self, event: &Event) {
        let Some(number) = event.token().0.checked_sub(LISTENER.0 + 1) else {
            self.is_accepting = true;
            return;
        };
        if let Some(link) = self.links.get_mut(number / 2)
            && let Some(line) = &mut link.halves[number % 2]
        {
            line.set_ready(event);
        }
    }

    /// Takes in who is calling and moves what there is to move; returns true if there is more.
    pub(crate) fn turn(&mut self, now: Instant, registry: &Registry, tally: &mut Tally) -> bool {
        self.accept(registry);
        let mut has_more = false;
        let mut buffer = [0; PIPE_BYTES_MAX];
        self.links.retain(|_, link| {
            let [is_more_up, is_more_down] =
                [Way::Up, Way::Down].map(|way| link.pump(way, now, &mut buffer, tally));
            has_more |= is_more_up || is_more_down;
            !link.is_over()
        });
        has_more
    }

    fn accept(&mut self, registry: &Registry) {
        while self.is_accepting {
            match self.listener.accept() {
                Ok((socket, from)) => {
                    let Some(caller) = self.callers.remove(&from) else { continue };
                    let slot = self.links.vacant_key();
                    let token = |half| Token(LISTENER.0 + 1 + 2 * slot + half);
                    let client = Line::accepted(registry, token(0), socket).unwrap();
                    match Line::connect(registry, token(1), self.server, caller.is_narrow) {
                        Ok(server) => {
                            let halves = [Some(client), Some(server)];
                            let mut pipes = <[Pipe; 2]>::default();
                            if let Some(ambush) = self.ambushes.remove(&caller.who) {
                                let Ambush { way, bytes, trouble } = ambush;
                                pipes[way.index()].ambush = Some((bytes, trouble));
                            }
                            self.links.insert(Link { who: caller.who, halves, pipes });
                        }
                        Err(_) => client.reset(), // Nobody is at home.
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.is_accepting = false,
                Err(error) => panic!("cannot accept: {error}"),
            }
        }
    }

    /// Returns when something is due that no socket tells of.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let pipes = self.links.iter().flat_map(|(_, link)| &link.pipes);
        pipes.flat_map(|pipe| [pipe.stalled_until, pipe.next_drop]).flatten().min()
    }

    /// Cuts `who` off.
    pub(crate) fn cut(&mut self, who: usize, is_reset: bool, tally: &mut Tally) {
        let Some(slot) = self.find(who) else { return };
        if is_reset {
            self.links.remove(slot).halves.into_iter().flatten().for_each(Line::reset);
            return tally.note(Fault::Reset);
        }
        for pipe in &mut self.links[slot].pipes {
            pipe.is_over = true;
        }
        tally.note(Fault::Ended);
    }

    /// Cuts `who` off, and lets trouble wait on their next line.
    pub(crate) fn disturb(&mut self, who: usize, ambush: Ambush, tally: &mut Tally) {
        self.ambushes.insert(who, ambush);
        self.cut(who, true, tally);
    }

    /// Lets nothing through one way for a while.
    pub(crate) fn stall(&mut self, who: usize, way: Way, until: Instant) {
        if let Some(slot) = self.find(who) {
            self.links[slot].pipes[way.index()].stalled_until = Some(until);
        }
    }

    /// Lets bytes through one way drop by drop for a while.
    pub(crate) fn trickle(&mut self, who: usize, way: Way, until: Instant) {
        if let Some(slot) = self.find(who) {
            self.links[slot].pipes[way.index()].trickles_until = Some(until);
        }
    }

    /// Takes one half of a line away without a word to the other.
    pub(crate) fn lose(&mut self, who: usize, half: Way, tally: &mut Tally) {
        let Some(slot) = self.find(who) else { return };
        let (gone, fault) = match half {
            Way::Up => (0, Fault::ClientEndLost),
            Way::Down => (1, Fault::ServerEndLost),
        };
        let link = &mut self.links[slot];
        link.halves[gone].take().into_iter().for_each(Line::reset);
        link.pipes = <[Pipe; 2]>::default();
        tally.note(fault);
    }

    /// Ends all stalls and trickles.
    pub(crate) fn calm(&mut self, now: Instant) {
        for (_, link) in &mut self.links {
            for pipe in &mut link.pipes {
                for until in [&mut pipe.stalled_until, &mut pipe.trickles_until] {
                    *until = until.map(|until| until.min(now));
                }
            }
        }
    }

    /// Finds the line that works, the newest if there are several.
    fn find(&self, who: usize) -> Option<usize> {
        let is_whole = |link: &Link| link.halves.iter().all(Option::is_some);
        let mut own = self.links.iter().filter(|(_, link)| link.who == who && is_whole(link));
        own.next_back().map(|(slot, _)| slot)
    }
}

impl Link {
    /// Moves what there is to move one way; returns true if there is more.
    fn pump(&mut self, way: Way, now: Instant, buffer: &mut [u8], tally: &mut Tally) -> bool {
        let [client, server] = &mut self.halves;
        let [up, down] = &mut self.pipes;
        let (source, target, pipe) = match way {
            Way::Up => (client, server, up),
            Way::Down => (server, client, down),
        };
        if pipe.is_stalled(now, source.as_ref().is_some_and(Line::is_readable), way, tally) {
            return false;
        }
        match pipe.pump(source.as_mut(), target.as_mut(), now, buffer, tally) {
            Some(has_more) => has_more,
            None => self.break_off(),
        }
    }

    fn break_off(&mut self) -> bool {
        for half in &mut self.halves {
            half.take().into_iter().for_each(Line::reset);
        }
        false
    }

    /// Returns true if nobody holds an end of it any more, or both streams have ended.
    fn is_over(&self) -> bool {
        let [client, server] = &self.halves;
        match (client, server) {
            (None, None) => true,
            (Some(_), None) => self.pipes[0].is_over,
            (None, Some(_)) => self.pipes[1].is_over,
            (Some(_), Some(_)) => self.pipes.iter().all(|pipe| pipe.is_told),
        }
    }
}

impl Pipe {
    /// Reads once and writes what may be written; returns true if there is more, `None` if either
    /// side is broken.
    fn pump(
        &mut self,
        source: Option<&mut Line>,
        mut target: Option<&mut Line>,
        now: Instant,
        buffer: &mut [u8],
        tally: &mut Tally,
    ) -> Option<bool> {
        let held = target.as_ref().map_or(0, |line| line.unsent.len());
        let room = PIPE_BYTES_MAX.saturating_sub(held);
        let mut has_more = false;
        if let Some(line) = source
            && line.is_connected().ok()?.is_some()
            && !self.is_over
            && 0 < room
        {
            match line.read(&mut buffer[..room]) {
                Heard::Bytes(size) => {
                    has_more = true;
                    if let Some(line) = &mut target {
                        line.unsent.extend_from_slice(&buffer[..size]);
                    }
                }
                Heard::Nothing => (),
                Heard::End => self.is_over = true,
                Heard::BadFrame => return None,
            }
        }
        let Some(line) = target else { return Some(has_more) };
        line.is_connected().ok()?;
        let limit = self.limit(now, !line.unsent.is_empty());
        if limit == TRICKLE_BYTES && !line.unsent.is_empty() {
            tally.note(Fault::Trickled);
        }
        let n_unsent = line.unsent.len();
        if !line.write(limit) || self.springs(n_unsent - line.unsent.len(), now, tally) {
            return None;
        }
        if self.is_over && line.unsent.is_empty() && !self.is_told {
            self.is_told = true;
            line.end();
        }
        Some(has_more)
    }

    /// Returns true while nothing may pass; notes a stall that something waited for.
    fn is_stalled(&mut self, now: Instant, has_bytes: bool, way: Way, tally: &mut Tally) -> bool {
        let Some(until) = self.stalled_until else { return false };
        self.has_stalled_bytes |= has_bytes;
        if now < until {
            return true;
        }
        self.stalled_until = None;
        if std::mem::take(&mut self.has_stalled_bytes) {
            tally.note(if way == Way::Up { Fault::StalledUp } else { Fault::StalledDown });
        }
        false
    }

    /// Counts bytes that have passed, and makes the trouble that waits for them; returns true if the
    /// line is to be broken off.
    fn springs(&mut self, n_bytes: usize, now: Instant, tally: &mut Tally) -> bool {
        let Some((left, trouble)) = &mut self.ambush else { return false };
        *left -= n_bytes;
        if 0 < *left {
            return false;
        }
        let trouble = *trouble;
        self.ambush = None;
        match trouble {
            Trouble::Cut => tally.note(Fault::HandshakeCut),
            Trouble::Stall { time } => {
                self.stalled_until = Some(now + time);
                tally.note(Fault::HandshakeStalled);
            }
            Trouble::Trickle { time } => {
                self.trickles_until = Some(now + time);
                tally.note(Fault::HandshakeTrickled);
            }
        }
        matches!(trouble, Trouble::Cut)
    }

    /// Returns how many bytes may pass now.
    fn limit(&mut self, now: Instant, has_bytes: bool) -> usize {
        if let Some((left, _)) = self.ambush {
            return left;
        }
        match self.trickles_until {
            Some(until) if now < until => {
                if self.next_drop.is_some_and(|next| now < next) {
                    return 0;
                }
                self.next_drop = has_bytes.then(|| now + TRICKLE_PAUSE);
                TRICKLE_BYTES
            }
            _ => {
                (self.trickles_until, self.next_drop) = (None, None);
                usize::MAX
            }
        }
    }
}
