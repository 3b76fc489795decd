//! Many people at once, in one thread.

mod heard;
mod rooms;

use std::{
    fmt,
    io::{self, ErrorKind, Read, Write},
    net::SocketAddr,
    slice,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};
use pychat_wire::{
    ClientMessage, Decoder, ServerMessage,
    key::{Challenge, Nonce, SecretKey},
    message::Hello,
};
use rustls::ClientConnection;

use self::heard::Heard;
pub(crate) use self::heard::Places;
use super::{Outcome, Protocol, as_float, process::Handshake, server::Server};

/// The longest that anything may take before the benchmark gives up.
const PATIENCE: Duration = Duration::from_mins(2);

/// The most people that may be connecting at once: fewer than the server's queue holds.
const CONNECTING_MAX: usize = 500;

/// The pace at which the senders speak.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Pace {
    /// As fast as they can with so many messages in each room not heard by all there yet.
    InFlight(usize),
    /// As fast as they can with so many messages in all rooms together not heard by all yet.
    Together(usize),
    /// So many messages a second in each room.
    PerSecond(u32),
}

impl fmt::Display for Pace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InFlight(count) => write!(formatter, "{count} fly"),
            Self::Together(count) => write!(formatter, "{count} in all"),
            Self::PerSecond(count) => write!(formatter, "{count}/s"),
        }
    }
}

/// The times that the deliveries took, shortest first.
#[derive(Debug)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    /// Returns how many there were.
    pub(crate) fn len(&self) -> f64 {
        as_float(self.0.len())
    }

    /// Returns the one that this part of all do not exceed.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    pub(crate) fn at(&self, part: f64) -> Duration {
        let index = (self.len() * part) as usize;
        self.0[index.min(self.0.len() - 1)]
    }
}

/// People and what they have heard.
#[derive(Debug)]
pub(crate) struct Load {
    poll: Poll,
    events: Events,
    /// Those of the servers, at which people are in turns.
    addresses: Vec<SocketAddr>,
    /// Its number, which the ids of texts begin with: those of others may be in the same log.
    number: usize,
    people: usize,
    protocol: Protocol,
    is_encrypted: bool,
    peers: Vec<Peer>,
    heard: Heard,
    /// The places at which everybody resumes, if they were here before.
    missed: Option<Places>,
}

#[derive(Debug)]
struct Peer {
    socket: TcpStream,
    /// It begins TLS once it is greeted.
    wants_tls: bool,
    tls: Option<Box<ClientConnection>>,
    decoder: Decoder,
    unsent: Vec<u8>,
}

impl Load {
    /// Prepares `people` of this `protocol` who will join `server`; they talk in the hall.
    pub(crate) fn new(server: &Server, people: usize, protocol: Protocol) -> io::Result<Self> {
        Self::over(slice::from_ref(server), people, protocol)
    }

