//! The client as its reader has it: how fast it is, how much memory it takes, what it does when
//! there is nothing to do, and whether it leaks.
//!
//! A real client with a real window runs in a process of its own, which is this program called
//! with the name of a [`Part`]. It is fed by a scripted server in this one, tells when things have
//! happened, and is looked at from outside for the rest. It needs a display and a session bus:
//!
//!     make bench-gtk
//!
//! `FIGURES=flood,start` takes these figures alone. Timings depend on the machine; what is
//! compared with the empty window is taken in turns with it.

mod client;
mod figures;
mod many_rooms;
mod objects;
mod part;
mod process;
mod script;
#[expect(dead_code, reason = "the session's tests script more")]
#[path = "../../tests/session/server.rs"]
mod server;
mod watch;

use std::{env, error::Error, process::ExitCode};

use part::Part;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Counts what the client has on the heap; the system's own allocator does the work.
#[global_allocator]
static HEAP: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;

fn main() -> Outcome<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match Part::from_arguments(&arguments) {
        Some(part) => Ok(client::run(part).into()),
        None => figures::report(),
    }
}
