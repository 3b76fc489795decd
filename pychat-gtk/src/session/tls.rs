//! The client's side of TLS 1.3 on one connection, without I/O.
//!
//! Any certificate is taken whose key the server has: whose it is, is looked at after the handshake.

use std::{
    cell::RefCell,
    fmt,
    io::{Read, Write},
    net::Ipv4Addr,
    rc::Rc,
    sync::Arc,
};

use pychat_wire::key::BINDING_BYTES;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{WebPkiSupportedAlgorithms, ring, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    version,
};

/// The name of what is spoken over TLS, as both sides give it in the handshake.
const ALPN: &[u8] = b"pychat";

/// The label of the channel binding `tls-exporter` (RFC 9266, section 2).
const BINDING_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// The state of TLS on one connection, which its reader and its writer share.
#[derive(Clone)]
pub struct Tls(Rc<RefCell<ClientConnection>>);

impl Tls {
    /// Begins a handshake.
    ///
    /// # Errors
    ///
    /// There is no randomness to be had.
    pub fn begin() -> Result<Self, Error> {
        let provider = ring::default_provider();
        let verifier = Verifier(provider.signature_verification_algorithms);
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![ALPN.to_vec()];
        // A server has one certificate only: it is not told by which name it is known.
        let unnamed = ServerName::IpAddress(Ipv4Addr::UNSPECIFIED.into());
        let mut session = ClientConnection::new(Arc::new(config), unnamed)?;
        session.set_buffer_limit(None); // What waits is counted where it is written.
        Ok(Self(Rc::new(RefCell::new(session))))
    }

    /// Returns true until something can be said.
    pub fn is_handshaking(&self) -> bool {
        self.0.borrow().is_handshaking()
    }

    /// Takes in what was read; appends what that says to `plain`. There may be something to
    /// [write](Self::take_outgoing) then, if only an alert.
    ///
    /// # Errors
    ///
    /// It is no TLS, or was changed on the way.
    pub fn receive(&self, mut bytes: &[u8], plain: &mut Vec<u8>) -> Result<(), Error> {
        let mut session = self.0.borrow_mut();
        while !bytes.is_empty() {
            let taken = session.read_tls(&mut bytes);
            taken.map_err(|error| Error::General(error.to_string()))?;
            session.process_new_packets()?;
            // It ends with all that there is, which counts as an error unless no more will come.
            let _ = session.reader().read_to_end(plain);
        }
        Ok(())
    }

    /// Says `plain`; what it comes to is to be [written](Self::take_outgoing).
    pub fn say(&self, plain: &[u8]) {
        // There is no limit to what it takes.
        let _ = self.0.borrow_mut().writer().write_all(plain);
    }

    /// Says that nothing more will follow.
    pub fn say_end(&self) {
        self.0.borrow_mut().send_close_notify();
    }

    /// Returns what is to be written.
    pub fn take_outgoing(&self) -> Vec<u8> {
        let mut session = self.0.borrow_mut();
        let mut bytes = Vec::new();
        while session.wants_write() && session.write_tls(&mut bytes).is_ok() {}
        bytes
    }

    /// Returns the certificate that the server showed, and those between it and its authority.
    pub fn certificates(&self) -> Vec<CertificateDer<'static>> {
        self.0.borrow().peer_certificates().unwrap_or_default().to_vec()
    }

    /// Returns the channel binding, once the handshake is over.
    ///
    /// # Errors
    ///
    /// It is not.
    pub fn binding(&self) -> Result<[u8; BINDING_BYTES], Error> {
        self.0.borrow().export_keying_material([0; BINDING_BYTES], BINDING_LABEL, Some(&[]))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tls")
    }
}

/// Verifies that the server has the key of the certificate that it shows.
#[derive(Debug)]
struct Verifier(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 was not offered".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
