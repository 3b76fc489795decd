//! A store that several servers share, as a model: one journal in memory, of which each server hears late.
//! A request that another server overtook is refused; whose answers are late is for chance to say.

mod replica;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    rc::Rc,
    time::Instant,
};

use pychat_server::{
    core::{
        elsewhere::{Elsewhere, Keys, Present, ServerId},
        id::{HALL, RoomId, Ticket},
        moderation::{Change, Rulebook},
        record::{
            Appended, Invite, Kind, Outcome, OwnedName, Person, PersonChange, PersonId, Record,
            Request, Room, StorageError, Stored,
        },
    },
    store::{Answer, Memory, Records, Retention, Store},
};
use pychat_wire::UserName;

pub(crate) use self::replica::Replica;

/// The name of the log.
const EPOCH: u128 = 7;

/// The store of all servers.
#[derive(Clone, Debug)]
pub(crate) struct Journal(Rc<RefCell<Shared>>);

#[derive(Debug)]
struct Shared {
    memory: Memory,
    entries: Vec<Written>,
    people: BTreeMap<PersonId, Person>,
    invites: Vec<Invite>,
    rules: Rulebook,
    present: Vec<Present>,
    gone: BTreeSet<ServerId>,
    /// Those who may hear each record of a room that is not the hall.
    hearers: BTreeMap<(RoomId, u64), BTreeSet<PersonId>>,
    /// Nothing is taken.
    is_down: bool,
    /// The requests that were overtaken, and those that were carried out.
    overtaken: Vec<Request>,
    done: Vec<Request>,
}

/// An entry of the journal.
#[derive(Debug)]
struct Written {
    server: ServerId,
    keys: Keys,
    elsewhere: Elsewhere,
}

impl Journal {
    /// Returns a chat in which these own names.
    pub(crate) fn new(people: impl IntoIterator<Item = Person>) -> Self {
        Self(Rc::new(RefCell::new(Shared {
            memory: Memory::new(EPOCH, Retention::default()),
            entries: Vec::new(),
            people: people.into_iter().map(|person| (person.id, person)).collect(),
            invites: Vec::new(),
            rules: Rulebook::default(),
            present: Vec::new(),
            gone: BTreeSet::new(),
            hearers: BTreeMap::new(),
            is_down: false,
            overtaken: Vec::new(),
            done: Vec::new(),
        })))
    }

    /// Notes that a server is gone.
    pub(crate) fn lose(&self, server: ServerId) {
        let mut shared = self.0.borrow_mut();
        shared.gone.insert(server);
        shared.present.retain(|present| present.server != server);
        let elsewhere = Elsewhere::ServerGone(server);
        shared.entries.push(Written { server, keys: Keys::default(), elsewhere });
    }

    /// Has nothing be taken for a while, or everything again.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.0.borrow_mut().is_down = is_down;
    }

    pub(crate) fn is_down(&self) -> bool {
        self.0.borrow().is_down
    }

    /// Returns true if somebody may hear a record.
    pub(crate) fn may_hear(&self, person: Option<PersonId>, room: RoomId, seq: u64) -> bool {
        let shared = self.0.borrow();
        let hearers = shared.hearers.get(&(room, seq));
        room == HALL || person.zip(hearers).is_some_and(|(person, all)| all.contains(&person))
    }

    /// Returns those who are present.
    pub(crate) fn present(&self) -> Vec<Present> {
        self.0.borrow().present.clone()
    }

    /// Returns the people who own names.
    pub(crate) fn people(&self) -> Vec<Person> {
        self.0.borrow().people.values().cloned().collect()
    }

    /// Returns the number of the last record of a room.
    pub(crate) fn last_seq(&self, room: RoomId) -> u64 {
        self.0.borrow().memory.last_seq(room)
    }

    /// Returns the rooms, with their members.
    pub(crate) fn rooms(&self) -> Vec<Room> {
        self.0.borrow_mut().memory.rooms().expect("memory can be read")
    }

    /// Takes the requests that were overtaken since this was asked last.
    pub(crate) fn take_overtaken(&self) -> Vec<Request> {
        std::mem::take(&mut self.0.borrow_mut().overtaken)
    }

    /// Takes those that were carried out since.
    pub(crate) fn take_done(&self) -> Vec<Request> {
        std::mem::take(&mut self.0.borrow_mut().done)
    }

    /// Returns the ids of the records of a room, with their authors.
    pub(crate) fn ids(&self, room: RoomId) -> Vec<(PersonId, String)> {
        let mut ids = Vec::new();
        let read = self.0.borrow_mut().memory.read(room, 0, Records::All, &mut |entry| {
            ids.extend(entry.person.zip(entry.id.map(ToOwned::to_owned)));
            ControlFlow::Continue(())
        });
        read.expect("memory can be read");
        ids
    }
}

impl Shared {
    /// Carries out a request that a server decided when it knew so many entries.
    fn commit(&mut self, server: ServerId, known: usize, request: Request) -> (Outcome, bool) {
        if self.is_down {
            return (Err(StorageError::Unreachable("as a test wants it".to_owned())), false);
        }
        let keys = Keys::of(&request);
        let since = self.entries[known..].iter().filter(|entry| entry.server != server);
        if since.into_iter().any(|entry| keys.are_overtaken_by(&entry.keys)) {
            self.overtaken.push(request);
            return (Err(StorageError::Overtaken), false);
        }
        let before = self.members(&request);
        let stored = self.carry_out(server, &request);
        if let (Some(record), Some(before)) = (stored.new_record(), before) {
            let after = self.members(&request).unwrap_or_default();
            self.hearers.insert((record.room, record.seq), before.union(&after).copied().collect());
        }
        let is_entry = match &stored {
            Stored::Appended(appended) => matches!(appended, Appended::New(_)),
            Stored::Recalled(_) => false,
            Stored::Changed => true,
        };
        if is_entry {
            self.done.push(request.clone());
            let (request, stored) = (Box::new(without_words(request)), stored.clone());
            let elsewhere = Elsewhere::Done { server, request, stored };
            self.entries.push(Written { server, keys, elsewhere });
        }
        (Ok(stored), is_entry)
    }

