//! The server under load, and what the system knows of it.

use std::{
    fmt, fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use pychat_server::net::identity::{Identity, IdentityPlace};
use rustix::process::{Pid, Signal, kill_process};

use super::Outcome;

/// The way in which a server keeps what is said.
#[derive(Clone, Copy, Debug)]
pub(crate) enum History {
    /// In memory alone.
    Memory,
    /// On disk, not waiting for it.
    Process,
    /// On disk, waiting for it.
    Power,
}

impl fmt::Display for History {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Memory => "memory",
            Self::Process => "process",
            Self::Power => "power",
        })
    }
}

/// A running server; it is killed when dropped, and what it kept is removed.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
    directory: Option<PathBuf>,
    log_lines: Arc<AtomicUsize>,
}

/// The name of the configuration file of a server that keeps what is said on disk.
const CONFIG: &str = "pychat.toml";

/// Lets everybody speak as fast as they can.
const UNLIMITED: [&str; 2] = ["--flood=off", "--connections-per-address=0"];

impl Server {
    /// Starts a server on a free port that lets everybody speak as fast as they can.
    pub(crate) fn start(history: History) -> Outcome<Self> {
        Self::start_with(history, &UNLIMITED)
    }

    /// Starts a server that offers TLS, with a certificate in a folder of this benchmark's.
    pub(crate) fn start_encrypted() -> Outcome<Self> {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-tls");
        fs::create_dir_all(&directory)?;
        Identity::load(&IdentityPlace::Own(directory.clone()))?;
        let file = directory.join("tls.pem");
        let files = ["certificate", "key"].map(|it| format!("--tls-{it}={}", file.display()));
        let files = files.each_ref().map(String::as_str);
        Self::start_with(History::Memory, &[&UNLIMITED[..], &files].concat())
    }

    /// Starts a server on a free port with these `flags`.
    pub(crate) fn start_with(history: History, flags: &[&str]) -> Outcome<Self> {
        let directory = match history {
            History::Memory => None,
            History::Process | History::Power => Some(make_directory(history)?),
        };
        Self::launch(history, flags, directory)
    }

    /// Starts a server that lets everybody speak as fast as they can, and goes on with what `fill` has put
    /// into its folder.
    pub(crate) fn start_filled(fill: impl FnOnce(&Path) -> Outcome<()>) -> Outcome<Self> {
        let directory = make_directory(History::Process)?;
        fill(&directory)?;
        Self::launch(History::Process, &UNLIMITED, Some(directory))
    }

    /// Starts one of the servers of a chat whose log is in a database.
    pub(crate) fn start_over(database: &str) -> Outcome<Self> {
        let store = format!("--store={database}");
        Self::start_with(History::Power, &[&UNLIMITED[..], &[&store]].concat())
    }

    /// Kills it, and starts one on another port that goes on with what it kept on disk.
    pub(crate) fn restart(mut self) -> Outcome<Self> {
        self.process.kill()?;
        self.process.wait()?;
        let directory = self.directory.take();
        Self::launch(History::Process, &UNLIMITED, directory)
    }

    fn launch(history: History, flags: &[&str], directory: Option<PathBuf>) -> Outcome<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pychat-server"));
        command.args(flags).arg("--listen=127.0.0.1:0");
        command.env_remove("RUNTIME_DIRECTORY").env_remove("XDG_RUNTIME_DIR");
        if let Some(directory) = &directory {
            command.arg(format!("--durability={history}")).arg("--history=disk");
            command.arg("--state-dir").arg(directory).arg("--config").arg(directory.join(CONFIG));
        } else {
            command.arg("--history=memory");
        }
        let mut process = command.stderr(Stdio::piped()).spawn()?;
        let mut log = BufReader::new(process.stderr.take().ok_or("no log")?);
        let mut line = String::new();
        while !line.contains("listening on ") {
            line.clear();
            if log.read_line(&mut line)? == 0 {
                return Err("the server did not start".into());
            }
        }
        let address = line.trim().rsplit(' ').next().unwrap_or_default().parse()?;
        // The log must be read, or the server would wait for room in the pipe.
        let log_lines = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&log_lines);
        thread::spawn(move || {
            for _ in log.split(b'\n').map_while(Result::ok) {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok(Self { process, address, directory, log_lines })
    }

    /// Has an operator call the server, which keeps what is said on disk, and say these words.
    pub(crate) fn ctl(&self, words: &[&str]) -> Outcome<()> {
        let directory = self.directory.as_ref().ok_or("nothing is kept on disk")?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_pychat-server"));
        command.arg("ctl").args(words).arg("--control-socket").arg(directory.join("control.sock"));
        let output = command.output()?;
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
        }
    }

    /// Has it read this configuration, and go on under that a moment later.
    pub(crate) fn configure(&self, text: &str) -> Outcome<()> {
        let directory = self.directory.as_ref().ok_or("there is no configuration")?;
        fs::write(directory.join(CONFIG), text)?;
        let pid = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        Ok(kill_process(pid.ok_or("no process")?, Signal::HUP)?)
    }

    /// Returns where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns how long it has been on a processor, as the kernel counts it.
    pub(crate) fn cpu(&self) -> Outcome<Duration> {
        let schedstat = self.read("schedstat")?;
        let nanoseconds = schedstat.split(' ').next().unwrap_or_default();
        Ok(Duration::from_nanos(nanoseconds.parse()?))
    }

    /// Returns how much memory it has in use, in bytes.
    pub(crate) fn memory(&self) -> Outcome<usize> {
        self.status("VmRSS:")
    }

    /// Returns how much memory it has had in use at most, in bytes.
    pub(crate) fn peak_memory(&self) -> Outcome<usize> {
        self.status("VmHWM:")
    }

    /// Returns how many lines it has logged since it began to listen.
    pub(crate) fn log_lines(&self) -> usize {
        self.log_lines.load(Ordering::Relaxed)
    }

    /// Returns how much it keeps on disk, in bytes.
    pub(crate) fn disk(&self) -> Outcome<u64> {
        let directory = self.directory.as_ref().ok_or("nothing is kept on disk")?;
        let sizes = fs::read_dir(directory)?.map(|entry| Ok(entry?.metadata()?.len()));
        sizes.sum()
    }

    /// Returns false once it has ended by itself.
    pub(crate) fn is_alive(&mut self) -> Outcome<bool> {
        Ok(self.process.try_wait()?.is_none())
    }

    fn status(&self, key: &str) -> Outcome<usize> {
        let status = self.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let kibibytes: usize =
            line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or("no memory")?.parse()?;
        Ok(kibibytes << 10)
    }

    fn read(&self, file: &str) -> Outcome<String> {
        Ok(fs::read_to_string(format!("/proc/{}/{file}", self.process.id()))?)
    }
}

/// Makes a folder for a server that keeps what is said on disk.
fn make_directory(history: History) -> Outcome<PathBuf> {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique(history));
    fs::create_dir_all(&directory)?;
    fs::write(directory.join(CONFIG), "")?;
    Ok(directory)
}

/// Returns a name that no other server of this benchmark's has.
fn unique(history: History) -> String {
    static STARTED: AtomicUsize = AtomicUsize::new(0);
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    format!("bench-{}-{history}-{number}", std::process::id())
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only for a process that has ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.directory.take().map(fs::remove_dir_all);
    }
}
