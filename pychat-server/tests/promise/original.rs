//! Somebody of protocol 1: hears what is said while they are there, and never says anything again.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use mio::event::Event as Edge;
use pychat_wire::{
    ClientMessage, Decoder, ServerMessage,
    name::{SERVER, YOU},
    notice::Notice,
};

use super::{
    line::{Became, Heard, Line},
    proxy::Caller,
    surroundings::Surroundings,
};
use crate::kit::Oracle;

/// The most that is read at once, in bytes.
const READ_BYTES: usize = 16 << 10;

/// The time that somebody without a line waits before they call again.
const RETRY: Duration = Duration::from_millis(15);

/// The time until somebody gives up a line that says nothing when it should; twice as long the next
/// time.
const PATIENCE: Duration = Duration::from_millis(200);
const PATIENCE_MAX: Duration = Duration::from_secs(3);

/// The texts heard on one line after the welcome: all that the log has from some place on.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// (Author, content), in the order in which it was heard.
    pub(crate) heard: Vec<(String, String)>,
    /// The number of those that were taken before.
    pub(crate) n_taken: usize,
}

/// A person, over all their lines.
#[derive(Debug)]
pub(crate) struct Original {
    pub(crate) name: String,
    caller: Caller,
    line: Option<Line>,
    decoder: Decoder,
    retry_at: Option<Instant>,
    heard_at: Instant,
    patience: Duration,
    /// The name that they have in the room, once they are there.
    room_name: Option<String>,
    run: Run,
    /// The texts that were heard on lines that are gone.
    pub(crate) past: Vec<Run>,
    /// The texts that were said on this line and have not come back.
    unheard: VecDeque<String>,
    /// The texts that came back, which must be in the log.
    pub(crate) acknowledged: Vec<String>,
    /// The text that they say last in a calm; said anew on a new line.
    last_words: Option<String>,
}

impl Original {
    /// Returns somebody who is about to join.
    pub(crate) fn new(name: &str, caller: Caller, now: Instant) -> Self {
        Self {
            name: name.to_owned(),
            caller,
            line: None,
            decoder: Decoder::new(1 << 20),
            retry_at: Some(now),
            heard_at: now,
            patience: PATIENCE,
            room_name: None,
            run: Run::default(),
            past: Vec::new(),
            unheard: VecDeque::new(),
            acknowledged: Vec::new(),
            last_words: None,
        }
    }

    /// Says something new, if they are in the room.
    pub(crate) fn say(&mut self, text: &str, oracle: &mut Oracle) {
        if let (Some(line), true) = (&mut self.line, self.room_name.is_some()) {
            // As the original's clients do.
            ClientMessage::text(format!("{text}\n")).encode(&mut line.unsent);
            oracle.say(text);
            self.unheard.push_back(text.to_owned());
            line.write(usize::MAX);
        }
    }

    /// Notes an edge.
    pub(crate) fn set_ready(&mut self, edge: &Edge) {
        if let Some(line) = &mut self.line {
            line.set_ready(edge);
        }
    }

    /// Does what became possible; returns true if there is more.
    pub(crate) fn turn(&mut self, around: &mut Surroundings<'_>) -> bool {
        if self.retry_at.is_some_and(|at| at <= around.now) {
            self.call(around);
        }
        let Some(line) = &mut self.line else { return false };
        match line.is_connected() {
            Ok(None) => return false,
            Ok(Some(Became::New)) => {
                ClientMessage::hello(self.name.as_str()).encode(&mut line.unsent);
            }
            Ok(Some(Became::Known)) => (),
            Err(_) => return self.hang_up(around.now),
        }
        if !line.write(usize::MAX) {
            return self.hang_up(around.now);
        }
        let mut buffer = [0; READ_BYTES];
        match line.read(&mut buffer) {
            Heard::Bytes(size) => {
                self.heard_at = around.now;
                self.hear(&buffer[..size], around);
                true
            }
            Heard::Nothing => false,
            Heard::End | Heard::BadFrame => self.hang_up(around.now),
        }
    }

