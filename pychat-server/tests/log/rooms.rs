//! Rooms: their logs, members and marks, the same in either store and over the server's end.

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use pychat_server::{
    core::{
        id::{HALL, RoomId, Ticket},
        record::{
            Appended, Draft, Kind, PersonChange, PersonId, ReadMark, Record, Request, Room,
            RoomChange, StorageError, Stored,
        },
    },
    store::{Answer, Records, Retention, Store},
};
use pychat_wire::message::{RoomEvent, RoomKind};

use super::shelf::{Shelf, append, carry_out, draft, name, read_room, stores, to};

/// A room that is made in most tests, by 1, with 2 in it.
const CLUB: RoomId = RoomId(1);

pub(super) const ANNA: PersonId = PersonId(1);
const BORIS: PersonId = PersonId(2);
const VERA: PersonId = PersonId(3);

/// An event that Anna asks for.
fn event(event: RoomEvent, subject: Option<&str>, id: &str) -> Draft {
    let kind = Kind::Event { event, subject: subject.map(Into::into) };
    Draft { author: name("Анна"), person: Some(ANNA), kind, id: Some(id.into()), reply: None }
}

fn room(id: RoomId, kind: RoomKind, members: &[PersonId]) -> Room {
    let (name, topic) = ("Клуб".to_owned(), String::new());
    Room { id, kind, name, topic, maker: Some(ANNA), members: members.to_vec() }
}

pub(super) fn create(id: RoomId, kind: RoomKind, members: &[PersonId]) -> Request {
    let change = Some(RoomChange::Create(room(id, kind, members)));
    let draft = event(RoomEvent::Created, None, &format!("create {id}"));
    Request::Append { room: id, draft, change }
}

/// Anna leaves a room.
pub(super) fn leave(room: RoomId) -> Request {
    let draft = event(RoomEvent::Left, None, &format!("leave {room}"));
    Request::Append { room, draft, change: Some(RoomChange::Remove(ANNA)) }
}

/// An event that changes nothing.
pub(super) fn joined(room: RoomId, number: usize) -> Request {
    to(room, event(RoomEvent::Joined, None, &format!("joined {number}")))
}

/// A change of the club, with the record of it.
fn change(happened: RoomEvent, subject: &str, id: &str, change: RoomChange) -> Request {
    let draft = event(happened, Some(subject), id);
    Request::Append { room: CLUB, draft, change: Some(change) }
}

fn mark(room: RoomId, person: PersonId, seq: u64) -> ReadMark {
    ReadMark { room, person, seq }
}

fn marks(store: &mut dyn Store) -> Vec<ReadMark> {
    let mut marks = store.marks().unwrap();
    marks.sort_by_key(|mark| (mark.room, mark.person));
    marks
}

/// Returns the record that a person's draft became.
fn recall(store: &mut dyn Store, person: PersonId, id: &str) -> Option<Record> {
    find(store, Request::Recall { person, id: id.into() })
}

