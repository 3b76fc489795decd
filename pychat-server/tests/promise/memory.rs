//! The records that a person was shown and the texts that they said, in all their lives.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pychat_wire::{
    client::{Amended, Message, MessageId, Page, RoomId, RoomRecord},
    message::RoomRequest,
};

use super::{
    plan::Habit,
    shown::{Screen, Shown},
    texts::Texts,
};

/// The memory of one person of protocol 2.
#[derive(Debug)]
pub(crate) struct Memory {
    name: String,
    /// It is one device of several of the same person.
    pub(crate) is_shared: bool,
    /// A window forgets what it was shown when it is closed.
    pub(crate) is_window: bool,
    pub(crate) screens: BTreeMap<RoomId, Screen>,
    /// The rooms that they are in, as they were told.
    pub(crate) rooms: BTreeSet<RoomId>,
    pub(crate) texts: Texts,
    /// The requests that are not answered, in this life.
    pub(crate) asked: HashMap<String, Asked>,
    /// The requests that were answered, by their ids.
    pub(crate) answered: Vec<(String, Answered)>,
}

/// A request that is not answered.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) request: RoomRequest<'static>,
    /// It was sent on more than one line.
    pub(crate) is_repeated: bool,
}

/// A request that was answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) request: RoomRequest<'static>,
    /// The room in which it was done; `None` if it was refused.
    pub(crate) room: Option<RoomId>,
}

impl Memory {
    /// Returns the memory of somebody who was never there.
    pub(crate) fn new(name: &str, habit: Habit) -> Self {
        Self {
            name: name.to_owned(),
            is_shared: false,
            is_window: matches!(habit, Habit::Window { .. }),
            screens: BTreeMap::new(),
            rooms: BTreeSet::new(),
            texts: Texts::default(),
            asked: HashMap::new(),
            answered: Vec::new(),
        }
    }

    /// Begins a life in which everything after these numbers counts as not shown.
    pub(crate) fn live(&mut self, saved: &BTreeMap<RoomId, u64>) {
        self.asked.clear();
        self.rooms = saved.keys().cloned().collect();
        for screen in self.screens.values_mut() {
            screen.close();
        }
        if !self.is_window {
            for (room, seq) in saved {
                self.screens.entry(room.clone()).or_default().open(*seq);
            }
        }
    }

    /// Takes in that they were let in, when everything up to these numbers counted as shown.
    #[track_caller]
    pub(crate) fn join(&mut self, saved: &BTreeMap<RoomId, u64>) {
        for (room, seq) in saved {
            self.enter(room, *seq);
        }
        self.asked.values_mut().for_each(|asked| asked.is_repeated = true);
    }

    /// Notes a request that was made.
    pub(crate) fn ask(&mut self, id: String, request: RoomRequest<'static>) {
        self.asked.insert(id, Asked { request, is_repeated: false });
    }

    /// Takes in the answer to a request; returns the request.
    #[track_caller]
    pub(crate) fn answer(&mut self, id: String, room: Option<RoomId>) -> Asked {
        let asked = self.asked.remove(&id);
        let asked = asked.unwrap_or_else(|| panic!("{} did not ask for {id}", self.name));
        let request = asked.request.clone();
        self.answered.push((id, Answered { request, room }));
        asked
    }

    /// Takes in that they are in a room, when everything in it up to `seq` counts as shown.
    #[track_caller]
    pub(crate) fn enter(&mut self, room: &RoomId, seq: u64) {
        let screen = self.screens.entry(room.clone()).or_default();
        self.rooms.insert(room.clone());
        if screen.next().is_none() {
            screen.open(seq);
        }
        assert_eq!(screen.next(), Some(seq + 1), "what {} has of {room:?}", self.name);
    }

