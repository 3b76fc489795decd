//! A handler that hears of a change may use the session at once: nothing is told while the client,
//! or a list, is borrowed.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};

use gtk::{gio::prelude::*, glib};
use pychat_gtk::{
    model::TailModel,
    session::{
        Session, SessionState,
        room::{RoomKind, RoomNotifications},
    },
};
use pychat_wire::client::SayError;
use serde_json::{Value, json};

use crate::{
    Folder, finish, joined_with, messages, run,
    server::{Peer, Server, TIME_MS, payloads::room},
    states, texts, until, until_state,
};

/// More bytes than a server of these tests takes: it is refused, and changes nothing.
const TOO_LONG_BYTES: usize = 70_000;

/// The properties that never change.
const CONSTANT: [&str; 6] = [
    "PychatRoom::history",
    "PychatRoom::id",
    "PychatRoom::people",
    "PychatSearch::results",
    "PychatSession::room",
    "PychatSession::rooms",
];

/// The signals that are not of properties.
const SIGNALS: [&str; 16] = [
    "GListStore::items-changed",
    "GListStore::n-items",
    "PychatHistory::caught-up",
    "PychatHistory::items-changed",
    "PychatMessage::changed",
    "PychatPeople::items-changed",
    "PychatRoom::back-pages-changed",
    "PychatRoom::heard",
    "PychatRoomList::heard",
    "PychatRoomList::items-changed",
    "PychatRoomList::read",
    "PychatSession::open-rooms-changed",
    "PychatSession::room-changed",
    "PychatSession::room-failed",
    "PychatSession::room-wanted",
    "PychatTailModel::items-changed",
];

/// Uses the session from the handler of each signal.
#[derive(Default)]
struct Listener {
    heard: RefCell<BTreeSet<String>>,
    refused: RefCell<BTreeSet<String>>,
}

impl Listener {
    /// Takes in that `signal` was emitted, and whether the session could be used then.
    fn hear(&self, session: &Session, signal: String) {
        if catch_unwind(AssertUnwindSafe(|| use_all(session))).is_err() {
            self.refused.borrow_mut().insert(signal.clone());
        }
        self.heard.borrow_mut().insert(signal);
    }

    /// Listens to `signals` of `object` and to its properties.
    fn listen(
        self: &Rc<Self>,
        session: &Session,
        object: &impl IsA<glib::Object>,
        signals: &[&str],
    ) {
        let type_name = object.type_().name();
        for signal in signals {
            let (listener, session) = (self.clone(), session.downgrade());
            let name = format!("{type_name}::{signal}");
            object.connect_local(signal, false, move |_| {
                listener.hear(&session.upgrade()?, name.clone());
                None
            });
        }
        let (listener, session) = (self.clone(), session.downgrade());
        object.connect_notify_local(None, move |_, property| {
            if let Some(session) = session.upgrade() {
                listener.hear(&session, format!("{type_name}::{}", property.name()));
            }
        });
    }

    /// Listens to the list of rooms, and to those that come.
    fn listen_to_rooms(self: &Rc<Self>, session: &Session) {
        self.listen(session, &session.rooms(), &["items-changed", "heard", "read"]);
        let (listener, weak) = (self.clone(), session.downgrade());
        session.rooms().connect_items_changed(move |rooms, at, _, n_added| {
            let Some(session) = weak.upgrade() else { return };
            for room in (at..at + n_added).filter_map(|at| rooms.room_at(at)) {
                listener.listen(&session, &room, &["heard"]);
            }
        });
    }

    /// Listens to the messages that come.
    fn listen_to_messages(self: &Rc<Self>, session: &Session) {
        let (listener, weak) = (self.clone(), session.downgrade());
        session.room().history().connect_items_changed(move |history, at, _, n_added| {
            let Some(session) = weak.upgrade() else { return };
            for message in (at..at + n_added).filter_map(|at| history.message(at)) {
                listener.listen(&session, &message, &["changed"]);
            }
        });
    }
}

/// Does what borrows the client to change it, and what reads the conversation.
fn use_all(session: &Session) {
    let room = session.room();
    let said = room.say(&"x".repeat(TOO_LONG_BYTES));
    assert!(matches!(said, Err(SayError::TooLarge { .. } | SayError::NotJoined)), "{said:?}");
    drop((room.draft(), room.back_pages(), room.history().first_unread()));
    drop((session.account(), session.disconnect_reason(), session.retry_in()));
    let people = room.people();
    let rooms = session.rooms();
    for room in (0..rooms.n_items()).filter_map(|at| rooms.room_at(at)) {
        drop((room.title(), room.topic(), room.typing(), room.unread(), room.mentions()));
    }
    session.room().open();
    if let Some(room) = rooms.room("r1") {
        room.set_draft("begun"); // It has to be listed, be it gone or not.
        room.dismiss();
    }
    drop((session.open_rooms(), rooms.room("r1"), rooms.begins_section(0)));
    drop((texts(session), (0..people.n_items()).map(|at| people.person(at)).collect::<Vec<_>>()));
}

