//! Started by systemd, the server takes the sockets that it is given and says how it is. No systemd
//! is needed for that: a test says what one would.

use std::{
    env, fs,
    io::Read,
    net::{TcpListener, TcpStream},
    os::{
        fd::OwnedFd,
        unix::net::{UnixDatagram, UnixStream},
    },
    path::PathBuf,
    process::{self, Command, Stdio},
    time::Duration,
};

use crate::support::{GREETING, PATIENCE, PROGRAM, Peer, Server, program};

/// How soon the loop is to say that it turns.
const FEEDING_INTERVAL: Duration = Duration::from_millis(50);

/// What hears of the server.
struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Manager {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("pychat-{}-{name}", process::id()));
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, path }
    }

    /// Waits until it is told something that begins with `word`; returns the rest.
    #[track_caller]
    fn is_told(&self, word: &str) -> String {
        let mut datagram = [0; 1_024];
        loop {
            let size = self.socket.recv(&mut datagram).expect("more is told");
            let told = std::str::from_utf8(&datagram[..size]).unwrap();
            if let Some(rest) = told.lines().find_map(|line| line.strip_prefix(word)) {
                return rest.to_owned();
            }
        }
    }

    /// Drops all that it was told so far.
    fn forget(&self) {
        self.socket.set_nonblocking(true).unwrap();
        while self.socket.recv(&mut [0; 1_024]).is_ok() {}
        self.socket.set_nonblocking(false).unwrap();
    }

    #[track_caller]
    fn hears_nothing_for(&self, time: Duration) {
        self.socket.set_read_timeout(Some(time)).unwrap();
        self.socket.recv(&mut [0; 1_024]).expect_err("something is told");
        self.socket.set_read_timeout(Some(PATIENCE)).unwrap();
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path); // It is below the system's folder for such.
    }
}

/// Returns a command that runs the server with `descriptor` passed on under this `name`.
fn activated(descriptor: OwnedFd, name: &str) -> Command {
    let mut command = Command::new("sh");
    // The number of a process is known to itself alone before it becomes the server.
    let script = "exec 3<&0 </dev/null; LISTEN_PID=$$ exec \"$0\" \"$@\"";
    command.args(["-c", script, PROGRAM]);
    command.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", name).env("PYCHAT_HISTORY", "memory");
    command.stdin(Stdio::from(descriptor)).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

#[test]
fn who_started_the_server_is_told_how_it_is() {
    let manager = Manager::new("life");
    let mut server =
        Server::run(program().arg("--listen=127.0.0.1:0").env("NOTIFY_SOCKET", &manager.path), 1);
    let address = server.address();
    manager.is_told("READY=1");
    let anna = Peer::join(address, "Анна", &[]);
    let expected = format!("1 person here, listening on {address}");
    assert_eq!(manager.is_told("STATUS="), expected);
    server.signal("HUP");
    manager.is_told("RELOADING=1");
    manager.is_told("READY=1");
    drop(anna);
    assert_eq!(manager.is_told("STATUS=nobody here"), format!(", listening on {address}"));
    server.signal("TERM");
    manager.is_told("STOPPING=1");
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn a_watchdog_is_fed_by_a_loop_that_turns_and_by_no_other() {
    let manager = Manager::new("watchdog");
    let bite_us = (2 * FEEDING_INTERVAL).as_micros().to_string();
    let mut command = program();
    command.arg("--listen=127.0.0.1:0");
    command.env("NOTIFY_SOCKET", &manager.path).env("WATCHDOG_USEC", bite_us);
    let server = Server::run(&mut command, 1);
    for _ in 0..3 {
        manager.is_told("WATCHDOG=1"); // Nobody calls: it wakes for this alone.
    }
    server.freeze();
    manager.forget();
    manager.hears_nothing_for(4 * FEEDING_INTERVAL);
    server.thaw();
    manager.is_told("WATCHDOG=1");
}

#[test]
fn a_socket_that_listens_already_takes_the_place_of_the_flag() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let early = TcpStream::connect(address).unwrap(); // Nobody is there yet.
    let mut command = activated(listener.into(), "listener");
    let server = Server::run(command.arg("--listen=127.0.0.1:1"), 1);
    assert_eq!(server.address(), address);
    let ignored = "WARN --listen is ignored: systemd has passed on sockets that listen already";
    server.log().wait_for_line(ignored);
    let anna = Peer::join(address, "Анна", &[]);
    Peer::over(early).is_told(GREETING);
    drop(anna);
}

#[test]
fn what_nobody_knows_is_closed() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut command = activated(theirs.into(), "else");
    let server = Server::run(command.arg("--listen=127.0.0.1:0"), 1);
    drop(command); // It has a copy.
    server.log().wait_for_line("WARN closed a descriptor passed on as \"else\": nobody knows it");
    ours.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!((&ours).read(&mut [0]).unwrap(), 0, "it is still open");
}

#[test]
fn a_descriptor_that_is_no_listener_is_not_taken_for_one() {
    let (_ours, theirs) = UnixStream::pair().unwrap();
    let server = Server::run(activated(theirs.into(), "listener").arg("--listen=127.0.0.1:0"), 1);
    server.log().wait_for_line(
        "WARN closed a descriptor passed on as \"listener\": it is no TCP socket that listens",
    );
    Peer::join(server.address(), "Анна", &[]);
}
