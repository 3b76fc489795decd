//! Names that are taken, look alike, and cost much to compare.

use std::time::{Duration, Instant};

use super::{Case, address, join};
use crate::{
    Outcome,
    field::ATTACKER,
    figures::Remark,
    stage::Stage,
    words::{self, Protocol},
};

/// Letters that NFKC makes eighteen of each.
const LONG: &str = "\u{FDFA}";

/// The number of guests who ask for a taken name.
const GUESTS: usize = 4;

/// The amount that each of them asks at once, in bytes.
const BURST_BYTES: usize = 64 << 10;

/// From where people come who fill a room with look-alike names.
const NETWORK: [u8; 3] = [127, 0, 2];

pub(super) fn all() -> Vec<Case> {
    vec![
        Case::new("name_stall", |stage| ask(stage, Duration::from_secs(6))),
        Case::new("name_stall_once_59", |stage| ask_once(stage, 59)),
        Case::new("name_stall_once_250", |stage| ask_once(stage, 236)),
    ]
}

/// Returns a frame that asks for the name of so many people in another spelling.
fn question() -> Vec<u8> {
    words::hello(&format!("A{}", LONG.repeat(27)), Protocol::V2)
}

fn fill(stage: &mut Stage, people: usize) -> Outcome<()> {
    let name = |_| format!("a{}", LONG.repeat(27));
    join(&mut stage.field, NETWORK, people, Protocol::V1, name)?;
    Ok(())
}

/// Guests ask without a pause.
fn ask(stage: &mut Stage, time: Duration) -> Outcome<Remark> {
    fill(stage, 59)?;
    let end = stage.attack(time)?;
    let block = question().repeat(100);
    let mut guests = Vec::new();
    while Instant::now() < end {
        stage.field.end_over(&mut guests);
        while guests.len() < GUESTS {
            guests.push(stage.field.open(ATTACKER)?);
        }
        for guest in &guests {
            if stage.field.is_idle(*guest) {
                stage.field.say(*guest, &block);
            }
        }
        stage.field.turn(Duration::from_millis(5))?;
    }
    Ok(Remark::default())
}

/// Guests ask once, all that fits into 64 KiB, from as many addresses as the people need.
fn ask_once(stage: &mut Stage, people: usize) -> Outcome<Remark> {
    fill(stage, people)?;
    let guests =
        (0..GUESTS).map(|guest| stage.field.open(address(NETWORK, guest * people / GUESTS)));
    let guests = guests.collect::<Outcome<Vec<_>>>()?;
    let end = stage.attack(Duration::from_secs(2))?;
    let question = question();
    let burst = question.repeat(BURST_BYTES / question.len());
    for guest in guests {
        stage.field.say(guest, &burst);
    }
    stage.field.turn_until(end, |_| false)?;
    Ok(Remark::default())
}
