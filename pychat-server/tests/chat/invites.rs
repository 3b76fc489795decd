//! Who is let in where invites are needed, and who may invite.

use std::time::Duration;

use pychat_server::core::{
    admission::Origin,
    chat::{Action, CloseReason, Complaint, Effect, Event, Input, Recipients, Refusal, Rules},
    id::{ConnectionId, Ticket},
    networks::Networks,
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
    A, B, C, CHALLENGE, RULES, Room, act, close, refused, report, tell, told,
    two::{hello, key, text},
};

const CLOSED: Rules = Rules { admission: Door::Invite, ..RULES };

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

const ASK: ClientMessage<'_> = ClientMessage::Invite { uses: Some(2), for_ms: Some(DAY_MS) };

/// Somebody who was here before, by a device of this number.
fn person(id: u64, name: &str, device: u8, is_operator: bool) -> Person {
    let device = Device { key: key(device).public(), label: "".into(), added_ms: 0 };
    let name = OwnedName { name: name.to_owned(), used_ms: 0, is_regular: true };
    Person { id: PersonId(id), is_operator, names: vec![name], devices: vec![device] }
}

fn invited(username: &str, device: u8, code: InviteCode) -> ClientMessage<'_> {
    let proof = Some(key(device).prove(&CHALLENGE, username));
    ClientMessage::Hello(Hello { proof, invite: Some(code), ..Hello::new(username, 2) })
}

