//! A peer's side of TLS.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    version,
};
use sha2::{Digest, Sha256};

/// A connection, encrypted or not.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    pub(super) fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_ref(),
        }
    }

    /// Closes the writing side, having said so where there is a way to.
    pub(super) fn end_write(&mut self) -> io::Result<()> {
        if let Self::Tls(stream) = self {
            stream.conn.send_close_notify();
            stream.flush()?;
        }
        self.socket().shutdown(Shutdown::Write)
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// What a peer offers in its handshake.
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
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols.clone_from(&self.alpn);
        let name = ServerName::try_from("pychat").unwrap();
        (ClientConnection::new(Arc::new(config), name).unwrap(), pin)
    }

    pub(super) fn complete(
        &self,
        mut socket: TcpStream,
    ) -> io::Result<(StreamOwned<ClientConnection, TcpStream>, String)> {
        let (mut connection, pin) = self.begin();
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        let pin = pin.0.lock().unwrap().clone();
        Ok((StreamOwned::new(connection, socket), pin))
    }
}

/// The pin of the certificate that a server showed, once it has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pin(Arc<Mutex<String>>);

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
        *self.pin.0.lock().unwrap() = URL_SAFE_NO_PAD.encode(Sha256::digest(certificate));
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
