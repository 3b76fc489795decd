//! Rooms: which there are, what is new in each, and what outlives a connection and a start.

use std::{cell::RefCell, rc::Rc};

use gtk::gio::prelude::*;
use pychat_gtk::{
    model::{Delivery, Message},
    session::{
        OpenRoom, Room, Session, SessionState,
        room::{RoomKind, RoomNotifications},
    },
};
use serde_json::json;

use crate::{
    Folder, finish, joined, joined_with, new_session, run,
    server::{Server, TIME_MS, payloads::room},
    told, until, until_state,
};

/// Returns the ids of the rooms as they are listed.
fn listed(session: &Session) -> Vec<String> {
    let rooms = session.rooms();
    (0..rooms.n_items()).filter_map(|at| Some(rooms.room_at(at)?.id())).collect()
}

fn room_of(session: &Session, id: &str) -> Room {
    session.rooms().room(id).expect("it is listed")
}

/// Returns what there is to read in a room.
fn texts_in(room: &Room) -> Vec<String> {
    let history = room.history();
    (0..history.n_items()).filter_map(|at| history.message(at)).flat_map(|it| told(&it)).collect()
}

/// Gathers the rooms that are to be shown, and the outcomes of requests.
fn outcomes(session: &Session) -> Rc<RefCell<Vec<String>>> {
    let outcomes = Rc::new(RefCell::new(Vec::new()));
    let gather = |word: &'static str| {
        let outcomes = outcomes.clone();
        move |what: &str| outcomes.borrow_mut().push(format!("{word} {what}"))
    };
    let (wanted, done, failed) = (gather("show"), gather("done"), gather("failed"));
    session.connect_room_wanted(move |_, room| wanted(&room.id()));
    session.connect_room_changed(move |_, _| done(""));
    session.connect_room_failed(move |_, _, reason| failed(reason));
    outcomes
}

