//! One server, the people who talk over it, and what befalls them, in one loop.

use std::time::{Duration, Instant};

use fastrand::Rng;
use mio::{Events, Poll, Token};

use super::{
    house::House,
    original::Original,
    person::Person,
    plan::{Deed, Habit, Plan, Step, Way},
    proof,
    proxy::{Caller, LISTENER, Proxy},
    surroundings::Surroundings,
    tally::{Fault, Tally},
};
use crate::kit::Oracle;

/// The longest that a calm may take until everybody is there and knows everything.
const CALM_MAX: Duration = Duration::from_mins(1);

/// Tokens of those who speak protocol 1 come after these.
const PEOPLE_MAX: usize = 1_000;

/// A text as large as a neglected line needs many of, in bytes, and how many it needs.
const NEGLECT_BYTES: usize = 16 << 10;
const NEGLECT_TEXTS: usize = 40;

const PEOPLE: [&str; 8] = ["Анна", "Борис", "Вера", "Глеб", "Дарья", "Евгений", "Жанна", "Захар"];
/// The number of the person who has two devices.
const PAIRED: usize = 1;

const ORIGINALS: [&str; 3] = ["Игорь", "Клара", "Лев"];

/// Everything that there is.
#[derive(Debug)]
pub(crate) struct World<'a> {
    plan: &'a Plan,
    poll: Poll,
    events: Events,
    proxy: Proxy,
    house: House,
    people: Vec<Person>,
    originals: Vec<Original>,
    oracle: Oracle,
    tally: &'a mut Tally,
    rng: Rng,
    n_texts: u64,
    /// When the server is killed in the middle of what is being said, and for how long.
    ambush: Option<(Instant, Duration)>,
    disk_full_until: Option<Instant>,
    has_work: bool,
    n_checked: usize,
}

impl<'a> World<'a> {
    /// Runs all of `plan`, and checks after each round that nothing was lost or doubled.
    pub(crate) fn run(seed: u64, plan: &'a Plan, tally: &'a mut Tally) {
        let mut world = World::new(seed, plan, tally);
        world.arrive();
        for round in &plan.rounds {
            world.apply_fault(round);
            world.calm_down();
            world.tally.n_rounds += 1;
        }
        world.house.close(world.tally);
        world.tally.n_messages += world.n_checked as u64;
        world.tally.n_worlds += 1;
    }

