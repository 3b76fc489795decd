//! A relay between a program and the server, which can hold back what the server says.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// A relay for one connection.
pub(crate) struct Relay {
    pub(crate) address: String,
    is_mute: Arc<AtomicBool>,
}

impl Relay {
    pub(crate) fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("our own");
        let address = listener.local_addr().expect("our own").to_string();
        let is_mute = Arc::new(AtomicBool::new(false));
        let (server, held) = (server.to_owned(), Arc::clone(&is_mute));
        thread::spawn(move || {
            let (near, _) = listener.accept().expect("our own");
            let far = TcpStream::connect(server).expect("our own");
            let (from, to) =
                (near.try_clone().expect("our own"), far.try_clone().expect("our own"));
            thread::spawn(move || pass(from, to, &AtomicBool::new(false)));
            pass(far, near, &held);
        });
        Self { address, is_mute }
    }

    /// Drops what the server says from now on.
    pub(crate) fn mute(&self) {
        self.is_mute.store(true, Ordering::SeqCst);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, is_mute: &AtomicBool) {
    let mut bytes = [0; 4096];
    while let Ok(size) = from.read(&mut bytes) {
        if size == 0 {
            break;
        }
        if !is_mute.load(Ordering::SeqCst) && to.write_all(&bytes[..size]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
