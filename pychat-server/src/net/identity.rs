//! The certificate by which clients know the server, and its key: the operator's, or its own.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use pychat_wire::key::{ALPN, Pin};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
    server::NoServerSessionStorage,
    version::TLS13,
};
use thiserror::Error;

/// The name of the file with the server's own certificate and key.
pub const OWN_FILE: &str = "tls.pem";

/// The place of a certificate and its key, in PEM.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum IdentityPlace {
    /// The folder of the server's own, which is made at the first start.
    Own(PathBuf),
    /// The operator's files.
    Files {
        /// The certificate, and those between it and the authority's.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
}

/// A certificate and its key, ready for handshakes.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The parameters of every handshake.
    pub config: Arc<ServerConfig>,
    /// The SHA-256 of the certificate's DER, in base64url without padding: by this clients know the
    /// certificate again.
    pub pin: Pin,
}

/// The reason why there is no certificate, or none that can be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The fault in it.
        source: pem::Error,
    },
    /// The server's own file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// No certificate can be made.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// Certificate and key cannot be used, or do not belong together.
    #[error("cannot use the certificate in {}: {source}", path.display())]
    Unusable {
        /// The file of the certificate.
        path: PathBuf,
        /// The fault.
        source: rustls::Error,
    },
}

impl Identity {
    /// Reads the certificate and its key; makes them first if they are the server's own and there are
    /// none.
    ///
    /// # Errors
    ///
    /// [`IdentityError`] if there are none that can be used.
    pub fn load(place: &IdentityPlace) -> Result<Self, IdentityError> {
        match place {
            IdentityPlace::Own(directory) => {
                let path = directory.join(OWN_FILE);
                if !path.exists() {
                    write_own(&path)?;
                }
                Self::read(&path, &path)
            }
            IdentityPlace::Files { certificate, key } => Self::read(certificate, key),
        }
    }

    fn read(certificate: &Path, key: &Path) -> Result<Self, IdentityError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            |source| IdentityError::Read { path, source }
        };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(unreadable(certificate))?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(unreadable(key))?;
        let pin = Pin::of(chain.first().map_or(&[], AsRef::as_ref)); // Without any, the next fails.
        let config = config(chain, key)
            .map_err(|source| IdentityError::Unusable { path: certificate.to_owned(), source })?;
        Ok(Self { config: Arc::new(config), pin })
    }
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    // Every handshake shows the certificate, and nothing is kept of any.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// Makes a certificate that the server signs itself, and writes it with its key to `path`, which
/// nobody else may read.
fn write_own(path: &Path) -> Result<(), IdentityError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "pychat");
    let pem = params.self_signed(&key)?.pem() + &key.serialize_pem();
    let written = write_whole(path, pem.as_bytes());
    written.map_err(|source| IdentityError::Write { path: path.to_owned(), source })
}

/// Writes a file that is there whole or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

#[cfg(test)]
mod tests;
