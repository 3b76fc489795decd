//! People with clients, lines and the server; who does what next is chance.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use fastrand::Rng;
use pychat_server::{
    core::{
        chat::Rules, id::ConnectionId, people::People, record::PersonId, rooms::Rooms,
        secret::Secret,
    },
    limits::Limits,
    server::Server,
    store::{Memory, Retention},
};
use pychat_wire::client::RoomId;

use super::{Fault, Fired, person::Person, trouble::faults};
use crate::kit::{DELAY_TICKS_MAX, DelayedStore, Knob, Line, Oracle, V2Checker, Waiting, knobs};

/// The number of steps before the world calms down.
const STEPS: usize = 700;

/// The most that a line holds towards a client, in bytes.
const LINE_BYTES_MAX: usize = 700;

/// The most that the server holds for one client, in bytes.
const BACKLOG_BYTES_MAX: usize = 1_500;

/// The time that the server's clock shows at the beginning, in UTC milliseconds since 1970.
const UTC_MS: u64 = 1_000_000_000_000;

knobs! {
    /// The next thing that happens, each so often in 121 times.
    enum Step {
        Say = 16,
        /// Somebody amends a message.
        Amend = 8,
        /// Somebody does something about rooms.
        Room = 14,
        Search = 3,
        /// Some of what a client wrote reaches the server.
        Up = 24,
        /// Some of what the server wrote reaches a client.
        Down = 32,
        /// Some time passes.
        Pass = 4,
        Call = 12,
        /// The server hears of lines that clients left.
        EndLeft = 2,
        /// Somebody looks at what is older.
        Look = 3,
        Trouble = 3,
    }
}

/// One log of the server's.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) oracle: Oracle,
    /// The last number of each room that is not kept any more.
    pub(crate) forgotten_to: BTreeMap<String, u64>,
    pub(crate) number: usize,
}

impl Log {
    pub(super) fn new(number: usize) -> Self {
        let oracle = Oracle::of(&format!("{number:032x}"));
        Self { oracle, forgotten_to: BTreeMap::new(), number }
    }

    /// Returns the last number of a room that is not kept any more.
    pub(crate) fn forgotten_to(&self, room: &str) -> u64 {
        self.forgotten_to.get(room).copied().unwrap_or_default()
    }
}

/// A line between a person and the server, and the bytes that are on their way over it.
pub(super) struct Link {
    pub(super) person: usize,
    pub(super) id: ConnectionId,
    pub(super) line: Line,
    pub(super) checker: V2Checker,
    pub(super) up: Vec<u8>,
    pub(super) down: Vec<u8>,
    /// The person's end is closed.
    pub(super) is_left: bool,
    /// Everything that goes in is lost, and nobody is told.
    pub(super) is_mute: bool,
    /// Nothing is read from it.
    pub(super) is_stalled: bool,
}

impl Link {
    /// Returns the line of somebody whom the server will know by `id`.
    fn new(person: usize, id: ConnectionId) -> Self {
        let line = Line::default();
        line.set_room(Some(LINE_BYTES_MAX));
        Self {
            person,
            id,
            line,
            checker: V2Checker::new(true),
            up: Vec::new(),
            down: Vec::new(),
            is_left: false,
            is_mute: false,
            is_stalled: false,
        }
    }

    /// The line is reset as the server sees it.
    pub(super) fn leave(&mut self) {
        (self.up, self.down, self.is_left) = (Vec::new(), Vec::new(), true);
    }
}

pub(crate) struct World {
    pub(crate) logs: Vec<Log>,
    pub(crate) people: Vec<Person>,
    /// The faults that took effect in this world, and in all.
    pub(crate) own_fired: Fired,
    pub(super) fired: Fired,
    pub(super) rng: Rng,
    pub(super) server: Server<Line>,
    pub(super) waiting: Waiting,
    pub(super) links: BTreeMap<usize, Link>,
    n_links: usize,
    begin: Instant,
    pub(super) now_ms: u64,
    pub(super) is_away: bool,
}

impl World {
    pub(crate) fn new(seed: u64, fired: Fired) -> Self {
        let mut rng = Rng::with_seed(seed);
        let n_people = rng.usize(2..=4);
        let people = (0..n_people).map(|number| Person::new(number, rng.u8(0..3) == 0)).collect();
        let (server, waiting) = serve(1, &mut rng);
        Self {
            logs: vec![Log::new(1)],
            people,
            own_fired: Fired::default(),
            fired,
            rng,
            server,
            waiting,
            links: BTreeMap::new(),
            n_links: 0,
            begin: Instant::now(),
            now_ms: 0,
            is_away: false,
        }
    }

