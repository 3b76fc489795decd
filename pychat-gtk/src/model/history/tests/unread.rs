//! The messages that are new to the reader, and those that they have seen.

use std::cell::Cell;

use pychat_wire::{client::MessageState, message::Amendment};

use super::*;
use crate::model::Pending;

/// Plays a story on a main context of its own; returns the texts before which it says that what
/// follows is new, how many are new, and how far was read.
fn read(story: impl FnOnce(&History)) -> (Vec<String>, u32, u64) {
    let context = glib::MainContext::new();
    let read = context.with_thread_default(|| {
        let history = History::default();
        story(&history);
        history.flush();
        let shown = (0..history.n_items()).filter_map(|n| history.message(n));
        let marked = shown.filter(|it| it.placement().begins_unread);
        let marked = marked.map(|it| it.text().to_string()).collect();
        (marked, history.n_unread(), history.seen())
    });
    read.expect("the context is new")
}

fn page(range: Range<u64>) -> Vec<Message> {
    range.map(said).collect()
}

fn result(marked: &[&str], n_unread: u32, seen: u64) -> (Vec<String>, u32, u64) {
    (marked.iter().map(|&text| text.to_owned()).collect(), n_unread, seen)
}

#[test]
fn whoever_shows_it_is_told_once_when_all_of_it_has_come() {
    let n_told = Rc::new(Cell::new(0));
    let told = read(|history| {
        let n = n_told.clone();
        history.connect_caught_up(move |history| {
            n.set(n.get() + 1);
            history.set_attended(false);
        });
        history.read_from(5, 9);
        history.push(said(10));
        history.prepend(page(8..10));
        history.flush();
        assert_eq!((n_told.get(), history.n_unread(), history.is_behind()), (0, 5, true));
        history.prepend(page(3..8));
        assert_eq!((n_told.get(), history.is_behind()), (1, false));
        history.see(&history.message(5).expect("there are eight"));
    });
    assert_eq!((told, n_told.get()), (result(&["6"], 5, 8), 1));
}

#[test]
fn what_comes_on_the_next_line_is_new_from_its_first_message_on() {
    let told = read(|history| {
        history.read_from(2, 2);
        history.prepend(page(1..3));
        history.push(said(3));
        history.flush();
        assert_eq!(history.seen(), 3, "it came while the reader looked");
        history.read_from(3, 5);
        history.push(said(4));
        history.flush();
        assert_eq!(history.seen(), 3);
        history.connect_caught_up(|history| history.set_attended(false));
        history.push(said(5));
    });
    assert_eq!(told, result(&["4"], 2, 3));
}

#[test]
fn what_is_not_kept_any_more_is_not_waited_for() {
    let told = read(|history| {
        history.read_from(2, 9);
        history.prepend(page(6..10));
        assert!(history.is_behind());
        history.reach_start();
        assert!(!history.is_behind());
    });
    assert_eq!(told, result(&["6"], 0, 9), "nobody led the reader elsewhere");
    let told = read(|history| {
        history.read_from(2, 9);
        history.reach_start();
        history.push(said(10));
    });
    assert_eq!(told, result(&[], 0, 10));
    let told = read(|history| {
        history.read_from(2, 9);
        history.push(said(3));
        history.skip_missing(9);
    });
    assert_eq!(told, result(&["3"], 0, 3));
}

#[test]
fn nothing_is_seen_beyond_what_has_yet_to_be_fetched_until_the_reader_says_so() {
    let told = read(|history| {
        history.read_from(2, 900);
        history.prepend(page(851..901));
        history.push(said(901));
        history.flush();
        assert_eq!((history.n_unread(), history.seen()), (899, 2));
        history.see(&history.message(0).expect("it is there"));
        history.set_attended(true);
        assert_eq!((history.n_unread(), history.seen()), (899, 2));
        history.see_all();
        history.push(said(902));
    });
    assert_eq!(told, result(&[], 0, 902));
}

#[test]
fn numbers_of_another_log_say_nothing() {
    let told = read(|history| {
        history.read_from(8, 8);
        history.prepend(page(1..9));
        history.begin_epoch();
        history.read_from(0, 2);
        history.set_attended(false);
        for seq in 1..3 {
            history.push(said(seq));
        }
        history.flush();
        history.see(&history.message(3).expect("of the log before"));
    });
    assert_eq!(told, result(&["1"], 2, 0));
}

#[test]
fn whoever_missed_too_much_has_the_end_and_nothing_between() {
    for is_away in [false, true] {
        let told = read(|history| {
            history.read_from(3, 3);
            history.prepend(page(1..4));
            history.set_away(is_away);
            history.set_attended(!is_away);
            history.read_from(3, 1_000);
            history.skip_to(990);
            for seq in 991..1_001 {
                history.push(said(seq));
            }
            history.flush();
            let first = history.message(0).and_then(|it| it.seq());
            assert_eq!(first, Some(if is_away { 1 } else { 991 }));
            history.set_away(false);
            assert_eq!(history.message(0).and_then(|it| it.seq()), Some(991));
            assert_eq!(history.take_forgotten(), Some(991));
            assert!(history.is_behind());
        });
        assert_eq!(told, result(&[], 997, 3));
    }
}

#[test]
fn what_was_read_elsewhere_is_new_no_more_and_the_mark_moves_on() {
    let part = read(|history| {
        history.set_attended(false);
        history.read_from(2, 6);
        history.prepend(page(1..7));
        history.see_elsewhere(4);
        history.see_elsewhere(3);
    });
    assert_eq!(part, result(&["5"], 2, 4));
    let all = read(|history| {
        history.set_attended(false);
        history.read_from(2, 6);
        history.prepend(page(5..7));
        assert!(history.is_behind());
        history.see_elsewhere(6);
        assert!(!history.is_behind());
        history.push(said(7));
    });
    assert_eq!(all, result(&["7"], 1, 6));
}

#[test]
fn numbers_that_are_not_shown_are_seen_with_what_is() {
    let told = read(|history| {
        history.read_from(2, 4);
        history.pass_to(4);
        assert_eq!(history.seen(), 2, "nothing has come yet");
        history.prepend(page(1..4));
        assert_eq!(history.seen(), 2, "more was missed");
        history.pass_to(4);
    });
    assert_eq!(told, result(&["3"], 0, 4));
}

#[test]
fn what_is_deleted_is_not_new_until_it_is_brought_back() {
    let deleted = || MessageState { is_deleted: true, ..MessageState::default() };
    let told = read(|history| {
        history.read_from(0, 0);
        history.set_attended(false);
        (1..=4).for_each(|seq| history.push(said(seq)));
        history.flush();
        assert_eq!(history.n_unread(), 4);
        history.amend(2, deleted(), Rc::default());
        history.amend(2, deleted(), Rc::default());
        history.amend(3, deleted(), Rc::default());
        assert_eq!(history.n_unread(), 2);
        history.amend(3, MessageState::new("3".to_owned()), Rc::default());
        assert_eq!(history.n_unread(), 3);
        let removal = Pending {
            id: "removal".to_owned(),
            amendment: Amendment::Delete { target: 4 },
            author: "Борис".to_owned(),
            since_ms: 0,
        };
        let last = history.by_seq(4).expect("it is there");
        history.begin_change(&last, removal);
        assert_eq!(history.n_unread(), 2);
        history.end_change(&last, "removal");
    });
    assert_eq!(told, result(&["1"], 3, 0));
}
