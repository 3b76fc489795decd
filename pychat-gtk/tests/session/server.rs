//! A stand-in for a server, of the original's protocol or of ours: it says what a test tells it to,
//! in pieces of any size.

#[path = "payloads.rs"]
pub(crate) mod payloads;

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use pychat_gtk::text::server_address::ServerAddress;
use pychat_wire::key::BINDING_BYTES;
use rustls::{ServerConfig, ServerConnection};
use serde_json::{Value, json};

pub(crate) use self::payloads::{GREETING, NONCE, SERVER, TIME_MS, frame};
use self::payloads::{extend, greeting, hall, is_aside, is_search_for_mentions};

/// The longest that the server waits for anything before the test has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server in a thread of its own.
pub(crate) struct Server {
    pub(crate) address: ServerAddress,
    thread: JoinHandle<()>,
}

impl Server {
    /// Starts a server that plays `script`.
    pub(crate) fn start(script: impl FnOnce(&Door) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("some port is free");
        listener.set_nonblocking(true).expect("a socket can be told not to block");
        let address = address_of(&listener);
        let thread = thread::spawn(move || script(&Door { listener, mark: Arc::default() }));
        Self { address, thread }
    }

    /// Returns true once the script has come to its end.
    pub(crate) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for the end of the script; a script that panicked fails the test.
    pub(crate) fn finish(self) {
        if let Err(panic) = self.thread.join() {
            std::panic::resume_unwind(panic);
        }
    }
}

/// Where the peers come in.
pub(crate) struct Door {
    listener: TcpListener,
    /// The epoch, and the number up to which the peers have said that they have seen the hall.
    mark: Arc<Mutex<Option<(String, u64)>>>,
}

impl Door {
    /// Waits for the next peer.
    pub(crate) fn accept(&self) -> Peer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => return Peer::new(stream, Arc::clone(&self.mark)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    assert!(Instant::now() < deadline, "nobody came");
                    thread::sleep(Duration::from_millis(1));
                }
                Err(error) => panic!("accept: {error}"),
            }
        }
    }
}

/// The server's end of one connection.
pub(crate) struct Peer {
    stream: Pieces,
    tls: Option<Box<ServerConnection>>,
    mark: Arc<Mutex<Option<(String, u64)>>>,
}

