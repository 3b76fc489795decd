//! Whose a key and a name are, the time they are somebody's, and the order in which names are
//! forgotten.

use std::time::Instant;

use super::*;
use crate::core::record::PersonChange;

const NEVER: Expiry = Expiry::Never;

fn name(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

fn people() -> People {
    People::new(Secret::new([7; 32]), [], PersonId(0))
}

fn device(number: u8) -> Device {
    Device { key: PublicKey([number; 32]), label: "".into(), added_ms: 3 }
}

fn by(expired_ms: u64, now_ms: u64) -> Expiry {
    Expiry::By { expired_ms, now_ms }
}

fn owned(name: &str, used_ms: u64, is_regular: bool) -> OwnedName {
    OwnedName { name: name.to_owned(), used_ms, is_regular }
}

impl People {
    /// Somebody new reserves a name by a device of this number.
    fn settle(
        &mut self,
        number: u8,
        spelled: &str,
        utc_ms: u64,
        expiry: Expiry,
    ) -> Option<PersonId> {
        let person = self.stranger();
        self.reserve(person, &device(number), &name(spelled), utc_ms, expiry).then_some(person)
    }
}

#[test]
fn a_key_is_of_the_person_who_reserved_a_name_by_it_with_all_that_looks_like_it() {
    let mut people = people();
    assert_eq!(people.of_key(device(1).key), None);
    let anna = people.settle(1, "Анна", 5, NEVER).unwrap();
    let other = people.stranger();
    assert_eq!(people.of_key(device(1).key), Some(anna));
    let lookalike = name("Aннa"); // Latin letters.
    for (spelled, whose, is_reserved) in [
        (&name("Анна"), None, true),
        (&lookalike, Some(other), true),
        (&lookalike, Some(anna), false),
        (&name("Борис"), None, false),
    ] {
        assert_eq!(people.is_reserved(spelled, whose, NEVER), is_reserved, "{spelled}");
    }
    assert!(people.owns(anna, &lookalike) && !people.owns(other, &lookalike));
    let [PersonChange::Save(kept)] = &people.take_changes()[..] else { panic!("not kept") };
    let expected = Person {
        id: anna,
        is_operator: false,
        is_bot: false,
        names: vec![owned("Анна", 5, false)],
        devices: vec![device(1)],
    };
    assert_eq!(kept, &expected);
    let mut restarted = People::new(Secret::new([8; 32]), [kept.clone()], other);
    assert_eq!(restarted.of_key(device(1).key), Some(anna), "keys outlive the process");
    assert_eq!((restarted.stranger(), restarted.take_changes()), (PersonId(3), vec![]));
}

#[test]
fn of_what_was_kept_the_names_that_were_used_last_count() {
    let person = |id, names: &[OwnedName], devices: &[Device]| Person {
        id: PersonId(id),
        is_operator: false,
        is_bot: false,
        names: names.to_vec(),
        devices: devices.to_vec(),
    };
    let mut people = People::new(
        Secret::new([7; 32]),
        [
            person(1, &[owned("Анна", 5, true), owned("Вера", 9, true)], &[device(1)]),
            person(2, &[owned("анна", 7, true), owned("Вы", 9, true)], &[device(2)]),
            person(3, &[owned("вера", 1, true)], &[device(3)]),
            person(4, &[owned("Зоя", 1, true)], &[]), // Of an earlier version: there is no key.
        ],
        PersonId(4),
    );
    assert!(people.owns(PersonId(2), &name("Анна")) && people.owns(PersonId(1), &name("Вера")));
    assert_eq!(people.of_key(device(3).key), None, "a person without a name is none");
    assert!(people.is_reserved(&name("Зоя"), None, NEVER));
    assert_eq!((people.names.len(), people.take_changes()), (3, vec![]));
}

#[test]
fn a_name_is_free_once_it_was_not_used_for_too_long() {
    let (mut people, anna) = (people(), name("Анна"));
    let first = people.settle(1, "Анна", 1_000, NEVER).unwrap();
    assert!(people.is_reserved(&anna, None, by(999, 2_000)));
    assert!(!people.is_reserved(&anna, None, by(1_000, 2_000)));
    assert!(people.owns(first, &anna), "it is hers until somebody else asks");
    people.take_changes();
    let second = people.settle(2, "анна", 2_000, by(1_000, 2_000)).unwrap();
    assert_eq!((people.of_key(device(1).key), people.owns(second, &anna)), (None, true));
    let [PersonChange::Forget(forgotten), PersonChange::Save(kept)] = &people.take_changes()[..]
    else {
        panic!("one for the other");
    };
    assert_eq!((*forgotten, kept.id), (first, second));
    assert_eq!((people.names.len(), people.by_use.len(), people.known.len()), (1, 1, 1));
}

#[test]
fn who_loses_one_name_of_several_keeps_the_others() {
    let mut people = people();
    let first = people.settle(1, "Анна", 1_000, NEVER).unwrap();
    assert!(people.reserve(first, &device(1), &name("Вера"), 1_500, NEVER));
    people.take_changes();
    people.settle(2, "Анна", 2_000, by(1_000, 2_000)).unwrap();
    let [PersonChange::Save(left), PersonChange::Save(_)] = &people.take_changes()[..] else {
        panic!("both are kept")
    };
    assert_eq!((left.id, &left.names[..]), (first, &[owned("Вера", 1_500, false)][..]));
    assert_eq!(people.of_key(device(1).key), Some(first));
}

#[test]
fn a_use_that_lies_ahead_counts_from_now() {
    let (mut people, anna) = (people(), name("Анна"));
    people.settle(1, "Анна", 9_000, NEVER);
    people.correct_use(&anna, NEVER);
    assert!(people.is_reserved(&anna, None, by(4_000, 5_000)));
    people.take_changes();
    people.correct_use(&anna, by(4_000, 5_000));
    assert!(people.is_reserved(&anna, None, by(4_999, 6_000)));
    assert!(!people.is_reserved(&anna, None, by(5_000, 6_000)));
    let [PersonChange::Save(kept)] = &people.take_changes()[..] else { panic!("not kept") };
    assert_eq!(kept.names[0].used_ms, 5_000);
}

#[test]
fn a_use_is_kept_once_a_day() {
    let (mut people, anna) = (people(), name("Анна"));
    let person = people.settle(1, "Анна", 1, NEVER).unwrap();
    people.take_changes();
    people.note_use(person, &anna, DAY_MS - 1);
    assert_eq!(people.take_changes(), []);
    people.note_use(person, &anna, DAY_MS);
    let [PersonChange::Save(kept)] = &people.take_changes()[..] else { panic!("not kept") };
    assert_eq!(kept.names, [owned("Анна", DAY_MS, true)]);
    people.note_use(person, &name("анна"), 5);
    let [PersonChange::Save(kept)] = &people.take_changes()[..] else { panic!("not kept") };
    assert_eq!(kept.names, [owned("анна", DAY_MS, true)], "as it is spelled now");
}

#[test]
fn no_stranger_makes_a_full_table_forget_who_comes_back() {
    let full = |returned: usize| {
        let person = |number: usize| Person {
            id: PersonId(number as u64 + 1),
            is_operator: false,
            is_bot: false,
            names: vec![owned(&format!("name {number}"), 1_000 + number as u64, number < returned)],
            devices: Vec::new(),
        };
        People::new(Secret::new([7; 32]), (0..NAMES_MAX).map(person), PersonId(NAMES_MAX as u64))
    };
    let mut people = full(NAMES_MAX - 1);
    assert!(people.settle(1, "new", 5, NEVER).is_some(), "in the place of a passer-by");
    let last = name(&format!("name {}", NAMES_MAX - 1));
    assert!(!people.is_reserved(&last, None, NEVER));
    assert!(people.settle(2, "newer", 6, NEVER).is_some());
    assert!(!people.is_reserved(&name("new"), None, NEVER), "who never came back");
    assert_eq!((people.names.len(), people.known.len()), (NAMES_MAX, NAMES_MAX));

    let mut people = full(NAMES_MAX);
    assert_eq!(people.settle(1, "new", 5, by(999, 10_000)), None);
    assert!(people.settle(1, "new", 5, by(1_000, 10_000)).is_some(), "by one that is free");
    assert!(!people.is_reserved(&name("name 0"), None, NEVER));
}

#[test]
fn there_are_only_so_many_bots_and_their_names_are_news_once() {
    let person = |number| Person {
        id: PersonId(number),
        is_operator: false,
        is_bot: false,
        names: vec![owned(&format!("name {number}"), 5, true)],
        devices: Vec::new(),
    };
    let known = (1..=BOTS_MAX as u64 + 1).map(person);
    let mut people = People::new(Secret::new([7; 32]), known, PersonId(BOTS_MAX as u64 + 1));
    let bots = (1..=BOTS_MAX as u64).map(PersonId);
    for bot in bots {
        assert_eq!(people.set_bot(bot, true), Ok(true));
    }
    let last = PersonId(BOTS_MAX as u64 + 1);
    assert_eq!(people.set_bot(last, true), Err(bots::TooManyBots));
    assert_eq!(people.take_bot_news().map(|names| names.len()), Some(BOTS_MAX));
    assert_eq!(people.take_bot_news(), None);
    people.forget_all(PersonId(1));
    assert_eq!(people.take_bot_news().map(|names| names.len()), Some(BOTS_MAX - 1));
    assert_eq!(people.set_bot(last, true), Ok(true));
    assert_eq!(people.set_bot(PersonId(999_999), true), Ok(false), "nobody");
}

#[test]
fn an_operator_is_forgotten_for_nobody_and_is_kept_as_one() {
    let person = |number: usize| Person {
        id: PersonId(number as u64 + 1),
        is_operator: number == 0,
        is_bot: false,
        names: vec![owned(&format!("name {number}"), 1_000 + number as u64, number != 0)],
        devices: Vec::new(),
    };
    let known = (0..NAMES_MAX).map(person);
    let mut people = People::new(Secret::new([7; 32]), known, PersonId(NAMES_MAX as u64));
    let (operator, other) = (PersonId(1), PersonId(2));
    assert_eq!(people.operators(), [operator]);
    let late = by(1_001, 1 << 40);
    assert!(people.is_reserved(&name("name 0"), None, late), "though it is long ago");
    assert!(!people.is_reserved(&name("name 1"), None, late));
    assert!(people.settle(1, "new", 5_000, late).is_some(), "in the place of one that is free");
    assert!(people.owns(operator, &name("name 0")) && !people.owns(other, &name("name 1")));
    people.take_changes();

    assert!(!people.set_operator(operator, true) && !people.set_operator(other, true), "no news");
    assert!(people.set_operator(operator, false) && people.set_operator(PersonId(3), true));
    let kept: Vec<_> = people
        .take_changes()
        .into_iter()
        .map(|change| match change {
            PersonChange::Save(person) => (person.id, person.is_operator),
            other @ PersonChange::Forget(_) => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(kept, [(operator, false), (PersonId(3), true)]);
    assert!(people.settle(2, "newer", 6_000, late).is_some());
    assert!(!people.owns(operator, &name("name 0")), "who is one no longer");
}

#[test]
fn codes_are_alike_for_nobody_and_one_at_a_time() {
    let (mut people, now) = (people(), Instant::now());
    let anna = people.settle(1, "Анна", 5, NEVER).unwrap();
    let boris = people.settle(2, "Борис", 5, NEVER).unwrap();
    let stranger = people.stranger();
    assert_eq!(people.make_code(now, stranger), None, "whose no name is");
    let [old, code, other] = [anna, anna, boris].map(|it| people.make_code(now, it).unwrap());
    assert!(old != code && code != other && old != other);
    let mut pair =
        |spelled: &str, code, number| people.pair(now, &name(spelled), code, device(number));
    assert_eq!((pair("Анна", old, 3), pair("Борис", code, 3)), (None, None));
    assert_eq!(pair("анна", code, 3), Some(anna));
    assert_eq!((pair("Анна", code, 4), pair("Борис", other, 5)), (None, Some(boris)));
    assert_eq!(people.devices(anna), [device(1), device(3)]);
    assert_eq!(people.of_key(device(3).key), Some(anna));
    assert!(
        people.remove_device(anna, device(3).key) && !people.remove_device(anna, device(2).key)
    );
    assert_eq!((people.of_key(device(3).key), people.devices(anna)), (None, &[device(1)][..]));
}
