//! Invites over crashes: whatever the store does and whenever the server dies, a use lets in one person,
//! and nobody takes two.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use fastrand::Rng;
use pychat_server::{
    core::{
        admission::Origin,
        chat::{Chat, CloseReason, Effect, Event, Input, Recipients, Rules},
        id::{ConnectionId, Ticket},
        people::{NewInvite, People},
        record::{
            Invite, InviteTerms, Person, PersonChange, PersonId, Request, StorageError, Stored,
        },
        rooms::Rooms,
        secret::Secret,
    },
    limits::Limits,
};
use pychat_wire::{
    ClientMessage,
    key::{BINDING_BYTES, Challenge, InviteCode, Nonce, SecretKey},
    message::{Door, ErrorCode, Hello},
};

const CHALLENGE: Challenge = Challenge { nonce: Nonce([9; 16]), binding: [0; BINDING_BYTES] };

/// The number of people who may be let in, and of those who try.
const USES: u64 = 3;
const GUESTS: u8 = 5;

/// The data that outlives the server.
#[derive(Clone, Debug, Default)]
struct Disk {
    people: BTreeMap<PersonId, Person>,
    invites: Vec<Invite>,
}

impl Disk {
    fn take(&mut self, request: Request) {
        match request {
            Request::ChangePerson(PersonChange::Save(person)) => {
                self.people.insert(person.id, person);
            }
            Request::ChangePerson(PersonChange::Forget(id)) => {
                self.people.remove(&id);
            }
            Request::Admit { person, invite } => {
                let used = self.invites.iter_mut().find(|it| it.id() == invite);
                if let Some(uses) = used.and_then(|it| it.terms.uses.as_mut()) {
                    *uses = uses.checked_sub(1).expect("a use is left");
                }
                self.people.insert(person.id, person);
            }
            Request::Mark(_) => (), // That what was said before is no news to a newcomer.
            Request::Append { .. }
            | Request::Amend { .. }
            | Request::Recall { .. }
            | Request::Find { .. }
            | Request::EndRoom(_)
            | Request::Enter(_)
            | Request::Leave(..)
            | Request::Offer(_)
            | Request::Sync
            | Request::Moderate { .. } => panic!("nobody asks for that"),
        }
    }

    /// Returns the keys of those who were let in.
    fn keys(&self) -> BTreeSet<[u8; 32]> {
        self.people.values().flat_map(|person| &person.devices).map(|it| it.key.0).collect()
    }
}

/// A server that lets in only who is invited, its store, and those who ask to be let in.
struct Stage {
    rng: Rng,
    now: Instant,
    chat: Chat,
    disk: Disk,
    /// The requests that were made to the store and are not on the disk.
    asked: Vec<(Ticket, Request)>,
    /// The outcomes of requests that were done, or refused, and not answered.
    answers: Vec<(Ticket, Result<Stored, StorageError>)>,
    code: InviteCode,
    lines: BTreeMap<ConnectionId, u8>,
    n_lines: u32,
    welcomed: BTreeSet<u8>,
    n_refused: usize,
}

fn key(guest: u8) -> SecretKey {
    SecretKey([guest + 1; 32])
}

/// Returns what a server knows that finds this on its disk, by a secret of its own.
fn people(disk: &Disk, secret: u8) -> People {
    let last = disk.people.keys().last().copied().unwrap_or(PersonId(0));
    let people = People::new(Secret::new([secret; 32]), disk.people.values().cloned(), last);
    people.with_invites(disk.invites.clone())
}

fn chat(people: People) -> Chat {
    let rules = Limits::default().rules;
    let connections_per_address_max = 0;
    Chat::new(
        Rules { admission: Door::Invite, connections_per_address_max, ..rules },
        people,
        Rooms::default(),
    )
}

impl Stage {
    fn new(seed: u64) -> Self {
        let mut disk = Disk::default();
        let terms = InviteTerms { uses: Some(USES), expires_ms: None };
        let NewInvite { code, invite, .. } =
            people(&disk, 0).invite(terms, None, 0).expect("the first one");
        disk.invites.push(invite);
        Self {
            rng: Rng::with_seed(seed),
            now: Instant::now(),
            chat: chat(people(&disk, 1)),
            disk,
            asked: Vec::new(),
            answers: Vec::new(),
            code,
            lines: BTreeMap::new(),
            n_lines: 0,
            welcomed: BTreeSet::new(),
            n_refused: 0,
        }
    }

