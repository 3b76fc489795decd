//! Somebody with a client: what they said, what they were shown, and what survives them.

use std::collections::{HashMap, HashSet};

use pychat_wire::{
    Client, UserName,
    client::{
        self, Amended, Begin, Event, FailReason, Hearing, MessageId, RoomId, Saved, SearchEnd,
    },
    message::{Amendment, ErrorCode, RoomRequest},
};

use super::{
    Fault, Fired,
    shown::{Screen, Shown},
};

/// A text or an amendment that was taken.
#[derive(Debug)]
pub(crate) struct Said {
    id: MessageId,
    pub(crate) room: RoomId,
    /// The words of a text or of an edit.
    pub(crate) content: String,
    /// The log that the message belongs to, if it is an amendment of one.
    epoch: Option<usize>,
    pub(crate) care: Care,
}

/// Something that is done to a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Act {
    Edit,
    Delete,
    /// With an emoji, or with none.
    React,
}

/// The care that was taken to keep a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Care {
    NotYet,
    Stored,
    /// Its sender was killed before it was stored: it may have been sent, or not.
    Neglected,
    /// It was refused: its sender was not in the room, or could not do that to that message.
    Refused,
}

pub(crate) struct Person {
    pub(crate) name: UserName,
    /// True if they look at the last page first, and lose their screen when they are killed.
    pub(crate) is_window: bool,
    pub(crate) client: Client,
    /// The line that their client knows of.
    pub(crate) line: Option<usize>,
    pub(crate) is_calling: bool,
    pub(crate) said: Vec<Said>,
    /// The ids of the texts that the server has accepted, of all that were ever said.
    accepted: HashSet<MessageId>,
    /// The ids of the requests that are not answered.
    pub(crate) requests: HashSet<String>,
    /// The searches whose ends are still to come, by their ids.
    pub(crate) searches: HashMap<String, String>,
    /// The last search that may find more, and its cursor.
    pub(crate) found_more: Option<(String, String)>,
    /// The rooms that they know that they are in.
    rooms: HashSet<RoomId>,
    pub(crate) screen: Screen,
    stored: Saved,
    stored_screen: Screen,
    n_lives: u128,
}

impl Person {
    pub(crate) fn new(number: usize, is_window: bool) -> Self {
        let name = UserName::new(&format!("p{number}")).expect("a good name");
        let n_lives = (number as u128) << 64; // No two lives choose the same secrets.
        let mut person = Self {
            client: new_client(&name, Saved::default(), n_lives, is_window),
            name,
            is_window,
            line: None,
            is_calling: false,
            said: Vec::new(),
            accepted: HashSet::new(),
            requests: HashSet::new(),
            searches: HashMap::new(),
            found_more: None,
            rooms: HashSet::new(),
            screen: Screen::default(),
            stored: Saved::default(),
            stored_screen: Screen::default(),
            n_lives,
        };
        person.heed(&Fired::default());
        person
    }

    /// Says something that was never said before, if it can be said; perhaps in answer to number `reply`.
    pub(crate) fn say(&mut self, room: &RoomId, reply: Option<u64>) -> bool {
        let content = format!("@{}.{} says something", self.name.as_str(), self.said.len());
        let taken = match reply {
            None => self.client.say(room, &content),
            Some(target) => self.client.reply(room, target, &content),
        };
        let Ok(id) = taken else { return false };
        let (room, care) = (room.clone(), Care::NotYet);
        self.said.push(Said { id, room, content, epoch: None, care });
        true
    }

    /// Amends a message, if that can be done.
    pub(crate) fn amend(&mut self, room: &RoomId, target: u64, emoji: Option<&str>, act: Act) {
        let content = format!("={}.{} says more", self.name.as_str(), self.said.len());
        let amendment = match act {
            Act::Edit => Amendment::Edit { target, content: Some((&content).into()) },
            Act::Delete => Amendment::Delete { target },
            Act::React => Amendment::React { target, emoji: emoji.map(Into::into) },
        };
        if let Ok(id) = self.client.amend(room, amendment) {
            let (room, epoch) = (room.clone(), Some(self.epoch()));
            self.said.push(Said { id, room, content, epoch, care: Care::NotYet });
        }
    }

