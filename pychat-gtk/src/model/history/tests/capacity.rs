//! A history of more than it can show, beside a server that has all of it.

use super::*;

const MAX: u64 = HISTORY_MESSAGES_MAX as u64;

/// A reader with a history, and the server that it is of.
struct Reader {
    history: History,
    view: View,
    /// The number of the newest message in the room.
    newest: u64,
    /// Before which number the server would be asked for a page.
    oldest: u64,
}

impl Reader {
    /// One who joins when `newest` messages have been said.
    fn joined(newest: u64) -> Self {
        let (history, view) = viewed();
        history.restart(newest);
        Self { history, view, newest, oldest: newest + 1 }
    }

    /// Hears that `n` more are said.
    fn hear(&mut self, n: u64) {
        let messages = (self.newest + 1..=self.newest + n).map(said);
        messages.for_each(|message| self.history.push(message));
        self.history.flush();
        self.newest += n;
    }

    /// Reads a page of `n` older messages, as far as there are that many.
    fn read_back(&mut self, n: u64) {
        self.oldest = self.history.take_forgotten().unwrap_or(self.oldest);
        let begin = self.oldest.saturating_sub(n).max(1);
        self.history.prepend((begin..self.oldest).map(said).collect());
        self.oldest = begin;
    }

    /// Returns the first and the last number on show, between which each is there once, and what
    /// has not arrived.
    fn shown(&self) -> (u64, u64, Vec<String>) {
        let rows = &self.view.borrow().0;
        let numbers: Vec<u64> = rows.iter().map_while(|row| row.parse().ok()).collect();
        let (first, last) = (numbers[0], numbers[numbers.len() - 1]);
        assert!(numbers.iter().copied().eq(first..=last), "{first} to {last} have holes");
        assert!(rows.len() <= HISTORY_MESSAGES_MAX, "{} are shown", rows.len());
        (first, last, rows[numbers.len()..].to_vec())
    }

    fn check(&self, first: u64, last: u64) {
        assert_eq!(self.shown(), (first, last, Vec::new()));
    }
}

/// Runs a story on a main context of its own.
fn tell(story: impl FnOnce()) {
    glib::MainContext::new().with_thread_default(story).expect("the context is new");
}

#[test]
fn at_the_end_the_oldest_are_forgotten_and_can_be_read_again() {
    tell(|| {
        let mut reader = Reader::joined(500);
        reader.hear(MAX);
        reader.read_back(100);
        reader.history.set_away(false);
        reader.check(501, 500 + MAX);
        reader.hear(7);
        reader.check(508, 507 + MAX);
        reader.history.set_away(true);
        reader.read_back(100);
        reader.check(408, 407 + MAX);
        reader.history.set_away(false);
        reader.check(508, 507 + MAX);
    });
}

#[test]
fn what_is_read_stays_and_what_comes_waits() {
    tell(|| {
        let mut reader = Reader::joined(0);
        reader.hear(MAX - 1);
        reader.history.set_away(true);
        reader.hear(1);
        reader.check(1, MAX);
        reader.hear(30);
        reader.check(1, MAX);
        reader.history.show_later(10);
        reader.check(11, MAX + 10);
        reader.hear(1);
        reader.history.show_later(50);
        reader.check(32, MAX + 31);
        assert!(!reader.history.is_detached());
        reader.read_back(31);
        reader.check(1, MAX);
    });
}

#[test]
fn what_has_not_arrived_stands_after_the_newest_alone() {
    tell(|| {
        let mut reader = Reader::joined(100);
        reader.hear(MAX - 2);
        for id in ["a", "b"] {
            reader.history.say(sending(id));
        }
        reader.history.set_away(true);
        reader.read_back(50);
        reader.check(51, 48 + MAX);
        reader.newest += 1;
        assert!(reader.history.arrive("b", Some(reader.newest), None));
        assert!(reader.history.remove("b").is_none());
        reader.check(51, 48 + MAX);
        reader.history.say(sending("c"));
        assert_eq!(reader.view.borrow().0[HISTORY_MESSAGES_MAX - 3..], ["b", "a", "c"]);
        assert!(reader.history.remove("a").is_some());
        assert_eq!(reader.view.borrow().0[HISTORY_MESSAGES_MAX - 3..], ["b", "c"]);
        assert_eq!(reader.history.last_own().map(|it| it.text()).as_deref(), Some("c"));
    });
}