/// A socket.
struct Pieces {
    stream: TcpStream,
    /// The most bytes that are written at once.
    bytes: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(&bytes[..bytes.len().min(self.bytes)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Peer {
    fn new(stream: TcpStream, mark: Arc<Mutex<Option<(String, u64)>>>) -> Self {
        stream.set_nonblocking(false).expect("a socket can be told to block");
        stream.set_read_timeout(Some(PATIENCE)).expect("the timeout is not zero");
        stream.set_nodelay(true).expect("TCP sockets know this option");
        Self { stream: Pieces { stream, bytes: usize::MAX }, tls: None, mark }
    }

    /// Writes so many bytes at once from now on.
    pub(crate) fn in_pieces(&mut self, bytes: usize) {
        self.stream.bytes = bytes;
    }

    /// Takes what the client begins TLS with, and goes on with that; returns the channel binding.
    ///
    /// # Errors
    ///
    /// Those of the handshake.
    pub(crate) fn shake_hands(
        &mut self,
        config: &Arc<ServerConfig>,
    ) -> io::Result<[u8; BINDING_BYTES]> {
        let mut tls = ServerConnection::new(Arc::clone(config)).expect("a configuration");
        while tls.is_handshaking() {
            tls.complete_io(&mut self.stream)?;
        }
        let label = b"EXPORTER-Channel-Binding";
        let binding = tls.export_keying_material([0; BINDING_BYTES], label, None);
        self.tls = Some(Box::new(tls));
        Ok(binding.expect("the handshake is over"))
    }

    /// Says `content` as `author`, framed and escaped as Python's `json.dumps` does it.
    pub(crate) fn say(&mut self, author: &str, content: &str) {
        self.write(frame(author, content).as_bytes());
    }

    /// Writes bytes as they are, [so many](Self::in_pieces) at a time.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let written = match &mut self.tls {
            Some(tls) => rustls::Stream::new(&mut **tls, &mut self.stream).write_all(bytes),
            None => self.stream.write_all(bytes),
        };
        written.expect("the client reads");
    }

    /// Offers TLS in a greeting of protocol 2.
    pub(crate) fn offer_tls(&mut self) {
        let nonce = "0".repeat(32);
        self.send(&greeting("e1", &json!({ "nonce": nonce, "tls": true })));
    }

    /// Greets, takes a hello, and lets its sender in under any name. Returns the name.
    pub(crate) fn let_in(&mut self) -> String {
        self.say(SERVER, GREETING);
        let hello = self.read_payload();
        assert_eq!(hello["type"], "hello");
        let name = hello["username"].as_str().expect("a name is text").to_owned();
        self.say(SERVER, &format!("Добро пожаловать, {name}. Участников онлайн в чате: 0"));
        name
    }

    /// Greets as a server of protocol 2, whose log is called `epoch`, and returns the hello.
    pub(crate) fn greet(&mut self, epoch: &str) -> Value {
        self.greet_with(epoch, &json!({}))
    }

    /// Does the same with `more` members in the greeting.
    pub(crate) fn greet_with(&mut self, epoch: &str, more: &Value) -> Value {
        let mut members = json!({ "nonce": NONCE });
        extend(&mut members, more);
        self.send(&greeting(epoch, &members));
        let hello = self.read_payload();
        assert_eq!((&hello["type"], &hello["protocol"]), (&json!("hello"), &json!(2)));
        hello
    }

    /// Greets and lets in; `seq` is the last number of the hall. Returns the hello.
    pub(crate) fn let_in_2(&mut self, epoch: &str, seq: u64) -> Value {
        self.let_in_rooms(epoch, seq, &[])
    }

    /// Does the same with these rooms beside the hall.
    pub(crate) fn let_in_rooms(&mut self, epoch: &str, seq: u64, rooms: &[Value]) -> Value {
        let hello = self.greet(epoch);
        let read = match &mut *self.mark.lock().expect("nobody has panicked") {
            Some((known, read)) if known == epoch => *read,
            mark => {
                *mark = Some((epoch.to_owned(), seq)); // To a newcomer nothing is new.
                seq
            }
        };
        let rooms = [&[hall(seq, read)], rooms].concat();
        self.send(&json!({
            "type": "welcome", "username": hello["username"], "epoch": epoch, "time": TIME_MS,
            "members": [hello["username"]], "rooms": rooms,
        }));
        hello
    }

    /// Sends one message of the log, with `more` members.
    pub(crate) fn record(&mut self, seq: u64, author: &str, content: &str, more: &Value) {
        let mut payload = json!({
            "type": "message", "seq": seq, "time": TIME_MS + seq, "username": author,
            "content": content,
        });
        extend(&mut payload, more);
        self.send(&payload);
    }

    /// Says what a room is like.
    pub(crate) fn describe(&mut self, mut room: Value) {
        extend(&mut room, &json!({"type": "room"}));
        self.send(&room);
    }

    /// Sends one event of a room, with `more` members.
    pub(crate) fn event(&mut self, room: &str, seq: u64, by: &str, event: &str, more: &Value) {
        let mut payload = json!({
            "type": "event", "room": room, "seq": seq, "time": TIME_MS + seq, "username": by,
            "event": event,
        });
        extend(&mut payload, more);
        self.send(&payload);
    }

    /// Takes a request for history and answers with these numbers; returns before what it was.
    pub(crate) fn page(&mut self, seqs: std::ops::Range<u64>) -> u64 {
        let request = self.read_payload();
        assert_eq!(request["type"], "history", "{request}");
        let room = request["room"].as_str().unwrap_or_default();
        for seq in seqs.clone() {
            let more = json!({"replay": true, "room": room});
            self.record(seq, "Борис", &format!("number {seq}"), &more);
        }
        let (before, count) = (&request["before"], seqs.clone().count());
        let start = seqs.start <= 1;
        self.send(&json!({
            "type": "page", "room": room, "before": before, "count": count, "start": start,
        }));
        before.as_u64().expect("a number")
    }

    /// Waits for one `text` of protocol 2 and returns its content and id.
    pub(crate) fn hear_2(&mut self) -> (String, String) {
        let payload = self.read_payload();
        assert_eq!(payload["type"], "text", "{payload}");
        let text = |key: &str| payload[key].as_str().expect("text").to_owned();
        (text("content"), text("id"))
    }

    /// Sends one payload.
    pub(crate) fn send(&mut self, payload: &Value) {
        let payload = payload.to_string();
        self.write(format!("{}:{payload}", payload.len()).as_bytes());
    }

    /// Waits for one `text` and returns it.
    pub(crate) fn hear(&mut self) -> String {
        let payload = self.read_payload();
        assert_eq!(payload["type"], "text");
        payload["content"].as_str().expect("what is said is text").to_owned()
    }

    /// Waits for one payload, but for those that say what was seen, and for the search for missed
    /// mentions, which finds nothing.
    pub(crate) fn read_payload(&mut self) -> Value {
        loop {
            let payload = self.read_any_payload();
            if payload["type"] == "read" {
                self.note_mark(&payload);
            } else if is_search_for_mentions(&payload) {
                self.send(&json!({"type": "found_end", "ref": payload["ref"]}));
            } else {
                return payload;
            }
        }
    }

    /// Waits until everything up to number `seq` was seen of the room `id`.
    pub(crate) fn hear_read(&mut self, id: &str, seq: u64) {
        loop {
            let payload = self.read_any_payload();
            assert_eq!(payload["type"], "read", "{payload}");
            self.note_mark(&payload);
            if payload["room"].as_str().unwrap_or_default() == id && payload["seq"] == seq {
                break;
            }
        }
    }

    fn note_mark(&self, payload: &Value) {
        if payload["room"].is_null()
            && let Some((_, read)) = &mut *self.mark.lock().expect("nobody has panicked")
        {
            *read = payload["seq"].as_u64().expect("a number").max(*read);
        }
    }

    /// Waits for one payload.
    pub(crate) fn read_any_payload(&mut self) -> Value {
        let mut size = 0;
        loop {
            match self.read_byte() {
                digit @ b'0'..=b'9' => size = size * 10 + usize::from(digit - b'0'),
                b':' => break,
                byte => panic!("{:?} in a length", char::from(byte)),
            }
        }
        let mut payload = vec![0; size];
        self.read_exact(&mut payload).expect("the payload is as long as announced");
        serde_json::from_slice(&payload).expect("the payload is JSON")
    }

    /// Waits until the client hangs up, which it must do in order and without another word.
    pub(crate) fn expect_end(mut self) {
        let mut rest = Vec::new();
        match &mut self.tls {
            Some(tls) => rustls::Stream::new(&mut **tls, &mut self.stream).read_to_end(&mut rest),
            None => self.stream.read_to_end(&mut rest),
        }
        .expect("the connection ends in order");
        let rest = String::from_utf8(rest).expect("payloads are text");
        let words = rest.split_inclusive('}').filter(|word| !is_aside(word));
        assert_eq!(words.collect::<String>(), "");
    }

    /// Makes the client's next read or write fail instead of ending in order.
    pub(crate) fn reset(self) {
        // A socket that is closed with something unread in it sends a reset.
        let mut byte = [0];
        assert_eq!(self.stream.stream.peek(&mut byte).expect("the client has said something"), 1);
    }

    fn read_byte(&mut self) -> u8 {
        let mut byte = [0];
        match self.read_exact(&mut byte) {
            Ok(()) => byte[0],
            Err(error) => panic!("instead of a payload: {error}"),
        }
    }

    /// Reads exactly so many bytes.
    ///
    /// # Errors
    ///
    /// Those of the socket, or the end of the stream.
    pub(crate) fn read_exact(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => rustls::Stream::new(&mut **tls, &mut self.stream).read_exact(buffer),
            None => self.stream.read_exact(buffer),
        }
    }
}

/// An address where connections are neither taken nor refused, for as long as this is kept.
pub(crate) struct DeadEnd {
    pub(crate) address: ServerAddress,
    _listener: TcpListener,
    _queue: Vec<TcpStream>,
}

impl DeadEnd {
    /// Fills the queue of a listener that never accepts; then the kernel leaves calls unanswered.
    pub(crate) fn new() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let target = listener.local_addr()?;
        let mut queue = Vec::new();
        loop {
            match TcpStream::connect_timeout(&target, Duration::from_millis(200)) {
                Ok(stream) => queue.push(stream),
                Err(error) if error.kind() == ErrorKind::TimedOut => break,
                Err(error) => return Err(error),
            }
        }
        Ok(Self { address: address_of(&listener), _listener: listener, _queue: queue })
    }
}

/// Returns an address at which nobody listens.
pub(crate) fn refusing_address() -> ServerAddress {
    let listener = TcpListener::bind("127.0.0.1:0").expect("some port is free");
    address_of(&listener)
}

fn address_of(listener: &TcpListener) -> ServerAddress {
    let address = listener.local_addr().expect("a bound socket has an address");
    address.to_string().parse().expect("it is an address to us too")
}
