//! The certificates by which servers are known again: one small file for each chat, named for its first
//! address. All servers of a chat show the same one, or ones of public authorities.
//!
//! A server that was met with encryption is never again talked to without, and not with another
//! certificate, until the reader says so.

use std::{
    fs,
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
};

use gtk::glib;
use pychat_wire::key::Pin;
use serde::{Deserialize, Serialize};

use super::private_file;
use crate::text::server_address::ServerAddress;

/// The largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// The file of one server.
#[derive(Clone, Debug)]
pub struct Trust {
    path: PathBuf,
    server: String,
}

/// The facts that are known of a server's certificate.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Known {
    /// The SHA-256 of its DER, in base64url without padding.
    pub pin: String,
    /// A public authority vouches for it.
    #[serde(default)]
    pub is_vouched: bool,
}

/// The contents of a file. The server is there for people: the file's name does not say it.
#[derive(Serialize)]
struct Written<'a> {
    server: &'a str,
    #[serde(flatten)]
    known: &'a Known,
}

impl Trust {
    /// Returns the file in `folder` that belongs to `server`, whoever has joined there.
    pub fn of(folder: &Path, server: &ServerAddress) -> Self {
        let server = server.to_string();
        let id = glib::compute_checksum_for_string(glib::ChecksumType::Sha256, &*server);
        let path = folder.join(id.unwrap_or_default()).with_extension("trust");
        Self { path, server }
    }

    /// Returns what is known; `None` if the server was never met with encryption, or nothing can be
    /// kept here. Of a damaged file it is known that there was a certificate, and none is like it.
    pub fn known(&self) -> Option<Known> {
        let mut text = String::new();
        match fs::File::open(&self.path) {
            Ok(file) => match file.take(FILE_BYTES_MAX).read_to_string(&mut text) {
                Ok(_) => (),
                Err(error) => glib::g_warning!("pychat", "{}: {error}", self.path.display()),
            },
            Err(error) => {
                if error.kind() != ErrorKind::NotFound {
                    glib::g_info!("pychat", "cannot read {}: {error}", self.path.display());
                }
                return None;
            }
        }
        Some(serde_json::from_str(&text).unwrap_or_else(|error| {
            glib::g_warning!("pychat", "{} is damaged: {error}", self.path.display());
            Known { pin: String::new(), is_vouched: false }
        }))
    }

    /// Remembers a certificate instead of the one before.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn remember(&self, known: &Known) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            private_file::make_folder(folder)?;
        }
        let json = serde_json::to_vec(&Written { server: &self.server, known })?;
        private_file::replace(&self.path, &json, true)
    }

    /// Forgets what is known.
    ///
    /// # Errors
    ///
    /// The file cannot be removed.
    pub fn forget(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }
}

/// The certificate that a server must show to be taken for the one that is meant.
#[derive(Debug)]
pub struct Expected {
    /// The file with what is known of the server.
    pub trust: Trust,
    /// The pin of the certificate with which it was offered, by a link or in the network.
    pub pin: Option<Pin>,
    /// True if that is no reason to trust it more than any other on a first visit.
    pub is_found: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_known_by_everybody_on_one_server_and_until_it_is_forgotten() {
        let folder = glib::tmp_dir().join(format!("pychat-trust-{}", std::process::id()));
        let trust = |server: &str| Trust::of(&folder, &server.parse().expect("an address"));
        let known = Known { pin: "x".repeat(43), is_vouched: false };
        assert_eq!(trust("chat.example").known(), None);
        trust("chat.example").forget().expect("there is nothing");
        trust("Chat.Example.:12345").remember(&known).expect("a folder of our own");
        assert_eq!(trust("chat.example").known(), Some(known));
        assert_eq!(trust("chat.example:1").known(), None);
        let file = trust("chat.example").path;
        fs::write(&file, "{}").expect("our own file");
        let damaged = trust("chat.example").known().expect("it is there");
        assert_eq!(damaged, Known { pin: String::new(), is_vouched: false });
        trust("chat.example").forget().expect("our own file");
        assert_eq!(trust("chat.example").known(), None);
        fs::remove_dir_all(&folder).expect("our own folder");
    }
}
