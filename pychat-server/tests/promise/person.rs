//! Somebody of protocol 2: the client library over a socket, a disk that outlives it, and a memory
//! that nothing is lost from.

mod heed;
mod rooms;
mod talk;

pub(crate) use self::talk::is_not_theirs;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use fastrand::Rng;
use mio::event::Event as Edge;
use pychat_wire::{
    Client, UserName,
    client::{Begin, Hearing, RoomId, Saved},
    key::PairCode,
};

use super::{
    channel::Channel,
    line::{Became, Heard},
    memory::Memory,
    plan::{Habit, Moment},
    proxy::Caller,
    shown::Screen,
    surroundings::Surroundings,
    tally::Fault,
};
use crate::kit::{Oracle, V2Checker};

/// The most that is read at once, in bytes: often it is less, so that death may come in between.
const READ_BYTES_MAX: usize = 16 << 10;

/// After so long a silence in which something should have come, time begins to fly; each time it
/// was in vain it waits for twice as long.
const PATIENCE: Duration = Duration::from_millis(60);
const PATIENCE_MAX: Duration = Duration::from_secs(3);

/// The longest that somebody who is to die between two things waits for the first of them.
const DOOM: Duration = Duration::from_millis(300);

/// A person, over all their lives.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) name: UserName,
    caller: Caller,
    habit: Habit,
    /// The code by which this is another device of somebody, until it has joined them.
    pair: Option<PairCode>,
    /// The code for another device that they were told.
    pub(crate) code: Option<PairCode>,
    rng: Rng,
    client: Option<Client>,
    channel: Option<Channel>,
    /// The check of all that is heard and said on it.
    checker: V2Checker,
    /// The state that is stored.
    disk: Saved,
    dead_until: Option<Instant>,
    fault: Option<(Moment, Instant)>,
    /// The time by which their clock is ahead, in milliseconds.
    ahead_ms: u64,
    begin: Instant,
    heard_at: Instant,
    patience: Duration,
    /// Nothing makes them impatient before this.
    calm_until: Option<Instant>,
    retry_at: Option<Instant>,
    has_shown: bool,
    pub(crate) memory: Memory,
}

impl Person {
    /// Returns somebody who is about to join for the first time.
    pub(crate) fn new(name: &str, caller: Caller, habit: Habit, rng: Rng, now: Instant) -> Self {
        let mut person = Self {
            name: UserName::new(name).unwrap(),
            caller,
            habit,
            pair: None,
            code: None,
            rng,
            client: None,
            channel: None,
            checker: V2Checker::new(false),
            disk: Saved::default(),
            dead_until: None,
            fault: None,
            ahead_ms: 0,
            begin: now,
            heard_at: now,
            patience: PATIENCE,
            calm_until: None,
            retry_at: None,
            has_shown: false,
            memory: Memory::new(name, habit),
        };
        person.live(now);
        person
    }

    /// Makes this another device of the person who was told `code`.
    pub(crate) fn pairing(mut self, code: PairCode, now: Instant) -> Self {
        self.pair = Some(code);
        self.memory.is_shared = true;
        self.live(now);
        self
    }

    /// Asks for a code for another device.
    pub(crate) fn ask_for_code(&mut self) {
        self.memory.is_shared = true;
        assert!(self.client.as_mut().is_some_and(Client::request_pair_code), "they are there");
    }

    /// Begins a life, with what is on the disk.
    fn live(&mut self, now: Instant) {
        let stored = serde_json::to_string(&self.disk).unwrap();
        let saved = serde_json::from_str(&stored).unwrap();
        let seed = std::array::from_fn(|_| self.rng.u8(..));
        let begin = match self.habit {
            Habit::Keeper => Begin::Resume,
            Habit::Reader => Begin::Everything,
            Habit::Window { page } => Begin::LastPage(page),
        };
        let client = Client::new(self.name.clone(), saved, seed).beginning(begin);
        let client = client.hearing(Hearing::All).persistent();
        let client = match self.pair {
            Some(code) => client.pairing(code),
            None => client,
        };
        self.memory.live(&positions(client.saved()));
        (self.client, self.dead_until, self.heard_at) = (Some(client), None, now);
    }

