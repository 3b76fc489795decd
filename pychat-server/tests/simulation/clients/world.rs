//! People, lines and a server; who does what next is chance.

use std::collections::BTreeMap;

use pychat_wire::message::Reason;

use crate::{Tally, chance::Chance, person::Person, server::Server};

/// How many things happen before the world calms down.
const STEPS: usize = 600;

/// How often the calm world may turn until everybody must have everything.
const TURNS_MAX: usize = 5_000;

/// What is on its way between a person and the server.
#[derive(Default)]
struct Line {
    person: usize,
    up: Vec<u8>,
    down: Vec<u8>,
    /// The person's end is closed.
    is_left: bool,
    /// Whatever goes in is lost, and nobody is told.
    is_mute: bool,
}

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) people: Vec<Person>,
    pub(crate) tally: Tally,
    chance: Chance,
    lines: BTreeMap<usize, Line>,
    n_lines: usize,
    now: u64,
    is_down: bool,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let n_people = 2 + chance.below(3);
        let people = (0..n_people).map(|number| Person::new(number, chance.once_in(3))).collect();
        Self {
            server: Server::new(),
            people,
            tally: Tally::new(),
            chance,
            lines: BTreeMap::new(),
            n_lines: 0,
            now: 0,
            is_down: false,
        }
    }

    /// Anything may happen.
    pub(crate) fn live(&mut self) {
        for _ in 0..STEPS {
            let person = self.chance.below(self.people.len());
            match self.chance.below(100) {
                0..20 => self.say(person),
                20..45 => self.bring_up(None),
                45..75 => self.bring_down(None),
                75..82 => {
                    let n_messages = 1 + self.chance.below(3);
                    self.server.replay(n_messages, &mut self.tally);
                }
                82..86 => {
                    let ms = self.chance.next() % 3_000;
                    self.pass(ms);
                }
                86..92 => self.call(person),
                92..94 => self.end_left_lines(),
                94..96 => self.look(person),
                _ => self.fault(person),
            }
            self.gather();
        }
    }

    /// Nothing breaks any more: everybody must come to have everything.
    pub(crate) fn settle(&mut self) {
        (self.is_down, self.server.is_disk_full) = (false, false);
        let mut is_calm = false;
        for _ in 0..TURNS_MAX {
            let mut is_reading = false;
            for person in 0..self.people.len() {
                self.call(person);
                let is_window = self.people[person].is_window;
                is_reading |= is_window && self.people[person].client.request_history(7);
                self.attend(person);
            }
            self.end_left_lines();
            for line in self.lines.keys().copied().collect::<Vec<_>>() {
                self.bring_up(Some((line, usize::MAX)));
                self.server.replay(3, &mut self.tally);
                self.gather();
                self.bring_down(Some((line, usize::MAX)));
            }
            self.gather();
            // A page that came in this turn may let the next one be asked for.
            let was_calm = std::mem::replace(&mut is_calm, !is_reading && self.is_settled());
            if was_calm && is_calm {
                return;
            }
            if self.is_quiet() && !is_calm {
                let deadlines = self.people.iter().filter_map(|it| it.client.next_deadline());
                let next = deadlines.min().unwrap_or(self.now);
                self.pass(next.saturating_sub(self.now));
            }
        }
        panic!("the world does not settle");
    }

    /// Returns true if nothing happens any more until some time has passed.
    fn is_quiet(&self) -> bool {
        self.lines.iter().all(|(number, line)| {
            let is_empty = line.up.is_empty() && line.down.is_empty() && !line.is_left;
            is_empty && (line.is_mute || self.server.is_done_with(*number))
        })
    }

    fn is_settled(&self) -> bool {
        let has_all = |person: &Person| {
            person.client.is_joined() && person.client.unacknowledged().count() == 0
        };
        let is_mute = self.lines.values().any(|line| line.is_mute);
        self.is_quiet() && !is_mute && self.people.iter().all(has_all)
    }

    fn say(&mut self, number: usize) {
        if self.people[number].say() && self.chance.once_in(40) {
            // It may be on the line already, or not.
            if self.chance.once_in(2) {
                self.send(number);
            }
            return self.kill(number, "a person was killed before what they showed was stored");
        }
        self.attend(number);
    }

    /// After each input: heed what the client says, store, and write.
    fn attend(&mut self, number: usize) {
        if self.people[number].heed(&mut self.tally) {
            self.leave_line(number);
        }
        self.people[number].store();
        self.send(number);
    }

    fn send(&mut self, number: usize) {
        let bytes = self.people[number].client.take_outgoing();
        if let Some(line) = self.people[number].line.and_then(|it| self.lines.get_mut(&it))
            && !line.is_mute
        {
            line.up.extend(bytes);
        }
    }

    /// Makes a line, if one is wanted.
    fn call(&mut self, number: usize) {
        let person = &mut self.people[number];
        if std::mem::take(&mut person.is_away) {
            person.client.reconnect();
            self.attend(number);
        }
        let person = &mut self.people[number];
        if !person.is_calling {
            return;
        }
        (person.is_calling, person.line) = (false, None);
        if self.is_down {
            self.tally("an attempt found nobody");
            self.people[number].client.disconnected(self.now);
        } else {
            self.n_lines += 1;
            person.line = Some(self.n_lines);
            person.client.connected(self.now);
            self.lines.insert(self.n_lines, Line { person: number, ..Line::default() });
            self.server.accept(self.n_lines);
        }
        self.attend(number);
    }

    /// Lets some of what a person wrote reach the server.
    fn bring_up(&mut self, which: Option<(usize, usize)>) {
        let Some((number, n_bytes)) = which.or_else(|| self.any_line()) else { return };
        let Some(line) = self.lines.get_mut(&number) else { return };
        let rest = line.up.split_off(n_bytes.min(line.up.len()));
        let bytes = std::mem::replace(&mut line.up, rest);
        self.server.receive(number, &bytes, &mut self.tally);
    }

    /// Lets some of what the server wrote reach the person; after the last of it, the end.
    fn bring_down(&mut self, which: Option<(usize, usize)>) {
        let Some((number, n_bytes)) = which.or_else(|| self.any_line()) else { return };
        let Some(line) = self.lines.get_mut(&number) else { return };
        let person = line.person;
        if self.people[person].line != Some(number) {
            return; // They know of it no more.
        }
        if line.down.is_empty() {
            if !self.server.lines().contains(&number) && !line.is_mute {
                self.lines.remove(&number);
                self.people[person].line = None;
                self.people[person].client.disconnected(self.now);
                self.attend(person);
            }
            return;
        }
        let rest = line.down.split_off(n_bytes.min(line.down.len()));
        let bytes = std::mem::replace(&mut line.down, rest);
        self.people[person].client.receive(self.now, &bytes);
        if which.is_none() && self.chance.once_in(100) {
            self.people[person].heed(&mut self.tally);
            return self.kill(person, "a person was killed before what they showed was stored");
        }
        self.attend(person);
    }

    /// A line, and how much of it moves: a few bytes, or all there is.
    fn any_line(&mut self) -> Option<(usize, usize)> {
        let lines: Vec<_> = self.lines.keys().copied().collect();
        if lines.is_empty() {
            return None;
        }
        let line = lines[self.chance.below(lines.len())];
        let n_bytes = if self.chance.once_in(3) { 1 + self.chance.below(100) } else { usize::MAX };
        Some((line, n_bytes))
    }

    /// Moves what the server wrote onto the lines.
    fn gather(&mut self) {
        for number in self.server.lines() {
            let bytes = self.server.take_out(number);
            if let Some(line) = self.lines.get_mut(&number)
                && !line.is_mute
                && !line.is_left
            {
                line.down.extend(bytes);
            }
        }
    }

    /// The server notices, some time later, who has gone.
    fn end_left_lines(&mut self) {
        let left: Vec<_> =
            self.lines.iter().filter(|(_, line)| line.is_left).map(|(number, _)| *number).collect();
        for number in left {
            if self.chance.once_in(2) {
                self.bring_up(Some((number, usize::MAX))); // Perhaps the last words come first.
            }
            self.server.on_end(number, Reason::Lost);
            self.lines.remove(&number);
        }
    }

    fn pass(&mut self, ms: u64) {
        self.now += ms;
        for number in 0..self.people.len() {
            let client = &mut self.people[number].client;
            while client.next_deadline().is_some_and(|deadline| deadline <= self.now) {
                client.handle_timeout(self.now);
            }
            self.attend(number);
        }
    }

    fn look(&mut self, number: usize) {
        self.people[number].client.wake(self.now);
        if self.people[number].is_window && self.people[number].client.request_history(3) {
            self.tally("a page was asked for");
        }
        self.attend(number);
    }

    /// Something goes wrong.
    fn fault(&mut self, person: usize) {
        match self.chance.below(22) {
            0..6 => self.cut(),
            6..8 => self.silence(),
            8..10 => self.kill(person, "a person was killed"),
            10..12 => self.crash(),
            14 => self.server.is_disk_full ^= true,
            15..17 => self.cut_slow_reader(),
            17 => {
                if self.server.trim(&mut self.chance) {
                    self.tally("the server trimmed its log");
                }
            }
            18 if self.chance.once_in(2) => self.lose_log(),
            _ => self.is_down = !self.is_down && self.chance.once_in(2),
        }
    }

    /// A line dies at any byte, in both directions; the server may hear of it later.
    fn cut(&mut self) {
        let Some((number, _)) = self.any_line() else { return };
        let line = &self.lines[&number];
        let (person, n_up, n_down) = (line.person, line.up.len(), line.down.len());
        if line.is_left {
            return;
        }
        for (n_bytes, fault) in [
            (n_up, "a line was cut while bytes went up"),
            (n_down, "a line was cut while bytes came down"),
        ] {
            if 0 < n_bytes {
                self.tally(fault);
            }
        }
        let n_arriving = self.chance.below(n_up + 1);
        self.bring_up(Some((number, n_arriving)));
        self.gather();
        let n_arriving = self.chance.below(n_down + 1);
        if 0 < n_arriving {
            self.bring_down(Some((number, n_arriving)));
        }
        if let Some(line) = self.lines.get_mut(&number) {
            (line.up, line.down, line.is_left) = (Vec::new(), Vec::new(), true);
        }
        if self.people[person].line == Some(number) {
            self.people[person].line = None;
            self.people[person].client.disconnected(self.now);
            self.attend(person);
        }
    }

    fn silence(&mut self) {
        let Some((number, _)) = self.any_line() else { return };
        self.tally("a line fell silent");
        let line = self.lines.get_mut(&number).expect("it is there");
        (line.up, line.down, line.is_mute) = (Vec::new(), Vec::new(), true);
    }

    /// The person's end of their line is closed.
    fn leave_line(&mut self, number: usize) {
        if let Some(line) = self.people[number].line.take().and_then(|it| self.lines.get_mut(&it)) {
            (line.is_left, line.down) = (true, Vec::new());
        }
    }

    fn kill(&mut self, number: usize, fault: &'static str) {
        self.tally(fault);
        if self.people[number].is_window {
            self.tally("a person opened their window again");
        }
        self.leave_line(number);
        self.people[number].kill();
    }

    /// The server is another process; some of what the first had read it had not accepted.
    fn crash(&mut self) {
        self.tally("the server crashed");
        self.server.is_forgetting = true;
        if self.chance.once_in(2) {
            self.bring_up(None);
        }
        self.server.is_forgetting = false;
        self.server.crash();
    }

    fn cut_slow_reader(&mut self) {
        let Some((number, _)) = self.any_line() else { return };
        self.tally("the server cut a slow reader");
        self.server.say_bye(number, Reason::Slow);
        self.gather();
        self.server.on_end(number, Reason::Slow);
    }

    /// The log is lost, and with it the lines.
    fn lose_log(&mut self) {
        self.tally("the server lost its log");
        self.server.lose_log();
        self.server.crash();
    }

    fn tally(&mut self, fault: &'static str) {
        *self.tally.entry(fault).or_default() += 1;
    }
}
