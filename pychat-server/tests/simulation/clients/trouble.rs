//! The faults that are made in a world on purpose, and the signs that they took effect.

use pychat_server::{
    core::{id::HALL, secret::Secret},
    server::{Server, load_rooms},
    store::Retention,
};
use pychat_wire::message::{self, ErrorCode, Reason};

use super::{
    Fault,
    world::{Log, World, limits, serve},
};
use crate::kit::{Knob, V2Checker, v2_checker::Heard};

/// The most ticks that may have work before nothing waits to be told.
const WORK_TICKS_MAX: usize = 5_000;

impl World {
    /// Something goes wrong.
    pub(super) fn trouble(&mut self, person: usize) {
        match Fault::choose(&mut |end| self.rng.usize(..end)) {
            Fault::Silenced => self.silence(),
            Fault::Stalled => self.stall(),
            Fault::Killed => self.kill(person, Fault::Killed),
            Fault::Crashed => self.crash(),
            Fault::StoreFull => {
                self.waiting.set_full(!self.waiting.is_full());
                self.fire(Fault::StoreFull);
            }
            Fault::Trimmed => self.trim(),
            Fault::LogLost => self.lose_log(),
            Fault::Away => {
                self.is_away = !self.is_away && self.once_in(2);
                self.fire(Fault::Away);
            }
            _ => self.cut(),
        }
    }

    /// A line dies at any byte, in both directions; the server may hear of it later.
    fn cut(&mut self) {
        let Some((number, _)) = self.any_line() else { return };
        let link = &self.links[&number];
        let (person, n_up, n_down) = (link.person, link.up.len(), link.down.len());
        if link.is_left {
            return;
        }
        for (n_bytes, fault) in [(n_up, Fault::CutUp), (n_down, Fault::CutDown)] {
            if 0 < n_bytes {
                self.fire(fault);
            }
        }
        let n_arriving = self.rng.usize(..=n_up);
        self.bring_up(Some((number, n_arriving)));
        let n_arriving = self.rng.usize(..=n_down);
        if 0 < n_arriving {
            self.bring_down(Some((number, n_arriving)));
        }
        if let Some(link) = self.links.get_mut(&number) {
            link.leave();
        }
        if self.people[person].line == Some(number) {
            self.people[person].line = None;
            self.people[person].client.disconnected(self.now_ms);
            self.attend(person);
        }
    }

    fn silence(&mut self) {
        let Some((number, _)) = self.any_line() else { return };
        let link = self.links.get_mut(&number).expect("it is there");
        (link.up, link.down, link.is_mute) = (Vec::new(), Vec::new(), true);
        self.fire(Fault::Silenced);
    }

    fn stall(&mut self) {
        let Some((number, _)) = self.any_line() else { return };
        self.links.get_mut(&number).expect("it is there").is_stalled = true;
        self.fire(Fault::Stalled);
    }

    pub(super) fn kill(&mut self, number: usize, fault: Fault) {
        self.fire(fault);
        if self.people[number].is_window {
            self.fire(Fault::Reopened);
        }
        self.leave_line(number);
        self.people[number].kill();
    }

    /// The server is another process; some of what the first had read it had not accepted.
    fn crash(&mut self) {
        self.fire(Fault::Crashed);
        if self.once_in(2) {
            self.bring_up(None);
        }
        if !self.waiting.is_empty() || self.links.values().any(|link| 0 < link.line.unread()) {
            self.fire(Fault::CrashedUnanswered);
        }
        self.waiting.clear();
        let nobody = serve(0, &mut self.rng).0;
        let (mut store, people) = std::mem::replace(&mut self.server, nobody).into_parts();
        let nonces = Secret::new(std::array::from_fn(|_| self.rng.u8(..)));
        let rooms = self.waiting.promptly(|| load_rooms(&mut *store));
        let rooms = rooms.expect("a store that can be read");
        self.server = Server::new(limits(), store, people, rooms, nonces);
        self.forget_lines();
    }

    /// The log is lost, and with it the lines and the owners of names.
    fn lose_log(&mut self) {
        self.logs.push(Log::new(self.logs.len() + 1));
        (self.server, self.waiting) = serve(self.logs.len() as u128, &mut self.rng);
        self.forget_lines();
        self.fire(Fault::LogLost);
    }

    /// No id of a line means anything to the server any more.
    fn forget_lines(&mut self) {
        let nobody = self.server.next_id();
        self.links.values_mut().for_each(|link| link.id = nobody);
    }

    /// The oldest messages are forgotten, once nothing waits to be told.
    fn trim(&mut self) {
        for _ in 0..WORK_TICKS_MAX {
            if !self.has_work() {
                break;
            }
            self.tick();
        }
        assert!(!self.has_work(), "ticks and ticks, and still at work");
        let (log, last) = (self.logs.last_mut().expect("there is one"), self.waiting.n_taken(HALL));
        let n_kept = self.rng.u64(..=last - log.forgotten_to(message::HALL));
        let mut has_changed = false;
        for (room, last) in self.waiting.taken() {
            let (room, forgotten_to) = (room.on_wire(), last.saturating_sub(n_kept));
            has_changed |= log.forgotten_to(&room) < forgotten_to;
            let forgotten = log.forgotten_to.entry(room.into_owned()).or_default();
            *forgotten = forgotten_to.max(*forgotten);
        }
        if !has_changed {
            return;
        }
        if self.links.values().any(|link| link.checker.is_behind() && !link.line.is_dropped()) {
            self.fire(Fault::TrimmedReplaying);
        }
        self.server.set_retention(Retention { messages_max: n_kept, ..Retention::default() });
        self.server.set_retention(Retention::default());
        self.fire(Fault::Trimmed);
    }
}

/// Returns what went wrong by what a client hears who had everything up to `after`.
pub(super) fn faults(heard: &Heard, after: u64, checker: &V2Checker) -> Vec<Fault> {
    match heard {
        Heard::Own { dup: true, seq, .. } if after < *seq && checker.is_behind() => {
            vec![Fault::Resent, Fault::Overtaken]
        }
        Heard::Own { dup: true, .. } => vec![Fault::Resent],
        Heard::Left { reason: Reason::Slow } => vec![Fault::Slow],
        Heard::Error { code: ErrorCode::Storage, .. } => vec![Fault::NotStored],
        _ => Vec::new(),
    }
}