    fn new(seed: u64, plan: &'a Plan, tally: &'a mut Tally) -> Self {
        let (poll, now) = (Poll::new().unwrap(), Instant::now());
        let house = House::open(plan.house, seed);
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
            oracle: Oracle::default(),
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

    /// Ends all trouble, waits until everybody knows everything, and checks it.
    fn calm_down(&mut self) {
        let begin = Instant::now();
        self.end_disk_full();
        self.people.iter_mut().for_each(Person::stir);
        self.originals.iter_mut().for_each(Original::stir);
        let witness = self.people.len();
        let caller = Caller { who: witness, is_narrow: false, is_encrypted: self.rng.bool() };
        let name = format!("Свидетель {}", self.rng.u32(..));
        let habit = Habit::Window { page: 500 };
        self.people.push(Person::new(&name, caller, habit, self.rng.fork(), begin));
        let mut has_concluded = false;
        while !(has_concluded && self.is_known_to_all()) {
            assert!(Instant::now() < begin + CALM_MAX, "no calm: {}", self.describe());
            self.proxy.calm(Instant::now());
            self.turn(begin + CALM_MAX);
            self.lose_patience(true);
            has_concluded = self.conclude(has_concluded);
        }
        let witness = self.people.pop().expect("pushed above");
        proof::take_in_rooms(&mut self.oracle, &self.house.file());
        self.oracle.check_whole(|_| 0);
        let log = proof::Log::of(&self.oracle, &witness, &self.house.file());
        for person in &self.people {
            log.check_person(person, self.plan.house.is_in_order);
            person.check_rooms(&self.oracle);
        }
        for original in &mut self.originals {
            log.check_original(original);
            original.resume();
        }
        log.check_unsent(&self.people);
        self.n_checked = log.len();
        self.people.push(witness);
        self.with_person(self.people.len() - 1, Person::leave);
        self.people.pop();
    }

    /// Once nothing is on its way any more, lets the witness read everything and say a last word;
    /// returns true once it has.
    fn conclude(&mut self, has_concluded: bool) -> bool {
        let number = self.n_texts;
        let mut is_through = true;
        for (index, original) in self.originals.iter_mut().enumerate() {
            let text = format!("{number} последнее слово {index}");
            is_through &= original.conclude(&text, &mut self.oracle);
        }
        self.n_texts += 1;
        let witness = self.people.len() - 1;
        let is_settled = self.people.iter().all(Person::is_settled);
        let person = &mut self.people[witness];
        if person.is_joined() && person.memory.shown.first().is_none_or(|first| first.seq != 1) {
            person.ask_for_older();
        }
        let has_all = person.memory.shown.first().is_some_and(|first| first.seq == 1);
        if !(is_through && is_settled && has_all) || has_concluded {
            return has_concluded;
        }
        let text = self.text("свидетель", 0);
        self.with_person(witness, |person, around| person.say(&text, around));
        true
    }

    fn is_known_to_all(&self) -> bool {
        let [people @ .., witness] = &self.people[..] else { return false };
        let last = witness.memory.shown.last().map(|last| last.content.as_str());
        self.people.iter().all(Person::is_settled)
            && people.iter().all(|person| person.memory.next_seq == witness.memory.next_seq)
            && people.iter().all(|person| person.has_all_of_rooms(&self.oracle))
            && self.originals.iter().all(|original| original.last_heard() == last)
    }

    /// Says who is not there, or does not know everything.
    fn describe(&self) -> String {
        let people = self.people.iter().map(Person::describe);
        let originals = self.originals.iter().map(Original::describe);
        people.chain(originals).chain([format!("{:?}", self.house)]).collect::<Vec<_>>().join("\n")
    }

    /// Waits once, at most until then, and does everything that became possible.
    fn turn(&mut self, until: Instant) {
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

    fn lose_patience(&mut self, is_everybody: bool) {
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
                (0..texts).for_each(|_| self.say(who, 100));
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
            Deed::AskForOlder { who } => self.people[who].ask_for_older(),
            Deed::Room { who, act, any } => {
                let text = self.text(PEOPLE[who % PEOPLE.len()], any);
                let other = self.people[any % self.people.len()].name.as_str().to_owned();
                self.with_person(who, |person, around| {
                    person.act_in_rooms(act, any, &other, &text);
                    person.settle(around);
                });
                self.has_work = true;
            }
        }
    }

    fn end_disk_full(&mut self) {
        if self.disk_full_until.take().is_some() {
            self.house.fill_disk(false);
        }
    }

    fn say(&mut self, who: usize, bytes: usize) {
        if let Some(index) = who.checked_sub(self.people.len()) {
            let text = self.text(ORIGINALS[index], bytes);
            self.originals[index].say(&text, &mut self.oracle);
        } else {
            let text = self.text(PEOPLE[who], bytes);
            self.with_person(who, |person, around| person.say(&text, around));
        }
        self.has_work = true;
    }

    /// Makes a text that was never said before.
    fn text(&mut self, who: &str, bytes: usize) -> String {
        self.n_texts += 1;
        format!("{} {who} {}", self.n_texts, "ж".repeat(bytes / 2)).trim_end().to_owned()
    }

    fn caller(&self, who: usize) -> usize {
        who.checked_sub(self.people.len()).map_or(who, |index| PEOPLE_MAX + index)
    }

    fn with_person(&mut self, who: usize, act: impl FnOnce(&mut Person, &mut Surroundings<'_>)) {
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
