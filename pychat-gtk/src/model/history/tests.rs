//! The history as a view sees it that hears only of its changes.

mod amending;
mod capacity;
mod unread;

use std::{ops::Range, rc::Rc};

use super::*;
use crate::model::MessageKind;

fn numbered(range: Range<usize>) -> Vec<Message> {
    range.map(|n| Message::new(MessageKind::Other, "Анна", &n.to_string(), 0)).collect()
}

/// The rows of a view that hears only of changes, and the number of these.
type View = Rc<RefCell<(Vec<String>, usize)>>;

/// Returns a history and its view.
fn viewed() -> (History, View) {
    let history = History::default();
    let view = View::default();
    history.connect_items_changed({
        let view = view.clone();
        move |history, at, removed, added| {
            let (rows, n_changes) = &mut *view.borrow_mut();
            let new = (at..at + added)
                .map(|n| history.message(n).expect("it was added").text().to_string());
            rows.splice(at as usize..(at + removed) as usize, new);
            *n_changes += 1;
            assert_eq!(rows.len(), history.n_items() as usize);
        }
    });
    (history, view)
}

/// Extends a history by batches of these sizes and returns what a view holds then.
fn view_after(batch_sizes: &[usize]) -> (Vec<String>, usize) {
    let (history, view) = viewed();
    let mut n_messages = 0;
    for size in batch_sizes {
        history.extend(numbered(n_messages..n_messages + size));
        n_messages += size;
    }
    view.take()
}

#[test]
fn a_view_sees_the_newest_in_order_whatever_the_batches() {
    const MAX: usize = HISTORY_MESSAGES_MAX;
    for (batch_sizes, kept, n_changes) in [
        (&[0][..], 0..0, 0),
        (&[3][..], 0..3, 1),
        (&[1, 1, 1][..], 0..3, 3),
        (&[MAX][..], 0..MAX, 1),
        (&[MAX, 5][..], 5..MAX + 5, 3),
        (&[MAX - 1, 2][..], 1..MAX + 1, 3),
        (&[2 * MAX][..], MAX..2 * MAX, 1),
        (&[7, 2 * MAX][..], MAX + 7..2 * MAX + 7, 3),
    ] {
        let expected: Vec<_> = kept.map(|n| n.to_string()).collect();
        assert_eq!(view_after(batch_sizes), (expected, n_changes), "{batch_sizes:?}");
    }
}

#[test]
fn nothing_is_left_after_clearing() {
    let history = History::default();
    history.extend(numbered(0..3));
    history.imp().batch.borrow_mut().extend(numbered(3..5));
    history.clear();
    history.flush();
    assert_eq!((history.n_items(), history.item(0)), (0, None));
}

fn said(seq: u64) -> Message {
    Message::new(MessageKind::Other, "Анна", &seq.to_string(), 0).numbered(Some(seq))
}

fn sending(id: &str) -> Message {
    let quoted = format!("\"{id}\"");
    Message::sending(serde_json::from_str(&quoted).expect("an id is text"), "Анна", id, 0)
}

/// Runs a story on a main context of its own and returns what a view holds after it.
fn view_of(story: impl FnOnce(&History)) -> String {
    let context = glib::MainContext::new();
    let (history, view) = viewed();
    context
        .with_thread_default(|| {
            story(&history);
            history.flush();
        })
        .expect("the context is new");
    let (rows, _) = view.take();
    rows.join(" ")
}

#[test]
fn what_is_on_its_way_stands_last_until_it_has_arrived() {
    let view = view_of(|history| {
        history.push(said(1));
        for id in ["a", "b", "c"] {
            history.say(sending(id));
        }
        history.push(said(2));
        assert!(history.arrive("a", Some(3), Some(7)));
        history.push(said(4));
        assert!(history.arrive("c", Some(5), None));
        assert!(!history.arrive("c", Some(6), None), "it has arrived");
        history.push(said(6));
    });
    assert_eq!(view, "1 2 a 4 c 6 b");
}

#[test]
fn each_number_is_shown_once_whatever_comes() {
    let view = view_of(|history| {
        history.push(said(7));
        history.push(said(7));
        history.push(said(6));
        history.prepend([4, 6, 5, 7, 8].map(said).to_vec());
        history.prepend([4, 2, 3].map(said).to_vec());
        history.say(sending("a"));
        assert!(history.arrive("a", Some(7), None), "it was shown");
        history.push(said(8));
    });
    assert_eq!(view, "2 3 4 5 7 8");
}

#[test]
fn numbers_that_begin_anew_are_shown_after_those_before() {
    let view = view_of(|history| {
        history.push(said(7));
        history.begin_epoch();
        history.prepend(vec![said(5)]);
        history.push(said(1));
        history.push(said(2));
        history.restart(1);
        history.push(said(2));
    });
    assert_eq!(view, "7 1 2 2");
}

#[test]
fn what_failed_can_be_taken_away_and_only_that() {
    let view = view_of(|history| {
        history.push(said(1));
        history.say(sending("a"));
        history.say(sending("b"));
        history.unsent("a").expect("it is there").fail("no");
        assert!(history.remove("a").is_some());
        assert!(history.remove("1").is_none());
    });
    assert_eq!(view, "1 b");
}

#[test]
fn times_that_read_otherwise_are_told_by_every_message() {
    let context = glib::MainContext::new();
    let told = context.with_thread_default(|| {
        let (history, _view) = viewed();
        (1..=3).map(said).for_each(|message| history.push(message));
        history.flush();
        let told = Rc::new(std::cell::Cell::new(0));
        for n in 0..history.n_items() {
            let told = told.clone();
            let message = history.message(n).expect("it was pushed");
            message.connect_changed(move |_| told.set(told.get() + 1));
        }
        history.tell_times();
        told.get()
    });
    assert_eq!(told.expect("the context is new"), 3);
}

#[test]
fn what_has_come_unseen_is_marked_though_the_reader_looks_before_it_is_shown() {
    let context = glib::MainContext::new();
    let told = context.with_thread_default(|| {
        let history = History::default();
        history.set_attended(false);
        history.push(Message::new(MessageKind::Other, "Анна", "unseen", 0));
        history.set_attended(true);
        history.push(Message::new(MessageKind::Other, "Борис", "seen", 0));
        history.flush();
        let marks =
            (0..2).filter_map(|n| history.message(n)).map(|it| it.placement().begins_unread);
        (marks.collect::<Vec<_>>(), history.n_unread())
    });
    assert_eq!(told.expect("the context is new"), (vec![true, false], 0));
}
