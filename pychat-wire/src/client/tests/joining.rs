//! Who gets in, in which protocol, and who does not.

use super::{super::secret::Secret, *};

#[test]
fn the_greeting_decides_which_hello_is_said() {
    let original = r#"{"type":"hello","username":"Анна"}"#;
    let second = r#"{"type":"hello","username":"Анна","protocol":2,"token":"TOKEN"}"#;
    let second = &*second.replace("TOKEN", &chosen(7));
    let offer = |protocol| {
        let ServerMessage::Greeting { username, content, epoch, limits, tls, ping_seconds, .. } =
            greeting(EPOCH)
        else {
            unreachable!()
        };
        ServerMessage::Greeting { username, content, protocol, epoch, limits, tls, ping_seconds }
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

/// Returns the token that a client with this seed chooses.
fn chosen(seed: u128) -> String {
    format!("{:032x}", Secret::new(seed).bits("token", 0))
}

#[test]
fn a_token_is_chosen_and_stored_before_it_is_sent_and_kept_while_no_welcome_comes() {
    let mut stage = Stage::new();
    stage.client.connected(0);
    stage.client.take_saved();
    stage.hear(&[greeting(EPOCH)]);
    assert!(stage.client.take_saved().is_some(), "to be stored first");
    let hello = stage.written();
    assert!(hello[0].contains(&chosen(7)), "{hello:?}");
    let mut again = stage.killed();
    again.client.connected(0);
    again.hear(&[greeting(EPOCH)]);
    assert_eq!(again.written(), hello, "by a client with other random bits, too");
    again.hear(&[welcome(EPOCH, 0)]);
    let saved = serde_json::to_value(again.client.saved()).unwrap();
    assert_eq!((&saved["token"], saved.get("choice")), (&"5a".into(), None));
}

#[test]
fn who_was_here_before_proves_it_and_resumes() {
    let mut stage = Stage::back(1_234);
    stage.client.connected(0);
    stage.hear(&[greeting(EPOCH)]);
    let hello = concat!(
        r#"{"type":"hello","username":"Анна","protocol":2,"token":"5a","#,
        r#""resume":{"epoch":"0f8e","after":1234}}"#
    );
    assert_eq!(stage.written(), [hello]);
    assert_told(&stage.hear(&[welcome(EPOCH, 1_234)])[..], &["joined"]);
}

#[test]
fn a_window_shows_the_last_page_instead() {
    let client = Client::new(anna(), saved(5), 7).beginning(Begin::LastPage(2));
    let mut stage = Stage::of(client);
    stage.client.connected(0);
    stage.told();
    stage.hear(&[greeting(EPOCH)]);
    assert_eq!(
        stage.written(),
        [r#"{"type":"hello","username":"Анна","protocol":2,"token":"5a"}"#]
    );
    stage.hear(&[welcome(EPOCH, 9)]);
    // What was not seen, and one more.
    assert_eq!(stage.written(), [r#"{"type":"history","before":10,"limit":5}"#]);
    let page = ServerMessage::Page { before: 10, count: 2, start: false };
    let events = stage.hear(&[replayed(8), live(10), replayed(9), page]);
    assert_told(&events, &["10", "page [8 9] false"]);
    stage.cut();
    assert!(
        stage.enter(EPOCH, 10)[0].contains(r#""resume":{"epoch":"0f8e","after":10,"limit":500}"#),
        "from then on it resumes"
    );
}

#[test]
fn an_empty_room_has_an_empty_page() {
    let client = Client::new(anna(), Saved::default(), 7).beginning(Begin::LastPage(2));
    let mut stage = Stage::of(client);
    stage.client.connected(0);
    let events = stage.hear(&[greeting(EPOCH), welcome(EPOCH, 0)]);
    assert_told(&events, &["connect", "joined", "page [] true"]);
    assert!(!stage.client.request_history(10));
}

#[test]
fn an_archive_begins_with_everything_that_is_kept() {
    let client = Client::new(anna(), Saved::default(), 7).beginning(Begin::Everything);
    let mut stage = Stage::of(client);
    assert!(stage.enter(EPOCH, 3)[0].contains(r#""resume":{"epoch":"0f8e","after":0}"#));
    let gap = ServerMessage::Gap { from: 1, to: 2 };
    assert_told(&stage.hear(&[gap, replayed(3), live(4)]), &["gap 1-2", "3", "4"]);
    let resume = r#""resume":{"epoch":"0f8e","after":4}"#;
    assert!(stage.killed().enter(EPOCH, 4)[0].contains(resume), "and goes on where it was");
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

    let mut stage = Stage::of(Client::new(anna(), Saved::default(), 7).persistent());
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
    let mut stage = Stage::of(Client::new(other, saved, 8));
    assert_told(&stage.told(), &["connect", "lost раз"]);
    let written = stage.enter(EPOCH, 1);
    assert_eq!(written.len(), 1, "{written:?}");
    assert!(written[0].contains(&chosen(8)) && written[0].contains("resume"), "{written:?}");
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
