//! Bans and mutes: whom they are against, their ends, and undoing them.

use super::*;

const KEY: PublicKey = PublicKey([1; 32]);
const OTHER: PublicKey = PublicKey([2; 32]);

fn name(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

fn person(name: &str, keys: &[PublicKey]) -> Subject {
    Subject::Person { name: name.to_owned(), keys: keys.to_vec() }
}

fn network(text: &str) -> Network {
    text.parse().unwrap()
}

#[test]
fn a_person_is_known_by_any_key_and_a_guest_by_name() {
    let mut moderation = Moderation::default();
    let mut ban = |subject| moderation.impose(Measure::Ban, subject, Some(10), 5, "root").unwrap();
    assert_eq!(ban(person("Анна", &[KEY, OTHER])).len(), 1);
    assert_eq!(ban(person("Боря", &[])).len(), 1);
    let is_banned = |moderation: &Moderation, keys: &[PublicKey], guest: Option<&str>, utc_ms| {
        let guest = guest.map(name);
        let keys = keys.iter().copied();
        moderation.against_person(Measure::Ban, keys, guest.as_ref(), utc_ms).is_some()
    };
    for (keys, guest, utc_ms, expected) in [
        (&[KEY][..], None, 9, true),
        (&[PublicKey([3; 32]), OTHER], None, 9, true),
        (&[KEY], None, 10, false), // It has ended.
        (&[PublicKey([3; 32])], None, 9, false),
        (&[], Some("Анна"), 9, false), // She is known by her keys.
        (&[], Some("боря"), 9, true),
        (&[], Some("Вера"), 9, false),
    ] {
        assert_eq!(is_banned(&moderation, keys, guest, utc_ms), expected, "{keys:?} {guest:?}");
    }
    let muted = moderation.against_person(Measure::Mute, [KEY], None, 9);
    assert_eq!(muted, None, "that is something else");
    assert_eq!(moderation.lift_of_person(Measure::Ban, &[], &name("анна")).len(), 1);
    assert!(!is_banned(&moderation, &[OTHER], None, 9));
}

#[test]
fn one_of_the_same_subject_takes_the_place_of_another_and_what_is_over_stays() {
    let mut moderation = Moderation::default();
    let mut ban = |subject, until_ms, since_ms| {
        moderation.impose(Measure::Ban, subject, until_ms, since_ms, "root").unwrap()
    };
    ban(person("Анна", &[KEY]), Some(10), 5);
    ban(Subject::Network(network("192.0.2.0/24")), Some(7), 5);
    let changes = ban(person("Anna", &[OTHER, KEY]), None, 8);
    let kept: Vec<_> = moderation.sanctions(1 << 50).cloned().collect();
    assert_eq!(changes, [Change::Lift(1), Change::Impose(kept[0].clone())]);
    assert!(moderation.against_network(network("192.0.2.1"), 6).is_some(), "the clock went back");
    assert_eq!(kept[0].id, 3);
    let again = Moderation::new(Rulebook { sanctions: kept, ..Rulebook::default() });
    assert!(again.against_person(Measure::Ban, [KEY], None, 1 << 50).is_some());
    assert_eq!(again.last_id, 3);
}

#[test]
fn who_calls_from_a_network_that_is_banned_is_found_by_any_prefix() {
    let mut moderation = Moderation::default();
    for text in ["192.0.2.0/24", "192.0.2.7", "2001:db8::/48"] {
        let subject = Subject::Network(network(text));
        moderation.impose(Measure::Ban, subject, None, 5, "root").unwrap();
    }
    let is_banned = |moderation: &Moderation, text: &str| {
        moderation.against_network(network(text), 9).is_some()
    };
    for (text, expected) in [
        ("192.0.2.7", true),
        ("192.0.2.8", true),
        ("192.0.3.7", false),
        ("2001:db8:0:ffff::1", true),
        ("2001:db8:1::1", false),
    ] {
        assert_eq!(is_banned(&moderation, text), expected, "{text}");
    }
    assert_eq!(moderation.lift_of_network(network("192.0.2.0/24")).len(), 1);
    assert!(is_banned(&moderation, "192.0.2.7") && !is_banned(&moderation, "192.0.2.8"));
    assert!(moderation.lift_of_network(network("192.0.2.0/24")).is_empty());
    assert_eq!(moderation.lift_of_network(network("192.0.2.7")).len(), 1);
    assert_eq!(moderation.lift_of_network(network("2001:db8::/48")).len(), 1);
    assert!(moderation.shapes.is_empty() && moderation.by_network.is_empty());
}

#[test]
fn there_are_not_more_than_so_many() {
    let mut moderation = Moderation::default();
    let mut ban = |number: usize, until_ms, since_ms| {
        let subject = person(&format!("name {number}"), &[]);
        moderation.impose(Measure::Mute, subject, until_ms, since_ms, "root")
    };
    ban(0, Some(10), 5).unwrap();
    ban(2, Some(12), 5).unwrap();
    for number in (1..SANCTIONS_MAX).filter(|number| *number != 2) {
        ban(number, None, 5).unwrap();
    }
    assert_eq!(ban(SANCTIONS_MAX, None, 5), None);
    assert_eq!(ban(SANCTIONS_MAX + 1, None, 9), None, "and nothing is lost by that");
    assert_eq!(ban(1, None, 5).map(|changes| changes.len()), Some(2), "in place of itself");
    assert_eq!(ban(1, None, 11).map(|changes| changes.len()), Some(2), "and of nothing else");
    let changes = ban(SANCTIONS_MAX, None, u64::MAX).expect("in place of what is over");
    assert_eq!((changes.len(), &changes[0]), (2, &Change::Lift(1)), "of one, the first to end");
    let left = moderation.sanctions(11).count();
    assert_eq!(left, SANCTIONS_MAX, "the clock was wrong, and what it ended is not over");
}
