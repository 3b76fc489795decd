use super::*;
use crate::core::record::RoomChange;

const ANNA: PersonId = PersonId(1);
const BORIS: PersonId = PersonId(2);
const CLARA: PersonId = PersonId(3);

fn room(id: u32, kind: RoomKind, name: &str, members: &[PersonId]) -> Room {
    Room {
        id: RoomId(id),
        kind,
        name: name.to_owned(),
        topic: String::new(),
        maker: members.first().copied(),
        members: members.to_vec(),
    }
}

#[test]
fn rooms_are_found_as_the_store_has_them() {
    let marks = [
        ReadMark { room: HALL, person: ANNA, seq: 4 },
        ReadMark { room: RoomId(7), person: ANNA, seq: 1 },
        ReadMark { room: RoomId(7), person: CLARA, seq: 1 },
    ];
    let kitchen = room(3, RoomKind::Open, "Kitchen", &[ANNA]);
    let direct = room(7, RoomKind::Direct, "", &[BORIS, ANNA]);
    let mut rooms = Rooms::new([kitchen, direct], marks);
    for (seq, author, is_message) in [(1, BORIS, false), (2, BORIS, true), (3, ANNA, true)] {
        rooms.note_record(RoomId(7), seq, Some(author), is_message);
    }
    assert_eq!(rooms.of(ANNA).collect::<Vec<_>>(), [RoomId(3), RoomId(7)]);
    assert_eq!(rooms.get(RoomId(7)).unwrap().members().collect::<Vec<_>>(), [BORIS, ANNA]);
    assert_eq!(rooms.direct(&BTreeSet::from([ANNA, BORIS])), Some(RoomId(7)));
    assert_eq!(rooms.direct(&BTreeSet::from([ANNA, CLARA])), None);
    assert!(!rooms.is_free("KITCHEN", None) && rooms.is_free("kitchen", Some(RoomId(3))));
    assert_eq!((rooms.mark(ANNA, HALL), rooms.mark(CLARA, RoomId(7))), (Some(4), None));
    // Anna has said the last of them.
    assert_eq!((rooms.unread(ANNA, RoomId(7)), rooms.unread(BORIS, RoomId(7))), (0, 1));
    assert_eq!((rooms.next_id(), rooms.next_id(), rooms.len()), (RoomId(8), RoomId(9), 2));
    rooms.note_forgotten(RoomId(7), 4);
    assert_eq!([ANNA, BORIS].map(|person| rooms.mark(person, RoomId(7))), [Some(4); 2]);
    assert_eq!((rooms.mark(ANNA, RoomId(3)), rooms.mark(ANNA, HALL)), (Some(0), Some(4)));
    assert_eq!(rooms.mark(CLARA, RoomId(7)), None);
}

#[test]
fn a_change_counts_against_people_until_it_is_applied() {
    let mut rooms = Rooms::new([room(1, RoomKind::Open, "a", &[ANNA])], []);
    let id = RoomId(1);
    let (add, remove) = (RoomChange::Add(BORIS), RoomChange::Remove(ANNA));
    rooms.begin(id, &add, BORIS);
    rooms.begin(id, &remove, ANNA);
    assert!(rooms.is_joining(BORIS, id) && !rooms.is_in(BORIS, id) && !rooms.is_in(ANNA, id));
    rooms.give_up(id, &remove);
    rooms.apply(id, add, 5);
    assert!(rooms.is_in(ANNA, id) && rooms.is_in(BORIS, id) && !rooms.is_joining(BORIS, id));
    assert_eq!(rooms.mark(BORIS, id), Some(5));
    rooms.begin(id, &remove, ANNA);
    rooms.apply(id, remove, 6);
    assert!(!rooms.has_seat(ANNA, id));
}

#[test]
fn names_and_sets_are_taken_from_when_they_are_asked_for() {
    let mut rooms = Rooms::default();
    let open = RoomChange::Create(room(1, RoomKind::Open, "a", &[ANNA]));
    rooms.begin(RoomId(1), &open, ANNA);
    assert!(!rooms.is_free("A", None) && rooms.get(RoomId(1)).is_none() && rooms.len() == 1);
    rooms.give_up(RoomId(1), &open);
    assert!(rooms.is_free("a", None) && rooms.is_empty());

    rooms.begin(RoomId(1), &open, ANNA);
    rooms.apply(RoomId(1), open, 1);
    let names = ["A", "b", "c"].map(|name| RoomChange::Rename(name.to_owned()));
    for rename in &names {
        rooms.begin(RoomId(1), rename, ANNA);
    }
    let [same, given_up, last] = names;
    rooms.apply(RoomId(1), same, 2);
    rooms.give_up(RoomId(1), &given_up);
    assert!(!rooms.is_free("a", None) && rooms.is_free("b", None) && !rooms.is_free("c", None));
    rooms.apply(RoomId(1), last, 3);
    assert!(rooms.is_free("a", None) && !rooms.is_free("c", None));

    let direct = RoomChange::Create(room(2, RoomKind::Direct, "", &[BORIS, ANNA]));
    rooms.begin(RoomId(2), &direct, BORIS);
    assert_eq!(rooms.direct(&BTreeSet::from([ANNA, BORIS])), Some(RoomId(2)));
    assert!(rooms.get(RoomId(2)).is_none() && rooms.len() == 2);
    rooms.apply(RoomId(2), direct, 1);
    assert_eq!((rooms.mark(BORIS, RoomId(2)), rooms.mark(ANNA, RoomId(2))), (Some(1), Some(0)));
}

