//! Everybody who is connected to the server but the innocent: attackers, and others who listen.
//! They live in one thread, as many as there are.

use std::{
    collections::HashMap,
    io::{self, ErrorKind, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr},
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};
use pychat_wire::{Decoder, ServerMessage, key::Nonce};
use socket2::{Domain, SockRef, Socket, Type};

use super::{Outcome, words};

/// Attackers call from these networks (127.0.2.0 to 127.0.7.255), all others from beyond.
const ATTACKERS: std::ops::RangeInclusive<u8> = 2..=7;

/// From where an attack comes that needs one address only.
pub(crate) const ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 0, 2, 1);

/// From where somebody calls who is no attacker.
pub(crate) const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 9, 2);

/// The bytes of a TCP segment that are not payload: IPv4, TCP and a time stamp.
const SEGMENT_BYTES: u64 = 52;

/// The bytes of calling and hanging up: a SYN with its options, an acknowledgement and a FIN.
const CALL_BYTES: u64 = 60 + 2 * SEGMENT_BYTES;

/// The most that our end of a line may hold that the server has not taken, or that we have not
/// read, in bytes: little, for the kernel's memory is counted for both ends.
const BUFFER_BYTES: usize = 64 << 10;

/// The largest segment of a line over the Internet, in bytes. Those of a loopback hide megabytes.
const INTERNET_SEGMENT_BYTES: u32 = 1_400;

/// The most bytes of one line that are read at a time, and the most lines: so that a turn is short.
const READ_BYTES: usize = 64 << 10;
const EVENTS: usize = 256;

/// The most that is remembered of a payload, in bytes.
const HEARD_BYTES_MAX: usize = 512;

/// Returns true if somebody at `address` is an attacker.
pub(crate) fn is_attacker(address: Ipv4Addr) -> bool {
    let [first, _, third, _] = address.octets();
    first == 127 && ATTACKERS.contains(&third)
}

/// The traffic over the lines, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traffic {
    /// The bytes that attackers sent: payload, headers of calls and of a segment for each write.
    pub(crate) sent: u64,
    /// The bytes that attackers have read.
    pub(crate) told_attackers: u64,
    /// The bytes that others have read.
    pub(crate) told_others: u64,
}

/// The way in which a line is ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ending {
    Close,
    Reset,
}

/// Everybody.
#[derive(Debug)]
pub(crate) struct Field {
    poll: Poll,
    events: Events,
    server: SocketAddr,
    lines: HashMap<usize, Line>,
    /// Lines that may have more than was read of them; no edge will come.
    unread: Vec<usize>,
    next: usize,
    traffic: Traffic,
    lines_max: usize,
    buffer: Vec<u8>,
}

/// A connection, from its client's end.
#[derive(Debug)]
pub(crate) struct Line {
    socket: TcpStream,
    is_attacker: bool,
    opened_at: Instant,
    unsent: Vec<u8>,
    /// The bytes that wait for the greeting, as they have to sign its nonce, and those said since.
    unsigned: Vec<u8>,
    nonce: Option<Nonce>,
    decoder: Decoder,
    is_mute: bool,
    is_over: bool,
    heard: Heard,
}

/// A summary of what the server said.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) bytes: u64,
    pub(crate) payloads: usize,
    pub(crate) messages: usize,
    /// Those that end a page, or what a search found.
    pub(crate) pages: usize,
    /// The beginning of the first payload, and of the last one.
    pub(crate) greeting: Vec<u8>,
    pub(crate) last: Vec<u8>,
}

