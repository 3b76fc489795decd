//! The plan of one world: all that is to happen, decided by a seed before anything begins.

use std::{iter::repeat_n, ops::Range, time::Duration};

use fastrand::Rng;

use super::{
    database,
    outages::{self, Blow},
    tally::Fault,
};
use crate::kit::{Knob, knobs};

/// Faults go on for so many rounds, each followed by a calm in which everything is checked.
const ROUNDS: usize = 4;

/// Now and then a log gets so long that what was written is moved to its place meanwhile.
const ROUNDS_LONG: usize = 12;
const LONG_ONE_IN: u64 = 8;

/// Where on a line a handshake is under way, in bytes: up from its beginning, down after the greeting
/// in plain.
const HANDSHAKE_UP: Range<usize> = 1..200;
const HANDSHAKE_DOWN: Range<usize> = 500..700;

/// One world.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) house: House,
    /// Those who speak protocol 2; the last of them is another device of one of the others.
    pub(crate) people: Vec<Habit>,
    /// The number of people who speak protocol 1.
    pub(crate) n_originals: usize,
    /// Those of the people who speak over TLS.
    pub(crate) is_encrypted: Vec<bool>,
    /// Whose lines have so little room that who does not read is soon noticed.
    pub(crate) is_narrow: Vec<bool>,
    pub(crate) rounds: Vec<Vec<Step>>,
}

/// The conditions under which the server is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct House {
    pub(crate) durability: &'static str,
    pub(crate) flood: &'static str,
    pub(crate) backlog_max: &'static str,
    /// Nothing fills the disk, so nothing that is said is overtaken by what is said later.
    pub(crate) is_in_order: bool,
}

/// The messages that a person of protocol 2 is shown first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Habit {
    /// The messages that were said since they were here first.
    Keeper,
    /// All that was ever said.
    Reader,
    /// The last page, in each life anew; older ones when they ask.
    Window { page: u64 },
}

/// Something that happens at a time after the round's beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) at: Duration,
    pub(crate) deed: Deed,
}

/// An event. `who` counts people of protocol 2 first, then those of protocol 1.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed {
    Say {
        who: usize,
        texts: usize,
        bytes: usize,
    },
    Cut {
        who: usize,
        is_reset: bool,
    },
    Stall {
        who: usize,
        way: Way,
        time: Duration,
    },
    Trickle {
        who: usize,
        way: Way,
        time: Duration,
    },
    /// Their line is cut, and something happens to the handshake on the next.
    Disturb {
        who: usize,
        ambush: Ambush,
    },
    LoseServerEnd {
        who: usize,
    },
    LoseClientEnd {
        who: usize,
    },
    /// They do not read until all that the line and the server hold for them is full.
    Neglect {
        who: usize,
        talker: usize,
        time: Duration,
    },
    KillServer {
        down: Duration,
    },
    /// Somebody says a lot, and before it is all accepted the server is gone.
    KillInBurst {
        who: usize,
        texts: usize,
        after: Duration,
        down: Duration,
    },
    StopServer {
        down: Duration,
    },
    /// Only a person of protocol 2.
    Die {
        who: usize,
        moment: Moment,
        down: Duration,
    },
    FillDisk {
        time: Duration,
    },
    /// Only where a database has several nodes.
    Blow(Blow),
    /// Only a window.
    AskForOlder {
        who: usize,
    },
    /// Only a person of protocol 2; `seed` decides about the room, and about whom.
    Act {
        who: usize,
        act: Act,
        seed: u64,
    },
}

knobs! {
    /// Something that a person of protocol 2 does about rooms and messages, so often in 160 times.
    pub(crate) enum Act {
        CreateOpen = 5,
        CreateClosed = 4,
        Direct = 7,
        Join = 13,
        Leave = 5,
        Add = 12,
        Expel = 5,
        Rename = 3,
        SetTopic = 3,
        Say = 28,
        See = 12,
        Type = 3,
        Reply = 8,
        Edit = 13,
        Delete = 5,
        React = 9,
        ReactNoMore = 2,
        /// Only an operator.
        Remove = 6,
        /// Only an operator.
        Restore = 4,
        /// A text that is not accepted yet.
        EditWaiting = 8,
        /// A text that is not accepted yet.
        DeleteWaiting = 5,
    }
}

