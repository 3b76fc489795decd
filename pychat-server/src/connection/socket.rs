//! What a connection needs of its socket.

use std::{
    io::{self, Read, Write},
    net::Shutdown,
};

use rustix::net::sockopt::socket_cookie;

/// A socket that does not block, or a test's stand-in for one.
pub trait Socket: Read + Write {
    /// Reads what has arrived, and leaves it there to be read again.
    ///
    /// # Errors
    ///
    /// Those of reading.
    fn peek(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Ends the stream towards the peer.
    ///
    /// # Errors
    ///
    /// Those of the system call; the connection is lost then.
    fn finish(&mut self) -> io::Result<()>;

    /// Ends both streams, though another process may have the socket as well.
    fn hang_up(&mut self);

    /// Returns the system's number of this socket, which no other has as long as the machine runs,
    /// whichever process has it.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    fn cookie(&self) -> io::Result<u64>;
}

impl Socket for mio::net::TcpStream {
    fn peek(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        mio::net::TcpStream::peek(self, buffer)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }

    fn hang_up(&mut self) {
        let _ = self.shutdown(Shutdown::Both); // It fails only where there is no peer any more.
    }

    fn cookie(&self) -> io::Result<u64> {
        Ok(socket_cookie(self)?)
    }
}
