//! Amendments: what becomes of messages that are changed, and what is left of their words.

use std::{
    fs,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use pychat_server::{
    core::{
        amending::RESTORABLE_MS,
        id::{HALL, RoomId},
        moderation::AuditEntry,
        record::{AmendError, Amending, Appended, Draft, Kind, PersonId, Record, Request, State},
    },
    store::{Records, Retention, Store},
};

use super::shelf::{Shelf, at, audit, carry_out, draft, stores, to};

const CLUB: RoomId = RoomId(3);

/// The time at which everything is said, in UTC milliseconds since 1970.
const NOW_MS: u64 = 1_700_000_000_000;

/// An amendment of a message by `author`, who may remove those of others if `may_moderate`.
pub(super) fn amend(
    room: RoomId,
    author: &str,
    (target, amending): (u64, Amending<&str>),
    id: &str,
    may_moderate: bool,
) -> Request {
    let kind = Kind::Amendment { target, amending }.map(Into::into);
    let entry = may_moderate.then(|| AuditEntry {
        time_ms: NOW_MS,
        who: author.to_owned(),
        verb: "delete".to_owned(),
        subject: String::new(),
        detail: String::new(),
    });
    Request::Amend { room, draft: Draft { kind, ..draft(author, "", Some(id)) }, entry }
}

fn edit(words: &str) -> Amending<&str> {
    Amending::Edit(Some(words))
}

#[track_caller]
fn take(store: &mut dyn Store, request: Request) -> Appended {
    carry_out(store, NOW_MS, [request]).unwrap().remove(0)
}

#[track_caller]
pub(super) fn say(
    store: &mut dyn Store,
    room: RoomId,
    author: &str,
    words: &str,
    id: &str,
) -> Record {
    match take(store, to(room, draft(author, words, Some(id)))) {
        Appended::New(record) => record,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn grants(store: &mut dyn Store, request: Request) -> Record {
    match take(store, request) {
        Appended::New(record) => record,
        other => panic!("{other:?}"),
    }
}

/// One record as it is read back: its number, its content, and its state.
type Shown = (u64, Kind<String>, State<String>);

fn shown(store: &mut dyn Store, room: RoomId, records: Records) -> Vec<Shown> {
    let mut shown = Vec::new();
    let mut each = |entry: pychat_server::core::record::Entry<'_>| {
        let State { edited_ms, is_deleted, reactions } = entry.state;
        let state = State { edited_ms, is_deleted, reactions: reactions.map(ToOwned::to_owned) };
        shown.push((entry.seq, entry.kind.map(ToOwned::to_owned), state));
        ControlFlow::Continue(())
    };
    store.read(room, 0, records, &mut each).unwrap();
    shown
}

/// Tries each kind of store.
fn with_each(check: impl Fn(&mut dyn Store)) {
    for mut store in stores(&Shelf::new(), Retention::default()) {
        check(&mut *store);
    }
}

#[test]
fn a_message_is_read_as_it_is_now() {
    with_each(|store| {
        say(store, CLUB, "Анна", "helo", "1");
        say(store, CLUB, "Борис", "hi", "2");
        let edited = grants(store, amend(CLUB, "Анна", (1, edit("hello")), "3", false));
        assert_eq!(edited.seq, 3);
        assert_eq!(edited.kind.text(), "hello");
        assert_eq!(edited.target.unwrap().time_ms, NOW_MS);
        grants(store, amend(CLUB, "Борис", (1, Amending::React(Some("👍"))), "4", false));
        grants(store, amend(CLUB, "Борис", (2, Amending::Delete), "5", false));
        let person = "Борис".len();
        let reactions = Some(format!("[[{person},\"👍\",\"Борис\"]]"));
        let bytes = "hello".len() + reactions.as_ref().map_or(0, String::len);
        let now = [
            (
                1,
                Kind::Text("hello".to_owned()),
                State { edited_ms: Some(NOW_MS), is_deleted: false, reactions },
            ),
            (2, Kind::Text(String::new()), State { is_deleted: true, ..State::default() }),
        ];
        assert_eq!(shown(store, CLUB, Records::Shown), now);
        let all: Vec<_> = shown(store, CLUB, Records::All).into_iter().map(|it| it.1).collect();
        let amendments = [
            Kind::Amendment { target: 1, amending: Amending::Edit(Some("hello".to_owned())) },
            Kind::Amendment { target: 1, amending: Amending::React(Some("👍".to_owned())) },
            Kind::Amendment { target: 2, amending: Amending::Delete },
        ];
        assert_eq!(all[2..], amendments);
        assert_eq!(store.page_start(CLUB, 6, 1, 1_000, Records::Shown), Ok(Some(2)));
        assert_eq!(store.page_start(CLUB, 6, 1, 1_000, Records::All), Ok(Some(5)));
        assert_eq!(store.page_start(CLUB, 2, 9, 1_000, Records::Shown), Ok(Some(1)));
        assert_eq!(store.page_start(CLUB, 6, 9, bytes, Records::Shown), Ok(Some(1)));
        assert_eq!(store.page_start(CLUB, 6, 9, bytes - 1, Records::Shown), Ok(Some(2)));
    });
}

#[test]
fn what_cannot_be_amended_is_refused_and_changes_nothing() {
    use AmendError::{NoMessage, NotTheirs, NothingToRestore};

    with_each(|store| {
        say(store, CLUB, "Анна", "a", "1");
        say(store, HALL, "Анна", "b", "2");
        say(store, HALL, "Анна", "c", "3");
        grants(store, amend(HALL, "Анна", (1, Amending::Delete), "4", false));
        let before = (shown(store, CLUB, Records::All), shown(store, HALL, Records::All));
        for (number, (room, author, target, amending, may_moderate, error)) in [
            (CLUB, "Борис", 1, edit("x"), true, NotTheirs),
            (CLUB, "Борис", 1, Amending::Delete, false, NotTheirs),
            (CLUB, "Анна", 2, edit("in another room"), false, NoMessage),
            (CLUB, "Анна", 0, edit("x"), false, NoMessage),
            (CLUB, "Анна", u64::MAX, Amending::React(Some("👍")), false, NoMessage),
            (HALL, "Анна", 1, edit("x"), false, NoMessage),
            (HALL, "Анна", 3, Amending::Delete, false, NoMessage),
            (HALL, "Борис", 2, Amending::Restore(None), true, NothingToRestore),
            (HALL, "Борис", 9, Amending::Restore(None), true, NoMessage),
        ]
        .into_iter()
        .enumerate()
        {
            let id = format!("r{number}");
            let refused = take(store, amend(room, author, (target, amending), &id, may_moderate));
            assert_eq!(refused, Appended::Refused(error), "{number}");
        }
        let after = (shown(store, CLUB, Records::All), shown(store, HALL, Records::All));
        assert_eq!(after, before);
    });
}

#[test]
fn an_answer_is_to_a_message_of_the_same_room() {
    with_each(|store| {
        say(store, CLUB, "Анна", "What is it?\nTell me", "1");
        let reply = |room, reply, id: &str| {
            let reply = Some(reply);
            to(room, Draft { reply, ..draft("Борис", "that", Some(id)) })
        };
        let answer = grants(store, reply(CLUB, 1, "2"));
        assert_eq!(answer.reply, Some(1));
        assert_eq!(&*answer.target.unwrap().line, "What is it?");
        for (number, (room, target)) in
            [(HALL, 1), (CLUB, 0), (CLUB, 9), (CLUB, u64::MAX)].into_iter().enumerate()
        {
            let refused = take(store, reply(room, target, &format!("r{number}")));
            assert_eq!(refused, Appended::Refused(AmendError::NoMessage), "{room} {target}");
        }
        grants(store, amend(CLUB, "Анна", (1, Amending::Delete), "3", false));
        let late = grants(store, reply(CLUB, 1, "4"));
        assert_eq!(&*late.target.unwrap().line, "", "it has no words any more");
        let not_to_amendments = take(store, reply(CLUB, 3, "5"));
        assert_eq!(not_to_amendments, Appended::Refused(AmendError::NoMessage));
        let again = take(store, reply(CLUB, 1, "2"));
        assert!(matches!(&again, Appended::Known(known) if known.seq == 2), "{again:?}");
        let other = take(store, to(CLUB, draft("Борис", "that", Some("2"))));
        assert!(matches!(other, Appended::Conflict { .. }), "it answered nothing: {other:?}");
    });
}

#[test]
fn what_is_sent_again_is_known() {
    with_each(|store| {
        say(store, HALL, "Анна", "a", "1");
        let requests = [
            amend(HALL, "Анна", (1, edit("b")), "2", false),
            amend(HALL, "Борис", (1, Amending::React(Some("👍"))), "3", false),
            amend(HALL, "Борис", (1, Amending::React(None)), "4", false),
            amend(HALL, "Анна", (1, edit("c")), "5", false),
        ];
        for (request, seq) in requests.iter().zip(2..) {
            assert_eq!(grants(store, request.clone()).seq, seq);
        }
        let is_known = |store: &mut dyn Store, request: &Request, seq| {
            let again = take(store, request.clone());
            let Appended::Known(known) = &again else { panic!("{again:?}") };
            assert_eq!(known.seq, seq);
            known.clone()
        };
        for (request, seq) in requests.iter().zip(2..) {
            is_known(store, request, seq);
        }
        let said = is_known(store, &to(HALL, draft("Анна", "a", Some("1"))), 1);
        assert_eq!((said.kind.text(), said.state.edited_ms), ("c", Some(NOW_MS)));
        let conflicts = [
            amend(HALL, "Анна", (1, edit("other words")), "5", false),
            amend(HALL, "Анна", (1, Amending::Delete), "5", false),
            amend(HALL, "Анна", (4, edit("c")), "5", false),
            amend(CLUB, "Анна", (1, edit("c")), "5", false),
            amend(HALL, "Борис", (1, Amending::React(Some("🎉"))), "3", false),
            to(HALL, draft("Анна", "c", Some("5"))),
        ];
        for request in conflicts {
            let conflict = take(store, request.clone());
            assert!(matches!(conflict, Appended::Conflict { .. }), "{request:?}: {conflict:?}");
        }
        let delete = amend(HALL, "Анна", (1, Amending::Delete), "6", false);
        grants(store, delete.clone());
        is_known(store, &delete, 6);
        is_known(store, &requests[3], 5);
        let said = is_known(store, &to(HALL, draft("Анна", "a", Some("1"))), 1);
        assert_eq!((said.kind.text(), said.state.is_deleted), ("", true));
        let edits: Vec<_> = shown(store, HALL, Records::All).into_iter().skip(1).collect();
        let no_words = Kind::Amendment { target: 1, amending: Amending::Edit(None) };
        assert_eq!(edits[0].1, no_words, "they are erased there too");
    });
}

#[test]
fn an_operator_can_bring_back_what_an_operator_removed() {
    with_each(|store| {
        say(store, HALL, "Анна", "a", "1");
        let delete = |id| amend(HALL, "Борис", (1, Amending::Delete), id, true);
        let restore = |id| amend(HALL, "Борис", (1, Amending::Restore(None)), id, true);
        grants(store, delete("2"));
        assert!(shown(store, HALL, Records::Shown)[0].2.is_deleted);
        let restored = grants(store, restore("3"));
        let with_words = Kind::Amendment { target: 1, amending: Amending::Restore(Some("a")) };
        assert_eq!(restored.kind.as_deref(), with_words);
        let (_, kind, state) = shown(store, HALL, Records::Shown).remove(0);
        assert_eq!((kind, state.is_deleted), (Kind::Text("a".to_owned()), false));
        grants(store, delete("4"));
        let kept = audit(store);
        let subjects: Vec<_> = kept.iter().map(|entry| entry.subject.as_str()).collect();
        assert_eq!(subjects, ["Анна"; 3]);
        let now = Instant::now();
        store.maintain(&at(now, NOW_MS + RESTORABLE_MS - 1));
        grants(store, restore("5"));
        grants(store, delete("6"));
        store.maintain(&at(now, NOW_MS + RESTORABLE_MS));
        assert_eq!(take(store, restore("7")), Appended::Refused(AmendError::NothingToRestore));
        assert!(shown(store, HALL, Records::Shown)[0].2.is_deleted);
    });
}

#[test]
fn an_operator_who_is_no_person_removes_and_brings_back_and_nothing_else() {
    with_each(|store| {
        say(store, HALL, "Анна", "a", "1");
        let amend = |amending| match amend(HALL, "root", (1, amending), "x", true) {
            Request::Amend { room, draft, entry } => {
                Request::Amend { room, draft: Draft { person: None, id: None, ..draft }, entry }
            }
            other => other,
        };
        for amending in [edit("b"), Amending::React(Some("👍")), Amending::React(None)] {
            assert_eq!(take(store, amend(amending)), Appended::Refused(AmendError::NotTheirs));
        }
        let removed = grants(store, amend(Amending::Delete));
        assert_eq!((removed.seq, removed.author.as_str(), removed.person), (2, "root", None));
        assert_eq!(grants(store, amend(Amending::Restore(None))).kind.text(), "a");
        assert_eq!(shown(store, HALL, Records::All).len(), 3);
        assert_eq!(audit(store).len(), 2);
    });
}

#[test]
fn an_author_who_deletes_what_an_operator_removed_erases_it() {
    with_each(|store| {
        say(store, HALL, "Анна", "a", "1");
        grants(store, amend(HALL, "Борис", (1, Amending::Delete), "2", true));
        grants(store, amend(HALL, "Анна", (1, Amending::Delete), "3", false));
        let restore = amend(HALL, "Борис", (1, Amending::Restore(None)), "4", true);
        assert_eq!(take(store, restore), Appended::Refused(AmendError::NothingToRestore));
        assert_eq!(audit(store).len(), 1, "what one does with one's own is not kept");
    });
}

/// Returns the files of a log that hold some words.
pub(super) fn files_with(shelf: &Shelf, words: &str) -> Vec<String> {
    let files = fs::read_dir(&shelf.place.directory).unwrap();
    let holds = |path: &String| {
        let bytes = fs::read(path).unwrap();
        bytes.windows(words.len()).any(|window| window == words.as_bytes())
    };
    files.map(|file| file.unwrap().path().display().to_string()).filter(holds).collect()
}

#[test]
fn words_that_were_deleted_or_replaced_are_in_no_file() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    let secret = |number: u64| format!("a secret that was {number} said");
    for number in 1..=300_u64 {
        let words = if number % 10 == 0 { secret(number).repeat(400) } else { secret(number) };
        say(&mut log, HALL, "Анна", &words, &number.to_string());
    }
    log.maintain(&at(Instant::now(), NOW_MS));
    assert_ne!(files_with(&shelf, "a secret"), [] as [String; 0]);
    for number in 1..=300_u64 {
        let (id, target) = (format!("x{number}"), number);
        let amendment = match number % 3 {
            0 => amend(HALL, "Анна", (target, Amending::Delete), &id, false),
            1 => amend(HALL, "Анна", (target, edit("nothing")), &id, false),
            _ => amend(HALL, "Борис", (target, Amending::Delete), &id, true),
        };
        grants(&mut log, amendment);
    }
    let later = Instant::now() + Duration::from_mins(1);
    // As many steps as it takes to forget what operators removed.
    for step in 0..10 {
        log.maintain(&at(later + step * Duration::from_mins(1), NOW_MS + RESTORABLE_MS));
    }
    assert_eq!(files_with(&shelf, "a secret"), [] as [String; 0]);
    let shown = shown(&mut log, HALL, Records::Shown);
    let gone = shown.iter().filter(|(_, kind, state)| {
        kind.text().is_empty() && state.is_deleted || kind.text() == "nothing"
    });
    assert_eq!(gone.count(), 300);
}

#[test]
fn a_log_that_was_killed_forgets_words_when_it_is_opened_again() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    say(&mut log, HALL, "Анна", "a secret", "1");
    grants(&mut log, amend(HALL, "Анна", (1, Amending::Delete), "2", false));
    let copy = shelf.as_of_now();
    assert_ne!(files_with(&copy, "a secret"), [] as [String; 0]);
    let mut opened = copy.open();
    opened.maintain(&at(Instant::now(), NOW_MS));
    assert_eq!(files_with(&copy, "a secret"), [] as [String; 0]);
}

