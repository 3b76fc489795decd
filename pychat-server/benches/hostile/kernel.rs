//! The kernel's buffers: bytes on their way, and memory for them.

use std::{
    fs,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use super::{Outcome, field::is_attacker};

/// The interval at which the memory is looked at.
const INTERVAL: Duration = Duration::from_millis(20);

/// Bytes that one side has sent and the other has not read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OnTheWay {
    /// From attackers to the server.
    pub(crate) from_attackers: u64,
    /// From the server to attackers.
    pub(crate) to_attackers: u64,
    /// From the server to everybody else.
    pub(crate) to_others: u64,
}

impl OnTheWay {
    /// Adds up the queues of all connections to a port, both ends of each.
    pub(crate) fn to(port: u16) -> Outcome<Self> {
        let mut sum = Self::default();
        for row in fs::read_to_string("/proc/net/tcp")?.lines().skip(1) {
            let Some(row) = Row::parse(row) else { continue };
            let (client, to_server, to_client) = if row.local.1 == port {
                (row.remote.0, row.unread, row.unsent)
            } else if row.remote.1 == port {
                (row.local.0, row.unsent, row.unread)
            } else {
                continue;
            };
            if is_attacker(client) {
                sum.from_attackers += to_server;
                sum.to_attackers += to_client;
            } else {
                sum.to_others += to_client;
            }
        }
        Ok(sum)
    }
}

/// A socket, as `/proc/net/tcp` tells of it.
struct Row {
    local: (Ipv4Addr, u16),
    remote: (Ipv4Addr, u16),
    unsent: u64,
    unread: u64,
}

impl Row {
    /// The state of a listening socket, whose queues count connections.
    const LISTEN: &str = "0A";

    fn parse(row: &str) -> Option<Self> {
        let mut columns = row.split_whitespace().skip(1);
        let (local, remote) = (endpoint(columns.next()?)?, endpoint(columns.next()?)?);
        columns.next().filter(|state| *state != Self::LISTEN)?;
        let (unsent, unread) = columns.next()?.split_once(':')?;
        let number = |hex| u64::from_str_radix(hex, 16).ok();
        Some(Self { local, remote, unsent: number(unsent)?, unread: number(unread)? })
    }
}

/// An address is written as the machine keeps it, a port as people do.
fn endpoint(text: &str) -> Option<(Ipv4Addr, u16)> {
    let (address, port) = text.split_once(':')?;
    let address = u32::from_str_radix(address, 16).ok()?;
    Some((address.to_ne_bytes().into(), u16::from_str_radix(port, 16).ok()?))
}

/// The most memory that all TCP sockets of this machine had while this lived, in a thread of its own.
#[derive(Debug)]
pub(crate) struct TcpMemory {
    before: u64,
    most: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
}

impl TcpMemory {
    /// Begins to look.
    pub(crate) fn watch() -> Outcome<Self> {
        let before = tcp_memory()?;
        let most = Arc::new(AtomicU64::new(before));
        let is_over = Arc::new(AtomicBool::new(false));
        let (shared, end) = (Arc::clone(&most), Arc::clone(&is_over));
        thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                shared.fetch_max(tcp_memory().unwrap_or_default(), Ordering::Relaxed);
                thread::sleep(INTERVAL);
            }
        });
        Ok(Self { before, most, is_over })
    }

    /// Returns how much more than at the beginning there was at most, in bytes.
    pub(crate) fn growth(&self) -> u64 {
        self.most.load(Ordering::Relaxed) - self.before
    }
}

impl Drop for TcpMemory {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// Returns what all TCP sockets of this machine take, in bytes.
fn tcp_memory() -> Outcome<u64> {
    let sockstat = fs::read_to_string("/proc/net/sockstat")?;
    let line = sockstat.lines().find(|line| line.starts_with("TCP:")).ok_or("no TCP")?;
    let pages: u64 = line.rsplit(' ').next().unwrap_or_default().parse()?;
    Ok(pages * rustix::param::page_size() as u64)
}
