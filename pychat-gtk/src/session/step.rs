//! The steps from an address to a chat, and what may be found there instead of a chat server.

/// A step of connecting, in the order in which they are taken.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Step {
    /// The host's name becomes an address.
    LookUp,
    /// A TCP connection is made.
    Connection,
    /// The server says what it is.
    Greeting,
    /// The connection is encrypted, where the server offers that.
    Encryption,
    /// The server's certificate is compared with the one that is known.
    Certificate,
    /// Both sides agree on how they talk.
    Protocol,
    /// The server lets a person in under a name.
    Admission,
}

impl Step {
    /// All of them, the first first.
    pub const ALL: [Self; 7] = [
        Self::LookUp,
        Self::Connection,
        Self::Greeting,
        Self::Encryption,
        Self::Certificate,
        Self::Protocol,
        Self::Admission,
    ];
}

/// A service that is not a chat server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Service {
    /// A web server.
    Web,
    /// An SSH server.
    Ssh,
    /// Some other, or none that is known.
    Unknown,
}

impl Service {
    /// Tells which service it is that begins with these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        match bytes {
            [b'H', b'T', b'T', b'P', b'/', ..] | [b'<', b'!' | b'h' | b'H', ..] => Self::Web,
            [b'S', b'S', b'H', b'-', ..] => Self::Ssh,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_are_in_order() {
        assert!(Step::ALL.is_sorted());
    }

    #[test]
    fn services_are_known_by_their_first_bytes() {
        for (bytes, expected) in [
            ("HTTP/1.1 400 Bad Request\r\n", Service::Web),
            ("<!DOCTYPE html>", Service::Web),
            ("<html>", Service::Web),
            ("SSH-2.0-OpenSSH_9.2", Service::Ssh),
            ("220 mail.example ESMTP", Service::Unknown),
            ("", Service::Unknown),
        ] {
            assert_eq!(Service::of(bytes.as_bytes()), expected, "{bytes:?}");
        }
    }
}
