//! TLS, where a server offers it: begun after its greeting, before anything is said to it.
//!
//! A server greets at once. If the greeting offers TLS, all of it is thrown away, and the server greets
//! anew inside. Its certificate is compared after every handshake with the one that is known; on a
//! first visit it is taken on trust.

use gtk::{gio, gio::prelude::*, glib};
use pychat_wire::{
    Decoder, ServerMessage,
    key::{BINDING_BYTES, Pin},
};

use super::{
    tls::Tls,
    transport::{Stream, TransportError},
    trust::{Known, Trust},
};

/// The largest greeting, in bytes.
const GREETING_BYTES_MAX: usize = 64 << 10;

/// The most that is read at once of a handshake, in bytes.
const READ_BYTES_MAX: usize = 16 << 10;

/// A connection over which hello can be said.
#[derive(Debug)]
pub struct Secured {
    /// The stream.
    pub stream: Stream,
    /// What was read of it already.
    pub bytes: Vec<u8>,
    /// How it is protected.
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

/// Begins TLS on a new connection, if the server offers it; the certificate must have the pin that is
/// `expected`, if one is.
///
/// # Errors
///
/// [`TransportError`]: the connection broke, the handshake failed, or the server is not the one that
/// is known.
pub async fn secure(
    connection: gio::SocketConnection,
    address: &gio::NetworkAddress,
    trust: &Trust,
    expected: Option<Pin>,
) -> Result<Secured, TransportError> {
    let known = trust.known();
    let (bytes, offers_tls) = read_greeting(&connection).await?;
    if offers_tls {
        let (tls, bytes) = shake_hands(&connection).await?;
        let (pin, is_new) = check(&tls, address, (known.as_ref(), expected), trust).await?;
        let binding = Some(tls.binding().map_err(TransportError::Tls)?);
        let stream = Stream::encrypted(connection, tls);
        let encryption = Encryption::Tls { pin, is_new };
        return Ok(Secured { stream, bytes, encryption, binding });
    }
    if !bytes.is_empty() {
        match (known, expected) {
            (Some(_), _) => return Err(TransportError::NotEncrypted),
            (None, Some(_)) => return Err(TransportError::NotAsLinked),
            (None, None) => (),
        }
    }
    let stream = Stream::plain(connection);
    Ok(Secured { stream, bytes, encryption: Encryption::None, binding: None })
}

/// Reads up to the end of the first payload, or of the stream, or of what any greeting has; returns true
/// with it if that offers TLS.
async fn read_greeting(
    connection: &gio::SocketConnection,
) -> Result<(Vec<u8>, bool), TransportError> {
    let input = connection.input_stream();
    let mut bytes = Vec::new();
    let mut decoder = Decoder::new(GREETING_BYTES_MAX);
    while bytes.len() < GREETING_BYTES_MAX {
        let read = input.read_bytes_future(GREETING_BYTES_MAX, glib::Priority::DEFAULT).await;
        let read = read.map_err(TransportError::Broken)?;
        bytes.extend_from_slice(&read);
        match decoder.next_payload(&mut &*read) {
            Ok(None) if !read.is_empty() => (),
            Ok(Some(greeting)) => {
                let greeting = ServerMessage::parse(greeting);
                let offers_tls = matches!(greeting, Ok(ServerMessage::Greeting { tls: true, .. }));
                return Ok((bytes, offers_tls));
            }
            Ok(None) | Err(_) => break,
        }
    }
    Ok((bytes, false))
}

/// Ends the handshake; returns what was said after it already.
async fn shake_hands(connection: &gio::SocketConnection) -> Result<(Tls, Vec<u8>), TransportError> {
    let (input, output) = (connection.input_stream(), connection.output_stream());
    let tls = Tls::begin().map_err(TransportError::Tls)?;
    let mut bytes = Vec::new();
    let mut outcome = Ok(());
    loop {
        let outgoing = tls.take_outgoing();
        let written = output.write_all_future(outgoing, glib::Priority::DEFAULT).await;
        outcome.map_err(TransportError::Tls)?; // The server has been told.
        if let Err((_, error)) | Ok((_, _, Some(error))) = written {
            return Err(TransportError::Broken(error));
        }
        if !tls.is_handshaking() {
            return Ok((tls, bytes));
        }
        let read = input.read_bytes_future(READ_BYTES_MAX, glib::Priority::DEFAULT).await;
        let read = read.map_err(TransportError::Broken)?;
        if read.is_empty() {
            let text = "the stream ended within the handshake";
            let error = glib::Error::new(gio::IOErrorEnum::Closed, text);
            return Err(TransportError::Broken(error));
        }
        outcome = tls.receive(&read, &mut bytes);
    }
}

/// Compares the certificate that the server showed with the one that is known and the pin that is
/// expected; returns its pin, and true if there was neither. One that a public authority vouches for
/// may take the place of another such.
async fn check(
    tls: &Tls,
    address: &gio::NetworkAddress,
    (known, expected): (Option<&Known>, Option<Pin>),
    trust: &Trust,
) -> Result<(String, bool), TransportError> {
    let certificates = tls.certificates();
    let pin = certificates.first().map(|it| Pin::of(it));
    let is_as_linked = expected.is_none() || pin == expected;
    let pin = pin.map(|pin| pin.to_string()).unwrap_or_default();
    if known.is_some_and(|known| known.pin == pin) {
        return if is_as_linked { Ok((pin, false)) } else { Err(TransportError::NotAsLinked) };
    }
    let pems = certificates.iter().map(|certificate| pem(certificate));
    let is_vouched = is_vouched(&pems.collect::<String>(), address).await;
    if known.is_some_and(|known| !(known.is_vouched && is_vouched)) {
        return Err(TransportError::CertificateChanged { pin });
    }
    if !is_as_linked {
        return Err(TransportError::NotAsLinked);
    }
    let found = Known { pin, is_vouched };
    if let Err(error) = trust.remember(&found) {
        glib::g_warning!("pychat", "cannot remember a certificate: {error}");
    }
    Ok((found.pin, known.is_none() && expected.is_none()))
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
