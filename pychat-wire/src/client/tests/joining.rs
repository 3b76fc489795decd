//! Joining: the clients that get in, the protocol in which they do, and those that do not.

use super::{super::secret::Secret, *};
use crate::{
    key::{PairCode, PublicKey},
    message,
};

#[test]
fn the_greeting_decides_which_hello_is_said() {
    let original = r#"{"type":"hello","username":"Анна"}"#;
    let second =
        &*format!(r#"{{"type":"hello","username":"Анна","protocol":2,{}}}"#, proof(chosen(7)));
    let offer = |offered| {
        let mut greeting = greeting(EPOCH);
        if let ServerMessage::Greeting { protocol, .. } = &mut greeting {
            *protocol = offered;
        }
        greeting
    };
    for (greeting, hello) in [
        (notice(Notice::Greeting), original),
        (offer(1), original),
        (offer(2), second),
        (offer(3), second),
    ] {
        let mut stage = Stage::new();
        stage.client.connected(0);
        assert!(stage.written().is_empty(), "the server speaks first");
        stage.hear(&[greeting]);
        assert_eq!(stage.written(), [hello]);
    }
}

#[test]
fn what_somebody_else_says_in_the_words_of_the_server_means_nothing() {
    for (before, author, told) in [
        (&[][..], SERVER, "offline Bye"),
        (&[], "Борис", "offline CutShort"),
        (&[greeting(EPOCH)], SERVER, "offline Bye"),
        (&[greeting(EPOCH)], "Борис", "offline CutShort"),
    ] {
        let mut stage = Stage::new();
        stage.told();
        stage.client.connected(0);
        let content = Notice::Stopping.to_string().into();
        let last = ServerMessage::Message { username: author.into(), content };
        assert_told(&stage.hear(&[before, &[last]].concat()), &[]);
        stage.client.disconnected(0);
        let events = summary(&stage.told());
        assert!(events[0].starts_with(told), "{author} after {before:?}: {events:?}");
    }
    let mut stage = Stage::new();
    stage.client.connected(0);
    let content = Notice::Greeting.to_string().into();
    stage.hear(&[ServerMessage::Message { username: "Борис".into(), content }]);
    assert!(stage.written().is_empty(), "nobody was greeted");
}

/// Returns the key that a client with this seed chooses.
fn chosen(seed: u8) -> SecretKey {
    Secret::new([seed; 32]).key()
}

#[test]
fn a_key_is_chosen_and_stored_before_it_is_used_and_kept_while_no_welcome_comes() {
    let mut stage = Stage::new();
    stage.client.connected(0);
    stage.client.take_saved();
    stage.hear(&[greeting(EPOCH)]);
    assert!(stage.client.take_saved().is_some(), "to be stored first");
    let hello = stage.written();
    assert!(hello[0].contains(&proof(chosen(7))), "{hello:?}");
    let mut again = stage.killed();
    again.client.connected(0);
    again.hear(&[greeting(EPOCH)]);
    assert_eq!(again.written(), hello, "by a client with other random bits, too");
    again.hear(&[welcome(EPOCH, 0)]);
    let saved = serde_json::to_value(again.client.saved()).unwrap();
    let key = serde_json::to_value(chosen(7)).unwrap();
    assert_eq!((&saved["key"], &saved["is_known"]), (&key, &true.into()));
}

#[test]
fn what_is_signed_is_of_this_line() {
    let mut stage = Stage::back(0);
    stage.client.connected(0);
    stage.hear(&[greeting(EPOCH)]);
    let plain = stage.written();
    assert!(plain[0].contains(&proof(KEY)), "{plain:?}");
    stage.cut();
    stage.client.reconnect();
    stage.client.connected(0);
    stage.hear(&[greeting(EPOCH)]);
    let binding = [3; 32];
    stage.client.secured(1, binding);
    assert!(stage.written().is_empty(), "what was said in plain counts for nothing");
    stage.hear(&[greeting(EPOCH)]);
    let Proof { signature, .. } = KEY.prove(&Challenge { nonce: NONCE, binding }, "Анна");
    let written = stage.written();
    assert!(written.len() == 1 && written[0].contains(&signature.to_string()), "{written:?}");
}

#[test]
fn another_device_joins_by_a_code_which_is_used_once() {
    let code = PairCode([9; 16]);
    let phone = Client::new(anna(), saved(0), [7; 32]).pairing(code).labelled("phone");
    let mut stage = Stage::of(phone);
    let pair = format!(r#","pair":"{code}""#);
    stage.client.connected(0);
    stage.hear(&[greeting(EPOCH)]);
    let hello = stage.written();
    assert!(hello[0].contains(&pair) && hello[0].contains(r#","label":"phone""#), "{hello:?}");
    stage.cut();
    stage.client.reconnect();
    assert!(stage.enter(EPOCH, 0)[0].contains(&pair), "it was not welcomed yet");
    stage.cut();
    assert!(!stage.enter(EPOCH, 0)[0].contains("pair"));
    let forbidden = error(ErrorCode::Forbidden, None, None);
    let mut stage = Stage::of(Client::new(anna(), saved(0), [7; 32]).pairing(code));
    stage.client.connected(0);
    let events = stage.hear(&[greeting(EPOCH), forbidden]);
    let refused = "not as this name Some(Forbidden) no";
    assert_told(&events, &["connect", "disconnect", refused]);
}

#[test]
fn devices_are_asked_for_and_told_of() {
    let mut stage = Stage::joined(0);
    let key = PublicKey([7; 32]);
    assert!(stage.client.request_pair_code() && stage.client.request_devices());
    assert!(stage.client.remove_device(key));
    let remove = format!(r#"{{"type":"remove_device","key":"{key}"}}"#);
    assert_eq!(stage.written(), [r#"{"type":"pair"}"#, r#"{"type":"devices"}"#, &remove]);
    let code = PairCode([9; 16]);
    let device = message::Device { key, label: "phone".into(), time: 5 };
    let events = stage.hear(&[
        ServerMessage::PairCode { code, expires_ms: 600_000 },
        ServerMessage::DeviceAdded { key, label: "phone".into() },
        ServerMessage::Devices { devices: message::DeviceList(vec![device]) },
    ]);
    let expected = [
        Event::PairCode { code, expires_ms: 600_000 },
        Event::DeviceAdded { key, label: "phone".into() },
        Event::Devices(vec![Device { key, label: "phone".into(), added_ms: 5 }]),
    ];
    assert_eq!(events, expected);
}

#[test]
fn who_was_here_before_proves_it_and_resumes() {
    let mut stage = Stage::back(1_234);
    stage.client.connected(0);
    stage.hear(&[greeting(EPOCH)]);
    let hello = format!(
        r#"{{"type":"hello","username":"Анна","protocol":2,{},{}}}"#,
        proof(KEY),
        r#""resume":{"epoch":"0f8e","rooms":{"":1234}}"#
    );
    assert_eq!(stage.written(), [hello]);
    assert_told(&stage.hear(&[welcome(EPOCH, 1_234)])[..], &["joined"]);
}

#[test]
fn a_window_shows_the_last_page_instead() {
    let client = Client::new(anna(), saved(5), [7; 32]).beginning(Begin::LastPage(2));
    let mut stage = Stage::of(client);
    stage.client.connected(0);
    stage.told();
    stage.hear(&[greeting(EPOCH)]);
    let hello = format!(r#"{{"type":"hello","username":"Анна","protocol":2,{}}}"#, proof(KEY));
    assert_eq!(stage.written(), [hello]);
    stage.hear(&[welcome(EPOCH, 9)]);
    // What was not seen, and one more.
    assert_eq!(stage.written(), [r#"{"type":"history","before":10,"limit":5}"#]);
    let page = ServerMessage::Page { room: "".into(), before: 10, count: 2, start: false };
    let events = stage.hear(&[replayed(8), live(10), replayed(9), page]);
    assert_told(&events, &["10", "page [8 9] false"]);
    stage.cut();
    assert!(
        stage.enter(EPOCH, 10)[0]
            .contains(r#""resume":{"epoch":"0f8e","rooms":{"":10},"limit":500}"#),
        "from then on it resumes"
    );
}

#[test]
fn an_empty_room_has_an_empty_page() {
    let client = Client::new(anna(), Saved::default(), [7; 32]).beginning(Begin::LastPage(2));
    let mut stage = Stage::of(client);
    stage.client.connected(0);
    let events = stage.hear(&[greeting(EPOCH), welcome(EPOCH, 0)]);
    assert_told(&events, &["connect", "joined", "page [] true"]);
    assert!(!stage.client.request_history(&hall(), 10));
}

#[test]
fn an_archive_begins_with_everything_that_is_kept() {
    let client = Client::new(anna(), Saved::default(), [7; 32]).beginning(Begin::Everything);
    let mut stage = Stage::of(client);
    assert!(stage.enter(EPOCH, 3)[0].contains(r#""resume":{"epoch":"0f8e","rooms":{"":0}}"#));
    let gap = ServerMessage::Gap { room: "".into(), from: 1, to: 2 };
    assert_told(&stage.hear(&[gap, replayed(3), live(4)]), &["gap 1-2", "3", "4"]);
    let resume = r#""resume":{"epoch":"0f8e","rooms":{"":4}}"#;
    assert!(stage.killed().enter(EPOCH, 4)[0].contains(resume), "and goes on where it was");
}

#[test]
fn the_welcome_and_the_server_later_say_if_we_are_an_operator() {
    let mut stage = Stage::new();
    stage.enter(EPOCH, 0);
    assert!(!stage.client.is_operator());
    let operator = |operator| ServerMessage::Operator { operator };
    let told = [true, false].map(|is_operator| Event::OperatorChanged { is_operator });
    assert_eq!(stage.hear(&[operator(false), operator(true)]), told[..1]);
    assert!(stage.client.is_operator());
    assert_eq!(stage.hear(&[operator(false)]), told[1..]);
}

#[test]
fn an_operator_asks_and_is_answered_by_the_id() {
    let mut stage = Stage::new();
    let request = || message::OperatorRequest::Kick { username: "Борис".into() };
    assert_eq!(stage.client.operate(request()), None, "there is no line");
    stage.enter(EPOCH, 0);
    let ids = [(); 2].map(|()| stage.client.operate(request()).unwrap());
    assert_ne!(ids[0], ids[1]);
    let written = String::from_utf8(stage.client.take_outgoing()).unwrap();
    assert!(
        written.contains(&format!(r#"{{"type":"kick","username":"Борис","id":"{}"}}"#, ids[1]))
    );
    let done = ServerMessage::Done {
        verb: "kick".into(),
        by: "Анна".into(),
        subject: "Борис".into(),
        text: "Борис was sent away.".into(),
        id: Some(ids[0].as_str().into()),
    };
    let refused = ServerMessage::Error {
        code: ErrorCode::NotDone,
        text: "Борис is not here.".into(),
        reference: Some(ids[1].as_str().into()),
        retry_ms: None,
        suggest: None,
    };
    let told = stage.hear(&[done, refused]);
    let [
        Event::Moderated { text, id, .. },
        Event::Denied { code: ErrorCode::NotDone, text: why, id: refused_id },
    ] = &told[..]
    else {
        panic!("an answer, and a reason")
    };
    assert_eq!(refused_id.as_ref(), Some(&ids[1]));
    assert_eq!((&**text, id.as_ref()), ("Борис was sent away.", Some(&ids[0])));
    assert_eq!(why, "Борис is not here.");
}

#[test]
fn the_welcome_says_who_is_there() {
    let mut stage = Stage::new();
    stage.client.connected(0);
    stage.told();
    let others = vec!["Борис".to_owned()];
    assert_eq!(
        stage.hear(&[greeting(EPOCH), welcome(EPOCH, 0)]),
        [Event::Joined { name: "Анна".into(), others, protocol: 2, again: false }]
    );
    assert_eq!(stage.client.members(), ["Борис", "Анна"]);
    let events = stage.hear(&[
        ServerMessage::Joined { username: "Вера".into(), time: 5 },
        ServerMessage::Left { username: "Борис".into(), time: 6, reason: Reason::Lost },
    ]);
    let (name, time_ms, reason) = ("Борис".into(), Some(6), Some(Reason::Lost));
    assert_eq!(events[0], Event::MemberJoined { name: "Вера".into(), time_ms: Some(5) });
    assert_eq!(events[1], Event::MemberLeft { name, time_ms, reason });
    assert_eq!(stage.client.members(), ["Анна", "Вера"]);
    // A name is one person's, however often they are said to have joined.
    stage.hear(&[ServerMessage::Joined { username: "Вера".into(), time: 7 }]);
    assert_eq!(stage.client.members(), ["Анна", "Вера"]);
}

#[test]
fn a_name_that_is_refused_at_first_is_said_so_with_a_better_one() {
    for (code, suggest) in
        [(ErrorCode::NameTaken, Some("Анна (2)".to_owned())), (ErrorCode::NameInvalid, None)]
    {
        let mut stage = Stage::new();
        stage.client.connected(0);
        stage.told();
        let error = ServerMessage::Error {
            code,
            text: "no".into(),
            reference: None,
            retry_ms: None,
            suggest: suggest.clone().map(Into::into),
        };
        let refused = Event::Refused { code: Some(code), reason: "no".into(), suggest };
        assert_eq!(stage.hear(&[greeting(EPOCH), error]), [Event::Disconnect, refused]);
        assert_eq!(stage.pass(3_600_000), [], "it does not try again by itself");
        stage.client.reconnect();
        assert_told(&stage.told(), &["connect"]);
    }
}

#[test]
fn a_name_that_is_taken_on_the_way_back_may_be_our_own() {
    let mut stage = Stage::joined(0);
    stage.cut();
    stage.client.connected(0);
    let taken = error(ErrorCode::NameTaken, None, None);
    let events = stage.hear(&[greeting(EPOCH), taken]);
    assert!(
        matches!(
            &events[..],
            [
                Event::Disconnect,
                Event::Offline { cause: Cause::TurnedAway { .. }, retry_at_ms: Some(750..=1_250) },
            ]
        ),
        "{events:?}"
    );
    assert_told(&stage.pass(1_250), &["connect"]);
}

#[test]
fn a_full_server_is_asked_again_only_by_who_wants_to() {
    let full = || [greeting(EPOCH), error(ErrorCode::Full, None, Some(4_000))];
    let mut stage = Stage::new();
    stage.client.connected(0);
    let cause = r#"TurnedAway { code: Some(Full), reason: "no" }"#;
    let offline = format!("offline {cause} None");
    assert_told(&stage.hear(&full()), &["connect", "disconnect", &offline]);

    let mut stage = Stage::of(Client::new(anna(), Saved::default(), [7; 32]).persistent());
    stage.client.connected(0);
    let events = stage.hear(&full());
    assert!(
        matches!(events[2], Event::Offline { retry_at_ms: Some(4_000..=5_000), .. }),
        "{events:?}"
    );
}

#[test]
fn what_another_name_said_is_not_said_under_this_one() {
    let mut stage = Stage::joined(0);
    stage.cut();
    stage.say("раз");
    let saved = stage.client.saved().clone();
    let other = UserName::new("Вера").unwrap();
    let mut stage = Stage::of(Client::new(other, saved, [8; 32]));
    assert_told(&stage.told(), &["connect", "lost раз"]);
    let written = stage.enter(EPOCH, 1);
    assert_eq!(written.len(), 1, "{written:?}");
    let key = chosen(8).public().to_string();
    assert!(written[0].contains(&key) && written[0].contains("resume"), "{written:?}");
}

#[test]
fn one_greeting_and_one_welcome_are_all_that_count() {
    let long = "e".repeat(257);
    for username in [SERVER, "x"] {
        for protocol in [1, 2, u64::MAX] {
            for epoch in ["", EPOCH, &long] {
                let mut again = greeting(epoch);
                if let ServerMessage::Greeting { username: who, protocol: offered, .. } = &mut again
                {
                    (*who, *offered) = (username.into(), protocol);
                }
                let mut stage = Stage::new();
                stage.client.connected(0);
                stage.hear(&[greeting(EPOCH), again.clone(), again.clone()]);
                assert_eq!(stage.written().len(), 1, "one hello");
                assert_told(
                    &stage.hear(&[welcome(EPOCH, 3), again, welcome("new", 9)]),
                    &["joined"],
                );
                assert!(stage.written().is_empty());
                assert_told(&stage.hear(&[live(4)]), &["4"]);
            }
        }
    }
}
