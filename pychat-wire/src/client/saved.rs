//! The state that outlives the process.

use std::{collections::VecDeque, fmt};

use serde::{Deserialize, Serialize};

use super::secret::Secret;
use crate::key::SecretKey;

/// A client's id for one of its texts, never used for another under its name.
///
/// It is made of 128 random bits and a counter, so that neither a state that was not stored nor a
/// bad source of randomness alone makes two of them equal. One tells nothing about the next, so
/// nobody else can use that first, for another text.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct MessageId(Box<str>);

impl MessageId {
    pub(super) fn new(secret: Secret, counter: u64) -> Self {
        Self(format!("{:032x}", secret.bits("id", counter)).into())
    }

    /// Takes an id as the server repeats it.
    pub(super) fn heard(id: &str) -> Self {
        Self(id.into())
    }

    /// Returns it as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The state that a client needs to go on where it was killed, with one server under one name.
///
/// Store it whenever [`Client::take_saved`](super::Client::take_saved) returns it. If the process
/// ends before it is stored:
///
/// * a text that was [said](super::Client::say) and not stored may be lost with the process;
/// * a message that was shown and not stored is shown again.
///
/// As JSON it is an object of `name`, `key` (the secret key of this device, which proves that the
/// name is ours), `is_known` (true if a server has let us in by that key), `epoch` and `seq` (the
/// last message that was taken from [`Client::next_event`](super::Client::next_event)), `seen` (the last message that
/// was [seen](super::Client::see); without it, that is the last one taken), `counter` (the number
/// of ids given out) and `unacknowledged`, a list of `{"id":…,"text":…}` in the order in which they
/// were said, each with `renewed`, `{"id":…,"times":…}`, if it has another id by now.
///
/// # Examples
///
/// ```
/// use pychat_wire::client::Saved;
///
/// let saved: Saved = serde_json::from_str("{}")?;
/// assert_eq!(saved, Saved::default()); // A first visit.
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Saved {
    pub(super) name: String,
    pub(super) key: Option<SecretKey>,
    pub(super) is_known: bool,
    pub(super) epoch: Option<String>,
    pub(super) seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seen: Option<u64>,
    pub(super) counter: u64,
    pub(super) unacknowledged: VecDeque<Unacknowledged>,
}

/// A text that was said and may not have been accepted.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Unacknowledged {
    /// The id that it was given when it was said, by which the shell knows it.
    pub(super) id: MessageId,
    pub(super) text: String,
    /// Its id on the wire, where the server knows another text under its first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) renewed: Option<Renewed>,
}

/// Another id for a text.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Renewed {
    pub(super) id: MessageId,
    /// The number of other ids that it has had, this one included.
    pub(super) times: u32,
}

impl Unacknowledged {
    /// Returns its id on the wire.
    pub(super) fn wire_id(&self) -> &MessageId {
        self.renewed.as_ref().map_or(&self.id, |renewed| &renewed.id)
    }
}

impl Saved {
    /// Returns the name that it belongs to; empty if there was none yet.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the secret key of this device, known to a server or not.
    pub fn key(&self) -> Option<SecretKey> {
        self.key
    }

    /// Returns it without the secret key, for where that is stored elsewhere.
    #[must_use]
    pub fn without_key(&self) -> Self {
        Self { key: None, ..self.clone() }
    }

    /// Returns it with the secret key that belongs to it.
    #[must_use]
    pub fn with_key(self, key: SecretKey) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Returns the number of the last message shown; 0 before the first.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Returns the number of ids ever given to texts; a text that was given another counts again.
    pub fn n_said(&self) -> u64 {
        self.counter
    }

    /// Returns the number of the last message that was seen; what is newer is new to the reader.
    pub fn seen(&self) -> u64 {
        self.seen.unwrap_or(self.seq)
    }

    /// Records that everything up to `seq` was shown, in the log `epoch` if that may be another
    /// one. In another one everything up to `seq` counts as seen too.
    pub(super) fn reach(&mut self, epoch: Option<String>, seq: u64) {
        let is_other = epoch.is_some() && self.epoch != epoch;
        self.seen = self.seen.map(|seen| if is_other { seq } else { seen.min(seq) });
        self.epoch = epoch.or(self.epoch.take());
        self.seq = seq;
    }

    /// Returns the number of texts that wait for their acknowledgement.
    pub fn n_unacknowledged(&self) -> usize {
        self.unacknowledged.len()
    }

    /// Finds a text by its id on the wire.
    pub(super) fn index_of(&self, id: &str) -> Option<usize> {
        // Answers come in the order of the texts, so the first is nearly always it.
        self.unacknowledged.iter().position(|text| text.wire_id().as_str() == id)
    }
}
