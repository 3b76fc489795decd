//! Bytes to and from a server, on the main context: no thread of ours, no runtime.
//!
//! GIO allows one operation per direction and stream, and dropping one half-way leaves the stream
//! busy. So a [`Line`] has one task that reads for as long as the line lives, and at most one that
//! writes what has gathered; neither is ever cancelled. What the bytes mean is the session's
//! business.

use std::{
    cell::{Cell, RefCell},
    future,
    rc::Rc,
    task::{Poll, Waker},
    time::{Duration, Instant},
};

use gtk::{gio, gio::prelude::*, glib};
use pychat_wire::tls::{self, Tls};
use thiserror::Error;

use super::step::{Service, Step};

/// The most bytes taken from the socket at once.
const READ_BYTES_MAX: usize = 64 * 1024;

/// The time that the handling of received bytes may take before there is a pause, and the longest
/// pause. What is due on the screen is drawn in it; where drawing takes all the time there is,
/// reading goes on.
const INCOMING_TIME: Duration = Duration::from_millis(10);
const PAUSE_TIME_MAX: Duration = Duration::from_millis(40);

/// The most bytes that may wait to be written while more is read. A server that asks and asks and
/// does not listen would make them grow for ever.
const WAITING_BYTES_MAX: usize = 1 << 20;

/// The time limit for finishing a line: writing the last bytes, and waiting for the server's own
/// end.
pub const FINISH_TIMEOUT: Duration = Duration::from_secs(1);

/// Socket options, as (level, name, value), that make the kernel notice a peer that is gone
/// without a word: ask after 30 s of silence, three times, and wait as long for an answer to what
/// was written. The last one sends short messages at once.
#[cfg(target_os = "linux")]
const SOCKET_OPTIONS: [(i32, i32, i32); 5] = [
    (6, 4, 30),      // IPPROTO_TCP, TCP_KEEPIDLE, in seconds
    (6, 5, 10),      // IPPROTO_TCP, TCP_KEEPINTVL, in seconds
    (6, 6, 3),       // IPPROTO_TCP, TCP_KEEPCNT
    (6, 18, 30_000), // IPPROTO_TCP, TCP_USER_TIMEOUT, in milliseconds
    (6, 1, 1),       // IPPROTO_TCP, TCP_NODELAY
];
#[cfg(not(target_os = "linux"))]
const SOCKET_OPTIONS: [(i32, i32, i32); 0] = [];

/// The reason why there is no line to a server.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The host's name could not be turned into an address.
    #[error("the host was not found: {0}")]
    HostNotFound(glib::Error),

    /// There is a machine at the address, and nothing that takes connections at the port.
    #[error("the connection was refused: {0}")]
    Refused(glib::Error),

    /// There is no way to the address from here.
    #[error("there is no route: {0}")]
    NoRoute(glib::Error),

    /// No connection was made, for another reason.
    #[error("no connection: {0}")]
    Unreachable(glib::Error),

    /// Nothing came of a step within its time.
    #[error("nothing happened within the time limit")]
    TimedOut(Step),

    /// The server is of another kind.
    #[error("not a chat server")]
    OtherService(Service),

    /// The connection was there, and broke before it could be used.
    #[error("the connection broke: {1}")]
    CutShort(Step, glib::Error),

    /// The connection was there and broke.
    #[error("the connection broke: {0}")]
    Broken(glib::Error),

    /// The server offers encryption, and it could not be begun, or was broken.
    #[error("no encryption: {0}")]
    Tls(tls::Error),

    /// The server does not offer encryption, though it did.
    #[error("encryption is offered no more")]
    NotEncrypted,

    /// The server has not the certificate that the link to it names.
    #[error("not the certificate of the link")]
    NotAsLinked,

    /// The server shows another certificate than the one that is known.
    #[error("another certificate: {pin}")]
    CertificateChanged {
        /// The pin of the certificate that it shows.
        pin: String,
    },
}

/// The input from a line.
#[derive(Debug)]
pub enum Incoming<'a> {
    /// Some bytes, cut anywhere.
    Bytes(&'a [u8]),
    /// The server has hung up, or the line broke. Nothing comes after this.
    End(Result<(), TransportError>),
}

/// A connection, encrypted or not.
#[derive(Clone, Debug)]
pub struct Stream {
    connection: gio::SocketConnection,
    /// The state of TLS, which the reader and the writer share.
    tls: Option<Rc<RefCell<Tls>>>,
}

impl Stream {
    /// Returns `connection` as it is.
    pub fn plain(connection: gio::SocketConnection) -> Self {
        Self { connection, tls: None }
    }

