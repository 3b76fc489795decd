//! Started by systemd, the server takes the sockets that it is given and says how it is. No systemd
//! is needed for that: a test says what one would.

use std::{
    env, fs,
    net::{TcpListener, TcpStream},
    os::{
        fd::OwnedFd,
        unix::net::{UnixDatagram, UnixStream},
    },
    path::PathBuf,
    process::{self, Command, Stdio},
    time::Duration,
};

use crate::process::{GOODBYE, GREETING, PATIENCE, PROGRAM, Peer, Server, program};

/// The interval at which the loop is to say that it turns.
const FEEDING_INTERVAL: Duration = Duration::from_millis(50);

/// The receiver of the server's notifications.
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

/// Returns a command that runs the server with `descriptor` passed under this `name`.
fn activated(descriptor: OwnedFd, name: &str) -> Command {
    let mut command = Command::new("sh");
    // The number of a process is known to itself alone before it becomes the server.
    let script = "exec 3<&0 4</dev/null </dev/null; LISTEN_PID=$$ exec \"$0\" \"$@\"";
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
    let mut command = activated(listener.into(), "chat.socket");
    let server = Server::run(command.arg("--listen=127.0.0.1:1"), 1);
    assert_eq!(server.address(), address);
    let ignored = "WARN --listen is ignored: systemd has passed listening sockets";
    server.log().wait_for_line(ignored);
    let anna = Peer::join(address, "Анна", &[]);
    Peer::over(early).is_told(GREETING);
    drop(anna);
}

#[test]
fn where_nothing_that_is_passed_listens_the_server_does_not_start() {
    for name in ["listener", "else"] {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut command = activated(theirs.into(), name);
        let output = command.arg("--listen=127.0.0.1:0").output().unwrap();
        let expected = format!(
            "pychat-server: no listening TCP socket was passed by the service manager: {name:?}: \
             not a listening TCP socket\n"
        );
        assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
        assert_eq!(output.status.code(), Some(1));
        drop(ours);
    }
}

#[test]
fn what_listens_is_taken_though_something_else_is_passed_as_well() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut command = activated(listener.into(), "chat.socket:else");
    command.env("LISTEN_FDS", "2"); // The second is /dev/null.
    let server = Server::run(&mut command, 1);
    assert_eq!(server.address(), address);
    server
        .log()
        .wait_for_line("WARN closed a descriptor passed as \"else\": not a listening TCP socket");
}

#[test]
fn a_restart_that_no_manager_takes_part_in_says_goodbye() {
    let folder = env::temp_dir().join(format!("pychat-unmanaged-{}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    for socket in [None, Some(folder.join("missing"))] {
        let mut command = program();
        command.arg("--listen=127.0.0.1:0").env("RUNTIME_DIRECTORY", &folder);
        command.env_remove("NOTIFY_SOCKET");
        socket.as_ref().map(|socket| command.env("NOTIFY_SOCKET", socket));
        let mut server = Server::run(&mut command, 1);
        let mut anna = Peer::join(server.address(), "Анна", &[]);
        server.signal("USR2");
        anna.is_told(GOODBYE);
        assert_eq!(server.exit_code(), Some(0), "{socket:?}");
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_manager_without_room_does_not_hold_a_restart_up_for_ever_nor_keeps_the_loop_awake() {
    let manager = Manager::new("full");
    let full = UnixDatagram::unbound().unwrap();
    full.set_nonblocking(true).unwrap();
    while full.send_to(b"X=1\n", &manager.path).is_ok() {}
    let folder = env::temp_dir().join(format!("pychat-full-{}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    let mut command = program();
    command.arg("--listen=127.0.0.1:0").env("RUNTIME_DIRECTORY", &folder);
    let mut server = Server::run(command.env("NOTIFY_SOCKET", &manager.path), 1);
    let mut anna = Peer::join(server.address(), "Анна", &[]);
    server.signal("USR2");
    anna.is_told(GOODBYE);
    assert_eq!(server.exit_code(), Some(0));
    fs::remove_dir_all(&folder).unwrap();
}
