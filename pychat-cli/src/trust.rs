//! The certificates by which servers are known again: a file with a line for each server, `HOST:PORT PIN`.
//!
//! A server that was met with encryption is never again talked to without, and not with another
//! certificate, until its line is taken out of the file.

use std::{
    fs,
    io::{self, ErrorKind},
    path::PathBuf,
};

use pychat_wire::key::Pin;

use crate::{failure::Failure, private_file};

/// The certificates that a server may show.
#[derive(Debug)]
pub(crate) struct Trust {
    /// The file.
    pub(crate) path: PathBuf,
    /// The pin that was given, which counts more than the file.
    pub(crate) pin: Option<Pin>,
}

/// The certificate that is known of one server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Known {
    Nothing,
    Pin(Pin),
    /// Its line is damaged: no certificate is like it.
    Damaged,
}

impl Trust {
    /// Compares the certificate that `server` showed with the one that is expected, and remembers that of
    /// a server that was not known; `None` stands for a connection without encryption.
    ///
    /// # Errors
    ///
    /// [`Failure::Refused`] if it is not the one that is expected, or the file cannot be used.
    pub(crate) fn check(&self, server: &str, shown: Option<Pin>) -> Result<(), Failure> {
        let known = self.known(server)?;
        let Some(shown) = shown else { return self.check_plain(server, known) };
        match self.pin {
            Some(pin) if pin != shown => {
                return Err(Failure::Refused(format!(
                    "{server} is not the server that is meant: its certificate has the pin {shown}, \
                     not {pin}"
                )));
            }
            Some(_) if known != Known::Nothing => return Ok(()),
            _ => (),
        }
        match known {
            Known::Nothing => {
                let line = format!("{server} {shown}");
                private_file::append(&self.path, &line).map_err(|error| self.unusable(&error))
            }
            Known::Pin(pin) if pin == shown => Ok(()),
            Known::Pin(_) | Known::Damaged => Err(Failure::Refused(format!(
                "the certificate of {server} has changed; somebody may be in between. Its pin is {shown} \
                 now. If its operator says so too, remove the line of {server} from {}",
                self.path.display()
            ))),
        }
    }

    fn check_plain(&self, server: &str, known: Known) -> Result<(), Failure> {
        if self.pin.is_none() && known == Known::Nothing {
            return Ok(());
        }
        Err(Failure::Refused(format!(
            "{server} does not offer encryption any more, or somebody is in between; nothing was said \
             to it"
        )))
    }

    fn known(&self, server: &str) -> Result<Known, Failure> {
        let lines = match fs::read_to_string(&self.path) {
            Ok(lines) => lines,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Known::Nothing),
            Err(error) => return Err(self.unusable(&error)),
        };
        let pins = lines.lines().filter_map(|line| line.split_once(' '));
        let mut pins = pins.filter(|(known, _)| *known == server);
        Ok(match pins.next_back() {
            None => Known::Nothing,
            Some((_, pin)) => pin.trim().parse().map_or(Known::Damaged, Known::Pin),
        })
    }

    fn unusable(&self, error: &io::Error) -> Failure {
        Failure::Refused(format!("{}: {error}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "chat.example:12345";

    fn trust(folder: &str, pin: Option<Pin>) -> Trust {
        let folder = std::env::temp_dir().join(format!("{folder}-{}", std::process::id()));
        Trust { path: folder.join("known-servers"), pin }
    }

    #[test]
    fn a_server_is_known_by_its_first_certificate_until_its_line_goes() {
        let (first, other) = (Pin([1; 32]), Pin([2; 32]));
        let trust = trust("pychat-cli-trust", None);
        assert_eq!(trust.check(SERVER, None), Ok(()), "it was never met with encryption");
        assert_eq!(trust.check(SERVER, Some(first)), Ok(()));
        assert_eq!(trust.check(SERVER, Some(first)), Ok(()));
        assert_eq!(fs::read_to_string(&trust.path).unwrap(), format!("{SERVER} {first}\n"));
        for shown in [Some(other), None] {
            assert!(matches!(trust.check(SERVER, shown), Err(Failure::Refused(_))));
        }
        assert_eq!(trust.check("chat.example:1", Some(other)), Ok(()), "it is another server");
        let given = Trust { pin: Some(other), path: trust.path.clone() };
        assert_eq!(given.check(SERVER, Some(other)), Ok(()), "a pin that is given counts more");
        assert!(given.check(SERVER, Some(first)).is_err());
        assert!(given.check("new.example:1", None).is_err());
        fs::write(&trust.path, format!("{SERVER} x\n")).unwrap();
        assert!(trust.check(SERVER, Some(first)).is_err(), "it is damaged");
        fs::remove_dir_all(trust.path.parent().unwrap()).unwrap();
    }
}
