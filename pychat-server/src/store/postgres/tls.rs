//! TLS to a database server, and the certificates that are trusted for it.

use std::{path::Path, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{WebPkiSupportedAlgorithms, ring, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem, pem::PemObject},
    server::ParsedCertificate,
    version,
};

use super::{config::TlsMode, routes::RouteError};

/// Returns the client's side of TLS, which trusts the certificates of `roots` as far as `mode` asks.
pub(super) fn client_config(
    mode: TlsMode,
    roots: Option<&Path>,
) -> Result<ClientConfig, RouteError> {
    let provider = Arc::new(ring::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let authorities = match roots {
        Some(path) if mode != TlsMode::Require => {
            let certificates = read(path)
                .map_err(|source| RouteError::Certificates { path: path.to_owned(), source })?;
            let mut store = RootCertStore::empty();
            let unusable = |source| RouteError::Unusable { path: path.to_owned(), source };
            for certificate in &certificates {
                store.add(certificate.clone()).map_err(unusable)?;
            }
            let provider = Arc::clone(&provider);
            let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider);
            let webpki =
                webpki.build().map_err(|error| unusable(Error::General(error.to_string())))?;
            Some(Authorities { certificates, webpki })
        }
        _ => None,
    };
    let verifier = Verifier { algorithms, authorities, is_named: mode == TlsMode::VerifyFull };
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13])
        .map_err(RouteError::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, pem::Error> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path)?.collect::<Result<_, _>>()?;
    if certificates.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(certificates) }
}

/// The check of the certificate that a server shows.
#[derive(Debug)]
struct Verifier {
    algorithms: WebPkiSupportedAlgorithms,
    /// The authorities; any certificate will do if `None`.
    authorities: Option<Authorities>,
    /// It has to be for the host that was named.
    is_named: bool,
}

#[derive(Debug)]
struct Authorities {
    certificates: Vec<CertificateDer<'static>>,
    webpki: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(Authorities { certificates, webpki }) = &self.authorities else {
            return Ok(ServerCertVerified::assertion());
        };
        // A server that signed its certificate itself is its own authority.
        if certificates.iter().any(|certificate| certificate == end_entity) {
            if self.is_named {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        let verified =
            webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // The name is looked at last: all else is in order.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.is_named => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not spoken here".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
