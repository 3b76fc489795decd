//! Invites: the people who may make them, and the time until they end.

use pychat_server::core::{
    chat::{Action, Complaint, Effect, Event, Recipients, Refusal, Rules},
    id::{ConnectionId, Ticket},
    moderation::Change,
    people::{INVITES_MAX, People},
    rate_limit::RateLimit,
    record::{
        Device, Invite, InviteTerms, OwnedName, Person, PersonId, Request, StorageError, Stored,
    },
    secret::Secret,
    time::Time,
};
use pychat_wire::{
    ClientMessage,
    key::{InviteCode, InviteId},
    message::{Door, ErrorCode, Hello},
};

use super::{
    A, B, C, CHALLENGE, RULES, Room, refused, report, told,
    two::{key, text},
};

pub(super) const CLOSED: Rules = Rules { admission: Door::Invite, ..RULES };

pub(super) const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

const ASK: ClientMessage<'_> = ClientMessage::Invite { uses: Some(2), for_ms: Some(DAY_MS) };

/// Somebody who was here before, by a device of this number.
fn person(id: u64, name: &str, device: u8, is_operator: bool) -> Person {
    let device = Device { key: key(device).public(), label: "".into(), added_ms: 0 };
    let name = OwnedName { name: name.to_owned(), used_ms: 0, is_regular: true };
    Person {
        id: PersonId(id),
        is_operator,
        is_bot: false,
        names: vec![name],
        devices: vec![device],
    }
}

pub(super) fn invited(username: &str, device: u8, code: InviteCode) -> ClientMessage<'_> {
    let proof = Some(key(device).prove(&CHALLENGE, username));
    ClientMessage::Hello(Hello { proof, invite: Some(code), ..Hello::new(username, 2) })
}

/// Returns the name that connection `id` is welcomed by, if it is.
pub(super) fn welcomed(effects: &[Effect], id: ConnectionId) -> Option<&str> {
    effects.iter().find_map(|effect| match effect {
        Effect::Tell { to: Recipients::One(to), event: Event::Welcome { name, .. } }
            if *to == id =>
        {
            Some(name.as_str())
        }
        _ => None,
    })
}

