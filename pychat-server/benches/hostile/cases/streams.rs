//! The same bytes again and again, over lines that are opened anew whenever the server hangs up.

use std::time::{Duration, Instant};

use super::Case;
use crate::{
    Outcome,
    field::{ATTACKER, OTHER},
    figures::Remark,
    stage::Stage,
    words::{self, Protocol, bare, frame, history},
};

/// The time that a stream lasts, and the number of its lines.
const TIME: Duration = Duration::from_millis(1_500);
const LINES: usize = 8;

/// About how much is said before the line is looked at again, in bytes.
const BLOCK_BYTES: usize = 32 << 10;

/// The name that somebody else has.
const TAKEN: &str = "\u{FDFA}";

/// The speaker: a guest, or somebody who has joined.
#[derive(Clone, Copy)]
enum Speaker {
    Guest,
    Joined,
}

pub(super) fn all() -> Vec<Case> {
    let case = |(name, speaker, unit): (_, Speaker, Vec<u8>)| {
        Case::new(name, move |stage| pour(stage, speaker, &unit))
    };
    let mut cases: Vec<_> = guests().into_iter().chain(people()).map(case).collect();
    cases.push(Case::new("one_byte_at_a_time", drip));
    cases.push(Case::new("slow_mode", repeat));
    cases
}

fn guests() -> Vec<(&'static str, Speaker, Vec<u8>)> {
    use Speaker::Guest;
    let taken = |name: &str| words::hello(name, Protocol::V2);
    let then_text = |bytes: &[u8]| [bytes.repeat(15), br#"{"type":"text"}"#.to_vec()].concat();
    vec![
        ("whitespace", Guest, b" ".repeat(BLOCK_BYTES)),
        ("text_before_hello", Guest, br#"{"type":"text"}"#.to_vec()),
        ("guest_bad_and_text", Guest, then_text(b"1:x")),
        ("guest_ping", Guest, bare("ping")),
        ("hello_plain_taken", Guest, taken("innocent")),
        ("hello_forged", Guest, words::forged("forger")),
        ("hello_fdfa_taken", Guest, taken(&TAKEN.repeat(32))),
        ("hello_fdfa_invalid", Guest, taken(&TAKEN.repeat(33))),
        ("hello_marks", Guest, taken(&"\u{0344}".repeat(32))),
        ("hello_60_kib", Guest, taken(&"x".repeat(60_000))),
        ("hello_server_name", Guest, taken("Сервер Чата")),
    ]
}

fn people() -> Vec<(&'static str, Speaker, Vec<u8>)> {
    use Speaker::Joined;
    let ping = bare("ping");
    let then_ping = |bytes: &[u8]| [bytes.repeat(15), ping.clone()].concat();
    let nested = frame(&format!(r#"{{"a":{}}}"#, "[".repeat(65_000)));
    let digits = frame(&format!(r#"{{"type":"ping","a":{}}}"#, "9".repeat(65_000)));
    let fraction = frame(&format!(r#"{{"type":"ping","a":0.{}1}}"#, "0".repeat(65_000)));
    let twice = frame(&format!(r#"{{{}"type":"ping"}}"#, r#""content":"x","#.repeat(4_500)));
    let escapes = frame(&format!(r#"{{"type":"ping","a":"{}"}}"#, r"\u0416".repeat(10_900)));
    let unknown = frame(&format!(r#"{{"type":"{}"}}"#, "\u{E0001}".repeat(32)));
    let again = br#"{"type":"hello","username":""}"#.to_vec();
    vec![
        ("ping", Joined, ping.clone()),
        ("bad_and_ping", Joined, then_ping(b"1:x")),
        ("bad", Joined, b"1:x".to_vec()),
        ("second_hello", Joined, again),
        ("text_without_id", Joined, br#"{"type":"text"}"#.to_vec()),
        ("unknown_type", Joined, then_ping(&unknown)),
        ("json_nested", Joined, then_ping(&nested)),
        ("json_digits", Joined, digits),
        ("json_fraction", Joined, fraction),
        ("json_same_key", Joined, twice),
        ("json_escapes", Joined, escapes),
        ("forbidden", Joined, operators_alone()),
        ("page_none", Joined, history(1, 0)),
        ("page_before_max", Joined, history(u64::MAX, u64::MAX)),
        ("text_empty", Joined, words::text("", 1)),
        ("framing_error", Joined, b"12a".to_vec()),
    ]
}

/// Returns the requests that only operators may make.
fn operators_alone() -> Vec<u8> {
    let requests = [
        r#"{"type":"kick","username":"innocent","id":"1"}"#,
        r#"{"type":"mute","username":"innocent","for_ms":60000,"id":"2"}"#,
        r#"{"type":"ban","username":"innocent","id":"3"}"#,
        r#"{"type":"ban","address":"127.0.0.0/8","id":"4"}"#,
        r#"{"type":"slow","seconds":3600,"id":"5"}"#,
        r#"{"type":"door","admission":"invite","id":"6"}"#,
        r#"{"type":"bans"}"#,
    ];
    requests.into_iter().flat_map(frame).collect()
}

/// Says `unit` without a pause.
fn pour(stage: &mut Stage, speaker: Speaker, unit: &[u8]) -> Outcome<Remark> {
    let owner = stage.field.open(OTHER)?;
    stage.field.say(owner, &words::hello(&TAKEN.repeat(32), Protocol::V2));
    let block = unit.repeat((BLOCK_BYTES / unit.len()).max(1));
    let end = stage.attack(TIME)?;
    let (mut lines, mut calls) = (Vec::new(), 0);
    while Instant::now() < end {
        stage.field.end_over(&mut lines);
        while lines.len() < LINES {
            let line = stage.field.open(ATTACKER)?;
            if let Speaker::Joined = speaker {
                stage.field.say(line, &words::hello(&format!("p{calls}"), Protocol::V2));
            }
            lines.push(line);
            calls += 1;
        }
        for line in &lines {
            if stage.field.is_idle(*line) {
                stage.field.say(*line, &block);
            }
        }
        stage.field.turn(Duration::from_millis(1))?;
    }
    let text = if calls == LINES { String::new() } else { format!("{calls} calls") };
    Ok(Remark::new(text))
}

/// Says a text again and again that comes too soon in slow mode.
fn repeat(stage: &mut Stage) -> Outcome<Remark> {
    stage.server.ctl(&["slow", "3600"])?;
    pour(stage, Speaker::Joined, &words::text("again", 1))
}

/// Says one long text in as many segments as it has bytes.
fn drip(stage: &mut Stage) -> Outcome<Remark> {
    let mut lines = Vec::new();
    for number in 0..LINES {
        let line = stage.field.open(ATTACKER)?;
        stage.field.say(line, &words::hello(&format!("p{number}"), Protocol::V2));
        stage.field.say(line, b"65536:");
        lines.push(line);
    }
    let end = stage.attack(TIME)?;
    while Instant::now() < end {
        for line in &lines {
            stage.field.say(*line, b" ");
        }
        stage.field.turn(Duration::ZERO)?;
    }
    Ok(Remark::default())
}
