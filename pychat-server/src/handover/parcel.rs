//! Many descriptors in a few: sockets travel to the next process inside others.
//!
//! The service manager compares each descriptor that it is given with all that it keeps, and names
//! each in an environment variable of at most 128 KiB. So it is given a handful: Unix sockets in
//! whose queues the connections wait (`SCM_RIGHTS`), with the snapshot, a file in memory, as the
//! first. A queue outlives the process that filled it and its own other end.

use std::{
    fs::File,
    io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Seek, Write},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    fs::{MemfdFlags, memfd_create},
    net::{
        AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
    },
};

/// The most descriptors in one message (Linux's `SCM_MAX_FD`).
const MESSAGE_FDS_MAX: usize = 253;

/// Each message says which of all descriptors is its first: carriers may come in any order.
type Index = [u8; 4];

/// Puts `snapshot` and `sockets` into as few carriers as will hold them.
///
/// # Errors
///
/// Those of the system calls: out of memory or descriptors, most likely.
pub fn pack(snapshot: &[u8], sockets: &[BorrowedFd<'_>]) -> io::Result<Vec<OwnedFd>> {
    let mut file = File::from(memfd_create("pychat-snapshot", MemfdFlags::CLOEXEC)?);
    file.write_all(snapshot)?;
    file.rewind()?;
    let all: Vec<_> = [file.as_fd()].into_iter().chain(sockets.iter().copied()).collect();
    let mut carriers = Vec::new();
    let mut sender = None;
    let mut index = 0_u32;
    for fds in all.chunks(MESSAGE_FDS_MAX) {
        let is_sent = match &sender {
            Some(sender) => send(sender, index, fds)?,
            None => false,
        };
        if !is_sent {
            let (near, far) = pair()?;
            if !send(&near, index, fds)? {
                return Err(ErrorKind::QuotaExceeded.into());
            }
            carriers.push(far);
            sender = Some(near);
        }
        index += u32::try_from(fds.len()).map_err(|_| ErrorKind::FileTooLarge)?;
    }
    Ok(carriers)
}

/// Takes a snapshot and its sockets out of their carriers again; `None` if there is none in them.
///
/// # Errors
///
/// Those of the system calls, or `InvalidData` if something is missing in between.
pub fn unpack(carriers: &[OwnedFd]) -> io::Result<Option<(Vec<u8>, Vec<OwnedFd>)>> {
    let mut received = Vec::new();
    for carrier in carriers {
        while let Some(message) = receive(carrier)? {
            received.push(message);
        }
    }
    received.sort_by_key(|(index, _)| *index);
    let mut all: Vec<OwnedFd> = Vec::new();
    for (index, fds) in received {
        if usize::try_from(index).ok() != Some(all.len()) {
            return Err(ErrorKind::InvalidData.into());
        }
        all.extend(fds);
    }
    if all.is_empty() {
        return Ok(None);
    }
    let sockets = all.split_off(1);
    let mut snapshot = Vec::new();
    for file in all {
        File::from(file).read_to_end(&mut snapshot)?;
    }
    Ok(Some((snapshot, sockets)))
}

fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?)
}

/// Sends one message; returns false if the queue has no room for it.
fn send(sender: &OwnedFd, index: u32, fds: &[BorrowedFd<'_>]) -> io::Result<bool> {
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MESSAGE_FDS_MAX))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(fds));
    let index: Index = index.to_le_bytes();
    match sendmsg(sender, &[IoSlice::new(&index)], &mut ancillary, SendFlags::NOSIGNAL) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Takes one message off a queue; `None` if it is empty.
fn receive(carrier: &OwnedFd) -> io::Result<Option<(u32, Vec<OwnedFd>)>> {
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MESSAGE_FDS_MAX))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut index = Index::default();
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let size = match recvmsg(carrier, &mut [IoSliceMut::new(&mut index)], &mut ancillary, flags) {
        Ok(received) => received.bytes,
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if size == 0 {
        return Ok(None);
    }
    let mut fds = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    Ok(Some((u32::from_le_bytes(index), fds)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn everything_arrives_in_order_whoever_is_gone_by_then() {
        let (ours, theirs): (Vec<_>, Vec<_>) =
            (0..2 * MESSAGE_FDS_MAX).map(|_| UnixStream::pair().unwrap()).unzip();
        let sockets: Vec<_> = theirs.iter().map(AsFd::as_fd).collect();
        let mut carriers = pack(b"snapshot", &sockets).unwrap();
        drop(theirs);
        carriers.reverse();
        let (snapshot, sockets) = unpack(&carriers).unwrap().unwrap();
        assert_eq!((&*snapshot, sockets.len()), (&b"snapshot"[..], ours.len()));
        for (number, (mut near, far)) in ours.iter().zip(sockets).enumerate() {
            near.write_all(&number.to_le_bytes()).unwrap();
            let mut bytes = [0; size_of::<usize>()];
            UnixStream::from(far).read_exact(&mut bytes).unwrap();
            assert_eq!(bytes, number.to_le_bytes());
        }
        assert!(unpack(&carriers).unwrap().is_none(), "nothing arrives twice");
    }

    #[test]
    fn a_carrier_that_is_missing_is_noticed() {
        let socket = UnixStream::pair().unwrap().0;
        let (near, far) = pair().unwrap();
        assert!(send(&near, 1, &[socket.as_fd()]).unwrap());
        let error = unpack(&[far]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(unpack(&[]).unwrap().is_none());
    }
}
