//! The server, or several of one chat, the people who talk over it, and what befalls them, in one loop.

use std::time::{Duration, Instant};

use fastrand::Rng;
use mio::{Events, Poll, Token};
use pychat_wire::client::RoomId;

use super::{
    erased::NUMBER,
    house::House,
    original::Original,
    person::Person,
    plan::{Act, Deed, Habit, Plan, Step, Way},
    proxy::{Caller, LISTENER, Proxy},
    surroundings::Surroundings,
    tally::{Fault, Tally},
};
use crate::kit::{Knob, Oracle};

/// The longest that a calm may take until everybody is there and knows everything.
pub(super) const CALM_MAX: Duration = Duration::from_mins(1);

/// Tokens of those who speak protocol 1 come after these.
const PEOPLE_MAX: usize = 1_000;

/// A text as large as a neglected line needs many of, in bytes, and how many it needs.
const NEGLECT_BYTES: usize = 16 << 10;
const NEGLECT_TEXTS: usize = 40;

/// The number of acts that follow upon a burst of texts.
const ACTS_IN_BURST: usize = 8;

pub(super) const PEOPLE: [&str; 8] =
    ["Анна", "Борис", "Вера", "Глеб", "Дарья", "Евгений", "Жанна", "Захар"];
/// The number of the person who has two devices, and is an operator.
pub(super) const PAIRED: usize = 1;

const ORIGINALS: [&str; 3] = ["Игорь", "Клара", "Лев"];

/// Everything that there is.
#[derive(Debug)]
pub(crate) struct World<'a> {
    pub(super) plan: &'a Plan,
    poll: Poll,
    events: Events,
    pub(super) proxy: Proxy,
    pub(super) house: House,
    pub(super) people: Vec<Person>,
    pub(super) originals: Vec<Original>,
    pub(super) oracle: Oracle,
    pub(super) tally: &'a mut Tally,
    pub(super) rng: Rng,
    pub(super) n_texts: u64,
    /// When a server is killed in the middle of what is being said, and for how long.
    ambush: Option<(Instant, Duration)>,
    disk_full_until: Option<Instant>,
    pub(super) has_work: bool,
    pub(super) n_checked: usize,
}

impl<'a> World<'a> {
    /// Runs all of `plan`, and checks after each round that nothing was lost or doubled.
    pub(crate) fn run(seed: u64, plan: &'a Plan, tally: &'a mut Tally) {
        let mut world = World::new(seed, plan, tally);
        world.arrive();
        world.house.attest();
        for round in &plan.rounds {
            world.apply_fault(round);
            world.calm_down();
            world.tally.n_rounds += 1;
        }
        world.check_erased();
        world.tally.n_messages += world.n_checked as u64;
        world.tally.n_worlds += 1;
    }

    fn new(seed: u64, plan: &'a Plan, tally: &'a mut Tally) -> Self {
        let (poll, now) = (Poll::new().unwrap(), Instant::now());
        let mut house = House::open(plan.house, seed);
        let proxy = Proxy::new(poll.registry(), house.address());
        let mut rng = Rng::with_seed(!seed);
        let n_people = plan.people.len();
        let person = |(who, habit): (usize, &Habit)| {
            Person::new(PEOPLE[who], caller_of(plan, who), *habit, rng.fork(), now)
        };
        let people = plan.people.iter().enumerate().take(n_people - 1).map(person).collect();
        let original = |index: usize| {
            let is_narrow = plan.is_narrow[n_people + index];
            let caller = Caller { who: PEOPLE_MAX + index, is_narrow, is_encrypted: false };
            Original::new(ORIGINALS[index], caller, now)
        };
        let originals = (0..plan.n_originals).map(original).collect();
        Self {
            plan,
            poll,
            events: Events::with_capacity(256),
            proxy,
            house,
            people,
            originals,
            oracle: if 1 < super::database::n_servers() {
                Oracle::shared()
            } else {
                Oracle::default()
            },
            tally,
            rng,
            n_texts: 0,
            ambush: None,
            disk_full_until: None,
            has_work: true,
            n_checked: 0,
        }
    }

