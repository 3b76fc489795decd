//! The real program under joins, leaves, floods, stalls and resets without a pause: its memory and
//! its descriptors must stay as flat after the last round as they were after the first.
//!
//! `SOAK_SECONDS=3600` makes it an hour.

#![cfg(test)]

#[path = "kit/process/mod.rs"]
mod process;

use std::{
    collections::BTreeMap,
    env,
    time::{Duration, Instant},
};

use process::{Message, Peer, Server, hello, joined, left, text};

const SOAK: Duration = Duration::from_secs(10);

/// After this part of the time, memory is as large as it should ever be.
const WARM_UP_PART: u32 = 3;

/// The most memory that a server may have gained at the end, in KiB: what the allocator retains
/// where large backlogs came and went.
const RESIDENT_SLACK_KIB: usize = 4 << 10;

/// The most that may be said past somebody who does not read until it is cut, in bytes.
const STALL_BYTES_MAX: usize = 50 << 20;

/// A kind of trouble in a soak; each must really have happened.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Trouble {
    Leave,
    Flood,
    Reset,
    Stall,
    Garbage,
    HalfClose,
    Crowd,
}

impl Trouble {
    const ALL: [Self; 7] = [
        Self::Leave,
        Self::Flood,
        Self::Reset,
        Self::Stall,
        Self::Garbage,
        Self::HalfClose,
        Self::Crowd,
    ];
}

#[test]
fn whatever_comes_and_goes_memory_and_descriptors_stay_flat() {
    let seconds = env::var("SOAK_SECONDS").map(|seconds| seconds.parse().unwrap());
    let time = seconds.map_or(SOAK, Duration::from_secs);
    // A log that is still filling up would look like a leak.
    let history = "--history-messages=10";
    let flags = ["--flood=off", "--connections-per-address=0", "--backlog-max=256KiB", history];
    let mut soak = Soak::new(Server::with(&flags));
    let base = soak.server.descriptors();
    let begin = Instant::now();
    let mut warm = None;
    while begin.elapsed() < time || soak.happened.len() < Trouble::ALL.len() {
        for trouble in Trouble::ALL {
            soak.meet(trouble);
        }
        soak.server.wait_for_descriptors(base);
        if time / WARM_UP_PART < begin.elapsed() {
            warm.get_or_insert_with(|| soak.server.resident_kib());
        }
    }
    let (warm, resident) = (warm.unwrap(), soak.server.resident_kib());
    let Soak { mut server, anna, boris, happened } = soak;
    println!("{:?}: {happened:?}; {warm} KiB became {resident} KiB", begin.elapsed());
    assert!(resident <= warm + RESIDENT_SLACK_KIB, "{warm} KiB became {resident} KiB");
    drop((anna, boris));
    server.wait_for_descriptors(base - 2);
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
    let log = server.whole_log();
    for reason in ["quit", "lost", "slow", "protocol"] {
        let is_told = |line: &String| line.ends_with(&format!(": {reason}"));
        assert!(log.iter().any(is_told), "nobody left by {reason}");
    }
    assert_eq!(log.last().unwrap(), "INFO stopped");
}

/// A server, and two who stay and hear of all that happens.
struct Soak {
    server: Server,
    anna: Peer,
    boris: Peer,
    happened: BTreeMap<Trouble, usize>,
}

impl Soak {
    fn new(server: Server) -> Self {
        let [anna, boris] = Peer::room(server.address(), ["Анна", "Борис"]);
        Self { server, anna, boris, happened: BTreeMap::new() }
    }

    /// Lets one kind of trouble come, until both who stay have heard it end.
    fn meet(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::Leave => self.leave(|vera| vera.send("0:")),
            Trouble::HalfClose => self.leave(Peer::shut),
            Trouble::Garbage => self.leave(|vera| vera.send("garbage")),
            Trouble::Reset => self.join().reset(),
            Trouble::Flood => self.flood(),
            Trouble::Stall => self.stall(),
            Trouble::Crowd => self.crowd(),
        }
        match trouble {
            Trouble::Stall | Trouble::Crowd => (),
            _ => self.both_are_told(&left("Вера")),
        }
        *self.happened.entry(trouble).or_default() += 1;
    }

    /// Вера joins.
    fn join(&mut self) -> Peer {
        let vera = Peer::join(self.server.address(), "Вера", &["Анна", "Борис"]);
        self.both_are_told(&joined("Вера"));
        vera
    }

    fn both_are_told(&mut self, content: &str) {
        self.anna.is_told(content);
        self.boris.is_told(content);
    }

    /// Вера joins and `leave`s, and the server closes the connection in its turn.
    fn leave(&mut self, leave: impl Fn(&mut Peer)) {
        let mut vera = self.join();
        leave(&mut vera);
        while vera.payload().is_some() {}
    }

    /// Вера says much at once, hears it all and is reset.
    fn flood(&mut self) {
        const TEXTS: usize = 1_000;
        let mut vera = self.join();
        vera.send((0..TEXTS).map(|number| text(&number.to_string())).collect::<String>());
        for number in 0..TEXTS {
            let content = number.to_string();
            vera.hears("Вы", &content);
            self.anna.hears("Вера", &content);
            self.boris.hears("Вера", &content);
        }
        vera.reset();
    }

    /// Вера reads nothing until she is cut.
    fn stall(&mut self) {
        let vera = self.join();
        let content = "x".repeat(60_000);
        for _ in 0..STALL_BYTES_MAX / content.len() {
            self.anna.say(&content);
            let [by_anna, by_boris] = [self.anna.message(), self.boris.message()];
            if by_anna == Message::notice(&left("Вера")) {
                assert_eq!(by_boris, by_anna);
                self.anna.hears("Вы", &content);
                self.boris.hears("Анна", &content);
                drop(vera);
                return;
            }
            assert_eq!([by_anna.content, by_boris.content], [&*content, &*content]);
        }
        panic!("who does not read is never cut");
    }

    /// Many come and are gone at once.
    fn crowd(&mut self) {
        const PEOPLE: usize = 50;
        let crowd: Vec<_> = (0..PEOPLE)
            .map(|number| {
                let mut peer = Peer::connect(self.server.address());
                peer.send(hello(&format!("n{number}")));
                peer
            })
            .collect();
        for listener in [&mut self.anna, &mut self.boris] {
            for _ in 0..PEOPLE {
                let message = listener.message().content;
                assert!(message.ends_with(" присоединился к чату."), "{message}");
            }
        }
        for peer in crowd {
            peer.reset();
        }
        for listener in [&mut self.anna, &mut self.boris] {
            for _ in 0..PEOPLE {
                let message = listener.message().content;
                assert!(message.ends_with(" покинул чат."), "{message}");
            }
        }
    }
}