/// Returns the record that a request finds.
fn find(store: &mut dyn Store, request: Request) -> Option<Record> {
    let mut batch = vec![(Ticket(1), request)];
    let (now, mut answers) = (Instant::now(), Vec::new());
    store.submit(now, 9, &mut batch);
    store.poll(now, &mut answers);
    match answers.remove(0) {
        Answer::Done { outcome: Ok(Stored::Recalled(record)), .. } => record,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_room_counts_for_itself_and_its_time_does_not_go_back() {
    let shelf = Shelf::new();
    for mut store in stores(&shelf, Retention::default()) {
        let [one, two] = [RoomId(1), RoomId(2)];
        let say = |room, words| to(room, draft("Анна", words, None));
        carry_out(&mut *store, 9, [say(HALL, "a"), say(one, "b"), say(HALL, "c")]).unwrap();
        carry_out(&mut *store, 5, [say(two, "d"), say(one, "e")]).unwrap();
        let read = |store: &mut dyn Store, room| {
            let all = read_room(store, room).into_iter();
            all.map(|(seq, time_ms, _, words)| (seq, time_ms, words)).collect::<Vec<_>>()
        };
        let all = |list: &[(u64, u64, &str)]| {
            list.iter().map(|(seq, ms, words)| (*seq, *ms, (*words).to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(read(&mut *store, HALL), all(&[(1, 9, "a"), (2, 9, "c")]));
        assert_eq!(read(&mut *store, one), all(&[(1, 9, "b"), (2, 9, "e")]));
        assert_eq!(read(&mut *store, two), all(&[(1, 5, "d")]), "the time is its own");
        let ends = [HALL, one, two, RoomId(3), RoomId(u32::MAX)]
            .map(|room| (store.first_seq(room), store.last_seq(room)));
        assert_eq!(ends, [(1, 2), (1, 2), (1, 1), (1, 0), (1, 0)]);
        for room in [RoomId(3), RoomId(u32::MAX)] {
            assert_eq!(read_room(&mut *store, room), []);
            assert_eq!(store.page_start(room, 7, 500, 500, Records::All), Ok(Some(7)));
        }
        for (before, start) in [(u64::MAX, 1), (3, 1), (2, 1), (1, 1)] {
            assert_eq!(
                store.page_start(one, before, 500, 500, Records::All),
                Ok(Some(start)),
                "{before}"
            );
        }
        store.read(HALL, u64::MAX, Records::All, &mut |entry| panic!("{entry:?}")).unwrap();
    }
    let mut log = shelf.open();
    let ends = [HALL, RoomId(1), RoomId(2), RoomId(3)]
        .map(|room| (log.first_seq(room), log.last_seq(room)));
    assert_eq!(ends, [(1, 2), (1, 2), (1, 1), (1, 0)]);
    let refused = carry_out(&mut log, 9, [to(RoomId(u32::MAX), draft("Анна", "x", None))]);
    assert_eq!(refused, Err(StorageError::Other("the file has no more keys".to_owned())));
}

#[test]
fn an_event_is_read_back_as_it_was() {
    let shelf = Shelf::new();
    for mut store in stores(&shelf, Retention::default()) {
        let events = [
            (RoomEvent::Created, None),
            (RoomEvent::Joined, None),
            (RoomEvent::Left, None),
            (RoomEvent::Added, Some("Борис")),
            (RoomEvent::Removed, Some("Борис")),
            (RoomEvent::Renamed, Some("Клуб")),
            (RoomEvent::Topic, Some("")),
        ];
        let drafts = events
            .iter()
            .enumerate()
            .map(|(id, (happened, subject))| event(*happened, *subject, &id.to_string()));
        carry_out(&mut *store, 5, drafts.map(|draft| to(CLUB, draft))).unwrap();
        let mut read = Vec::new();
        let mut each = |entry: pychat_server::core::record::Entry<'_>| {
            if let Kind::Event { event, subject } = entry.kind {
                read.push((event, subject.map(ToOwned::to_owned)));
            }
            ControlFlow::Continue(())
        };
        store.read(CLUB, 0, Records::All, &mut each).unwrap();
        assert_eq!(read, events.map(|(event, subject)| (event, subject.map(ToOwned::to_owned))));
        let record = recall(&mut *store, ANNA, "3").unwrap();
        assert_eq!((record.room, record.seq, record.time_ms), (CLUB, 4, 5));
        let subject = Some("Борис".into());
        assert_eq!(record.kind, Kind::Event { event: RoomEvent::Added, subject });
        assert_eq!((record.author, record.person), (name("Анна"), Some(ANNA)));
        assert_eq!(record.id.as_deref(), Some("3"));
        assert_eq!(recall(&mut *store, BORIS, "3"), None);
        assert_eq!(recall(&mut *store, ANNA, "7"), None);
    }
}

#[test]
fn a_room_changes_with_the_record_of_it() {
    let shelf = Shelf::new();
    for (number, mut store) in stores(&shelf, Retention::default()).into_iter().enumerate() {
        carry_out(&mut *store, 5, [create(CLUB, RoomKind::Closed, &[ANNA, BORIS])]).unwrap();
        let mut club = room(CLUB, RoomKind::Closed, &[ANNA, BORIS]);
        assert_eq!(store.rooms().unwrap(), std::slice::from_ref(&club));
        assert_eq!(marks(&mut *store), [mark(CLUB, ANNA, 1)], "Boris has seen nothing");

        let requests = [
            change(RoomEvent::Added, "Вера", "1", RoomChange::Add(VERA)),
            change(RoomEvent::Renamed, "Дом", "2", RoomChange::Rename("Дом".into())),
            change(RoomEvent::Topic, "Кто дома", "3", RoomChange::SetTopic("Кто дома".into())),
            change(RoomEvent::Removed, "Борис", "4", RoomChange::Remove(BORIS)),
            change(RoomEvent::Added, "Вера", "5", RoomChange::Add(VERA)),
            create(RoomId(2), RoomKind::Open, &[ANNA]),
        ];
        carry_out(&mut *store, 6, requests).unwrap();
        (club.name, club.topic) = ("Дом".into(), "Кто дома".into());
        club.members = vec![ANNA, VERA];
        let rooms = [club, room(RoomId(2), RoomKind::Open, &[ANNA])];
        let seen = [mark(CLUB, ANNA, 1), mark(CLUB, VERA, 6), mark(RoomId(2), ANNA, 1)];
        assert_eq!(store.rooms().unwrap(), rooms);
        assert_eq!(marks(&mut *store), seen);

        // Known, or other words under an id: nothing changes, though it is asked for.
        let again = [
            change(RoomEvent::Removed, "Борис", "4", RoomChange::Remove(VERA)),
            change(RoomEvent::Removed, "Вера", "4", RoomChange::Remove(VERA)),
            create(CLUB, RoomKind::Direct, &[]),
        ];
        let told = carry_out(&mut *store, 7, again).unwrap();
        let [Appended::Known(known), Appended::Conflict { .. }, Appended::Known(made)] = &told[..]
        else {
            panic!("{told:?}")
        };
        assert_eq!((known.seq, made.seq, store.last_seq(CLUB)), (5, 1, 6));
        assert_eq!((store.rooms().unwrap(), marks(&mut *store)), (rooms.into(), seen.into()));
        if number == 1 {
            let killed = shelf.as_of_now();
            let mut log = killed.open();
            assert_eq!((log.rooms(), log.marks()), (store.rooms(), store.marks()));
            assert_eq!((log.last_seq(CLUB), log.last_seq(RoomId(2))), (6, 1));
            carry_out(&mut log, 8, [change(RoomEvent::Left, "", "9", RoomChange::Remove(ANNA))])
                .unwrap();
            assert_eq!(log.last_seq(CLUB), 7);
        }
    }
}

#[test]
fn a_record_and_its_change_are_kept_together_or_not_at_all() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    carry_out(&mut log, 5, [create(CLUB, RoomKind::Closed, &[ANNA, BORIS])]).unwrap();
    let before = (log.rooms(), log.marks());
    for fault in [
        "INSERT ON marks",
        "UPDATE ON rooms",
        "DELETE ON members",
        "INSERT ON rooms",
        "INSERT ON logs",
    ] {
        shelf.tamper(&format!(
            "CREATE TRIGGER fault BEFORE {fault} BEGIN SELECT raise(ABORT, 'as a test wants it'); END"
        ));
        let requests = [
            change(RoomEvent::Added, "Вера", "1", RoomChange::Add(VERA)),
            change(RoomEvent::Renamed, "Дом", "2", RoomChange::Rename("Дом".into())),
            change(RoomEvent::Removed, "Борис", "3", RoomChange::Remove(BORIS)),
            create(RoomId(2), RoomKind::Open, &[ANNA]),
        ];
        let error = carry_out(&mut log, 9, requests).unwrap_err();
        assert_eq!(error, StorageError::Other("as a test wants it".into()), "{fault}");
        assert_eq!((log.rooms(), log.marks()), before, "{fault}");
        let ends = (log.last_seq(CLUB), log.last_seq(RoomId(2)), log.first_seq(RoomId(2)));
        assert_eq!(ends, (1, 0, 1), "{fault}");
        shelf.tamper("DROP TRIGGER fault");
    }
    carry_out(&mut log, 7, [create(RoomId(2), RoomKind::Open, &[ANNA])]).unwrap();
    assert_eq!(read_room(&mut log, RoomId(2))[0].1, 7, "the time of what failed left no trace");
}

#[test]
fn an_id_is_of_one_text_in_one_room() {
    let shelf = Shelf::new();
    for mut store in stores(&shelf, Retention::default()) {
        let same = |room| to(room, draft("x", "a", Some("1")));
        let told = carry_out(&mut *store, 5, [same(HALL), same(CLUB), same(HALL)]).unwrap();
        let [Appended::New(first), Appended::Conflict { id }, Appended::Known(again)] = &told[..]
        else {
            panic!("{told:?}")
        };
        assert_eq!((first.room, &**id, again), (HALL, "1", first));
        assert_eq!((store.last_seq(HALL), store.last_seq(CLUB)), (1, 0));
        let words = Draft { kind: Kind::Text("".into()), ..event(RoomEvent::Joined, None, "2") };
        let told = carry_out(
            &mut *store,
            5,
            [to(CLUB, words), to(CLUB, event(RoomEvent::Joined, None, "2"))],
        )
        .unwrap();
        assert!(matches!(&told[1], Appended::Conflict { .. }), "words are no event: {told:?}");
    }
}

#[test]
fn marks_never_go_back_and_go_with_the_person() {
    let shelf = Shelf::new();
    for mut store in stores(&shelf, Retention::default()) {
        let rooms = [
            create(CLUB, RoomKind::Open, &[ANNA, BORIS]),
            create(RoomId(2), RoomKind::Direct, &[ANNA, BORIS]),
        ];
        carry_out(&mut *store, 5, rooms).unwrap();
        let seen = [(HALL, 7), (CLUB, 9), (CLUB, 3), (HALL, 8), (RoomId(2), 1)];
        let seen = seen.map(|(room, seq)| Request::Mark(mark(room, BORIS, seq)));
        carry_out(&mut *store, 5, seen).unwrap();
        let annas = [mark(CLUB, ANNA, 1), mark(RoomId(2), ANNA, 1)];
        let all = [mark(HALL, BORIS, 8), annas[0], mark(CLUB, BORIS, 9), annas[1]];
        let all = [&all[..], &[mark(RoomId(2), BORIS, 1)]].concat();
        assert_eq!(marks(&mut *store), all);
        append(&mut *store, 6, [], [PersonChange::Forget(BORIS)]).unwrap();
        assert_eq!(marks(&mut *store), annas);
        let members: Vec<_> = store.rooms().unwrap().into_iter().map(|it| it.members).collect();
        assert_eq!(members, [vec![ANNA], vec![ANNA, BORIS]], "those of direct rooms never change");
        append(&mut *store, 6, [], [PersonChange::Forget(ANNA)]).unwrap();
        assert_eq!(marks(&mut *store), []);
    }
    let mut log = shelf.open();
    assert_eq!(log.people().unwrap(), (vec![], BORIS), "nobody else gets their numbers");
}

#[test]
fn a_disk_that_is_nearly_full_takes_no_record_but_marks() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    carry_out(&mut log, 5, [create(CLUB, RoomKind::Closed, &[ANNA, BORIS])]).unwrap();
    log.set_retention(Retention { disk_reserve_bytes: u64::MAX, ..Retention::default() });
    let remove = change(RoomEvent::Removed, "Борис", "1", RoomChange::Remove(BORIS));
    assert_eq!(carry_out(&mut log, 6, [remove]), Err(StorageError::Reserve));
    carry_out(&mut log, 6, [Request::Mark(mark(CLUB, BORIS, 1))]).unwrap();
    assert_eq!(marks(&mut log), [mark(CLUB, ANNA, 1), mark(CLUB, BORIS, 1)]);
    assert_eq!(recall(&mut log, ANNA, "create r1").map(|record| record.seq), Some(1));
    assert_eq!(log.rooms().unwrap()[0].members, [ANNA, BORIS]);
}

#[test]
fn ten_thousand_rooms_are_opened_at_once() {
    const ROOMS: u32 = 10_000;
    let shelf = Shelf::new();
    let mut log = shelf.open();
    let say = |room| (0..5).map(move |_| to(RoomId(room), draft("Анна", "x", None)));
    for first in (1..=ROOMS).step_by(1_000) {
        let rooms = first..first + 1_000;
        let made = rooms.clone().map(|id| create(RoomId(id), RoomKind::Open, &[ANNA, BORIS]));
        carry_out(&mut log, 5, made.chain(rooms.flat_map(say))).unwrap();
    }
    drop(log);
    let begin = Instant::now();
    let mut log = shelf.open();
    let rooms = log.rooms().unwrap();
    // A debug build, on a machine that does other things as well; to scan all for each takes minutes.
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!(rooms.len(), ROOMS as usize);
    for id in 1..=ROOMS {
        assert_eq!((log.first_seq(RoomId(id)), log.last_seq(RoomId(id))), (1, 6));
    }
}
