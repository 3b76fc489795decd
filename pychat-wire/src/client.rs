//! The client's side of a conversation, over one connection (a *line*) after another, without I/O.
//!
//! The inputs are calls ([`Client::connected`], [`Client::receive`], [`Client::disconnected`],
//! [`Client::say`] …), and after each of these the shell does four things:
//!
//! 1. it does or shows what each [`Client::next_event`] says, until there is no more;
//! 2. it stores what [`Client::take_saved`] gives it, if the state is to outlive the process;
//! 3. it writes what [`Client::take_outgoing`] gives it;
//! 4. it calls [`Client::handle_timeout`] at [`Client::next_deadline`], if nothing happens before.
//!
//! The client owns no socket, reads no clock and takes its random bits from a seed, so a window, a
//! bot and a test drive it alike. Every `now` is in milliseconds, on a clock that never goes back.
//!
//! It finds out from the greeting which protocol the server speaks. In protocol 2 it shows every
//! record of every room once and in order, each room for itself, and sends a text or an amendment until
//! it is accepted, over lost lines and restarts of both. Protocol 1 has no means for that, and no room but
//! the hall: a text of a lost line is [handed back](Event::Failed).
//!
//! ```text
//!              Connect           connected          greeting        welcome
//!  (waiting) ──────────▶ (calling) ──────▶ (connected) ────▶ (asked) ────▶ (joined)
//!      ▲                     │                  │               │              │
//!      ├── lost, silent, bye ┴──────────────────┴───────────────┴──────────────┤
//!      │                                                                       │
//!      │ reconnect                                                             ▼
//!      └────────────────────────────────────── (idle) ◀── refused, kicked, left
//! ```

mod amended;
mod backoff;
mod begin;
mod chosen;
mod conversation;
mod devices;
mod event;
mod greeting;
mod held;
mod invites;
mod limits;
mod line;
mod marks;
mod operators;
mod original;
mod page_queue;
mod past;
mod pending;
mod phase;
mod place;
mod record;
mod refusals;
mod requests;
mod room;
mod rooms;
mod roster;
mod said;
mod saved;
mod search;
mod secret;
mod servers;
mod signals;
mod tally;
mod texts;

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
};

pub use self::{
    amended::{Amended, MessageState},
    begin::{Begin, first_page_messages},
    devices::Device,
    event::{Cause, Event, FailReason, SayError},
    invites::Invite,
    limits::*,
    past::Past,
    record::{Message, Page, RoomRecord},
    room::{Hearing, Room, RoomId},
    said::{Pending, Said},
    saved::{MessageId, Saved},
    search::{Search, SearchEnd},
    servers::Destination,
};
use self::{
    backoff::{Backoff, Chance},
    phase::{Line, Phase, Protocol},
    requests::PendingChange,
    rooms::Rooms,
    roster::Roster,
    saved::Unacknowledged,
    search::Searches,
    secret::Secret,
    servers::Attempts,
};
use crate::{frame::PAYLOAD_BYTES_MAX, link::Code, name::UserName};

/// One person's conversation with one server.
#[derive(Debug)]
pub struct Client {
    name: UserName,
    begin: Begin,
    is_persistent: bool,
    has_joined: bool,
    secret: Secret,
    chance: Chance,
    backoff: Backoff,
    attempts: Attempts,
    phase: Phase,
    line: Line,
    /// The rooms that were chosen to be heard, if that was chosen.
    hearing: Option<Hearing>,
    rooms: Rooms,
    roster: Roster,
    /// The name that we have in the room; before that the one that we ask for.
    room_name: String,
    payload_bytes_max: usize,
    /// The code that lets this device in, until it has, and its name.
    code: Option<Code>,
    label: Option<String>,
    saved: Saved,
    has_changed: bool,
    /// The texts said in protocol 1 that have not come back. They are not saved, as they must not
    /// be sent twice.
    said: VecDeque<Unacknowledged>,
    /// The requests that are not answered.
    changes: Vec<PendingChange>,
    /// The searches of this line.
    searches: Searches,
    events: VecDeque<Queued>,
    outgoing: Vec<u8>,
}

/// An event, and the mark that is saved when it is taken.
#[derive(Debug)]
struct Queued {
    /// `None` where there is nothing to show.
    event: Option<Event>,
    mark: Option<Mark>,
}

/// The positions up to which everything counts as shown.
#[derive(Debug)]
enum Mark {
    /// Those of all rooms, in an epoch that may be another one.
    All { epoch: String, seqs: BTreeMap<RoomId, u64> },
    /// That of one room.
    One { room: RoomId, seq: u64 },
    /// A room has none any more.
    Gone { room: RoomId },
}

