//! Checks of what must be true once the world is calm.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pychat_wire::client::{Message, MessageId, MessageState, RoomId};

use super::{
    Fault,
    person::{Care, Person},
    shown::{Run, Shown},
    world::{Log, World},
};
use crate::kit::{oracle::RoomLog, stored};

/// The number above which unread messages are counted no further, and of those that are looked at.
const UNREAD_MAX: u64 = 99;
const TAIL_MESSAGES: usize = 200;

pub(crate) fn all(mut world: World) {
    let (mut store, people) = world.server.into_parts();
    let log = world.logs.last_mut().expect("there is one");
    world.waiting.promptly(|| stored::take_in(&mut log.oracle, &mut *store, &people));
    log.oracle.check_whole(|room| log.forgotten_to(room));
    // What the server did not accept the first time is overtaken by what was on its way by then.
    let push_back = [Fault::CrashedUnanswered, Fault::LogLost];
    let is_pushed_back = world.waiting.has_refused()
        || push_back.iter().any(|fault| world.own_fired.contains(*fault));
    for person in &world.people {
        for (room, runs) in &person.screen.rooms {
            check_shown(person, room, runs, &world.logs);
        }
        check_said(person);
        check_rooms(person, world.logs.last().expect("there is one"));
    }
    for log in &world.logs {
        log.oracle.check_order(|room| log.forgotten_to(room));
        if !is_pushed_back {
            for (room, of_room) in log.oracle.rooms() {
                check_order(&RoomId::from(&**room), of_room, &world.people);
            }
        }
    }
}

/// Everything from where somebody began, once and in order, as the log has it.
fn check_shown(person: &Person, room: &RoomId, runs: &[Run], logs: &[Log]) {
    let name = person.name.as_str();
    let index_of_last = runs.len() - 1;
    for (index_of_run, run) in runs.iter().enumerate() {
        let log = &logs[run.epoch - 1];
        let of_room = &log.oracle.rooms()[room.as_str()];
        let mut next = match run.after {
            Some(after) => after + 1,
            // Pages are older, and who comes back to a room begins anew.
            None if !room.is_hall() || (person.is_window && index_of_run == 0) => {
                run.shown.first().map_or(0, |shown| shown.range().0)
            }
            None => 1,
        };
        for (index, shown) in run.shown.iter().enumerate() {
            let (from, to) = shown.range();
            assert_eq!(from, next, "{name} in {room:?} of log {} at {shown:?}", run.epoch);
            next = to + 1;
            // Who leaves while being sent what they missed is not sent the rest of it.
            let is_cut_short = run.is_over && index + 2 == run.shown.len();
            let forgotten_to = log.forgotten_to(room.as_str());
            let forgotten_to = if is_cut_short { u64::MAX } else { forgotten_to };
            check_record(name, shown, of_room, forgotten_to);
            if let Shown::Message(message) = shown
                && !run.is_over
                && run.epoch == logs.len()
                && index_of_last == index_of_run
                && log.forgotten_to(room.as_str()) < from
            {
                check_state(name, from, message, of_room);
            }
        }
    }
    assert!(runs.is_sorted_by_key(|run| run.epoch), "{name} went back in {room:?}");
}

fn check_record(name: &str, shown: &Shown, log: &RoomLog, forgotten_to: u64) {
    let (from, to) = shown.range();
    match shown {
        Shown::Gap { .. } => assert!(to <= forgotten_to, "{name} misses {from}-{to}"),
        Shown::Message(message) => {
            let entry = log.message(from);
            assert_eq!((&message.author, message.reply), (&entry.author, entry.reply));
            assert_eq!(message.own, entry.author == name);
            assert_eq!(message.id.as_ref().map(MessageId::as_str).is_some(), message.own);
            assert!(entry.is_text(), "{entry:?}");
        }
        Shown::Amended(amended) => {
            let entry = log.message(from);
            let record = entry.amendment.as_ref().expect("an amendment");
            let same = (amended.amendment.kind(), amended.amendment.target());
            assert_eq!((record.kind(), record.target()), same, "{name} at {from}");
            assert_eq!((&amended.author, amended.own), (&entry.author, entry.author == name));
        }
        Shown::LeftOut { .. } => {
            let mut numbers = from.max(forgotten_to.saturating_add(1))..=to;
            assert!(numbers.all(|seq| log.is_amendment(seq)), "{name} misses one of {from}-{to}");
        }
        Shown::Event(record) => {
            let entry = log.message(from);
            let subject = record.subject.clone().unwrap_or_default();
            assert_eq!((&record.username, &subject), (&entry.author, &entry.content));
            assert_eq!((record.own, Some(record.event)), (entry.author == name, entry.event));
        }
    }
}