    /// Anything may happen.
    pub(crate) fn live(&mut self) {
        for _ in 0..STEPS {
            let person = self.rng.usize(..self.people.len());
            match Step::choose(&mut |end| self.rng.usize(..end)) {
                Step::Say => self.say(person),
                Step::Amend => self.amend(person),
                Step::Room => self.act_in_rooms(person),
                Step::Search => self.search(person),
                Step::Up => self.bring_up(None),
                Step::Down => self.bring_down(None),
                Step::Pass => {
                    let ms = self.rng.u64(..3_000);
                    self.pass(ms);
                }
                Step::Call => self.call(person),
                Step::EndLeft => self.end_left_lines(),
                Step::Look => self.look(person),
                Step::Trouble => self.trouble(person),
            }
            if !self.once_in(4) {
                self.tick();
            }
        }
    }

    pub(super) fn has_work(&self) -> bool {
        self.server.has_work() || !self.waiting.is_empty()
    }

    fn say(&mut self, number: usize) {
        let reply = self.some_reply(number, &RoomId::hall());
        if self.people[number].say(&RoomId::hall(), reply) && self.once_in(40) {
            // It may be on the line already, or not.
            if self.once_in(2) {
                self.send(number);
            }
            return self.kill(number, Fault::KilledUnstored);
        }
        self.attend(number);
    }

    /// After each input: heed what the client says, store, and write.
    pub(super) fn attend(&mut self, number: usize) {
        if self.people[number].heed(&self.fired) {
            self.leave_line(number);
        }
        self.people[number].store();
        self.send(number);
    }

    fn send(&mut self, number: usize) {
        let bytes = self.people[number].client.take_outgoing();
        if let Some(link) = self.people[number].line.and_then(|it| self.links.get_mut(&it))
            && !link.is_mute
        {
            link.up.extend(bytes);
        }
    }

    /// Makes a line, if one is wanted.
    pub(super) fn call(&mut self, number: usize) {
        let person = &mut self.people[number];
        if !person.is_calling {
            return;
        }
        (person.is_calling, person.line) = (false, None);
        if self.is_away {
            person.client.disconnected(self.now_ms);
            self.fire(Fault::Unreachable);
        } else {
            self.n_links += 1;
            person.line = Some(self.n_links);
            person.client.connected(self.now_ms);
            let link = Link::new(number, self.server.next_id());
            self.server.admit(self.now(), link.line.clone(), ([127, 0, 0, 1], 1).into());
            self.links.insert(self.n_links, link);
        }
        self.attend(number);
    }

    /// Lets some of what a person wrote reach the server.
    pub(super) fn bring_up(&mut self, which: Option<(usize, usize)>) {
        let Some((number, n_bytes)) = which.or_else(|| self.any_line()) else { return };
        let Some(link) = self.links.get_mut(&number) else { return };
        let rest = link.up.split_off(n_bytes.min(link.up.len()));
        let bytes = std::mem::replace(&mut link.up, rest);
        link.checker.writes(&bytes, &mut self.logs.last_mut().expect("there is one").oracle);
        link.line.send(&bytes);
        self.server.set_ready(link.id, true, false);
    }

    /// Lets some of what the server wrote reach the person; after the last of it, the end.
    pub(super) fn bring_down(&mut self, which: Option<(usize, usize)>) {
        let Some((number, n_bytes)) = which.or_else(|| self.any_line()) else { return };
        let Some(link) = self.links.get_mut(&number) else { return };
        let person = link.person;
        if self.people[person].line != Some(number) || link.is_stalled {
            return; // They know of it no more.
        }
        if link.down.is_empty() {
            if (link.line.is_ended() || link.line.is_dropped()) && !link.is_mute {
                link.is_left = true;
                self.people[person].line = None;
                self.people[person].client.disconnected(self.now_ms);
                self.attend(person);
            }
            return;
        }
        let rest = link.down.split_off(n_bytes.min(link.down.len()));
        let bytes = std::mem::replace(&mut link.down, rest);
        self.give_room(number);
        self.people[person].client.receive(self.now_ms, &bytes);
        if which.is_none() && self.once_in(100) {
            self.people[person].heed(&self.fired);
            return self.kill(person, Fault::KilledUnstored);
        }
        self.attend(person);
    }

