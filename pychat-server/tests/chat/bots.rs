//! Bots: marked on the machine, and told to everybody.

use pychat_server::core::{
    chat::{Effect, Event},
    moderation::{Order, Reply},
    record::{PersonChange, Request},
};

use super::{A, B, C, Room, told, told_all, two::hello};

fn mark(name: &str, is_bot: bool) -> Order {
    Order::Bot { name: name.to_owned(), is_bot }
}

fn news(names: &[&str]) -> Effect {
    let names = names.iter().map(ToString::to_string).collect();
    told_all(Event::Bots(names))
}

/// Returns the bots, as operators are answered who ask for them.
fn listed(room: &mut Room) -> Vec<Vec<String>> {
    let effects = room.order(Order::Bots);
    let [Effect::Reply { reply: Reply::Bots { bots }, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    bots.clone()
}

#[test]
fn everybody_is_told_who_is_a_bot_and_who_comes_later_too() {
    let mut room = Room::with(&[(C, "Борис")]);
    room.join(A, "Анна", 1);
    let effects = room.order(mark("анна", true));
    assert_eq!(effects[0], news(&["Анна"]));
    let [
        Effect::Store { request: Request::ChangePerson(PersonChange::Save(person)), .. },
        Effect::Store { request: Request::Moderate { entry, .. }, .. },
        Effect::Reply { reply: Reply::Done { text }, .. },
    ] = &effects[1..]
    else {
        panic!("{effects:?}")
    };
    assert!(person.is_bot && !person.is_operator);
    assert_eq!((&*entry.verb, &*entry.subject, &*entry.detail), ("bot", "Анна", "on"));
    assert_eq!(text, "Анна is a bot now.");
    assert_eq!(room.ordered(mark("Анна", true)), ("Анна is a bot already.".to_owned(), vec![]));
    assert_eq!(listed(&mut room), [["Анна"]]);

    room.connect(B);
    let effects = room.receive(B, hello("Вера", 2));
    // Before she is let in, nobody knows which protocol she hears.
    assert_eq!(effects.last(), Some(&told(B, Event::Bots(vec!["Анна".to_owned()]))), "{effects:?}");
    let (text, effects) = room.ordered(mark("Анна", false));
    assert_eq!((&*text, effects), ("Анна is no longer a bot.", vec![news(&[])]));
    assert_eq!(listed(&mut room), Vec::<Vec<String>>::new());
    for (nobody, expected) in [
        ("Никто", "Nobody is called Никто."),
        ("Борис", "Борис has no name that is theirs, so cannot be marked."),
    ] {
        assert_eq!(room.refused_order(mark(nobody, true)), expected);
    }
}

#[test]
fn who_gives_up_a_name_is_no_bot_by_it() {
    let mut room = Room::with(&[]);
    room.join(A, "Анна", 1);
    room.order(mark("Анна", true));
    let effects = room.order(Order::FreeName { name: "Анна".to_owned() });
    assert!(effects.contains(&news(&[])), "{effects:?}");
}
