//! The client's side of TLS 1.3 on one connection, without I/O: what the library reads and writes is memory.
//!
//! A handshake proves that the server has the key of the certificate that it shows. Whose certificate
//! that is, is looked at after the handshake, before anything is said: it is the one that is known, by its
//! [`Pin`], or [`Authorities`] vouch for it.

use std::{
    fmt,
    io::{Read, Write},
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{WebPkiSupportedAlgorithms, ring, verify_tls13_signature},
    pki_types::{IpAddr, Ipv4Addr, ServerName, UnixTime},
    version,
};
pub use rustls::{Error, pki_types::CertificateDer};

use crate::key::{ALPN, BINDING_BYTES, BINDING_LABEL, Pin};

/// The state of TLS on one connection.
pub struct Tls(ClientConnection);

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
        let unnamed = ServerName::IpAddress(IpAddr::V4(Ipv4Addr::from([0; 4])));
        let mut session = ClientConnection::new(Arc::new(config), unnamed)?;
        session.set_buffer_limit(None); // What waits is counted where it is written.
        Ok(Self(session))
    }

    /// Returns true until something can be said.
    pub fn is_handshaking(&self) -> bool {
        self.0.is_handshaking()
    }

    /// Takes in what was read; appends what that says to `plain`. There may be something to
    /// [write](Self::take_outgoing) then, if only an alert.
    ///
    /// # Errors
    ///
    /// It is no TLS, or was changed on the way.
    pub fn receive(&mut self, mut bytes: &[u8], plain: &mut Vec<u8>) -> Result<(), Error> {
        while !bytes.is_empty() {
            let taken = self.0.read_tls(&mut bytes);
            taken.map_err(|error| Error::General(error.to_string()))?;
            self.0.process_new_packets()?;
            // It ends with all that there is, which counts as an error unless no more will come.
            let _ = self.0.reader().read_to_end(plain);
        }
        Ok(())
    }

    /// Says `plain`; what it comes to is to be [written](Self::take_outgoing).
    pub fn say(&mut self, plain: &[u8]) {
        // There is no limit to what it takes.
        let _ = self.0.writer().write_all(plain);
    }

    /// Says that nothing more will follow.
    pub fn say_end(&mut self) {
        self.0.send_close_notify();
    }

    /// Returns what is to be written.
    pub fn take_outgoing(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.0.wants_write() && self.0.write_tls(&mut bytes).is_ok() {}
        bytes
    }

    /// Returns the certificate that the server showed, and those between it and its authority; none before
    /// the handshake is over.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        self.0.peer_certificates().unwrap_or_default()
    }

    /// Returns the pin of the certificate that the server showed, once the handshake is over.
    pub fn pin(&self) -> Option<Pin> {
        self.certificates().first().map(|it| Pin::of(it))
    }

    /// Returns the channel binding, once the handshake is over.
    ///
    /// # Errors
    ///
    /// It is not.
    pub fn binding(&self) -> Result<[u8; BINDING_BYTES], Error> {
        self.0.export_keying_material([0; BINDING_BYTES], BINDING_LABEL, Some(&[]))
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

/// The public authorities that a machine trusts.
#[derive(Debug)]
pub struct Authorities(RootCertStore);

impl Authorities {
    /// Returns those that have these certificates, as far as they can be read.
    pub fn new(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates);
        Self(roots)
    }

    /// Returns true if one of them vouches for the first of these certificates, the others being between,
    /// for a server of this name or address, at so many seconds since 1970.
    pub fn vouch_for(
        self,
        certificates: &[CertificateDer<'_>],
        server: &str,
        utc_seconds: u64,
    ) -> bool {
        let provider = Arc::new(ring::default_provider());
        // Fails where there is no authority.
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(self.0), provider).build();
        let (Ok(verifier), Ok(server)) = (verifier, ServerName::try_from(server)) else {
            return false;
        };
        let Some((first, between)) = certificates.split_first() else { return false };
        let now = UnixTime::since_unix_epoch(Duration::from_secs(utc_seconds));
        verifier.verify_server_cert(first, between, &server, &[], now).is_ok()
    }
}