    /// Lets everybody join, and one of them pair another device.
    fn arrive(&mut self) {
        self.turn_until(Self::are_all_there);
        self.people[PAIRED].ask_for_code();
        self.turn_until(|world| world.people[PAIRED].code.is_some());
        let (who, now) = (self.people.len(), Instant::now());
        let code = self.people[PAIRED].code.take().expect("waited for above");
        let caller = caller_of(self.plan, who);
        let habit = self.plan.people[who];
        let device = Person::new(PEOPLE[PAIRED], caller, habit, self.rng.fork(), now);
        self.people.push(device.pairing(code, now));
        self.turn_until(Self::are_all_there);
        self.house.add_operator(PEOPLE[PAIRED]);
        let are_told = |world: &Self| world.people[PAIRED].is_operator();
        self.turn_until(are_told);
    }

    fn are_all_there(&self) -> bool {
        self.people.iter().all(Person::is_settled) && self.originals.iter().all(Original::is_joined)
    }

    fn turn_until(&mut self, is_done: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + CALM_MAX;
        while !is_done(self) {
            assert!(Instant::now() < deadline, "not all could join: {}", self.describe());
            self.turn(deadline);
        }
    }

    /// Lets the steps of one round happen.
    fn apply_fault(&mut self, round: &[Step]) {
        let begin = Instant::now();
        for step in round {
            let at = begin + step.at;
            while Instant::now() < at {
                self.turn(at);
                self.lose_patience(false);
            }
            self.commit(step.deed);
        }
        while let Some((at, _)) = self.ambush {
            self.turn(at);
        }
    }

    /// Says who is not there, or does not know everything.
    pub(super) fn describe(&self) -> String {
        let people = self.people.iter().map(Person::describe);
        let originals = self.originals.iter().map(Original::describe);
        people.chain(originals).chain([format!("{:?}", self.house)]).collect::<Vec<_>>().join("\n")
    }

