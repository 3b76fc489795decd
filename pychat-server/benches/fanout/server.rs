//! The server under load, and what the system knows of it.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use super::Outcome;

/// A running server; it is killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts a server on a free port that lets everybody speak as fast as they can.
    pub(crate) fn start() -> Outcome<Self> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_pychat-server"))
            .args(["--listen=127.0.0.1:0", "--flood=off", "--connections-per-address=0"])
            .arg("--history=memory")
            .stderr(Stdio::piped())
            .spawn()?;
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
        Ok(Self { process, address })
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

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only for a process that has ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
