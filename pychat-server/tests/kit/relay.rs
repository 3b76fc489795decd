//! A way to a Unix socket over a port of 127.0.0.1, which can be barred: then nothing passes either way, and
//! neither end is told.

use std::{
    io::{self, Read},
    net::{Shutdown, TcpListener, TcpStream},
    os::{fd::AsFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
    net::{SendFlags, send},
};

/// The most that is held of a stream, in bytes.
const PIECE_BYTES: usize = 16 << 10;

/// A relay; its connections end when it is dropped.
#[derive(Debug)]
pub(crate) struct Relay {
    port: u16,
    bar: Arc<Bar>,
}

/// Lets bytes through, or not.
#[derive(Debug, Default)]
struct Bar {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The number of reasons for which nothing passes.
    n_bars: usize,
    is_over: bool,
    /// Both ends of each connection that is under way.
    pairs: Vec<(TcpStream, UnixStream)>,
}

impl Relay {
    /// Opens a relay to the socket at `target`, which need not be there yet.
    pub(crate) fn open(target: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let relay = Self { port, bar: Arc::default() };
        let bar = Arc::clone(&relay.bar);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if bar.pass().is_err() {
                    return;
                }
                // Nobody may be at home: the caller is cut.
                let _ = bar.join(stream, &target);
            }
        });
        relay
    }

    /// Returns its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Lets nothing pass from now on, not even what is on its way, until it is [unbarred](Self::unbar) as
    /// often.
    pub(crate) fn bar(&self) {
        self.bar.lock().n_bars += 1;
    }

    /// Lets everything pass, what was held back first; or, with `is_cut`, only what is new. While it is
    /// barred otherwise, nothing passes all the same.
    pub(crate) fn unbar(&self, is_cut: bool) {
        let mut state = self.bar.lock();
        if is_cut {
            state.cut();
        }
        state.n_bars -= 1;
        self.bar.changed.notify_all();
    }
}

impl Bar {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with it")
    }

    /// Waits until something may pass; nothing can be barred before the guard is dropped.
    fn pass(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.lock();
        let wait = self.changed.wait_while(state, |state| 0 < state.n_bars && !state.is_over);
        let state = wait.expect("nobody panics with it");
        if state.is_over { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(state) }
    }

    /// Begins to pass on what a caller and the target say.
    fn join(self: &Arc<Self>, caller: TcpStream, target: &Path) -> io::Result<()> {
        let target = UnixStream::connect(target)?;
        caller.set_nodelay(true)?;
        let pair = (caller.try_clone()?, target.try_clone()?);
        let mut state = self.lock();
        state.pairs.retain(|(caller, _)| caller.peer_addr().is_ok());
        state.pairs.push(pair);
        let up = (caller.try_clone()?, target.try_clone()?);
        let [bar_up, bar_down] = [Arc::clone(self), Arc::clone(self)];
        thread::spawn(move || bar_up.pump(up.0, &up.1));
        thread::spawn(move || bar_down.pump(target, &caller));
        Ok(())
    }

    /// Passes on one way, up to the end of either.
    fn pump<From: Read + End, To: End>(&self, mut from: From, to: &To) {
        let mut buffer = [0; PIECE_BYTES];
        loop {
            let size = from.read(&mut buffer).unwrap_or(0);
            if self.pass_on(&buffer[..size], to).is_err() || size == 0 {
                break;
            }
        }
        from.end();
        to.end();
    }

    /// Writes all of it, or fails. While it waits for the other end, the bar may be lowered.
    fn pass_on(&self, mut piece: &[u8], to: &impl AsFd) -> io::Result<()> {
        drop(self.pass()?); // The end of a stream is held back too.
        while !piece.is_empty() {
            poll(&mut [PollFd::new(to, PollFlags::OUT)], None)?;
            let guard = self.pass()?;
            match send(to, piece, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(size) => piece = &piece[size..],
                Err(Errno::AGAIN | Errno::INTR) => (),
                Err(error) => return Err(error.into()),
            }
            drop(guard);
        }
        Ok(())
    }
}

impl State {
    fn cut(&mut self) {
        for (caller, target) in self.pairs.drain(..) {
            caller.end();
            target.end();
        }
    }
}

/// Something that can be ended both ways at once.
trait End: AsFd {
    fn end(&self);
}

impl End for TcpStream {
    fn end(&self) {
        let _ = self.shutdown(Shutdown::Both); // It fails only if it is over.
    }
}

impl End for UnixStream {
    fn end(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let mut state = self.bar.lock();
        state.is_over = true;
        state.cut();
        drop(state);
        self.bar.changed.notify_all();
        // Its thread waits for a caller.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}