/// Returns what connection `id` is refused with.
pub(super) fn complaint(effects: &[Effect], id: ConnectionId) -> &Complaint {
    let found = effects.iter().find_map(|effect| match effect {
        Effect::Tell { to: Recipients::One(to), event: Event::Refused(complaint) } if *to == id => {
            Some(complaint)
        }
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{effects:?}"))
}

pub(super) fn requests(effects: &[Effect]) -> Vec<(Ticket, &Request)> {
    let request = |effect| match effect {
        &Effect::Store { ticket, ref request } => Some((ticket, request)),
        _ => None,
    };
    effects.iter().filter_map(request).collect()
}

/// Returns the invite that the store is to keep.
fn added(effects: &[Effect]) -> (Ticket, &Invite) {
    match requests(effects)[..] {
        [(ticket, Request::Moderate { changes, .. })] => match &changes[..] {
            [Change::AddInvite(invite)] => (ticket, invite),
            _ => panic!("{changes:?}"),
        },
        _ => panic!("{effects:?}"),
    }
}

impl Room {
    /// Returns a room that lets in only who is invited, where Anna (device 1) is, an operator, and which
    /// Boris (device 2) knows.
    pub(super) fn for_invited() -> Self {
        let known = [person(1, "Анна", 1, true), person(2, "Борис", 2, false)];
        let mut room = Self::of(People::new(Secret::new([7; 32]), known, PersonId(2)));
        room.chat.set_rules(CLOSED);
        room.set_utc(0);
        assert_eq!(room.join(A, "Анна", 1), "Анна");
        room
    }

    fn set_utc(&mut self, utc_ms: u64) {
        self.chat.set_time(&Time { now: self.now, utc_ms, trusted_at: self.now });
    }

    /// Returns the code of a new invite of Anna's.
    pub(super) fn invite(&mut self, uses: Option<u64>, for_ms: Option<u64>) -> InviteCode {
        let effects = self.receive(A, ClientMessage::Invite { uses, for_ms });
        match effects.last() {
            Some(Effect::Tell { event: Event::InviteLink { code: Some(code), .. }, .. }) => *code,
            _ => panic!("{effects:?}"),
        }
    }

    /// Returns the invites as Anna is told of them.
    pub(super) fn invites(&mut self) -> Vec<Invite> {
        listed(&self.receive(A, ClientMessage::Invites)).to_vec()
    }

    /// Somebody new says hello on a connection of their own.
    pub(super) fn knock(&mut self, id: ConnectionId, message: ClientMessage<'_>) -> Vec<Effect> {
        self.connect(id);
        self.receive(id, message)
    }
}

fn listed(effects: &[Effect]) -> &[Invite] {
    match effects.last() {
        Some(Effect::Tell { event: Event::Invites(invites), .. }) => invites,
        _ => panic!("{effects:?}"),
    }
}

pub(super) fn slot(slot: u32) -> ConnectionId {
    ConnectionId { slot, generation: 9 }
}

#[test]
fn on_an_open_server_everybody_may_invite_and_no_code_is_needed() {
    let mut room = Room::for_invited();
    room.chat.set_rules(RULES);
    room.join(B, "Вера", 3);
    let link = |to| told(to, Event::InviteLink { code: None, terms: InviteTerms::default() });
    for id in [A, B] {
        assert_eq!(room.receive(id, ASK), [link(id)]);
    }
    assert_eq!(room.invites(), []);
    room.connect(C);
    let code = InviteCode([9; 16]);
    assert!(welcomed(&room.receive(C, invited("Глеб", 4, code)), C).is_some(), "it is passed over");
}

#[test]
fn only_operators_have_invites() {
    let mut room = Room::for_invited();
    room.join(B, "Борис", 2);
    let code = room.invite(Some(2), None);
    let id = room.invites()[0].id();
    for message in [ASK, ClientMessage::Invites, ClientMessage::RevokeInvite { invite: id }] {
        let text = "this is for operators";
        let expected =
            [refused(B, Complaint::new(ErrorCode::Forbidden, text)), report(B, Refusal::Operator)];
        assert_eq!(room.receive(B, message), expected);
    }
    assert!(welcomed(&room.knock(C, invited("Вера", 3, code)), C).is_some());
}

#[test]
fn an_invite_is_told_of_once_the_store_has_it() {
    let mut room = Room::for_invited();
    room.is_answered = false;
    room.set_utc(1_000);
    let effects = room.receive(A, ASK);
    let (ticket, invite) = added(&effects);
    let terms = InviteTerms { uses: Some(2), expires_ms: Some(1_000 + DAY_MS) };
    assert_eq!((invite.terms, invite.by.as_deref(), effects.len()), (terms, Some("Анна"), 1));
    let effects = room.answer(ticket, Ok(Stored::Changed));
    let [Effect::Tell { event: Event::InviteLink { code: Some(code), terms: told }, .. }] =
        effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!(told, terms);
    assert!(!format!("{effects:?}").contains(&code.to_string()), "no log can show it");

    let effects = room.receive(A, ASK);
    let effects = room.answer(requests(&effects)[0].0, Err(StorageError::Full));
    assert_eq!(complaint(&effects, A).code, ErrorCode::Storage);
    assert_eq!(room.invites().len(), 1, "the other one is none");
}

#[test]
fn invites_end_are_revoked_and_are_no_more_than_so_many() {
    let mut room = Room::for_invited();
    let (short, endless) = (room.invite(None, Some(5)), room.invite(Some(0), None));
    assert_eq!(room.invites()[1].terms.uses, Some(1), "none at all would be no invite");
    room.set_utc(5);
    let effects = room.knock(B, invited("Вера", 3, short));
    assert_eq!(complaint(&effects, B).code, ErrorCode::NotAdmitted);
    let [invite] = &room.invites()[..] else { panic!("one is over") };
    let id = invite.id();
    let effects = room.receive(A, ClientMessage::RevokeInvite { invite: id });
    let [(_, Request::Moderate { changes, .. })] = requests(&effects)[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(changes[..], [Change::RevokeInvite(id)]);
    assert!(effects.iter().any(|it| *it == told(A, Event::Invites(Vec::new()))));
    let effects = room.receive(B, invited("Вера", 3, endless));
    assert_eq!(complaint(&effects, B).code, ErrorCode::NotAdmitted);
    let effects = room.receive(A, ClientMessage::RevokeInvite { invite: InviteId([0; 6]) });
    assert_eq!(effects, [told(A, Event::Invites(Vec::new()))], "there is none");
    for _ in 0..INVITES_MAX {
        room.invite(Some(1), None);
    }
    let effects = room.receive(A, ASK);
    assert_eq!(complaint(&effects, A).code, ErrorCode::Full);
}

#[test]
fn requests_about_invites_cost_what_a_text_costs() {
    let mut room = Room::for_invited();
    let rate_limit = RateLimit::new(2, 1);
    room.chat.set_rules(Rules { rate_limit, ..CLOSED });
    room.receive(A, ClientMessage::Invites);
    room.receive(A, ASK);
    let effects = room.receive(A, text("hi", "1"));
    let is_held = |effect: &Effect| {
        matches!(effect, Effect::Connection { action: Action::PauseRead { .. }, .. })
    };
    assert!(effects.iter().any(is_held), "{effects:?}");
}

#[test]
fn the_first_person_is_invited_where_nobody_could_get_in() {
    let mut room = Room::new();
    let mut effects = Vec::new();
    assert_eq!(room.chat.invite_first(&mut effects), None, "everybody is let in");
    room.chat.set_rules(CLOSED);
    let code = room.chat.invite_first(&mut effects).expect("nobody could get in");
    let (ticket, invite) = added(&effects);
    assert_eq!(invite.terms, InviteTerms { uses: Some(1), expires_ms: Some(DAY_MS) });
    assert_eq!(room.answer(ticket, Ok(Stored::Changed)), []);
    assert!(room.chat.is_invite(code));
    assert_eq!(welcomed(&room.knock(A, invited("Анна", 1, code)), A), Some("Анна"));
    assert_eq!(room.chat.invite_first(&mut Vec::new()), None, "she could");

    let mut room = Room::new();
    room.chat.set_rules(CLOSED);
    let mut effects = Vec::new();
    let code = room.chat.invite_first(&mut effects).expect("nobody could get in");
    room.answer(requests(&effects)[0].0, Err(StorageError::Full));
    assert!(!room.chat.is_invite(code));
}
