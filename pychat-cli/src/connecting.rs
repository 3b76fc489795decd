//! From an address to a connection over which hello can be said: name, TCP, greeting, TLS, certificate.
//!
//! A server greets at once. If the greeting offers TLS, all of it is thrown away, and the server greets
//! anew inside. Its certificate is compared with what is expected before anything is said.

use std::{
    io::{self, ErrorKind},
    net::{SocketAddr, ToSocketAddrs},
    os::fd::BorrowedFd,
    time::{Duration, Instant},
};

use pychat_wire::{
    Client, Decoder, ServerMessage,
    client::Destination,
    key::BINDING_BYTES,
    link::{Address, Host},
    tls::Tls,
};

use crate::{
    address::shown,
    failure::Failure,
    line::Line,
    trust::{Trust, is_vouched},
};

/// The longest that each step may take, and the longest where there is another server to be tried.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);
const STEP_TIMEOUT_OF_MANY: Duration = Duration::from_secs(3);

/// The largest greeting, in bytes.
const GREETING_BYTES_MAX: usize = 64 << 10;

/// A connection over which hello can be said.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) line: Line,
    /// The bytes that were read of it already.
    pub(crate) bytes: Vec<u8>,
    /// The channel binding, if it is encrypted.
    pub(crate) binding: Option<[u8; BINDING_BYTES]>,
}

/// The time that there is, and what else ends the waiting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience<'a> {
    pub(crate) until: Option<Instant>,
    pub(crate) stop: Option<BorrowedFd<'a>>,
}

impl Patience<'_> {
    /// Returns the end of a step that begins now and may take so long.
    fn step(self, limit: Duration) -> Instant {
        let step = Instant::now() + limit;
        self.until.map_or(step, |until| until.min(step))
    }
}

/// Connects to one of the servers that `client` knows, in the order in which it wants them tried.
///
/// # Errors
///
/// [`Failure::Refused`] if an address that was given is not that of the server that is meant, else
/// [`Failure::Later`], for the last of them.
pub(crate) fn connect(
    client: &mut Client,
    trust: &Trust,
    patience: Patience<'_>,
) -> Result<Connected, Failure> {
    let mut failure = Failure::Later("no host".to_owned());
    let route = client.route();
    for (index, destination) in route.iter().enumerate() {
        let is_last = index + 1 == route.len();
        let limit = if is_last { STEP_TIMEOUT } else { STEP_TIMEOUT_OF_MANY };
        match (Attempt { destination, trust, patience, limit }).connect() {
            Ok(connected) => {
                client.reached(&destination.address);
                return Ok(connected);
            }
            Err(reason) => {
                client.missed(&destination.address);
                // Nobody is asked about a server that was only told of.
                if !destination.is_told && !matches!(failure, Failure::Refused(_)) {
                    failure = reason;
                }
            }
        }
    }
    Err(failure)
}

/// An attempt at one server.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    destination: &'a Destination,
    trust: &'a Trust,
    patience: Patience<'a>,
    limit: Duration,
}

impl Attempt<'_> {
    fn connect(self) -> Result<Connected, Failure> {
        let address = &self.destination.address;
        let name = shown(address);
        let addresses = addresses(address)
            .map_err(|error| Failure::Later(format!("{name}: there is no such host: {error}")))?;
        let mut failure = Failure::Later(format!("{name}: there is no such host"));
        for address in addresses {
            match self.connect_to(address, &name) {
                Ok(Ok(connected)) => return Ok(connected),
                Ok(Err(refused)) => return Err(refused),
                Err(error) => failure = Failure::Later(format!("{name}: {}", words(&error))),
            }
        }
        Err(failure)
    }

    /// Connects to one address of the server. Its refusal is final; an error may not be.
    fn connect_to(self, address: SocketAddr, name: &str) -> io::Result<Result<Connected, Failure>> {
        let Self { destination, trust, patience, limit } = self;
        let mut line = Line::connect(address, patience.step(limit), patience.stop)?;
        let (bytes, offers_tls) = read_greeting(&mut line, patience.step(limit), patience.stop)?;
        if !offers_tls {
            let checked = trust.check_plain(name, destination.is_told);
            return Ok(checked.map(|()| Connected { line, bytes, binding: None }));
        }
        line.begin_tls()?;
        let bytes = shake_hands(&mut line, patience.step(limit), patience.stop)?;
        let Some(tls) = line.tls() else { return Err(ErrorKind::InvalidData.into()) };
        let (Some(pin), Ok(binding)) = (tls.pin(), tls.binding()) else {
            return Err(ErrorKind::InvalidData.into());
        };
        let is_vouched = || is_vouched(tls.certificates(), &destination.address.host);
        let checked = trust.check(name, destination.is_told, pin, is_vouched);
        Ok(checked.map(|()| Connected { line, bytes, binding: Some(binding) }))
    }
}

/// Reads up to the end of the first payload. Returns what was read, and true if it offers TLS.
fn read_greeting(
    line: &mut Line,
    until: Instant,
    stop: Option<BorrowedFd<'_>>,
) -> io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    let mut decoder = Decoder::new(GREETING_BYTES_MAX);
    let stranger = || io::Error::new(ErrorKind::InvalidData, "it is no chat server");
    while bytes.len() < GREETING_BYTES_MAX {
        line.wait(until, stop)?;
        let read = line.read()?.ok_or(ErrorKind::UnexpectedEof)?;
        bytes.extend_from_slice(&read);
        match decoder.next_payload(&mut &*read) {
            Ok(None) => (),
            Ok(Some(greeting)) => {
                let greeting = ServerMessage::parse(greeting);
                let offers_tls = matches!(greeting, Ok(ServerMessage::Greeting { tls: true, .. }));
                return Ok((bytes, offers_tls));
            }
            Err(_) => return Err(stranger()),
        }
    }
    Err(stranger())
}

/// Ends the handshake; returns what was said after it already.
fn shake_hands(
    line: &mut Line,
    until: Instant,
    stop: Option<BorrowedFd<'_>>,
) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    line.write(&[])?;
    while line.tls().is_some_and(Tls::is_handshaking) {
        line.wait(until, stop)?;
        bytes.extend(line.read()?.ok_or(ErrorKind::UnexpectedEof)?);
        line.write(&[])?;
    }
    Ok(bytes)
}

fn addresses(Address { host, port }: &Address) -> io::Result<Vec<SocketAddr>> {
    match host {
        Host::Ip(address) => Ok(vec![SocketAddr::new(*address, *port)]),
        Host::Domain(domain) => Ok((domain.as_str(), *port).to_socket_addrs()?.collect()),
    }
}

/// Returns an error in words.
fn words(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
        ErrorKind::TimedOut => "no answer".to_owned(),
        ErrorKind::UnexpectedEof => "the server closed the connection".to_owned(),
        _ => error.to_string(),
    }
}