#[test]
fn who_misses_more_than_can_wait_goes_on_after_the_hole_and_finds_it_filled() {
    tell(|| {
        let mut reader = Reader::joined(0);
        reader.hear(MAX);
        reader.history.set_away(true);
        reader.hear(MAX + 500);
        reader.check(1, MAX);
        reader.history.show_later(10);
        reader.check(MAX + 501, 2 * MAX + 500);
        reader.read_back(600);
        reader.check(MAX - 99, 2 * MAX - 100);
    });
}

#[test]
fn numbers_of_another_log_lead_nowhere_until_they_are_gone() {
    tell(|| {
        let mut reader = Reader::joined(700);
        reader.hear(300);
        reader.history.begin_epoch();
        (reader.newest, reader.oldest) = (0, 1);
        reader.hear(MAX - 100);
        assert!(!reader.history.can_go_back(), "the log that it was of is gone");
        assert_eq!(reader.history.take_forgotten(), None);
        reader.history.prepend(vec![said(650)]);
        assert_eq!(reader.history.message(0).and_then(|it| it.seq()), Some(901));
        reader.hear(150);
        reader.check(51, MAX + 50);
        assert!(reader.history.can_go_back());
        reader.history.set_away(true);
        reader.read_back(20);
        reader.check(31, MAX + 30);
    });
}

#[test]
fn whatever_the_reader_does_nothing_is_missing_or_there_twice() {
    tell(|| {
        let mut state = 11_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        let mut reader = Reader::joined(30_000);
        reader.hear(1);
        for _ in 0..400 {
            let before = reader.shown();
            match random(8) {
                0 | 1 => {
                    reader.hear(random(900));
                    let is_away = reader.history.imp().overflow.is_away.get();
                    assert!(!is_away || reader.shown().0 == before.0, "what is read stays");
                }
                2..=4 => {
                    reader.history.set_away(true);
                    reader.read_back(random(900));
                    assert!(reader.shown().0 <= before.0);
                }
                5 | 6 => {
                    reader.history.show_later(usize::try_from(random(900)).unwrap());
                    assert!(before.1 <= reader.shown().1);
                }
                _ => {
                    reader.history.set_away(false);
                    assert_eq!(reader.shown().1, reader.newest);
                }
            }
        }
    });
}

/// Returns somebody's message that is as large as a text may be.
fn large(seq: u64) -> Message {
    let text = "x".repeat(LARGE_BYTES);
    Message::new(MessageKind::Other, "Борис", &text, 0).numbered(Some(seq))
}

const LARGE_BYTES: usize = 4 << 20;

#[test]
fn large_messages_take_no_more_memory_than_small_ones() {
    tell(|| {
        let (history, _view) = viewed();
        history.restart(1_000);
        let kept = || {
            let (arrived, later) =
                (history.imp().arrived.borrow(), history.imp().overflow.later.borrow());
            let numbers: Vec<_> =
                arrived.iter().chain(later.iter()).filter_map(Message::seq).collect();
            let n_bytes = arrived.n_bytes() + later.n_bytes();
            assert_eq!(n_bytes, message_queue::size(arrived.iter().chain(later.iter())));
            assert!(
                n_bytes <= crate::model::history::capacity::HISTORY_BYTES_MAX,
                "{n_bytes} bytes"
            );
            (numbers, later.len())
        };
        let hear = |range: Range<u64>| {
            range.map(large).for_each(|message| history.push(message));
            history.flush();
        };
        hear(1_001..1_012);
        assert_eq!(kept(), (vec![1_009, 1_010, 1_011], 0));
        assert_eq!(history.take_forgotten(), Some(1_009));
        history.set_away(true);
        // A page of more than there is room for: the newest of it are shown.
        history.prepend((1_000..1_009).map(large).collect());
        assert_eq!(kept(), (vec![1_006, 1_007, 1_008, 1_009, 1_010, 1_011], 3));
        assert_eq!(history.take_forgotten(), Some(1_006));
        hear(1_012..1_020);
        assert_eq!(kept().1, 3);
        history.set_away(false);
        assert_eq!(kept(), (vec![1_017, 1_018, 1_019], 0));
        assert_eq!(history.take_forgotten(), Some(1_017));
    });
}
