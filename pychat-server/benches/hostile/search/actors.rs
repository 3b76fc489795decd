//! Lines that do what a program says.

use std::time::{Duration, Instant};

use super::program::{Program, Step, Verb};
use crate::{
    Outcome,
    cases::CONNECTIONS,
    field::{ATTACKER, Ending},
    figures::Remark,
    stage::Stage,
    words::{self, Protocol, frame},
};

/// About how much one line says in one step at most, in bytes, and how much of it byte by byte.
const STEP_BYTES: usize = 128 << 10;
const SPLIT_BYTES: usize = 100;

/// Pieces of names, and contents of texts: plain, long as NFKC or as a skeleton, of many bytes, marks,
/// separators, and what a reader cannot see.
const PIECES: [&str; 10] = [
    "a",
    "\u{FDFA}",
    "\u{3316}",
    "\u{0344}",
    "\u{1F82}",
    "\u{20100}",
    "a, ",
    "rn",
    "\u{1D159}",
    "\"\\\n",
];

/// The lines, each a number of the field's if it is open.
pub(super) struct Actors<'a> {
    stage: &'a mut Stage,
    lines: [Option<usize>; CONNECTIONS],
    said: usize,
}

impl<'a> Actors<'a> {
    pub(super) fn new(stage: &'a mut Stage) -> Self {
        Self { stage, lines: [None; CONNECTIONS], said: 0 }
    }

    /// Plays `program` again and again until `end`.
    pub(super) fn play(&mut self, program: &Program, end: Instant) -> Outcome<Remark> {
        loop {
            for step in &program.0 {
                self.take(step)?;
                if end < Instant::now() {
                    return Ok(Remark::default());
                }
            }
        }
    }

    fn take(&mut self, step: &Step) -> Outcome<()> {
        if step.verb == Verb::Wait {
            let time = Duration::from_millis(step.numbers[0].min(1_000));
            self.stage.field.turn_until(Instant::now() + time, |_| false)?;
            return Ok(());
        }
        let lines = step.line.map_or(0..CONNECTIONS, |line| line..line + 1);
        for line in lines {
            self.act(step, line)?;
        }
        self.stage.field.turn(Duration::ZERO)
    }

    fn act(&mut self, step: &Step, line: usize) -> Outcome<()> {
        let field = &mut self.stage.field;
        if let Some(over) = self.lines[line].filter(|line| field.is_over(*line)) {
            field.end(over, Ending::Close);
            self.lines[line] = None;
        }
        let ending = match step.verb {
            Verb::Reset => Some(Ending::Reset),
            Verb::Close => Some(Ending::Close),
            _ => None,
        };
        if let Some(ending) = ending {
            if let Some(number) = self.lines[line].take() {
                field.end(number, ending);
            }
            return Ok(());
        }
        let number = match self.lines[line] {
            Some(number) => number,
            None => *self.lines[line].insert(field.open(ATTACKER)?),
        };
        match step.verb {
            Verb::Shut => field.shut(number),
            Verb::Mute => field.set_mute(number, true),
            Verb::Listen => field.set_mute(number, false),
            // What has no room yet is not said: nobody has to listen to that.
            _ if field.is_idle(number) => {
                let bytes = words_of(step, line, self.said);
                self.said += 1;
                let size = if step.verb == Verb::Split { 1 } else { bytes.len().max(1) };
                for piece in bytes.chunks(size) {
                    field.say(number, piece);
                }
            }
            _ => (),
        }
        Ok(())
    }
}

/// Returns what is said in a `step` over a `line`, by the number of what was `said` before.
fn words_of(step: &Step, line: usize, said: usize) -> Vec<u8> {
    let [first, second, third] = step.numbers;
    let times =
        |unit: Vec<u8>, count: u64| unit.repeat(at_most(count, 1 + STEP_BYTES / unit.len()));
    match step.verb {
        Verb::Hello => {
            let protocol = if first == 1 { Protocol::V1 } else { Protocol::V2 };
            let mut name = piece(second).repeat(at_most(third % 100, 99));
            if 100 <= third {
                name.push_str(&line.to_string());
            }
            words::hello(&name, protocol)
        }
        Verb::Text => {
            let content = piece(second).repeat(at_most(first, 60_000) / piece(second).len());
            let count = at_most(third, 1 + STEP_BYTES / (content.len() + 1));
            (0..count).flat_map(|number| words::text(&content, 1_000 * said + number)).collect()
        }
        Verb::Bad => times(bad_payload(first), second),
        Verb::Split => {
            let mut bytes = times(bad_payload(first), second);
            bytes.truncate(SPLIT_BYTES);
            bytes
        }
        Verb::Ping => times(words::bare("ping"), first),
        Verb::History => times(words::history(first, second), third),
        Verb::Raw => times(no_frame(first), second),
        _ => Vec::new(),
    }
}

fn piece(number: u64) -> &'static str {
    PIECES[at_most(number, PIECES.len() - 1)]
}

/// Returns a whole payload that means nothing, or means little and is long.
fn bad_payload(number: u64) -> Vec<u8> {
    match number {
        0 => b"1:x".to_vec(),
        1 => b"1:\xFF".to_vec(),
        2 => frame("{}"),
        3 => frame(&format!(r#"{{"type":"{}"}}"#, "\u{E0001}".repeat(32))),
        4 => frame(&"[".repeat(1_000)),
        5 => frame(&format!(r#"{{"type":"ping","a":{}}}"#, "9".repeat(10_000))),
        6 => frame(&format!(r#"{{"type":"text","content":"{}","id":1}}"#, r"\u0416".repeat(1_000))),
        7 => frame(r#"{"type":"hello","username":7}"#),
        8 => br#"{"type":"text"}"#.to_vec(),
        _ => frame(&format!(r#"{{{}"type":"pong"}}"#, r#""content":"x","#.repeat(1_000))),
    }
}

/// Returns bytes that are no frame, or none yet.
fn no_frame(number: u64) -> Vec<u8> {
    match number {
        0 => b"0:".to_vec(),
        1 => b"12a".to_vec(),
        2 => b"{".to_vec(),
        3 => b" ".repeat(256),
        4 => b"65536:".to_vec(),
        5 => b"0".repeat(20),
        6 => b"\x16\x03\x01".to_vec(),
        7 => b"1:".to_vec(),
        8 => b"\xFF".to_vec(),
        _ => b"{\"type\":\"".to_vec(),
    }
}

fn at_most(number: u64, most: usize) -> usize {
    usize::try_from(number).unwrap_or(most).min(most)
}
