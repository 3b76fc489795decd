//! TLS, where a server offers it: begun after its greeting, before anything is said to it.
//!
//! A server greets at once. If the greeting offers TLS, all of it is thrown away, and the server greets
//! anew inside. Its certificate is compared after every handshake with the one that is known; on a
//! first visit it is taken on trust.

use std::time::Duration;

use gtk::{gio, gio::prelude::*, glib};
use pychat_wire::{Decoder, ServerMessage, key::BINDING_BYTES, tls::Tls};

use super::{
    step::{Service, Step},
    transport::{self, Stream, TransportError},
    trust::{Expected, Known},
};

/// The largest greeting, in bytes.
const GREETING_BYTES_MAX: usize = 64 << 10;

/// The most that is read at once of a handshake, in bytes.
const READ_BYTES_MAX: usize = 16 << 10;

/// The request to a server that says nothing, to find out if it is a web server, and the longest
/// that this may take: web servers wait to be asked.
const WEB_REQUEST: &[u8] = b"GET / HTTP/1.0\r\n\r\n";
const WEB_ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// A connection over which hello can be said.
#[derive(Debug)]
pub struct Secured {
    /// The stream.
    pub stream: Stream,
    /// The bytes that were read of it already.
    pub bytes: Vec<u8>,
    /// The newest protocol that the server speaks; 0 if it does not say.
    pub protocol: u64,
    /// The way in which it is protected.
    pub encryption: Encryption,
    /// The channel binding, if it is.
    pub binding: Option<[u8; BINDING_BYTES]>,
}

/// The protection of a connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Encryption {
    /// There is none: the server does not offer it.
    None,
    /// TLS.
    Tls {
        /// The pin of the server's certificate.
        pin: String,
        /// It was not known before this connection.
        is_new: bool,
    },
}

/// The information that a server gives of itself before anything is said to it.
struct Greeting {
    /// All that was read.
    bytes: Vec<u8>,
    /// The newest protocol that the server speaks; 0 if it does not say.
    protocol: u64,
    offers_tls: bool,
}

/// Connects to `address`, and begins TLS there, if the server offers it. Each step may take as long as
/// `limit`; `on_connected` is called between the first two. Where another server told of the address
/// (`is_told`), nothing is said but over TLS, and to a certificate by which the chat is known.
///
/// # Errors
///
/// [`TransportError`], of the steps up to [`Step::Certificate`].
pub async fn connect(
    address: &gio::NetworkAddress,
    expected: &Expected,
    is_told: bool,
    limit: Duration,
    on_connected: impl FnOnce(),
) -> Result<Secured, TransportError> {
    let connection = transport::connect(address, limit).await?;
    on_connected();
    let greeting = glib::future_with_timeout(limit, read_greeting(&connection)).await;
    let Ok(greeting) = greeting else {
        drop(connection);
        if is_told {
            return Err(TransportError::TimedOut(Step::Greeting));
        }
        return Err(match service_at(address).await {
            Service::Unknown => TransportError::TimedOut(Step::Greeting),
            service => TransportError::OtherService(service),
        });
    };
    let Greeting { bytes, protocol, offers_tls } = greeting?;
    if !offers_tls {
        if is_told || expected.trust.known().is_some() {
            return Err(TransportError::NotEncrypted);
        }
        if expected.pin.is_some() {
            return Err(TransportError::NotAsLinked);
        }
        let (stream, encryption) = (Stream::plain(connection), Encryption::None);
        return Ok(Secured { stream, bytes, protocol, encryption, binding: None });
    }
    let hands = glib::future_with_timeout(limit, shake_hands(&connection)).await;
    let (tls, bytes) = hands.map_err(|_| TransportError::TimedOut(Step::Encryption))??;
    let (pin, is_new) = check(&tls, address, expected, is_told).await?;
    let binding = Some(tls.binding().map_err(TransportError::Tls)?);
    let stream = Stream::encrypted(connection, tls);
    let encryption = Encryption::Tls { pin, is_new };
    Ok(Secured { stream, bytes, protocol, encryption, binding })
}

/// Asks a server that says nothing what it is, over another connection: nothing else can be done with
/// one on which somebody still reads.
async fn service_at(address: &gio::NetworkAddress) -> Service {
    let answer = async {
        let connection = transport::connect(address, WEB_ANSWER_TIMEOUT).await.ok()?;
        let output = connection.output_stream();
        output.write_all_future(WEB_REQUEST, glib::Priority::DEFAULT).await.ok()?;
        let input = connection.input_stream();
        input.read_bytes_future(READ_BYTES_MAX, glib::Priority::DEFAULT).await.ok()
    };
    let answer = glib::future_with_timeout(WEB_ANSWER_TIMEOUT, answer).await;
    answer.ok().flatten().map_or(Service::Unknown, |answer| Service::of(&answer))
}

