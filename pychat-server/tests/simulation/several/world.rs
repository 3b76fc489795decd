//! People with devices, who come to any server, and the servers, which die and begin.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use fastrand::Rng;
use pychat_server::core::{
    chat::{CloseReason, Event, Input},
    elsewhere::ServerId,
    id::{ConnectionId, HALL, RoomId},
    moderation::Reply,
    record::{Device as Key, OwnedName, Person, PersonId, Request},
};
use pychat_wire::{
    ClientMessage,
    key::{InviteCode, PairCode, SecretKey},
    link::Code,
    message::{ErrorCode, Hello},
};

use super::{
    Happening,
    server::{CHALLENGE, Server},
};
use crate::kit::{Fired, journal::Journal};

/// The most servers at a time.
pub(crate) const SERVERS: usize = 3;

/// People who own their names from the beginning, with two devices each. The first one is an operator.
pub(crate) const OWNERS: [&str; 4] = ["Anna", "Boris", "Clara", "Dora"];

/// The time of a step.
const STEP: Duration = Duration::from_millis(20);

/// The most ticks that an answer or an entry is late.
const DELAY_MAX: usize = 20;

pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) now: Instant,
    pub(crate) utc_ms: u64,
    pub(crate) journal: Journal,
    pub(crate) servers: [Option<Server>; SERVERS],
    /// Dead servers that are not known to be so, with the steps that are left until then.
    dying: Vec<(usize, ServerId)>,
    n_servers: u64,
    pub(crate) people: People,
    pub(crate) fired: Fired<Happening>,
}

/// The people, and what they want.
#[derive(Debug, Default)]
pub(crate) struct People {
    pub(crate) devices: Vec<Device>,
    /// A code by which another device can join each of the owners, and the server that made it.
    pub(crate) codes: BTreeMap<&'static str, (PairCode, usize)>,
    pub(crate) invites: Vec<InviteCode>,
    /// The texts that were accepted, by id.
    pub(crate) accepted: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Device {
    pub(crate) name: &'static str,
    /// Its key; `None` in protocol 1.
    pub(crate) key: Option<SecretKey>,
    pub(crate) at: Option<(usize, ConnectionId)>,
    /// The texts that were not answered, by id.
    pub(crate) unanswered: BTreeMap<String, RoomId>,
    pub(crate) n_said: usize,
}

fn key(device: usize) -> SecretKey {
    SecretKey([u8::try_from(device + 1).expect("few devices"); 32])
}

/// Returns who owns a name, with these devices.
fn owner(id: u64, name: &str, devices: [usize; 2]) -> Person {
    let device = |device| Key { key: key(device).public(), label: "".into(), added_ms: 0 };
    let name = OwnedName { name: name.to_owned(), used_ms: 0, is_regular: true };
    Person {
        id: PersonId(id),
        is_operator: id == 1,
        is_bot: false,
        names: vec![name],
        devices: devices.map(device).to_vec(),
    }
}

impl World {
    pub(crate) fn new(seed: u64, fired: Fired<Happening>) -> Self {
        let mut devices = Vec::new();
        let mut owners = Vec::new();
        for (name, id) in OWNERS.into_iter().zip(1..) {
            owners.push(owner(id, name, [devices.len(), devices.len() + 1]));
            for _ in 0..2 {
                devices.push(Device { name, key: Some(key(devices.len())), ..Device::default() });
            }
        }
        // Newcomers, who may take each other's name, and other devices of the owners.
        for name in ["Eva", "EVA", "Eva", "Fox", "Boris", "Clara"] {
            devices.push(Device { name, key: Some(key(devices.len())), ..Device::default() });
        }
        for name in ["Eva", "Fox", "Fox", "Guest", "Guest"] {
            devices.push(Device { name, ..Device::default() });
        }
        let mut world = Self {
            rng: Rng::with_seed(seed),
            now: Instant::now(),
            utc_ms: 1_000_000_000_000,
            journal: Journal::new(owners),
            servers: [const { None }; SERVERS],
            dying: Vec::new(),
            n_servers: 0,
            people: People { devices, ..People::default() },
            fired,
        };
        world.begin(0);
        world.begin(1);
        world
    }

    /// A server begins, unless there is one.
    pub(crate) fn begin(&mut self, slot: usize) {
        if self.servers[slot].is_none() {
            self.n_servers += 1;
            let (delay_max, seed) = (self.rng.usize(..=DELAY_MAX), self.rng.u64(..));
            let id = ServerId(self.n_servers);
            self.servers[slot] = Some(Server::new(&self.journal, id, delay_max, seed));
        }
    }

    /// A server dies, of several; the others notice later.
    pub(crate) fn kill(&mut self, slot: usize) {
        if self.servers.iter().flatten().count() < 2 {
            return;
        }
        let Some(server) = self.servers[slot].take() else { return };
        for line in server.lines.values() {
            self.people.devices[line.device].at = None;
        }
        self.dying.push((self.rng.usize(10..40), server.id));
        server.die();
        self.fired.note(Happening::Killed);
    }

    pub(crate) fn step(&mut self) {
        self.act();
        self.turn();
    }