/// Trouble that waits on a line until so many bytes have passed one way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ambush {
    pub(crate) way: Way,
    pub(crate) bytes: usize,
    pub(crate) trouble: Trouble,
}

/// Trouble with a handshake.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    Cut,
    Stall { time: Duration },
    Trickle { time: Duration },
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    Up,
    Down,
}

/// When a client dies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Moment {
    /// At once.
    Now,
    /// When something was shown and is not stored.
    Unstored,
    /// When something was said and is neither stored nor sent.
    Unsaid,
    /// When something was said and is stored but not sent.
    Unsent,
}

impl Plan {
    /// Decides everything.
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let n_people = rng.usize(3..=6);
        let mut people: Vec<_> = (0..n_people).map(|_| Habit::any(&mut rng)).collect();
        people[0] = Habit::Keeper;
        let n_originals = rng.usize(1..=3);
        let mut is_narrow: Vec<_> = (0..n_people + n_originals).map(|_| rng.bool()).collect();
        is_narrow[0] = true;
        let mut is_encrypted: Vec<_> = (0..n_people).map(|_| rng.bool()).collect();
        is_encrypted[rng.usize(..n_people)] = true;
        let encrypted = (0..n_people).filter(|who| is_encrypted[*who]).collect();
        let is_disk_filled = seed.is_multiple_of(2);
        let is_long = seed % LONG_ONE_IN == LONG_ONE_IN - 1;
        let house = House {
            durability: rng.choice(&["process", "power"]).expect("two"),
            flood: rng.choice(&["off", "off", "off", "50,500"]).expect("four"),
            backlog_max: rng.choice(&["96KiB", "128KiB", "256KiB"]).expect("three"),
            is_in_order: !is_disk_filled,
        };
        let mut dealer = Dealer { rng, n_people, n_originals, people: &people, encrypted };
        let n_rounds = if is_long { ROUNDS_LONG } else { ROUNDS };
        let mut rounds = dealer.rounds(n_rounds, is_disk_filled);
        if database::n_standbys().is_some() {
            outages::deal(seed, &mut rounds);
        }
        Self { house, people, n_originals, is_encrypted, is_narrow, rounds }
    }
}

impl Habit {
    fn any(rng: &mut Rng) -> Self {
        match rng.u8(0..5) {
            0 => Self::Reader,
            1 => Self::Window { page: rng.u64(1..=60) },
            _ => Self::Keeper,
        }
    }
}

/// Deals out what happens, each kind at least once, in any order and at any time.
struct Dealer<'a> {
    rng: Rng,
    n_people: usize,
    n_originals: usize,
    people: &'a [Habit],
    /// The numbers of the people who speak over TLS.
    encrypted: Vec<usize>,
}

