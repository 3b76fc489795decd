//! The harm that callers can do, by every known way and by a search for worse ones.
//!
//! Each way is tried on a real server of its own, with the limits that it has by default, while an
//! innocent at another address pings it every few milliseconds. The table says what it cost:
//!
//! * **in**: what the server took from the attackers. A call counts with the headers of its three
//!   segments and a write with those of one (52 bytes), so that a call or a single byte is not free;
//!   what the kernel still holds when it ends is not counted.
//! * **CPU**: the time of the server's process on a processor, the innocent's pings not counted.
//! * **bytes out a byte**: what it said to the attackers, and to everybody else, over the case's time.
//! * **memory**: the most that the process had, the most that the kernel had for TCP on this machine
//!   beyond what it had before, and what the documented memory formula allows for the two.
//! * **wait**: the longest that the innocent waited for an answer, and half of its waits before.
//!
//! A `!` marks what misses its aim: 100 ms of a processor a MB beyond the first 600 ms, 20 bytes to
//! others for a byte, the memory formula, 250 ms of waiting. Attackers, server and innocent share the machine with whatever
//! else runs there: waits are those of a busy machine, everything else hardly depends on it.
//!
//! `CASES=name_stall,ping` runs these cases alone (all that begin so), and the search only if
//! `search` is among them. The search takes `HOSTILE_SECONDS` (60) and is repeated by
//! `SEED`; `REPLAY` plays one program that it printed.

mod cases;
mod field;
mod figures;
mod innocent;
mod kernel;
mod search;
#[allow(dead_code, reason = "each benchmark uses its part")]
#[path = "../fanout/server.rs"]
mod server;
mod stage;
#[allow(dead_code, reason = "each benchmark uses its part")]
#[path = "../../tests/kit/process/tls.rs"]
mod tls;
mod words;

use std::{env, error::Error, time::Duration};

use figures::headings;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use stage::Stage;

/// The time for which worse ways are searched for.
const SEARCH: Duration = Duration::from_mins(1);

type Outcome<T> = Result<T, Box<dyn Error>>;

#[expect(clippy::print_stdout, reason = "a benchmark reports")]
fn main() -> Outcome<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    if let Ok(program) = env::var("REPLAY") {
        println!("{}\n{:30} {}", headings(), "replay", search::replay(&program)?);
        return Ok(());
    }

    let chosen = env::var("CASES").ok();
    let is_chosen = |name: &str| {
        let mut chosen = chosen.iter().flat_map(|chosen| chosen.split(','));
        chosen.clone().next().is_none() || chosen.any(|begin| name.starts_with(begin))
    };
    let cases: Vec<_> = cases::all().into_iter().filter(|case| is_chosen(case.name)).collect();
    if cases.is_empty() && !is_chosen("search") {
        return Err("CASES: there is no such case".into());
    }
    println!("{}", headings());
    let mut n_missed = 0;
    for case in cases {
        let figures = Stage::set(case.flags)?.play(case.play);
        let figures = figures.map_err(|error| format!("{}: {error}", case.name))?;
        println!("{:30} {figures}", case.name);
        n_missed += figures.n_missed();
    }
    if is_chosen("search") {
        let seconds = env::var("HOSTILE_SECONDS").ok().map(|seconds| seconds.parse());
        let time = seconds.transpose()?.map_or(SEARCH, Duration::from_secs);
        n_missed += search::search(time)?;
    }
    println!("{n_missed} aims missed");
    Ok(())
}
