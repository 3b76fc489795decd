//! A peer's connection, plain or encrypted.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
};

use rustls::{ClientConnection, StreamOwned};

use super::{Handshake, tls};

/// A connection, encrypted or not.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    /// Begins TLS; returns the pin of the server's certificate too.
    pub(super) fn shake_hands(
        mut socket: TcpStream,
        handshake: &Handshake,
    ) -> io::Result<(Self, String)> {
        let (mut connection, pin) = handshake.begin();
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        Ok((Self::Tls(Box::new(StreamOwned::new(connection, socket))), pin.get()))
    }

    pub(super) fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_ref(),
        }
    }

    /// Returns the channel binding; zeros without TLS.
    pub(super) fn binding(&self) -> [u8; 32] {
        match self {
            Self::Plain(_) => [0; 32],
            Self::Tls(stream) => tls::binding(&stream.conn),
        }
    }

    /// Closes the writing side, having said so where there is a way to.
    pub(super) fn end_write(&mut self) -> io::Result<()> {
        if let Self::Tls(stream) = self {
            stream.conn.send_close_notify();
            stream.flush()?;
        }
        self.socket().shutdown(Shutdown::Write)
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
