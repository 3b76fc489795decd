//! The state that outlives the process.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
};

use serde::{Deserialize, Serialize};

use super::{RoomId, Said, secret::Secret, servers::AddressBook};
use crate::{key::SecretKey, link::Address};

/// A client's id for one thing that it said, never used for another under its name.
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

    /// Takes an id that a shell has chosen.
    pub(super) fn from_shell(id: &str) -> Self {
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
/// * a text or an amendment that was [said](super::Client::say) and not stored may be lost with the process;
/// * a message that was shown and not stored is shown again.
///
/// As JSON it is an object of `name`, `key` (the secret key of this device, which proves that the
/// name is ours), `is_known` (true if a server has let us in by that key), `epoch`, `rooms` (for each
/// room an object of `seq`, the last record that was taken from
/// [`Client::next_event`](super::Client::next_event), and `seen`, the last one that was
/// [seen](super::Client::see); without it, that is the last one taken), `counter` (the number of ids
/// given out) and `unacknowledged`, a list of what was [said](super::Said), in that order, each with
/// `room`, `id`, `renewed`, `{"id":…,"times":…}`, if it has another id by now, `is_unsent` if it was never
/// written to a line, `is_chosen` if its id was chosen by the shell, and `of`, the id of the text that it amends, if that has no number yet. The hall is
/// the room `""`, and a text that names no room is for it. `servers` is an object of two lists of addresses,
/// `given` and [`told`](super::Client::told). In files from before there were rooms, `seq` and
/// `seen` of the hall stand where `rooms` stands now.
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
#[serde(default, from = "Stored")]
pub struct Saved {
    pub(super) name: String,
    pub(super) key: Option<SecretKey>,
    pub(super) is_known: bool,
    pub(super) epoch: Option<String>,
    pub(super) rooms: BTreeMap<RoomId, Spot>,
    pub(super) counter: u64,
    pub(super) unacknowledged: VecDeque<Unacknowledged>,
    #[serde(skip_serializing_if = "AddressBook::is_empty")]
    pub(super) servers: AddressBook,
}

/// The position in one room.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub(super) struct Spot {
    /// The last number shown.
    pub(super) seq: u64,
    /// The last number seen, if that is known apart from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seen: Option<u64>,
}

/// The state as it stands in a file, of any age.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stored {
    name: String,
    key: Option<SecretKey>,
    is_known: bool,
    epoch: Option<String>,
    /// Those of the hall, from before there were rooms.
    seq: Option<u64>,
    seen: Option<u64>,
    rooms: BTreeMap<RoomId, Spot>,
    counter: u64,
    unacknowledged: VecDeque<Unacknowledged>,
    servers: AddressBook,
}

impl From<Stored> for Saved {
    fn from(stored: Stored) -> Self {
        let Stored { name, key, is_known, epoch, seq, seen, mut rooms, servers, .. } = stored;
        if let Some(seq) = seq {
            rooms.entry(RoomId::hall()).or_insert(Spot { seq, seen });
        }
        let (counter, unacknowledged) = (stored.counter, stored.unacknowledged);
        Self { name, key, is_known, epoch, rooms, counter, unacknowledged, servers }
    }
}

/// Something that was said and may not have been accepted.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Unacknowledged {
    /// The room that it is for.
    #[serde(default, skip_serializing_if = "RoomId::is_hall")]
    pub(super) room: RoomId,
    /// The id that it was given when it was said, by which the shell knows it.
    pub(super) id: MessageId,
    /// The thing itself. The target of an amendment is 0 where `of` is some.
    #[serde(flatten)]
    pub(super) said: Said,
    /// The id of the text that it amends, while that has no number. It is not sent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) of: Option<MessageId>,
    /// True if it was never written to any line, so nobody can have accepted it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) is_unsent: bool,
    /// True if the shell chose its id: it is said under that or not at all.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) is_chosen: bool,
    /// Its id on the wire, where the server knows something else under its first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) renewed: Option<Renewed>,
}

/// Another id for something that was said.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Renewed {
    pub(super) id: MessageId,
    /// The number of other ids that it has had, this one included.
    pub(super) times: u32,
}

impl Unacknowledged {
    pub(super) fn new(room: &RoomId, id: MessageId, said: Said) -> Self {
        let (of, renewed) = (None, None);
        Self { room: room.clone(), id, said, of, is_unsent: true, is_chosen: false, renewed }
    }

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

    /// Returns the addresses by which the chat was last [reached](super::Client::at), the best one first.
    pub fn given(&self) -> &[Address] {
        self.servers.given()
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

    /// Returns the number of the last record of `room` that was shown; 0 before the first.
    pub fn seq(&self, room: &RoomId) -> u64 {
        self.rooms.get(room).map_or(0, |spot| spot.seq)
    }

    /// Returns the number of ids ever given out; what was given another id counts again.
    pub fn n_said(&self) -> u64 {
        self.counter
    }

    /// Returns the number of the last record of `room` that was seen; what is newer is new to the
    /// reader.
    pub fn seen(&self, room: &RoomId) -> u64 {
        self.rooms.get(room).map_or(0, |spot| spot.seen.unwrap_or(spot.seq))
    }

    /// Makes what was shown count as seen where nothing else is known.
    pub(super) fn begin_reading(&mut self) {
        for spot in self.rooms.values_mut() {
            spot.seen.get_or_insert(spot.seq);
        }
    }

    /// Records that everything up to `seq` of `room` was shown.
    pub(super) fn reach(&mut self, room: RoomId, seq: u64) {
        self.rooms.entry(room).or_default().seq = seq;
    }

    /// Returns the number of texts and amendments that wait for their acknowledgement.
    pub fn n_unacknowledged(&self) -> usize {
        self.unacknowledged.len()
    }

    /// Finds something that was sent by its id on the wire.
    pub(super) fn index_of(&self, id: &str) -> Option<usize> {
        // Answers come in the order in which it was sent, so the first is nearly always it.
        let mut queue = self.unacknowledged.iter();
        queue.position(|said| said.of.is_none() && said.wire_id().as_str() == id)
    }
}

// By reference, as serde asks for it.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(value: &bool) -> bool {
    !value
}
