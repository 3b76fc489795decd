//! Calls that are short, and many.

use std::time::{Duration, Instant};

use super::{Case, wait_for_answers};
use crate::{
    Outcome,
    field::{ATTACKER, Ending},
    figures::Remark,
    stage::Stage,
    words::{self, Protocol},
};

/// The time for which calls go on.
const TIME: Duration = Duration::from_secs(2);

/// The number of calls that are open at once.
const AT_ONCE: usize = 48;

/// The length of the longest call.
const STAY: Duration = Duration::from_millis(200);

/// The course of one call.
#[derive(Clone, Copy)]
struct Visit {
    /// The bytes that the `number`th caller says.
    words: fn(usize) -> Vec<u8>,
    /// The caller says no more after that, and waits for the server to hang up.
    is_shut: bool,
    /// The number of payloads that the caller wants to hear before it hangs up.
    payloads: usize,
    ending: Ending,
}

/// Calls and hangs up.
const CALL: Visit =
    Visit { words: |_| Vec::new(), is_shut: false, payloads: 0, ending: Ending::Close };

pub(super) fn all() -> Vec<Case> {
    let visit = |name, visit: Visit| Case::new(name, move |stage| come(stage, visit));
    vec![
        visit("call_close", CALL),
        visit("call_reset", Visit { ending: Ending::Reset, ..CALL }),
        visit("call_half_close", Visit { is_shut: true, payloads: 9, ..CALL }),
        visit("hello_close", Visit { words: hello, payloads: 2, ..CALL }),
        visit("hello_reset", Visit { words: hello, ending: Ending::Reset, ..CALL }),
        visit("hello_half_close", Visit { words: hello, is_shut: true, payloads: 9, ..CALL }),
        visit("tls_hello", Visit { words: |_| words::client_hello(), payloads: 9, ..CALL }),
        visit("tls_half_hello", Visit { words: half_a_handshake, payloads: 9, ..CALL }),
        visit("tls_garbage", Visit { words: records_of_nothing, payloads: 9, ..CALL }),
        visit("log_flood", Visit { words: many_lines, payloads: 9, ..CALL }),
        Case::new("bans", |stage| {
            stage.server.ctl(&["ban", &ATTACKER.to_string()])?;
            come(stage, Visit { payloads: 9, ..CALL })
        }),
        Case::new("takeover_of_oneself", take_over),
    ]
}

fn hello(number: usize) -> Vec<u8> {
    words::hello(&format!("visitor {number}"), Protocol::V2)
}

fn half_a_handshake(number: usize) -> Vec<u8> {
    let mut bytes = words::client_hello();
    bytes.truncate(1 + number % bytes.len());
    bytes
}

/// Returns the beginning of a handshake, and empty records after that.
fn records_of_nothing(_: usize) -> Vec<u8> {
    let mut bytes = words::client_hello();
    bytes.truncate(100);
    bytes.extend([0x16, 3, 3, 0, 0].repeat(1_000));
    bytes
}

/// Returns what makes as many lines of log as can be: refusals, a join, and an end with an error.
fn many_lines(number: usize) -> Vec<u8> {
    let mut bytes = br#"{"type":"text"}"#.repeat(15);
    bytes.extend(words::hello(&format!("n{number}"), Protocol::V1));
    bytes.push(b'x');
    bytes
}

fn come(stage: &mut Stage, visit: Visit) -> Outcome<Remark> {
    let end = stage.attack(TIME)?;
    let (mut lines, mut visits, log_lines) = (Vec::new(), 0, stage.server.log_lines());
    while Instant::now() < end {
        while lines.len() < AT_ONCE {
            let line = stage.field.open(ATTACKER)?;
            stage.field.say(line, &(visit.words)(visits));
            if visit.is_shut {
                stage.field.shut(line);
            }
            lines.push(line);
            visits += 1;
        }
        stage.field.turn(Duration::from_millis(1))?;
        lines.retain(|number| {
            let is_done = stage.field.line(*number).is_none_or(|line| {
                let is_served = line.is_idle() && visit.payloads <= line.heard().payloads;
                line.is_over() || is_served || STAY < line.age()
            });
            if is_done {
                stage.field.end(*number, visit.ending);
            }
            !is_done
        });
    }
    stage.rest()?;
    let log_lines = stage.server.log_lines() - log_lines;
    Ok(Remark::new(format!("{visits} calls, {log_lines} lines of log")))
}

/// Holds a name by its key, and comes again by another connection each time.
fn take_over(stage: &mut Stage) -> Outcome<Remark> {
    let mut line = stage.field.open(ATTACKER)?;
    stage.field.say(line, &words::hello("flapper", Protocol::V2));
    wait_for_answers(&mut stage.field, &[line])?;
    let end = stage.attack(TIME)?;
    let mut visits = 0;
    while Instant::now() < end {
        let next = stage.field.open(ATTACKER)?;
        stage.field.say(next, &words::hello("flapper", Protocol::V2));
        wait_for_answers(&mut stage.field, &[next])?;
        stage.field.end(line, Ending::Close);
        line = next;
        visits += 1;
    }
    Ok(Remark::new(format!("{visits} visits")))
}
