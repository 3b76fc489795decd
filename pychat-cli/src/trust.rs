//! The certificates by which servers are known again: a file with a line for each, `HOST:PORT PIN`, or
//! `HOST:PORT PIN vouched` if a public authority vouched for it. Of several for one server the last counts.
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
}

/// The facts that are known of one server.
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
    /// was not known. `is_vouched` tells if a public authority vouches for it.
    ///
    /// # Errors
    ///
    /// [`Failure::Refused`] if it is not the one that is expected, or the file cannot be used.
    pub(crate) fn check(
        &self,
        server: &str,
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
            _ => (),
        }
        let is_vouched = (is_new || known.is_vouched) && is_vouched();
        if !is_new && !is_vouched {
            return Err(self.changed(server, shown, &known));
        }
        let word = if is_vouched { format!(" {VOUCHED}") } else { String::new() };
        let line = format!("{server} {shown}{word}");
        private_file::append(&self.path, &line).map_err(|error| self.unusable(&error))
    }

    /// Looks if nothing speaks against talking to `server` without encryption.
    ///
    /// # Errors
    ///
    /// [`Failure::Refused`] if it was met with encryption, or has a certificate, or the file cannot be used.
    pub(crate) fn check_plain(&self, server: &str) -> Result<(), Failure> {
        if self.pin.is_none() && self.known(server)?.lines.is_empty() {
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

    fn known(&self, server: &str) -> Result<Known, Failure> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Known::default()),
            Err(error) => return Err(self.unusable(&error)),
        };
        let mut known = Known::default();
        for (number, line) in (1..).zip(text.lines()) {
            let mut words = line.split_whitespace();
            if words.next() == Some(server) {
                known.lines.push(number);
                known.pin = words.next().and_then(|pin| pin.parse().ok());
                known.is_vouched = known.pin.is_some() && words.next() == Some(VOUCHED);
            }
        }
        Ok(known)
    }

    fn unusable(&self, error: &io::Error) -> Failure {
        Failure::Refused(format!("{}: {error}", self.path.display()))
    }
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

    fn trust(folder: &str) -> Trust {
        let folder = std::env::temp_dir().join(format!("{folder}-{}", std::process::id()));
        Trust { path: folder.join("known-servers"), pin: None }
    }

    fn clear(trust: &Trust) {
        fs::remove_dir_all(trust.path.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_server_is_known_by_its_first_certificate_until_its_line_goes() {
        let (first, other) = (Pin([1; 32]), Pin([2; 32]));
        let trust = trust("pychat-cli-trust");
        let nobody = || false;
        assert_eq!(trust.check_plain(SERVER), Ok(()), "it was never met with encryption");
        assert_eq!(trust.check(SERVER, first, nobody), Ok(()));
        assert_eq!(trust.check(SERVER, first, || unreachable!("it is known")), Ok(()));
        assert_eq!(fs::read_to_string(&trust.path).unwrap(), format!("{SERVER} {first}\n"));
        let refused = trust.check(SERVER, other, || true).unwrap_err().to_string();
        assert!(refused.contains("remove line 1 of "), "nobody vouched for the first: {refused}");
        assert!(matches!(trust.check_plain(SERVER), Err(Failure::Refused(_))));
        assert_eq!(trust.check("chat.example:1", other, nobody), Ok(()), "it is another server");
        let given = Trust { pin: Some(other), path: trust.path.clone() };
        assert_eq!(given.check(SERVER, other, nobody), Ok(()), "a pin that is given counts more");
        assert!(given.check(SERVER, first, nobody).is_err());
        assert!(given.check_plain("new.example:1").is_err());
        fs::write(&trust.path, format!("{SERVER} x vouched\n")).unwrap();
        assert!(trust.check(SERVER, first, || true).is_err(), "it is damaged");
        clear(&trust);
    }

    #[test]
    fn a_certificate_with_an_authority_may_take_the_place_of_another_such() {
        let [first, second, third] = [1, 2, 3].map(|byte| Pin([byte; 32]));
        let trust = trust("pychat-cli-vouched");
        assert_eq!(trust.check(SERVER, first, || true), Ok(()));
        assert_eq!(trust.check(SERVER, second, || true), Ok(()));
        let lines = format!("{SERVER} {first} vouched\n{SERVER} {second} vouched\n");
        assert_eq!(fs::read_to_string(&trust.path).unwrap(), lines);
        assert_eq!(trust.check(SERVER, second, || false), Ok(()), "it is known");
        for (shown, is_vouched) in [(first, false), (third, false)] {
            let refused = trust.check(SERVER, shown, || is_vouched).unwrap_err().to_string();
            assert!(refused.contains("remove lines 1, 2 of "), "{refused}");
        }
        assert_eq!(fs::read_to_string(&trust.path).unwrap(), lines, "nothing was remembered");
        clear(&trust);
    }
}
