//! Rooms: what people ask for there.

use pychat_wire::{
    client::RoomId,
    message::{Names, RoomKind, RoomRequest},
};

use super::{Fault, world::World};
use crate::kit::{Knob, knobs};

/// So many rooms are made, or a few more.
const ROOMS: usize = 4;

const NAMES: [&str; 3] = ["garden", "Garden", "сад"];

knobs! {
    /// Something that somebody does about rooms, so often in 100 times.
    enum Act {
        Create = 8,
        Direct = 10,
        Join = 12,
        Leave = 5,
        Add = 12,
        Remove = 5,
        Change = 6,
        Say = 30,
        See = 6,
        Type = 3,
        Ask = 3,
    }
}

impl World {
    /// Somebody does something about rooms.
    pub(super) fn act_in_rooms(&mut self, number: usize) {
        let (room, any) = (self.some_room(number), self.rng.usize(..12));
        let reply = self.some_reply(number, &room);
        let other = self.people[any % self.people.len()].name.as_str().to_owned();
        let person = &mut self.people[number];
        let wire_id = room.as_str().into();
        match Act::choose(&mut |end| self.rng.usize(..end)) {
            Act::Create => {
                let n_rooms = self.logs.last_mut().expect("there is one").oracle.rooms().len();
                let kind = if any < 6 { RoomKind::Open } else { RoomKind::Closed };
                let (name, topic) = (NAMES[any % 3].into(), "".into());
                if n_rooms <= ROOMS {
                    person.request(RoomRequest::CreateRoom { kind, name, topic });
                }
            }
            Act::Direct => {
                person.request(RoomRequest::Direct { with: Names(vec![other.into()]) });
            }
            Act::Join => person.request(RoomRequest::JoinRoom { room: wire_id }),
            Act::Leave => person.request(RoomRequest::LeaveRoom { room: wire_id }),
            Act::Add => {
                let username = other.into();
                person.request(RoomRequest::AddMember { room: wire_id, username });
            }
            Act::Remove => {
                let username = other.into();
                person.request(RoomRequest::RemoveMember { room: wire_id, username });
            }
            Act::Change => {
                let change = Some(NAMES[any % 3].into());
                let (name, topic) = if any < 6 { (change, None) } else { (None, change) };
                person.request(RoomRequest::UpdateRoom { room: wire_id, name, topic });
            }
            Act::Say => _ = person.say(&room, reply),
            Act::See => {
                let seq = person.client.saved().seq(&room);
                person.client.see(&room, seq);
            }
            Act::Type => person.client.typing(&room),
            Act::Ask => {
                person.client.request_rooms();
                person.client.request_members(&room);
            }
        }
        if any == 0 && self.once_in(10) {
            return self.kill(number, Fault::KilledUnstored);
        }
        self.attend(number);
    }

    /// Returns a room that somebody is in, or any.
    pub(super) fn some_room(&mut self, number: usize) -> RoomId {
        let rooms = self.people[number].client.rooms();
        let own: Vec<_> =
            rooms.into_iter().map(|room| room.id).filter(|id| !id.is_hall()).collect();
        if self.once_in(4) || own.is_empty() {
            return RoomId::from(&*format!("r{}", self.rng.usize(1..=ROOMS + 2)));
        }
        own[self.rng.usize(..own.len())].clone()
    }
}