    /// Ends a life without a word.
    fn die(&mut self, until: Instant) {
        (self.client, self.channel, self.fault, self.retry_at) = (None, None, None, None);
        self.dead_until = Some(until);
    }

    /// Lets them die when that moment comes.
    pub(crate) fn fault(&mut self, moment: Moment, until: Instant, around: &mut Surroundings<'_>) {
        if self.client.is_none() {
            return;
        }
        self.fault = Some((moment, until));
        if moment == Moment::Now {
            around.tally.note(Fault::Died);
            self.die(until);
        }
    }

    /// Leaves for good.
    pub(crate) fn leave(&mut self, around: &mut Surroundings<'_>) {
        if let Some(client) = &mut self.client {
            client.leave();
        }
        self.settle(around);
    }

    /// Notes an edge.
    pub(crate) fn set_ready(&mut self, edge: &Edge) {
        if let Some(channel) = &mut self.channel {
            channel.set_ready(edge);
        }
    }

    /// Does what became possible; returns true if there is more.
    pub(crate) fn turn(&mut self, around: &mut Surroundings<'_>) -> bool {
        match self.dead_until {
            Some(until) if around.now < until => return false,
            Some(_) => self.live(around.now),
            None => (),
        }
        let has_more = self.hear(around);
        self.pass_time(around.now);
        self.settle(around);
        if let Some((_, until)) = self.fault
            && until + DOOM < around.now
        {
            self.fault = None; // The moment never came.
        }
        has_more
    }

