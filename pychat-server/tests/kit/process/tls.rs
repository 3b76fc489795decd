//! A peer's side of TLS.

use std::sync::{Arc, Mutex};

use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    version,
};

/// The parameters that a peer offers in its handshake.
#[derive(Clone, Debug, Default)]
pub(crate) struct Handshake {
    /// The protocols over TLS that it speaks, if it says.
    pub(crate) alpn: Vec<Vec<u8>>,
}

impl Handshake {
    /// Returns a peer's connection that has sent nothing yet, and where the pin will be.
    pub(crate) fn begin(&self) -> (ClientConnection, Pin) {
        let provider = Arc::new(ring::default_provider());
        let pin = Pin::default();
        let verifier = Verifier { provider: Arc::clone(&provider), pin: pin.clone() };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13])
            .expect("ring speaks it")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols.clone_from(&self.alpn);
        let name = ServerName::try_from("pychat").expect("a name");
        (ClientConnection::new(Arc::new(config), name).expect("a configuration"), pin)
    }
}

/// Returns the channel binding of a connection whose handshake is over (RFC 9266).
pub(crate) fn binding(connection: &ClientConnection) -> [u8; 32] {
    let exported = connection.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", None);
    exported.expect("the handshake is over")
}

/// The pin of the certificate that a server showed, once it has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pin(Arc<Mutex<String>>);

impl Pin {
    /// Returns it.
    pub(crate) fn get(&self) -> String {
        self.0.lock().expect("nobody panics with it").clone()
    }
}

/// Takes any certificate whose key the server has, and remembers its pin.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    pin: Pin,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.pin.0.lock().expect("nobody panics with it") =
            pychat_wire::key::Pin::of(certificate).to_string();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        unreachable!("only TLS 1.3 is spoken")
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