/// Checks that a message is shown as the store has it, but for the order of the reactions to it: who was
/// told of some of them again has those later.
fn check_state(name: &str, seq: u64, message: &Message, log: &RoomLog) {
    let (words, state) = log.last_look(seq);
    let sorted = |reactions: Vec<(String, Vec<String>)>| {
        let reactions = reactions.into_iter().map(|(emoji, mut names)| {
            names.sort_unstable();
            (emoji, names)
        });
        reactions.collect::<BTreeMap<_, _>>()
    };
    let owned = state.reactions.0.iter().map(|(emoji, names)| {
        (emoji.to_string(), names.iter().map(ToString::to_string).collect::<Vec<_>>())
    });
    let MessageState { content, edited_ms, is_deleted, reactions } = message.state.clone();
    assert_eq!(
        (&*content, edited_ms, is_deleted, sorted(reactions)),
        (words, state.edited, state.is_deleted, sorted(owned.collect())),
        "{name} is shown number {seq} of {:?}",
        message.room
    );
}

/// Checks that somebody is in the rooms that they should be in, was shown each of them to its end, and
/// knows what they have not seen.
fn check_rooms(person: &Person, log: &Log) {
    let name = person.name.as_str();
    let rooms = person.client.rooms();
    let is_in: BTreeSet<_> = rooms.iter().map(|room| room.id.as_str()).collect();
    for (room, of_room) in log.oracle.rooms() {
        if !room.is_empty() && 0 < of_room.last() && of_room.is_known_from_the_start() {
            let is_there = of_room.stays().has_after(name, of_room.last());
            assert_eq!(is_there, is_in.contains(&**room), "{name} in {room:?}");
        }
    }
    for room in rooms {
        let Some(of_room) = log.oracle.rooms().get(room.id.as_str()) else { continue };
        let forgotten_to = log.forgotten_to(room.id.as_str());
        if forgotten_to == of_room.last() {
            continue;
        }
        let run = person.screen.rooms.get(&room.id).and_then(|runs| runs.last());
        let run = run.filter(|run| !run.is_over && run.epoch == log.number);
        let last = run.and_then(Run::last);
        assert!(
            last.map_or(!room.id.is_hall(), |last| {
                let mut left_out = last + 1..=of_room.last();
                let may_be = run.is_some_and(|run| run.ends_with_page);
                left_out.is_empty() || (may_be && left_out.all(|seq| of_room.is_amendment(seq)))
            }),
            "{name} lacks the end of {:?}: {last:?}",
            room.id
        );
        let first = run.and_then(|run| run.shown.first()).map_or(0, |shown| shown.range().0);
        let is_whole = room.id.is_hall() || person.is_window;
        let is_begun = (forgotten_to + 1..first).all(|seq| of_room.is_amendment(seq));
        assert!(!is_whole || is_begun, "{name} began {:?} at {first}", room.id);
        if forgotten_to == 0 && of_room.is_known_from_the_start() {
            let after = room.read + 1..=of_room.last();
            let unread = of_room.count_of_others(after, name, TAIL_MESSAGES).min(UNREAD_MAX);
            assert_eq!(person.client.unread(&room.id), unread, "{name} has not seen {room:?}");
        }
    }
}

/// Checks that each text that somebody said was accepted, unless it was lost with them, or its author
/// was not in the room.
fn check_said(person: &Person) {
    for said in &person.said {
        let is_excused = matches!(said.care, Care::Neglected | Care::Refused);
        assert!(person.has_accepted(said) || is_excused, "{said:?} was lost");
    }
}

/// Nobody's words overtook each other, but for those that were said again after they were forgotten:
/// from the first number on that was forgotten unheard, that may be any of them.
fn check_order(room: &RoomId, log: &RoomLog, people: &[Person]) {
    for person in people {
        let said = person.said.iter().enumerate().filter(|(_, it)| it.room == *room);
        let said: HashMap<_, _> = said.map(|(place, it)| (&*it.content, place)).collect();
        let mut places = Vec::new();
        let heard = (1..).zip(log.messages()).take_while(|(number, (seq, _))| number == seq);
        for (_, (seq, message)) in heard {
            // An edit that is told again has the words of the last one.
            let is_unknown = message.amendment.is_some() && !log.is_exact(seq);
            let place = said.get(message.words()).filter(|_| !is_unknown);
            let Some(place) = place else { continue };
            if places.contains(place) {
                assert!(message.amendment.is_none(), "{message:?} was done twice");
            } else {
                places.push(*place);
            }
        }
        assert!(places.is_sorted(), "{} was overtaken: {places:?}", person.name.as_str());
    }
}