    /// The same at several servers of one chat.
    pub(crate) fn over(servers: &[Server], people: usize, protocol: Protocol) -> io::Result<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        Ok(Self {
            number: COUNT.fetch_add(1, Ordering::Relaxed),
            poll: Poll::new()?,
            events: Events::with_capacity(4_096),
            addresses: servers.iter().map(Server::address).collect(),
            people,
            protocol,
            is_encrypted: false,
            peers: Vec::new(),
            heard: Heard::of_hall(people),
            missed: None,
        })
    }

    /// Lets everybody speak over TLS.
    pub(crate) fn encrypted(self) -> Self {
        Self { is_encrypted: true, ..self }
    }

    /// Lets everybody connect and say hello at once; waits until all are in the room.
    pub(crate) fn join(&mut self) -> Outcome<()> {
        let begin = Instant::now();
        while self.heard.joined < self.people {
            while self.peers.len() < self.people
                && self.peers.len() - self.heard.greeted < CONNECTING_MAX
            {
                self.connect()?;
            }
            self.turn(Duration::from_millis(50))?;
            if PATIENCE < begin.elapsed() {
                return Err(
                    format!("only {} of {} could join", self.heard.joined, self.people).into()
                );
            }
        }
        Ok(())
    }

    fn connect(&mut self) -> Outcome<()> {
        let number = self.peers.len();
        let mut socket = TcpStream::connect(self.addresses[number % self.addresses.len()])?;
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut socket, Token(number), both)?;
        self.peers.push(Peer {
            socket,
            wants_tls: self.is_encrypted,
            tls: None,
            decoder: Decoder::new(16 << 20),
            unsent: Vec::new(),
        });
        Ok(())
    }

    /// Only listens for a while.
    pub(crate) fn rest(&mut self, time: Duration) -> Outcome<()> {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            self.turn(left)?;
        }
        Ok(())
    }

    /// Says so many messages in each room and listens until everybody there has heard every one.
    pub(crate) fn talk(&mut self, pace: Pace, messages: usize) -> Outcome<()> {
        let begin = Instant::now();
        let deliveries = self.heard.begin_talk(messages);
        while self.heard.latencies.len() < deliveries {
            for place in 0..self.heard.places.len() {
                let may_say = self.heard.may_say(place, pace, begin);
                while self.heard.places[place].said < messages.min(may_say) {
                    self.say(place)?;
                }
            }
            let patience = match pace {
                Pace::PerSecond(count) => Duration::from_secs(1) / count / 4,
                Pace::InFlight(_) | Pace::Together(_) => PATIENCE,
            };
            self.turn(patience.min(Duration::from_millis(50)))?;
            if PATIENCE < begin.elapsed() {
                return Err("the talk took too long".into());
            }
        }
        Ok(())
    }

    fn say(&mut self, place: usize) -> Outcome<()> {
        let (number, sender) = self.heard.note_said(place);
        let content = format!("{number} {}", "x".repeat(60));
        let room = self.heard.places[place].room.as_str().into();
        let id = match self.protocol {
            Protocol::V1 => None,
            Protocol::V2 => Some(format!("{}-{number}", self.number).into()),
        };
        let peer = &mut self.peers[sender];
        ClientMessage::Text { room, content: content.into(), id, reply: None }
            .encode(&mut peer.unsent);
        peer.write()
    }

    /// Returns how long the deliveries since the last call took, all of them, and those to people at another
    /// server than the author's.
    pub(crate) fn take_latencies(&mut self) -> [Latencies; 2] {
        let n_servers = self.addresses.len();
        let ways = std::mem::take(&mut self.heard.ways);
        let mut all = std::mem::take(&mut self.heard.latencies);
        let is_elsewhere = |(from, to): &(usize, usize)| from % n_servers != to % n_servers;
        let both = ways.iter().zip(&all).filter(|(way, _)| is_elsewhere(way));
        let mut elsewhere: Vec<_> = both.map(|(_, latency)| *latency).collect();
        all.sort_unstable();
        elsewhere.sort_unstable();
        [Latencies(all), Latencies(elsewhere)]
    }

    fn turn(&mut self, patience: Duration) -> Outcome<()> {
        self.poll.poll(&mut self.events, Some(patience))?;
        let mut buffer = [0; 16 << 10];
        for event in &self.events {
            let number = event.token().0;
            let peer = &mut self.peers[number];
            peer.write()?;
            let mut answer = Vec::new();
            peer.read(&mut buffer, |payload| {
                if self.heard.take_names(number, payload)? {
                    return Ok(());
                }
                let message = ServerMessage::parse(payload)?;
                match &message {
                    ServerMessage::Greeting { nonce, .. } => {
                        let hello = hello_of(number, self.protocol, *nonce);
                        let resume = self.missed.as_ref().map(|missed| missed.resume(number));
                        ClientMessage::Hello(Hello { resume, ..hello }).encode(&mut answer);
                    }
                    ServerMessage::Ping => ClientMessage::Pong.encode(&mut answer),
                    _ => (),
                }
                self.heard.take(number, &message)
            })?;
            peer.unsent.extend(answer);
            peer.write()?;
        }
        Ok(())
    }
}

impl Peer {
    fn write(&mut self) -> Outcome<()> {
        if let Some(tls) = &mut self.tls {
            if !tls.is_handshaking() {
                tls.writer().write_all(&self.unsent)?;
                self.unsent.clear();
            }
            while tls.wants_write() {
                match tls.write_tls(&mut self.socket) {
                    Err(error) if is_patience(&error) => break,
                    result => _ = result?,
                }
            }
            return Ok(());
        }
        while !self.unsent.is_empty() && !self.wants_tls {
            match self.socket.write(&self.unsent) {
                Ok(size) => drop(self.unsent.drain(..size)),
                Err(error) if is_patience(&error) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn read(
        &mut self,
        buffer: &mut [u8],
        mut on_payload: impl FnMut(&[u8]) -> Outcome<()>,
    ) -> Outcome<()> {
        loop {
            let size = match self.receive(buffer) {
                Ok(0) => return Err("the server hung up".into()),
                Ok(size) => size,
                Err(error) if is_patience(&error) => return self.write(),
                Err(error) => return Err(error.into()),
            };
            let mut input = &buffer[..size];
            while let Some(payload) = self.decoder.next_payload(&mut input)? {
                if self.wants_tls && self.tls.is_none() {
                    self.tls = Some(Box::new(Handshake::default().begin().0)); // It is greeted.
                    break;
                }
                on_payload(payload)?;
            }
        }
    }

    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.socket.read(buffer) };
        loop {
            match tls.reader().read(buffer) {
                Err(error) if is_patience(&error) => (),
                result => return result,
            }
            if tls.read_tls(&mut self.socket)? == 0 {
                return Ok(0);
            }
            tls.process_new_packets().map_err(io::Error::other)?;
        }
    }
}

/// Returns the name and the key of the `number`th person.
pub(crate) fn identity(number: usize) -> (String, SecretKey) {
    let mut key = [7; 32];
    key[..8].copy_from_slice(&(number as u64).to_be_bytes());
    (format!("user{number}"), SecretKey(key))
}

/// Returns the hello of the `number`th person.
fn hello_of(number: usize, protocol: Protocol, nonce: Nonce) -> Hello<'static> {
    let (username, key) = identity(number);
    let challenge = Challenge { nonce, ..Challenge::default() };
    let proof = match protocol {
        Protocol::V1 => None,
        Protocol::V2 => Some(key.prove(&challenge, &username)),
    };
    Hello { proof, ..Hello::new(username, protocol.number()) }
}

fn is_patience(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected)
}
