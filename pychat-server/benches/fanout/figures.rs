//! The figures of one talk.

use std::{
    fmt, slice,
    time::{Duration, Instant},
};

use super::{
    Outcome,
    load::{Load, Pace},
    server::Server,
};

/// The headings of [`Figures`].
pub(crate) const HEADINGS: &str = "deliveries/s  server µs/delivery  p50 µs  p99 µs  p99.9 µs";

/// The costs of the deliveries of one talk, and the times that they took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) per_second: f64,
    /// The server's time on a processor for each delivery, in microseconds.
    pub(crate) cpu_us: f64,
    /// The times that half of the deliveries did not exceed, 99 %, 99.9 %.
    took: [Duration; 3],
    /// The times of half and of 99 % of those to people at another server, if there are several.
    pub(crate) elsewhere: Option<[Duration; 2]>,
}

impl Figures {
    /// Lets people talk who have joined, and measures that.
    pub(crate) fn of(
        server: &Server,
        load: &mut Load,
        pace: Pace,
        messages: usize,
    ) -> Outcome<Self> {
        Self::of_all(slice::from_ref(server), load, pace, messages)
    }

    /// The same at several servers of one chat.
    pub(crate) fn of_all(
        servers: &[Server],
        load: &mut Load,
        pace: Pace,
        messages: usize,
    ) -> Outcome<Self> {
        let cpu = || servers.iter().map(Server::cpu).sum::<Outcome<Duration>>();
        let (before, begin) = (cpu()?, Instant::now());
        load.talk(pace, messages)?;
        let (time, cpu) = (begin.elapsed(), cpu()?.saturating_sub(before));
        let [latencies, elsewhere] = load.take_latencies();
        Ok(Self {
            per_second: latencies.len() / time.as_secs_f64(),
            cpu_us: cpu.as_secs_f64() * 1e6 / latencies.len(),
            took: [0.5, 0.99, 0.999].map(|part| latencies.at(part)),
            elsewhere: (1 < servers.len()).then(|| [0.5, 0.99].map(|part| elsewhere.at(part))),
        })
    }

    /// Returns those with the median of the costs.
    pub(crate) fn median(mut all: Vec<Self>) -> Option<Self> {
        all.sort_by(|a, b| a.cpu_us.total_cmp(&b.cpu_us));
        all.get(all.len() / 2).copied()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [half, most, all] = self.took.map(|took| took.as_micros());
        let Self { per_second, cpu_us, .. } = self;
        write!(formatter, "{per_second:12.0}  {cpu_us:18.3}  {half:6}  {most:6}  {all:8}")
    }
}
