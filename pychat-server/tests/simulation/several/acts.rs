//! The things that people, operators and chance do.

use pychat_server::core::{
    id::{HALL, RoomId},
    moderation::Order,
};
use pychat_wire::{
    ClientMessage,
    message::{Amendment, Door, OperatorRequest, RoomKind, RoomRequest, Whom},
};

use super::{
    Happening,
    world::{OWNERS, SERVERS, World},
};

/// The names of rooms, which more than one wants to have.
const ROOM_NAMES: [&str; 3] = ["Kitchen", "KITCHEN", "Garden"];

impl World {
    /// Something happens.
    pub(crate) fn act(&mut self) {
        let device = self.rng.usize(..self.people.devices.len());
        let slot = self.rng.usize(..SERVERS);
        match self.rng.usize(..100) {
            0..22 => self.connect(device, slot),
            22..27 => self.cut(device),
            27..47 => {
                let room = self.room_of(device);
                self.say(device, room, None);
            }
            47..55 => self.say_again(device),
            55..73 => self.change_room(device),
            73..77 => self.read(device),
            77..82 => self.amend(device),
            82..84 => {
                let room = self.room_of(device);
                self.send(device, ClientMessage::Typing { room: room.on_wire() });
            }
            84..90 => self.operate(),
            90..94 => self.order(slot),
            94..96 => self.pair(device),
            96 => self.kill(slot),
            97..99 => self.begin(slot),
            _ => {
                let is_down = !self.journal.is_down() && self.rng.bool();
                self.journal.set_down(is_down);
                if is_down {
                    self.fired.note(Happening::Down);
                }
            }
        }
        if self.journal.is_down() && self.rng.usize(..5) == 0 {
            self.journal.set_down(false);
        }
    }

    /// Returns a room that a device hears, most often the hall.
    fn room_of(&mut self, device: usize) -> RoomId {
        let Some((slot, line)) = self.people.devices[device].at else { return HALL };
        let line = self.servers[slot].as_ref().and_then(|server| server.lines.get(&line));
        let rooms: Vec<_> = line.into_iter().flat_map(|line| line.rooms.keys().copied()).collect();
        self.rng.choice(rooms).unwrap_or(HALL)
    }

    pub(crate) fn send(&mut self, device: usize, message: ClientMessage<'_>) {
        let Some((slot, line)) = self.people.devices[device].at else { return };
        if let Some(server) = &mut self.servers[slot]
            && server.lines.get(&line).is_some_and(|line| line.is_joined() && line.person.is_some())
        {
            server.receive(self.now, line, message);
        }
    }

    fn cut(&mut self, device: usize) {
        if let Some((slot, line)) = self.people.devices[device].at.take()
            && let Some(server) = &mut self.servers[slot]
        {
            server.cut(self.now, line);
        }
    }

    /// A device says again what was not answered.
    pub(crate) fn say_again(&mut self, device: usize) {
        let it = &self.people.devices[device];
        let is_here = it.at.is_some();
        let unanswered: Vec<_> =
            it.unanswered.iter().map(|(id, room)| (id.clone(), *room)).collect();
        for (id, room) in unanswered.into_iter().filter(|_| is_here) {
            self.say(device, room, Some(id));
        }
    }

    fn change_room(&mut self, device: usize) {
        let id = format!("{device}-r{}", self.rng.u64(..1 << 40));
        let room = self.room_of(device);
        let any = RoomId(self.rng.u32(1..6));
        let name = *self.rng.choice(&ROOM_NAMES).expect("there are some");
        let whom = *self.rng.choice(&OWNERS).expect("there are some");
        let kind = if self.rng.bool() { RoomKind::Open } else { RoomKind::Closed };
        let request = match self.rng.usize(..12) {
            0..2 => RoomRequest::CreateRoom { kind, name: name.into(), topic: "".into() },
            2..4 => RoomRequest::Direct { with: [whom].into_iter().collect() },
            4..6 => RoomRequest::JoinRoom { room: any.on_wire() },
            6..8 => RoomRequest::LeaveRoom { room: room.on_wire() },
            8 => RoomRequest::AddMember { room: room.on_wire(), username: whom.into() },
            9 => RoomRequest::RemoveMember { room: room.on_wire(), username: whom.into() },
            10 => {
                let name = Some(name.into());
                RoomRequest::UpdateRoom { room: room.on_wire(), name, topic: None }
            }
            _ => {
                let topic = Some(id.clone().into());
                RoomRequest::UpdateRoom { room: room.on_wire(), name: None, topic }
            }
        };
        self.send(device, ClientMessage::Change { request, id: Some(id.clone().into()) });
    }

    fn read(&mut self, device: usize) {
        let room = self.room_of(device);
        let seq = self.rng.u64(1..40);
        self.send(device, ClientMessage::Read { room: room.on_wire(), seq });
    }

    fn amend(&mut self, device: usize) {
        let room = self.room_of(device);
        let last = self.journal.last_seq(room);
        let target = self.rng.u64(..=last).max(last.saturating_sub(5));
        let id = format!("{device}-a{}", self.rng.u64(..1 << 40));
        let amendment = match self.rng.usize(..3) {
            0 => Amendment::Edit { target, content: Some(format!("edited {id}").into()) },
            1 => Amendment::Delete { target },
            _ => Amendment::React { target, emoji: Some("👍".into()) },
        };
        let room = room.on_wire();
        self.send(device, ClientMessage::Amend { amendment, room, id: Some(id.clone().into()) });
    }

    /// An operator in the hall does something.
    fn operate(&mut self) {
        let device = self.rng.usize(..2);
        let name = self.people.devices[self.rng.usize(..self.people.devices.len())].name;
        let for_ms = Some(200);
        let request = match self.rng.usize(..7) {
            0 => OperatorRequest::Mute { username: name.into(), for_ms },
            1 => OperatorRequest::Unmute { username: name.into() },
            2 | 3 => OperatorRequest::Kick { username: name.into() },
            4 => OperatorRequest::Ban { whom: Whom::Person(name.into()), for_ms },
            5 => OperatorRequest::Unban { whom: Whom::Person(name.into()) },
            _ => OperatorRequest::Slow { seconds: self.rng.u64(..2) },
        };
        self.send(device, ClientMessage::Operate { request, id: None });
    }

    /// An operator on the machine of a server does something.
    fn order(&mut self, slot: usize) {
        let (name, is_bot) = ("Boris".to_owned(), self.rng.bool());
        let admission = if self.rng.bool() { Door::Open } else { Door::Invite };
        let order = match self.rng.usize(..10) {
            0 => Order::AddOperator { name },
            1 => Order::RemoveOperator { name },
            2 => Order::Bot { name, is_bot },
            3 => Order::FreeName { name: "Eva".to_owned() },
            4 => Order::FreeName { name: "Dora".to_owned() },
            5 => Order::Say { text: "Hear, hear.".to_owned() },
            6 => Order::Door { admission },
            _ => Order::Invite { uses: Some(1), for_ms: None },
        };
        if let Some(server) = &mut self.servers[slot] {
            server.order(self.now, order);
        }
    }

    /// A device asks for a code for another one, or removes one.
    fn pair(&mut self, device: usize) {
        let name = self.people.devices[device].name;
        let devices = &self.people.devices;
        let others = devices.iter().skip(device + 1).filter(|it| it.name == name);
        let key = others.filter_map(|it| it.key).next_back();
        match key.filter(|_| self.rng.usize(..4) == 0) {
            Some(key) => self.send(device, ClientMessage::RemoveDevice { key: key.public() }),
            None => self.send(device, ClientMessage::Pair),
        }
    }
}
