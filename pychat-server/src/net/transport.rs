//! The bytes of one connection, on their way to a peer and from it: plain, or encrypted.

use std::{
    io::{self, Read, Write},
    net::Shutdown,
};

/// A stream that does not block: a socket, an encrypted one, or a test's stand-in.
pub trait Transport: Read + Write {
    /// Returns how much it has taken and not passed on to the socket, in bytes. A peer that does not
    /// read owes for it as for the rest.
    fn buffered(&self) -> usize;

    /// Returns true if it has something to write of its own accord, though nothing is owed.
    fn wants_write(&self) -> bool;

    /// Ends the stream towards the peer, who can tell that from a line that broke.
    ///
    /// # Errors
    ///
    /// Those of the system call; the connection is lost then.
    fn close_notify(&mut self) -> io::Result<()>;
}

/// Plain TCP: what it takes is the kernel's.
impl Transport for mio::net::TcpStream {
    fn buffered(&self) -> usize {
        0
    }

    fn wants_write(&self) -> bool {
        false
    }

    fn close_notify(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}
