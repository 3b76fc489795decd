//! The promise, checked against what became of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
};

use pychat_wire::{
    client::{FailReason, RoomId, Said},
    message::{Amendment, ErrorCode, HALL, RoomEvent, RoomKind, RoomRequest},
};

use super::{
    memory::Answered,
    original::Original,
    person::{Person, is_not_theirs},
    shown::{Screen, Shown, What},
    stored::{self, Record, Stored},
    tally::{Effect, Tally},
    texts::Utterance,
};
use crate::kit::{Oracle, oracle::line};

/// More messages than there are: whatever is answered is known.
const MESSAGES_MAX: u64 = u32::MAX as u64;

/// The logs of all rooms, as the file has them; the hall's as far as anybody has heard it.
#[derive(Debug)]
pub(crate) struct Log {
    stored: Stored,
    /// The room and the number of each text and of each edit, by its words.
    places: HashMap<String, (RoomId, u64)>,
    /// The records that protocol 1 is told of, in order: the author, and the words that it may be told, `None`
    /// where it need not be told of it.
    told: Vec<(String, Vec<Option<String>>)>,
    epoch: String,
}

impl Log {
    /// Takes the server's `file`, of which people have heard all, and holds what `witness` has read
    /// against it.
    #[track_caller]
    pub(crate) fn of(oracle: &Oracle, stored: Stored, witness: &Person, file: &Path) -> Self {
        let hall = &stored.records[&RoomId::hall()];
        assert_eq!(hall.len() as u64, oracle.last(), "how much of the hall is in the file");
        let epoch = witness.epoch().expect("who is in the room knows the epoch");
        let there: String =
            stored::open(file).query_row("SELECT epoch FROM meta", [], |row| row.get(0)).unwrap();
        assert_eq!(there, epoch, "what the file is called");
        let (told, places) = (told_in_one(oracle), find_places(oracle));
        let log = Self { stored, places, told, epoch };
        let hall = witness.hall().expect("who is there knows the hall");
        assert_eq!(hall.oldest(), Some(1), "who reads all");
        log.check_screen(witness, &RoomId::hall(), hall);
        log
    }

    /// Returns how many records there are.
    pub(crate) fn len(&self) -> usize {
        self.stored.records.values().map(Vec::len).sum()
    }

    /// Everything from where they began was shown once and in order, looks as it does in the file, and all
    /// that they said is there once; all that they asked for was done or refused.
    #[track_caller]
    pub(crate) fn check_person(&self, person: &Person, oracle: &Oracle) {
        let name = person.name.as_str();
        assert_eq!(person.epoch().as_ref(), Some(&self.epoch), "the log that {name} knows");
        for (room, screen) in &person.memory.screens {
            self.check_screen(person, room, screen);
            if !room.is_hall() {
                self.check_room(name, room, screen, oracle);
            }
        }
        for utterance in &person.memory.texts.said {
            self.check_said(person, utterance, oracle);
        }
        for (id, answered) in &person.memory.answered {
            self.check_answered(name, id, answered);
        }
    }

    /// Checks a room as somebody sees it. What they have seen without a break looks as it does now; the
    /// numbers that are missing from it are amendments.
    #[track_caller]
    fn check_screen(&self, person: &Person, room: &RoomId, screen: &Screen) {
        let (name, last) = (person.name.as_str(), self.stored.records[room].len() as u64);
        let first = if room.is_hall() { self.check_hall(person, screen) } else { screen.oldest() };
        let current = first.map_or(0..0, |first| first..last + 1);
        for (seq, shown) in &screen.shown {
            let there = self.stored.record(room, *seq).map(|record| &record.shown);
            let is_it = |there: &Shown| {
                there.is_same(shown) && (!current.contains(seq) || there.looks_like(shown))
            };
            let is_it = there.is_some_and(is_it);
            assert!(is_it, "{name} was shown {shown:?} in {room:?}, and it is {there:?}");
        }
        for seq in current.filter(|seq| !screen.shown.contains_key(seq)) {
            let there = self.stored.record(room, seq).expect("it is no later than the last");
            let is_left_out = there.shown.is_amendment();
            assert!(is_left_out, "{name} was not shown {there:?} in {room:?}");
        }
    }

    /// Returns the first number from which on somebody must have been shown all of the hall.
    #[track_caller]
    fn check_hall(&self, person: &Person, screen: &Screen) -> Option<u64> {
        let (name, last) =
            (person.name.as_str(), self.stored.records[&RoomId::hall()].len() as u64);
        assert_eq!(screen.next(), Some(last + 1), "how far {name} was shown");
        if person.memory.is_window {
            return screen.oldest();
        }
        let first = screen.begun_at.expect("everybody has begun");
        let shown = screen.shown.keys().copied();
        assert!(shown.eq(first..=last), "{name} was not shown all from {first} to {last}");
        Some(first)
    }