/// Returns the names of all signals of these, and of messages and lists.
fn signals(objects: &[&glib::Object]) -> BTreeSet<String> {
    let properties = objects.iter().flat_map(|object| object.list_properties());
    let properties = properties.map(|it| format!("{}::{}", it.owner_type().name(), it.name()));
    let all = properties.chain(SIGNALS.map(ToOwned::to_owned));
    all.filter(|it| !CONSTANT.contains(&it.as_str())).collect()
}

/// Has the reader find, make and lose rooms, and hear of what happens there.
fn change_rooms(peer: &mut Peer) {
    let request = peer.read_payload();
    assert_eq!(request["type"], "rooms");
    peer.send(&json!({"type": "rooms", "rooms": []}));
    let (made, refused) = (peer.read_payload(), peer.read_payload());
    assert_eq!((&made["type"], &refused["type"]), (&json!("create_room"), &json!("join_room")));
    peer.describe(room("r1", "open", "Tea", 0, &json!({"topic": "hot", "mine": true})));
    peer.event("r1", 1, "Анна", "created", &json!({"id": made["id"]}));
    peer.send(&json!({
        "type": "error", "code": "no_room", "text": "no room", "ref": refused["id"],
    }));
    peer.describe(room("r1", "closed", "Cake", 1, &json!({"topic": "cold"})));
    peer.send(&json!({"type": "typing", "room": "r1", "username": "Борис"}));
    peer.record(2, "Борис", "@Анна, tea?", &json!({"room": "r1"}));
    peer.hear_read("r1", 2);
    peer.send(&json!({"type": "room_gone", "room": "r1"}));
}

/// Takes the next search, and returns its reference.
fn hear_search(peer: &mut Peer) -> Value {
    let request = peer.read_payload();
    assert_eq!(request["type"], "search", "{request}");
    request["ref"].clone()
}

#[test]
fn whoever_hears_of_a_change_may_use_the_session() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 3);
            peer.page(1..4);
            peer.expect_end();
            let mut peer = door.accept();
            peer.let_in_2("e1", 900);
            peer.page(851..901);
            let reference = hear_search(&mut peer);
            peer.send(&json!({"type": "found_end", "ref": reference, "before": "older"}));
            peer.page(351..851);
            peer.page(1..351);
            hear_search(&mut peer);
            peer.send(&json!({"type": "joined", "username": "Борис", "time": TIME_MS}));
            let (_, id) = peer.hear_2();
            peer.record(901, "Анна", "said", &json!({ "id": id }));
            peer.record(902, "Борис", "heard", &json!({}));
            peer.send(&json!({"type": "operator", "operator": true}));
            peer.send(&json!({
                "type": "error", "code": "slow_down", "text": "slow", "retry_ms": 9_000,
            }));
            drop(peer);
            let mut peer = door.accept();
            peer.let_in_2("e1", 902);
            hear_search(&mut peer);
            change_rooms(&mut peer);
            peer.expect_end();
        });
        let folder = Folder::new();
        let new_session = || Session::default().with_state_folder(&folder.0);
        let session = joined_with(new_session(), &server.address).await;
        until(|| messages(&session).len() == 4).await;
        session.room().history().set_attended(true);
        session.leave().await;

        let session = new_session();
        let search = session.search();
        let (room, history) = (session.room(), session.room().history());
        let tail = TailModel::new(&history);
        let listener = Rc::new(Listener::default());
        let answers = ["open-rooms-changed", "room-changed", "room-failed", "room-wanted"];
        listener.listen(&session, &session, &answers);
        listener.listen_to_rooms(&session);
        listener.listen(&session, &room, &["heard", "back-pages-changed"]);
        listener.listen(&session, &history, &["items-changed", "caught-up"]);
        listener.listen(&session, &room.people(), &["items-changed"]);
        listener.listen(&session, &search, &[]);
        listener.listen(&session, &search.results(), &["items-changed"]);
        listener.listen(&session, &tail, &["items-changed"]);
        listener.listen_to_messages(&session);
        search.set_room(Some(&room));

        joined_with(session.clone(), &server.address).await;
        until(|| history.is_behind()).await;
        search.search_for("number");
        until(|| search.has_more() && !search.is_busy()).await;
        room.request_unread();
        until(|| !history.is_behind()).await;
        search.find_more();
        let states = states(&session);
        room.say("said").expect("joined");
        until(|| states.borrow().contains(&SessionState::Lost)).await;
        until_state(&session, SessionState::Joined).await;
        search.search_for("");
        session.set_sends_typing(false);
        assert!(session.request_open_rooms());
        session.create_room(RoomKind::Open, "Tea", "hot").expect("joined");
        session.join_room("r9").expect("joined");
        until(|| session.rooms().mentions() == 1).await;
        let tea = session.rooms().room("r1").expect("it is there");
        tea.set_notifications(RoomNotifications::All);
        tea.set_notifications(RoomNotifications::None);
        tea.mark_as_read();
        until(|| tea.is_gone()).await;
        session.leave().await;
        finish(server).await;

        assert_eq!(*listener.refused.borrow(), BTreeSet::new(), "it could not be used");
        let people = room.people();
        let rooms = session.rooms();
        let objects = [
            session.upcast_ref(),
            rooms.upcast_ref(),
            room.upcast_ref(),
            history.upcast_ref(),
            people.upcast_ref(),
            search.upcast_ref(),
        ];
        assert_eq!(*listener.heard.borrow(), signals(&objects));
    });
}
