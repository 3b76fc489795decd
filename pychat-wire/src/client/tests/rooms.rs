//! The rooms that we are in: each with its own numbers, as the server lists and describes them.

use super::*;

#[test]
fn each_room_has_its_own_numbers() {
    let mut stage = Stage::in_two_rooms(10);
    let heard = [
        live(1),
        within("r7", live(11)),
        within("r7", live(11)),
        live(2),
        within("r7", live(13)),
        live(2),
        within("r8", live(3)),
        within("r7", ServerMessage::Gap { room: HALL.into(), from: 14, to: 20 }),
        within("r7", live(21)),
    ];
    let told = ["1", "r7: 11", "2", "r7: gap 12-12", "r7: 13", "r7: gap 14-20", "r7: 21"];
    assert_told(&stage.hear(&heard), &told);
    let saved = stage.client.saved();
    assert_eq!((saved.seq(&hall()), saved.seq(&other())), (2, 21));
    assert_eq!(saved.seq(&"r8".into()), 0);
}

#[test]
fn one_hello_resumes_all_rooms() {
    let mut stage = Stage::in_two_rooms(10);
    stage.hear(&[live(1), within("r7", live(11))]);
    stage.cut();
    stage.enter_all(2, vec![described("r7", 13), described("r8", 5)]);
    let written = stage.written();
    let resume = r#""resume":{"epoch":"0f8e","rooms":{"":1,"r7":11},"limit":500}"#;
    assert!(written[0].contains(resume), "{written:?}");
    // A room that is new begins with what is said from now on.
    let heard = [
        within("r7", replayed(12)),
        replayed(2),
        within("r7", replayed(13)),
        within("r8", live(6)),
    ];
    assert_told(&stage.hear(&heard), &["r7: 12", "2", "r7: 13", "r8: 6"]);
    let welcomed = [hall(), other(), "r8".into()].map(|room| stage.client.welcomed_at(&room));
    assert_eq!(welcomed, [2, 13, 5]);
    stage.cut();
    assert_eq!(stage.client.welcomed_at(&other()), 0, "there is no line");
}

#[test]
fn a_window_may_skip_what_it_missed_in_each_room() {
    let mut stage = Stage::in_two_rooms(10);
    stage.cut();
    stage.enter_all(600, vec![described("r7", 1_000)]);
    let skip = |to| ServerMessage::Skip { room: HALL.into(), from: 1, to };
    let heard = [within("r7", skip(900)), skip(500), within("r7", skip(950)), live(501)];
    let told = ["r7: skipped 11-900", "skipped 1-500", "r7: gap 901-950", "501"];
    assert_told(&stage.hear(&heard), &told);
}

