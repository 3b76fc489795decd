//! Somebody at another address who only wants to be answered.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use pychat_wire::{Decoder, ServerMessage};
use socket2::{Domain, Socket, Type};

use super::{
    Outcome,
    words::{self, Protocol, is_kind},
};

/// From where the innocent calls.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 9, 1);

/// The time for which the innocent rests from an answer to the next ping.
const PAUSE: Duration = Duration::from_millis(5);

/// The longest that joining may take before there is any attack.
const PATIENCE: Duration = Duration::from_secs(10);

/// A person in a thread of its own who pings in protocol 2, and pings again once it is answered.
#[derive(Debug)]
pub(crate) struct Innocent {
    line: TcpStream,
    waits: Arc<Mutex<Waits>>,
}

/// The times that the innocent waited since it was last asked.
#[derive(Clone, Debug, Default)]
struct Waits {
    all: Vec<Duration>,
    pinged_at: Option<Instant>,
    /// The bytes that were heard beside the answers.
    told: u64,
    is_cut: bool,
}

/// A summary of the innocent's pings and waits since it was last asked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Account {
    pub(crate) pings: usize,
    pub(crate) median: Duration,
    /// The longest wait, that for an answer that is still missing included.
    pub(crate) longest: Duration,
    /// The bytes that were heard beside the answers.
    pub(crate) told: u64,
    /// The server hung up.
    pub(crate) is_cut: bool,
}

impl Innocent {
    /// Joins, and begins to ping.
    pub(crate) fn join(server: SocketAddr) -> Outcome<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((ADDRESS, 0)).into())?;
        socket.connect(&server.into())?;
        socket.set_tcp_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let mut ear = V1Checker::new(socket.into());
        let greeting = ear.hear("message")?;
        let Ok(ServerMessage::Greeting { nonce, .. }) = ServerMessage::parse(&greeting) else {
            return Err("that is no greeting".into());
        };
        let hello = words::hello("innocent", Protocol::V2);
        ear.line.write_all(&words::sign(&hello, nonce, "innocent"))?;
        ear.hear("welcome")?;
        ear.line.set_read_timeout(None)?;
        let line = ear.line.try_clone()?;
        let waits = Arc::new(Mutex::new(Waits::default()));
        let shared = Arc::clone(&waits);
        thread::spawn(move || {
            while ear.ping(&shared).is_ok() {
                thread::sleep(PAUSE);
            }
            lock(&shared).is_cut = true;
        });
        Ok(Self { line, waits })
    }

    /// Returns how it fared since this was last asked.
    pub(crate) fn account(&self) -> Account {
        let mut waits = lock(&self.waits);
        let mut all = std::mem::take(&mut waits.all);
        let still = waits.pinged_at.map(|at| at.elapsed()).unwrap_or_default();
        all.sort_unstable();
        Account {
            pings: all.len(),
            median: all.get(all.len() / 2).copied().unwrap_or(still),
            longest: all.last().copied().unwrap_or_default().max(still),
            told: std::mem::take(&mut waits.told),
            is_cut: waits.is_cut,
        }
    }
}

impl Drop for Innocent {
    fn drop(&mut self) {
        // It fails if the server has hung up; either ends the thread.
        let _ = self.line.shutdown(Shutdown::Both);
    }
}

/// The connection by which the innocent hears.
struct V1Checker {
    line: TcpStream,
    decoder: Decoder,
    buffer: Vec<u8>,
    told: u64,
}

impl V1Checker {
    fn new(line: TcpStream) -> Self {
        Self { line, decoder: Decoder::new(16 << 20), buffer: vec![0; 64 << 10], told: 0 }
    }

    fn ping(&mut self, waits: &Mutex<Waits>) -> Outcome<()> {
        let begin = Instant::now();
        lock(waits).pinged_at = Some(begin);
        self.line.write_all(&words::bare("ping"))?;
        self.hear("pong")?;
        let mut waits = lock(waits);
        waits.pinged_at = None;
        waits.all.push(begin.elapsed());
        waits.told += std::mem::take(&mut self.told);
        Ok(())
    }

    /// Reads until a payload of this `kind` has come; returns it.
    fn hear(&mut self, kind: &str) -> Outcome<Vec<u8>> {
        let mut heard = None;
        while heard.is_none() {
            let size = self.line.read(&mut self.buffer)?;
            if size == 0 {
                return Err("the server hung up".into());
            }
            let mut input = &self.buffer[..size];
            while let Some(payload) = self.decoder.next_payload(&mut input)? {
                if is_kind(payload, kind) {
                    heard = Some(payload.to_vec());
                } else {
                    self.told += payload.len() as u64;
                }
            }
        }
        Ok(heard.unwrap_or_default())
    }
}

/// The other thread never panics while it holds the lock; if it did, what it counted still stands.
fn lock(waits: &Mutex<Waits>) -> MutexGuard<'_, Waits> {
    waits.lock().unwrap_or_else(PoisonError::into_inner)
}
