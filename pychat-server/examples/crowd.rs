//! A crowd in one room, half of it of either protocol, that talks while something happens to its
//! server: how long a message took at worst to reach everybody, and did everybody hear everything.
//!
//!     cargo run --release -p pychat-server --example crowd -- ADDRESS PEOPLE COMMAND...
//!
//! Each command is a shell's, such as `systemctl restart pychat-server`. It fails if anybody is
//! disconnected, or hears anything twice, not at all, or in another order than the others.

use std::{
    collections::VecDeque,
    env,
    error::Error,
    io::{self, ErrorKind, Read, Write},
    net::SocketAddr,
    process::{Child, Command},
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};
use pychat_wire::{
    ClientMessage, Decoder, ServerMessage,
    key::{Challenge, Nonce, SecretKey},
    message::{HALL, Hello},
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The number of people who speak, in turns, and the time from one message to the next.
const TALKERS: usize = 4;
const PAUSE: Duration = Duration::from_millis(200);

/// The time for which they talk before a command and after it.
const TALK: Duration = Duration::from_secs(3);

/// The longest that anything may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// The most people that may be connecting at once: fewer than the server's queue holds.
const CONNECTING_MAX: usize = 500;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[expect(clippy::print_stdout, reason = "it reports")]
fn main() -> Outcome<()> {
    let mut arguments = env::args().skip(1);
    let usage = "usage: crowd ADDRESS PEOPLE COMMAND...";
    let address = arguments.next().ok_or(usage)?.parse()?;
    let people = arguments.next().ok_or(usage)?.parse()?;
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;

    let mut crowd = Crowd::join(address, people)?;
    println!("slowest message, ms to half of {people} people, to all");
    let commands = ["true".to_owned()].into_iter().chain(arguments);
    for command in commands {
        let [half, all] = crowd.talk_during(Command::new("sh").args(["-c", &command]).spawn()?)?;
        println!("{half:35}  {all:6}  {command}");
    }
    println!("{} messages, heard by all, once and in one order", crowd.said.len());
    Ok(())
}

struct Crowd {
    poll: Poll,
    events: Events,
    people: Vec<Person>,
    n_greeted: usize,
    n_joined: usize,
    said: Vec<Said>,
    /// The messages in the order in which the first to hear each heard them.
    order: Vec<usize>,
}

/// A message.
struct Said {
    at: Instant,
    n_heard: usize,
    /// The time that it took until half of the people had heard it, and all.
    half_took: Option<Duration>,
    took: Option<Duration>,
}

struct Person {
    socket: TcpStream,
    decoder: Decoder,
    talk: Talk,
}

/// The state of what one person has said and heard.
struct Talk {
    number: usize,
    is_second: bool,
    unsent: Vec<u8>,
    /// The number of messages that it has heard, and in protocol 2 the number of the last one.
    n_heard: usize,
    last: Option<u64>,
    /// The messages that it said in protocol 2 and that it has not been told are in the log.
    waiting: VecDeque<usize>,
}

impl Crowd {
    /// Lets everybody join.
    fn join(address: SocketAddr, people: usize) -> Outcome<Self> {
        let mut crowd = Self {
            poll: Poll::new()?,
            events: Events::with_capacity(4_096),
            people: Vec::new(),
            n_greeted: 0,
            n_joined: 0,
            said: Vec::new(),
            order: Vec::new(),
        };
        let begin = Instant::now();
        while crowd.n_joined < people {
            let n_connecting = crowd.people.len() - crowd.n_greeted;
            for _ in n_connecting..CONNECTING_MAX.min(n_connecting + people - crowd.people.len()) {
                let number = crowd.people.len();
                crowd.people.push(Person::connect(address, number, &crowd.poll)?);
            }
            crowd.turn(PAUSE)?;
            if PATIENCE < begin.elapsed() {
                return Err(format!("only {} could join", crowd.n_joined).into());
            }
        }
        Ok(crowd)
    }

    /// Lets them talk until a while after `child` has ended, and until everybody has heard
    /// everything; returns how long a message took at worst to reach half of them, and all.
    fn talk_during(&mut self, mut child: Child) -> Outcome<[u128; 2]> {
        let (first, begin) = (self.said.len(), Instant::now());
        let mut until = None;
        while until.is_none_or(|until| Instant::now() < until) {
            let due = begin + PAUSE * u32::try_from(self.said.len() - first)?;
            if due <= Instant::now() {
                self.say()?;
            }
            self.turn(PAUSE / 10)?;
            if until.is_none()
                && let Some(status) = child.try_wait()?
            {
                until = Some(Instant::now() + TALK);
                status.success().then_some(()).ok_or("the command failed")?;
            }
        }
        let end = Instant::now();
        while self.said[first..].iter().any(|said| said.took.is_none()) {
            self.turn(PAUSE)?;
            if PATIENCE < end.elapsed() {
                return Err("not everybody hears everything".into());
            }
        }
        let worst = |took: fn(&Said) -> Option<Duration>| {
            self.said[first..].iter().filter_map(took).max().unwrap_or_default().as_millis()
        };
        Ok([worst(|said| said.half_took), worst(|said| said.took)])
    }

    fn say(&mut self) -> Outcome<()> {
        let number = self.said.len();
        self.said.push(Said { at: Instant::now(), n_heard: 0, half_took: None, took: None });
        let person = &mut self.people[number % TALKERS];
        if person.talk.is_second {
            person.talk.waiting.push_back(number);
        }
        person.talk.say(number);
        person.write()
    }

    /// Waits once, then hears whatever has come.
    fn turn(&mut self, patience: Duration) -> Outcome<()> {
        self.poll.poll(&mut self.events, Some(patience))?;
        let mut buffer = vec![0; 64 << 10];
        let (mut heard, n_people) = (Vec::new(), self.people.len());
        for event in &self.events {
            let person = &mut self.people[event.token().0];
            let found = person.read(&mut buffer, &mut heard)?;
            self.n_greeted += found.n_greetings;
            self.n_joined += usize::from(found.is_welcome);
            for number in heard.drain(..) {
                if person.talk.n_heard == self.order.len() {
                    self.order.push(number);
                }
                if self.order[person.talk.n_heard] != number {
                    return Err(format!("{number} comes out of order, or twice").into());
                }
                person.talk.n_heard += 1;
                let said = &mut self.said[number];
                said.n_heard += 1;
                if said.n_heard == n_people.div_ceil(2) {
                    said.half_took = Some(said.at.elapsed());
                }
                if said.n_heard == n_people {
                    said.took = Some(said.at.elapsed());
                }
            }
            person.write()?;
        }
        Ok(())
    }
}

/// The things other than messages that were read.
#[derive(Default)]
struct Found {
    n_greetings: usize,
    /// It is in the room now, for the first time.
    is_welcome: bool,
}

impl Person {
    fn connect(address: SocketAddr, number: usize, poll: &Poll) -> Outcome<Self> {
        let mut socket = TcpStream::connect(address)?;
        let both = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut socket, Token(number), both)?;
        let talk = Talk {
            number,
            is_second: number.is_multiple_of(2),
            unsent: Vec::new(),
            n_heard: 0,
            last: None,
            waiting: VecDeque::new(),
        };
        Ok(Self { socket, decoder: Decoder::new(16 << 20), talk })
    }

    fn write(&mut self) -> Outcome<()> {
        while !self.talk.unsent.is_empty() {
            match self.socket.write(&self.talk.unsent) {
                Ok(size) => drop(self.talk.unsent.drain(..size)),
                Err(error) if is_patience(&error) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads all that has come, and adds the messages in it to `heard`.
    fn read(&mut self, buffer: &mut [u8], heard: &mut Vec<usize>) -> Outcome<Found> {
        let mut found = Found::default();
        loop {
            let mut input = match self.socket.read(buffer) {
                Ok(0) => return Err("somebody was disconnected".into()),
                Ok(size) => &buffer[..size],
                Err(error) if is_patience(&error) => return Ok(found),
                Err(error) => return Err(error.into()),
            };
            while let Some(payload) = self.decoder.next_payload(&mut input)? {
                self.talk.take(&ServerMessage::parse(payload)?, &mut found, heard);
            }
        }
    }
}

impl Talk {
    fn say(&mut self, number: usize) {
        let id = self.is_second.then(|| number.to_string().into());
        let content = number.to_string().into();
        ClientMessage::Text { room: HALL.into(), content, id, reply: None }
            .encode(&mut self.unsent);
    }

    fn hello(&mut self, nonce: Nonce) {
        let (username, mut key) = (format!("user{}", self.number), [7; 32]);
        key[..8].copy_from_slice(&(self.number as u64).to_be_bytes());
        let challenge = Challenge { nonce, ..Challenge::default() };
        let proof = self.is_second.then(|| SecretKey(key).prove(&challenge, &username));
        let protocol = if self.is_second { 2 } else { 1 };
        let hello = Hello { proof, ..Hello::new(username, protocol) };
        ClientMessage::Hello(hello).encode(&mut self.unsent);
    }

    fn take(&mut self, message: &ServerMessage<'_>, found: &mut Found, heard: &mut Vec<usize>) {
        match message {
            ServerMessage::Greeting { nonce, .. } => {
                found.n_greetings += 1;
                self.hello(*nonce);
            }
            ServerMessage::Message { content, .. } => match content.parse() {
                Ok(number) => heard.push(number),
                Err(_) => found.is_welcome |= content.starts_with("Добро пожаловать"),
            },
            ServerMessage::Welcome { rooms, .. } => {
                found.is_welcome = true;
                self.last = rooms.0.first().map(|hall| hall.last);
            }
            ServerMessage::Record { seq, content, id, dup, .. } => {
                let number = content.parse().ok();
                if id.is_some() {
                    self.waiting.retain(|waiting| Some(*waiting) != number);
                }
                if !dup && self.last < Some(*seq) {
                    self.last = Some(*seq);
                    heard.extend(number);
                }
            }
            ServerMessage::Ping => ClientMessage::Pong.encode(&mut self.unsent),
            _ => (),
        }
    }
}

fn is_patience(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected)
}