    /// Waits once, at most until then, and does everything that became possible.
    pub(super) fn turn(&mut self, until: Instant) {
        let now = Instant::now();
        let people = self.people.iter().filter_map(Person::next_deadline);
        let originals = self.originals.iter().filter_map(Original::next_deadline);
        let deadline = people
            .chain(originals)
            .chain(self.proxy.next_deadline())
            .chain(self.ambush.map(|(at, _)| at))
            .chain(self.disk_full_until)
            .chain([until, self.house.next_deadline(now)])
            .min()
            .filter(|_| !self.has_work)
            .unwrap_or(now);
        let patience = deadline.saturating_duration_since(now);
        match self.poll.poll(&mut self.events, Some(patience)) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return,
            result => result.unwrap(),
        }
        for event in &self.events {
            match event.token() {
                token if LISTENER <= token => self.proxy.set_ready(event),
                Token(who) if who < PEOPLE_MAX => {
                    if let Some(person) = self.people.get_mut(who) {
                        person.set_ready(event);
                    }
                }
                Token(who) => self.originals[who - PEOPLE_MAX].set_ready(event),
            }
        }
        let now = Instant::now();
        self.house.turn(now, self.tally);
        self.proxy.server = self.house.address();
        if let Some((at, down)) = self.ambush
            && at <= now
        {
            self.ambush = None;
            let is_caught = !self.people.iter().all(Person::is_settled);
            let fault = if is_caught { Fault::KilledInBurst } else { Fault::Killed };
            self.house.kill(fault, down, self.tally);
        }
        if self.disk_full_until.is_some_and(|until| until <= now) {
            self.end_disk_full();
        }
        let mut around = Surroundings {
            now,
            registry: self.poll.registry(),
            proxy: &mut self.proxy,
            oracle: &mut self.oracle,
            tally: self.tally,
        };
        self.has_work = false;
        for person in &mut self.people {
            self.has_work |= person.turn(&mut around);
        }
        for original in &mut self.originals {
            self.has_work |= original.turn(&mut around);
        }
        self.has_work |= self.proxy.turn(now, self.poll.registry(), self.tally);
    }

    pub(super) fn lose_patience(&mut self, is_everybody: bool) {
        if !self.house.is_up() {
            return;
        }
        let now = Instant::now();
        for person in &mut self.people {
            if is_everybody || !person.is_settled() {
                person.lose_patience(now);
            }
        }
        for original in &mut self.originals {
            if is_everybody || original.is_waiting() {
                original.lose_patience(now);
            }
        }
    }

    fn commit(&mut self, deed: Deed) {
        let now = Instant::now();
        match deed {
            Deed::Say { who, texts, bytes } => (0..texts).for_each(|_| self.say(who, bytes)),
            Deed::Cut { who, is_reset } => self.proxy.cut(self.caller(who), is_reset, self.tally),
            Deed::Stall { who, way, time } => self.proxy.stall(self.caller(who), way, now + time),
            Deed::Trickle { who, way, time } => {
                self.proxy.trickle(self.caller(who), way, now + time);
            }
            Deed::Disturb { who, ambush } => self.proxy.disturb(who, ambush, self.tally),
            Deed::LoseServerEnd { who } => {
                self.proxy.lose(self.caller(who), Way::Down, self.tally);
            }
            Deed::LoseClientEnd { who } => self.proxy.lose(self.caller(who), Way::Up, self.tally),
            Deed::Neglect { who, talker, time } => {
                self.proxy.stall(self.caller(who), Way::Down, now + time);
                self.people[who].calm(now + time);
                (0..NEGLECT_TEXTS).for_each(|_| self.say(talker, NEGLECT_BYTES));
            }
            Deed::KillServer { down } => self.house.kill(Fault::Killed, down, self.tally),
            Deed::KillInBurst { who, texts, after, down } => {
                let rooms = self.people[who].rooms().into_iter().map(|room| room.id);
                let rooms: Vec<_> = rooms.chain([RoomId::hall()]).collect();
                let texts = (0..texts).map(|_| self.rng.usize(..rooms.len())).collect::<Vec<_>>();
                for room in texts {
                    self.say_in(who, &rooms[room], 100);
                }
                for _ in 0..ACTS_IN_BURST {
                    let act = Act::choose(&mut |end| self.rng.usize(..end));
                    let seed = self.rng.u64(..);
                    self.act(who, act, seed);
                }
                self.ambush = Some((now + after, down));
            }
            Deed::StopServer { down } => self.house.stop(now, down),
            Deed::Die { who, moment, down } => {
                self.with_person(who, |person, around| person.fault(moment, now + down, around));
            }
            Deed::FillDisk { time } => {
                self.house.fill_disk(true);
                self.disk_full_until = Some(now + time);
            }
            Deed::Blow(blow) => self.house.befall(blow, now),
            Deed::AskForOlder { who } => self.people[who].ask_for_older(),
            Deed::Act { who, act, seed } => self.act(who, act, seed),
        }
    }

    pub(super) fn end_disk_full(&mut self) {
        if self.disk_full_until.take().is_some() {
            self.house.fill_disk(false);
        }
    }

    fn say(&mut self, who: usize, bytes: usize) {
        if let Some(index) = who.checked_sub(self.people.len()) {
            let text = self.text(ORIGINALS[index], bytes);
            self.originals[index].say(&text, &mut self.oracle);
        } else {
            self.say_in(who, &RoomId::hall(), bytes);
        }
        self.has_work = true;
    }

    /// A person of protocol 2 says something in a room.
    pub(super) fn say_in(&mut self, who: usize, room: &RoomId, bytes: usize) {
        let text = self.text(PEOPLE[who], bytes);
        self.with_person(who, |person, around| {
            person.say(around, |client| client.say(room, &text).map(drop));
        });
        self.has_work = true;
    }

    /// Makes a text that was never said before.
    pub(super) fn text(&mut self, who: &str, bytes: usize) -> String {
        self.n_texts += 1;
        let text = format!("{NUMBER}{} {who} {}", self.n_texts, "ж".repeat(bytes / 2));
        text.trim_end().to_owned()
    }

    fn caller(&self, who: usize) -> usize {
        who.checked_sub(self.people.len()).map_or(who, |index| PEOPLE_MAX + index)
    }

    pub(super) fn with_person(
        &mut self,
        who: usize,
        act: impl FnOnce(&mut Person, &mut Surroundings<'_>),
    ) {
        let mut around = Surroundings {
            now: Instant::now(),
            registry: self.poll.registry(),
            proxy: &mut self.proxy,
            oracle: &mut self.oracle,
            tally: self.tally,
        };
        act(&mut self.people[who], &mut around);
    }
}

/// Returns how somebody of protocol 2 calls.
fn caller_of(plan: &Plan, who: usize) -> Caller {
    Caller { who, is_narrow: plan.is_narrow[who], is_encrypted: plan.is_encrypted[who] }
}
