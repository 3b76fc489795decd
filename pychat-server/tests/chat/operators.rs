//! The orders of operators, and their effects.

use pychat_server::core::{
    admission::Origin,
    chat::{Action, CloseReason, Complaint, Effect, Event, Input, Refusal, Rules},
    id::{CallId, ConnectionId},
    moderation::{self, Change, Order, Reply},
    rate_limit::RateLimit,
    record::{PersonChange, Request, StorageError, Stored},
    time::Time,
};
use pychat_wire::message::{Door, ErrorCode};

use super::{
    A, B, C, RULES, Room, close, refused, report, tell, ticket, told, told_all,
    two::{hello, text},
};

const CALL: CallId = CallId(7);

const KICKED: &str = "You were sent away by an operator. Bye!\n";
const BANNED: &str = "You are banned from this chat. Bye!\n";

impl Room {
    pub(super) fn order(&mut self, order: Order) -> Vec<Effect> {
        self.handle(Input::Ordered { call: CALL, by: "root", order })
    }

    /// Carries out an order that is answered at once; returns the answer, and what else was done.
    #[track_caller]
    pub(super) fn ordered(&mut self, order: Order) -> (String, Vec<Effect>) {
        let mut effects = self.order(order);
        effects.retain(|effect| !matches!(effect, Effect::Store { .. }));
        match effects.pop() {
            Some(Effect::Reply { call: CALL, reply: Reply::Done { text } }) => (text, effects),
            other => panic!("not done: {other:?}"),
        }
    }

    #[track_caller]
    pub(super) fn refused_order(&mut self, order: Order) -> String {
        match &self.order(order)[..] {
            [Effect::Reply { call: CALL, reply: Reply::Failed { text } }] => text.clone(),
            other => panic!("not refused: {other:?}"),
        }
    }

    pub(super) fn set_time_ms(&mut self, utc_ms: u64) {
        self.chat.set_time(&Time { now: self.now, utc_ms, trusted_at: self.now });
    }
}

fn name(name: &str) -> String {
    name.to_owned()
}

fn whom(text: &str) -> moderation::Whom {
    moderation::Whom::Typed(text.to_owned())
}

fn bye(id: ConnectionId, reason: CloseReason) -> [Effect; 2] {
    [told(id, Event::Bye { reason }), close(id, reason)]
}

#[test]
fn the_first_operator_is_named_on_the_machine_and_hears_of_it() {
    let mut room = Room::with(&[(C, "Борис")]);
    room.join(A, "Анна", 1);
    let effects = room.order(Order::AddOperator { name: name("анна") });
    let [
        Effect::Tell { event: Event::Operator(true), .. },
        Effect::Store { request: Request::ChangePerson(PersonChange::Save(person)), .. },
        Effect::Store { request: Request::Moderate { changes, entry, by: None }, .. },
        Effect::Tell { event: Event::Done(_), .. },
        Effect::Reply { call: CALL, reply: Reply::Done { text } },
    ] = &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert!(person.is_operator && changes.is_empty());
    assert_eq!((&*entry.who, &*entry.verb, &*entry.subject), ("root", "add_operator", "Анна"));
    assert_eq!(text, "Анна is an operator now.");
    let (text, effects) = room.ordered(Order::AddOperator { name: name("Анна") });
    assert_eq!((&*text, effects), ("Анна is an operator already.", vec![]));

    room.connect(B);
    let effects = room.receive(B, hello("Анна", 1));
    let is_told = |effect: &Effect| {
        matches!(effect, Effect::Tell { event: Event::Welcome { is_operator: true, .. }, .. })
    };
    assert!(effects.iter().any(is_told));
    let Effect::Reply { reply: Reply::Operators { operators }, .. } =
        &room.order(Order::Operators)[0]
    else {
        panic!("a list")
    };
    assert_eq!(operators, &[["Анна"]]);
    let (_, effects) = room.ordered(Order::RemoveOperator { name: name("Анна") });
    assert_eq!(effects, [A, B].map(|id| told(id, Event::Operator(false))), "and no more");

    for (nobody, expected) in [
        ("Вера", "Nobody is called Вера."),
        ("", "Nobody is called ."),
        ("Борис", "Борис has no name that is theirs, so cannot be an operator."),
    ] {
        assert_eq!(room.refused_order(Order::AddOperator { name: name(nobody) }), expected);
    }
}

