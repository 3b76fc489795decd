//! The progress of work, on a terminal, and its end.

use std::io::{self, IsTerminal, Write};

use rustix::termios::tcgetwinsize;

/// The least and the most columns of a bar, its frame not among them.
const BAR_COLUMNS_MIN: usize = 10;
const BAR_COLUMNS_MAX: usize = 40;

/// The number of steps that are drawn.
const STEPS: u64 = 100;

/// A bar on standard error, if that is a terminal and the operator wants to be told.
#[derive(Debug)]
pub(super) struct Progress {
    is_quiet: bool,
    is_terminal: bool,
    /// The step that is on show.
    shown: Option<u64>,
}

impl Progress {
    pub(super) fn new(is_quiet: bool) -> Self {
        let is_terminal = io::stderr().is_terminal();
        Self { is_quiet, is_terminal, shown: None }
    }

    /// Returns one of the same kind for a part of the work.
    pub(super) fn part(&self) -> Self {
        Self { shown: None, ..*self }
    }

    /// Shows that so much is done of all.
    pub(super) fn show(&mut self, words: &str, done: u64, all: u64) {
        if self.is_quiet || !self.is_terminal {
            return;
        }
        let step = u128::from(done) * u128::from(STEPS) / u128::from(all.max(1));
        let step = u64::try_from(step).unwrap_or(STEPS).min(STEPS);
        if self.shown != Some(step) {
            self.shown = Some(step);
            // A terminal that is gone stops nothing.
            let _ = write!(io::stderr(), "\r{}\x1b[K", bar(words, step, columns()));
        }
    }

    /// Takes the bar away.
    pub(super) fn clear(&mut self) {
        if self.shown.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    /// Tells something on the way.
    pub(super) fn say(&mut self, words: &str) {
        self.clear();
        if !self.is_quiet {
            let _ = writeln!(io::stderr(), "{words}");
        }
    }

    /// Warns of something, whether anybody wants to be told or not.
    pub(super) fn warn(words: &str) {
        let _ = writeln!(io::stderr(), "{words}");
    }

    /// Tells that the work is done, in place of the bar.
    pub(super) fn end(mut self, words: &str) {
        self.clear();
        if !self.is_quiet {
            let _ = writeln!(io::stderr(), "{words}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Returns a bar for a terminal of so many columns, as long as there is room for one.
fn bar(words: &str, step: u64, columns: usize) -> String {
    let percent = format!("{:>3}%", step * 100 / STEPS);
    // The last column stays free: some terminals begin a new line there.
    let room = columns.saturating_sub(words.chars().count() + percent.len() + 5);
    if room < BAR_COLUMNS_MIN {
        return format!("{words} {percent}").chars().take(columns.saturating_sub(1)).collect();
    }
    let width = room.min(BAR_COLUMNS_MAX);
    let full =
        width * usize::try_from(step).unwrap_or_default() / usize::try_from(STEPS).unwrap_or(1);
    format!("{words} [{}{}] {percent}", "#".repeat(full), "-".repeat(width - full))
}

fn columns() -> usize {
    let size = tcgetwinsize(io::stderr()).map_or(0, |size| usize::from(size.ws_col));
    if size == 0 { 80 } else { size }
}

/// Returns a number of bytes in words.
pub(super) fn bytes_words(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1_024 {
        return format!("{bytes} bytes");
    }
    let (mut tenths, mut unit) = (bytes * 10 / 1_024, 0);
    while 10_240 <= tenths && unit + 1 < UNITS.len() {
        (tenths, unit) = (tenths / 1_024, unit + 1);
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fits_its_terminal() {
        for (columns, expected) in [
            (80, "Copying [####################--------------------]  50%"),
            (30, "Copying [#######-------]  50%"),
            (20, "Copying  50%"),
            (5, "Copy"),
            (0, ""),
        ] {
            assert_eq!(bar("Copying", 50, columns), expected);
        }
        assert!(bar("Copying", STEPS, 80).ends_with("#] 100%"));
        for (bytes, words) in
            [(0, "0 bytes"), (1_023, "1023 bytes"), (1_536, "1.5 KiB"), (5 << 30, "5.0 GiB")]
        {
            assert_eq!(bytes_words(bytes), words);
        }
    }
}
