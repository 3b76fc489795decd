//! TLS, where a server offers it: begun after its greeting, before anything is said to it.
//!
//! A server greets at once. If the greeting offers TLS, all of it is thrown away, and the server greets
//! anew inside. Its certificate is compared after every handshake with the one that is known; on a
//! first visit it is taken on trust.

use gtk::{gio, gio::prelude::*, glib};
use pychat_wire::{Decoder, ServerMessage};

use super::{
    transport::{Stream, TransportError},
    trust::{Known, Trust},
};

/// The name of what is spoken over TLS, as both sides give it in the handshake.
const ALPN: &str = "pychat";

/// The largest greeting, in bytes.
const GREETING_BYTES_MAX: usize = 64 << 10;

/// A connection over which hello can be said.
#[derive(Debug)]
pub struct Secured {
    /// The stream.
    pub stream: Stream,
    /// What was read of it already.
    pub bytes: Vec<u8>,
    /// How it is protected.
    pub encryption: Encryption,
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

/// Begins TLS on a new connection, if the server offers it.
///
/// # Errors
///
/// [`TransportError`]: the connection broke, the handshake failed, or the server is not the one that
/// is known.
pub async fn secure(
    connection: gio::SocketConnection,
    address: &gio::NetworkAddress,
    trust: &Trust,
) -> Result<Secured, TransportError> {
    let known = trust.known();
    let (bytes, offers_tls) = read_greeting(&connection).await?;
    if offers_tls {
        let (tls, found) = shake_hands(&connection, address).await?;
        let is_new = check(&found, known.as_ref(), trust)?;
        let encryption = Encryption::Tls { pin: found.pin, is_new };
        let stream = Stream::encrypted(connection, tls);
        return Ok(Secured { stream, bytes: Vec::new(), encryption });
    }
    if known.is_some() && !bytes.is_empty() {
        return Err(TransportError::NotEncrypted);
    }
    Ok(Secured { stream: Stream::plain(connection), bytes, encryption: Encryption::None })
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

/// Begins TLS; returns the certificate that was shown.
async fn shake_hands(
    connection: &gio::SocketConnection,
    address: &gio::NetworkAddress,
) -> Result<(gio::TlsConnection, Known), TransportError> {
    let tls = gio::TlsClientConnection::new(connection, Some(address))
        .map_err(TransportError::Handshake)?
        .upcast::<gio::TlsConnection>();
    tls.set_advertised_protocols([ALPN]);
    // Frames say how long they are: a stream that was cut short is not taken for one that ended.
    tls.set_require_close_notify(false);
    // Whose certificate it is, is looked at after the handshake.
    tls.connect_accept_certificate(|_, _, _| true);
    tls.handshake_future(glib::Priority::DEFAULT).await.map_err(TransportError::Handshake)?;
    if tls.protocol_version() != gio::TlsProtocolVersion::Tls13 {
        return Err(TransportError::NotEncrypted);
    }
    let certificate = tls.peer_certificate().and_then(|certificate| certificate.certificate());
    let pin = certificate.as_deref().map(pin).unwrap_or_default();
    let is_vouched = tls.peer_certificate_errors().is_empty();
    Ok((tls, Known { pin, is_vouched }))
}

/// Returns the SHA-256 of a certificate, in base64url without padding.
fn pin(der: &[u8]) -> String {
    let mut checksum = glib::Checksum::new(glib::ChecksumType::Sha256).expect("GLib has it");
    checksum.update(der);
    let base64 = glib::base64_encode(&checksum.digest());
    base64.trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// Compares the certificate that was found with the one that is known; returns true if there was none.
/// One that a public authority vouches for may take the place of another such.
fn check(found: &Known, known: Option<&Known>, trust: &Trust) -> Result<bool, TransportError> {
    match known {
        Some(known) if known.pin == found.pin => return Ok(false),
        Some(known) if !(known.is_vouched && found.is_vouched) => {
            return Err(TransportError::CertificateChanged { pin: found.pin.clone() });
        }
        _ => (),
    }
    if let Err(error) = trust.remember(found) {
        glib::g_warning!("pychat", "cannot remember a certificate: {error}");
    }
    Ok(known.is_none())
}
