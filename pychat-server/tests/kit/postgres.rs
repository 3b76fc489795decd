//! A PostgreSQL of a test's own: on a Unix socket and a port of 127.0.0.1, in a temporary folder, and
//! gone with the test, however that ends.

use std::{
    env, fs,
    io::Write,
    net::TcpListener,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::process::{exit_code, signal, skip, wait_until};

/// The user that a database server runs as where the tests run as root, whom it would not run for.
const USER: &str = "postgres";

/// The folder in which Debian keeps the programs of each release.
const RELEASES: &str = "/usr/lib/postgresql";

/// The ways in: whoever is on the machine is believed, and a password is asked for on TCP.
const ACCESS: &str = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";

/// Settings under which a server starts fast and takes little; what it loses in a power cut is no loss.
const SETTINGS: &str = "listen_addresses = '127.0.0.1'
fsync = off
shared_buffers = 16MB
\
    autovacuum = off
log_checkpoints = off
";

/// A database server; it ends, and its folder goes, when dropped.
#[derive(Debug)]
pub(crate) struct Postgres {
    folder: PathBuf,
    port: u16,
    process: Option<Child>,
}

impl Postgres {
    /// Starts a server with these `settings`, lines of `postgresql.conf`. Says that it is skipped and
    /// returns `None` if the machine has no PostgreSQL.
    pub(crate) fn start(settings: &str) -> Option<Self> {
        let mut server = Self::make(settings)?;
        server.run();
        Some(server)
    }

    /// Starts a server that is a standby, of nobody, until it is [promoted](Self::promote).
    pub(crate) fn start_standby() -> Option<Self> {
        let mut server = Self::make("")?;
        server.write("data/standby.signal", "", 0o600);
        server.run();
        Some(server)
    }

    /// Makes the server and its folder, without starting it.
    pub(crate) fn make(settings: &str) -> Option<Self> {
        if programs().is_none() {
            skip("PostgreSQL, which is not installed");
            return None;
        }
        let server = Self::empty();
        let mut initdb = program("initdb");
        initdb.args(["--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8"]);
        finish(initdb.args(["--locale=C", "--pgdata"]).arg(server.data()));
        server.configure(settings);
        server.write("data/pg_hba.conf", ACCESS, 0o600);
        Some(server)
    }

    /// Returns a server whose folder is empty.
    fn empty() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("pychat-db-{}-{number}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let (uid, gid) = ids();
        chown(&folder, uid, gid).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { folder, port, process: None }
    }

    /// Makes another server with the same data, without starting it; this one must not have been started.
    pub(crate) fn copy(&self) -> Self {
        let server = Self::empty();
        finish(Command::new("cp").arg("-a").args([self.data(), server.data()]));
        server
    }

    /// Takes the data of a server that runs instead of its own; it is not started.
    pub(crate) fn take_over(&mut self, of: &Self) {
        self.kill();
        fs::remove_dir_all(self.data()).unwrap();
        let mut backup = program("pg_basebackup");
        backup.args(["--checkpoint=fast", "--no-sync", "--no-manifest", "--username=postgres"]);
        backup.args(["--port", &of.port.to_string(), "--host"]).arg(&of.folder);
        finish(backup.arg("--pgdata").arg(self.data()));
    }

    /// Sets its settings, lines of `postgresql.conf`, in the place of those before. One that runs has to be
    /// [told](Self::hang_up).
    pub(crate) fn configure(&self, settings: &str) {
        let (port, folder) = (self.port, self.folder.display());
        let own = format!("port = {port}\nunix_socket_directories = '{folder}'\n{SETTINGS}");
        self.write("data/postgresql.auto.conf", &(own + settings), 0o600);
    }

    /// Starts the server, again if it was stopped; waits until it takes calls.
    pub(crate) fn run(&mut self) {
        let data = self.data();
        let log = fs::File::create(self.folder.join("log")).unwrap();
        let mut postgres = program("postgres");
        self.process = Some(postgres.arg("-D").arg(&data).stderr(log).spawn().unwrap());
        wait_until("the database does not start", || {
            let process = self.process.as_mut().unwrap();
            let log = || fs::read_to_string(self.folder.join("log")).unwrap();
            assert!(process.try_wait().unwrap().is_none(), "{}", log());
            let told = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
            told.lines().nth(7).is_some_and(|line| ["ready", "standby"].contains(&line.trim()))
        });
    }

    /// Ends the server at once, as a crash would, even if it is [stopped](Self::freeze); what it had not
    /// committed is gone.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let children = children(process.id());
            signal("QUIT", process.id());
            for child in children {
                // Those that are stopped do nothing else before they end.
                let _ = kill_process(child, Signal::QUIT);
                let _ = kill_process(child, Signal::CONT);
            }
            signal("CONT", process.id());
            exit_code(&mut process);
        }
    }

    /// Stops all processes of the server in their tracks, until it is killed.
    pub(crate) fn freeze(&self) {
        let Some(process) = &self.process else { return };
        signal("STOP", process.id());
        let is_frozen = || {
            let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
            status.lines().any(|line| line.starts_with("State:\tT"))
        };
        wait_until("the database goes on running", is_frozen);
        for child in children(process.id()) {
            let _ = kill_process(child, Signal::STOP); // It may have ended.
        }
    }

    /// Has the server read its settings again, without waiting for it.
    pub(crate) fn hang_up(&self) {
        signal("HUP", self.process.as_ref().expect("it runs").id());
    }

    /// Has the server read `pg_hba.conf` again.
    pub(crate) fn reload(&self) {
        self.sql("SELECT pg_reload_conf()");
    }

    /// Makes a standby take what is written from now on.
    pub(crate) fn promote(&self) {
        let mut promote = program("pg_ctl");
        finish(promote.args(["promote", "--wait", "--pgdata"]).arg(self.data()));
    }

    /// Has commands carried out by a superuser; returns the rows that they print, unaligned.
    #[track_caller]
    pub(crate) fn sql(&self, commands: &str) -> String {
        let mut psql = program("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "postgres"]);
        psql.args(["-p", &self.port.to_string(), "-h"]).arg(&self.folder);
        psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut psql = psql.spawn().unwrap();
        psql.stdin.take().unwrap().write_all(commands.as_bytes()).unwrap();
        let output = psql.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Writes a file into its folder that the server may read.
    pub(crate) fn write(&self, name: &str, content: &str, mode: u32) -> PathBuf {
        let path = self.folder.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let (uid, gid) = ids();
        chown(&path, uid, gid).unwrap();
        path
    }

    /// Returns its folder, which is that of its Unix socket too.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Returns the path of its Unix socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join(format!(".s.PGSQL.{}", self.port))
    }

    /// Returns its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Returns the address of its database `postgres` for the superuser, on the Unix socket.
    pub(crate) fn uri(&self) -> String {
        let folder = self.folder.display();
        format!("postgres://postgres@/postgres?host={folder}&port={}", self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process
            && let Ok(None) = process.try_wait()
        {
            // An end of that kind removes what the kernel keeps for it.
            self.kill();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Returns the folder with the programs of the newest release, if any is installed.
fn programs() -> Option<PathBuf> {
    let releases = fs::read_dir(RELEASES).into_iter().flatten().flatten();
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = releases.map(|entry| entry.path()).max_by_key(number)?;
    Some(newest.join("bin")).filter(|folder| folder.join("postgres").exists())
}

/// Returns the processes that this one has begun and that are there.
fn children(pid: u32) -> Vec<Pid> {
    let children =
        fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let numbers = children.split_whitespace().filter_map(|it| it.parse().ok());
    numbers.filter_map(Pid::from_raw).collect()
}

/// Returns a command for one of these programs, which ends when the test does.
fn program(name: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if rustix::process::geteuid().is_root() {
        command.args(["--reuid", USER, "--regid", USER, "--clear-groups"]);
    }
    command.arg("--").arg(programs().expect("PostgreSQL").join(name));
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// Runs a command to its end.
#[track_caller]
fn finish(command: &mut Command) {
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Returns whom the files of a server belong to; none if to who runs the tests.
fn ids() -> (Option<u32>, Option<u32>) {
    if !rustix::process::geteuid().is_root() {
        return (None, None);
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let user = users.lines().find(|line| line.starts_with(&format!("{USER}:"))).expect("the user");
    let mut ids = user.split(':').skip(2).map(|id| id.parse().unwrap());
    (ids.next(), ids.next())
}
