//! The certificates by which servers are known again: a file with a line for each, `HOST:PORT PIN`, or
//! `HOST:PORT PIN vouched` if a public authority vouched for it. Of several for one server the last counts.
//! All servers of a chat are known by one certificate, under the first address that was given; one whose
//! address was only told by another server is never met for the first time.
//!
//! A server that was met with encryption is never again talked to without. Another certificate is taken
//! only if a public authority vouches for it and vouched for the one before; else its lines have to be
//! taken out of the file.

use std::{
    fs,
    io::{self, ErrorKind},
    path::PathBuf,
    time::UNIX_EPOCH,
};

use pychat_wire::{
    key::Pin,
    link::Host,
    tls::{Authorities, CertificateDer},
};
use rustls_native_certs::load_native_certs;

use crate::{failure::Failure, private_file};

/// The word for a certificate that a public authority vouched for.
const VOUCHED: &str = "vouched";

/// The certificates that a server may show.
#[derive(Debug)]
pub(crate) struct Trust {
    /// The file.
    pub(crate) path: PathBuf,
    /// The pin that was given, which counts more than the file.
    pub(crate) pin: Option<Pin>,
    /// The first address of the chat.
    pub(crate) chat: String,
}

/// The facts that are known of one chat, or server.
#[derive(Debug, Default, Eq, PartialEq)]
struct Known {
    /// The numbers of its lines, from 1.
    lines: Vec<usize>,
    /// Its certificate; `None` if its last line is damaged, and no certificate is like it.
    pin: Option<Pin>,
    /// A public authority vouched for it.
    is_vouched: bool,
}

impl Trust {
    /// Compares the certificate that `server` showed with the one that is expected, and remembers it if it
    /// was not known. `is_vouched` tells if a public authority vouches for it; `is_told`, if its address was
    /// only told by another server.
    ///
    /// # Errors
    ///
    /// [`Failure::Refused`] if it is not the one that is expected, or the file cannot be used.
    pub(crate) fn check(
        &self,
        server: &str,
        is_told: bool,
        shown: Pin,
        is_vouched: impl FnOnce() -> bool,
    ) -> Result<(), Failure> {
        let known = self.known(server)?;
        let is_new = known.lines.is_empty();
        match self.pin {
            Some(pin) if pin != shown => {
                return Err(Failure::Refused(format!(
                    "{server} is not the server that is meant: its certificate has the pin {shown}, \
                     not {pin}"
                )));
            }
            Some(_) if !is_new => return Ok(()),
            _ if known.pin == Some(shown) => return Ok(()),
            None if is_new && is_told => return Err(unknown(server)),
            _ => (),
        }
        let is_vouched = (is_new || known.is_vouched) && is_vouched();
        if !is_new && !is_vouched {
            return Err(self.changed(server, shown, &known));
        }
        let word = if is_vouched { format!(" {VOUCHED}") } else { String::new() };
        let line = format!("{} {shown}{word}", self.chat);
        private_file::append(&self.path, &line).map_err(|error| self.unusable(&error))
    }

    /// Looks if nothing speaks against talking to `server` without encryption.
    ///
    /// # Errors
    ///
    /// [`Failure::Refused`] if it was met with encryption, or has a certificate, or the file cannot be used.
    pub(crate) fn check_plain(&self, server: &str, is_told: bool) -> Result<(), Failure> {
        if !is_told && self.pin.is_none() && self.known(server)?.lines.is_empty() {
            return Ok(());
        }
        Err(Failure::Refused(format!(
            "{server} does not offer encryption any more, or somebody is in between; nothing was said \
             to it"
        )))
    }

    fn changed(&self, server: &str, shown: Pin, known: &Known) -> Failure {
        let numbers: Vec<_> = known.lines.iter().map(ToString::to_string).collect();
        let lines = if numbers.len() == 1 { "line" } else { "lines" };
        Failure::Refused(format!(
            "the certificate of {server} has changed; somebody may be in between. Its pin is {shown} now. \
             If its operator says so too, remove {lines} {} of {}",
            numbers.join(", "),
            self.path.display()
        ))
    }

    /// Returns what is known of the chat, or else of this server of it.
    fn known(&self, server: &str) -> Result<Known, Failure> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Known::default()),
            Err(error) => return Err(self.unusable(&error)),
        };
        let of_chat = Known::read(&text, &self.chat);
        Ok(if of_chat.lines.is_empty() { Known::read(&text, server) } else { of_chat })
    }

    fn unusable(&self, error: &io::Error) -> Failure {
        Failure::Refused(format!("{}: {error}", self.path.display()))
    }
}

impl Known {
    /// Reads what the lines of a file say of `server`.
    fn read(text: &str, server: &str) -> Self {
        let mut known = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            let mut words = line.split_whitespace();
            if words.next() == Some(server) {
                known.lines.push(number);
                known.pin = words.next().and_then(|pin| pin.parse().ok());
                known.is_vouched = known.pin.is_some() && words.next() == Some(VOUCHED);
            }
        }
        known
    }
}

