//! An address that leads to a server, as long as a test wants it to.

use std::{
    io,
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use crate::world::PATIENCE;

/// An address at which connections are taken and passed on.
pub(crate) struct Door {
    pub(crate) address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The server that it leads to, while it is open.
    server: Option<String>,
    /// Both ends of all connections.
    ends: Vec<TcpStream>,
    /// The number of connections that were passed on.
    n_passed: usize,
}

impl Door {
    /// Returns a door that leads nowhere: connections are closed at once.
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("our own");
        let address = listener.local_addr().expect("our own").to_string();
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                pass_on(near, &shared);
            }
        });
        Self { address, state }
    }

    /// Leads to `server` from now on.
    pub(crate) fn open(&self, server: &str) {
        self.state.lock().expect("nobody has panicked").server = Some(server.to_owned());
    }

    /// Leads nowhere from now on, and breaks every connection.
    pub(crate) fn shut(&self) {
        let mut state = self.state.lock().expect("nobody has panicked");
        state.server = None;
        for end in state.ends.drain(..) {
            let _ = end.shutdown(Shutdown::Both); // It may have ended by itself.
        }
    }

    /// Waits until so many connections were passed on.
    #[track_caller]
    pub(crate) fn wait_until_passed(&self, count: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.n_passed() < count {
            assert!(Instant::now() < deadline, "nobody came");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Returns how many connections were passed on.
    pub(crate) fn n_passed(&self) -> usize {
        self.state.lock().expect("nobody has panicked").n_passed
    }
}

fn pass_on(near: TcpStream, shared: &Mutex<State>) {
    let mut state = shared.lock().expect("nobody has panicked");
    let Some(far) = state.server.as_ref().and_then(|server| TcpStream::connect(server).ok()) else {
        return;
    };
    let clone = |stream: &TcpStream| stream.try_clone().expect("our own");
    state.n_passed += 1;
    state.ends.extend([clone(&near), clone(&far)]);
    for (mut from, mut to) in [(clone(&near), clone(&far)), (far, near)] {
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to); // Broken or not, it is over then.
            let _ = to.shutdown(Shutdown::Write);
        });
    }
}
