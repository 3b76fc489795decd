//! Everything that can be asked for in rooms, without a pause, by people of one address in a room in
//! which others are.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Case, PATIENCE, join, wait_for_answers};
use crate::{
    Outcome,
    field::{ATTACKER, Field, OTHER},
    figures::Remark,
    stage::Stage,
    words::{self, Protocol, frame},
};

/// The time for which requests are made, and that of those which others are told most of.
const TIME: Duration = Duration::from_secs(6);
const LONG_TIME: Duration = Duration::from_mins(1);

/// The number of attackers, and of others in the room: as many as are told that somebody is writing.
const ATTACKERS: usize = 8;
const OTHERS: usize = 12;

/// Where the others call from.
const NETWORK: [u8; 3] = [127, 0, 13];

/// About how much is said before a line is looked at again, in bytes.
const BLOCK_BYTES: usize = 16 << 10;

/// The number of texts that the others say in the room before, each of which can be seen then.
const TEXTS: usize = 10;

/// The room of the others, and one that nobody may know of.
const OPEN: &str = "r1";
const CLOSED: &str = "r2";

/// Returns the payload with this number.
type Unit = fn(usize) -> Value;

pub(super) fn all() -> Vec<Case> {
    let case =
        |(name, time, unit): (_, _, Unit)| Case::new(name, move |stage| pour(stage, time, unit));
    let cases: [(_, _, Unit); 13] = [
        ("room_create", TIME, |it| create(it, "closed")),
        ("room_create_leave", LONG_TIME, create_and_leave),
        ("room_join_leave", LONG_TIME, join_and_leave),
        ("room_join_leave_again", TIME, |it| join_and_leave(it % 2)),
        ("room_members", TIME, |_| json!({ "type": "members", "room": OPEN })),
        ("room_list", TIME, |_| json!({ "type": "rooms" })),
        ("room_read", TIME, |it| json!({ "type": "read", "room": OPEN, "seq": it })),
        ("room_typing", TIME, |_| json!({ "type": "typing", "room": OPEN })),
        ("room_direct", TIME, |it| direct(&[it % 2, 2])),
        ("room_directs", TIME, |it| {
            direct(&[it % OTHERS, it / OTHERS % OTHERS, it / 144 % OTHERS])
        }),
        (
            "room_history",
            TIME,
            |_| json!({ "type": "history", "room": OPEN, "before": 1_u64 << 50, "limit": 500 }),
        ),
        ("room_unknown", TIME, |it| request(it, "join_room", &json!({ "room": CLOSED }))),
        (
            "room_text_outside",
            TIME,
            |it| json!({ "type": "text", "room": CLOSED, "content": "", "id": it.to_string() }),
        ),
    ];
    cases.into_iter().map(case).collect()
}

/// Returns a request of this type with `members` and an id.
fn request(number: usize, kind: &str, members: &Value) -> Value {
    let mut request = json!({ "type": kind, "id": format!("a{number}") });
    for (key, value) in members.as_object().into_iter().flatten() {
        request[key] = value.clone();
    }
    request
}

fn create(number: usize, kind: &str) -> Value {
    request(number, "create_room", &json!({ "kind": kind, "name": format!("room {number}") }))
}

/// Makes a room and leaves one, which was made shortly before.
fn create_and_leave(number: usize) -> Value {
    if number.is_multiple_of(2) {
        return create(number, "closed");
    }
    request(number, "leave_room", &json!({ "room": format!("r{}", 3 + number / 2) }))
}

fn join_and_leave(number: usize) -> Value {
    let kind = if number.is_multiple_of(2) { "leave_room" } else { "join_room" };
    request(number, kind, &json!({ "room": OPEN }))
}

fn direct(others: &[usize]) -> Value {
    let with: Vec<_> = others.iter().map(|other| format!("other {other}")).collect();
    let number: usize = others.iter().sum();
    request(number, "direct", &json!({ "with": with }))
}

/// Lets others be in an open room and a closed one, and say something in the first.
fn prepare(stage: &mut Stage) -> Outcome<Vec<usize>> {
    let host = stage.field.open(OTHER)?;
    stage.field.say(host, &words::hello("host", Protocol::V2));
    wait_for_answers(&mut stage.field, &[host])?;
    for kind in ["open", "closed"] {
        let create = request(0, "create_room", &json!({ "kind": kind, "name": kind }));
        stage.field.say(host, &frame(&create.to_string().replace("a0", kind)));
    }
    stage.rest()?;
    let name = |number| format!("other {number}");
    let others = join(&mut stage.field, NETWORK, OTHERS, Protocol::V2, name)?;
    let name = |number| format!("attacker {number}");
    let [first, second, third, _] = ATTACKER.octets();
    let attackers = join(&mut stage.field, [first, second, third], ATTACKERS, Protocol::V2, name)?;
    let entry = frame(&request(0, "join_room", &json!({ "room": OPEN })).to_string());
    for line in others.iter().chain(&attackers) {
        stage.field.say(*line, &entry);
    }
    for number in 0..TEXTS {
        let text =
            json!({ "type": "text", "room": OPEN, "content": "x", "id": number.to_string() });
        stage.field.say(others[number % others.len()], &frame(&text.to_string()));
    }
    stage.rest()?;
    Ok(attackers)
}

/// Says one payload after another without a pause.
fn pour(stage: &mut Stage, time: Duration, unit: Unit) -> Outcome<Remark> {
    let attackers = prepare(stage)?;
    let is_in = |field: &Field| {
        attackers
            .iter()
            .all(|line| field.line(*line).is_some_and(|line| 4 <= line.heard().payloads))
    };
    if !stage.field.turn_until(Instant::now() + PATIENCE, is_in)? {
        return Err("somebody is not in the room before the attack".into());
    }
    let end = stage.attack(time)?;
    let mut said = vec![0; attackers.len()];
    while Instant::now() < end {
        for (line, said) in attackers.iter().zip(&mut said) {
            let mut block = Vec::new();
            while stage.field.is_idle(*line) && block.len() < BLOCK_BYTES {
                *said += 1;
                block.extend(frame(&unit(*said).to_string()));
            }
            stage.field.say(*line, &block);
        }
        stage.field.turn(Duration::from_millis(2))?;
    }
    Ok(Remark::default())
}
