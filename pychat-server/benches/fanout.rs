//! A real server with many listeners: what a delivery costs it and how long one takes.
//!
//! The load is one thread that sends with a fixed number of messages in flight and reads all that
//! comes back. Server and load share the machine, so compare the figures of one run only.

use std::{
    collections::HashMap,
    error::Error,
    fs,
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};
use pychat_wire::{ClientMessage, Decoder, ServerMessage};

const SENDERS: usize = 4;
const MESSAGES: usize = 4_000;
const CASES: [(usize, usize); 4] = [(100, 16), (100, 64), (1_000, 16), (1_000, 64)];
const PATIENCE: Duration = Duration::from_mins(2);

type Outcome<T> = Result<T, Box<dyn Error>>;

#[expect(clippy::print_stdout, reason = "a benchmark reports")]
fn main() -> Outcome<()> {
    println!("receivers  in flight  deliveries/s  server µs/delivery  p50 µs  p99 µs  p99.9 µs");
    for (receivers, window) in CASES {
        let mut server = Server::start()?;
        let mut load = Load::join(server.address, receivers)?;
        let cpu = server.cpu()?;
        let begin = Instant::now();
        load.talk(window)?;
        let (time, cpu) = (begin.elapsed(), server.cpu()?.saturating_sub(cpu));
        let mut latencies = std::mem::take(&mut load.latencies);
        latencies.sort_unstable();
        let at = |part: f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let index = (as_float(latencies.len()) * part) as usize;
            latencies[index.min(latencies.len() - 1)].as_micros()
        };
        println!(
            "{receivers:9}  {window:9}  {:12.0}  {:18.3}  {:6}  {:6}  {:8}",
            as_float(latencies.len()) / time.as_secs_f64(),
            cpu.as_secs_f64() * 1e6 / as_float(latencies.len()),
            at(0.5),
            at(0.99),
            at(0.999)
        );
        server.stop()?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2⁵²")]
fn as_float(count: usize) -> f64 {
    count as f64
}

struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start() -> Outcome<Self> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_pychat-server"))
            .args(["--listen", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()?;
        let mut log = BufReader::new(process.stderr.take().ok_or("no log")?);
        let mut line = String::new();
        while !line.contains("listening on ") {
            line.clear();
            if log.read_line(&mut line)? == 0 {
                return Err("the server did not start".into());
            }
        }
        let address = line.trim().rsplit(' ').next().unwrap_or_default().parse()?;
        // The log must be read, or the server would wait for room in the pipe.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Ok(Self { process, address })
    }

    /// How long the server has been on a processor, as the kernel counts it.
    fn cpu(&self) -> Outcome<Duration> {
        let schedstat = fs::read_to_string(format!("/proc/{}/schedstat", self.process.id()))?;
        let nanoseconds = schedstat.split(' ').next().unwrap_or_default();
        Ok(Duration::from_nanos(nanoseconds.parse()?))
    }

    fn stop(&mut self) -> Outcome<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

struct Load {
    poll: Poll,
    peers: Vec<Peer>,
    sent: HashMap<usize, Instant>,
    latencies: Vec<Duration>,
}

struct Peer {
    socket: TcpStream,
    decoder: Decoder,
    unsent: Vec<u8>,
    is_joined: bool,
}

impl Load {
    /// Connects the receivers and [`SENDERS`] more, and waits until all are in the room.
    fn join(address: SocketAddr, receivers: usize) -> Outcome<Self> {
        let mut load = Self {
            poll: Poll::new()?,
            peers: Vec::new(),
            sent: HashMap::new(),
            latencies: Vec::new(),
        };
        for number in 0..receivers + SENDERS {
            let mut socket = TcpStream::connect(address)?;
            let both = Interest::READABLE | Interest::WRITABLE;
            load.poll.registry().register(&mut socket, Token(number), both)?;
            let mut unsent = Vec::new();
            ClientMessage::Hello { username: format!("user{number}").into() }.encode(&mut unsent);
            let decoder = Decoder::new(16 << 20);
            load.peers.push(Peer { socket, decoder, unsent, is_joined: false });
            if number % 16 == 0 {
                load.turn()?;
            }
        }
        let begin = Instant::now();
        while !load.peers.iter().all(|peer| peer.is_joined) {
            load.turn()?;
            if PATIENCE < begin.elapsed() {
                return Err("not everybody could join".into());
            }
        }
        Ok(load)
    }

    /// Sends [`MESSAGES`], `window` of them in flight, and reads every copy of each.
    fn talk(&mut self, window: usize) -> Outcome<()> {
        let (begin, people) = (Instant::now(), self.peers.len());
        let mut said = 0;
        while self.latencies.len() < MESSAGES * people {
            while said < MESSAGES && said * people < self.latencies.len() + window * people {
                let sender = people - 1 - said % SENDERS;
                let content = format!("{said} {}", "x".repeat(60));
                ClientMessage::Text { content: content.into() }
                    .encode(&mut self.peers[sender].unsent);
                self.sent.insert(said, Instant::now());
                self.peers[sender].write()?;
                said += 1;
            }
            self.turn()?;
            if PATIENCE < begin.elapsed() {
                return Err("the talk took too long".into());
            }
        }
        Ok(())
    }

    fn turn(&mut self) -> Outcome<()> {
        let mut events = Events::with_capacity(4_096);
        self.poll.poll(&mut events, Some(Duration::from_millis(50)))?;
        let mut buffer = [0; 16 << 10];
        for event in &events {
            let peer = &mut self.peers[event.token().0];
            peer.write()?;
            let (sent, latencies) = (&self.sent, &mut self.latencies);
            peer.read(&mut buffer, |number| {
                latencies.extend(sent.get(&number).map(Instant::elapsed));
            })?;
        }
        Ok(())
    }
}

impl Peer {
    fn write(&mut self) -> Outcome<()> {
        while !self.unsent.is_empty() {
            match self.socket.write(&self.unsent) {
                Ok(size) => drop(self.unsent.drain(..size)),
                Err(error) if is_patience(&error) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8], mut on_text: impl FnMut(usize)) -> Outcome<()> {
        loop {
            let mut input = match self.socket.read(buffer) {
                Ok(0) => return Err("the server hung up".into()),
                Ok(size) => &buffer[..size],
                Err(error) if is_patience(&error) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            while let Some(payload) = self.decoder.next_payload(&mut input)? {
                let ServerMessage::Message { content, .. } = ServerMessage::parse(payload)?;
                self.is_joined |= content.starts_with("Добро");
                if let Some(number) = content.split(' ').next().and_then(|word| word.parse().ok()) {
                    on_text(number);
                }
            }
        }
    }
}

fn is_patience(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected)
}
