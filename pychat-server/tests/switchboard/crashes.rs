//! A server that ends in the middle of whatever it does, again and again, while people talk: the next
//! one goes on with the lines that the last one had. Nothing may be lost, doubled or torn, in either
//! protocol, and nobody disconnected.
//!
//! Each call on a line may be the last thing that a server does. One that ends while it looks at what
//! has arrived leaves a log that is ahead of its notes.

mod mortal;

use std::{
    collections::BTreeMap,
    env, fs,
    net::{Ipv4Addr, SocketAddr},
    ops::ControlFlow,
    path::PathBuf,
    process,
    time::{Duration, Instant},
};

use fastrand::Rng;
use pychat_server::{
    chat::Rules,
    id::ConnectionId,
    limits::Limits,
    log::{Keep, Kept, Log, OwnerId, sqlite},
    notes::Notes,
    pace::Pace,
    switchboard::{Switchboard, Waiting},
    tokens::Tokens,
};
use pychat_wire::{
    Client, ClientMessage, UserName,
    client::{Begin, Event, Saved},
};

use self::mortal::{Fuse, Last, Mortal};
use crate::{ear::Ear, line::Line};

const SEEDS: u64 = 6;
const STEPS: usize = 300;
const STEP: Duration = Duration::from_millis(100);
/// More than it takes to say and hear all that is left.
const LAST_STEPS: usize = 600;
const NAMES: [&str; 6] = ["Анна", "Анна", "Борис", "Вера", "Глеб", "Дина"];

#[test]
fn whatever_a_server_was_doing_when_it_ended_the_next_one_goes_on() {
    let mut ended = BTreeMap::new();
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.step();
        }
        for (last, times) in world.finish() {
            *ended.entry(last).or_insert(0) += times;
        }
    }
    for last in [Last::Between, Last::Looking, Last::Taking, Last::Writing] {
        assert!(ended.contains_key(&last), "none ended while {last:?}: {ended:?}");
    }
}

struct World {
    rng: Rng,
    folder: PathBuf,
    fuse: Fuse,
    switchboard: Option<Switchboard<Mortal>>,
    now: Instant,
    utc_ms: u64,
    people: Vec<Person>,
    ended: BTreeMap<Last, usize>,
}

struct Person {
    index: usize,
    socket: Mortal,
    id: ConnectionId,
    mind: Mind,
    said: usize,
    /// What it has said and the line has not carried yet.
    unsent: Vec<u8>,
}

enum Mind {
    One(Ear),
    Two(Box<Client>, Vec<(u64, String)>),
}

impl World {
    fn new(seed: u64) -> Self {
        let folder = env::temp_dir().join(format!("pychat-crashes-{}-{seed}", process::id()));
        let mut world = Self {
            rng: Rng::with_seed(seed),
            fuse: Fuse::new(folder.join("connections")),
            folder,
            switchboard: None,
            now: Instant::now(),
            utc_ms: 1,
            people: Vec::new(),
            ended: BTreeMap::new(),
        };
        world.start();
        world
    }

    /// Starts a server, which goes on with the lines that there are.
    fn start(&mut self) {
        let place = sqlite::Place {
            directory: self.folder.clone(),
            durability: sqlite::Durability::Process,
            program: None,
        };
        let log =
            Log::Kept(Kept::open(&place, Keep::default(), 7).expect("it works, and it is there"));
        let hello_timeout = Duration::from_hours(1);
        let rules = Rules { hello_timeout, pace: Pace::new(3, 50), ..Limits::default().rules };
        let limits = Limits { rules, ..Limits::default() };
        let mut switchboard = Switchboard::new(limits, log, Tokens::new([7; 32], [], OwnerId(0)));
        let notes = Notes::new(self.folder.join("connections"));
        let account = notes.read().expect("notes of this very kind");
        switchboard.keep(notes);
        let waiting = self.people.iter().map(|person| {
            let (socket, cursors) = (person.socket.clone(), person.socket.cursors());
            (person.index as u64, Waiting { socket, peer: address(), cursors })
        });
        let waiting = waiting.collect();
        let clock = (self.now, self.utc_ms);
        let people = &mut self.people;
        let register = |socket: &mut Mortal, id| {
            people[socket.index()].id = id;
            Ok(())
        };
        switchboard
            .take_up(clock, account.as_ref(), waiting, register)
            .expect("it works, and it is there");
        assert_eq!(switchboard.len(), self.people.len(), "somebody was disconnected");
        self.switchboard = Some(switchboard);
    }

    fn step(&mut self) {
        if self.people.len() < NAMES.len() && self.rng.usize(..20) == 0 {
            self.call();
        }
        for person in &mut self.people {
            if self.rng.usize(..4) == 0 {
                person.say();
            }
            let room = self.rng.usize(..400);
            person.socket.line().set_room((self.rng.bool()).then_some(room));
        }
        if self.rng.usize(..6) == 0 {
            self.fuse.light(self.rng.usize(..30));
        }
        self.turn();
        if self.fuse.is_lit() {
            self.end();
            self.start();
        }
    }

