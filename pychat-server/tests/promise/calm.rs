//! The calm after each round: everybody comes to know everything, and it is checked.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use pychat_wire::client::RoomId;

use super::{
    original::Original,
    person::Person,
    plan::Habit,
    proof,
    proxy::Caller,
    shown::Screen,
    stored::Stored,
    texts::Utterance,
    world::{CALM_MAX, World},
};

/// The shortest time from one look at the file to the next.
const LOOK: Duration = Duration::from_millis(20);

impl World<'_> {
    /// Ends all trouble, waits until everybody knows everything, and checks it.
    pub(super) fn calm_down(&mut self) {
        self.end_disk_full();
        self.wait_for_outages();
        let begin = Instant::now();
        self.people.iter_mut().for_each(Person::stir);
        self.originals.iter_mut().for_each(Original::stir);
        let witness = self.people.len();
        let caller = Caller { who: witness, is_narrow: false, is_encrypted: self.rng.bool() };
        let name = format!("Свидетель {}", self.rng.u32(..));
        let habit = Habit::Window { page: 500 };
        self.people.push(Person::new(&name, caller, habit, self.rng.fork(), begin));
        let stored = self.wait_for_calm(begin);
        let witness = self.people.pop().expect("pushed above");
        let said = self.words_by_id();
        stored.tell(&mut self.oracle, &said);
        self.oracle.check_whole(|_| 0);
        let log = proof::Log::of(&self.oracle, stored, &witness, &self.house.file());
        for person in &self.people {
            log.check_person(person, &self.oracle);
            if self.plan.house.is_in_order {
                log.check_order(person);
            }
        }
        for original in &mut self.originals {
            log.check_original(original, self.tally);
            original.resume();
        }
        log.check_unsent(&self.people);
        self.house.attest();
        self.n_checked = log.len();
        self.people.push(witness);
        self.with_person(self.people.len() - 1, Person::leave);
        self.people.pop();
    }

    /// Waits until all outages are over. Nobody waits for what does not come.
    fn wait_for_outages(&mut self) {
        let deadline = Instant::now() + CALM_MAX;
        while !self.house.is_whole() {
            let now = Instant::now();
            assert!(now < deadline, "an outage does not end: {}", self.describe());
            self.turn((now + LOOK).min(deadline));
            self.lose_patience(true);
        }
    }

    /// Waits until everybody knows everything that the server has; returns that of the rooms.
    fn wait_for_calm(&mut self, begin: Instant) -> Stored {
        let (mut has_concluded, mut look_at) = (false, begin);
        let mut lack = None;
        loop {
            let now = Instant::now();
            assert!(now < begin + CALM_MAX, "no calm: {lack:?}\n{}", self.describe());
            self.proxy.calm(now);
            self.turn((now + LOOK).min(begin + CALM_MAX));
            self.lose_patience(true);
            has_concluded = self.conclude(has_concluded);
            let people = self.people.len() - 1;
            if !(has_concluded && self.is_known_to_all()) {
                continue;
            }
            // Nobody leaves a room any more: no page is refused.
            self.people[..people].iter_mut().for_each(Person::ask_for_older_of_rooms);
            if look_at <= now {
                let stored = Stored::read(&self.house.file(), self.oracle.last());
                let mut people = self.people[..people].iter();
                lack = people.find_map(|it| it.find_lack(&stored));
                if lack.is_none() {
                    return stored;
                }
                look_at = Instant::now() + LOOK;
            }
        }
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
        let has_all = person.has_all_of_the_hall();
        if person.is_joined() && !has_all {
            person.ask_for_older();
        }
        if !(is_through && is_settled && has_all) || has_concluded {
            return has_concluded;
        }
        let text = self.text("свидетель", 0);
        self.with_person(witness, |person, around| {
            person.say(around, |client| client.say(&RoomId::hall(), &text).map(drop));
        });
        true
    }

    /// Returns the words of all texts and edits of people of protocol 2, by their ids.
    fn words_by_id(&self) -> HashMap<String, String> {
        let said = self.people.iter().flat_map(|person| &person.memory.texts.said);
        let words = said.filter_map(|Utterance { id, said, .. }| {
            Some((id.as_str().to_owned(), said.words()?.to_owned()))
        });
        words.collect()
    }

    /// Returns true if everybody knows all of the hall.
    fn is_known_to_all(&self) -> bool {
        let [people @ .., witness] = &self.people[..] else { return false };
        let Some(hall) = witness.hall() else { return false };
        let last = hall.shown.last_key_value().and_then(|(_, last)| last.state());
        let last = last.map(|state| &*state.content);
        let knows_all = |it: &Person| it.hall().and_then(Screen::next) == hall.next();
        self.people.iter().all(Person::is_settled)
            && people.iter().all(knows_all)
            && self.originals.iter().all(|original| original.last_heard() == last)
    }
}
