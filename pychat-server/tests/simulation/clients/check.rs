//! Checks of what must be true once the world is calm.

use std::collections::HashMap;

use pychat_wire::client::MessageId;

use super::{
    Fault,
    person::{Care, Person, Shown},
    world::{Log, World},
};

pub(crate) fn all(world: &World) {
    for person in &world.people {
        check_shown(person, &world.logs);
        check_said(person);
    }
    let log = world.logs.last().expect("there is one");
    log.oracle.check_whole(|_| log.forgotten_to);
    // What the server did not accept the first time is overtaken by what was on its way by then.
    let push_back = [Fault::CrashedUnanswered, Fault::LogLost];
    let is_pushed_back = world.waiting.has_refused()
        || push_back.iter().any(|fault| world.own_fired.contains(*fault));
    for log in &world.logs {
        log.oracle.check_order(|_| log.forgotten_to);
        if !is_pushed_back {
            check_order(log, &world.people);
        }
    }
}

/// Everything from where somebody began to the log's end, once and in order.
fn check_shown(person: &Person, logs: &[Log]) {
    let name = person.name.as_str();
    let mut place: Option<(usize, u64)> = None;
    for shown in &person.shown {
        let (epoch, (from, to)) = (shown.epoch(), shown.range());
        let expected = match place {
            Some((current, last)) if current == epoch => last + 1,
            Some((current, _)) => {
                assert!(current < epoch, "{name} went back to log {epoch}");
                1
            }
            None if person.is_window => from,
            None => 1,
        };
        assert_eq!(from, expected, "{name} in log {epoch} at {shown:?}");
        place = Some((epoch, to));
        let log = &logs[epoch - 1];
        match shown {
            Shown::Gap { .. } => assert!(to <= log.forgotten_to, "{name} misses {from}-{to}"),
            Shown::Message { message, .. } => {
                let entry = log.oracle.message(from);
                assert_eq!((&message.author, &message.content), (&entry.author, &entry.content));
                assert_eq!(message.own, entry.author == name);
                assert_eq!(message.id.as_ref().map(MessageId::as_str).is_some(), message.own);
            }
        }
    }
    let (epoch, log) = (logs.len(), &logs[logs.len() - 1]);
    if log.forgotten_to < log.oracle.last() {
        assert_eq!(place, Some((epoch, log.oracle.last())), "{name} lacks the end of log {epoch}");
        let first = person.shown.iter().find(|shown| shown.epoch() == epoch);
        let first = first.map_or(0, |shown| shown.range().0);
        assert!(first <= log.forgotten_to + 1, "{name} began at {first}");
    }
}

/// Checks that each text that somebody said was accepted, unless it was lost with them.
fn check_said(person: &Person) {
    for said in &person.said {
        let is_there = person.has_accepted(said);
        assert!(is_there || said.care == Care::Neglected, "{} was lost", said.content);
    }
}

/// Nobody's words overtook each other, but for those that were said again after they were forgotten:
/// from the first number on that was forgotten unheard, that may be any of them.
fn check_order(log: &Log, people: &[Person]) {
    for person in people {
        let said: HashMap<_, _> =
            person.said.iter().enumerate().map(|(place, it)| (&it.content, place)).collect();
        let mut places = Vec::new();
        let heard = (1..).zip(log.oracle.messages()).take_while(|(number, (seq, _))| number == seq);
        for (_, (_, message)) in heard {
            let Some(place) = said.get(&message.content) else { continue };
            if !places.contains(place) {
                places.push(*place);
            }
        }
        assert!(places.is_sorted(), "{} was overtaken: {places:?}", person.name.as_str());
    }
}
