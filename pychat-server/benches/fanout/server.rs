//! The server under load, and what the system knows of it.

use std::{
    fmt, fs,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use super::Outcome;

/// How a server keeps what is said.
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
}

impl Server {
    /// Starts a server on a free port that lets everybody speak as fast as they can.
    pub(crate) fn start(history: History) -> Outcome<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pychat-server"));
        command.args(["--listen=127.0.0.1:0", "--flood=off", "--connections-per-address=0"]);
        let directory = match history {
            History::Memory => {
                command.arg("--history=memory");
                None
            }
            History::Process | History::Power => {
                let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique(history));
                command.arg(format!("--durability={history}")).arg("--history=disk");
                command.arg("--state-dir").arg(&directory);
                Some(directory)
            }
        };
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
        thread::spawn(move || log.read_to_end(&mut Vec::new()));
        Ok(Self { process, address, directory })
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
        let status = self.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes: usize =
            line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or("no VmRSS")?.parse()?;
        Ok(kibibytes << 10)
    }

    fn read(&self, file: &str) -> Outcome<String> {
        Ok(fs::read_to_string(format!("/proc/{}/{file}", self.process.id()))?)
    }
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