impl Field {
    /// Returns an empty field before `server`.
    pub(crate) fn new(server: SocketAddr) -> Outcome<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS),
            server,
            lines: HashMap::new(),
            unread: Vec::new(),
            next: 0,
            traffic: Traffic::default(),
            lines_max: 0,
            buffer: vec![0; READ_BYTES],
        })
    }

    /// Calls the server from an address; returns the number of the line.
    pub(crate) fn open(&mut self, from: Ipv4Addr) -> Outcome<usize> {
        self.open_with(from, None)
    }

    /// Calls the server over a line that is read by hand alone, with a receive buffer of this size,
    /// in bytes, and segments as over the Internet.
    pub(crate) fn open_mute(&mut self, from: Ipv4Addr, receive: usize) -> Outcome<usize> {
        let number = self.open_with(from, Some(receive))?;
        self.set_mute(number, true);
        Ok(number)
    }

    fn open_with(&mut self, from: Ipv4Addr, receive: Option<usize>) -> Outcome<usize> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_reuse_address(true)?; // Addresses of lines that just ended are free as well.
        socket.set_tcp_nodelay(true)?;
        socket.set_send_buffer_size(BUFFER_BYTES)?;
        socket.set_recv_buffer_size(receive.unwrap_or(BUFFER_BYTES))?;
        if receive.is_some() {
            socket.set_tcp_mss(INTERNET_SEGMENT_BYTES)?;
        }
        socket.bind(&SocketAddr::from((from, 0)).into())?;
        match socket.connect(&self.server.into()) {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => {
                return Err(error.into());
            }
            _ => (),
        }
        let mut socket = TcpStream::from_std(socket.into());
        let number = self.next;
        self.next += 1;
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut socket, Token(number), both)?;
        let is_attacker = is_attacker(from);
        if is_attacker {
            self.traffic.sent += CALL_BYTES;
        }
        let line = Line {
            socket,
            is_attacker,
            opened_at: Instant::now(),
            unsent: Vec::new(),
            unsigned: Vec::new(),
            nonce: None,
            decoder: Decoder::new(16 << 20),
            is_mute: false,
            is_over: false,
            heard: Heard::default(),
        };
        self.lines.insert(number, line);
        self.lines_max = self.lines_max.max(self.lines.len());
        Ok(number)
    }

    /// Sends bytes over a line, or keeps them until there is room for them.
    pub(crate) fn say(&mut self, number: usize, bytes: &[u8]) {
        if let Some(line) = self.lines.get_mut(&number).filter(|line| !line.is_over) {
            line.say(bytes);
            line.write(&mut self.traffic);
        }
    }

    /// Lets a line be read no more, or again.
    pub(crate) fn set_mute(&mut self, number: usize, is_mute: bool) {
        if let Some(line) = self.lines.get_mut(&number) {
            line.is_mute = is_mute;
            self.unread.push(number);
        }
    }

    /// Reads at most `size` bytes of a line that is read by hand.
    pub(crate) fn sip(&mut self, number: usize, size: usize) {
        if let Some(line) = self.lines.get_mut(&number) {
            line.read(&mut self.buffer, size, &mut self.traffic);
            line.write(&mut self.traffic);
        }
    }

    /// Shuts the writing side of a line.
    pub(crate) fn shut(&mut self, number: usize) {
        if let Some(line) = self.lines.get(&number) {
            // It fails if the server has hung up, which comes to the same.
            let _ = line.socket.shutdown(Shutdown::Write);
        }
    }

    /// Ends a line.
    pub(crate) fn end(&mut self, number: usize, ending: Ending) {
        if let Some(line) = self.lines.remove(&number)
            && let Ending::Reset = ending
        {
            // A line that cannot be reset is closed by being dropped.
            let _ = SockRef::from(&line.socket).set_linger(Some(Duration::ZERO));
        }
    }

    /// Ends those of these lines on which the server has hung up.
    pub(crate) fn end_over(&mut self, lines: &mut Vec<usize>) {
        self.lines.retain(|number, line| !(line.is_over && lines.contains(number)));
        lines.retain(|number| self.lines.contains_key(number));
    }

    /// Waits once, then writes and reads whatever can be.
    pub(crate) fn turn(&mut self, patience: Duration) -> Outcome<()> {
        let unread = std::mem::take(&mut self.unread);
        let patience = if unread.is_empty() { patience } else { Duration::ZERO };
        match self.poll.poll(&mut self.events, Some(patience)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
            _ => (),
        }
        let ready = self.events.iter().map(|event| event.token().0);
        for number in unread.into_iter().chain(ready) {
            let Some(line) = self.lines.get_mut(&number) else { continue };
            line.write(&mut self.traffic);
            if !line.is_mute && line.read(&mut self.buffer, READ_BYTES, &mut self.traffic) {
                self.unread.push(number);
            }
            line.write(&mut self.traffic);
        }
        Ok(())
    }

    /// Goes on until a time, or until something is so; returns true if it is.
    pub(crate) fn turn_until(
        &mut self,
        deadline: Instant,
        mut is_so: impl FnMut(&Self) -> bool,
    ) -> Outcome<bool> {
        while !is_so(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            self.turn(left.min(Duration::from_millis(10)))?;
        }
        Ok(true)
    }

    /// Returns a line that has not been ended on this side.
    pub(crate) fn line(&self, number: usize) -> Option<&Line> {
        self.lines.get(&number)
    }

    /// Returns true if the server has hung up on a line, or this side has.
    pub(crate) fn is_over(&self, number: usize) -> bool {
        self.line(number).is_none_or(Line::is_over)
    }

    /// Returns true if nothing waits to be sent over a line.
    pub(crate) fn is_idle(&self, number: usize) -> bool {
        self.line(number).is_some_and(Line::is_idle)
    }

    /// Returns what went over all lines so far.
    pub(crate) fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Returns how many lines there were at once at most.
    pub(crate) fn lines_max(&self) -> usize {
        self.lines_max
    }
}

