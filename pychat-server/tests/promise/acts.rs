//! The acts of people in rooms, most of them in others than the hall.

use fastrand::Rng;
use pychat_wire::{
    client::{Room, RoomId},
    message::{Names, RoomKind, RoomRequest},
};

use super::{
    plan::Act,
    world::{PEOPLE, World},
};

/// So many rooms are made, or a few more.
const ROOMS: usize = 8;

/// The names and topics that rooms are given: some look alike.
const NAMES: [&str; 5] = ["Сад", "garden", "Garden", "Кухня", "x"];

/// A text in a room is long so often.
const LONG_ONE_IN: u8 = 40;

impl World<'_> {
    /// Somebody does something in a room, or about one.
    pub(super) fn act(&mut self, who: usize, act: Act, seed: u64) {
        let mut rng = Rng::with_seed(seed);
        let rooms = self.people[who].rooms();
        let is_mine = |room: &Room| room.is_mine && room.kind != RoomKind::Direct;
        let room = match act {
            Act::Join => rng.choice(self.oracle.open_rooms()).as_deref().map(RoomId::from),
            Act::Expel | Act::Rename | Act::SetTopic => pick(&rooms, is_mine, &mut rng),
            Act::Leave | Act::Add => pick(&rooms, |it| it.kind != RoomKind::Direct, &mut rng),
            _ => pick(&rooms, |_| true, &mut rng),
        };
        let room = match room.filter(|_| 0 < rng.u8(..12)) {
            Some(room) => room,
            None => match rng.choice(self.oracle.rooms().keys()) {
                Some(room) => RoomId::from(&**room),
                None => RoomId::hall(),
            },
        };
        let wire_id = room.as_str().to_owned().into();
        let person = &mut self.people[who];
        let change = Some(NAMES[rng.usize(..NAMES.len())].into());
        let other = PEOPLE[rng.usize(..self.plan.people.len() - 1)];
        let request = match act {
            Act::CreateOpen | Act::CreateClosed if ROOMS < self.oracle.rooms().len() => return,
            Act::CreateOpen => create(RoomKind::Open, &mut rng),
            Act::CreateClosed => create(RoomKind::Closed, &mut rng),
            Act::Direct => RoomRequest::Direct { with: Names(vec![other.into()]) },
            Act::Join => RoomRequest::JoinRoom { room: wire_id },
            Act::Leave => RoomRequest::LeaveRoom { room: wire_id },
            Act::Add => RoomRequest::AddMember { room: wire_id, username: other.into() },
            Act::Expel => RoomRequest::RemoveMember { room: wire_id, username: other.into() },
            Act::Rename => RoomRequest::UpdateRoom { room: wire_id, name: change, topic: None },
            Act::SetTopic => RoomRequest::UpdateRoom { room: wire_id, name: None, topic: change },
            Act::Say => {
                let bytes = if rng.u8(..LONG_ONE_IN) == 0 { 20_000 } else { 200 };
                let bytes = rng.usize(..bytes);
                return (0..rng.usize(1..=6)).for_each(|_| self.say_in(who, &room, bytes));
            }
            Act::See if rng.bool() => return person.see(&RoomId::hall()),
            Act::See => return person.see(&room),
            Act::Type => return person.type_in(&room),
            _ => {
                let room = if rng.bool() { RoomId::hall() } else { room };
                self.has_work = true;
                return self.amend(who, act, &room, &mut rng);
            }
        };
        person.request(request);
        self.has_work = true;
    }
}

fn create(kind: RoomKind, rng: &mut Rng) -> RoomRequest<'static> {
    let name = NAMES[rng.usize(..NAMES.len())].into();
    RoomRequest::CreateRoom { kind, name, topic: "".into() }
}

/// Picks one of the `rooms` that are wanted.
fn pick(rooms: &[Room], is_wanted: impl Fn(&Room) -> bool, rng: &mut Rng) -> Option<RoomId> {
    rng.choice(rooms.iter().filter(|room| is_wanted(room)).collect::<Vec<_>>())
        .map(|room| room.id.clone())
}
