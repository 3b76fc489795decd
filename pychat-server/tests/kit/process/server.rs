//! The server as a process of its own: started, signalled, and never left behind.

use std::{
    env, fs,
    net::{SocketAddr, ToSocketAddrs},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{Log, PATIENCE};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_pychat-server");

/// The time between two checks of something that the system offers no way to wait for, such as the
/// end of a process.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A running server; it is killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    log: Log,
    addresses: Vec<SocketAddr>,
}

impl Server {
    /// Starts a server on a free port, without the limits that only abuse would meet in earnest.
    pub(crate) fn start() -> Self {
        Self::with(&["--flood=off", "--connections-per-address=0"])
    }

    /// Starts a server on a free port with these `flags`.
    pub(crate) fn with(flags: &[&str]) -> Self {
        Self::run(program().arg("--listen=127.0.0.1:0").args(flags), 1)
    }

    /// Starts a server that is given each of `listen`; waits until it listens on all of them.
    pub(crate) fn listening_on(listen: &[&str]) -> Self {
        let addresses = listen.iter().flat_map(|address| address.to_socket_addrs().unwrap());
        let mut command = program();
        command.args(listen.iter().flat_map(|address| ["--listen", address]));
        Self::run(&mut command, addresses.count())
    }

    /// Starts a server by `command`; waits until it listens on as many as `sockets`.
    pub(crate) fn run(command: &mut Command, sockets: usize) -> Self {
        let mut process = command.spawn().unwrap();
        let log = Log::of(process.stderr.take().unwrap());
        let mut server = Self { process, log, addresses: Vec::new() };
        server.addresses = server.log.wait_for(|lines| {
            let listening = lines.iter().filter_map(|line| line.strip_prefix("INFO listening on "));
            let addresses: Vec<_> = listening.map(|address| address.parse().unwrap()).collect();
            (addresses.len() == sockets).then_some(addresses)
        });
        server
    }

    /// Returns where the server listens, first of all.
    pub(crate) fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Returns everywhere that the server listens.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Returns the number of the server's process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Returns how much memory the server has, in KiB.
    pub(crate) fn resident_kib(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        resident.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }

    /// Returns how many descriptors the server has open.
    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }

    /// Waits until the server has no more than `count` descriptors open.
    #[track_caller]
    pub(crate) fn wait_for_descriptors(&self, count: usize) {
        wait_until("descriptors stay open", || self.descriptors() <= count);
    }

    /// Returns what the server logs.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// Sends the signal of this `name`, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        signal(name, self.pid());
    }

    /// Stops the server in its tracks; the kernel goes on taking calls and bytes for it.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
        wait_until("the server goes on running", || self.is_frozen());
    }

    fn is_frozen(&self) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        status.lines().any(|line| line.starts_with("State:\tT"))
    }

    /// Lets a frozen server go on: all that came meanwhile is there at once.
    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    /// Waits until the server has ended; returns its exit code, `None` if a signal killed it.
    #[track_caller]
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        exit_code(&mut self.process)
    }

    /// Waits until the server has ended; returns all that it logged.
    pub(crate) fn whole_log(&mut self) -> Vec<String> {
        self.exit_code();
        self.log.finish()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only for a process that has been waited for already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns a command that runs the server, its output in pipes, nothing kept. What the environment
/// says to the tests is nothing to the server.
pub(crate) fn program() -> Command {
    let mut command = Command::new(PROGRAM);
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter(|name| name.starts_with("PYCHAT_")).for_each(|name| {
        command.env_remove(name);
    });
    command.env_remove("RUNTIME_DIRECTORY").env_remove("XDG_RUNTIME_DIR");
    command.env("PYCHAT_HISTORY", "memory");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Waits for what the system offers nothing to wait on; complains with `otherwise` if it never is.
#[track_caller]
pub(crate) fn wait_until(otherwise: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{otherwise}");
        thread::sleep(POLL_INTERVAL);
    }
}

/// Sends the signal of this `name` to the process `pid`.
pub(crate) fn signal(name: &str, pid: u32) {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).status().unwrap();
    assert!(status.success(), "kill -s {name} {pid}: {status}");
}

/// Waits until `process` has ended; returns its exit code, `None` if a signal killed it.
#[track_caller]
pub(crate) fn exit_code(process: &mut Child) -> Option<i32> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = process.try_wait().unwrap() {
            return status.code();
        }
        if deadline < Instant::now() {
            process.kill().unwrap();
            panic!("the server goes on running");
        }
        thread::sleep(POLL_INTERVAL);
    }
}
