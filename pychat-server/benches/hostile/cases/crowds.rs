//! Many who join: what they cost together, and whom they keep out.

use std::{
    collections::VecDeque,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use super::{CONNECTIONS, Case, address, join};
use crate::{
    Outcome,
    field::{ATTACKER, Ending, Field, OTHER},
    figures::Remark,
    stage::Stage,
    words::{self, Protocol, long_name},
};

/// The number of people who join at once, from as many addresses as that needs.
const CROWD: usize = 4_000;

/// The number of people in a room whose listing is larger than the backlog of one of them.
const BIG_ROOM: usize = 1_500;

/// Where they call from.
const NETWORK: [u8; 3] = [127, 0, 3];

pub(super) fn all() -> Vec<Case> {
    vec![
        Case::new("crowd_memory_1", |stage| crowd(stage, Protocol::V1)),
        Case::new("crowd_memory_2", |stage| crowd(stage, Protocol::V2)),
        Case::new("big_room_lockout", lock_out).with_flags(&["--backlog-max=64KiB"]),
        Case::new("turnaway_fill", fill_with_turned_away).with_flags(&["--connections=300"]),
        Case::new("partial_memory", leave_payloads_unfinished),
    ]
}

/// A crowd that is connected says hello at once under the longest names, and reads nothing.
fn crowd(stage: &mut Stage, protocol: Protocol) -> Outcome<Remark> {
    let mut lines = Vec::new();
    for number in 0..CROWD {
        lines.push(stage.field.open_mute(address(NETWORK, number), 4 << 10)?);
        if number % 100 == 99 {
            stage.field.turn(Duration::from_millis(5))?;
        }
    }
    let end = stage.attack(Duration::from_secs(6))?;
    for (number, line) in lines.iter().enumerate() {
        stage.field.say(*line, &words::hello(&long_name(number), protocol));
    }
    stage.field.turn_until(end, |_| false)?;
    Ok(Remark::default())
}

fn count(field: &Field, lines: &[usize], is_it: impl Fn(&Field, usize) -> bool) -> usize {
    lines.iter().filter(|line| is_it(field, **line)).count()
}

/// Newcomers to a big room are told of everybody, and read as fast as over the Internet.
fn lock_out(stage: &mut Stage) -> Outcome<Remark> {
    stage.attack(Duration::ZERO)?;
    let mut lines = Vec::new();
    for number in 0..BIG_ROOM {
        let line = stage.field.open(address(NETWORK, number))?;
        stage.field.say(line, &words::hello(&long_name(number), Protocol::V1));
        lines.push(line);
        if number % 10 == 9 {
            stage.field.turn_until(Instant::now() + Duration::from_millis(20), |_| false)?;
        }
    }
    stage.rest()?;
    let mut victims = Vec::new();
    for (name, protocol) in [("victim 1", Protocol::V1), ("victim 2", Protocol::V2)] {
        let victim = stage.field.open_mute(OTHER, 8 << 10)?;
        stage.field.say(victim, &words::hello(name, protocol));
        victims.push(victim);
    }
    let end = Instant::now() + Duration::from_secs(2);
    while Instant::now() < end {
        for victim in &victims {
            stage.field.sip(*victim, 16 << 10);
        }
        stage.field.turn_until(Instant::now() + Duration::from_millis(5), |_| false)?;
    }
    let is_over = |field: &Field, line| field.is_over(line);
    let cut = count(&stage.field, &victims, is_over);
    let stayed = lines.len() - count(&stage.field, &lines, is_over);
    Ok(Remark::missed_if(
        0 < cut,
        format!("{cut} of 2 newcomers locked out, {stayed} of {BIG_ROOM} in the room"),
    ))
}

/// One address calls without end and is turned away; somebody at another address wants to come in.
fn fill_with_turned_away(stage: &mut Stage) -> Outcome<Remark> {
    let end = stage.attack(Duration::from_secs(5))?;
    let (mut callers, mut others, mut calls) = (VecDeque::new(), Vec::new(), 0);
    let mut next_other = Instant::now() + Duration::from_secs(1);
    while Instant::now() < end {
        for _ in 0..16 {
            callers.push_back(stage.field.open(ATTACKER)?);
            calls += 1;
        }
        let is_old = |field: &Field, line: usize| {
            field.line(line).is_none_or(|line| Duration::from_secs(2) < line.age())
        };
        while let Some(line) = callers.front().copied().filter(|line| is_old(&stage.field, *line)) {
            stage.field.end(line, Ending::Reset);
            callers.pop_front();
        }
        if next_other < Instant::now() {
            let host = u8::try_from(others.len() / 2 + 1)?;
            let other = stage.field.open(Ipv4Addr::new(127, 0, 10, host))?;
            stage.field.say(other, &words::hello(&format!("other {host}"), Protocol::V1));
            others.push(other);
            next_other += Duration::from_millis(100);
        }
        stage.field.turn(Duration::ZERO)?;
    }
    stage.field.turn_until(Instant::now() + Duration::from_secs(2), |_| false)?;
    let is_refused = |field: &Field, line| {
        field.line(line).is_none_or(|line| line.is_over() || line.heard().payloads < 2)
    };
    let refused = count(&stage.field, &others, is_refused);
    Ok(Remark::missed_if(
        0 < refused,
        format!("{refused} of {} others refused, {calls} calls", others.len()),
    ))
}

/// Many people say what they may, then one text by which they are held, then half a payload.
fn leave_payloads_unfinished(stage: &mut Stage) -> Outcome<Remark> {
    let people = 10 * CONNECTIONS;
    let name = |number| format!("p{number}");
    let lines = join(&mut stage.field, NETWORK, people, Protocol::V1, name)?;
    let end = stage.attack(Duration::from_secs(3))?;
    let mut bytes = words::text("", 0).repeat(11);
    bytes.extend(b"65536:");
    bytes.resize(bytes.len() + 65_535, b'x');
    for line in lines {
        stage.field.say(line, &bytes);
    }
    stage.field.turn_until(end, |_| false)?;
    Ok(Remark::default())
}