impl Line {
    /// Returns true if nothing waits to be sent.
    pub(crate) fn is_idle(&self) -> bool {
        self.unsent.is_empty() && self.unsigned.is_empty()
    }

    /// Returns true once the server has hung up.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Returns for how long there has been this line.
    pub(crate) fn age(&self) -> Duration {
        self.opened_at.elapsed()
    }

    /// Returns what the server said.
    pub(crate) fn heard(&self) -> &Heard {
        &self.heard
    }

    fn say(&mut self, bytes: &[u8]) {
        let must_wait = !self.unsigned.is_empty() || words::is_unsigned(bytes);
        let queue = if must_wait { &mut self.unsigned } else { &mut self.unsent };
        queue.extend_from_slice(bytes);
        self.sign();
    }

    /// Signs what waits for the greeting, once that is there.
    fn sign(&mut self) {
        if let Some(nonce) = self.nonce {
            let owner = if self.is_attacker { "attacker" } else { "other" };
            self.unsent.extend(words::sign(&std::mem::take(&mut self.unsigned), nonce, owner));
        }
    }

    fn write(&mut self, traffic: &mut Traffic) {
        let mut sent = 0;
        while sent < self.unsent.len() {
            match self.socket.write(&self.unsent[sent..]) {
                Ok(size) => {
                    sent += size;
                    if self.is_attacker {
                        traffic.sent += size as u64 + SEGMENT_BYTES;
                    }
                }
                Err(error) if is_patience(&error) => break,
                // The server has hung up; what it said before may still be read.
                Err(_) => sent = self.unsent.len(),
            }
        }
        self.unsent.drain(..sent);
    }

    /// Reads at most so much, in bytes; returns true if there may be more.
    fn read(&mut self, buffer: &mut [u8], mut limit: usize, traffic: &mut Traffic) -> bool {
        while 0 < limit && !self.is_over {
            let size = limit.min(buffer.len());
            match self.socket.read(&mut buffer[..size]) {
                Ok(0) => self.is_over = true,
                Ok(size) => {
                    limit -= size;
                    let told = if self.is_attacker {
                        &mut traffic.told_attackers
                    } else {
                        &mut traffic.told_others
                    };
                    *told += size as u64;
                    self.hear(&buffer[..size]);
                }
                Err(error) if is_patience(&error) => return false,
                Err(_) => self.is_over = true,
            }
        }
        if self.is_over {
            self.unsent.clear();
            self.unsigned.clear();
        }
        !self.is_over
    }

    fn hear(&mut self, mut input: &[u8]) {
        let heard = &mut self.heard;
        heard.bytes += input.len() as u64;
        while let Ok(Some(payload)) = self.decoder.next_payload(&mut input) {
            heard.payloads += 1;
            heard.messages += usize::from(words::is_kind(payload, "message"));
            let is_page = ["page", "found_end"].iter().any(|kind| words::is_kind(payload, kind));
            heard.pages += usize::from(is_page);
            heard.last.clear();
            heard.last.extend_from_slice(&payload[..payload.len().min(HEARD_BYTES_MAX)]);
            if heard.payloads == 1 {
                heard.greeting.clone_from(&heard.last);
                if let Ok(ServerMessage::Greeting { nonce, .. }) = ServerMessage::parse(payload) {
                    self.nonce = Some(nonce);
                }
            }
        }
        self.sign();
    }
}

fn is_patience(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected | ErrorKind::Interrupted)
}