impl Client {
    /// Returns a client that will ask to join as `name`, and go on from `saved`.
    ///
    /// `seed` is 32 random bytes, told to nobody and new each time: of them are made the ids of its
    /// texts and, where `saved` has none, the key of this device. The first event is [`Event::Connect`].
    /// Texts that `saved` holds under another name are not sent, but [handed back](Event::Failed).
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::{Client, ServerMessage, UserName, client::{Event, Saved}, notice::Notice};
    ///
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.next_event(), Some(Event::Connect));
    /// client.connected(0);
    /// let mut greeting = Vec::new();
    /// ServerMessage::notice(Notice::Greeting).encode(&mut greeting); // Of protocol 1.
    /// client.receive(1, &greeting);
    /// assert_eq!(client.take_outgoing(), r#"38:{"type":"hello","username":"Анна"}"#.as_bytes());
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn new(name: UserName, saved: Saved, seed: [u8; 32]) -> Self {
        let mut client = Self {
            begin: Begin::Resume,
            is_persistent: false,
            has_joined: false,
            secret: Secret::new(seed),
            chance: Chance::new(Secret::new(seed)),
            backoff: Backoff::default(),
            attempts: Attempts::default(),
            phase: Phase::Idle,
            line: Line::default(),
            hearing: None,
            rooms: Rooms::new(&saved, Hearing::Hall, true),
            roster: Roster::default(),
            room_name: name.as_str().to_owned(),
            payload_bytes_max: PAYLOAD_BYTES_MAX,
            code: None,
            label: None,
            saved,
            has_changed: false,
            said: VecDeque::new(),
            changes: Vec::new(),
            searches: Searches::default(),
            events: VecDeque::new(),
            outgoing: Vec::new(),
            name,
        };
        client.call();
        client.adopt_saved();
        client
    }

    /// Makes it come back by itself even before it has been in the room; otherwise a first attempt
    /// that fails is only [reported](Event::Offline).
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::{Client, UserName, client::{Event, Saved}};
    ///
    /// let name = UserName::new("bot")?;
    /// let mut bot = Client::new(name, Saved::default(), [7; 32]).persistent();
    /// assert_eq!(bot.next_event(), Some(Event::Connect));
    /// bot.disconnected(0); // Nobody answers.
    /// let Some(Event::Offline { retry_at_ms: Some(at), .. }) = bot.next_event() else { panic!() };
    /// assert_eq!(bot.next_deadline(), Some(at));
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    #[must_use]
    pub fn persistent(mut self) -> Self {
        self.is_persistent = true;
        self
    }

    /// Returns the next thing to do or to show, if there is one.
    ///
    /// A message counts as shown once its event is taken: [`Self::take_saved`] then has its number.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{Event, Saved}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.next_event(), Some(Event::Connect));
    /// assert_eq!(client.next_event(), None);
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn next_event(&mut self) -> Option<Event> {
        loop {
            let Queued { event, mark } = self.events.pop_front()?;
            if let Some(mark) = mark {
                self.save_mark(mark);
            }
            if event.is_some() {
                return event;
            }
        }
    }

    /// Takes the bytes that are to be written now, if any.
    ///
    /// A shell that cannot write them for now should not read on either, or the answers to a server
    /// that pings and does not read pile up.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// client.connected(0);
    /// assert_eq!(client.take_outgoing(), b""); // The server speaks first.
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn take_outgoing(&mut self) -> Vec<u8> {
        mem::take(&mut self.outgoing)
    }

    /// Returns the state to be stored, if it changed since the last call.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.take_saved(), None);
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn take_saved(&mut self) -> Option<&Saved> {
        mem::take(&mut self.has_changed).then_some(&self.saved)
    }

    /// Returns the time at which to call [`Self::handle_timeout`], on the clock of `now`, if any.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{HELLO_MS_MAX, Saved}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.next_deadline(), None);
    /// client.connected(5);
    /// assert_eq!(client.next_deadline(), Some(5 + HELLO_MS_MAX)); // For the welcome.
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn next_deadline(&self) -> Option<u64> {
        match &self.phase {
            Phase::Idle | Phase::Calling | Phase::Joined { protocol: Protocol::Original, .. } => {
                None
            }
            Phase::Waiting { until } | Phase::Connected { until } | Phase::Asked { until, .. } => {
                Some(*until)
            }
            Phase::Joined { protocol: Protocol::Second, .. } => Some(self.line.next_deadline()),
        }
    }

    /// Returns the state to be stored, changed or not.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{Cause, Event, Saved}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.saved().name(), "Анна");
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn saved(&self) -> &Saved {
        &self.saved
    }

    /// Returns the names of those present, our own included, in join order; without a line, those
    /// that were last known.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{Cause, Event, Saved}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert!(client.members().is_empty()); // Nobody is known yet.
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn members(&self) -> Vec<String> {
        self.roster.names()
    }

    /// Returns the name that we have in the room; before the first welcome the one asked for.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::{Cause, Event, Saved}};
    /// let mut client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert_eq!(client.name(), "Анна");
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn name(&self) -> &str {
        &self.room_name
    }

    /// Returns true while we are in the room.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pychat_wire::{Client, UserName, client::Saved};
    /// let client = Client::new(UserName::new("Анна")?, Saved::default(), [7; 32]);
    /// assert!(!client.is_joined());
    /// # Ok::<(), pychat_wire::NameError>(())
    /// ```
    pub fn is_joined(&self) -> bool {
        matches!(self.phase, Phase::Joined { .. })
    }

    fn tell(&mut self, event: Event) {
        self.events.push_back(Queued { event: Some(event), mark: None });
    }

    /// Tells an event; once it is taken, everything up to `seq` of `room` counts as shown.
    fn tell_shown(&mut self, event: Event, room: RoomId, seq: u64) {
        self.tell(event);
        self.mark_shown(room, seq);
    }
}

#[cfg(test)]
mod tests;