    /// Members have all of a room; what others were shown as it was said was said while they were in it.
    #[track_caller]
    fn check_room(&self, name: &str, room: &RoomId, screen: &Screen, oracle: &Oracle) {
        let stays = oracle.rooms()[room.as_str()].stays();
        assert!(screen.shown.is_empty() || stays.had(name), "{name} was never in {room:?}");
        for seq in &screen.live {
            assert!(stays.has(name, *seq), "{name} was shown {seq} of {room:?}, being out of it");
        }
        if let Some(last) = self.stored.rooms_of(name).get(room) {
            let span = (screen.oldest(), screen.next());
            assert_eq!(span, (Some(1), Some(last + 1)), "what {name} was shown of {room:?}");
        }
    }

    /// Checks that something that was said is in the log once, or could not be.
    #[track_caller]
    fn check_said(&self, person: &Person, utterance: &Utterance, oracle: &Oracle) {
        let Utterance { id, room, said, of } = utterance;
        let (name, texts) = (person.name.as_str(), &person.memory.texts);
        let target = match (said, of) {
            (Said::Text { reply, .. }, _) => *reply,
            (Said::Amendment(amendment), None) => Some(amendment.target()),
            (Said::Amendment(_), Some(of)) => texts.acknowledged.get(of).copied(),
        };
        let place = self.stored.by_id.get(&(id.as_str().to_owned(), name.to_owned()));
        let Some(seq) = texts.acknowledged.get(id) else {
            return self.check_refused(person, utterance, target, place.is_some(), oracle);
        };
        assert_eq!(place, Some(&(room.clone(), *seq)), "where {name}'s {said:.60?} is");
        let record = self.stored.record(room, *seq).expect("it is there");
        let is_it = match (said, &record.shown.what) {
            (Said::Text { .. }, What::Message { reply, .. }) => *reply == target,
            (Said::Amendment(said), What::Amendment(there)) => {
                let emoji = |it: &Amendment<'_>| match it {
                    Amendment::React { emoji, .. } => emoji.as_deref().map(ToOwned::to_owned),
                    _ => None,
                };
                (said.kind(), target, emoji(said))
                    == (there.kind(), Some(there.target()), emoji(there))
            }
            _ => false,
        };
        assert!(is_it, "{name} said {said:.60?}, and it is {record:.60?}");
    }

    /// Checks that something that was not accepted could not be, and is not there.
    #[track_caller]
    fn check_refused(
        &self,
        person: &Person,
        utterance: &Utterance,
        target: Option<u64>,
        is_there: bool,
        oracle: &Oracle,
    ) {
        let Utterance { id, room, said, of } = utterance;
        let texts = &person.memory.texts;
        let log = &oracle.rooms()[room.as_str()];
        let is_restoring = matches!(said, Said::Amendment(Amendment::Restore { .. }));
        let is_explained = match texts.failed.get(id) {
            Some(FailReason::Refused { code: ErrorCode::NoMessage, .. }) => {
                let target = target.expect("it was about one");
                let is_message = self.stored.record(room, target);
                let is_message = is_message.is_some_and(|it| it.shown.state().is_some());
                !is_there && (!is_message || is_restoring || log.was_deleted(target))
            }
            Some(FailReason::Refused { text, .. }) if is_not_theirs(text) => {
                let author = target.map(|target| &*log.message(target).author);
                !is_there && author != Some(person.name.as_str())
            }
            // It was taken back before it was sent.
            None if texts.void_ids.contains(id) => !is_there,
            // Who has left a room is told so of what the room may have.
            Some(_) => !room.is_hall(),
            None if texts.withdrawn.contains(id) => !room.is_hall(),
            None => of.as_ref().is_some_and(|of| texts.is_given_up(of)),
        };
        assert!(is_explained, "{:?} of {} is lost", utterance, person.name.as_str());
    }

    /// Checks that a request that was done is in the log, and that a room that was refused is not.
    #[track_caller]
    fn check_answered(&self, name: &str, id: &str, answered: &Answered) {
        let Answered { request, room } = answered;
        let place = self.stored.by_id.get(&(id.to_owned(), name.to_owned()));
        let Some(room) = room else {
            let is_making = matches!(request, RoomRequest::CreateRoom { .. });
            assert!(place.is_none() || !is_making, "{name} was refused {request:?}, at {place:?}");
            return;
        };
        let records = &self.stored.records[room];
        let event = match request {
            RoomRequest::Direct { with } => {
                let members = &self.stored.members[room];
                assert_eq!(self.stored.kinds[room], RoomKind::Direct);
                assert!(members.contains(name), "{name} is not in {room:?}");
                assert!(with.0.iter().all(|it| members.contains(&**it)), "{with:?}: {members:?}");
                return;
            }
            RoomRequest::LeaveRoom { .. } => {
                let is_going = |it: &Record| match it.shown.event() {
                    Some((RoomEvent::Left, _)) => it.shown.author == name,
                    Some((RoomEvent::Removed, subject)) => subject == name,
                    _ => false,
                };
                assert!(records.iter().any(is_going), "{name} has not left {room:?}");
                return;
            }
            RoomRequest::CreateRoom { .. } => RoomEvent::Created,
            RoomRequest::JoinRoom { .. } => RoomEvent::Joined,
            RoomRequest::AddMember { .. } => RoomEvent::Added,
            RoomRequest::RemoveMember { .. } => RoomEvent::Removed,
            RoomRequest::UpdateRoom { name: Some(_), .. } => RoomEvent::Renamed,
            RoomRequest::UpdateRoom { .. } => RoomEvent::Topic,
        };
        let Some((place, seq)) = place else { panic!("{request:?} of {name}'s is not there") };
        let record = self.stored.record(place, *seq).expect("it is there");
        let there = record.shown.event().map(|(event, _)| event);
        assert_eq!((place, there), (room, Some(event)), "{request:?}");
    }

    /// Nothing that they said was overtaken by what they said later in the same room; but a change of a
    /// text waits for the number of that.
    #[track_caller]
    pub(crate) fn check_order(&self, person: &Person) {
        let name = person.name.as_str();
        let mut places: BTreeMap<&RoomId, Vec<u64>> = BTreeMap::new();
        for Utterance { id, .. } in person.memory.texts.said.iter().filter(|it| it.of.is_none()) {
            let place = self.stored.by_id.get(&(id.as_str().to_owned(), name.to_owned()));
            if let Some((room, seq)) = place {
                places.entry(room).or_default().push(*seq);
            }
        }
        for (room, places) in places {
            assert!(places.is_sorted(), "{name} was overtaken in {room:?}: {places:?}");
        }
    }

    /// Checks that what was heard on each line is a part of what protocol 1 is told of the hall without a
    /// hole, and that what came back is there.
    #[track_caller]
    pub(crate) fn check_original(&self, original: &mut Original, tally: &mut Tally) {
        let name = original.name.clone();
        for run in original.take_runs() {
            self.check_run(&run.heard, &name);
            for (_, content) in &run.heard[run.n_taken..] {
                if content.starts_with('✎') {
                    tally.note_effect(Effect::EditHeardInOne);
                } else if content.starts_with('>') {
                    tally.note_effect(Effect::ReplyHeardInOne);
                }
            }
        }
        for text in &original.acknowledged {
            assert!(self.places.contains_key(text.as_str()), "{name}'s {text:?} is lost");
        }
    }

    /// Checks that what was heard on one line is a part of what protocol 1 is told without a hole.
    #[track_caller]
    fn check_run(&self, heard: &[(String, String)], name: &str) {
        let mut places: BTreeSet<_> = (0..self.told.len()).collect();
        for (author, content) in heard {
            let mut next = BTreeSet::new();
            for place in &places {
                for (place, (by, texts)) in self.told.iter().enumerate().skip(*place) {
                    let is_it = |text: &Option<String>| text.as_deref() == Some(content);
                    if by == author && texts.iter().any(is_it) {
                        next.insert(place + 1);
                    }
                    if !texts.contains(&None) {
                        break;
                    }
                }
            }
            let due: Vec<_> = places.iter().take(2).map(|place| self.told.get(*place)).collect();
            assert!(!next.is_empty(), "{name} heard {content:?} of {author}, and is told {due:?}");
            places = next;
        }
    }

    /// Nothing is there that was lost, taken back or replaced before it was sent.
    #[track_caller]
    pub(crate) fn check_unsent(&self, people: &[Person]) {
        for person in people {
            let texts = &person.memory.texts;
            for text in &texts.void {
                assert!(!self.places.contains_key(text.as_str()), "{text:?} was never sent");
            }
            for id in &texts.void_ids {
                let id = (id.as_str().to_owned(), person.name.as_str().to_owned());
                assert_eq!(self.stored.by_id.get(&id), None, "it was never sent");
            }
        }
    }
}

