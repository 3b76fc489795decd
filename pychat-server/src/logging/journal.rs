//! The journal's native protocol, without ever waiting for the journal.
//!
//! One datagram an entry, of `FIELD=value` lines, or for a value that itself has lines: the field's
//! name, a new line, the value's size in 64 bits, little end first, and the value. The format is
//! systemd's (`JOURNAL_NATIVE_PROTOCOL`). A journal that takes no more for now is not waited for:
//! the one thread that would wait has people to serve.

use std::{
    fmt::{Debug, Write},
    io::{self, ErrorKind},
    os::unix::net::UnixDatagram,
};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Layer};

use super::{Dropped, kinds};

const SOCKET: &str = "/run/systemd/journal/socket";

/// The prefix of the fields that are ours.
const FIELD_PREFIX: &str = "PYCHAT_";

/// Sends every event to the journal.
#[derive(Debug)]
pub(super) struct Journal {
    socket: UnixDatagram,
}

impl Journal {
    /// Finds the journal.
    ///
    /// # Errors
    ///
    /// Those of the system: there is none, most likely.
    pub(super) fn open() -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.send_to(&[], SOCKET)?; // An empty entry is none.
        Ok(Self { socket })
    }

    /// Sends one entry; returns false if the journal takes no more for now.
    fn send(&self, entry: &[u8]) -> bool {
        // A journal that is gone may come back under the same name; until then nobody listens.
        let sent = self.socket.send_to(entry, SOCKET);
        !matches!(sent, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }
}

impl<S: Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut entry = Entry::new(*event.metadata().level());
        event.record(&mut entry);
        if !self.send(&entry.bytes) {
            Dropped::note();
        } else if let Some(dropped) = Dropped::take() {
            let mut entry = Entry::new(Level::WARN);
            entry.put_kind("lines_missing");
            entry.put("MESSAGE", &dropped.to_string());
            self.send(&entry.bytes);
        }
    }
}

/// One entry, as it is sent.
struct Entry {
    bytes: Vec<u8>,
}

impl Entry {
    fn new(level: Level) -> Self {
        let mut entry = Self { bytes: Vec::new() };
        let priority = match level {
            Level::ERROR => "3",
            Level::WARN => "4",
            Level::INFO => "6",
            Level::DEBUG | Level::TRACE => "7",
        };
        entry.put("PRIORITY", priority);
        entry.put("SYSLOG_IDENTIFIER", env!("CARGO_PKG_NAME"));
        entry
    }

    /// Puts the word for what happened, and the id by which the catalog knows it.
    fn put_kind(&mut self, event: &str) {
        self.put("PYCHAT_EVENT", event);
        if let Some(id) = kinds::message_id(event) {
            self.put("MESSAGE_ID", id);
        }
    }

    fn put(&mut self, name: &str, value: &str) {
        self.bytes.extend_from_slice(name.as_bytes());
        if value.contains('\n') {
            self.bytes.push(b'\n');
            self.bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
        } else {
            self.bytes.push(b'=');
        }
        self.bytes.extend_from_slice(value.as_bytes());
        self.bytes.push(b'\n');
    }
}

impl Visit for Entry {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.put("MESSAGE", value),
            "event" => self.put_kind(value),
            name => self.put(&format!("{FIELD_PREFIX}{}", name.to_uppercase()), value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        write!(text, "{value:?}").ok(); // A String takes it all.
        self.record_str(field, &text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_begin_a_field() {
        let mut entry = Entry::new(Level::INFO);
        entry.put("PYCHAT_USER", "Анна");
        entry.put("MESSAGE", "x\nPRIORITY=0");
        let expected = b"PRIORITY=6\nSYSLOG_IDENTIFIER=pychat-server\nPYCHAT_USER=\
            \xd0\x90\xd0\xbd\xd0\xbd\xd0\xb0\nMESSAGE\n\x0c\0\0\0\0\0\0\0x\nPRIORITY=0\n";
        assert_eq!(entry.bytes, expected);
    }
}