#[test]
fn words_that_an_operator_removed_go_with_the_oldest_records() {
    let shelf = Shelf::new();
    let retention = Retention { messages_max: 2, ..Retention::default() };
    let mut log = shelf.try_open(retention, 0xab).unwrap();
    say(&mut log, HALL, "Анна", "a secret", "1");
    grants(&mut log, amend(HALL, "Борис", (1, Amending::Delete), "2", true));
    say(&mut log, HALL, "Анна", "b", "3");
    log.maintain(&at(Instant::now(), NOW_MS));
    assert_eq!(log.first_seq(HALL), 2);
    let restore = amend(HALL, "Борис", (1, Amending::Restore(None)), "4", true);
    assert_eq!(take(&mut log, restore), Appended::Refused(AmendError::NoMessage));
    let amendment = shown(&mut log, HALL, Records::All).remove(0);
    assert_eq!(amendment.1, Kind::Amendment { target: 1, amending: Amending::Delete });
}

#[test]
fn deletions_are_taken_where_texts_are_not() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    say(&mut log, HALL, "Анна", "a", "1");
    log.set_retention(Retention { disk_reserve_bytes: u64::MAX, ..Retention::default() });
    let refused = carry_out(&mut log, NOW_MS, [to(HALL, draft("Анна", "b", Some("2")))]);
    refused.unwrap_err();
    carry_out(&mut log, NOW_MS, [amend(HALL, "Анна", (1, edit("b")), "3", false)]).unwrap_err();
    grants(&mut log, amend(HALL, "Анна", (1, Amending::Delete), "4", false));
}

#[test]
fn a_person_is_who_amends_not_a_name() {
    with_each(|store| {
        say(store, HALL, "Анна", "a", "1");
        let kind = Kind::Amendment { target: 1, amending: Amending::Delete };
        let person = Some(PersonId(99));
        let stranger = Draft { person, kind, ..draft("Анна", "", Some("1")) };
        let request = Request::Amend { room: HALL, draft: stranger, entry: None };
        assert_eq!(take(store, request), Appended::Refused(AmendError::NotTheirs));
    });
}
