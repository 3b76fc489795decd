//! The kernel's state of a connection, for the few things that cannot be seen from its ends.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
};

use crate::process::{Peer, Server, joined, wait_until};

/// One end of a connection, as `/proc/net/tcp` describes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// The amount written at this end and not yet acknowledged by the other, in bytes.
    pub(super) unacknowledged: usize,
    /// The amount that arrived at this end and was not yet read, in bytes.
    pub(super) unread: usize,
    /// Set while the connection is idle and will be asked whether it is still there.
    pub(super) is_kept_alive: bool,
}

/// Finds the end at `local` of its connection with `remote`; both are IPv4.
///
/// The table is read page by page while connections come and go; what stood at the end of one page
/// may have moved behind the beginning of the next, so that one reading need not show it.
pub(super) fn end_at(local: SocketAddr, remote: SocketAddr) -> End {
    let mut found = None;
    wait_until("the connection is not in the table", || {
        found = find_end(local, remote);
        found.is_some()
    });
    found.unwrap()
}

fn find_end(local: SocketAddr, remote: SocketAddr) -> Option<End> {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let ends = [shown(local), shown(remote)];
    let row = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|columns| columns[1..3] == ends)?;
    let (unacknowledged, unread) = row[4].split_once(':').unwrap();
    let size = |digits| usize::from_str_radix(digits, 16).unwrap();
    let timer = row[5].split_once(':').unwrap().0;
    let is_kept_alive = timer == "02";
    Some(End { unacknowledged: size(unacknowledged), unread: size(unread), is_kept_alive })
}

/// Writes an address as the kernel does, `0100007F:3039`: the host's bytes in memory order.
fn shown(address: SocketAddr) -> String {
    let SocketAddr::V4(address) = address else { panic!("{address} is not IPv4") };
    let host = u32::from_ne_bytes(Ipv4Addr::octets(address.ip()));
    format!("{host:08X}:{:04X}", address.port())
}

/// The size of each text that is said past somebody who does not read, in bytes.
pub(super) const CONTENT_BYTES: usize = 60_000;

/// Joins as Соня, who does not read, and talks as Анна until the server itself owes Соня something
/// that the kernel has not taken. Returns Соня, and how often Анна had to talk for that.
pub(super) fn join_without_reading(server: &Server, anna: &mut Peer) -> (Peer, usize) {
    let sonya = Peer::join(server.address(), "Соня", &["Анна"]);
    anna.is_told(&joined("Соня"));
    let content = "x".repeat(CONTENT_BYTES);
    for texts in 1..2_000 {
        anna.say(&content);
        anna.hears("Вы", &content);
        let sent = end_at(server.address(), sonya.address()).unacknowledged;
        let taken = sent + end_at(sonya.address(), server.address()).unread;
        // Of the last text, Соня's copy may still be on its way.
        if taken + 3 * CONTENT_BYTES < texts * CONTENT_BYTES {
            return (sonya, texts);
        }
    }
    panic!("the kernel takes whatever nobody reads");
}