#[test]
fn people_come_first_and_in_each_section_what_is_new_then_what_was_last() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            let with = |names: &[&str]| json!({ "with": names });
            peer.let_in_rooms(
                "e1",
                0,
                &[
                    room("r1", "open", "Tea", 0, &json!({"topic": "hot"})),
                    room("r2", "closed", "Cake", 3, &json!({"unread": 2, "mine": true})),
                    room("r3", "direct", "", 0, &with(&["Анна", "Борис"])),
                    room("r4", "direct", "", 0, &with(&["Вера", "Анна", "Борис"])),
                ],
            );
            peer.record(1, "Вера", "hello", &json!({"room": "r4"}));
            peer.record(1, "Борис", "@Анна, tea?", &json!({"room": "r1"}));
            peer.record(2, "Борис", "now", &json!({"room": "r1"}));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let names = ["Борис", "Вера, Борис", "Tea", "Cake", "Office"];
        until(|| room_of(&session, "r1").unread() == 2).await;
        assert_eq!(listed(&session), ["r4", "r3", "", "r1", "r2"]);
        let titles: Vec<_> =
            ["r3", "r4", "r1", "r2", ""].map(|id| room_of(&session, id).title()).into();
        assert_eq!(titles, names);
        let rooms = session.rooms();
        let begins: Vec<_> = (0..5).map(|at| rooms.begins_section(at)).collect();
        assert_eq!(begins, [true, false, true, false, false]);
        assert_eq!((rooms.unread(), rooms.mentions()), (5, 1));
        let (tea, cake) = (room_of(&session, "r1"), room_of(&session, "r2"));
        assert_eq!(
            (tea.kind(), tea.mentions(), tea.topic()),
            (RoomKind::Open, 1, "hot".to_owned())
        );
        assert_eq!((cake.kind(), cake.is_mine(), tea.is_mine()), (RoomKind::Closed, true, false));
        assert_eq!(tea.last_active(), i64::try_from(TIME_MS + 2).unwrap());
        assert_eq!(tea.history().n_items(), 0, "nobody has opened it");
        tea.set_notifications(RoomNotifications::None);
        assert_eq!(listed(&session), ["r4", "r3", "", "r2", "r1"], "it is muted");
        assert_eq!((rooms.unread(), rooms.mentions()), (3, 0));
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn a_room_that_is_opened_has_what_is_new_and_some_more_and_is_read_on_every_device() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_rooms(
                "e1",
                0,
                &[
                    room("r1", "open", "Tea", 100, &json!({"read": 40, "unread": 60})),
                    room("r2", "open", "Cake", 9, &json!({"read": 2, "unread": 7})),
                ],
            );
            peer.record(101, "Борис", "number 101", &json!({"room": "r1"}));
            let request = peer.read_payload();
            assert_eq!((&request["limit"], &request["room"]), (&json!(86), &json!("r1")));
            for seq in 16..102 {
                let more = json!({"room": "r1", "replay": true});
                peer.record(seq, "Борис", &format!("number {seq}"), &more);
            }
            peer.send(
                &json!({"type": "page", "room": "r1", "before": 102, "count": 86, "start": false}),
            );
            assert_eq!(peer.read_payload(), json!({"type": "members", "room": "r1"}));
            let members = json!(["Анна", "Борис"]);
            peer.send(&json!({"type": "members", "room": "r1", "members": members}));
            peer.hear_read("r1", 101);
            peer.send(&json!({"type": "read", "room": "r2", "seq": 9}));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        until(|| session.rooms().unread() == 68).await;
        let tea = room_of(&session, "r1");
        tea.history().set_attended(false);
        tea.open();
        until(|| tea.history().n_items() == 86).await;
        assert_eq!((tea.unread(), tea.history().n_unread()), (61, 61));
        let first = tea.history().first_unread().as_ref().and_then(Message::seq);
        assert_eq!((first, texts_in(&tea)[85].as_str()), (Some(41), "number 101"));
        until(|| tea.people().n_items() == 2).await;
        let read = Rc::new(RefCell::new(Vec::new()));
        session.rooms().connect_read({
            let read = read.clone();
            move |_, room| read.borrow_mut().push(room.id())
        });
        tea.history().set_attended(true);
        until(|| room_of(&session, "r2").unread() == 0).await;
        assert_eq!((tea.unread(), session.rooms().unread()), (0, 0));
        until(|| *read.borrow() == ["r1", "r2"]).await;
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn what_was_read_elsewhere_is_new_here_no_more() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            for seq in 1..4 {
                peer.record(seq, "Борис", &format!("@Анна {seq}"), &json!({}));
            }
            peer.send(&json!({"type": "read", "seq": 2}));
            peer.send(&json!({"type": "ping"}));
            peer.read_payload();
            peer.send(&json!({"type": "read", "seq": 3}));
            peer.expect_end();
        });
        let session = new_session();
        let room = session.room();
        room.history().set_attended(false);
        let heard = Rc::new(RefCell::new(Vec::new()));
        room.connect_unread_notify({
            let heard = heard.clone();
            move |room| heard.borrow_mut().push((room.unread(), room.mentions()))
        });
        joined_with(session.clone(), &server.address).await;
        until(|| room.history().seen() == 3).await;
        until(|| (room.unread(), room.history().n_unread()) == (0, 0)).await;
        assert_eq!((room.mentions(), session.rooms().unread()), (0, 0));
        assert!(room.history().first_unread().is_none());
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn rooms_are_made_found_and_left_and_each_outcome_is_told() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            let made = peer.read_payload();
            assert_eq!((&made["kind"], &made["name"]), (&json!("closed"), &json!("Tea")));
            peer.describe(room("r1", "closed", "Tea", 0, &json!({"mine": true})));
            peer.event("r1", 1, "Анна", "created", &json!({"id": made["id"]}));
            let direct = peer.read_payload();
            assert_eq!((&direct["type"], &direct["with"]), (&json!("direct"), &json!(["Борис"])));
            peer.describe(room("r2", "direct", "", 1, &json!({"with": ["Анна", "Борис"]})));
            peer.event("r2", 1, "Анна", "created", &json!({"id": direct["id"], "dup": true}));
            let refused = peer.read_payload();
            let code =
                json!({"type": "error", "code": "name_taken", "text": "x", "ref": refused["id"]});
            peer.send(&code);
            assert_eq!(peer.read_payload()["type"], "rooms");
            let open = room("r7", "open", "Cake", 5, &json!({"topic": "sweet"}));
            peer.send(&json!({"type": "rooms", "rooms": [open]}));
            let left = peer.read_payload();
            peer.event("r1", 2, "Анна", "left", &json!({"id": left["id"]}));
            peer.send(&json!({"type": "room_gone", "room": "r1"}));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let outcomes = outcomes(&session);
        session.create_room(RoomKind::Closed, "Tea", "").expect("joined");
        until(|| *outcomes.borrow() == ["done ", "show r1"]).await;
        session.open_direct(&["Борис"]).expect("joined");
        until(|| outcomes.borrow()[2..] == ["done ", "show r2"]).await;
        session.rename_room("r1", "Cake").expect("joined");
        until(|| outcomes.borrow().len() == 5).await;
        assert_eq!(outcomes.borrow()[4], "failed There is an open room of this name already.");
        assert!(session.request_open_rooms());
        until(|| !session.open_rooms().is_empty()).await;
        let cake = OpenRoom { id: "r7".into(), name: "Cake".into(), topic: "sweet".into() };
        assert_eq!(session.open_rooms(), [cake]);
        room_of(&session, "r1").set_draft("not wanted");
        session.leave_room("r1").expect("joined");
        until(|| listed(&session) == ["r2", ""]).await;
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn what_did_not_arrive_in_a_room_that_is_gone_can_be_read_until_it_is_dismissed() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_rooms("e1", 0, &[room("r1", "closed", "Tea", 0, &json!({}))]);
            let said = peer.read_payload();
            assert_eq!((&said["room"], &said["content"]), (&json!("r1"), &json!("for Tea")));
            peer.send(&json!({"type": "room_gone", "room": "r1"}));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let tea = room_of(&session, "r1");
        tea.say("for Tea").expect("joined");
        until(|| tea.is_gone()).await;
        assert!(!tea.can_say() && tea.say("more").is_err());
        assert_eq!(listed(&session), ["", "r1"]);
        let failed = tea.history().message(0).expect("it failed");
        assert_eq!((failed.delivery(), failed.text().as_ref()), (Delivery::Failed, "for Tea"));
        let id = failed.id().expect("it was sent").to_owned();
        tea.say_again(&id);
        assert!(failed.failure().contains("This room does not exist"), "{}", failed.failure());
        tea.discard(&id);
        assert_eq!(listed(&session), [""]);
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn what_was_written_and_chosen_in_each_room_outlives_a_kill() {
    run(async {
        let folder = Folder::new();
        let session_in = || Session::default().with_state_folder(&folder.0);
        let server = Server::start(|door| {
            let rooms = [
                room("r1", "open", "Tea", 0, &json!({})),
                room("r2", "open", "Cake", 0, &json!({})),
            ];
            let mut peer = door.accept();
            peer.let_in_rooms("e1", 0, &rooms);
            peer.record(1, "Борис", "tea?", &json!({"room": "r2"}));
            let said = peer.read_payload();
            let mut again = door.accept();
            again.let_in_rooms("e1", 0, &rooms[1..]);
            assert_eq!(again.read_payload(), said);
            again.expect_end();
            drop(peer);
        });
        let session = joined_with(session_in(), &server.address).await;
        until(|| room_of(&session, "r2").unread() == 1).await;
        room_of(&session, "r1").set_draft("begun");
        room_of(&session, "r2").set_notifications(RoomNotifications::All);
        room_of(&session, "r2").say("on its way").expect("joined");
        drop(session); // Without a word, as by a kill.

        let session = joined_with(session_in(), &server.address).await;
        assert_eq!(listed(&session), ["", "r2", "r1"], "of r1 there is a draft");
        let (tea, cake) = (room_of(&session, "r1"), room_of(&session, "r2"));
        assert!(tea.is_gone() && !cake.is_gone());
        assert_eq!((tea.title(), tea.draft()), ("Tea".to_owned(), "begun".to_owned()));
        assert_eq!(cake.notifications(), RoomNotifications::All);
        assert_eq!(cake.last_active(), i64::try_from(TIME_MS + 1).unwrap());
        assert_eq!(texts_in(&cake), ["on its way"]);
        tea.dismiss();
        assert_eq!(listed(&session), ["", "r2"]);
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn who_is_writing_is_told_until_they_have_written() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            let with = json!({"with": ["Анна", "Борис"]});
            peer.let_in_rooms("e1", 0, &[room("r1", "direct", "", 0, &with)]);
            for name in ["Вера", "Борис", "Анна", "Борис"] {
                peer.send(&json!({"type": "typing", "room": "r1", "username": name}));
            }
            assert_eq!(peer.read_payload(), json!({"type": "typing", "room": "r1"}));
            peer.record(1, "Борис", "done", &json!({"room": "r1"}));
            assert_eq!(peer.hear_2().0, "and nothing else");
        });
        let session = joined(&server.address).await;
        let room = room_of(&session, "r1");
        until(|| room.typing() == ["Вера", "Борис"]).await;
        session.set_sends_typing(false);
        room.set_typing();
        session.set_sends_typing(true);
        room.set_typing();
        until(|| room.typing() == ["Вера"]).await;
        until(|| room.typing().is_empty()).await; // She has written nothing for a while.
        session.set_sends_typing(false);
        room.set_typing();
        room.say("and nothing else").expect("joined");
        until_state(&session, SessionState::Lost).await;
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn a_view_hears_of_each_change_in_order_though_others_change_the_list_meanwhile() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            let rooms = (1..9).map(|n| room(&format!("r{n}"), "open", "", 0, &json!({})));
            peer.let_in_rooms("e1", 0, &rooms.collect::<Vec<_>>());
            for (n, seq) in [(3, 1), (7, 1), (3, 2), (5, 1), (7, 2), (7, 3)] {
                peer.record(seq, "Борис", "hi", &json!({"room": format!("r{n}")}));
                peer.send(&json!({"type": "ping"}));
                peer.read_payload();
            }
            peer.send(&json!({"type": "room_gone", "room": "r5"}));
            peer.expect_end();
        });
        let session = new_session();
        session.rooms().connect_items_changed(|rooms, _, _, _| {
            // Whichever has news is muted, and has to stand elsewhere.
            for at in 0..rooms.n_items() {
                let room = rooms.room_at(at).expect("it is listed");
                if 0 < room.unread() {
                    room.set_notifications(RoomNotifications::None);
                }
            }
        });
        let view = Rc::new(RefCell::new(listed(&session)));
        session.rooms().connect_items_changed({
            let view = view.clone();
            move |rooms, at, n_removed, n_added| {
                let added = (at..at + n_added).map(|at| rooms.room_at(at).expect("it is there"));
                let places = at as usize..(at + n_removed) as usize;
                view.borrow_mut().splice(places, added.map(|room| room.id()));
            }
        });
        joined_with(session.clone(), &server.address).await;
        until(|| session.rooms().n_items() == 8 && session.rooms().room("r5").is_none()).await;
        assert_eq!(*view.borrow(), listed(&session));
        assert_eq!(listed(&session)[..3], ["", "r7", "r3"], "what was said last comes first");
        assert_eq!(session.rooms().unread(), 0);
        session.leave().await;
        finish(server).await;
    });
}
