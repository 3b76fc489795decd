//! The lines that a server writes to its standard error, one by one, while it runs.

use std::{
    io::{BufRead, BufReader, Read},
    sync::{Arc, Condvar, Mutex},
    thread::{self, JoinHandle},
    time::Instant,
};

use super::PATIENCE;

/// The lines so far, without their times: `INFO listening on 127.0.0.1:1234`.
#[derive(Debug)]
pub(crate) struct Log {
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    written: Mutex<Written>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Written {
    lines: Vec<String>,
    is_over: bool,
}

impl Log {
    /// Begins to read `stream`, in a thread of its own.
    pub(crate) fn of(stream: impl Read + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let reader = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.read(stream)
        });
        Self { shared, reader: Some(reader) }
    }

    /// Waits until `find` finds what it looks for in the lines so far.
    #[track_caller]
    pub(crate) fn wait_for<T>(&self, find: impl Fn(&[String]) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut written = self.shared.written.lock().unwrap();
        loop {
            if let Some(found) = find(&written.lines) {
                return found;
            }
            let patience = deadline.saturating_duration_since(Instant::now());
            assert!(!written.is_over && !patience.is_zero(), "not in the log: {written:#?}");
            written = self.shared.changed.wait_timeout(written, patience).unwrap().0;
        }
    }

    /// Waits for a line that is exactly `expected`.
    #[track_caller]
    pub(crate) fn wait_for_line(&self, expected: &str) {
        self.wait_for(|lines| lines.iter().any(|line| line == expected).then_some(()));
    }

    /// Returns the lines so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.shared.written.lock().unwrap().lines.clone()
    }

    /// Waits until nobody can write any more; returns all lines.
    pub(crate) fn finish(&mut self) -> Vec<String> {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.lines()
    }
}

impl Shared {
    fn read(&self, stream: impl Read) {
        for line in BufReader::new(stream).lines() {
            let line = without_time(&line.expect("the log is UTF-8")).to_owned();
            self.written.lock().unwrap().lines.push(line);
            self.changed.notify_all();
        }
        self.written.lock().unwrap().is_over = true;
        self.changed.notify_all();
    }
}

/// Cuts `2026-01-31T12:00:00.000000Z  ` off the front of a line, if it is there.
fn without_time(line: &str) -> &str {
    match line.split_once(' ') {
        Some((time, rest)) if time.starts_with("20") && time.ends_with('Z') => rest.trim_start(),
        _ => line,
    }
}