/// Returns the name that connection `id` is welcomed by, if it is.
fn welcomed(effects: &[Effect], id: ConnectionId) -> Option<&str> {
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
fn complaint(effects: &[Effect], id: ConnectionId) -> &Complaint {
    let found = effects.iter().find_map(|effect| match effect {
        Effect::Tell { to: Recipients::One(to), event: Event::Refused(complaint) } if *to == id => {
            Some(complaint)
        }
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{effects:?}"))
}

fn requests(effects: &[Effect]) -> Vec<(Ticket, &Request)> {
    let request = |effect| match effect {
        &Effect::Store { ticket, ref request } => Some((ticket, request)),
        _ => None,
    };
    effects.iter().filter_map(request).collect()
}

impl Room {
    /// Returns a room that lets in only who is invited, where Anna (device 1) is, an operator, and which
    /// Boris (device 2) knows.
    fn for_invited() -> Self {
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
    fn invite(&mut self, uses: Option<u64>, for_ms: Option<u64>) -> InviteCode {
        let effects = self.receive(A, ClientMessage::Invite { uses, for_ms });
        match effects.last() {
            Some(Effect::Tell { event: Event::InviteLink { code: Some(code), .. }, .. }) => *code,
            _ => panic!("{effects:?}"),
        }
    }

    /// Returns the invites as Anna is told of them.
    fn invites(&mut self) -> Vec<Invite> {
        listed(&self.receive(A, ClientMessage::Invites)).to_vec()
    }

    /// Somebody new says hello on a connection of their own.
    fn knock(&mut self, id: ConnectionId, message: ClientMessage<'_>) -> Vec<Effect> {
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

fn slot(slot: u32) -> ConnectionId {
    ConnectionId { slot, generation: 9 }
}

#[test]
fn who_owns_a_name_is_let_in_and_who_does_not_is_not() {
    let mut room = Room::for_invited();
    assert_eq!(welcomed(&room.knock(B, hello("Борис", 2)), B), Some("Борис"));
    assert_eq!(welcomed(&room.knock(slot(5), hello("Боря", 2)), slot(5)), Some("Боря"));
    // Whatever name a stranger asks for, they hear the same.
    for (number, name) in (10..).zip(["Вера", "Анна", "Борис", "Aннa"]) {
        let id = slot(number);
        let effects = room.knock(id, hello(name, 3));
        let text = "this server lets in only people who are invited";
        let expected = [
            refused(id, Complaint::new(ErrorCode::NotAdmitted, text)),
            report(id, Refusal::Uninvited),
        ];
        assert_eq!(effects, expected, "{name}");
    }
}

#[test]
fn another_device_needs_no_invite() {
    let mut room = Room::for_invited();
    let effects = room.receive(A, ClientMessage::Pair);
    let Some(&Effect::Tell { event: Event::PairCode(code), .. }) = effects.last() else {
        panic!("{effects:?}")
    };
    let proof = Some(key(3).prove(&CHALLENGE, "Анна"));
    let hello = Hello { proof, pair: Some(code), ..Hello::new("Анна", 2) };
    assert_eq!(welcomed(&room.knock(B, ClientMessage::Hello(hello)), B), Some("Анна"));
}

#[test]
fn old_clients_come_from_where_the_operator_says() {
    let mut room = Room::for_invited();
    let sentence = "This server lets in only people who are invited, by a newer client. Bye!\n";
    room.connect(B);
    let expected =
        [report(B, Refusal::Uninvited), tell(B, sentence), close(B, CloseReason::Protocol)];
    assert_eq!(room.hello(B, "Вера"), expected);

    let guests_from = Networks::new(&["10.0.0.0/8".parse().unwrap()]).unwrap();
    room.chat.set_rules(Rules { guests_from, ..CLOSED });
    for (id, address, is_let_in) in [(C, 0x0a01_0203, true), (slot(5), 0x0b01_0203, false)] {
        let origin = Origin::v4(address);
        room.handle(Input::Connected { id, origin, challenge: CHALLENGE });
        let effects = room.hello(id, "Вера");
        let is_subscribed = effects.iter().any(|effect| {
            matches!(effect, Effect::Connection { action: Action::Subscribe(_), .. })
        });
        assert_eq!(is_subscribed, is_let_in, "{effects:?}");
    }
    // There too a key needs an invite.
    let (id, origin) = (slot(6), Origin::v4(0x0a01_0203));
    room.handle(Input::Connected { id, origin, challenge: CHALLENGE });
    let effects = room.receive(id, hello("Глеб", 4));
    assert_eq!(complaint(&effects, id).code, ErrorCode::NotAdmitted);
}

#[test]
fn a_use_lets_one_newcomer_in_once_the_store_has_both() {
    let mut room = Room::for_invited();
    let code = room.invite(Some(2), Some(DAY_MS));
    room.is_answered = false;
    let effects = room.knock(B, invited("Вера", 3, code));
    let [(ticket, Request::Admit { person, invite })] = requests(&effects)[..] else {
        panic!("{effects:?}")
    };
    assert_eq!((person.names[0].name.as_str(), person.devices[0].key), ("Вера", key(3).public()));
    assert_eq!(effects.last(), Some(&act(B, Action::AwaitStore)));
    assert_eq!(welcomed(&effects, B), None, "the store does not have it yet");
    let invite = *invite;
    assert_eq!(complaint(&room.knock(C, hello("Вера", 1)), C).code, ErrorCode::NameTaken);
    let effects = room.answer(ticket, Ok(Stored::Changed));
    assert_eq!((&effects[0], welcomed(&effects, B)), (&act(B, Action::ResumeRead), Some("Вера")));
    room.is_answered = true;
    let left: Vec<_> = room.invites().iter().map(|it| (it.id(), it.terms.uses)).collect();
    assert_eq!(left, [(invite, Some(1))]);

    // The welcome was lost, and the hello comes again.
    room.closed(B, CloseReason::Lost);
    let effects = room.knock(slot(5), invited("Вера", 3, code));
    assert_eq!(welcomed(&effects, slot(5)), Some("Вера"));
    assert_eq!(room.invites()[0].terms.uses, Some(1), "no other use was taken");
    assert!(welcomed(&room.knock(slot(6), invited("Глеб", 4, code)), slot(6)).is_some());
    assert_eq!(room.invites(), [], "it is used up");
    let effects = room.knock(slot(7), invited("Дина", 5, code));
    let text = "this invite is not good, or no longer";
    assert_eq!(*complaint(&effects, slot(7)), Complaint::new(ErrorCode::NotAdmitted, text));
    assert!(effects.contains(&report(slot(7), Refusal::InviteCode)));
}

#[test]
fn what_the_store_cannot_keep_takes_no_use_and_no_name() {
    let mut room = Room::for_invited();
    let code = room.invite(Some(1), None);
    room.is_answered = false;
    let effects = room.knock(B, invited("Вера", 3, code));
    let (ticket, _) = requests(&effects)[0];
    let effects = room.answer(ticket, Err(StorageError::Full));
    assert_eq!(complaint(&effects, B).code, ErrorCode::Storage);
    room.is_answered = true;
    assert_eq!(room.invites()[0].terms.uses, Some(1));
    let effects = room.receive(B, invited("Вера", 3, code));
    assert_eq!(welcomed(&effects, B), Some("Вера"), "the same hello again");
}

#[test]
fn who_is_gone_before_the_store_has_answered_is_let_in_when_they_come_back() {
    let mut room = Room::for_invited();
    let code = room.invite(Some(1), None);
    room.is_answered = false;
    let effects = room.knock(B, invited("Вера", 3, code));
    let (ticket, _) = requests(&effects)[0];
    // Nobody else gets the use meanwhile.
    let effects = room.knock(C, invited("Глеб", 4, code));
    assert_eq!(complaint(&effects, C).code, ErrorCode::NotAdmitted);
    room.closed(B, CloseReason::Lost);
    assert_eq!(room.answer(ticket, Ok(Stored::Changed)), []);
    room.is_answered = true;
    assert_eq!(welcomed(&room.knock(slot(5), hello("Вера", 3)), slot(5)), Some("Вера"));
}

#[test]
fn a_name_that_is_taken_takes_no_use() {
    let mut room = Room::for_invited();
    let code = room.invite(Some(1), None);
    let effects = room.knock(B, invited("Борис", 3, code));
    assert_eq!(complaint(&effects, B).code, ErrorCode::NameTaken);
    let effects = room.receive(B, invited("Вера", 3, code));
    assert_eq!(welcomed(&effects, B), Some("Вера"));
}

#[test]
fn a_newcomer_for_whose_name_there_is_no_room_comes_later() {
    let mut room = Room::for_invited();
    room.chat.set_rules(Rules { connections_per_address_max: 1, ..CLOSED });
    let code = room.invite(None, None);
    for (id, device) in [(C, 4), (slot(5), 5)] {
        let name = format!("guest {device}");
        let effects = room.knock(id, invited(&name, device, code));
        assert!(welcomed(&effects, id).is_some(), "{effects:?}");
    }
    room.pass(Duration::from_secs(64));
    let effects = room.knock(B, invited("Вера", 3, code));
    let complaint = complaint(&effects, B);
    assert_eq!(complaint.code, ErrorCode::Full);
    assert!(complaint.retry_ms.is_some_and(|ms| 0 < ms), "{complaint:?}");
    assert!(effects.contains(&report(B, Refusal::NoRoom)));
}

#[test]
fn a_wrong_code_costs_an_address_like_a_wrong_signature() {
    let guesses = |max| {
        let mut room = Room::for_invited();
        room.chat.set_rules(Rules { connections_per_address_max: max, ..CLOSED });
        let mut number = 10;
        loop {
            number += 1;
            let effects = room.knock(slot(number), invited("Вера", 3, InviteCode([7; 16])));
            let is_held = effects.iter().any(|effect| {
                matches!(effect, Effect::Connection { action: Action::PauseRead { .. }, .. })
            });
            if is_held {
                break number - 10;
            }
        }
    };
    // 8 N units, of which each guess takes one for its signature and four for its code.
    assert_eq!(guesses(5), 8);
    assert_eq!(guesses(64), 103);
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
        let text = "only operators may do this";
        let expected =
            [refused(B, Complaint::new(ErrorCode::Forbidden, text)), report(B, Refusal::Invites)];
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
    let [(ticket, Request::AddInvite(invite))] = requests(&effects)[..] else {
        panic!("{effects:?}")
    };
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
    assert!(requests(&effects).iter().any(|(_, it)| **it == Request::RemoveInvite(id)));
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
    let [(ticket, Request::AddInvite(invite))] = requests(&effects)[..] else {
        panic!("{effects:?}")
    };
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