    /// Returns the last messages that are shown of a room: their numbers, and if they are the person's
    /// own.
    pub(crate) fn messages(&self, room: &RoomId) -> Vec<(u64, bool)> {
        let run = self.screen.rooms.get(room).and_then(|runs| runs.last());
        let shown = run.into_iter().flat_map(|run| run.shown.iter().rev());
        let messages = shown.filter_map(|shown| match shown {
            Shown::Message(message) => Some((message.seq?, message.own)),
            _ => None,
        });
        messages.take(8).collect()
    }

    /// Asks for a room to be made or changed.
    pub(crate) fn request(&mut self, request: RoomRequest<'_>) {
        self.requests.extend(self.client.change_room(request));
    }

    /// Does and shows what the client says; returns true if its line is to be closed.
    pub(crate) fn heed(&mut self, fired: &Fired) -> bool {
        let mut is_closing = false;
        while let Some(event) = self.client.next_event() {
            match event {
                Event::Connect => self.is_calling = true,
                Event::Disconnect => (is_closing, self.is_calling) = (true, false),
                Event::Message(message) => {
                    self.accepted.extend(message.id.clone());
                    let (room, epoch) = (message.room.clone(), self.epoch());
                    self.screen.show(&room, epoch, Shown::Message(message));
                }
                Event::Amended(amended) => self.on_amended(&amended, fired),
                Event::RoomEvent(record) => {
                    fired.note(if record.replayed { Fault::Missed } else { Fault::Happened });
                    let (room, epoch) = (record.room.clone(), self.epoch());
                    self.screen.show(&room, epoch, Shown::Event(record));
                }
                Event::Page(page) => {
                    let messages = page.messages.iter();
                    self.accepted.extend(messages.filter_map(|message| message.id.clone()));
                    let epoch = self.epoch();
                    self.screen.show_page(epoch, page);
                }
                Event::Gap { room, from, to } => {
                    fired.note(Fault::Gap);
                    let epoch = self.epoch();
                    self.screen.show(&room, epoch, Shown::Gap { from, to });
                }
                Event::NewEpoch => {
                    fired.note(Fault::OtherEpoch);
                    let rooms: Vec<_> = self.screen.rooms.keys().cloned().collect();
                    for room in rooms {
                        self.screen.end(&room);
                    }
                    self.know_rooms();
                }
                Event::Joined { .. } => self.know_rooms(),
                Event::RoomChanged(room) if self.rooms.insert(room.id.clone()) => {
                    fired.note(Fault::Entered);
                    let epoch = self.epoch();
                    self.screen.begin(&room.id, epoch, Some(room.last));
                }
                Event::RoomGone { room } => {
                    fired.note(Fault::Gone);
                    self.rooms.remove(&room);
                    self.screen.end(&room);
                }
                Event::RoomRequestDone { id, .. } => {
                    assert!(self.requests.remove(&id), "{id} is done, but was not asked for");
                    fired.note(Fault::Done);
                }
                Event::Denied { code, id, text } => self.on_denied(code, id, &text, fired),
                Event::Found { id, message } => {
                    assert!(self.searches.contains_key(&id), "{message:?} was not searched for");
                    fired.note(Fault::Found);
                }
                Event::SearchEnded { id, end } => self.on_search_ended(&id, end, fired),
                Event::Accepted { id, .. } => drop(self.accepted.insert(id)),
                Event::Offline { retry_at_ms, cause } => {
                    assert!(retry_at_ms.is_some(), "{cause:?}");
                }
                Event::Failed { room, id, said, reason } => {
                    self.on_failed(&room, &id, &said, &reason, fired);
                }
                Event::Refused { reason: text, .. } | Event::Notice { text } => panic!("{text}"),
                _ => (),
            }
        }
        is_closing
    }

    fn on_search_ended(&mut self, id: &str, end: SearchEnd, fired: &Fired) {
        let query = self.searches.remove(id).expect("a search of theirs");
        fired.note(match end {
            SearchEnd::Complete => Fault::FoundEnd,
            SearchEnd::More { before } => {
                self.found_more = Some((query, before));
                Fault::FoundMore
            }
            SearchEnd::Lost => Fault::SearchLost,
            SearchEnd::Refused { .. } => Fault::SearchRefused,
            other => panic!("{other:?}"),
        });
    }

