//! Somebody who talks to the server, with nothing of the project's own wire code in between.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde::Deserialize;
use serde_json::json;
use socket2::SockRef;

use super::{GREETING, Handshake, PATIENCE, joined, stream::Stream, welcome};

/// A client's end of a connection. All reading waits, up to [`PATIENCE`].
#[derive(Debug)]
pub(crate) struct Peer {
    stream: BufReader<Stream>,
}

/// A payload that a server sends. Members that it may have besides are ignored.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Payload {
    Message(Message),
}

/// A message that a client hears.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq)]
pub(crate) struct Message {
    #[serde(rename = "username")]
    pub(crate) author: String,
    pub(crate) content: String,
}

impl Message {
    /// Returns what `author` says.
    pub(crate) fn new(author: &str, content: &str) -> Self {
        Self { author: author.to_owned(), content: content.to_owned() }
    }

    /// Returns what the server says.
    pub(crate) fn notice(content: &str) -> Self {
        Self::new("Сервер Чата", content)
    }
}

impl Peer {
    /// Connects, and hears nothing yet.
    #[track_caller]
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).unwrap())
    }

    /// Makes a peer of a connected socket.
    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap(); // Every write is a segment of its own.
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream: BufReader::new(Stream::Plain(stream)) }
    }

    /// Connects, begins TLS and hears the greeting, again; returns the pin of the server too.
    #[track_caller]
    pub(crate) fn secure_guest(address: SocketAddr) -> (Self, String) {
        let mut peer = Self::guest(address);
        let pin = peer.shake_hands(&Handshake::default()).unwrap();
        peer.is_told(GREETING);
        (peer, pin)
    }

    /// Goes on over TLS; returns the pin of the server's certificate.
    ///
    /// # Errors
    ///
    /// Those of the handshake.
    pub(crate) fn shake_hands(&mut self, handshake: &Handshake) -> io::Result<String> {
        assert!(self.stream.buffer().is_empty(), "nothing follows the greeting");
        let socket = self.stream.get_ref().socket().try_clone()?;
        let (stream, pin) = Stream::shake_hands(socket, handshake)?;
        self.stream = BufReader::new(stream);
        Ok(pin)
    }

    /// Returns the channel binding; zeros without TLS.
    pub(crate) fn binding(&self) -> [u8; 32] {
        self.stream.get_ref().binding()
    }

    /// Connects and hears the greeting.
    #[track_caller]
    pub(crate) fn guest(address: SocketAddr) -> Self {
        let mut peer = Self::connect(address);
        peer.is_told(GREETING);
        peer
    }

    /// Connects and joins a room where there are `names` already.
    #[track_caller]
    pub(crate) fn join(address: SocketAddr, name: &str, names: &[&str]) -> Self {
        let mut peer = Self::guest(address);
        peer.send(hello(name));
        peer.is_told(&welcome(name, names));
        peer
    }

    /// Fills an empty room with `names`, in this order; everybody has heard of everybody then.
    #[track_caller]
    pub(crate) fn room<const N: usize>(address: SocketAddr, names: [&str; N]) -> [Self; N] {
        let mut peers: Vec<Self> = Vec::new();
        for (count, name) in names.iter().enumerate() {
            let newcomer = Self::join(address, name, &names[..count]);
            for peer in &mut peers {
                peer.is_told(&joined(name));
            }
            peers.push(newcomer);
        }
        peers.try_into().expect("one peer a name")
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// Sends a text.
    #[track_caller]
    pub(crate) fn say(&mut self, content: &str) {
        self.send(text(content));
    }

    /// Closes the writing side.
    #[track_caller]
    pub(crate) fn shut(&mut self) {
        self.stream.get_mut().end_write().unwrap();
    }

    /// Breaks the line: the server's end is reset.
    pub(crate) fn reset(self) {
        SockRef::from(self.stream.get_ref().socket()).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Returns this end's own address, which is what the server's log knows it by.
    pub(crate) fn address(&self) -> SocketAddr {
        self.stream.get_ref().socket().local_addr().unwrap()
    }

    /// Reads the next payload; `None` at the end of the stream.
    #[track_caller]
    pub(crate) fn payload(&mut self) -> Option<String> {
        let mut length = Vec::new();
        self.stream.by_ref().take(8).read_until(b':', &mut length).expect("a frame or the end");
        if length.is_empty() {
            return None;
        }
        let length = String::from_utf8(length).unwrap();
        let digits = length.strip_suffix(':').expect("a length ends in a colon");
        let mut payload = vec![0; digits.parse().unwrap()];
        assert_eq!(payload.len().to_string(), digits, "a length has no leading zeros");
        self.stream.read_exact(&mut payload).expect("a frame comes whole");
        Some(String::from_utf8(payload).unwrap())
    }

    /// Reads the next message.
    #[track_caller]
    pub(crate) fn message(&mut self) -> Message {
        let payload = self.payload().expect("the stream ended");
        let Payload::Message(message) = serde_json::from_str(&payload).unwrap();
        message
    }

    /// The next thing that this peer hears is `content`, said by `author`.
    #[track_caller]
    pub(crate) fn hears(&mut self, author: &str, content: &str) {
        assert_eq!(self.message(), Message::new(author, content));
    }

    /// The next thing that this peer hears is `content`, said by the server.
    #[track_caller]
    pub(crate) fn is_told(&mut self, content: &str) {
        assert_eq!(self.message(), Message::notice(content));
    }

    /// The stream ends here, in order: no reset.
    #[track_caller]
    pub(crate) fn hears_the_end(&mut self) {
        assert_eq!(self.payload(), None);
    }

    /// The next bytes are exactly `expected`.
    #[track_caller]
    pub(crate) fn receives(&mut self, expected: &str) {
        assert_eq!(self.takes(expected.len()), expected);
    }

    /// Returns the next `size` bytes.
    #[track_caller]
    pub(crate) fn takes(&mut self, size: usize) -> String {
        let mut bytes = vec![0; size];
        self.stream.read_exact(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Returns the frame of a payload.
pub(crate) fn frame(payload: &str) -> String {
    format!("{}:{payload}", payload.len())
}

/// Returns the frame of a hello.
pub(crate) fn hello(username: &str) -> String {
    frame(&json!({ "type": "hello", "username": username }).to_string())
}

/// Returns the frame of a text.
pub(crate) fn text(content: &str) -> String {
    frame(&json!({ "type": "text", "content": content }).to_string())
}
