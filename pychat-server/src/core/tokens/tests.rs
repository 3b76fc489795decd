//! The owners of names, the time they own them, and the order in which they are forgotten.

use super::*;

const NEVER: Expiry = Expiry::Never;

fn name(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

fn tokens() -> Tokens {
    Tokens::new([7; 32], [], PersonId(0))
}

fn by(expired_ms: u64, now_ms: u64) -> Expiry {
    Expiry::By { expired_ms, now_ms }
}

fn person(id: u64, name: String, used_ms: u64, is_regular: bool) -> Person {
    Person { id: PersonId(id), name, token: TokenHash([1; 32]), used_ms, is_regular }
}

#[test]
fn a_token_proves_the_name_that_was_reserved_by_it_and_its_lookalikes() {
    let mut tokens = tokens();
    let ((first, grant), (second, other)) = (tokens.make(), tokens.make());
    assert!(first != second && grant.person != other.person);
    assert!(first.len() == 2 * TOKEN_BYTES && first.bytes().all(|b| b.is_ascii_hexdigit()));
    let anna = name("Анна");
    assert_eq!((tokens.prove(&anna, &first), tokens.take_changes()), (None, vec![]));
    assert!(tokens.reserve(grant, &anna, 5, NEVER));
    let saved = Grant { is_saved: true, ..grant };
    let lookalike = name("Aннa"); // Latin letters.
    assert_eq!(tokens.prove(&anna, &first), Some(saved));
    assert_eq!(tokens.prove(&lookalike, &first), Some(saved));
    assert_eq!(tokens.prove(&anna, &second), None);
    for (spelled, whose, is_reserved) in [
        (&anna, None, true),
        (&lookalike, Some(other.person), true),
        (&lookalike, Some(grant.person), false),
        (&name("Борис"), None, false),
    ] {
        assert_eq!(tokens.is_reserved(spelled, whose, NEVER), is_reserved, "{spelled}");
    }
    let [PersonChange::Save(kept)] = &tokens.take_changes()[..] else { panic!("not kept") };
    let mut restarted = Tokens::new([8; 32], [kept.clone()], kept.id);
    assert_eq!(restarted.prove(&anna, &first), Some(saved), "the hash outlives the process");
    let (token, grant) = restarted.make();
    assert!(token != first && grant.person == PersonId(2), "others are made, for others");
}

#[test]
fn a_name_is_free_once_it_was_not_used_for_too_long() {
    let mut tokens = tokens();
    let ((token, grant), anna) = (tokens.make(), name("Анна"));
    tokens.reserve(grant, &anna, 1_000, NEVER);
    assert!(tokens.is_reserved(&anna, None, by(999, 2_000)));
    assert!(!tokens.is_reserved(&anna, None, by(1_000, 2_000)));
    assert!(tokens.prove(&anna, &token).is_some(), "it is hers until somebody else speaks");
    let (_, stranger) = tokens.make();
    tokens.take_changes();
    assert!(tokens.reserve(stranger, &name("анна"), 2_000, by(1_000, 2_000)));
    assert_eq!(tokens.prove(&anna, &token), None);
    let [PersonChange::Forget(first), PersonChange::Save(second)] = &tokens.take_changes()[..]
    else {
        panic!("one for the other");
    };
    assert_eq!((*first, second.id), (grant.person, stranger.person));
    assert_eq!((tokens.owners.len(), tokens.by_use.len()), (1, 1));
}

#[test]
fn a_use_that_lies_ahead_counts_from_now() {
    let mut tokens = tokens();
    let ((_, grant), anna) = (tokens.make(), name("Анна"));
    tokens.reserve(grant, &anna, 9_000, NEVER);
    tokens.correct_use(&anna, NEVER);
    assert!(tokens.is_reserved(&anna, None, by(4_000, 5_000)));
    tokens.take_changes();
    tokens.correct_use(&anna, by(4_000, 5_000));
    assert!(tokens.is_reserved(&anna, None, by(4_999, 6_000)));
    assert!(!tokens.is_reserved(&anna, None, by(5_000, 6_000)));
    let [PersonChange::Save(kept)] = &tokens.take_changes()[..] else { panic!("not kept") };
    assert_eq!(kept.used_ms, 5_000);
}

#[test]
fn a_use_is_kept_once_a_day() {
    let mut tokens = tokens();
    let ((_, grant), anna) = (tokens.make(), name("Анна"));
    tokens.reserve(grant, &anna, 1, NEVER);
    tokens.take_changes();
    tokens.note_use(grant.person, &anna, DAY_MS - 1);
    assert_eq!(tokens.take_changes(), []);
    tokens.note_use(grant.person, &anna, DAY_MS);
    let [PersonChange::Save(kept)] = &tokens.take_changes()[..] else { panic!("not kept") };
    assert!(kept.is_regular && kept.used_ms == DAY_MS, "{kept:?}");
    tokens.note_use(grant.person, &name("анна"), 5);
    let [PersonChange::Save(kept)] = &tokens.take_changes()[..] else { panic!("not kept") };
    assert_eq!((&*kept.name, kept.used_ms), ("анна", DAY_MS), "as it is spelled now");
}

#[test]
fn no_stranger_makes_a_full_table_forget_who_comes_back() {
    let full = |returned: usize| {
        let owners = (0..OWNERS_MAX).map(|n| {
            let used = 1_000 + n as u64;
            person(n as u64 + 1, format!("name {n}"), used, n < returned)
        });
        Tokens::new([7; 32], owners, PersonId(OWNERS_MAX as u64))
    };
    let mut tokens = full(OWNERS_MAX - 1);
    let (_, first) = tokens.make();
    assert!(tokens.reserve(first, &name("new"), 5, NEVER), "in the place of a passer-by");
    let last = name(&format!("name {}", OWNERS_MAX - 1));
    assert!(!tokens.is_reserved(&last, None, NEVER));
    let (_, second) = tokens.make();
    assert!(tokens.reserve(second, &name("newer"), 6, NEVER));
    assert!(!tokens.is_reserved(&name("new"), None, NEVER), "who never came back");
    assert_eq!(tokens.owners.len(), OWNERS_MAX);

    let mut tokens = full(OWNERS_MAX);
    let (_, grant) = tokens.make();
    assert!(!tokens.reserve(grant, &name("new"), 5, by(999, 10_000)));
    assert!(tokens.reserve(grant, &name("new"), 5, by(1_000, 10_000)), "by one that is free");
    assert!(!tokens.is_reserved(&name("name 0"), None, NEVER));
}
