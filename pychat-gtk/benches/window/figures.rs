//! The figures that are measured, and the limits within which they should be.

use std::{env, error::Error, process::ExitCode, thread, time::Duration};

use crate::{
    Outcome,
    many_rooms::{self, N_MESSAGES, N_OPENED, N_ROOMS},
    part::{Part, word},
    process::Client,
    script::{self, Protocol, Talk},
};

/// The number of times that each of two starts is timed.
const START_PAIRS: usize = 15;

/// The number of times that a flood is timed.
const FLOODS: usize = 5;

/// The number of clients that go from room to room.
const ROOM_RUNS: usize = 3;

/// For how many pings a quiet room is watched, and how long after joining that begins: the cursor
/// blinks for ten seconds, and half a minute after the start some timer goes off once.
const QUIET_PINGS: u32 = 3;
const SETTLE_TIME: Duration = Duration::from_secs(35);

/// After how many returns the objects are counted first, and last.
const RETURNS: (usize, usize) = (100, 1_100);

/// A measurement: its name, and what does it.
type Measurement = (&'static str, fn() -> Outcome<Vec<Figure>>);

const MEASUREMENTS: [Measurement; 7] = [
    ("start", measure_start),
    ("flood", measure_floods),
    ("talk", measure_talk),
    ("session", measure_session),
    ("rooms", measure_rooms),
    ("returns", measure_returns),
    ("quiet", measure_quiet),
];

/// Something that was measured.
struct Figure {
    what: String,
    value: f64,
    unit: &'static str,
    /// The most that it should be, if anything is asked of it.
    most: Option<f64>,
}

impl Figure {
    fn new(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { what: what.into(), value, unit, most: None }
    }

    fn at_most(mut self, most: f64) -> Self {
        self.most = Some(most);
        self
    }
}

/// Measures what was asked for, and prints it beside what it should be.
#[expect(clippy::print_stdout, reason = "a benchmark reports")]
pub(crate) fn report() -> Outcome<ExitCode> {
    let wanted = env::var("FIGURES").ok();
    let is_wanted =
        |name: &str| wanted.as_ref().is_none_or(|it| it.split(',').any(|it| it == name));
    let setting = |name: &str| env::var(name).unwrap_or_else(|_| "default".into());
    println!(
        "display {}, renderer {}, GDK_DEBUG {}\n",
        setting("GDK_BACKEND"),
        setting("GSK_RENDERER"),
        setting("GDK_DEBUG"),
    );
    println!("{:58}  {:>10}  {:>8}", "", "measured", "at most");
    let mut is_good = true;
    for (_, measure) in MEASUREMENTS.iter().filter(|(name, _)| is_wanted(name)) {
        for Figure { what, value, unit, most } in measure()? {
            let most_text = most.map_or_else(String::new, |most| format!("{most:8}"));
            let is_over = most.is_some_and(|most| most < value);
            is_good &= !is_over;
            let mark = if is_over { "  over" } else { "" };
            println!("{what:58}  {value:10.1} {unit:3}{most_text}{mark}");
        }
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// In turns with the empty window, so that both meet the same machine.
fn measure_start() -> Outcome<Vec<Figure>> {
    compare_starts(&[("start to a window that can be written in", &Part::Start)], 1.5)
}

/// Compares the starts of `parts` with that of the empty window; the last should take at most `most`
/// times as long.
fn compare_starts(parts: &[(&str, &Part)], most: f64) -> Outcome<Vec<Figure>> {
    let mut empty = Vec::new();
    let mut compared: Vec<(Vec<f64>, Vec<f64>)> =
        parts.iter().map(|_| Default::default()).collect();
    for n in 0..=START_PAIRS {
        let empty_time = time_start(&Part::Empty)?;
        let times: Outcome<Vec<_>> = parts.iter().map(|(_, part)| time_start(part)).collect();
        if n == 0 {
            continue; // The first round reads everything from the disk.
        }
        empty.push(empty_time);
        for ((times, ratios), time) in compared.iter_mut().zip(times?) {
            times.push(time);
            ratios.push(time / empty_time);
        }
    }
    let mut figures = vec![Figure::new("start of an empty window", median(empty), "ms")];
    for ((what, _), (times, ratios)) in parts.iter().zip(compared) {
        figures.push(Figure::new(*what, median(times), "ms"));
        figures.push(Figure::new("    times that of an empty one", median(ratios), ""));
    }
    let last = figures.pop().map(|last| last.at_most(most));
    figures.extend(last);
    Ok(figures)
}

/// Returns how long it took, in milliseconds.
fn time_start(part: &Part) -> Outcome<f64> {
    let begin = gtk::glib::monotonic_time();
    let usable = Client::start(part)?.wait_for(word::USABLE)?;
    Ok(millis(usable - begin))
}

fn measure_floods() -> Outcome<Vec<Figure>> {
    let mut figures = measure_flood(Protocol::Two)?;
    figures.extend(measure_flood(Protocol::One)?);
    Ok(figures)
}

/// 20 000 messages as fast as they can be taken.
fn measure_flood(protocol: Protocol) -> Outcome<Vec<Figure>> {
    let n_messages = 20_000;
    let (mut times, mut gaps, mut stalls) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..FLOODS {
        let talk = Talk::start(protocol, n_messages, n_messages);
        let server = talk.server.address.to_string();
        let mut client = Client::start(&Part::Read { server, last: n_messages })?;
        client.wait_for(word::READY)?;
        let begin = talk.begin();
        times.push(millis(client.wait_for(word::SHOWN)? - begin));
        gaps.push(millis(client.wait_for(word::FRAME_GAP)?));
        stalls.push(millis(client.wait_for(word::STALL)?));
    }
    let what = |what| format!("{n_messages} messages in protocol {}: {what}", protocol as u8);
    Ok(vec![
        Figure::new(what("the last on show"), median(times), "ms").at_most(1_500.0),
        Figure::new(what("longest frame"), median(gaps), "ms").at_most(100.0),
        Figure::new(what("longest stall"), median(stalls), "ms").at_most(100.0),
    ])
}

/// The memory of an ordinary talk, beside that of the empty window.
fn measure_talk() -> Outcome<Vec<Figure>> {
    let n_messages = 1_000;
    let mut empty = Client::start(&Part::Empty)?;
    empty.wait_for(word::SETTLED)?;
    let talk = Talk::start(Protocol::Two, n_messages, 5);
    let server = talk.server.address.to_string();
    let mut client = Client::start(&Part::Read { server, last: n_messages })?;
    client.wait_for(word::READY)?;
    talk.begin();
    client.wait_for(word::SETTLED)?;
    let mut figures = memory("memory of an empty window", None, &empty)?;
    figures.extend(memory("memory of a talk of 1000 messages", Some(57.0), &client)?);
    Ok(figures)
}

/// The memory after as much as anybody hears in a day.
fn measure_session() -> Outcome<Vec<Figure>> {
    let n_messages = 100_000;
    let talk = Talk::start(Protocol::Two, n_messages, n_messages);
    let server = talk.server.address.to_string();
    let mut client = Client::start(&Part::Read { server, last: n_messages })?;
    client.wait_for(word::READY)?;
    talk.begin();
    client.wait_for(word::SETTLED)?;
    memory("memory after 100000 messages", Some(150.0), &client)
}

/// Measures a person in many rooms.
fn measure_rooms() -> Outcome<Vec<Figure>> {
    let server = many_rooms::serve(START_PAIRS + 1 + ROOM_RUNS);
    let address = server.address.to_string();
    let what = format!("start to a window with {N_ROOMS} rooms of {N_MESSAGES} messages");
    let nothing = many_rooms::serve_nothing(START_PAIRS + 1);
    let alone = Part::Alone { server: nothing.address.to_string() };
    let rooms = Part::Rooms { server: address.clone() };
    let parts = [("start to a window without rooms or messages", &alone), (&*what, &rooms)];
    let mut figures = compare_starts(&parts, 1.6)?;
    let (mut other, mut seen, mut in_memory) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROOM_RUNS {
        let mut client = Client::start(&Part::Change { server: address.clone() })?;
        for _ in 0..N_OPENED {
            other.push(millis(client.wait_for(word::OTHER_ROOM)?));
        }
        client.wait_for(word::SETTLED)?;
        let what = format!("memory with {N_ROOMS} rooms of which {N_OPENED} were opened");
        in_memory = memory(&what, Some(80.0), &client)?;
        for _ in 0..N_OPENED {
            seen.push(millis(client.wait_for(word::SEEN_ROOM)?));
        }
    }
    for (what, times, most) in [("seen already", seen, 50.0), ("never seen", other, 150.0)] {
        let longest = times.iter().copied().fold(0.0, f64::max);
        let what = format!("to a room {what}");
        figures.push(Figure::new(&what, median(times), "ms").at_most(most));
        figures.push(Figure::new("    the longest", longest, "ms"));
    }
    figures.extend(in_memory);
    Ok(figures)
}

fn memory(what: &str, most: Option<f64>, client: &Client) -> Outcome<Vec<Figure>> {
    let memory = client.memory()?;
    let mib = |kib: u64| u32::try_from(kib).map(|kib| f64::from(kib) / 1_024.0);
    let resident = Figure::new(format!("{what}, resident"), mib(memory.total_kib)?, "MiB");
    let own = Figure::new("    of which no file", mib(memory.own_kib)?, "MiB");
    Ok(vec![Figure { most, ..resident }, own])
}

/// Measures the objects and the memory that a thousand lost lines leave behind.
fn measure_returns() -> Outcome<Vec<Figure>> {
    let (first, last) = RETURNS;
    let server = script::fickle(last);
    let part = Part::Return { server: server.address.to_string(), first, last };
    let mut client = Client::start(&part)?;
    let mut counts = Vec::new();
    for _ in [first, last] {
        let mut count = Vec::new();
        for word in [word::BLOCKS, word::DESCRIPTORS, word::WIDGETS] {
            count.push(client.wait_for(word)?);
        }
        counts.push((count, client.memory()?));
    }
    let [(before, memory_before), (after, memory_after)] = &counts[..] else { unreachable!() };
    let more = |n: usize| Ok::<_, Box<dyn Error>>(f64::from(i32::try_from(after[n] - before[n])?));
    let kib = |kib: u64| u32::try_from(kib).map(f64::from);
    let what = |what| format!("{what} after {} returns", last - first);
    Ok(vec![
        Figure::new(what("more blocks on the heap"), more(0)?, "").at_most(0.0),
        Figure::new(what("more open descriptors"), more(1)?, "").at_most(0.0),
        Figure::new(what("more widgets"), more(2)?, "").at_most(0.0),
        Figure::new(
            what("more memory of no file"),
            kib(memory_after.own_kib)? - kib(memory_before.own_kib)?,
            "KiB",
        ),
    ])
}

/// Counts the times that a client wakes up when nobody says anything.
fn measure_quiet() -> Outcome<Vec<Figure>> {
    let server = script::quiet(QUIET_PINGS + 3);
    let mut client = Client::start(&Part::Rest { server: server.address.to_string() })?;
    client.wait_for(word::READY)?;
    thread::sleep(SETTLE_TIME);
    let before = client.sleeps()?;
    thread::sleep(script::PING_INTERVAL * QUIET_PINGS);
    let after = client.sleeps()?;
    let more = |name: &str| after[name] - before.get(name).copied().unwrap_or_default();
    let total: u64 = after.keys().map(|name| more(name)).sum();
    let beyond = u32::try_from(total)? - QUIET_PINGS;
    Ok(vec![
        Figure::new(
            format!("wake-ups in a minute of quiet, beyond {QUIET_PINGS} pings"),
            beyond.into(),
            "",
        )
        .at_most(0.0),
    ])
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Returns microseconds in milliseconds.
fn millis(micros: i64) -> f64 {
    i32::try_from(micros).map_or(f64::INFINITY, |micros| f64::from(micros) / 1_000.0)
}
