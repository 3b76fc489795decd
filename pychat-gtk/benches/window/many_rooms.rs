//! A person in many rooms: the server that has them, and the client in which they are looked at.

use std::{io::ErrorKind, time::Duration};

use adw::prelude::*;
use gtk::glib;
use pychat_gtk::{
    session::{Room, Session},
    ui::{
        rooms::{room_row::RoomRow, rooms_pane::RoomsPane},
        window::Window,
    },
};
use serde_json::{Value, json};

use crate::{
    client::{can_write, until},
    part::{REST, word},
    script,
    server::{Peer, Server, payloads::room},
    watch::{self, Watch, find},
};

/// The number of rooms beside the hall, and of the messages in each.
pub(crate) const N_ROOMS: usize = 200;
pub(crate) const N_MESSAGES: u64 = 1_000;

/// The number of rooms that are opened.
pub(crate) const N_OPENED: usize = 10;

/// The time between two changes of the room.
const PAUSE: Duration = Duration::from_millis(300);

/// Starts a server without rooms, on which nothing was said, that lets in `n_clients`, one after another.
pub(crate) fn serve_nothing(n_clients: usize) -> Server {
    Server::start(move |door| {
        for _ in 0..n_clients {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            while next_request(&mut peer).is_some() {}
        }
    })
}

/// Starts a server that lets in `n_clients`, one after another, and has older messages for them.
pub(crate) fn serve(n_clients: usize) -> Server {
    Server::start(move |door| {
        let rooms: Vec<Value> = (1..=N_ROOMS).map(describe).collect();
        for _ in 0..n_clients {
            let mut peer = door.accept();
            peer.let_in_rooms("e1", N_MESSAGES, &rooms);
            while let Some(request) = next_request(&mut peer) {
                let room = request["room"].as_str().unwrap_or_default();
                if request["type"] == "history" {
                    let (before, limit) = (request["before"].as_u64(), request["limit"].as_u64());
                    send_page(&mut peer, room, before.zip(limit).expect("two numbers"));
                } else if request["type"] == "members" {
                    let members = ["Анна", "Борис", "Maria"];
                    peer.send(&json!({"type": "members", "room": room, "members": members}));
                }
            }
        }
    })
}

/// Returns room number `n` as the server tells of it. Something is new in every fourth.
fn describe(n: usize) -> Value {
    let n_unread = if n.is_multiple_of(4) { 3 } else { 0 };
    let mut more = json!({"read": N_MESSAGES - n_unread, "unread": n_unread});
    let (kind, name) = match n % 5 {
        0 | 1 => ("direct", String::new()),
        2 | 3 => ("open", format!("Release {n}")),
        _ => ("closed", format!("Планы {n}")),
    };
    if kind == "direct" {
        more["with"] = json!(["Анна", format!("Борис {n}")]);
    }
    room(&id(n), kind, &name, N_MESSAGES, &more)
}

fn id(n: usize) -> String {
    format!("r{n}")
}

/// Returns how the last message of the room `id` ends.
fn ending(id: &str) -> String {
    format!("{N_MESSAGES} in {id}.")
}

/// Waits for what the client says next; `None` if it has gone.
fn next_request(peer: &mut Peer) -> Option<Value> {
    let mut size = 0;
    loop {
        let mut byte = [0];
        match peer.read_exact(&mut byte) {
            Ok(()) if byte == *b":" => break,
            Ok(()) => size = size * 10 + usize::from(byte[0] - b'0'),
            Err(error) if error.kind() == ErrorKind::WouldBlock => (), // It is looking.
            Err(_) => return None,
        }
    }
    let mut payload = vec![0; size];
    peer.read_exact(&mut payload).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// Sends the messages of `room` before a number, at most so many.
fn send_page(peer: &mut Peer, room: &str, (before, limit): (u64, u64)) {
    let first = before.saturating_sub(limit).max(1);
    let mut frames = String::new();
    let mut add = |payload: &Value| {
        let payload = payload.to_string();
        frames.extend([payload.len().to_string(), ":".to_owned(), payload]);
    };
    for seq in first..before {
        let mut message = script::record(seq, &format!("{seq} in {room}."));
        message["room"] = json!(room);
        message["replay"] = json!(true);
        add(&message);
    }
    add(&json!({
        "type": "page", "room": room, "before": before, "count": before - first,
        "start": first == 1,
    }));
    peer.write(frames.as_bytes());
}

/// Returns true if the rooms that are listed fill the list, the last messages of the hall fill the page to its
/// last line, and the keyboard is where one writes. Rooms further down follow within a second.
pub(crate) fn is_usable(window: &Window) -> bool {
    can_write(window) && shows_rooms(window) && shows_hall(window)
}

/// Opens some rooms, and then goes to each of them again. Tells how long each change took.
pub(crate) fn watch_changes(window: &Window) {
    let window = window.clone();
    glib::spawn_future_local(async move {
        until(|| window.is_mapped() && shows_rooms(&window)).await;
        glib::timeout_future(REST).await;
        let watch = Watch::start(&window);
        let opened = opened(&window.session());
        for room in &opened {
            watch::tell(word::OTHER_ROOM, change(&watch, &window, room).await);
        }
        glib::timeout_future(REST).await;
        watch::tell(word::SETTLED, 0);
        glib::timeout_future(REST).await; // It is looked at from outside.
        for room in &opened {
            watch::tell(word::SEEN_ROOM, change(&watch, &window, room).await);
        }
        watch.finish();
    });
}

/// Returns the rooms that are opened, of all kinds and from all over the list.
fn opened(session: &Session) -> Vec<Room> {
    let ids = (1..=N_ROOMS).step_by(N_ROOMS / N_OPENED - 1).map(id).take(N_OPENED);
    ids.map(|id| session.rooms().room(&id).expect("it is listed")).collect()
}

/// Goes to `room` as by a click; returns how long it took until its last message was drawn, in
/// microseconds.
async fn change(watch: &Watch, window: &Window, room: &Room) -> i64 {
    let pane = find(window.upcast_ref(), &|it| it.is::<RoomsPane>()).expect("there is a list");
    let begin = glib::monotonic_time();
    pane.emit_by_name::<()>("chosen", &[room]);
    let time = watch.shown(&ending(&room.id())).await - begin;
    glib::timeout_future(PAUSE).await;
    time
}

/// Returns true if the last message of the hall is on show, above the welcome, and there is a page of them.
fn shows_hall(window: &Window) -> bool {
    let list = find(window.upcast_ref(), &|it| it.has_css_class("conversation"));
    list.is_some_and(|list| watch::is_seen(&list, &list, &ending("")) && watch::is_full(&list))
}

/// Returns true if all rooms are known, and those that are listed fill what can be seen.
fn shows_rooms(window: &Window) -> bool {
    let is_listed = usize::try_from(window.session().rooms().n_items()) == Ok(N_ROOMS + 1);
    let row = find(window.upcast_ref(), &|it| it.is::<RoomRow>() && it.is_mapped());
    is_listed && row.and_then(|row| row.parent()).is_some_and(|list| watch::is_full(&list))
}