#[test]
fn an_order_is_answered_once_the_store_has_answered() {
    for (outcome, expected) in [
        (Ok(Stored::Changed), Reply::Done { text: "Борис is muted.".to_owned() }),
        (
            Err(StorageError::Full),
            Reply::Failed {
                text: "Борис is muted. But this could not be stored (disk full): it ends with the \
                    server."
                    .to_owned(),
            },
        ),
    ] {
        let mut room = Room::with(&[(A, "Борис")]);
        room.is_answered = false;
        let effects = room.order(Order::Mute { name: name("Борис"), for_ms: None });
        let [Effect::Store { ticket, .. }] = effects[..] else { panic!("{effects:?}") };
        assert!(room.text(A, "hi").contains(&report(A, Refusal::Muted)), "at once");
        assert_eq!(room.answer(ticket, outcome), [Effect::Reply { call: CALL, reply: expected }]);
    }
}

#[test]
fn who_is_kicked_is_told_and_may_come_back() {
    let mut room = Room::with(&[(C, "Борис")]);
    room.join(A, "Анна", 1);
    room.connect(B);
    room.receive(B, hello("Анна", 1));
    let (text, effects) = room.ordered(Order::Kick { name: name("Анна") });
    assert_eq!(text, "Анна was sent away.");
    assert_eq!(effects, [bye(A, CloseReason::Kicked), bye(B, CloseReason::Kicked)].concat());
    let (_, effects) = room.ordered(Order::Kick { name: name("Борис") });
    assert_eq!(effects, [tell(C, KICKED), close(C, CloseReason::Kicked)]);
    for id in [A, B, C] {
        room.closed(id, CloseReason::Kicked);
    }
    assert_eq!(room.refused_order(Order::Kick { name: name("Анна") }), "Анна is not here.");
    assert_eq!(room.join(A, "Анна", 1), "Анна");
}

#[test]
fn who_is_muted_hears_everything_and_says_nothing_by_any_device_or_name() {
    let mut room = Room::new();
    room.set_time_ms(1_000);
    room.join(A, "Анна", 1);
    let (said, _) = room.ordered(Order::Mute { name: name("Анна"), for_ms: Some(3_600_000) });
    assert_eq!(said, "Анна is muted for 1 hour.");
    let words = "You may not say anything for now: an operator has muted you";
    let complaint =
        Complaint { reference: Some("1".into()), ..Complaint::new(ErrorCode::Muted, words) };
    let expected = [report(A, Refusal::Muted), refused(A, complaint)];
    for _ in 0..100 {
        assert_eq!(room.receive(A, text("hi", "1")), expected, "however often");
    }
    room.closed(A, CloseReason::Quit);
    room.join(B, "Another", 1);
    assert!(room.receive(B, text("hi", "2")).contains(&report(B, Refusal::Muted)));
    room.set_time_ms(1_000 + 3_600_000);
    assert!(room.receive(B, text("hi", "3")).iter().any(|effect| ticket(effect).is_some()));

    room.ordered(Order::Mute { name: name("another"), for_ms: None });
    assert!(room.receive(B, text("hi", "4")).contains(&report(B, Refusal::Muted)));
    let (said, _) = room.ordered(Order::Unmute { name: name("Анна") });
    assert_eq!(said, "Another is no longer muted.", "who is the same person");
    assert!(!room.receive(B, text("hi", "5")).contains(&report(B, Refusal::Muted)));
    let again = Order::Unmute { name: name("Анна") };
    assert_eq!(room.refused_order(again), "Анна is not muted.");
}

#[test]
fn a_muted_guest_of_protocol_1_is_told_in_a_sentence_and_slowed_down_as_by_texts() {
    let mut room = Room::with(&[(A, "Борис")]);
    let rate_limit = RateLimit::new(2, 1);
    room.chat.set_rules(Rules { rate_limit, ..RULES });
    room.ordered(Order::Mute { name: name("Борис"), for_ms: None });
    let sentence = "Not sent. You may not say anything for now: an operator has muted you.";
    assert_eq!(room.text(A, "hi"), [report(A, Refusal::Muted), tell(A, sentence)]);
    let effects = room.text(A, "hi");
    assert!(matches!(
        effects.last(),
        Some(Effect::Connection { action: Action::PauseRead { .. }, .. })
    ));
}