    /// Returns when something is due that no socket tells of.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let client = self.client.as_ref().and_then(Client::next_deadline).map(|at_ms| {
            self.begin + Duration::from_millis(at_ms.saturating_sub(self.ahead_ms).max(1))
        });
        [self.dead_until, self.retry_at, client].into_iter().flatten().min()
    }

    /// Lets nothing make them impatient before `until`.
    pub(crate) fn calm(&mut self, until: Instant) {
        self.calm_until = Some(until);
    }

    /// Lets them be as impatient as at first.
    pub(crate) fn stir(&mut self) {
        (self.calm_until, self.patience) = (None, PATIENCE);
    }

    /// Lets time fly for somebody who has waited in vain for too long.
    pub(crate) fn lose_patience(&mut self, now: Instant) {
        let is_calm = self.calm_until.is_some_and(|until| now < until);
        let patience = self.patience;
        if is_calm || now.saturating_duration_since(self.heard_at) < patience {
            return;
        }
        (self.heard_at, self.patience) = (now, (2 * patience).min(PATIENCE_MAX));
        self.fly(now);
    }

    /// Returns true if they are there and nothing of theirs is on its way.
    pub(crate) fn is_settled(&self) -> bool {
        self.client.as_ref().is_some_and(|client| {
            let is_answered =
                client.saved().n_unacknowledged() == 0 && self.memory.asked.is_empty();
            client.is_joined() && is_answered && self.fault.is_none()
        })
    }

    /// Returns true if they are in the room.
    pub(crate) fn is_joined(&self) -> bool {
        self.client.as_ref().is_some_and(Client::is_joined)
    }

    /// Says where they are.
    pub(crate) fn describe(&self) -> String {
        format!(
            "{}: in the room: {}, waiting for {} acknowledgements and {:?}, next number {:?}, line: {}",
            self.name.as_str(),
            self.is_joined(),
            self.disk.n_unacknowledged(),
            self.memory.asked,
            self.hall().and_then(Screen::next),
            self.channel.is_some(),
        )
    }

    /// Returns the hall as they see it, once they do.
    pub(crate) fn hall(&self) -> Option<&Screen> {
        self.memory.screens.get(&RoomId::hall())
    }

    /// Returns the log's name, as it is stored.
    pub(crate) fn epoch(&self) -> Option<String> {
        let stored = serde_json::to_value(&self.disk).unwrap();
        stored["epoch"].as_str().map(ToOwned::to_owned)
    }

    fn ms(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.begin).as_millis();
        u64::try_from(since).unwrap() + self.ahead_ms
    }

    fn fly(&mut self, now: Instant) {
        let now_ms = self.ms(now);
        if let Some(at_ms) = self.client.as_ref().and_then(Client::next_deadline) {
            self.ahead_ms += at_ms.saturating_sub(now_ms);
        }
    }

    fn hear(&mut self, around: &mut Surroundings<'_>) -> bool {
        let ms = self.ms(around.now);
        let (Some(client), Some(channel)) = (&mut self.client, &mut self.channel) else {
            return false;
        };
        let is_lost = match channel.line.is_connected() {
            Ok(None) => return false,
            Ok(Some(Became::New)) => {
                client.connected(ms);
                false
            }
            Ok(Some(Became::Known)) => false,
            Err(_) => true,
        };
        if is_lost || !channel.line.write(usize::MAX) {
            return self.hang_up(ms);
        }
        if !channel.line.unsent.is_empty() {
            return false;
        }
        let mut buffer = [0; READ_BYTES_MAX];
        let size = READ_BYTES_MAX >> self.rng.u32(0..7);
        match channel.read(&mut buffer[..size]) {
            Heard::Bytes(size) => {
                self.heard_at = around.now;
                if let Some(binding) = channel.take_binding() {
                    client.secured(ms, binding);
                }
                self.checker.listen(&buffer[..size], around.oracle);
                client.receive(ms, &buffer[..size]);
                true
            }
            Heard::Nothing => false,
            Heard::End | Heard::BadFrame => self.hang_up(ms),
        }
    }

    fn hang_up(&mut self, ms: u64) -> bool {
        self.channel = None;
        if let Some(client) = &mut self.client {
            client.disconnected(ms);
        }
        false
    }

    fn pass_time(&mut self, now: Instant) {
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.fly(now);
        }
        let ms = self.ms(now);
        if let Some(client) = &mut self.client
            && client.next_deadline().is_some_and(|at| at <= ms)
        {
            client.handle_timeout(ms);
        }
    }

    /// Does what the client wants done, stores what it wants stored, writes what it wants written.
    fn settle(&mut self, around: &mut Surroundings<'_>) {
        self.has_shown = false;
        while let Some(event) = self.client.as_mut().and_then(Client::next_event) {
            self.heed(event, around);
        }
        if let Some((Moment::Unstored, until)) = self.fault
            && self.has_shown
        {
            around.tally.note(Fault::DiedUnstored);
            return self.die(until);
        }
        self.store();
        self.write(around.oracle);
    }

    /// Writes what the client wants written; what is broken is found by reading.
    fn write(&mut self, oracle: &mut Oracle) {
        let outgoing = self.client.as_mut().map(Client::take_outgoing).unwrap_or_default();
        if let Some(channel) = &mut self.channel {
            self.checker.writes(&outgoing, oracle);
            channel.say(&outgoing);
            channel.line.write(usize::MAX);
        }
    }

    fn store(&mut self) {
        if let Some(saved) = self.client.as_mut().and_then(Client::take_saved) {
            self.disk.clone_from(saved);
        }
    }
}

/// Returns the last number shown of each room, as it is saved.
fn positions(saved: &Saved) -> BTreeMap<RoomId, u64> {
    let saved = serde_json::to_value(saved).unwrap();
    let rooms = saved["rooms"].as_object().into_iter().flatten();
    rooms.map(|(room, spot)| (RoomId::from(&**room), spot["seq"].as_u64().unwrap())).collect()
}
