//! What the kernel knows of a connection, for the few things that cannot be seen from its ends.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
};

/// One end of a connection, as `/proc/net/tcp` describes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// What was written at this end and not yet acknowledged by the other, in bytes.
    pub(super) unacknowledged: usize,
    /// What arrived at this end and was not yet read, in bytes.
    pub(super) unread: usize,
    /// Set while the connection is idle and will be asked whether it is still there.
    pub(super) is_kept_alive: bool,
}

/// Finds the end at `local` of its connection with `remote`; both are IPv4.
pub(super) fn end_at(local: SocketAddr, remote: SocketAddr) -> End {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let ends = [shown(local), shown(remote)];
    let row = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|columns| columns[1..3] == ends)
        .expect("the connection is in the table");
    let (unacknowledged, unread) = row[4].split_once(':').unwrap();
    let size = |digits| usize::from_str_radix(digits, 16).unwrap();
    let timer = row[5].split_once(':').unwrap().0;
    End { unacknowledged: size(unacknowledged), unread: size(unread), is_kept_alive: timer == "02" }
}

/// Writes an address as the kernel does, `0100007F:3039`: the host's bytes in memory order.
fn shown(address: SocketAddr) -> String {
    let SocketAddr::V4(address) = address else { panic!("{address} is not IPv4") };
    let host = u32::from_ne_bytes(Ipv4Addr::octets(address.ip()));
    format!("{host:08X}:{:04X}", address.port())
}