impl Dealer<'_> {
    fn rounds(&mut self, n_rounds: usize, is_disk_filled: bool) -> Vec<Vec<Step>> {
        let least = |(fault, share): &(Fault, usize)| {
            repeat_n(*fault, share * (n_rounds / ROUNDS)).collect::<Vec<_>>()
        };
        let mut faults: Vec<_> = Fault::TABLE.iter().flat_map(least).collect();
        for _ in 0..self.rng.usize(0..=2 * faults.len()) {
            faults.push(Fault::choose(&mut |end| self.rng.usize(..end)));
        }
        faults.retain(|fault| is_disk_filled || *fault != Fault::DiskFull);
        let deeds: Vec<_> = faults.into_iter().map(|fault| self.deed(fault)).collect();
        let spans: Vec<_> = (0..n_rounds).map(|_| self.millis(200..1_500)).collect();
        let mut rounds = vec![Vec::new(); n_rounds];
        for deed in deeds {
            let round = self.rng.usize(..n_rounds);
            let at = match deed {
                // Who is neglected must be there, and so must be who talks to them.
                Deed::Neglect { .. } => Duration::ZERO,
                _ => spans[round].mul_f64(self.rng.f64()),
            };
            rounds[round].push(Step { at, deed });
        }
        for (round, span) in rounds.iter_mut().zip(spans) {
            for _ in 0..self.rng.usize(10..60) {
                let (at, deed) = (span.mul_f64(self.rng.f64()), self.talk());
                round.push(Step { at, deed });
            }
            for _ in 0..self.rng.usize(30..110) {
                let at = span.mul_f64(self.rng.f64());
                let act = Act::choose(&mut |end| self.rng.usize(..end));
                let deed = Deed::Act { who: self.somebody(), act, seed: self.rng.u64(..) };
                round.push(Step { at, deed });
            }
            round.sort_by_key(|step| step.at);
        }
        rounds
    }

    /// Picks to whom and when it happens, and for how long.
    fn deed(&mut self, fault: Fault) -> Deed {
        let ways = [Way::Up, Way::Down];
        match fault {
            Fault::Reset => Deed::Cut { who: self.anybody(), is_reset: true },
            Fault::Ended => Deed::Cut { who: self.anybody(), is_reset: false },
            Fault::StalledUp | Fault::StalledDown => {
                let way = ways[usize::from(fault == Fault::StalledDown)];
                Deed::Stall { who: self.anybody(), way, time: self.millis(5..400) }
            }
            Fault::Trickled => {
                let way = ways[self.rng.usize(..ways.len())];
                Deed::Trickle { who: self.anybody(), way, time: self.millis(5..400) }
            }
            Fault::HandshakeCut => self.disturbance(Trouble::Cut),
            Fault::HandshakeStalled => {
                let time = self.millis(5..400);
                self.disturbance(Trouble::Stall { time })
            }
            Fault::HandshakeTrickled => {
                let time = self.millis(5..400);
                self.disturbance(Trouble::Trickle { time })
            }
            Fault::ServerEndLost => Deed::LoseServerEnd { who: self.anybody() },
            Fault::ClientEndLost if self.rng.bool() => Deed::LoseClientEnd { who: self.somebody() },
            Fault::ClientEndLost => Deed::LoseClientEnd { who: self.anybody() },
            Fault::Slow => Deed::Neglect {
                who: 0,
                talker: self.rng.usize(1..self.n_people),
                time: self.millis(700..1_200),
            },
            Fault::Killed => Deed::KillServer { down: self.millis(0..100) },
            Fault::KilledInBurst => Deed::KillInBurst {
                who: self.somebody(),
                texts: self.rng.usize(20..200),
                after: Duration::from_micros(self.rng.u64(0..5_000)),
                down: self.millis(0..100),
            },
            Fault::Stopped => Deed::StopServer { down: self.millis(0..100) },
            Fault::Died => self.death(Moment::Now),
            Fault::DiedUnstored => self.death(Moment::Unstored),
            Fault::DiedUnsent if self.rng.bool() => self.death(Moment::Unsaid),
            Fault::DiedUnsent => self.death(Moment::Unsent),
            Fault::DiskFull => Deed::FillDisk { time: self.millis(10..300) },
            Fault::Silent | Fault::SaidElsewhere | Fault::Dismissed | Fault::Repeated => {
                unreachable!("{fault:?} follows from others")
            }
        }
    }

    fn talk(&mut self) -> Deed {
        let windows: Vec<_> = (0..self.n_people)
            .filter(|who| matches!(self.people[*who], Habit::Window { .. }))
            .collect();
        match self.rng.choice(&windows) {
            Some(who) if self.rng.u8(0..8) == 0 => Deed::AskForOlder { who: *who },
            _ => {
                let bytes = if self.rng.u8(0..20) == 0 { 20_000 } else { 200 };
                let (texts, bytes) = (self.rng.usize(1..=8), self.rng.usize(..bytes));
                Deed::Say { who: self.anybody(), texts, bytes }
            }
        }
    }

    fn death(&mut self, moment: Moment) -> Deed {
        Deed::Die { who: self.somebody(), moment, down: self.millis(0..200) }
    }

    /// Picks whose handshake is disturbed, and where.
    fn disturbance(&mut self, trouble: Trouble) -> Deed {
        let who = self.rng.choice(&self.encrypted).copied().expect("there is one");
        let (way, bytes) = if self.rng.bool() {
            (Way::Up, self.rng.usize(HANDSHAKE_UP))
        } else {
            (Way::Down, self.rng.usize(HANDSHAKE_DOWN))
        };
        Deed::Disturb { who, ambush: Ambush { way, bytes, trouble } }
    }

    /// Picks a person of protocol 2.
    fn somebody(&mut self) -> usize {
        self.rng.usize(..self.n_people)
    }

    fn anybody(&mut self) -> usize {
        self.rng.usize(..self.n_people + self.n_originals)
    }

    fn millis(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.rng.u64(range))
    }
}
