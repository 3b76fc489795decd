//! Messages to people who read slowly, or not at all.

use std::time::{Duration, Instant};

use super::{CONNECTIONS, Case, join};
use crate::{
    Outcome,
    field::{ATTACKER, Ending, Field, OTHER},
    figures::Remark,
    stage::Stage,
    words::{self, Protocol},
};

/// The speed at which an honest reader reads, in bytes a second.
const READER_PACE: f64 = 200e3;

/// Where an attacker's people call from, and others who listen.
const NETWORK: [u8; 3] = [127, 0, 2];
const LISTENERS: [u8; 3] = [127, 0, 11];

pub(super) fn all() -> Vec<Case> {
    vec![
        Case::new("text_bandwidth", talk_past_a_slow_reader),
        Case::new("mute_kernel", talk_past_the_deaf),
        Case::new("presence_flood", come_and_go),
    ]
}

/// All connections of one address say the longest texts that they may.
fn talk_past_a_slow_reader(stage: &mut Stage) -> Outcome<Remark> {
    let reader = stage.field.open_mute(OTHER, 32 << 10)?;
    stage.field.say(reader, &words::hello("slow reader", Protocol::V2));
    let name = |number| format!("rude {number}");
    let talkers = join(&mut stage.field, NETWORK, CONNECTIONS - 4, Protocol::V2, name)?;
    let end = stage.attack(Duration::from_secs(8))?;
    let (begin, mut sipped, mut said) = (Instant::now(), 0, 0);
    let content = "x".repeat(65_400);
    while Instant::now() < end {
        say_all(stage, &talkers, &content, &mut said);
        let due = begin.elapsed().as_secs_f64() * READER_PACE;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "few bytes")]
        let due = due as usize;
        stage.field.sip(reader, due.saturating_sub(sipped));
        sipped = due;
        stage.field.turn(Duration::from_millis(5))?;
    }
    // Only who has read all that was on its way hears that the server has hung up.
    stage.field.set_mute(reader, false);
    let is_over = |field: &Field| field.is_over(reader);
    let is_cut = stage.field.turn_until(Instant::now() + Duration::from_secs(2), is_over)?;
    let fate = if is_cut { "is cut" } else { "stays" };
    Ok(Remark::missed_if(is_cut, format!("a reader of 200 kB/s {fate}")))
}

/// Lets everybody say `content` again who has said it.
fn say_all(stage: &mut Stage, talkers: &[usize], content: &str, said: &mut usize) {
    for talker in talkers {
        if stage.field.is_idle(*talker) {
            stage.field.say(*talker, &words::text(content, *said));
            *said += 1;
        }
    }
}

/// Most connections of one address never read, and the rest talk.
fn talk_past_the_deaf(stage: &mut Stage) -> Outcome<Remark> {
    let name = |number| format!("talker {number}");
    let talkers = join(&mut stage.field, NETWORK, 8, Protocol::V2, name)?;
    for number in talkers.len()..60 {
        let line = stage.field.open_mute(ATTACKER, 2 << 10)?;
        stage.field.say(line, &words::hello(&format!("mute {number}"), Protocol::V1));
    }
    let end = stage.attack(Duration::from_secs(6))?;
    let (content, mut said) = ("x".repeat(60_000), 0);
    while Instant::now() < end {
        say_all(stage, &talkers, &content, &mut said);
        stage.field.turn(Duration::from_millis(5))?;
    }
    Ok(Remark::default())
}

/// Visitors come and go, and two hundred are told of each.
fn come_and_go(stage: &mut Stage) -> Outcome<Remark> {
    let name = |number| format!("listener {number}");
    join(&mut stage.field, LISTENERS, 200, Protocol::V2, name)?;
    let end = stage.attack(Duration::from_secs(5))?;
    let mut visits = 0;
    while Instant::now() < end {
        let mut lines = Vec::new();
        for _ in 0..48 {
            let line = stage.field.open(ATTACKER)?;
            let name = format!("BUY http://evil.example {visits:06}");
            stage.field.say(line, &words::hello(&name, Protocol::V1));
            lines.push(line);
            visits += 1;
        }
        stage.field.turn(Duration::ZERO)?;
        for line in lines {
            stage.field.end(line, Ending::Close);
        }
        stage.field.turn(Duration::ZERO)?;
    }
    Ok(Remark::new(format!("{visits} visits")))
}