    /// Returns who is in the room that a request is about, unless that is the hall.
    fn members(&mut self, request: &Request) -> Option<BTreeSet<PersonId>> {
        let (Request::Append { room, .. } | Request::Amend { room, .. }) = request else {
            return None;
        };
        let rooms = self.memory.rooms().expect("memory can be read");
        let room = rooms.into_iter().find(|other| other.id == *room);
        room.map_or_else(|| Some(BTreeSet::new()), |room| Some(room.members.into_iter().collect()))
    }

    fn carry_out(&mut self, server: ServerId, request: &Request) -> Stored {
        match request {
            Request::ChangePerson(PersonChange::Save(person)) => self.save(person),
            Request::ChangePerson(PersonChange::Forget(person)) => {
                self.people.remove(person);
            }
            Request::Admit { person, invite } => {
                self.save(person);
                let invite = self.invites.iter_mut().find(|it| it.id() == *invite);
                let uses = &mut invite.expect("the invite is there").terms.uses;
                *uses = uses.map(|uses| uses.checked_sub(1).expect("a use is left"));
                self.invites.retain(|invite| invite.terms.uses != Some(0));
            }
            Request::Moderate { changes, .. } => changes.iter().for_each(|it| self.rule(it)),
            Request::Enter(presence) => {
                let looks = presence.name.skeletons();
                self.present.retain(|other| {
                    let is_alike =
                        other.presence.name.skeletons().iter().any(|it| looks.contains(it));
                    !is_alike || other.presence.is_same(presence) && other.server != server
                });
                self.present.push(Present { server, presence: presence.clone() });
            }
            Request::Leave(presence, _) => {
                self.present.retain(|it| it.server != server || !it.presence.is_same(presence));
            }
            Request::EndRoom(room) => {
                let rooms = self.memory.rooms().expect("memory can be read");
                let known = rooms.into_iter().find(|it| it.id == *room);
                let is_empty = known.is_none_or(|it| {
                    it.members.iter().all(|person| !self.people.contains_key(person))
                });
                assert!(is_empty, "{room} ends while somebody is in it");
            }
            _ => (),
        }
        let (now, mut answers) = (Instant::now(), Vec::new());
        self.memory.submit(now, 5, &mut vec![(Ticket(0), request.clone())]);
        self.memory.poll(now, &mut answers);
        match answers.pop() {
            Some(Answer::Done { outcome: Ok(stored), .. }) => stored,
            other => panic!("{other:?}"),
        }
    }

    /// Keeps a person, who takes their names from whoever had them.
    fn save(&mut self, person: &Person) {
        let looks = |owned: &OwnedName| {
            UserName::new(&owned.name).expect("a good name").skeletons().to_vec()
        };
        let taken: Vec<_> = person.names.iter().flat_map(looks).collect();
        for other in self.people.values_mut() {
            other.names.retain(|owned| looks(owned).iter().all(|look| !taken.contains(look)));
        }
        self.people.retain(|_, other| !other.names.is_empty());
        self.people.insert(person.id, person.clone());
    }

    fn rule(&mut self, change: &Change) {
        match change {
            Change::Impose(sanction) => self.rules.sanctions.push(sanction.clone()),
            Change::Lift(id) => self.rules.sanctions.retain(|it| it.id != *id),
            Change::Slow(slow) => self.rules.slow = *slow,
            Change::Door(door) => self.rules.door = Some(*door),
            Change::AddInvite(invite) => self.invites.push(invite.clone()),
            Change::RevokeInvite(id) => self.invites.retain(|it| it.id() != *id),
        }
    }

    /// Returns an entry as a server reads it now: its record is as it is in the log by now.
    fn read_entry(&mut self, index: usize) -> Elsewhere {
        let mut elsewhere = self.entries[index].elsewhere.clone();
        if let Elsewhere::Done { stored: Stored::Appended(Appended::New(record)), .. } =
            &mut elsewhere
            && let Kind::Text(_) = record.kind
            && let Some(now) = self.record(record.room, record.seq)
        {
            *record = Record { target: record.target.clone(), ..now };
        }
        elsewhere
    }

    fn record(&mut self, room: RoomId, seq: u64) -> Option<Record> {
        let request = Request::Find { room, seq };
        match self.carry_out(ServerId(0), &request) {
            Stored::Recalled(record) => record,
            _ => None,
        }
    }
}

/// Returns a request as the journal has it.
fn without_words(request: Request) -> Request {
    match request {
        Request::Append { room, mut draft, change } => {
            draft.kind = Kind::Text("".into());
            Request::Append { room, draft, change }
        }
        request => request,
    }
}

impl Written {
    /// Returns true if a server asked for it itself, and is answered.
    fn is_of(&self, server: ServerId) -> bool {
        self.server == server && matches!(self.elsewhere, Elsewhere::Done { .. })
    }
}