    fn on_amended(&mut self, amended: &Amended, fired: &Fired) {
        let epoch = self.epoch();
        fired.note(match (&amended.amendment, amended.replayed) {
            (_, true) => Fault::AmendmentMissed,
            (Amendment::Edit { .. }, _) => Fault::Edited,
            (Amendment::Delete { .. }, _) => Fault::Deleted,
            _ => Fault::Reacted,
        });
        if let Some(said) = self.said.iter().find(|said| Some(&said.id) == amended.id.as_ref()) {
            assert_eq!(said.epoch, Some(epoch), "{amended:?} was meant for another message");
        }
        self.accepted.extend(amended.id.clone());
        self.screen.amend(epoch, amended);
    }

    fn on_failed(
        &mut self,
        room: &RoomId,
        id: &MessageId,
        words: &client::Said,
        reason: &FailReason,
        fired: &Fired,
    ) {
        let fault = match reason {
            FailReason::Refused { code: ErrorCode::NoMessage, .. } => Some(Fault::NoMessage),
            FailReason::Refused { code: ErrorCode::Forbidden, text }
                if text.contains("not yours") =>
            {
                Some(Fault::NotTheirs)
            }
            FailReason::Refused { code: ErrorCode::NoRoom | ErrorCode::Forbidden, .. }
                if !room.is_hall() =>
            {
                Some(Fault::Refused)
            }
            _ => None,
        };
        let fault = fault.unwrap_or_else(|| panic!("{words:?} failed in {room:?}: {reason:?}"));
        fired.note(fault);
        if let Some(said) = self.said.iter_mut().find(|said| said.id == *id) {
            said.care = Care::Refused;
        }
    }

    /// The rooms that a welcome told of are known; where in them more begins is not told.
    fn know_rooms(&mut self) {
        self.rooms = self.client.rooms().into_iter().map(|room| room.id).collect();
    }

    fn on_denied(&mut self, code: ErrorCode, id: Option<String>, text: &str, fired: &Fired) {
        let is_neglected = self.said.iter().any(|it| it.care == Care::Neglected);
        fired.note(match code {
            ErrorCode::NoRoom | ErrorCode::Forbidden => Fault::Outside,
            ErrorCode::NotDone | ErrorCode::NameTaken => Fault::NotDone,
            ErrorCode::Storage => Fault::NotStored,
            // A life before this one was killed before it had stored that it used the id, or that it
            // said something of a message.
            ErrorCode::IdReused | ErrorCode::NoMessage if is_neglected => Fault::KilledUnstored,
            code => panic!("{code:?}: {text}"),
        });
        if let Some(id) = id {
            let is_asked = self.requests.remove(&id) || is_neglected;
            assert!(is_asked, "{id} is denied, but was not asked for");
        }
    }

    /// Returns true if the server has accepted this text.
    pub(crate) fn has_accepted(&self, said: &Said) -> bool {
        self.accepted.contains(&said.id)
    }

    /// Stores what is to be stored, together with what was shown.
    pub(crate) fn store(&mut self) {
        if let Some(saved) = self.client.take_saved() {
            self.stored = saved.clone();
            self.stored_screen = self.screen.clone();
            self.care(Care::Stored);
        }
    }

    /// The process is gone; another one goes on from what was stored.
    pub(crate) fn kill(&mut self) {
        self.n_lives += 1;
        self.care(Care::Neglected);
        self.screen = if self.is_window { Screen::default() } else { self.stored_screen.clone() };
        self.requests.clear();
        self.searches.clear();
        let json = serde_json::to_string(&self.stored).expect("it can be written");
        let saved = serde_json::from_str(&json).expect("and read");
        self.client = new_client(&self.name, saved, self.n_lives, self.is_window);
        (self.line, self.is_calling) = (None, false);
        self.heed(&Fired::default());
    }

    fn care(&mut self, care: Care) {
        for said in self.said.iter_mut().filter(|said| said.care == Care::NotYet) {
            said.care = care;
        }
    }

    /// Returns which log is being shown.
    fn epoch(&self) -> usize {
        let saved = serde_json::to_value(self.client.saved()).expect("it can be written");
        let epoch = saved["epoch"].as_str().expect("somebody is shown something of it");
        usize::from_str_radix(epoch, 16).expect("the number of a log")
    }
}

fn new_client(name: &UserName, saved: Saved, seed: u128, is_window: bool) -> Client {
    let bytes = std::array::from_fn(|index| seed.to_le_bytes()[index % 16]);
    let begin = if is_window { Begin::LastPage(5) } else { Begin::Everything };
    let client = Client::new(name.clone(), saved, bytes).beginning(begin);
    client.hearing(Hearing::All).persistent()
}