fn unknown(server: &str) -> Failure {
    let words = "is one of which another server told, and the certificate of that is not known";
    Failure::Refused(format!("{server} {words}"))
}

/// Returns true if an authority that this machine trusts vouches for the first of these certificates, for
/// this host, now.
pub(crate) fn is_vouched(certificates: &[CertificateDer<'_>], host: &Host) -> bool {
    let server = match host {
        Host::Domain(domain) => domain.clone(),
        Host::Ip(address) => address.to_string(),
    };
    let Ok(now) = UNIX_EPOCH.elapsed() else { return false };
    // Those that cannot be read vouch for nobody.
    let authorities = Authorities::new(load_native_certs().certs);
    authorities.vouch_for(certificates, &server, now.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "chat.example:12345";
    const OTHER: &str = "chat.example:1";

    fn trust(folder: &str) -> Trust {
        let folder = std::env::temp_dir().join(format!("{folder}-{}", std::process::id()));
        Trust { path: folder.join("known-servers"), pin: None, chat: SERVER.to_owned() }
    }

    fn clear(trust: &Trust) {
        fs::remove_dir_all(trust.path.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_server_is_known_by_its_first_certificate_until_its_line_goes() {
        let (first, other) = (Pin([1; 32]), Pin([2; 32]));
        let trust = trust("pychat-cli-trust");
        let nobody = || false;
        assert_eq!(trust.check_plain(SERVER, false), Ok(()), "it was never met with encryption");
        assert_eq!(trust.check(SERVER, false, first, nobody), Ok(()));
        assert_eq!(trust.check(SERVER, false, first, || unreachable!("it is known")), Ok(()));
        assert_eq!(fs::read_to_string(&trust.path).unwrap(), format!("{SERVER} {first}\n"));
        let refused = trust.check(SERVER, false, other, || true).unwrap_err().to_string();
        assert!(refused.contains("remove line 1 of "), "nobody vouched for the first: {refused}");
        assert!(matches!(trust.check_plain(SERVER, false), Err(Failure::Refused(_))));
        let another = Trust { chat: OTHER.to_owned(), path: trust.path.clone(), pin: None };
        assert_eq!(another.check(OTHER, false, other, nobody), Ok(()), "it is another server");
        let given = Trust { pin: Some(other), path: trust.path.clone(), chat: SERVER.to_owned() };
        assert_eq!(
            given.check(SERVER, false, other, nobody),
            Ok(()),
            "a pin that is given counts more"
        );
        assert!(given.check(SERVER, false, first, nobody).is_err());
        assert!(given.check_plain("new.example:1", false).is_err());
        fs::write(&trust.path, format!("{SERVER} x vouched\n")).unwrap();
        assert!(trust.check(SERVER, false, first, || true).is_err(), "it is damaged");
        clear(&trust);
    }

    #[test]
    fn all_servers_of_a_chat_are_known_by_one_certificate() {
        let (first, other) = (Pin([1; 32]), Pin([2; 32]));
        let trust = trust("pychat-cli-several");
        assert!(trust.check(OTHER, true, first, || true).is_err(), "nothing is known");
        assert!(trust.check_plain(OTHER, true).is_err());
        assert_eq!(trust.check(OTHER, false, first, || false), Ok(()), "it was given");
        assert_eq!(fs::read_to_string(&trust.path).unwrap(), format!("{SERVER} {first}\n"));
        for is_told in [false, true] {
            for server in [SERVER, OTHER] {
                assert_eq!(trust.check(server, is_told, first, || false), Ok(()));
                assert!(trust.check(server, is_told, other, || true).is_err());
                assert!(trust.check_plain(server, is_told).is_err());
            }
        }
        fs::write(&trust.path, format!("{OTHER} {first}\n")).unwrap();
        assert!(trust.check(OTHER, false, other, || true).is_err(), "it was met by itself before");
        let given = Trust { pin: Some(other), path: trust.path.clone(), chat: "c:1".to_owned() };
        assert_eq!(given.check("d:1", true, other, || false), Ok(()), "the pin is for all");
        clear(&trust);
    }

    #[test]
    fn a_certificate_with_an_authority_may_take_the_place_of_another_such() {
        let [first, second, third] = [1, 2, 3].map(|byte| Pin([byte; 32]));
        let trust = trust("pychat-cli-vouched");
        assert_eq!(trust.check(SERVER, false, first, || true), Ok(()));
        assert_eq!(trust.check(SERVER, false, second, || true), Ok(()));
        let lines = format!("{SERVER} {first} vouched\n{SERVER} {second} vouched\n");
        assert_eq!(fs::read_to_string(&trust.path).unwrap(), lines);
        assert_eq!(trust.check(SERVER, false, second, || false), Ok(()), "it is known");
        for (shown, is_vouched) in [(first, false), (third, false)] {
            let refused = trust.check(SERVER, false, shown, || is_vouched).unwrap_err().to_string();
            assert!(refused.contains("remove lines 1, 2 of "), "{refused}");
        }
        assert_eq!(fs::read_to_string(&trust.path).unwrap(), lines, "nothing was remembered");
        clear(&trust);
    }
}
