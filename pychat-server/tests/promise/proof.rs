//! The promise, checked against what became of it.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    path::Path,
};

use pychat_wire::{
    client::{MessageId, RoomId},
    message::{RoomEvent, RoomKind, RoomRequest},
};

use super::{
    memory::Answered,
    original::Original,
    person::Person,
    shown::{Screen, Shown},
    stored::{self, Stored},
};
use crate::kit::{Oracle, oracle::line};

/// The logs of all rooms. The hall's is as everybody together has heard it, which is as a newcomer
/// reads it page by page and as the file has it; those of the others are as the file has them.
#[derive(Debug)]
pub(crate) struct Log {
    rooms: BTreeMap<RoomId, Vec<Shown>>,
    /// The room and the index of each text.
    places: HashMap<String, (RoomId, usize)>,
    stored: Stored,
    epoch: String,
}

impl Log {
    /// Takes the log that people have heard, and holds what `witness` has read and the server's
    /// `file` against it.
    #[track_caller]
    pub(crate) fn of(oracle: &Oracle, stored: Stored, witness: &Person, file: &Path) -> Self {
        let entries = oracle.messages().map(|(seq, message)| Shown {
            seq,
            time_ms: message.time,
            author: message.author.clone(),
            content: line(&message.content).to_owned(),
            event: None,
        });
        let entries = entries.collect::<Vec<_>>();
        let hall = witness.hall().expect("who is there knows the hall");
        check_same(&hall.shown.values().collect::<Vec<_>>(), &refs(&entries), "who reads all");
        let mut rooms = stored.records.clone();
        rooms.insert(RoomId::hall(), entries);
        let epoch = witness.epoch().expect("who is in the room knows the epoch");
        let mut log = Self { rooms, places: HashMap::new(), stored, epoch };
        log.check_file(file);
        log.find_places();
        log
    }

    /// Returns how many records there are.
    pub(crate) fn len(&self) -> usize {
        self.rooms.values().map(Vec::len).sum()
    }

    /// Finds each text, which is there once.
    #[track_caller]
    fn find_places(&mut self) {
        for (room, records) in &self.rooms {
            for (index, entry) in records.iter().enumerate().filter(|(_, it)| it.event.is_none()) {
                let place = (room.clone(), index);
                if let Some(first) = self.places.insert(entry.content.clone(), place) {
                    panic!("{entry:?} in {room:?} is there twice: {first:?}");
                }
            }
        }
    }

    /// Checks that the hall is in the file as people have heard it.
    #[track_caller]
    fn check_file(&self, file: &Path) {
        let connection = stored::open(file);
        let epoch: String =
            connection.query_row("SELECT epoch FROM meta", [], |row| row.get(0)).unwrap();
        assert_eq!(epoch, self.epoch, "what the file is called");
        // What somebody of protocol 1 said on a line that is gone may yet have been added.
        let hall = &self.rooms[&RoomId::hall()];
        let mut rows = connection
            .prepare(
                "SELECT key, time_ms, author, content, kind FROM records ORDER BY key LIMIT ?1",
            )
            .unwrap();
        let rows = rows.query_map([hall.len()], stored::shown).unwrap();
        let rows: Vec<_> = rows.map(|row| row.unwrap().1).collect();
        check_same(hall, &rows, "who reads the file");
    }

    /// Everything from where they began was shown once and in order, all that they said is there once,
    /// and all that they asked for was done or refused.
    #[track_caller]
    pub(crate) fn check_person(&self, person: &Person, oracle: &Oracle) {
        let name = person.name.as_str();
        assert_eq!(person.epoch().as_ref(), Some(&self.epoch), "the log that {name} knows");
        for (room, screen) in &person.memory.screens {
            let records = &self.rooms[room];
            for (seq, shown) in &screen.shown {
                let there = usize::try_from(seq - 1).ok().and_then(|index| records.get(index));
                assert_eq!(Some(shown), there, "what {name} was shown in {room:?}");
            }
            if room.is_hall() {
                self.check_hall(person, screen);
            } else {
                self.check_room(name, room, screen, oracle);
            }
        }
        for (id, room, text) in &person.memory.texts.said {
            self.check_said(person, id, room, text);
        }
        for (id, answered) in &person.memory.answered {
            self.check_answered(name, id, answered);
        }
    }

    #[track_caller]
    fn check_hall(&self, person: &Person, screen: &Screen) {
        let (name, last) = (person.name.as_str(), self.rooms[&RoomId::hall()].len() as u64);
        assert_eq!(screen.next(), Some(last + 1), "how far {name} was shown");
        let first = if person.memory.is_window { screen.oldest() } else { screen.begun_at };
        let first = first.expect("everybody has begun");
        let shown = screen.shown.range(first..).map(|(seq, _)| *seq);
        assert!(shown.eq(first..=last), "{name} was not shown all from {first} to {last}");
        if !person.memory.is_window {
            let begun = screen.shown.first_key_value().map_or(first, |(seq, _)| *seq);
            assert_eq!(begun, first, "where {name} began");
        }
    }

