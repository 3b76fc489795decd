//! The operations that a connection needs of its socket.

use std::{
    io::{self, Read, Write},
    net::Shutdown,
};

/// A socket that does not block, or a test's stand-in for one.
pub trait Socket: Read + Write {
    /// Ends the stream towards the peer.
    ///
    /// # Errors
    ///
    /// Those of the system call; the connection is lost then.
    fn finish(&mut self) -> io::Result<()>;
}

impl Socket for mio::net::TcpStream {
    fn finish(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}