    /// Returns `connection`, over which `tls` is spoken.
    pub fn encrypted(connection: gio::SocketConnection, tls: Tls) -> Self {
        Self { connection, tls: Some(Rc::new(RefCell::new(tls))) }
    }

    /// Returns what `bytes` say, which were read.
    fn decrypt(&self, bytes: glib::Bytes) -> Result<glib::Bytes, TransportError> {
        let Some(tls) = &self.tls else { return Ok(bytes) };
        let mut plain = Vec::new();
        tls.borrow_mut().receive(&bytes, &mut plain).map_err(TransportError::Tls)?;
        Ok(glib::Bytes::from_owned(plain))
    }

    /// Returns what is to be written to say `plain`, and what TLS wants written besides.
    fn encrypt(&self, plain: Vec<u8>) -> Vec<u8> {
        let Some(tls) = &self.tls else { return plain };
        let mut tls = tls.borrow_mut();
        tls.say(&plain);
        tls.take_outgoing()
    }
}

/// Connects to a server within `limit`. Dropping the future gives the attempt up.
///
/// # Errors
///
/// [`TransportError`], of the steps up to [`Step::Connection`].
pub async fn connect(
    address: &gio::NetworkAddress,
    limit: Duration,
) -> Result<gio::SocketConnection, TransportError> {
    let client = gio::SocketClient::new();
    // A proxy resolver would bring a thread of its own, and a chat on the local network needs none.
    client.set_enable_proxy(false);
    let step = Rc::new(Cell::new(Step::LookUp));
    client.connect_event({
        let step = step.clone();
        move |_, event, _, _| {
            if event == gio::SocketClientEvent::Connecting {
                step.set(Step::Connection);
            }
        }
    });
    let connected = glib::future_with_timeout(limit, client.connect_future(address)).await;
    let connected = connected.map_err(|_| TransportError::TimedOut(step.get()))?;
    let connection = connected.map_err(connect_error)?;
    watch(&connection.socket());
    Ok(connection)
}

/// Returns why no connection was made.
fn connect_error(error: glib::Error) -> TransportError {
    if error.is::<gio::ResolverError>() {
        return TransportError::HostNotFound(error);
    }
    match error.kind::<gio::IOErrorEnum>() {
        Some(gio::IOErrorEnum::ConnectionRefused) => TransportError::Refused(error),
        Some(gio::IOErrorEnum::HostUnreachable | gio::IOErrorEnum::NetworkUnreachable) => {
            TransportError::NoRoute(error)
        }
        _ => TransportError::Unreachable(error),
    }
}

/// Makes the kernel notice a dead peer. An option that it does not know is not worth a failure.
fn watch(socket: &gio::Socket) {
    socket.set_keepalive(true);
    for (level, name, value) in SOCKET_OPTIONS {
        if let Err(error) = socket.set_option(level, name, value) {
            glib::g_debug!("pychat", "socket option {level}/{name}: {error}");
        }
    }
}

/// An open connection, read until its end. One that is dropped [finishes](Line::finish) by itself.
#[derive(Debug)]
pub struct Line {
    stream: Stream,
    outbox: Rc<Outbox>,
    /// The task that reads, until the line is finished.
    reader: Option<glib::JoinHandle<()>>,
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(finishing) = self.finishing() {
            glib::spawn_future_local(finishing);
        }
    }
}

impl Line {
    /// Starts reading; `on_incoming` is told everything, also while the line [finishes], and
    /// never from inside this call.
    ///
    /// [finishes]: Self::finish
    pub fn open(stream: Stream, on_incoming: impl FnMut(Incoming<'_>) + 'static) -> Self {
        let outbox = Rc::new(Outbox::new(stream.clone()));
        let reading = read(stream.clone(), outbox.clone(), on_incoming);
        let reader = Some(glib::spawn_future_local(reading));
        Self { stream, outbox, reader }
    }

    /// Queues `bytes` behind everything sent before.
    ///
    /// If they cannot be written the line ends, which the reader tells.
    pub fn send(&self, bytes: Vec<u8>) {
        self.outbox.push(bytes);
    }

    /// Ends the line in order: writes what is queued, says that no more will come, reads until
    /// the server has hung up too, and closes; all of it within [`FINISH_TIMEOUT`].
    ///
    /// Closing with unread bytes would make the kernel reset the connection, and the server might
    /// then lose the last words; hence the reading.
    pub async fn finish(mut self) {
        if let Some(finishing) = self.finishing() {
            finishing.await;
        }
    }

    /// Returns what finishes the line, the first time.
    fn finishing(&mut self) -> Option<impl Future<Output = ()> + 'static + use<>> {
        let reader = self.reader.take()?;
        let (stream, outbox) = (self.stream.clone(), self.outbox.clone());
        Some(async move {
            if let Some(tls) = &stream.tls {
                tls.borrow_mut().say_end();
                outbox.push(Vec::new());
            }
            let in_order = async {
                outbox.drained().await;
                if stream.connection.socket().shutdown(false, true).is_ok() {
                    // The task fails only by panicking, and then it has ended as well.
                    let _ = reader.await;
                }
            };
            // Late or not, the line is closed next; so is a line that was broken already.
            let _ = glib::future_with_timeout(FINISH_TIMEOUT, in_order).await;
            let _ = stream.connection.close_future(glib::Priority::DEFAULT).await;
        })
    }
}