    /// Lets a tick of every server go by.
    pub(crate) fn turn(&mut self) {
        self.now += STEP;
        self.utc_ms += 20;
        for (left, id) in std::mem::take(&mut self.dying) {
            match left.checked_sub(1) {
                Some(left) => self.dying.push((left, id)),
                None => self.journal.lose(id),
            }
        }
        for slot in 0..SERVERS {
            let Some(server) = &mut self.servers[slot] else { continue };
            server.turn(self.now, self.utc_ms);
            let typing = std::mem::take(&mut server.typing);
            let others = (0..SERVERS).filter(|other| *other != slot);
            for other in others.filter(|_| !typing.is_empty()).collect::<Vec<_>>() {
                let Some(other) = &mut self.servers[other] else { continue };
                for elsewhere in typing.clone() {
                    other.handle(self.now, Input::Elsewhere(elsewhere));
                }
            }
            self.hear(slot);
        }
        self.note_overtaken();
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.dying.is_empty() && self.servers.iter().flatten().all(Server::is_quiet)
    }

    /// Takes in what devices were told by a server.
    fn hear(&mut self, slot: usize) {
        let Some(server) = &mut self.servers[slot] else { return };
        for (device, reason) in std::mem::take(&mut server.closed) {
            self.people.devices[device].at = None;
            match reason {
                CloseReason::Kicked => self.fired.note(Happening::Kicked),
                CloseReason::Banned => self.fired.note(Happening::Banned),
                CloseReason::Removed => self.fired.note(Happening::Removed),
                CloseReason::Displaced => self.fired.note(Happening::Displaced),
                _ => (),
            }
        }
        for reply in std::mem::take(&mut server.replies) {
            if let Reply::Invited { link, .. } = reply
                && let Some(Code::Invite(code)) = link.code
            {
                self.people.invites.push(code);
            }
        }
        let heard = std::mem::take(&mut server.heard);
        for (id, event) in heard {
            let Some(server) = &self.servers[slot] else { return };
            let Some(device) = server.lines.get(&id).map(|line| line.device) else { continue };
            self.on_event(slot, device, &event);
        }
    }

    fn on_event(&mut self, slot: usize, device: usize, event: &Event) {
        let it = &mut self.people.devices[device];
        match event {
            Event::Duplicate { record } => {
                let id = record.id.as_deref().unwrap_or_default();
                if it.unanswered.remove(id).is_some() {
                    self.people.accepted.push(id.to_owned());
                }
            }
            Event::Refused(complaint) if complaint.code == ErrorCode::Storage => (),
            Event::Refused(complaint) => {
                let id = complaint.reference.as_deref().unwrap_or_default();
                it.unanswered.remove(id);
            }
            Event::PairCode(code) => drop(self.people.codes.insert(it.name, (*code, slot))),
            Event::DeviceAdded(_)
                if self.people.codes.remove(it.name).is_some_and(|(_, made)| made != slot) =>
            {
                self.fired.note(Happening::PairedElsewhere);
            }
            Event::Typing { .. } => self.fired.note(Happening::Typing),
            _ => (),
        }
    }

    fn note_overtaken(&mut self) {
        for request in self.journal.take_overtaken() {
            self.fired.note(match request {
                Request::Enter(_) => Happening::OvertakenEntry,
                Request::Append { change: None, .. } | Request::Amend { .. } => {
                    Happening::OvertakenText
                }
                Request::Append { .. } | Request::EndRoom(_) => Happening::OvertakenRoom,
                Request::Moderate { .. } => Happening::OvertakenRule,
                _ => Happening::OvertakenPerson,
            });
        }
        for request in self.journal.take_done() {
            match request {
                Request::EndRoom(_) => self.fired.note(Happening::RoomOver),
                Request::Admit { .. } => self.fired.note(Happening::Invited),
                _ => (),
            }
        }
        let present = self.journal.present();
        let has_two = present.iter().any(|one| {
            present.iter().any(|other| one.presence == other.presence && one.server < other.server)
        });
        if has_two {
            self.fired.note(Happening::TwoServers);
        }
    }

    /// A device says hello to a server.
    pub(crate) fn connect(&mut self, device: usize, slot: usize) {
        let Some(server) = &mut self.servers[slot] else { return };
        let it = &mut self.people.devices[device];
        if it.at.is_some() {
            return;
        }
        let id = server.connect(self.now, device);
        it.at = Some((slot, id));
        let hello = match it.key {
            None => Hello::new(it.name, 1),
            Some(key) => {
                let is_other = OWNERS.len() * 2 <= device;
                let code = self.people.codes.get(it.name).map(|(code, _)| *code);
                Hello {
                    proof: Some(key.prove(&CHALLENGE, it.name)),
                    pair: code.filter(|_| is_other),
                    invite: self.people.invites.last().copied(),
                    ..Hello::new(it.name, 2)
                }
            }
        };
        server.receive(self.now, id, ClientMessage::Hello(hello));
    }

    /// A device says something, or says it again.
    pub(crate) fn say(&mut self, device: usize, room: RoomId, again: Option<String>) {
        let it = &mut self.people.devices[device];
        let Some((slot, line)) = it.at else { return };
        let Some(server) = &mut self.servers[slot] else { return };
        let id = again.unwrap_or_else(|| {
            it.n_said += 1;
            format!("{device}-{}", it.n_said)
        });
        let is_proved = it.key.is_some();
        if is_proved {
            it.unanswered.insert(id.clone(), room);
        }
        let message = ClientMessage::Text {
            room: if is_proved { room.on_wire() } else { HALL.on_wire() },
            content: format!("text {id}").into(),
            id: is_proved.then(|| id.into()),
            reply: None,
        };
        server.receive(self.now, line, message);
    }
}