    fn handle(&mut self, input: Input<'_>) {
        let mut effects = Vec::new();
        self.chat.handle(self.now, input, &mut effects);
        for effect in effects {
            match effect {
                Effect::Store { ticket, request } => self.asked.push((ticket, request)),
                Effect::Tell { to: Recipients::One(to), event } => self.hear(to, &event),
                _ => (),
            }
        }
    }

    fn hear(&mut self, to: ConnectionId, event: &Event) {
        let guest = self.lines[&to];
        let is_kept = self.disk.keys().contains(&key(guest).public().0);
        match event {
            Event::Welcome { .. } => {
                assert!(is_kept, "{guest} is let in before that is on the disk");
                self.welcomed.insert(guest);
            }
            Event::Refused(complaint) if complaint.code == ErrorCode::NotAdmitted => {
                assert!(!is_kept, "{guest} was let in before");
                self.n_refused += 1;
            }
            Event::Refused(complaint) => assert_eq!(complaint.code, ErrorCode::Storage),
            _ => (),
        }
    }

    /// A guest calls, and shows the invite; they may do so on another line already.
    fn knock(&mut self, guest: u8) {
        let id = ConnectionId { slot: self.n_lines, generation: self.n_lines };
        self.n_lines += 1;
        self.lines.insert(id, guest);
        let origin = Origin::v4(0x7f00_0001);
        self.handle(Input::Connected { id, origin, challenge: CHALLENGE });
        let name = format!("guest {guest}");
        let proof = Some(key(guest).prove(&CHALLENGE, &name));
        let hello = Hello { proof, invite: Some(self.code), ..Hello::new(&name, 2) };
        self.handle(Input::Received { id, message: ClientMessage::Hello(hello) });
    }

    fn hang_up(&mut self) {
        let line = self.rng.usize(..self.lines.len().max(1));
        if let Some(id) = self.lines.keys().nth(line).copied() {
            self.handle(Input::Closed { id, reason: CloseReason::Lost });
        }
    }

    /// The store does all that it was asked, or nothing of it.
    fn commit(&mut self, is_full: bool) {
        for (ticket, request) in self.asked.drain(..) {
            if is_full {
                self.answers.push((ticket, Err(StorageError::Full)));
            } else {
                self.disk.take(request);
                self.answers.push((ticket, Ok(Stored::Changed)));
            }
        }
        let left = self.disk.invites[0].terms.uses.expect("so many uses");
        assert_eq!(left + self.disk.keys().len() as u64, USES, "each use let one person in");
    }

    /// The store answers what it did first.
    fn answer(&mut self) {
        if !self.answers.is_empty() {
            let (ticket, outcome) = self.answers.remove(0);
            self.handle(Input::Stored { ticket, outcome });
        }
    }

    /// The server dies, and another one finds what is on the disk.
    fn crash(&mut self) {
        self.asked.clear();
        self.answers.clear();
        self.lines.clear();
        self.chat = chat(people(&self.disk, self.rng.u8(2..)));
    }

    fn step(&mut self) {
        match self.rng.u8(..20) {
            0..8 => {
                let guest = self.rng.u8(..GUESTS);
                self.knock(guest);
            }
            8..12 => {
                let is_full = self.rng.u8(..4) == 0;
                self.commit(is_full);
            }
            12..17 => self.answer(),
            17..19 => self.hang_up(),
            _ => self.crash(),
        }
    }

    /// Everything that was begun comes to its end.
    fn settle(&mut self) {
        while !(self.asked.is_empty() && self.answers.is_empty()) {
            self.commit(false);
            self.answer();
        }
    }
}

#[test]
fn a_use_lets_in_one_person_whatever_fails_and_whenever_the_server_dies() {
    let mut n_refused = 0;
    for seed in 0..300 {
        let mut stage = Stage::new(seed);
        for _ in 0..60 {
            stage.step();
        }
        stage.settle();
        for guest in 0..GUESTS {
            stage.knock(guest);
            stage.settle();
        }
        let keys = stage.disk.keys();
        assert_eq!(keys.len() as u64, USES, "{seed}: as many as were invited");
        let kept: BTreeSet<_> =
            (0..GUESTS).filter(|guest| keys.contains(&key(*guest).public().0)).collect();
        assert_eq!(stage.welcomed, kept, "{seed}");
        n_refused += stage.n_refused;
    }
    assert!(300 * usize::from(GUESTS - 3) <= n_refused, "the others are refused");
}