async fn read(stream: Stream, outbox: Rc<Outbox>, mut on_incoming: impl FnMut(Incoming<'_>)) {
    let input = stream.connection.input_stream();
    let mut taken = Duration::ZERO;
    let end = loop {
        outbox.relieved().await;
        let bytes = match input.read_bytes_future(READ_BYTES_MAX, glib::Priority::DEFAULT).await {
            Ok(bytes) if bytes.is_empty() => break Ok(()),
            Ok(bytes) => bytes,
            Err(error) => break Err(TransportError::Broken(error)),
        };
        let begin = Instant::now();
        let plain = stream.decrypt(bytes);
        outbox.push(Vec::new()); // TLS may have to answer, if only by an alert.
        match plain {
            Ok(plain) if plain.is_empty() => (),
            Ok(plain) => on_incoming(Incoming::Bytes(&plain)),
            Err(error) => break Err(error),
        }
        taken += begin.elapsed();
        if INCOMING_TIME < taken {
            pause().await;
            taken = Duration::ZERO;
        }
    };
    on_incoming(Incoming::End(end));
}

/// Waits until nothing else is to be done that cannot wait.
async fn pause() {
    let idle = glib::timeout_future_with_priority(glib::Priority::DEFAULT_IDLE, Duration::ZERO);
    let _ = glib::future_with_timeout(PAUSE_TIME_MAX, idle).await; // Late or not, it goes on.
}

/// The bytes still to be written.
#[derive(Debug)]
struct Outbox {
    stream: Stream,
    queued: RefCell<Vec<u8>>,
    /// The number of bytes not written yet, queued or being written.
    n_waiting: Cell<usize>,
    /// True once nothing more can be written.
    has_failed: Cell<bool>,
    /// The reader, if it waits for some of them to be written.
    reader: RefCell<Option<Waker>>,
    is_writing: Cell<bool>,
    writer: RefCell<Option<glib::JoinHandle<()>>>,
}

impl Outbox {
    fn new(stream: Stream) -> Self {
        Self {
            stream,
            queued: RefCell::default(),
            n_waiting: Cell::default(),
            has_failed: Cell::default(),
            reader: RefCell::default(),
            is_writing: Cell::default(),
            writer: RefCell::default(),
        }
    }

    /// Queues `plain`, and what TLS wants written besides.
    fn push(self: &Rc<Self>, plain: Vec<u8>) {
        let bytes = self.stream.encrypt(plain);
        if bytes.is_empty() {
            return;
        }
        self.n_waiting.set(self.n_waiting.get() + bytes.len());
        self.queued.borrow_mut().extend(bytes);
        if !self.is_writing.replace(true) {
            self.writer.replace(Some(glib::spawn_future_local(self.clone().write())));
        }
    }

    /// Writes until nothing is queued. A failed write is not reported: the reader, on the same
    /// socket, hears of the same end.
    async fn write(self: Rc<Self>) {
        let output = self.stream.connection.output_stream();
        loop {
            let bytes = self.queued.take();
            if bytes.is_empty() {
                break;
            }
            let n_bytes = bytes.len();
            match output.write_all_future(bytes, glib::Priority::DEFAULT).await {
                Ok((_, _, None)) => self.n_waiting.set(self.n_waiting.get() - n_bytes),
                Ok((_, _, Some(_))) | Err(_) => self.has_failed.set(true),
            }
            if let Some(reader) = self.reader.take() {
                reader.wake();
            }
            if self.has_failed.get() {
                return; // Still "writing": no more is tried.
            }
        }
        self.is_writing.set(false);
    }

    /// Waits until little enough is waiting, or nothing can be written any more.
    async fn relieved(&self) {
        future::poll_fn(|context| {
            if self.n_waiting.get() <= WAITING_BYTES_MAX || self.has_failed.get() {
                return Poll::Ready(());
            }
            self.reader.replace(Some(context.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    /// Waits until everything queued is written, or cannot be.
    async fn drained(&self) {
        let writer = self.writer.take();
        if let Some(writer) = writer {
            let _ = writer.await; // It fails only by panicking, and then there is no more to wait for.
        }
    }
}
