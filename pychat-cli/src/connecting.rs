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
    Decoder, Link, ServerMessage,
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

/// The longest that each step may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

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
    /// Returns the end of a step that begins now.
    fn step(self) -> Instant {
        let step = Instant::now() + STEP_TIMEOUT;
        self.until.map_or(step, |until| until.min(step))
    }
}

/// Connects to the first address of `server` that can be reached.
///
/// # Errors
///
/// [`Failure::Refused`] if a host is not the server that is meant, else [`Failure::Later`], for the last
/// address.
pub(crate) fn connect(
    server: &Link,
    trust: &Trust,
    patience: Patience<'_>,
) -> Result<Connected, Failure> {
    let mut failure = Failure::Later("no host".to_owned());
    for address in &server.addresses {
        let (host, name) = (&address.host, shown(address));
        let later = |error: io::Error| Failure::Later(format!("{name}: {}", words(&error)));
        let addresses = match addresses(address) {
            Ok(addresses) => addresses,
            Err(error) => {
                failure = Failure::Later(format!("{name}: there is no such host: {error}"));
                continue;
            }
        };
        for address in addresses {
            match connect_to(address, (host, &name), trust, patience) {
                Ok(Ok(connected)) => return Ok(connected),
                Ok(Err(refused)) => return Err(refused),
                Err(error) => failure = later(error),
            }
        }
    }
    Err(failure)
}

/// Connects to one address of a server. Its refusal is final; an error may not be.
fn connect_to(
    address: SocketAddr,
    (host, name): (&Host, &str),
    trust: &Trust,
    patience: Patience<'_>,
) -> io::Result<Result<Connected, Failure>> {
    let mut line = Line::connect(address, patience.step(), patience.stop)?;
    let (bytes, offers_tls) = read_greeting(&mut line, patience)?;
    if !offers_tls {
        let checked = trust.check_plain(name);
        return Ok(checked.map(|()| Connected { line, bytes, binding: None }));
    }
    line.begin_tls()?;
    let bytes = shake_hands(&mut line, patience)?;
    let Some(tls) = line.tls() else { return Err(ErrorKind::InvalidData.into()) };
    let (Some(pin), Ok(binding)) = (tls.pin(), tls.binding()) else {
        return Err(ErrorKind::InvalidData.into());
    };
    let checked = trust.check(name, pin, || is_vouched(tls.certificates(), host));
    Ok(checked.map(|()| Connected { line, bytes, binding: Some(binding) }))
}

/// Reads up to the end of the first payload. Returns what was read, and true if it offers TLS.
fn read_greeting(line: &mut Line, patience: Patience<'_>) -> io::Result<(Vec<u8>, bool)> {
    let until = patience.step();
    let mut bytes = Vec::new();
    let mut decoder = Decoder::new(GREETING_BYTES_MAX);
    let stranger = || io::Error::new(ErrorKind::InvalidData, "it is no chat server");
    while bytes.len() < GREETING_BYTES_MAX {
        line.wait(until, patience.stop)?;
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
fn shake_hands(line: &mut Line, patience: Patience<'_>) -> io::Result<Vec<u8>> {
    let until = patience.step();
    let mut bytes = Vec::new();
    line.write(&[])?;
    while line.tls().is_some_and(Tls::is_handshaking) {
        line.wait(until, patience.stop)?;
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