    /// Returns when something is due that no socket tells of.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.retry_at
    }

    /// Calls anew if nothing was heard for too long.
    pub(crate) fn lose_patience(&mut self, now: Instant) {
        let silence = now.saturating_duration_since(self.heard_at);
        if self.retry_at.is_none() && self.patience < silence {
            self.patience = (2 * self.patience).min(PATIENCE_MAX);
            self.hang_up(now);
        }
    }

    /// Lets them be as impatient as at first.
    pub(crate) fn stir(&mut self) {
        self.patience = PATIENCE;
    }

    /// Makes sure that `text` or one like it is the last that they say on the line that they have;
    /// returns true once it has come back.
    pub(crate) fn conclude(&mut self, text: &str, oracle: &mut Oracle) -> bool {
        if self.is_joined() && self.last_words.is_none() {
            self.say(text, oracle);
            self.last_words = Some(text.to_owned());
        }
        self.last_words.is_some() && self.acknowledged.last() == self.last_words.as_ref()
    }

    /// Has more to say.
    pub(crate) fn resume(&mut self) {
        self.last_words = None;
    }

    /// Returns true if they are in the room.
    pub(crate) fn is_joined(&self) -> bool {
        self.room_name.is_some()
    }

    /// Returns true if they wait for something to come back.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.is_joined() || !self.unheard.is_empty()
    }

    /// Says where they are.
    pub(crate) fn describe(&self) -> String {
        format!(
            "{}: in the room: {}, waiting for {} texts, heard last: {:.40}",
            self.name,
            self.is_joined(),
            self.unheard.len(),
            self.last_heard().unwrap_or_default(),
        )
    }

    /// Returns what was heard last on this line.
    pub(crate) fn last_heard(&self) -> Option<&str> {
        self.run.heard.last().map(|(_, content)| content.as_str())
    }

    /// Takes what was heard on lines that are gone, and so far on this one.
    pub(crate) fn take_runs(&mut self) -> Vec<Run> {
        let last = self.run.heard.last().cloned();
        let mut runs = std::mem::take(&mut self.past);
        runs.push(std::mem::take(&mut self.run));
        self.run.heard.extend(last); // It links what comes to what was.
        self.run.n_taken = self.run.heard.len();
        runs
    }

    fn call(&mut self, around: &mut Surroundings<'_>) {
        self.retry_at = Some(around.now + RETRY);
        if let Some(line) = around.connect(self.caller) {
            (self.line, self.retry_at, self.heard_at) = (Some(line), None, around.now);
        }
    }

    fn hang_up(&mut self, now: Instant) -> bool {
        (self.line, self.room_name, self.retry_at) = (None, None, Some(now + RETRY));
        self.decoder = Decoder::new(1 << 20);
        self.unheard.clear();
        self.last_words = None;
        self.past.push(std::mem::take(&mut self.run));
        false
    }

    fn hear(&mut self, mut bytes: &[u8], around: &mut Surroundings<'_>) {
        let mut decoder = std::mem::take(&mut self.decoder);
        while let Some(payload) = decoder.next_payload(&mut bytes).expect("frames") {
            match ServerMessage::parse(payload).expect("a message") {
                ServerMessage::Greeting { .. } => (),
                ServerMessage::Message { username, content } if username == SERVER => {
                    self.heed(&content);
                }
                ServerMessage::Message { username, content } => {
                    around.tally.n_shown += 1;
                    self.show(&username, &content);
                }
                other => panic!("{} speaks protocol 1 and is told {other:?}", self.name),
            }
        }
        self.decoder = decoder;
    }

    fn heed(&mut self, content: &str) {
        if let Notice::Welcome { name, .. } = Notice::parse(content) {
            assert_eq!(self.room_name, None, "one welcome a line");
            self.room_name = Some(name.to_owned());
        } else if content.starts_with("Not kept") {
            self.unheard.pop_front(); // Those before it have come back.
        }
    }

    fn show(&mut self, author: &str, content: &str) {
        let name = self.room_name.as_ref().expect("nothing is shown before the welcome");
        let content = content.strip_suffix('\n').unwrap_or(content).to_owned();
        let is_own = author == YOU;
        let author = if is_own { name.clone() } else { author.to_owned() };
        if is_own {
            // A refusal is said once for many.
            let index = self.unheard.iter().position(|text| *text == content);
            let index = index.unwrap_or_else(|| panic!("{name} never said {content:?}"));
            self.unheard.drain(..=index);
            self.acknowledged.push(content.clone());
        }
        self.run.heard.push((author, content));
    }
}