    fn call(&mut self) {
        let index = self.people.len();
        let socket = Mortal::new(index, Line::default(), self.fuse.clone());
        let switchboard = self.switchboard.as_mut().expect("it works, and it is there");
        let id = switchboard.next_id();
        switchboard.admit(self.now, socket.clone(), address());
        self.people.push(Person::new(index, socket, id));
    }

    /// Everybody's line carries a part of what was said; the server turns; everybody hears.
    fn turn(&mut self) {
        let switchboard = self.switchboard.as_mut().expect("it works, and it is there");
        for person in &mut self.people {
            let size = self.rng.usize(..=person.unsent.len());
            let sent: Vec<_> = person.unsent.drain(..size).collect();
            person.socket.line().send(&sent);
            switchboard.note(person.id, true, true);
        }
        self.now += STEP;
        self.utc_ms += 100;
        switchboard.turn(self.now, self.utc_ms);
        for person in &mut self.people {
            person.hear(self.utc_ms);
        }
    }

    /// The server ends: where its fuse burnt down or, if it did not, between two ticks.
    fn end(&mut self) {
        drop(self.switchboard.take());
        let last = self.fuse.restore();
        *self.ended.entry(last).or_default() += 1;
    }

    /// Everybody says and hears the rest, and all of it is right.
    fn finish(mut self) -> BTreeMap<Last, usize> {
        for person in &self.people {
            person.socket.line().set_room(None);
        }
        for _ in 0..LAST_STEPS {
            self.turn();
        }
        self.end();
        let log = self.read_log();
        for person in &self.people {
            let mine = log.iter().filter(|(_, content)| content.starts_with(&person.prefix()));
            let said: Vec<_> = (1..=person.said).map(|n| person.text(n)).collect();
            assert_eq!(mine.map(|(_, content)| content.clone()).collect::<Vec<_>>(), said);
            match &person.mind {
                Mind::One(ear) => {
                    let texts = ear.heard().iter().filter(|(author, _)| author != "Сервер Чата");
                    let texts: Vec<_> = texts.cloned().collect();
                    assert!(log.ends_with(&texts), "{texts:?} is no end of {log:?}");
                    assert!(person.said <= texts.len());
                }
                Mind::Two(_, heard) => {
                    let all = (1..).zip(log.iter().map(|(_, content)| content.clone()));
                    assert_eq!(*heard, all.collect::<Vec<_>>(), "{}", person.prefix());
                }
            }
        }
        fs::remove_dir_all(&self.folder).expect("it works, and it is there");
        self.ended
    }

    fn read_log(&self) -> Vec<(String, String)> {
        let place = sqlite::Place {
            directory: self.folder.clone(),
            durability: sqlite::Durability::Process,
            program: None,
        };
        let mut log = Kept::open(&place, Keep::default(), 7).expect("it works, and it is there");
        let mut entries = Vec::new();
        let each = |entry: pychat_server::log::Entry<'_>| {
            entries.push((entry.author.to_owned(), entry.content.to_owned()));
            ControlFlow::Continue(())
        };
        log.read(0, each).expect("it works, and it is there");
        entries
    }
}

impl Person {
    /// Every second person speaks protocol 2.
    fn new(index: usize, socket: Mortal, id: ConnectionId) -> Self {
        let mut unsent = Vec::new();
        let mind = if index % 2 == 1 {
            let name = UserName::new(&format!("{} двойка", NAMES[index]))
                .expect("it works, and it is there");
            let mut client = Client::new(name, Saved::default(), index as u128);
            client = client.beginning(Begin::Everything);
            client.connected(1);
            Mind::Two(Box::new(client), Vec::new())
        } else {
            let hello = ClientMessage::Hello {
                username: NAMES[index].into(),
                protocol: 1,
                token: None,
                resume: None,
            };
            hello.encode(&mut unsent);
            Mind::One(Ear::new())
        };
        Self { index, socket, id, mind, said: 0, unsent }
    }

    fn prefix(&self) -> String {
        format!("{}: ", self.index)
    }

    fn text(&self, number: usize) -> String {
        format!("{}{number}", self.prefix())
    }

    fn say(&mut self) {
        self.said += 1;
        let text = self.text(self.said);
        match &mut self.mind {
            Mind::One(_) => {
                let text = ClientMessage::Text { content: text.into(), id: None };
                text.encode(&mut self.unsent);
            }
            Mind::Two(client, _) => match client.say(&text) {
                Ok(_) => (),
                Err(_) => self.said -= 1, // It has much to say that is on its way.
            },
        }
    }

    fn hear(&mut self, now: u64) {
        let bytes = self.socket.line().take_heard();
        match &mut self.mind {
            Mind::One(ear) => ear.listen(&bytes, |_| ()),
            Mind::Two(client, heard) => {
                client.receive(now, &bytes);
                while let Some(event) = client.next_event() {
                    match event {
                        Event::Message(message) => {
                            heard.push((
                                message.seq.expect("it works, and it is there"),
                                message.content,
                            ));
                        }
                        Event::Disconnect | Event::Refused { .. } => panic!("{event:?}"),
                        _ => (),
                    }
                }
                self.unsent.extend(client.take_outgoing());
            }
        }
    }
}

fn address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 1).into()
}
