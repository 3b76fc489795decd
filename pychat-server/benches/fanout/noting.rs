//! What it costs that connections may outlive the server: one that notes them for the next process,
//! as under systemd, and one that does not take turns, and each turn is compared with its like.

use std::{
    fs,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process, thread,
};

use super::{Outcome, Protocol, SENDERS, load::Load, load::Pace, server::History, server::Server};

/// Receivers, how the senders speak, and how much they say in a turn.
const TALKS: [(usize, Pace, usize); 4] = [
    (100, Pace::InFlight(1), 500),
    (100, Pace::InFlight(16), 2_000),
    (1_000, Pace::InFlight(1), 100),
    (1_000, Pace::InFlight(16), 800),
];

/// Prints what a delivery costs the server that notes, as a ratio to what it costs the other, of so
/// many `pairs` of turns.
#[expect(clippy::print_stdout, reason = "a benchmark reports")]
pub(crate) fn measure(pairs: usize) -> Outcome<()> {
    println!("\nserver time a delivery with notes for the next process, as a ratio, {pairs} pairs");
    println!("receivers       pace  without, µs  median  quartiles");
    for (receivers, pace, messages) in TALKS {
        let manager = Manager::start()?;
        let mut noting = Room::new(Server::start_under(History::Process, &manager.0)?, receivers)?;
        if !manager.0.join("connections").exists() {
            return Err("nothing is noted".into());
        }
        let mut plain = Room::new(Server::start(History::Process)?, receivers)?;
        let (mut ratios, mut costs) = (Vec::new(), Vec::new());
        for pair in 0..=pairs {
            let first = if pair % 2 == 0 { Some(noting.turn(pace, messages)?) } else { None };
            let cost = plain.turn(pace, messages)?;
            let with_notes = first.map_or_else(|| noting.turn(pace, messages), Ok)?;
            if 0 < pair {
                // The first only makes both warm.
                costs.push(cost);
                ratios.push(with_notes / cost);
            }
        }
        costs.sort_by(f64::total_cmp);
        ratios.sort_by(f64::total_cmp);
        let [low, median, high] = [1, 2, 3].map(|quarter| ratios[ratios.len() * quarter / 4]);
        println!(
            "{receivers:9}  {:>9}  {:11.3}  {median:6.2}  {low:.2} to {high:.2}",
            pace.to_string(),
            costs[costs.len() / 2],
        );
    }
    Ok(())
}

/// A server, and people in its room.
struct Room {
    server: Server,
    load: Load,
}

impl Room {
    fn new(server: Server, receivers: usize) -> Outcome<Self> {
        let mut load = Load::new(&server, receivers + SENDERS, Protocol::One)?;
        load.join()?;
        Ok(Self { server, load })
    }

    /// Lets people talk; returns what a delivery cost the server, in microseconds.
    fn turn(&mut self, pace: Pace, messages: usize) -> Outcome<f64> {
        let before = self.server.cpu()?;
        self.load.talk(pace, messages)?;
        let cost = self.server.cpu()?.saturating_sub(before);
        Ok(cost.as_secs_f64() * 1e6 / self.load.take_latencies().len())
    }
}

/// A service manager that takes whatever it is given, and a folder in memory, as `/run` is. What it
/// is given it forgets: that is its own expense.
struct Manager(PathBuf);

impl Manager {
    fn start() -> Outcome<Self> {
        let manager = Self(Path::new("/dev/shm").join(format!("pychat-bench-{}", process::id())));
        fs::create_dir(&manager.0)?;
        let socket = UnixDatagram::bind(manager.0.join("notify"))?;
        // It ends with the benchmark.
        thread::spawn(move || while socket.recv(&mut [0; 1 << 10]).is_ok() {});
        Ok(manager)
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        // What is left there is memory until the next boot, and not worth a word.
        let _ = fs::remove_dir_all(&self.0);
    }
}