    /// Takes in that they are in a room no more.
    #[track_caller]
    pub(crate) fn go(&mut self, room: &RoomId) {
        assert!(self.rooms.remove(room), "{} is not in {room:?}", self.name);
        // A window that was closed shows nothing of the rooms that it knows.
        self.screens.entry(room.clone()).or_default().close();
    }

    /// Takes in a message that was shown, which must be the next of its room; returns true if another
    /// device of the same person has said it.
    #[track_caller]
    pub(crate) fn show(&mut self, message: Message) -> bool {
        let (room, id) = (message.room.clone(), message.id.clone());
        let (is_own, is_live) = (message.own, !message.replayed);
        self.show_said(&room, id, is_own, Shown::from(message), is_live)
    }

    /// Takes in an amendment that was shown, which must be the next record of its room; returns true if
    /// another device of the same person has said it.
    #[track_caller]
    pub(crate) fn amend(&mut self, amended: Amended) -> bool {
        let (room, id) = (amended.room.clone(), amended.id.clone());
        let (is_own, is_live) = (amended.own, !amended.replayed);
        self.show_said(&room, id, is_own, Shown::from(amended), is_live)
    }

    #[track_caller]
    fn show_said(
        &mut self,
        room: &RoomId,
        id: Option<MessageId>,
        is_own: bool,
        shown: Shown,
        is_live: bool,
    ) -> bool {
        assert_eq!(is_own, shown.author == self.name, "whose it is: {shown:?}");
        let said_elsewhere = id.as_ref().is_some_and(|id| self.is_of_another(id));
        if let Some(id) = id.filter(|_| !said_elsewhere) {
            self.texts.acknowledge(id, shown.seq);
        }
        self.show_next(room, shown, is_live);
        said_elsewhere
    }

    /// Takes in a record that is no message, which must be the next of its room.
    #[track_caller]
    pub(crate) fn show_event(&mut self, record: RoomRecord) {
        let (room, is_live) = (record.room.clone(), !record.replayed);
        assert_eq!(record.own, record.username == self.name, "whose it is: {record:?}");
        self.show_next(&room, Shown::from(record), is_live);
    }

    #[track_caller]
    fn show_next(&mut self, room: &RoomId, shown: Shown, is_live: bool) {
        let name = self.name.clone();
        self.screen(room).show(&name, shown, is_live);
    }

    /// Returns true if another device has said the text with this id.
    fn is_of_another(&self, id: &MessageId) -> bool {
        self.is_shared && !self.texts.has(id)
    }

    /// Takes in a page of older records, which goes before all that was shown.
    #[track_caller]
    pub(crate) fn show_page(&mut self, page: Page) {
        for message in &page.messages {
            if let (Some(id), Some(seq)) = (message.id.clone(), message.seq)
                && !self.is_of_another(&id)
            {
                self.texts.acknowledge(id, seq);
            }
        }
        let messages = page.messages.into_iter().map(Shown::from);
        let mut older: Vec<_> = messages.chain(page.events.into_iter().map(Shown::from)).collect();
        older.sort_by_key(|shown| shown.seq);
        let name = self.name.clone();
        self.screen(&page.room).show_older(&name, older);
    }

    /// Takes in that a window missed so much of a room that it begins anew after `seq`.
    #[track_caller]
    pub(crate) fn skip_to(&mut self, room: &RoomId, seq: u64) {
        assert!(self.is_window, "{} is shown everything", self.name);
        self.screen(room).skip_to(seq);
    }

    /// Takes in that numbers of a room are not shown: that is so where they are out of the room next.
    #[track_caller]
    pub(crate) fn miss(&mut self, room: &RoomId, from: u64, to: u64) {
        assert!(!room.is_hall(), "{} misses {from} to {to} of the hall", self.name);
        self.screen(room).miss(from, to);
    }

    #[track_caller]
    fn screen(&mut self, room: &RoomId) -> &mut Screen {
        let name = &self.name;
        self.screens.get_mut(room).unwrap_or_else(|| panic!("{name} was never in {room:?}"))
    }
}
