//! Strangers before a door that is shut.

use std::time::{Duration, Instant};

use pychat_wire::key::InviteCode;
use serde_json::json;

use super::{Case, PATIENCE, wait_for_answers};
use crate::{
    Outcome,
    field::{ATTACKER, Ending, OTHER},
    figures::Remark,
    stage::Stage,
    words,
};

/// The time for which strangers guess.
const TIME: Duration = Duration::from_secs(3);

/// The number of strangers that are there at once.
const GUESSERS: usize = 48;

pub(super) fn all() -> Vec<Case> {
    vec![Case::new("invite_guess", guess)]
}

/// Returns the frame of a hello with the `number`th code that is tried.
fn question(number: u128) -> Vec<u8> {
    let code = InviteCode(number.to_be_bytes()).to_string();
    words::hello_with("guesser", &json!({ "invite": code }))
}

/// The operator lets in only who is invited; those who are here stay.
fn shut(stage: &mut Stage) -> Outcome<()> {
    stage.server.configure("admission = \"invite\"\n")?;
    let deadline = Instant::now() + PATIENCE;
    let invite = br#""admission":"invite""#;
    while Instant::now() < deadline {
        let line = stage.field.open(OTHER)?;
        stage.field.turn_until(deadline, |field| {
            field.line(line).is_none_or(|line| 0 < line.heard().payloads)
        })?;
        let is_shut = stage.field.line(line).is_some_and(|line| {
            line.heard().greeting.windows(invite.len()).any(|window| window == invite)
        });
        stage.field.end(line, Ending::Close);
        if is_shut {
            return Ok(());
        }
    }
    Err("the door stays open".into())
}

/// Guests try one code after another, each under a signature that is good.
fn guess(stage: &mut Stage) -> Outcome<Remark> {
    shut(stage)?;
    let end = stage.attack(TIME)?;
    let (mut guessers, mut number) = (Vec::new(), 0);
    while Instant::now() < end {
        stage.field.end_over(&mut guessers);
        while guessers.len() < GUESSERS {
            let line = stage.field.open(ATTACKER)?;
            // 16 that are wrong end a connection.
            for _ in 0..16 {
                number += 1;
                stage.field.say(line, &question(number));
            }
            guessers.push(line);
        }
        stage.field.turn(Duration::from_millis(1))?;
    }
    for line in &guessers {
        stage.field.end(*line, Ending::Close);
    }
    let line = stage.field.open(OTHER)?;
    stage.field.say(line, &words::hello_with("stranger", &json!({})));
    wait_for_answers(&mut stage.field, &[line])?;
    let refused = br#""code":"not_admitted""#;
    let heard = stage.field.line(line).map(|line| line.heard().last.clone()).unwrap_or_default();
    if !heard.windows(refused.len()).any(|window| window == refused) {
        return Err("a stranger is let in".into());
    }
    Ok(Remark::new(format!("{number} codes")))
}
