//! The end of a run: all is quiet, and everybody knows the same.

use std::collections::{BTreeMap, BTreeSet};

use pychat_server::core::{
    chat::Chat, elsewhere::ServerId, id::HALL, moderation::Order, record::PersonId,
};
use pychat_wire::{
    UserName,
    message::{Door, RoomKind},
    name::Skeleton,
};

use super::{
    server::Server,
    world::{SERVERS, World},
};

/// The most ticks until all is quiet.
const TICKS_MAX: usize = 5_000;

impl World {
    /// Brings everything that was begun to its end, and compares what everybody knows.
    pub(crate) fn finish(&mut self) {
        self.journal.set_down(false);
        (0..SERVERS).for_each(|slot| self.begin(slot));
        self.settle();
        let server = self.servers[0].as_mut().expect("each began");
        server.order(self.now, Order::Slow { seconds: 0 });
        server.order(self.now, Order::Door { admission: Door::Open });
        self.settle();
        for round in 0..5 {
            for device in 0..self.people.devices.len() {
                self.connect(device, (device + round) % SERVERS);
            }
            self.settle();
            (0..self.people.devices.len()).for_each(|device| self.say_again(device));
            self.settle();
        }
        // With the next record, marks are kept that could not be.
        for device in 0..self.people.devices.len() {
            self.say(device, HALL, None);
            self.settle();
        }
        self.check_names();
        self.check_lines();
        self.check_texts();
        self.check_states();
    }

    fn settle(&mut self) {
        // Until everybody is announced, too.
        (0..10).for_each(|_| self.turn());
        let n_ticks = (0..TICKS_MAX).take_while(|_| {
            self.turn();
            !self.is_quiet()
        });
        assert!(n_ticks.count() < TICKS_MAX, "it never is quiet");
        (0..10).for_each(|_| self.turn());
    }

    /// Names of people, of those present and of open rooms are each only one's; and nobody has two direct
    /// rooms with the same people.
    fn check_names(&self) {
        let mut owners = BTreeMap::new();
        for person in self.journal.people() {
            for owned in &person.names {
                let name = UserName::new(&owned.name).expect("a good name");
                for look in name.skeletons() {
                    let owner = owners.insert(look.as_str().to_owned(), person.id);
                    assert!(owner.is_none_or(|it| it == person.id), "{name} is owned twice");
                }
            }
        }
        let mut present = BTreeMap::new();
        for it in self.journal.present() {
            for look in it.presence.name.skeletons() {
                let other = present.insert(look.as_str().to_owned(), it.presence.clone());
                assert!(
                    other.is_none_or(|other| other.is_same(&it.presence)),
                    "{it:?} is here twice"
                );
            }
        }
        let (mut names, mut sets) = (BTreeSet::new(), BTreeSet::new());
        let known: BTreeSet<_> = self.journal.people().iter().map(|person| person.id).collect();
        for room in self.journal.rooms() {
            let looks = Skeleton::of_text(&room.name);
            let is_new = |look: &Skeleton| names.insert(look.as_str().to_owned());
            if room.kind == RoomKind::Open {
                assert!(looks[..1].iter().all(is_new), "two rooms are called {}", room.name);
            }
            let members: BTreeSet<_> = room.members.iter().copied().collect();
            if room.kind == RoomKind::Direct && members.is_subset(&known) {
                assert!(sets.insert(members), "{} is there twice", room.id);
            }
        }
    }

    /// Each device hears all rooms of its person, and has heard all of them; and knows who is here.
    fn check_lines(&self) {
        let known: BTreeSet<_> = self.journal.people().iter().map(|person| person.id).collect();
        let present = self.journal.present();
        let names: BTreeSet<_> = present.iter().map(|it| it.presence.name.to_string()).collect();
        for server in self.servers.iter().flatten() {
            for line in server.lines.values().filter(|line| line.is_joined()) {
                let is_theirs = |members: &[PersonId]| {
                    line.person.is_some_and(|it| known.contains(&it) && members.contains(&it))
                };
                let rooms =
                    self.journal.rooms().into_iter().filter(|room| is_theirs(&room.members));
                let rooms: BTreeMap<_, _> = rooms
                    .map(|room| room.id)
                    .chain([HALL])
                    .map(|room| (room, self.journal.last_seq(room) + 1))
                    .collect();
                assert_eq!(line.rooms, rooms, "{} has heard all", line.name);
                if let Some(heard) = &line.known {
                    assert_eq!(*heard, names, "{} knows who is here", line.name);
                }
            }
            let here = present.iter().filter(|it| it.server == server.id);
            let here: BTreeSet<_> = here.map(|it| it.presence.name.to_string()).collect();
            let lines = server.lines.values().filter(|line| line.is_joined());
            let joined: BTreeSet<_> = lines.map(|line| line.name.clone()).collect();
            assert_eq!(here, joined, "those on server {}", server.id.0);
        }
    }

    /// Each text that was accepted is there.
    fn check_texts(&self) {
        let rooms = (0..200).map(pychat_server::core::id::RoomId);
        let kept: BTreeSet<_> =
            rooms.flat_map(|room| self.journal.ids(room)).map(|(_, id)| id).collect();
        for id in &self.people.accepted {
            assert!(kept.contains(id), "{id} was accepted");
        }
    }

    /// All servers know the same, and so does one that begins.
    fn check_states(&mut self) {
        let new = Server::new(&self.journal, ServerId(1_000), 0, 0);
        let expected = state(&new.chat, self.utc_ms);
        for server in self.servers.iter().flatten() {
            let state = state(&server.chat, self.utc_ms);
            for (line, expected) in state.iter().zip(&expected) {
                assert_eq!(line, expected, "server {} knows this", server.id.0);
            }
            assert_eq!(state.len(), expected.len(), "server {}", server.id.0);
        }
    }
}

/// Returns all that a server knows, in lines.
fn state(chat: &Chat, utc_ms: u64) -> Vec<String> {
    let (people, rooms) = (chat.people(), chat.rooms());
    let mut lines: Vec<_> = people.all().iter().map(|person| format!("{person:?}")).collect();
    lines.extend(people.moderation().sanctions(utc_ms).map(|it| format!("{it:?}")));
    lines.push(format!("{:?} {:?}", people.moderation().slow(), people.moderation().door()));
    lines.push(format!("{:?}", people.all_invites()));
    lines.extend(chat.roster().by_server().iter().map(|it| format!("{it:?}")));
    let all = people.all();
    for (id, room) in rooms.all() {
        let members: Vec<_> = room.members().filter(|it| people.is_known(*it)).collect();
        let about = (room.kind(), room.name(), room.topic(), room.maker(), room.last());
        lines.push(format!("{id} {about:?} {members:?}"));
        for person in &all {
            let mark = rooms.mark(person.id, id);
            lines.push(format!("{id} {:?} {mark:?} {}", person.id, rooms.unread(person.id, id)));
        }
    }
    lines
}
