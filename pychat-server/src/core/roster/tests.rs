//! Presence: the people in the room, their order, and their connections.

use super::*;

fn id(slot: u32) -> ConnectionId {
    ConnectionId { slot, generation: 0 }
}

fn join(roster: &mut Roster, slot: u32, name: &str) -> String {
    let before = numbers::N_LOOK_UPS.get();
    let free = roster.find_free(UserName::new(name).unwrap(), |_| false);
    assert!(numbers::N_LOOK_UPS.get() - before <= 9, "a handful of look-ups");
    let given = free.name().to_string();
    roster.join(id(slot), free, None);
    given
}

fn names(roster: &mut Roster) -> Vec<String> {
    roster.members().names()
}

#[test]
fn names_are_told_in_join_order() {
    let mut roster = Roster::default();
    for (slot, name) in [(3, "c"), (1, "a"), (2, "b")] {
        assert_eq!(join(&mut roster, slot, name), name);
    }
    assert!(
        matches!(roster.leave(id(1)), Some(Left::Gone { name, index: 1 }) if name.as_str() == "a")
    );
    assert!(roster.leave(id(1)).is_none());
    join(&mut roster, 1, "a");
    assert_eq!(names(&mut roster), ["c", "b", "a"]);
    assert_eq!(roster.listing(), "c, b, a");
    join(&mut roster, 4, "d");
    assert_eq!(roster.listing(), "c, b, a, d");
    roster.leave(id(3));
    assert_eq!(roster.listing(), "b, a, d");
    assert_eq!(names(&mut roster), ["b", "a", "d"]);
    assert_eq!(roster.name(id(2)).map(UserName::as_str), Some("b"));
    let holders = |name| {
        let name = UserName::new(name).unwrap();
        roster.holders(&name).flat_map(Participant::connections).copied().collect::<Vec<_>>()
    };
    assert_eq!([holders("b"), holders("B"), holders("c")], [vec![id(2)], vec![id(2)], vec![]]);
    assert!(!roster.is_empty());
}

#[test]
fn a_taken_name_is_given_a_number() {
    let mut roster = Roster::default();
    for (slot, given) in [(1, "Анна"), (2, "Анна (2)"), (3, "Анна (3)")] {
        assert_eq!(join(&mut roster, slot, "Анна"), given);
    }
    assert_eq!(join(&mut roster, 4, "AННA"), "AННA (4)");
    assert_eq!(join(&mut roster, 5, "анна (2)"), "анна (2) (2)");
    roster.leave(id(2));
    assert_eq!(join(&mut roster, 6, "Анна"), "Анна (2)");
    roster.leave(id(3));
    assert_eq!(join(&mut roster, 3, "Анна"), "Анна (3)");
    for slot in [1, 3, 4, 5, 6] {
        roster.leave(id(slot));
    }
    assert!(roster.is_empty() && roster.taken.is_empty() && roster.numbers.is_empty());
    assert_eq!(roster.listing(), "");
    assert_eq!(join(&mut roster, 7, "Анна"), "Анна");
}

#[test]
fn numbers_that_people_chose_are_passed_over_at_once() {
    let mut roster = Roster::default();
    join(&mut roster, 1, "Анна");
    for number in 2..=500 {
        // Cyrillic, Latin letters among them, and capitals: one skeleton or the other.
        let spelled = ["Анна", "Aннa", "анна", "АННА"][number as usize % 4];
        let given = join(&mut roster, number, &format!("{spelled} ({number})"));
        assert_eq!(given, format!("{spelled} ({number})"));
    }
    for (slot, asked, given) in
        [(501, "Анна", "Анна (501)"), (502, "анна", "анна (502)"), (503, "Aннa", "Aннa (503)")]
    {
        assert_eq!(join(&mut roster, slot, asked), given);
    }
    roster.leave(id(77));
    assert_eq!(join(&mut roster, 77, "Анна"), "Анна (77)");
}

#[test]
fn a_free_name_is_found_whoever_takes_turns_with_whom() {
    let mut roster = Roster::default();
    // `Bob` with a Cyrillic capital В has a skeleton for each kind of B.
    let (both, capital, small) = ("Воb", "Bob", "воb");
    for (slot, name) in [(0, capital), (1, small)] {
        assert_eq!(join(&mut roster, slot, name), name);
    }
    for number in 2..1_000 {
        let spelled = if number % 2 == 0 { capital } else { small };
        join(&mut roster, number, &format!("{spelled} ({number})"));
    }
    for slot in 1_000..2_000 {
        assert_eq!(join(&mut roster, slot, both), format!("{both} ({slot})"));
    }
    for slot in 0..2_000 {
        roster.leave(id(slot));
    }
    assert!(roster.is_empty() && roster.taken.is_empty() && roster.numbers.is_empty());
}

#[test]
fn somebody_is_present_once_for_as_long_as_one_connection_is() {
    let (mut roster, anna) = (Roster::default(), Some(PersonId(1)));
    let free = roster.find_free(UserName::new("Анна").unwrap(), |_| false);
    roster.join(id(1), free, anna);
    join(&mut roster, 2, "Борис");
    assert!(roster.join_again(id(3), id(1)) && !roster.join_again(id(4), id(9)));
    assert_eq!((roster.len(), roster.n_connections()), (2, 3));
    assert_eq!(roster.listing(), "Анна, Борис");
    assert_eq!((roster.first_index(id(3)), roster.join_index(id(3))), (Some(0), Some(2)));
    assert!(matches!(roster.leave(id(1)), Some(Left::Present(other)) if other == id(3)));
    assert_eq!(names(&mut roster), ["Анна", "Борис"]);
    assert_eq!(roster.participant(id(3)).unwrap().connections(), [id(3)]);
    assert!(matches!(roster.leave(id(3)), Some(Left::Gone { index: 0, .. })));
    assert_eq!(names(&mut roster), ["Борис"]);
    assert_eq!(join(&mut roster, 5, "Анна"), "Анна");
}

#[test]
fn what_another_process_had_is_restored_to_the_same_person_alone() {
    let (mut roster, name) = (Roster::default(), UserName::new("Анна").unwrap());
    let mut restore =
        |slot, person: Option<u64>| roster.restore(id(slot), name.clone(), person.map(PersonId));
    assert!(restore(1, Some(1)) && restore(2, Some(1)));
    assert!(!restore(3, Some(2)) && !restore(4, None));
    assert_eq!((roster.len(), roster.n_connections()), (1, 2));
    let mut guests = Roster::default();
    assert!(guests.restore(id(1), name.clone(), None) && !guests.restore(id(2), name, None));
}