    /// Members have all of a room; what others were shown as it was said was said while they were in it.
    #[track_caller]
    fn check_room(&self, name: &str, room: &RoomId, screen: &Screen, oracle: &Oracle) {
        let stays = oracle.rooms()[room.as_str()].stays();
        assert!(screen.shown.is_empty() || stays.had(name), "{name} was never in {room:?}");
        for seq in &screen.live {
            assert!(stays.has(name, *seq), "{name} was shown {seq} of {room:?}, being out of it");
        }
        if self.stored.rooms_of(name).contains_key(room) {
            let n_shown = screen.shown.len();
            assert_eq!(n_shown, self.rooms[room].len(), "{name} was not shown all of {room:?}");
        }
    }

    #[track_caller]
    fn check_said(&self, person: &Person, id: &MessageId, room: &RoomId, text: &str) {
        let (name, texts) = (person.name.as_str(), &person.memory.texts);
        let Some(seq) = texts.acknowledged.get(id) else {
            assert!(texts.failed.contains(id), "{name} said {text:.40}, which is not accepted");
            return;
        };
        let index = usize::try_from(seq - 1).unwrap();
        let entry = &self.rooms[room][index];
        assert_eq!((entry.author.as_str(), entry.content.as_str()), (name, text), "{seq}");
    }

    /// Checks that a request that was done is in the log, and that a room that was refused is not.
    #[track_caller]
    fn check_answered(&self, name: &str, id: &str, answered: &Answered) {
        let Answered { request, room } = answered;
        let place = self.stored.asked.get(&(id.to_owned(), name.to_owned()));
        let Some(room) = room else {
            let is_making = matches!(request, RoomRequest::CreateRoom { .. });
            assert!(place.is_none() || !is_making, "{name} was refused {request:?}, at {place:?}");
            return;
        };
        let records = &self.rooms[room];
        let event = match request {
            RoomRequest::Direct { with } => {
                let members = &self.stored.members[room];
                assert_eq!(self.stored.kinds[room], RoomKind::Direct);
                assert!(members.contains(name), "{name} is not in {room:?}");
                assert!(with.0.iter().all(|it| members.contains(&**it)), "{with:?}: {members:?}");
                return;
            }
            RoomRequest::LeaveRoom { .. } => {
                let is_going = |it: &Shown| match it.event {
                    Some(RoomEvent::Left) => it.author == name,
                    Some(RoomEvent::Removed) => it.content == name,
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
        let index = usize::try_from(seq - 1).unwrap();
        assert_eq!((place, records[index].event), (room, Some(event)), "{request:?}");
    }

    /// Nothing that they said was overtaken by what they said later in the same room.
    #[track_caller]
    pub(crate) fn check_order(&self, person: &Person) {
        let mut places: BTreeMap<&RoomId, Vec<usize>> = BTreeMap::new();
        for (_, room, text) in &person.memory.texts.said {
            if let Some((there, index)) = self.places.get(text) {
                assert_eq!(room, there, "{text:.40} is elsewhere");
                places.entry(room).or_default().push(*index);
            }
        }
        for (room, places) in places {
            let name = person.name.as_str();
            assert!(places.is_sorted(), "{name} was overtaken in {room:?}: {places:?}");
        }
    }

    /// Checks that what was heard on each line is a part of the hall without a hole, and that what
    /// came back is there.
    #[track_caller]
    pub(crate) fn check_original(&self, original: &mut Original) {
        let (name, hall) = (original.name.clone(), &self.rooms[&RoomId::hall()]);
        for run in original.take_runs() {
            let Some((_, content)) = run.heard.first() else { continue };
            let first = self.places.get(content.as_str()).filter(|(room, _)| room.is_hall());
            let first = first.unwrap_or_else(|| panic!("{name} heard {content:?}, never said")).1;
            let end = (first + run.heard.len()).min(hall.len());
            let part = hall[first..end].iter();
            let part: Vec<_> =
                part.map(|entry| (entry.author.clone(), entry.content.clone())).collect();
            check_same(&run.heard, &part, &name);
        }
        for text in &original.acknowledged {
            assert!(self.places.contains_key(text.as_str()), "{name}'s {text:?} is lost");
        }
    }

    /// Nothing is there that was lost before it was sent.
    #[track_caller]
    pub(crate) fn check_unsent(&self, people: &[Person]) {
        for text in people.iter().flat_map(|person| &person.memory.texts.void) {
            assert!(!self.places.contains_key(text.as_str()), "{text:?} was never sent");
        }
    }
}

fn refs(entries: &[Shown]) -> Vec<&Shown> {
    entries.iter().collect()
}

/// All that somebody was shown is what there is.
#[track_caller]
fn check_same<T: fmt::Debug + PartialEq>(shown: &[T], there: &[T], name: &str) {
    for (shown, there) in shown.iter().zip(there) {
        assert_eq!(shown, there, "what {name} was shown, and what is in the log");
    }
    assert_eq!(shown.len(), there.len(), "how much {name} was shown, and how much there is");
}