/// Reads up to the end of the first payload, or of the stream, or of what any greeting has.
async fn read_greeting(connection: &gio::SocketConnection) -> Result<Greeting, TransportError> {
    let input = connection.input_stream();
    let mut bytes = Vec::new();
    let mut decoder = Decoder::new(GREETING_BYTES_MAX);
    while bytes.len() < GREETING_BYTES_MAX {
        let read = input.read_bytes_future(GREETING_BYTES_MAX, glib::Priority::DEFAULT).await;
        let read = read.map_err(|error| TransportError::CutShort(Step::Greeting, error))?;
        if read.is_empty() {
            return Err(TransportError::CutShort(Step::Greeting, closed()));
        }
        bytes.extend_from_slice(&read);
        match decoder.next_payload(&mut &*read) {
            Ok(None) => (),
            Ok(Some(greeting)) => {
                let (protocol, offers_tls) = match ServerMessage::parse(greeting) {
                    Ok(ServerMessage::Greeting { protocol, tls, .. }) => (protocol, tls),
                    _ => (0, false),
                };
                return Ok(Greeting { bytes, protocol, offers_tls });
            }
            Err(_) => return Err(TransportError::OtherService(Service::of(&bytes))),
        }
    }
    Err(TransportError::OtherService(Service::of(&bytes)))
}

/// Returns the error of a stream that has ended.
fn closed() -> glib::Error {
    glib::Error::new(gio::IOErrorEnum::Closed, "the server closed the connection")
}

/// Ends the handshake; returns what was said after it already.
async fn shake_hands(connection: &gio::SocketConnection) -> Result<(Tls, Vec<u8>), TransportError> {
    let (input, output) = (connection.input_stream(), connection.output_stream());
    let mut tls = Tls::begin().map_err(TransportError::Tls)?;
    let mut bytes = Vec::new();
    let mut outcome = Ok(());
    loop {
        let outgoing = tls.take_outgoing();
        let written = output.write_all_future(outgoing, glib::Priority::DEFAULT).await;
        outcome.map_err(TransportError::Tls)?; // The server has been told.
        if let Err((_, error)) | Ok((_, _, Some(error))) = written {
            return Err(TransportError::CutShort(Step::Encryption, error));
        }
        if !tls.is_handshaking() {
            return Ok((tls, bytes));
        }
        let read = input.read_bytes_future(READ_BYTES_MAX, glib::Priority::DEFAULT).await;
        let read = read.map_err(|error| TransportError::CutShort(Step::Encryption, error))?;
        if read.is_empty() {
            return Err(TransportError::CutShort(Step::Encryption, closed()));
        }
        outcome = tls.receive(&read, &mut bytes);
    }
}

/// Compares the certificate that the server showed with the one that is known, then with the pin that is
/// expected; returns its pin, and true if it was not known. One that a public authority vouches for may
/// take the place of another such.
async fn check(
    tls: &Tls,
    address: &gio::NetworkAddress,
    expected: &Expected,
    is_told: bool,
) -> Result<(String, bool), TransportError> {
    let pin = tls.pin();
    // Asked after the handshake: another connection may have been first.
    let known = expected.trust.known();
    if is_told && known.is_none() && expected.pin.is_none() {
        return Err(TransportError::NotAsLinked); // It is never met for the first time.
    }
    let is_as_linked = expected.pin.is_none() || pin == expected.pin;
    let pin = pin.map(|pin| pin.to_string()).unwrap_or_default();
    if known.as_ref().is_some_and(|known| known.pin == pin) {
        return if is_as_linked { Ok((pin, false)) } else { Err(TransportError::NotAsLinked) };
    }
    let pems = tls.certificates().iter().map(|certificate| pem(certificate));
    let is_vouched = is_vouched(&pems.collect::<String>(), address).await;
    if known.as_ref().is_some_and(|known| !(known.is_vouched && is_vouched)) {
        return Err(TransportError::CertificateChanged { pin });
    }
    if !is_as_linked {
        return Err(TransportError::NotAsLinked);
    }
    let found = Known { pin, is_vouched };
    if let Err(error) = expected.trust.remember(&found) {
        glib::g_warning!("pychat", "cannot remember a certificate: {error}");
    }
    Ok((found.pin, known.is_none() && (expected.is_found || expected.pin.is_none())))
}

/// Returns a certificate as PEM.
fn pem(der: &[u8]) -> String {
    let base64 = glib::base64_encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
}

/// Returns true if an authority that this machine trusts vouches for the first of these certificates,
/// for this address.
async fn is_vouched(pems: &str, address: &gio::NetworkAddress) -> bool {
    let Ok(chain) = gio::TlsCertificate::from_pem(pems) else { return false };
    let errors = gio::TlsBackend::default().default_database().verify_chain_future(
        &chain,
        gio::TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER,
        Some(address),
        None::<&gio::TlsInteraction>,
        gio::TlsDatabaseVerifyFlags::NONE,
    );
    errors.await.is_ok_and(|errors| errors.is_empty())
}