#[test]
fn pages_are_asked_for_in_each_room() {
    let mut stage = Stage::in_two_rooms(10);
    assert_eq!(stage.client.past(&other()), Past::Kept);
    assert!(stage.client.request_history(&other(), 3));
    assert_eq!(
        (stage.client.past(&other()), stage.client.past(&hall())),
        (Past::Asked, Past::None)
    );
    let asked = r#"{"type":"history","room":"r7","before":11,"limit":3}"#;
    assert_eq!(stage.written(), [asked]);
    stage.cut();
    stage.enter_all(0, vec![described("r7", 10)]);
    assert_eq!(stage.written()[1], asked, "it is asked for on the next line, too");
    let mut renamed = event(9, RoomEvent::Renamed, Some("Lunch"));
    let mut unknown = event(7, RoomEvent::Unknown, None);
    for message in [&mut renamed, &mut unknown] {
        if let ServerMessage::Event { replay, .. } = message {
            *replay = true;
        }
    }
    let page = ServerMessage::Page { room: HALL.into(), before: 11, count: 3, start: false };
    let heard = [unknown, replayed(8), renamed, replayed(10), page.clone()];
    let mut heard: Vec<_> = heard.into_iter().map(|message| within("r7", message)).collect();
    heard.insert(1, page);
    let told = stage.hear(&heard);
    assert_told(&told, &["r7: page [8 10] false"]);
    let [Event::Page(page)] = &told[..] else { panic!("{told:?}") };
    let [renamed] = &page.events[..] else { panic!("{page:?}") };
    assert_eq!((renamed.seq, renamed.subject.as_deref()), (9, Some("Lunch")));
    assert!(renamed.replayed && !renamed.own);
    assert_eq!(stage.client.room(&other()).unwrap().name, "r7", "it has that name no more");
    stage.client.request_history(&other(), 3);
    assert!(stage.written()[0].contains(r#""before":7"#), "what shows nothing counts");
    assert!(!stage.client.request_history(&"r8".into(), 3), "no such room");
}

#[test]
fn a_room_is_known_from_its_description_on_and_kept_up_to_date() {
    let mut stage = Stage::in_two_rooms(10);
    let direct = message::Room {
        kind: RoomKind::Direct,
        name: "".into(),
        with: Some(["Анна", "Борис"].into_iter().collect()),
        mine: true,
        ..described("r9", 3)
    };
    let told = stage.hear(&[ServerMessage::Room(read(direct, 1, 2)), within("r9", live(4))]);
    assert_told(&told, &[r#"r9: room """#, "r9: 4"]);
    let expected = Room {
        id: "r9".into(),
        kind: RoomKind::Direct,
        name: String::new(),
        topic: String::new(),
        with: vec!["Анна".into(), "Борис".into()],
        is_mine: true,
        last: 4,
        read: 1,
        unread: 3,
    };
    assert_eq!(stage.client.room(&"r9".into()), Some(expected));
    let ids: Vec<_> = stage.client.rooms().into_iter().map(|room| room.id).collect();
    assert_eq!(ids, [hall(), other(), "r9".into()]);
    let told = stage.hear(&[ServerMessage::Room(described("r9", 4)), within("r9", live(5))]);
    assert_told(&told, &[r#"r9: room "r9""#, "r9: 5"]);
}

#[test]
fn a_room_gets_the_name_and_the_topic_that_its_records_say() {
    let mut stage = Stage::in_two_rooms(10);
    let topic = event(12, RoomEvent::Topic, Some("At noon"));
    let heard =
        [event(11, RoomEvent::Renamed, Some("Lunch")), topic, event(13, RoomEvent::Left, None)];
    let heard = heard.map(|message| within("r7", message));
    let room = r#"r7: room "Lunch""#;
    let told = ["r7: 11 Renamed Lunch", room, "r7: 12 Topic At noon", room, "r7: 13 Left "];
    assert_told(&stage.hear(&heard), &told);
    let room = stage.client.room(&other()).unwrap();
    assert_eq!((&*room.name, &*room.topic, room.last), ("Lunch", "At noon", 13));
    assert_eq!(room.unread, 0, "they are no messages");
    // What was done before the server described the room is in its description.
    stage.cut();
    let now = message::Room { name: "Dinner".into(), ..described("r7", 15) };
    stage.enter_all(0, vec![now]);
    let renamed = [event(14, RoomEvent::Renamed, Some("Tea")), event(15, RoomEvent::Topic, None)];
    let told = stage.hear(&renamed.map(|message| within("r7", message)));
    assert_told(&told, &["r7: 14 Renamed Tea", "r7: 15 Topic "]);
    assert_eq!(stage.client.room(&other()).unwrap().name, "Dinner");
}

#[test]
fn records_of_unknown_types_count_and_show_nothing() {
    let mut stage = Stage::in_two_rooms(10);
    let unknown = |seq| within("r7", ServerMessage::UnknownRecord { room: HALL.into(), seq });
    let heard = [
        unknown(11),
        within("r7", event(12, RoomEvent::Unknown, None)),
        within("r7", live(13)),
        unknown(16),
    ];
    assert_told(&stage.hear(&heard), &["r7: 13", "r7: gap 14-15"]);
    assert_eq!(stage.client.saved().seq(&other()), 16);
    assert_eq!(stage.client.unread(&other()), 1);
    assert_told(&stage.hear(&[unknown(17)]), &[]);
    assert_eq!(stage.client.saved().seq(&other()), 17);
}

#[test]
fn what_was_said_in_a_room_that_is_gone_fails() {
    let mut stage = Stage::in_two_rooms(10);
    let id = stage.client.say(&other(), "раз").unwrap();
    stage.say("два");
    let gone = ServerMessage::RoomGone { room: "r7".into() };
    let refusal = || error(ErrorCode::NoRoom, Some(&id), None);
    let told = stage.hear(&[gone.clone(), within("r7", live(11)), gone, refusal()]);
    assert_told(&told, &["r7: refused раз NoRoom", "r7: gone"]);
    assert!(matches!(stage.hear(&[refusal()])[..], [Event::Denied { .. }]), "of something else");
    assert_eq!(stage.client.say(&other(), "x"), Err(SayError::NoRoom));
    assert_eq!((stage.client.room(&other()), stage.client.unread(&other())), (None, 0));
    assert_eq!(stage.client.unacknowledged().count(), 1);
    let hall_gone = ServerMessage::RoomGone { room: HALL.into() };
    assert_told(&stage.hear(&[hall_gone, live(1)]), &["1"]);
    let mut stage = stage.killed();
    assert!(stage.enter(EPOCH, 1)[0].contains(r#""rooms":{"":1}"#), "nothing of it is saved");
}

#[test]
fn a_room_that_is_not_listed_any_more_is_gone() {
    for is_killed in [false, true] {
        let mut stage = Stage::in_two_rooms(10);
        stage.client.say(&other(), "раз").unwrap();
        stage.say("два");
        if is_killed {
            stage = stage.killed();
            stage.client = stage.client.beginning(Begin::LastPage(5));
        } else {
            stage.cut();
        }
        assert!(stage.client.say(&other(), "три").is_ok(), "we may be in it");
        let told = summary(&stage.enter_all(0, Vec::new()));
        let gone = ["r7: refused раз NoRoom", "r7: refused три NoRoom", "r7: gone"];
        assert_eq!(told[1..4], gone);
        assert_eq!(stage.client.rooms().len(), 1);
        let written = stage.written();
        assert!(
            written.iter().filter(|payload| payload.contains("text")).count() == 1,
            "{written:?}"
        );
    }
}

#[test]
fn in_another_epoch_all_rooms_begin_anew() {
    let mut stage = Stage::in_two_rooms(10);
    stage.hear(&[ServerMessage::Room(described("r8", 4))]);
    stage.client.say(&"r8".into(), "раз").unwrap();
    stage.cut();
    stage.client.connected(0);
    let rooms = vec![described("r7", 2), described("r9", 3)];
    let told = stage.hear(&[greeting("new"), welcome_to("new", 1, rooms)]);
    assert_told(&told, &["back", "new epoch", "r8: refused раз NoRoom"]);
    let ids: Vec<_> = stage.client.rooms().into_iter().map(|room| room.id).collect();
    assert_eq!(ids, [hall(), other(), "r9".into()]);
    let void = ServerMessage::Gap { room: HALL.into(), from: 1, to: 10 };
    let heard = [
        within("r7", void),
        within("r7", replayed(1)),
        replayed(1),
        within("r7", replayed(2)),
        within("r9", live(4)),
    ];
    assert_told(&stage.hear(&heard), &["r7: 1", "1", "r7: 2", "r9: 4"]);
    assert_eq!(stage.client.saved().rooms.len(), 3);
}

#[test]
fn a_log_that_lost_its_end_goes_on_from_there_in_its_room_alone() {
    let mut stage = Stage::in_two_rooms(10);
    stage.hear(&[live(1), live(2)]);
    stage.cut();
    let told = stage.enter_all(2, vec![described("r7", 7)]);
    assert_told(&told, &["back", "r7: gap 8-10"]);
    assert_told(&stage.hear(&[within("r7", live(8)), live(3)]), &["r7: 8", "3"]);
    assert_eq!(stage.client.seen(&other()), 7);
}

#[test]
fn a_bot_hears_the_hall_unless_it_is_told_to_hear_all() {
    for (begin, hearing, is_all) in [
        (Begin::Resume, None, false),
        (Begin::Everything, None, false),
        (Begin::LastPage(5), None, true),
        (Begin::Resume, Some(Hearing::All), true),
        (Begin::LastPage(5), Some(Hearing::Hall), false),
    ] {
        let mut client = Client::new(anna(), Saved::default(), [7; 32]).beginning(begin);
        if let Some(hearing) = hearing {
            client = client.hearing(hearing);
        }
        let mut stage = Stage::of(client);
        stage.enter_all(0, vec![described("r7", 10)]);
        let heard = [within("r7", live(11)), ServerMessage::Room(described("r8", 1)), live(1)];
        let told = stage.hear(&heard);
        let expected: &[_] = if is_all { &["r7: 11", r#"r8: room "r8""#, "1"] } else { &["1"] };
        assert_told(&told, expected);
        assert_eq!(stage.client.rooms().len(), if is_all { 3 } else { 1 });
        assert_eq!(stage.client.say(&other(), "x").is_ok(), is_all);
    }
}

#[test]
fn a_bot_that_hears_all_goes_on_in_every_room() {
    let bot = |saved| Client::new(anna(), saved, [7; 32]).hearing(Hearing::All);
    let mut stage = Stage::of(bot(Saved::default()));
    stage.enter_all(3, vec![described("r7", 10)]);
    stage.hear(&[within("r7", live(11))]);
    let mut stage = Stage::of(bot(stage.client.saved().clone()));
    stage.enter_all(4, vec![described("r7", 12)]);
    assert!(stage.written()[0].contains(r#""rooms":{"":3,"r7":11}}"#));
    let heard = [replayed(4), within("r7", replayed(12))];
    assert_told(&stage.hear(&heard), &["4", "r7: 12"]);
}

#[test]
fn no_server_makes_a_client_keep_more_rooms_than_a_thousand() {
    let names: Vec<_> = (0..ROOMS_MAX + 5).map(|number| format!("r{number}")).collect();
    let mut stage = Stage::window(Saved::default());
    stage.enter_all(0, names.iter().take(500).map(|name| described(name, 1)).collect());
    for name in &names {
        stage.hear(&[ServerMessage::Room(described(name, 1))]);
    }
    assert_eq!(stage.client.rooms().len(), ROOMS_MAX);
    assert_eq!(stage.client.saved().rooms.len(), ROOMS_MAX);
    // The same room twice is one room, and so is the hall, in whatever place.
    let mut stage = Stage::window(Saved::default());
    stage.enter_all(5, vec![described("r7", 1), described("r7", 9), described("", 9)]);
    let lasts: Vec<_> = stage.client.rooms().into_iter().map(|room| room.last).collect();
    assert_eq!(lasts, [5, 1]);
}

#[test]
fn a_hello_resumes_no_more_than_the_server_takes_and_the_rest_is_skipped() {
    let names: Vec<_> = (100..200).map(|number| format!("r{number}")).collect();
    let rooms = |last| names.iter().map(|name| described(name, last)).collect::<Vec<_>>();
    let mut stage = Stage::window(Saved::default());
    stage.enter_all(0, rooms(1));
    stage.written();
    stage.cut();
    stage.client.connected(0);
    let mut small = greeting(EPOCH);
    if let ServerMessage::Greeting { limits, .. } = &mut small {
        limits.payload = 5_000;
    }
    let told = summary(&stage.hear(&[small, welcome_to(EPOCH, 0, rooms(2))]));
    let hello = stage.written().remove(0);
    assert!(hello.len() <= 5_000 && hello.contains(r#""rooms":{"":0,"r100":1,"#), "{hello}");
    let n_resumed = hello.matches(":1").count();
    assert!(10 < n_resumed && told.len() == 1 + 100 - n_resumed, "{n_resumed} {told:?}");
    assert_eq!(told.last().map(String::as_str), Some("r199: skipped 2-2"));
}

#[test]
fn numbers_of_any_size_do_no_harm() {
    for number in [0, 1, u64::MAX - 1, u64::MAX] {
        let room = || read(described("r7", number), u64::MAX, u64::MAX);
        for begin in [Begin::LastPage(5), Begin::Resume, Begin::Everything] {
            let client = Client::new(anna(), Saved::default(), [7; 32]).beginning(begin);
            let mut stage = Stage::of(client.hearing(Hearing::All));
            for seq in [number, u64::MAX, 0, 7] {
                stage.enter_all(seq, vec![room()]);
                let page = ServerMessage::Page {
                    room: HALL.into(),
                    before: number,
                    count: 1,
                    start: true,
                };
                stage.hear(&[
                    ServerMessage::Room(room()),
                    ServerMessage::Read { room: "r7".into(), seq: u64::MAX },
                    ServerMessage::Read { room: HALL.into(), seq: number },
                ]);
                for room in ["", "r7"] {
                    let room_id = RoomId::from(room);
                    stage.client.request_history(&room_id, u64::MAX);
                    let skip =
                        ServerMessage::Skip { room: HALL.into(), from: u64::MAX, to: number };
                    let heard = [
                        live(number),
                        skip,
                        replayed(0),
                        replayed(7),
                        page.clone(),
                        live(u64::MAX),
                    ];
                    stage.hear(&heard.map(|message| within(room, message)));
                    stage.client.see(&room_id, u64::MAX);
                    stage.client.forget_before(&room_id, number);
                    assert!(stage.client.unread(&room_id) <= UNREAD_MAX);
                    let described = stage.client.room(&room_id).unwrap();
                    assert!(described.read <= described.last, "{described:?}");
                }
                stage.pass(10_000);
                stage.cut();
                stage.pass(60_000);
            }
        }
    }
}

#[test]
fn no_more_pages_are_asked_for_at_once_than_a_server_takes() {
    let mut stage = Stage::window(Saved::default());
    let ids: Vec<RoomId> = (1..=6).map(|number| RoomId::from(&*format!("r{number}"))).collect();
    stage.enter_all(0, ids.iter().map(|id| described(id.as_str(), 9)).collect());
    let asked = |room: &RoomId| {
        format!(r#"{{"type":"history","room":"{}","before":10,"limit":2}}"#, room.as_str())
    };
    let page = |room: &RoomId| {
        let room = room.as_str().to_owned().into();
        ServerMessage::Page { room, before: 10, count: 0, start: true }
    };
    stage.written();
    assert!(ids.iter().all(|id| stage.client.request_history(id, 2)));
    assert_eq!(stage.written(), ids[..PAGES_MAX].iter().map(asked).collect::<Vec<_>>());
    assert_eq!(stage.client.past(&ids[5]), Past::Asked);
    // One that waits is taken back, and asked for anew behind the others.
    stage.hear(&[within("r5", live(10))]);
    stage.client.forget_before(&ids[4], 11);
    stage.hear(&[page(&ids[1])]);
    assert_eq!(stage.written(), [asked(&ids[5])]);
    assert!(stage.client.request_history(&ids[4], 2));
    let gone = ServerMessage::RoomGone { room: "r3".into() };
    stage.hear(&[gone]);
    let [again] = &stage.written()[..] else { panic!("one page in place of one") };
    assert_eq!(*again, asked(&ids[4]).replace("10", "11"));
    let page = ServerMessage::Page { room: "r5".into(), before: 11, count: 0, start: true };
    assert_told(&stage.hear(&[page]), &["r5: page [] true"]);
}