#[test]
fn who_is_banned_is_sent_away_by_all_devices_and_cannot_come_back_under_any_name() {
    let mut room = Room::new();
    room.set_time_ms(1_000);
    room.join(A, "Анна", 1);
    let effects = room.order(Order::Ban { whom: whom("Анна"), for_ms: Some(60_000) });
    let changes = effects.iter().find_map(|effect| match effect {
        Effect::Store { request: Request::Moderate { changes, .. }, .. } => Some(changes),
        _ => None,
    });
    let [Change::Impose(sanction)] = &changes.unwrap()[..] else { panic!("{changes:?}") };
    assert_eq!((sanction.until_ms, &*sanction.by), (Some(61_000), "root"));
    assert_eq!(effects[..2], bye(A, CloseReason::Banned));
    room.closed(A, CloseReason::Banned);
    for (id, spelled) in [(A, "Анна"), (B, "Вера")] {
        room.connect(id);
        let expected = [&[report(id, Refusal::Banned)][..], &bye(id, CloseReason::Banned)].concat();
        assert_eq!(room.receive(id, hello(spelled, 1)), expected);
        room.closed(id, CloseReason::Banned);
    }
    assert_eq!(room.join(C, "Вера", 2), "Вера", "somebody else");
    room.set_time_ms(61_000);
    assert_eq!(room.join(A, "Анна", 1), "Анна", "it has ended");
}

#[test]
fn an_address_is_banned_with_all_who_are_there_and_a_guest_by_theirs() {
    let mut room = Room::new();
    room.set_time_ms(1_000);
    for (id, address) in [(A, 0xc000_0207), (B, 0xc000_0307)] {
        room.connect_from(id, address);
    }
    room.hello(A, "Борис");
    room.hello(B, "Вера");
    let (text, effects) = room.ordered(Order::Ban { whom: whom("192.0.3.0/24"), for_ms: None });
    assert_eq!(text, "192.0.3.0/24 is banned; 1 connection was closed.");
    assert_eq!(effects, [tell(B, BANNED), close(B, CloseReason::Banned)]);
    let (text, effects) =
        room.ordered(Order::Ban { whom: whom("Борис"), for_ms: Some(120_000) });
    assert_eq!(
        text,
        "Борис joined without a key, so cannot be told from others by name. 192.0.2.7 is banned for \
            2 minutes; 1 connection was closed."
    );
    assert_eq!(effects, [tell(A, BANNED), close(A, CloseReason::Banned)]);
    let is_banned = |room: &Room, address| room.chat.is_banned(Origin::v4(address));
    assert!(is_banned(&room, 0xc000_0207) && is_banned(&room, 0xc000_03ff));
    assert!(!is_banned(&room, 0xc000_0208));
    let Effect::Reply { reply: Reply::Bans { bans, mutes, .. }, .. } = &room.order(Order::Bans)[0]
    else {
        panic!("a list")
    };
    let bans: Vec<_> = bans.iter().map(|ban| (&*ban.subject, ban.until_ms)).collect();
    assert_eq!(bans, [("192.0.3.0/24", None), ("192.0.2.7", Some(121_000))]);
    assert!(mutes.is_empty());
    room.ordered(Order::Unban { whom: whom("192.0.3.0/24") });
    assert!(!is_banned(&room, 0xc000_03ff));
    room.set_time_ms(121_000);
    assert!(!is_banned(&room, 0xc000_0207));
    for (text, expected) in [
        ("192.0.3.0/24", "192.0.3.0/24 is not banned."),
        ("192.0.2.7", "192.0.2.7 is not banned."),
        ("Никто", "Никто is not banned."),
    ] {
        assert_eq!(room.refused_order(Order::Unban { whom: whom(text) }), expected);
    }
    let wide = room.refused_order(Order::Ban { whom: whom("0.0.0.0/0"), for_ms: None });
    assert_eq!(wide, "0.0.0.0/0 has too many addresses: a prefix of /8 is the widest.");
}

