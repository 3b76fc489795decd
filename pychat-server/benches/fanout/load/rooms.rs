//! People who make rooms and join them, and who come back to them.

use std::time::{Duration, Instant};

use pychat_wire::{
    ClientMessage,
    message::{RoomKind, RoomRequest},
};

use super::{
    Load, Outcome, PATIENCE,
    heard::{Place, Places},
};
use crate::SENDERS;

/// The time in which other servers of the chat hear of rooms.
const HEARSAY: Duration = Duration::from_millis(300);

impl Load {
    /// Lets everybody resume at these places when they join.
    pub(crate) fn resuming(self, missed: Places) -> Self {
        Self { missed: Some(missed), ..self }
    }

    /// Returns the last records of the rooms of everybody, as their welcomes named them.
    pub(crate) fn seats(&self) -> Places {
        self.heard.seats.clone()
    }

    /// Has people make an open room for each of these groups of them, and join it; the first of a group
    /// makes its room. From then on they talk there, and not in the hall.
    pub(crate) fn enter_rooms(&mut self, groups: &[Vec<usize>]) -> Outcome<()> {
        for (index, people) in groups.iter().enumerate() {
            let name = format!("Room {index}").into();
            let request = RoomRequest::CreateRoom { kind: RoomKind::Open, name, topic: "".into() };
            self.request(people[0], request, made_id(index))?;
        }
        self.listen_until(|load| load.heard.answers.len() == groups.len())?;
        self.rest(HEARSAY)?;
        self.heard.places.clear();
        let mut seats = groups.len();
        for (index, people) in groups.iter().enumerate() {
            let room = self.heard.answers[&made_id(index)].clone();
            for person in &people[1..] {
                let request = RoomRequest::JoinRoom { room: room.as_str().into() };
                self.request(*person, request, format!("join {index} {person}"))?;
            }
            seats += people.len() - 1;
            let senders = people[..SENDERS].to_vec();
            self.heard.places.push(Place::new(&room, people.len(), senders));
        }
        self.listen_until(|load| load.heard.answers.len() == seats)
    }

    /// Has people talk in the first `count` of their rooms alone.
    pub(crate) fn keep_rooms(&mut self, count: usize) {
        self.heard.places.truncate(count);
    }

    fn request(&mut self, person: usize, request: RoomRequest<'_>, id: String) -> Outcome<()> {
        let peer = &mut self.peers[person];
        ClientMessage::Change { request, id: Some(id.into()) }.encode(&mut peer.unsent);
        peer.write()
    }

    /// Listens until people have been sent so many records that they had missed.
    pub(crate) fn catch_up(&mut self, records: usize) -> Outcome<()> {
        self.listen_until(|load| records <= load.heard.replayed)
    }

    fn listen_until(&mut self, is_over: impl Fn(&Self) -> bool) -> Outcome<()> {
        let begin = Instant::now();
        while !is_over(self) {
            self.turn(Duration::from_millis(50))?;
            if PATIENCE < begin.elapsed() {
                return Err("not everybody was told everything".into());
            }
        }
        Ok(())
    }
}

/// Returns the id of the request that made a room.
fn made_id(index: usize) -> String {
    format!("make {index}")
}