/// Finds each text and each edit, which are there once.
#[track_caller]
fn find_places(oracle: &Oracle) -> HashMap<String, (RoomId, u64)> {
    let mut places = HashMap::new();
    for (room, (seq, message)) in
        oracle.rooms().iter().flat_map(|(room, log)| log.messages().map(move |it| (room, it)))
    {
        let is_edit = matches!(message.amendment, Some(Amendment::Edit { .. }));
        if message.is_text() || is_edit {
            let place = (RoomId::from(&**room), seq);
            if let Some(first) = places.insert(line(message.words()).to_owned(), place) {
                panic!("{message:.60?} in {room:?} is there twice: {first:?}");
            }
        }
    }
    places
}

/// Returns the records that protocol 1 is told of, in order: the author, and the words that it may be told.
fn told_in_one(oracle: &Oracle) -> Vec<(String, Vec<Option<String>>)> {
    let Some(hall) = oracle.rooms().get(HALL) else { return Vec::new() };
    let told = if oracle.is_shared {
        hall.told_later_in_one()
    } else {
        let told = hall.told_in_one(MESSAGES_MAX).into_iter();
        told.map(|(seq, texts)| (seq, vec![Some(texts[0].clone())])).collect()
    };
    let lines = |texts: Vec<Option<String>>| {
        texts.into_iter().map(|text| text.map(|text| line(&text).to_owned())).collect()
    };
    told.into_iter().map(|(seq, texts)| (hall.message(seq).author.clone(), lines(texts))).collect()
}
