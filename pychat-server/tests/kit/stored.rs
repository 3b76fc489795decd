//! The store at the end of a run, held against what people heard.

use std::{collections::BTreeSet, ops::ControlFlow, time::Instant};

use pychat_server::{
    core::{
        amending::on_wire,
        id::{HALL, RoomId},
        people::People,
        record::{Amending, Entry, Kind, State},
    },
    store::{Read, Records, Store},
};
use pychat_wire::message::Amendment;

use super::{
    Oracle, amended,
    room_log::{Copy, Message},
};

/// Takes in every record that `store` has and that nobody need have heard: it is what those heard who
/// did. The `people` in each room, and how far they have seen it, are as its records and theirs say.
pub(crate) fn take_in(oracle: &mut Oracle, store: &mut dyn Store, people: &People) {
    let rooms = store.rooms().expect("it can be read");
    // Rooms that are over still have logs.
    let heard = oracle.rooms().keys().filter_map(|room| RoomId::of_wire(room));
    let all: BTreeSet<_> = rooms.iter().map(|room| room.id).chain(heard).chain([HALL]).collect();
    for room in all {
        let mut entries = Vec::new();
        let mut after = 0;
        while let Read::Later = read(store, room, after, &mut entries) {
            store.poll(Instant::now(), &mut Vec::new());
            after = entries.last().map_or(0, |(seq, _)| *seq);
        }
        assert!(entries.is_sorted_by(|a, b| a.0 + 1 == b.0), "a hole in {room}: {entries:?}");
        for (seq, message) in &entries {
            let copy = Copy::Later { known: store.last_seq(room) };
            oracle.check(&room.on_wire(), *seq, message, copy);
        }
    }
    for room in &rooms {
        let wire_id = room.id.on_wire();
        let names = room.members.iter().filter_map(|person| people.name(*person));
        let with = names.map(ToOwned::to_owned).collect();
        oracle.check_stored(&wire_id, room.kind, with);
    }
    for mark in store.marks().expect("it can be read") {
        if let Some(name) = people.name(mark.person) {
            let forgotten_to = store.first_seq(mark.room) - 1;
            oracle.check_stored_mark(&mark.room.on_wire(), name, mark.seq, forgotten_to);
        }
    }
}

/// Reads what a store has of a room after number `after`, as far as that is at hand.
fn read(
    store: &mut dyn Store,
    room: RoomId,
    after: u64,
    entries: &mut Vec<(u64, Message)>,
) -> Read {
    let mut each = |entry: Entry<'_>| {
        entries.push((entry.seq, message(entry)));
        ControlFlow::Continue(())
    };
    store.read(room, after, Records::All, &mut each).expect("it can be read")
}

/// Returns a record of the store's as peers are told of it.
fn message(entry: Entry<'_>) -> Message {
    let Entry { time_ms: time, author, kind, reply, state, .. } = entry;
    let own = |text: Option<&str>| text.map(|text| text.to_owned().into());
    let (event, content, amendment) = match kind {
        Kind::Text(text) => (None, text, None),
        Kind::Event { event, subject } => (Some(event), subject.unwrap_or_default(), None),
        Kind::Amendment { target, amending } => {
            let amendment = match amending {
                Amending::Edit(text) => Amendment::Edit { target, content: own(text) },
                Amending::Delete => Amendment::Delete { target },
                Amending::React(emoji) => Amendment::React { target, emoji: own(emoji) },
                Amending::Restore(text) => Amendment::Restore { target, content: own(text) },
            };
            (None, "", Some(amendment))
        }
    };
    let State { edited_ms: edited, is_deleted, reactions } = state;
    let reactions = on_wire(reactions);
    let state = amended::State { edited, is_deleted, reactions };
    let (author, content) = (author.to_owned(), content.to_owned());
    Message { time, author, content, event, amendment, reply, state }
}
