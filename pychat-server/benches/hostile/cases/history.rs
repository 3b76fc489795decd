//! History: asked for again and again, wiped, and disks filled with it.

use std::time::{Duration, Instant};

use super::{CONNECTIONS, Case, PATIENCE, count_messages, join};
use crate::{
    Outcome,
    field::{ATTACKER, Ending, Field, OTHER},
    figures::Remark,
    stage::Stage,
    words::{self, Protocol},
};

/// A number beyond the end of every log.
const END: u64 = 1 << 50;

/// The number of texts that an innocent has said and that should not be forgotten.
const KEPT: usize = 10;

/// The number of questions that each connection has open.
const OPEN_QUESTIONS: usize = 4;

/// The number of connections that search.
const SEARCHERS: usize = CONNECTIONS - 4;

const ATTACKERS: [u8; 3] = [127, 0, 2];
const WRITERS: [u8; 3] = [127, 0, 12];

pub(super) fn all() -> Vec<Case> {
    vec![
        asking("history_flood_small", "x".repeat(10), words::history(END, 500), 32),
        asking("history_flood_large", "x".repeat(30_000), words::history(END, 500), 32),
        asking("search_flood_found", "these words".to_owned(), words::search("wor"), SEARCHERS),
        asking("search_flood_words", different(2_000), words::search("w9 w99 \"w8 w9"), SEARCHERS),
        asking("search_flood_none", "these words".to_owned(), words::search("no"), SEARCHERS),
        Case::new("history_wipe", |stage| wipe(stage, 1, Duration::from_secs(36))),
        Case::new("history_fill", |stage| wipe(stage, 60_000, Duration::from_secs(6))),
        Case::new("resume_repeated", resume),
    ]
}

/// Returns the case of so many people who ask one question about this again and again.
fn asking(name: &'static str, content: String, question: Vec<u8>, askers: usize) -> Case {
    Case::new(name, move |stage| ask(stage, &content, &question, askers))
}

/// Returns so many different words.
fn different(count: usize) -> String {
    let words: Vec<_> = (0..count).map(|number| format!("w{number}")).collect();
    words.join(" ")
}

/// Lets sixty people from as many addresses say this ten times each, as they may at once.
fn fill(stage: &mut Stage, content: &str) -> Outcome<()> {
    let mut lines = Vec::new();
    for number in 0..60_u8 {
        let [first, second, third] = WRITERS;
        let line = stage.field.open([first, second, third, number + 1].into())?;
        stage.field.say(line, &words::hello(&format!("writer {number}"), Protocol::V2));
        for text in 0..10 {
            stage.field.say(line, &words::text(content, text));
        }
        lines.push(line);
    }
    stage.field.turn_until(Instant::now() + PATIENCE, |field| {
        lines.iter().all(|line| field.is_over(*line) || field.is_idle(*line))
    })?;
    stage.rest()?;
    for line in lines {
        stage.field.end(line, Ending::Close);
    }
    Ok(())
}

/// Has many say this, then some ask one question again and again, each time as soon as it was answered.
fn ask(stage: &mut Stage, content: &str, question: &[u8], askers: usize) -> Outcome<Remark> {
    fill(stage, content)?;
    let name = |number| format!("asker {number}");
    let lines = join(&mut stage.field, ATTACKERS, askers, Protocol::V2, name)?;
    let end = stage.attack(Duration::from_secs(4))?;
    let mut asked = vec![0; lines.len()];
    while Instant::now() < end {
        for (line, asked) in lines.iter().zip(&mut asked) {
            let pages = stage.field.line(*line).map_or(0, |line| line.heard().pages);
            while *asked < pages + OPEN_QUESTIONS {
                stage.field.say(*line, question);
                *asked += 1;
            }
        }
        stage.field.turn(Duration::from_millis(5))?;
    }
    let pages = lines.iter().filter_map(|line| stage.field.line(*line));
    let pages = pages.map(|line| line.heard().pages).sum::<usize>();
    Ok(Remark::new(format!("{pages} pages")))
}

/// All connections of one address speak as much as they may; what an innocent said should stay.
fn wipe(stage: &mut Stage, size: usize, time: Duration) -> Outcome<Remark> {
    let victim = stage.field.open(OTHER)?;
    stage.field.say(victim, &words::hello("victim", Protocol::V2));
    for number in 0..KEPT {
        stage.field.say(victim, &words::text("what must not be forgotten", number));
    }
    stage.rest()?;
    let kept = count_messages(&mut stage.field, "before", KEPT as u64 + 1)?
        .ok_or("history is not told")?;
    let name = |number| format!("wiper {number}");
    let lines = join(&mut stage.field, ATTACKERS, CONNECTIONS - 4, Protocol::V2, name)?;
    let end = stage.attack(time)?;
    let (content, mut said) = ("x".repeat(size), 0);
    while Instant::now() < end {
        for line in &lines {
            if stage.field.is_idle(*line) {
                stage.field.say(*line, &words::text(&content, said));
                said += 1;
            }
        }
        stage.field.turn(Duration::from_millis(20))?;
    }
    stage.rest()?;
    let left = count_messages(&mut stage.field, "after", KEPT as u64 + 1)?;
    let megabytes = stage.server.disk()? / 1_000_000;
    let fate = left.map_or("no answer about old messages".to_owned(), |left| {
        format!("{left} of {kept} old messages left")
    });
    let is_missed = left.is_none_or(|left| left < kept);
    Ok(Remark::missed_if(is_missed, format!("{fate}, {megabytes} MB on disk")))
}

/// Comes back again and again, as somebody who has missed everything.
fn resume(stage: &mut Stage) -> Outcome<Remark> {
    fill(stage, &"x".repeat(1_000))?;
    let line = stage.field.open(ATTACKER)?;
    let is_greeted = |field: &Field| field.line(line).is_some_and(|line| 0 < line.heard().payloads);
    stage.field.turn_until(Instant::now() + PATIENCE, is_greeted)?;
    let greeting = stage.field.line(line).map(|line| line.heard().greeting.clone());
    let greeting: serde_json::Value = serde_json::from_slice(&greeting.unwrap_or_default())?;
    let resume = serde_json::json!({ "resume": { "epoch": greeting["epoch"], "after": 0 } });
    let end = stage.attack(Duration::from_secs(3))?;
    let (mut lines, mut visits) = (Vec::new(), 0);
    while Instant::now() < end {
        while lines.len() < 16 {
            let line = stage.field.open(ATTACKER)?;
            stage.field.say(line, &words::hello_with(&format!("back {visits}"), &resume));
            lines.push(line);
            visits += 1;
        }
        stage.field.turn(Duration::from_millis(5))?;
        lines.retain(|line| {
            let is_done = stage.field.line(*line).is_none_or(|line| {
                let is_served = 500 < line.heard().messages;
                line.is_over() || is_served || Duration::from_secs(1) < line.age()
            });
            if is_done {
                stage.field.end(*line, Ending::Close);
            }
            !is_done
        });
    }
    Ok(Remark::new(format!("{visits} visits")))
}