    /// A line, and how much of it moves: a few bytes, or all there is.
    pub(super) fn any_line(&mut self) -> Option<(usize, usize)> {
        let links: Vec<_> = self.links.keys().copied().collect();
        let link = *self.rng.choice(&links)?;
        Some((link, if self.once_in(3) { self.rng.usize(1..=100) } else { usize::MAX }))
    }

    /// A line holds so much and no more.
    fn give_room(&mut self, number: usize) {
        let link = &self.links[&number];
        let room = if link.is_mute || link.is_left { usize::MAX } else { LINE_BYTES_MAX };
        link.line.set_room(Some(room.saturating_sub(link.down.len())));
        self.server.set_ready(link.id, false, true);
    }

    /// One turn of the server, and what it wrote is on its way.
    pub(super) fn tick(&mut self) {
        self.server.tick(self.now(), UTC_MS + self.now_ms);
        let last_log = self.logs.last_mut().expect("there is one");
        let (fired, own_fired) = (&self.fired, &self.own_fired);
        for link in self.links.values_mut() {
            let bytes = link.line.take_heard();
            let (after, was_behind) = (link.checker.after(), link.checker.is_behind());
            for heard in link.checker.listen(&bytes, &mut last_log.oracle) {
                for fault in faults(&heard, after, &link.checker) {
                    fired.note(fault);
                    own_fired.note(fault);
                }
            }
            if was_behind && after < link.checker.after() {
                fired.note(Fault::Replayed);
            }
            if !link.is_mute && !link.is_left {
                link.down.extend(bytes);
            }
        }
        for number in self.links.keys().copied().collect::<Vec<_>>() {
            self.give_room(number);
        }
    }

    /// The server notices, some time later, who has gone.
    pub(super) fn end_left_lines(&mut self) {
        let left = self.links.iter().filter(|(_, link)| link.is_left).map(|(number, _)| *number);
        for number in left.collect::<Vec<_>>() {
            if self.once_in(2) {
                self.bring_up(Some((number, usize::MAX))); // Perhaps the last words come first.
            }
            let link = self.links.remove(&number).expect("it was just there");
            if self.once_in(2) {
                link.line.finish();
            } else {
                link.line.reset();
            }
            self.server.set_ready(link.id, true, true);
        }
    }

    pub(super) fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
        for number in 0..self.people.len() {
            let client = &mut self.people[number].client;
            while client.next_deadline().is_some_and(|deadline| deadline <= self.now_ms) {
                client.handle_timeout(self.now_ms);
            }
            self.attend(number);
        }
    }

    fn look(&mut self, number: usize) {
        let client = &mut self.people[number].client;
        client.wake(self.now_ms);
        let hall = RoomId::hall();
        client.see(&hall, client.saved().seq(&hall));
        let room = if self.once_in(2) { hall } else { self.some_room(number) };
        if self.people[number].is_window && self.people[number].client.request_history(&room, 3) {
            self.fire(Fault::Page);
        }
        self.attend(number);
    }

    /// The person's end of their line is closed.
    pub(super) fn leave_line(&mut self, number: usize) {
        if let Some(link) = self.people[number].line.take().and_then(|it| self.links.get_mut(&it)) {
            let up = std::mem::take(&mut link.up);
            link.leave();
            link.up = up;
        }
    }

    pub(super) fn now(&self) -> Instant {
        self.begin + Duration::from_millis(self.now_ms)
    }

    /// Returns true once in `n` times.
    pub(super) fn once_in(&mut self, n: usize) -> bool {
        self.rng.usize(..n) == 0
    }

    pub(super) fn fire(&self, fault: Fault) {
        self.fired.note(fault);
        self.own_fired.note(fault);
    }
}

pub(super) fn limits() -> Limits {
    let rules =
        Rules { rate_limit: None, connections_per_address_max: 0, ..Limits::default().rules };
    Limits { backlog_bytes_max: BACKLOG_BYTES_MAX, rules, ..Limits::default() }
}

/// Returns a server whose log is new and has this name.
pub(super) fn serve(epoch: u128, rng: &mut Rng) -> (Server<Line>, Waiting) {
    let delay_ticks_max = [0, DELAY_TICKS_MAX][rng.usize(..2)];
    let store = Memory::new(epoch, Retention::default());
    let (store, waiting) = DelayedStore::new(store, delay_ticks_max, rng.u64(..));
    let people = People::new(Secret::new([7; 32]), [], PersonId(0));
    (
        Server::new(limits(), Box::new(store), people, Rooms::default(), Secret::new([8; 32])),
        waiting,
    )
}