#[test]
fn a_name_that_is_freed_is_had_by_who_comes_next() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    let (text, effects) = room.ordered(Order::FreeName { name: name("анна") });
    assert_eq!(text, "Анна is free: the next who joins under such a name owns it.");
    assert_eq!(effects, bye(A, CloseReason::Removed));
    room.closed(A, CloseReason::Removed);
    assert_eq!(room.join(B, "Анна", 2), "Анна");
    room.connect(A);
    let effects = room.receive(A, hello("Анна", 1));
    assert!(effects.contains(&report(A, Refusal::NameTaken)), "the old device is nobody's");
}

#[test]
fn an_operator_s_role_is_lost_with_the_name_and_that_is_said() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    room.ordered(Order::AddOperator { name: name("Анна") });
    let effects = room.order(Order::FreeName { name: name("Анна") });
    let details = effects.iter().find_map(|effect| match effect {
        Effect::Store { request: Request::Moderate { entry, .. }, .. } => Some(&*entry.detail),
        _ => None,
    });
    assert_eq!(details, Some("an operator no longer"));
    let text = "Анна is free: the next who joins under such a name owns it. \
        Their owner was an operator: whoever owns them next is none.";
    let done = Effect::Reply { call: CALL, reply: Reply::Done { text: text.to_owned() } };
    assert_eq!(effects.last(), Some(&done));
    room.closed(A, CloseReason::Removed);
    room.join(B, "Анна", 2);
    let Effect::Reply { reply: Reply::Operators { operators }, .. } =
        &room.order(Order::Operators)[0]
    else {
        panic!("a list")
    };
    assert!(operators.is_empty());
}

#[test]
fn the_door_is_as_operators_say_whatever_is_configured() {
    let mut room = Room::new();
    room.chat.set_rules(Rules { admission: Door::Invite, ..RULES });
    room.connect(A);
    assert!(room.receive(A, hello("Вера", 2)).contains(&report(A, Refusal::Uninvited)));
    room.ordered(Order::Door { admission: Door::Open });
    assert_eq!(room.join(B, "Анна", 1), "Анна");
    room.chat.set_rules(Rules { admission: Door::Invite, ..RULES });
    assert_eq!((room.chat.door(), &*room.join(C, "Борис", 1)), (Door::Open, "Борис"));
}

#[test]
fn a_closed_door_lets_in_who_owns_a_name_and_nobody_else() {
    let mut room = Room::new();
    room.join(A, "Анна", 1);
    room.closed(A, CloseReason::Quit);
    let (text, _) = room.ordered(Order::Door { admission: Door::Invite });
    assert_eq!(text, "Only those may join who own a name here, or have an invite.");
    room.connect(B);
    let effects = room.receive(B, hello("Вера", 2));
    assert!(effects.contains(&report(B, Refusal::Uninvited)));
    assert!(matches!(
        &effects[0],
        Effect::Tell { event: Event::Refused(Complaint { code: ErrorCode::NotAdmitted, .. }), .. }
    ));
    room.connect(C);
    let effects = room.hello(C, "Борис");
    assert_eq!(effects.last(), Some(&close(C, CloseReason::Protocol)));
    assert_eq!(room.join(A, "Анна", 1), "Анна");
    room.ordered(Order::Door { admission: Door::Open });
    let (id, vera) = (ConnectionId { slot: 9, generation: 9 }, hello("Вера", 2));
    room.connect(id);
    assert!(matches!(&room.receive(id, vera)[..], [.., Effect::Connection { .. }]));
    assert!(room.chat.roster().name(id).is_some());
}

#[test]
fn everybody_is_told_what_an_operator_says_and_nothing_that_cannot_be_shown() {
    let mut room = Room::with(&[(A, "Борис")]);
    let (_, effects) = room.ordered(Order::Say { text: " Lunch at noon. ".to_owned() });
    assert_eq!(effects, [told_all(Event::Notice("Lunch at noon.".to_owned()))]);
    for text in ["", " \n", "bell \u{7}", &"x".repeat(4_097)] {
        room.refused_order(Order::Say { text: text.to_owned() });
    }
    let Effect::Reply { reply: Reply::People { people }, .. } = &room.order(Order::Who)[0] else {
        panic!("a list")
    };
    assert_eq!((people.len(), &*people[0].name, people[0].protocol), (1, "Борис", 1));
    assert_eq!(people[0].addresses, ["127.0.0.1"]);
}
