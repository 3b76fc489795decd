//! What must be true once the world is calm.

use std::collections::HashSet;

use pychat_wire::client::MessageId;

use crate::{
    person::{Care, Person, Shown},
    server::{Entry, Log},
    world::World,
};

pub(crate) fn all(world: &World) {
    let logs = &world.server.logs;
    for person in &world.people {
        check_shown(person, logs);
        check_said(person, logs);
    }
    // What the server did not accept the first time is overtaken by what was on its way by then.
    let is_pushed_back = [
        "the server could not keep a text",
        "the server forgot what it had read",
        "the server lost its log",
    ]
    .iter()
    .any(|fault| world.tally.contains_key(fault));
    for log in logs {
        check_log(log);
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
            Shown::Gap { .. } => assert!(to < log.oldest, "{name} misses {from}-{to}"),
            Shown::Message { message, .. } => {
                let Entry { name: author, id, content } =
                    &log.entries[usize::try_from(from - 1).expect("small")];
                assert_eq!((&message.author, &message.content), (author, content));
                assert_eq!(message.own, author == name);
                let heard = message.id.as_ref().map(MessageId::as_str);
                assert_eq!(heard, message.own.then_some(id.as_str()));
            }
        }
    }
    let (epoch, log) = (logs.len(), &logs[logs.len() - 1]);
    if let Some(oldest) = (log.oldest <= log.last()).then_some(log.oldest) {
        assert_eq!(place, Some((epoch, log.last())), "{name} lacks the end of log {epoch}");
        let first = person.shown.iter().find(|shown| shown.epoch() == epoch);
        let first = first.map_or(0, |shown| shown.range().0);
        assert!(first <= oldest, "{name} began at {first}, {oldest} is kept");
    }
}

/// What somebody said was accepted, once a log.
fn check_said(person: &Person, logs: &[Log]) {
    for said in &person.said {
        let count =
            |log: &Log| log.entries.iter().filter(|entry| entry.content == said.content).count();
        let counts: Vec<_> = logs.iter().map(count).collect();
        assert!(counts.iter().all(|count| *count <= 1), "{} came twice", said.content);
        let is_accepted = counts.contains(&1);
        assert!(is_accepted || said.care == Care::Neglected, "{} was lost", said.content);
    }
}

fn check_log(log: &Log) {
    let mut ids = HashSet::new();
    for entry in &log.entries {
        assert!(ids.insert((&entry.name, &entry.id)), "{entry:?} has a used id");
    }
}

/// Nobody's words overtook each other.
fn check_order(log: &Log, people: &[Person]) {
    for person in people {
        let place = |entry: &Entry| person.said.iter().position(|it| it.content == entry.content);
        let places: Vec<_> = log.entries.iter().filter_map(place).collect();
        assert!(places.is_sorted(), "{} was overtaken: {places:?}", person.name.as_str());
    }
}
