//! Everything that people have said, and that they have been told.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use pychat_wire::{
    ServerMessage,
    message::{HALL, PAGE_MESSAGES_MAX, Positions, Resume, RoomList},
};

use super::{Outcome, Pace};
use crate::SENDERS;

/// The things that people have said and have been told.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) greeted: usize,
    pub(super) joined: usize,
    /// The records that were sent to people who had missed them.
    pub(super) replayed: usize,
    /// The rooms of everybody, as their welcomes named them.
    pub(super) seats: Places,
    /// The rooms of the events that answered requests, by the ids of these.
    pub(super) answers: HashMap<String, String>,
    /// The rooms in which people talk.
    pub(super) places: Vec<Place>,
    /// When each message was said, the index of its room, and its author.
    said_at: HashMap<usize, (Instant, usize, usize)>,
    n_said: usize,
    /// The times that the deliveries took.
    pub(super) latencies: Vec<Duration>,
    /// From whom each of them was, and to whom.
    pub(super) ways: Vec<(usize, usize)>,
}

/// A room in which people talk.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) room: String,
    pub(super) people: usize,
    /// Those who speak, in turns.
    pub(super) senders: Vec<usize>,
    pub(super) said: usize,
    /// The number of deliveries.
    heard: usize,
}

/// The numbers of records of rooms, by person.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    epoch: String,
    by_person: HashMap<usize, Vec<(String, u64)>>,
}

impl Heard {
    /// Returns that of `people` of whom some talk in the hall.
    pub(super) fn of_hall(people: usize) -> Self {
        let senders = (1..=SENDERS.min(people)).map(|index| people - index).collect();
        Self { places: vec![Place::new(HALL, people, senders)], ..Self::default() }
    }

    /// Prepares for so many messages in each room; returns how many deliveries they are.
    pub(super) fn begin_talk(&mut self, messages: usize) -> usize {
        self.said_at.clear();
        for place in &mut self.places {
            (place.said, place.heard) = (0, 0);
        }
        self.places.iter().map(|place| messages * place.people).sum()
    }

    /// Returns how many messages may have been said in a room by now, in a talk that began at `begin`.
    pub(super) fn may_say(&self, number: usize, pace: Pace, begin: Instant) -> usize {
        let heard_by_all = |place: &Place| place.heard / place.people;
        match pace {
            Pace::InFlight(count) => heard_by_all(&self.places[number]) + count,
            Pace::Together(count) => {
                // They take turns.
                let may_say = self.places.iter().map(heard_by_all).sum::<usize>() + count;
                let rooms = self.places.len();
                may_say / rooms + usize::from(number < may_say % rooms)
            }
            Pace::PerSecond(count) => {
                let due = begin.elapsed().div_duration_f64(Duration::from_secs(1) / count);
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let due = due as usize;
                due + 1
            }
        }
    }

    /// Notes that something is said in a room; returns its number, which is not that of the record, and
    /// its author.
    pub(super) fn note_said(&mut self, place: usize) -> (usize, usize) {
        let number = self.n_said;
        self.n_said += 1;
        let index = place;
        let place = &mut self.places[index];
        let sender = place.senders[place.said % place.senders.len()];
        place.said += 1;
        self.said_at.insert(number, (Instant::now(), index, sender));
        (number, sender)
    }

    /// Takes what person `number` was told if it is the welcome of protocol 2, or that somebody joined;
    /// returns false if it is neither. Of the names there, which are many in a crowd, nothing is read.
    pub(super) fn take_names(&mut self, number: usize, payload: &[u8]) -> Outcome<bool> {
        if payload.starts_with(br#"{"type":"joined""#) {
            return Ok(true);
        }
        if !payload.starts_with(br#"{"type":"welcome""#) {
            return Ok(false);
        }
        let payload = std::str::from_utf8(payload)?;
        let (_, rooms) = payload.rsplit_once(r#"],"rooms":"#).ok_or("a welcome without rooms")?;
        let RoomList(rooms) = serde_json::from_str(rooms.strip_suffix('}').unwrap_or(rooms))?;
        let seats = rooms.into_iter().map(|room| (room.room.into_owned(), room.last));
        self.seats.by_person.insert(number, seats.collect());
        self.joined += 1;
        Ok(true)
    }

    /// Takes anything else that person `number` was told.
    pub(super) fn take(&mut self, number: usize, message: &ServerMessage<'_>) -> Outcome<()> {
        match message {
            ServerMessage::Greeting { epoch, .. } => {
                self.greeted += 1;
                self.seats.epoch = epoch.to_string();
            }
            ServerMessage::Record { replay: true, .. }
            | ServerMessage::Event { replay: true, .. } => self.replayed += 1,
            ServerMessage::Message { content, .. } | ServerMessage::Record { content, .. } => {
                self.joined += usize::from(content.starts_with("Добро пожаловать"));
                self.note_heard(number, content);
            }
            ServerMessage::Event { room, id: Some(id), .. } => {
                self.answers.insert(id.to_string(), room.to_string());
            }
            ServerMessage::Error { code, text, .. } => {
                return Err(format!("{code:?}: {text}").into());
            }
            ServerMessage::Bye { reason, .. } => return Err(format!("bye: {reason:?}").into()),
            _ => (),
        }
        Ok(())
    }

    fn note_heard(&mut self, by: usize, content: &str) {
        let number = content.split(' ').next().and_then(|word| word.parse().ok());
        let said = number.and_then(|number: usize| self.said_at.get(&number));
        if let Some((said_at, place, sender)) = said {
            self.places[*place].heard += 1;
            self.latencies.push(said_at.elapsed());
            self.ways.push((*sender, by));
        }
    }
}

impl Place {
    pub(super) fn new(room: &str, people: usize, senders: Vec<usize>) -> Self {
        Self { room: room.to_owned(), people, senders, said: 0, heard: 0 }
    }
}

impl Places {
    /// Returns those `count` records earlier, or at the beginning.
    pub(crate) fn before(mut self, count: u64) -> Self {
        let seqs = self.by_person.values_mut().flatten();
        seqs.for_each(|(_, seq)| *seq = seq.saturating_sub(count));
        self
    }

    /// Returns how many rooms there are, counted for each person.
    pub(crate) fn len(&self) -> usize {
        self.by_person.values().map(Vec::len).sum()
    }

    /// Returns the wish of a person to resume there, as a window has it.
    pub(super) fn resume(&self, number: usize) -> Resume<'_> {
        let places = self.by_person.get(&number).into_iter().flatten();
        let positions = places.map(|(room, seq)| (room.as_str().into(), *seq));
        Resume {
            epoch: self.epoch.as_str().into(),
            rooms: Positions(positions.collect()),
            limit: Some(PAGE_MESSAGES_MAX),
        }
    }
}