#[test]
fn whoever_is_forgotten_is_nowhere() {
    let three = room(1, RoomKind::Direct, "", &[ANNA, BORIS, CLARA]);
    let mut rooms = Rooms::new([three, room(2, RoomKind::Direct, "", &[CLARA, ANNA])], []);
    rooms.raise_mark(CLARA, HALL, 9);
    assert_eq!(rooms.forget(CLARA), [RoomId(1), RoomId(2)]);
    assert_eq!(rooms.direct(&BTreeSet::from([ANNA, BORIS])), Some(RoomId(1)));
    assert_eq!(rooms.direct(&BTreeSet::from([ANNA, CLARA])), None);
    assert_eq!((rooms.mark(CLARA, HALL), rooms.of(CLARA).count()), (None, 0));
    assert_eq!(rooms.get(RoomId(1)).unwrap().members().collect::<Vec<_>>(), [ANNA, BORIS]);
}

#[test]
fn a_person_has_a_bounded_number_of_rooms() {
    let mut rooms = Rooms::default();
    let n_others = u32::try_from(SEATS_PER_PERSON_MAX).unwrap();
    for number in 1..=n_others {
        assert!(rooms.may_enter(ANNA, true));
        let maker = PersonId(100 + u64::from(number));
        let direct = room(number, RoomKind::Direct, "", &[maker, ANNA]);
        rooms.insert(direct);
    }
    assert!(!rooms.may_enter(ANNA, true) && rooms.may_make(ANNA));
    for number in 1..=u32::try_from(ROOMS_MADE_MAX).unwrap() {
        assert!(rooms.may_make(BORIS));
        rooms.insert(room(1_000 + number, RoomKind::Closed, "", &[BORIS]));
    }
    assert!(!rooms.may_make(BORIS) && rooms.may_make(ANNA));
    let mut rooms = Rooms::default();
    for number in 1..=u32::try_from(ROOMS_PER_PERSON_MAX).unwrap() {
        assert!(rooms.may_enter(ANNA, false));
        rooms.begin(RoomId(number), &RoomChange::Add(ANNA), ANNA);
    }
    assert!(!rooms.may_enter(ANNA, false) && rooms.may_enter(ANNA, true));
}

#[test]
fn what_was_not_seen_is_counted_up_to_a_limit() {
    let mut rooms = Rooms::default();
    for seq in 1..=1_000 {
        rooms.note_record(HALL, seq, (seq % 2 == 0).then_some(ANNA), seq % 5 != 0);
    }
    rooms.note_record(HALL, 3, Some(BORIS), true);
    assert_eq!(rooms.get(HALL).unwrap().last(), 1_000);
    assert_eq!((rooms.unread(ANNA, HALL), rooms.unread(BORIS, HALL)), (99, 99));
    assert!(rooms.raise_mark(ANNA, HALL, 990) && !rooms.raise_mark(ANNA, HALL, 990));
    assert_eq!(rooms.unread(ANNA, HALL), 4);
    rooms.note_arrival(BORIS);
    assert_eq!(rooms.unread(BORIS, HALL), 0);
    assert_eq!(rooms.take_marks(), [ReadMark { room: HALL, person: BORIS, seq: 1_000 }]);
    rooms.note_record(HALL, 1_001, Some(ANNA), true);
    assert_eq!((rooms.unread(ANNA, HALL), rooms.unread(BORIS, HALL)), (0, 1));
    rooms.note_arrival(BORIS);
    assert_eq!((rooms.unread(BORIS, HALL), rooms.take_marks()), (1, Vec::new()));
    rooms.note_forgotten(HALL, 1_000);
    assert_eq!(rooms.mark(BORIS, HALL), Some(1_000));
    rooms.note_forgotten(HALL, 1_001);
    assert_eq!((rooms.mark(BORIS, HALL), rooms.mark(CLARA, HALL)), (Some(1_001), None));
}
