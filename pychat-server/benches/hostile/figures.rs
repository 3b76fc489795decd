//! The cost of an attack, and the most that it should have cost.

use std::{fmt, time::Duration};

/// An attack of fewer bytes than this counts as one of so many: a few say next to nothing.
const RECEIVED_FLOOR: u64 = 20_000;

/// The most that the server may take of a processor for each million bytes received, and what it may
/// take in any case: 1 % of a minute, for the shares of an address that are meant for a minute.
const CPU_PER_MEGABYTE: Duration = Duration::from_millis(100);
const CPU_AT_ONCE: Duration = Duration::from_millis(600);

/// The longest that somebody else may wait.
const WAIT: Duration = Duration::from_millis(250);

/// The most bytes that the server may send to others for each byte received; what an attacker is
/// sent, it has asked for and pays for by reading.
const BYTES_OUT_PER_BYTE: f64 = 20.0;

/// Returns what a table of figures begins with.
pub(crate) fn headings() -> String {
    format!(
        "{:36} {:>6} {:>7} {:>20} {:>25} {:>20}\n{:30} {:>5} {:>6} {:>7} {:>10} {:>9} {:>8} {:>7} {:>7} \
        {:>10} {:>7}",
        "",
        "in",
        "CPU",
        "bytes out a byte",
        "memory, MiB",
        "wait, ms",
        "case",
        "s",
        "MB",
        "ms/MB",
        "attackers",
        "others",
        "own",
        "kernel",
        "allowed",
        "longest",
        "calm",
    )
}

/// The cost of an attack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) time: Duration,
    /// The bytes that the server received of the attackers, headers of calls and writes included.
    pub(crate) received: u64,
    pub(crate) cpu: Duration,
    pub(crate) told_attackers: u64,
    pub(crate) told_others: u64,
    /// The most memory that the process had, and the kernel for all of TCP, in bytes.
    pub(crate) memory: u64,
    pub(crate) kernel_memory: u64,
    pub(crate) allowed_memory: u64,
    /// The longest time that the innocent waited, and half of its waits before the attack.
    pub(crate) wait: Duration,
    pub(crate) calm_wait: Duration,
    /// The server hung up on the innocent, or ended.
    pub(crate) is_cut: bool,
    pub(crate) has_died: bool,
    pub(crate) remark: Remark,
}

/// A further remark on an attack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remark {
    pub(crate) text: String,
    /// It is not as it should be.
    pub(crate) is_missed: bool,
}

impl Remark {
    pub(crate) fn new(text: String) -> Self {
        Self { text, is_missed: false }
    }

    pub(crate) fn missed_if(is_missed: bool, text: String) -> Self {
        Self { text, is_missed }
    }
}

impl Figures {
    /// Returns the time on a processor for each million bytes received.
    pub(crate) fn cpu_per_megabyte(&self) -> Duration {
        self.cpu.mul_f64(1e6 / as_float(self.received.max(RECEIVED_FLOOR)))
    }

    /// Returns how many bytes were sent to attackers, and to others, for each byte received.
    pub(crate) fn out_per_byte(&self) -> [f64; 2] {
        let received = as_float(self.received.max(RECEIVED_FLOOR));
        [as_float(self.told_attackers) / received, as_float(self.told_others) / received]
    }

    /// Returns which aims are missed.
    fn missed(&self) -> Missed {
        Missed {
            cpu: CPU_AT_ONCE < self.cpu && CPU_PER_MEGABYTE < self.cpu_per_megabyte(),
            out: BYTES_OUT_PER_BYTE < self.out_per_byte()[1],
            memory: self.allowed_memory < self.memory + self.kernel_memory,
            wait: WAIT < self.wait,
            other: self.is_cut || self.has_died || self.remark.is_missed,
        }
    }

    /// Returns how many aims are missed.
    pub(crate) fn n_missed(&self) -> usize {
        let Missed { cpu, out, memory, wait, other } = self.missed();
        [cpu, out, memory, wait, other].into_iter().map(usize::from).sum()
    }
}

#[expect(clippy::struct_excessive_bools, reason = "each aim is missed or not, whatever the others")]
struct Missed {
    cpu: bool,
    out: bool,
    memory: bool,
    wait: bool,
    other: bool,
}

impl fmt::Display for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missed = self.missed();
        let mark = |is_missed| if is_missed { '!' } else { ' ' };
        let mebibytes = |bytes: u64| bytes >> 20;
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        let [attackers, others] = self.out_per_byte();
        write!(
            formatter,
            "{:5.1} {:6.2} {:7.0}{} {attackers:9.1} {others:9.1}{} {:7} {:7} {:7}{} {:9.0}{} {:6.1}",
            self.time.as_secs_f64(),
            as_float(self.received) / 1e6,
            milliseconds(self.cpu_per_megabyte()),
            mark(missed.cpu),
            mark(missed.out),
            mebibytes(self.memory),
            mebibytes(self.kernel_memory),
            mebibytes(self.allowed_memory),
            mark(missed.memory),
            milliseconds(self.wait),
            mark(missed.wait),
            milliseconds(self.calm_wait),
        )?;
        if self.has_died {
            formatter.write_str("  the server ended!")?;
        } else if self.is_cut {
            formatter.write_str("  the innocent was cut!")?;
        }
        if !self.remark.text.is_empty() {
            let mark = if self.remark.is_missed { "!" } else { "" };
            write!(formatter, "  {}{mark}", self.remark.text)?;
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2⁵²")]
fn as_float(count: u64) -> f64 {
    count as f64
}
