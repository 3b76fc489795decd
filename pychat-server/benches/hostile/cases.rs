//! Known ways of harming a server or the people in it, each from one address unless it says so.

mod crowds;
mod door;
mod history;
mod names;
mod readers;
mod rooms;
mod streams;
mod visits;

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use super::{
    Outcome,
    field::{Ending, Field, OTHER},
    figures::Remark,
    stage::Stage,
    words::{self, Protocol},
};

/// The most connections that one address may have.
pub(crate) const CONNECTIONS: usize = 64;

/// The longest that anything may take that is no attack yet.
const PATIENCE: Duration = Duration::from_secs(20);

type Play = Box<dyn FnOnce(&mut Stage) -> Outcome<Remark>>;

/// One way, and a server to try it on.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) flags: &'static [&'static str],
    pub(crate) play: Play,
}

impl Case {
    fn new(name: &'static str, play: impl FnOnce(&mut Stage) -> Outcome<Remark> + 'static) -> Self {
        Self { name, flags: &[], play: Box::new(play) }
    }

    fn with_flags(self, flags: &'static [&'static str]) -> Self {
        Self { flags, ..self }
    }
}

/// Returns all of them.
pub(crate) fn all() -> Vec<Case> {
    let parts = [
        names::all,
        crowds::all,
        readers::all,
        history::all,
        visits::all,
        streams::all,
        door::all,
        rooms::all,
    ];
    parts.into_iter().flat_map(|part| part()).collect()
}

/// Lets `count` people join whose names begin with `name`, from addresses that begin with `network`,
/// sixty each; waits until all were answered. Returns their lines.
fn join(
    field: &mut Field,
    network: [u8; 3],
    count: usize,
    protocol: Protocol,
    name: impl Fn(usize) -> String,
) -> Outcome<Vec<usize>> {
    let mut lines = Vec::new();
    for number in 0..count {
        let line = field.open(address(network, number))?;
        field.say(line, &words::hello(&name(number), protocol));
        lines.push(line);
        if number % 16 == 15 {
            wait_for_answers(field, &lines)?;
        }
    }
    wait_for_answers(field, &lines)?;
    Ok(lines)
}

/// Returns where the `number`th of many calls from, sixty of them from one address.
fn address([first, second, third]: [u8; 3], number: usize) -> Ipv4Addr {
    // Fewer than 256 times 15 000 are ever asked for.
    let host = u8::try_from(1 + number / 60 % 250).unwrap_or(1);
    let network = third.saturating_add(u8::try_from(number / 15_000).unwrap_or(0));
    Ipv4Addr::new(first, second, network, host)
}

/// Waits until every line has been greeted and answered, or hung up on.
fn wait_for_answers(field: &mut Field, lines: &[usize]) -> Outcome<()> {
    let is_answered = |field: &Field, line: usize| {
        field.line(line).is_none_or(|line| line.is_over() || 2 <= line.heard().payloads)
    };
    let all = |field: &Field| lines.iter().all(|line| is_answered(field, *line));
    if field.turn_until(Instant::now() + PATIENCE, all)? {
        Ok(())
    } else {
        Err("somebody was not answered before the attack".into())
    }
}

/// Lets an honest stranger of this name come, ask for all that was said before `before`, and go;
/// returns how many messages came, `None` if there was no answer.
fn count_messages(field: &mut Field, name: &str, before: u64) -> Outcome<Option<usize>> {
    let line = field.open(OTHER)?;
    field.say(line, &words::hello(name, Protocol::V2));
    wait_for_answers(field, &[line])?;
    let greeting = field.line(line).map_or(0, |line| line.heard().messages);
    field.say(line, &words::history(before, 500));
    let count = |field: &Field| {
        let heard = field.line(line)?.heard();
        (0 < heard.pages).then(|| heard.messages - greeting)
    };
    let is_done = |field: &Field| count(field).is_some() || field.is_over(line);
    field.turn_until(Instant::now() + PATIENCE, is_done)?;
    let count = count(field);
    field.end(line, Ending::Close);
    Ok(count)
}
