//! The bytes of one connection, on their way to a peer and from it: plain, or encrypted.
//!
//! A connection begins plain. Where TLS is offered, a peer may begin it with the very first byte that
//! it sends.

use std::{
    io::{self, Read, Write},
    net::Shutdown,
    sync::Arc,
};

use pychat_wire::key::BINDING_BYTES;
use rustls::ServerConfig;

use super::tls::Tls;

/// A stream socket that does not block.
pub trait Socket: Read + Write {
    /// Ends the stream towards the peer, who can tell that from a line that broke.
    ///
    /// # Errors
    ///
    /// Those of the system call; the connection is lost then.
    fn end_write(&mut self) -> io::Result<()>;
}

impl Socket for mio::net::TcpStream {
    fn end_write(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

/// A socket, and the encryption on it if there is one.
#[derive(Debug)]
pub struct Transport<S> {
    socket: S,
    layer: Layer,
}

#[derive(Debug)]
enum Layer {
    /// The bytes that it has taken are held by the kernel. TLS can be begun if it is offered.
    Plain {
        offer: Option<Arc<ServerConfig>>,
    },
    Tls(Box<Tls>),
}

/// The outcome of reading once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Received {
    /// So many bytes are in the buffer, for which so many were read from the socket; either may be
    /// zero, not both.
    Some {
        /// The bytes in the buffer.
        plain: usize,
        /// The bytes from the socket.
        raw: usize,
    },
    /// The peer has closed its writing side.
    End,
}

impl<S> Transport<S> {
    /// Returns a plain transport over `socket`, on which TLS is offered or not.
    pub fn new(socket: S, offer: Option<Arc<ServerConfig>>) -> Self {
        Self { socket, layer: Layer::Plain { offer } }
    }

    /// Returns the socket.
    pub fn socket(&self) -> &S {
        &self.socket
    }

    /// Returns the socket, to be registered.
    pub fn socket_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// Returns true if the peer may begin TLS.
    pub fn offers_tls(&self) -> bool {
        matches!(self.layer, Layer::Plain { offer: Some(_) })
    }

    /// Returns true if TLS was begun, though it be half begun.
    pub fn is_tls(&self) -> bool {
        matches!(self.layer, Layer::Tls(_))
    }

    /// Returns true if TLS was begun and nothing can be said yet.
    pub fn is_handshaking(&self) -> bool {
        matches!(&self.layer, Layer::Tls(tls) if tls.is_handshaking())
    }

    /// Returns the channel binding, `tls-exporter` of RFC 9266; zeros without TLS.
    ///
    /// # Errors
    ///
    /// The handshake is not over.
    pub fn binding(&self) -> io::Result<[u8; BINDING_BYTES]> {
        match &self.layer {
            Layer::Plain { .. } => Ok([0; BINDING_BYTES]),
            Layer::Tls(tls) => tls.binding(),
        }
    }

    /// Returns how much it has taken and not passed on to the socket, in bytes. A peer that does not
    /// read owes for it as for the rest.
    pub fn buffered(&self) -> usize {
        match &self.layer {
            Layer::Plain { .. } => 0,
            Layer::Tls(tls) => tls.buffered(),
        }
    }

    /// Returns true if it has something to write of its own accord, though nothing is owed.
    pub fn wants_write(&self) -> bool {
        0 < self.buffered()
    }
}

impl<S: Socket> Transport<S> {
    /// Reads once.
    ///
    /// # Errors
    ///
    /// The socket's; `InvalidData` if the bytes are no TLS, of which the peer has been told.
    pub fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Received> {
        match &mut self.layer {
            Layer::Plain { .. } => Ok(match self.socket.read(buffer)? {
                0 => Received::End,
                size => Received::Some { plain: size, raw: size },
            }),
            Layer::Tls(tls) => tls.receive(&mut self.socket, buffer),
        }
    }

    /// Writes once; returns how much was taken, which is never nothing.
    ///
    /// # Errors
    ///
    /// The socket's.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.layer {
            Layer::Plain { .. } => match self.socket.write(bytes)? {
                0 => Err(io::ErrorKind::WriteZero.into()),
                size => Ok(size),
            },
            Layer::Tls(tls) => tls.write(&mut self.socket, bytes),
        }
    }

    /// Writes what it has [taken](Self::buffered).
    ///
    /// # Errors
    ///
    /// The socket's.
    pub fn flush(&mut self) -> io::Result<()> {
        match &mut self.layer {
            Layer::Plain { .. } => Ok(()),
            Layer::Tls(tls) => tls.flush(&mut self.socket),
        }
    }

    /// Begins TLS with the first bytes that the peer sent.
    ///
    /// # Errors
    ///
    /// `InvalidData` if they are no TLS, and the socket's.
    pub fn start_tls(&mut self, received: &[u8]) -> io::Result<()> {
        if let Layer::Plain { offer: Some(offer) } = &self.layer {
            let tls = Tls::accept(offer, &mut self.socket, received)?;
            self.layer = Layer::Tls(Box::new(tls));
        }
        Ok(())
    }

    /// Ends the stream towards the peer.
    ///
    /// # Errors
    ///
    /// The socket's; the connection is lost then.
    pub fn close_notify(&mut self) -> io::Result<()> {
        match &mut self.layer {
            Layer::Plain { .. } => self.socket.end_write(),
            Layer::Tls(tls) => tls.close_notify(&mut self.socket),
        }
    }
}

impl<S> From<S> for Transport<S> {
    fn from(socket: S) -> Self {
        Self::new(socket, None)
    }
}

#[cfg(test)]
mod tests;
