//! The changes that a view is told of the end of a history, and of all of it.

use std::{cell::RefCell, rc::Rc};

use super::*;
use crate::model::{HISTORY_MESSAGES_MAX, MessageKind};

fn numbered(range: std::ops::Range<usize>) -> Vec<Message> {
    range.map(|n| Message::new(MessageKind::Other, "Анна", &n.to_string(), 0)).collect()
}

/// Runs a story in which time passes, on a main context of its own.
fn tell(story: impl Future<Output = ()>) {
    let context = glib::MainContext::new();
    context.with_thread_default(|| context.block_on(story)).expect("it is new");
}

/// The rows of a view that hears only of changes, and the size of the longest of these.
type View = Rc<RefCell<(Vec<String>, u32)>>;

fn viewed(history: &History) -> (TailModel, View) {
    let tail = TailModel::new(history);
    let view = View::default();
    tail.connect_items_changed({
        let view = view.clone();
        move |tail, at, n_removed, n_added| {
            let (rows, longest) = &mut *view.borrow_mut();
            let new = (at..at + n_added).map(|n| text(tail, n));
            rows.splice(at as usize..(at + n_removed) as usize, new);
            *longest = n_added.max(*longest);
            assert_eq!(rows.len(), tail.n_items() as usize);
        }
    });
    (tail, view)
}

fn text(tail: &TailModel, position: u32) -> String {
    let message = tail.item(position).and_downcast::<Message>();
    message.expect("there is one").text().to_string()
}

fn push(history: &History, range: std::ops::Range<usize>) {
    for message in numbered(range) {
        history.push(message);
    }
    history.flush();
}

fn check(view: &View, expected: std::ops::Range<usize>) {
    let expected: Vec<_> = expected.map(|n| n.to_string()).collect();
    assert_eq!(view.borrow().0, expected);
}

#[test]
fn the_last_are_shown_and_those_above_leave_when_there_are_many() {
    let history = History::default();
    let (tail, view) = viewed(&history);
    for n in 0..120 {
        push(&history, n..n + 1);
    }
    check(&view, 0..120);
    push(&history, 120..121);
    check(&view, 61..121);
    assert!(!tail.is_whole());
}

#[test]
fn in_a_flood_no_more_is_shown_than_could_be_seen() {
    let history = History::default();
    let (_recent, view) = viewed(&history);
    push(&history, 0..1);
    push(&history, 1..5_000);
    check(&view, 4_991..5_000);
    push(&history, 5_000..20_000);
    check(&view, 19_992..20_000);
    push(&history, 20_000..20_150);
    check(&view, 20_134..20_150);
    push(&history, 20_150..20_300);
    check(&view, 20_280..20_300);
    assert_eq!(view.borrow().1, PAGE_MESSAGES);
}

#[test]
fn once_there_is_time_more_is_shown_than_can_be_seen() {
    tell(async {
        let history = History::default();
        let (tail, view) = viewed(&history);
        push(&history, 0..5_000);
        check(&view, 4_992..5_000);
        while tail.n_items() < TAIL_MESSAGES {
            glib::timeout_future(STEP_INTERVAL).await;
        }
        check(&view, 4_940..5_000);
    });
}

#[test]
fn what_is_on_its_way_stays_at_the_end() {
    let history = History::default();
    let (_recent, view) = viewed(&history);
    history.say(Message::new(MessageKind::Own, "Анна", "unsent", 0));
    push(&history, 0..5_000);
    let (rows, longest) = view.take();
    assert_eq!((&*rows[0], &*rows[7], &*rows[8]), ("4992", "4999", "unsent"));
    assert_eq!((rows.len(), longest), (9, 9));
}

#[test]
fn who_looks_further_back_finds_everything_until_they_return() {
    let history = History::default();
    let (tail, view) = viewed(&history);
    push(&history, 100..5_000);
    tail.set_whole(true);
    check(&view, 100..5_000);
    history.prepend(numbered(0..100));
    push(&history, 5_000..5_300);
    check(&view, 0..5_300);
    tail.set_whole(false);
    check(&view, 0..5_300);
    push(&history, 5_300..5_301);
    check(&view, 5_241..5_301);
    history.prepend(numbered(0..50));
    check(&view, 5_241..5_301);
    tail.set_whole(true);
    assert_eq!(tail.n_items(), history.n_items());
}

#[test]
fn nothing_comes_or_goes_above_while_that_would_disturb() {
    let history = History::default();
    let (tail, view) = viewed(&history);
    push(&history, 100..300);
    tail.set_held(true);
    let shown = (300 - tail.n_items() as usize)..300;
    push(&history, 300..800);
    check(&view, shown.start..800);
    tail.set_whole(true);
    history.prepend(numbered(0..100));
    check(&view, shown.start..800);
    tail.set_held(false);
    check(&view, 0..800);

    tail.set_held(true);
    history.prepend(numbered(0..10));
    check(&view, 0..800);
    tail.set_whole(false);
    push(&history, 800..801);
    check(&view, 0..801);
    tail.set_held(false);
    check(&view, 741..801);
}

#[test]
fn what_is_forgotten_leaves_wherever_it_stands() {
    let history = History::default();
    let (tail, view) = viewed(&history);
    push(&history, 0..HISTORY_MESSAGES_MAX);
    push(&history, HISTORY_MESSAGES_MAX..HISTORY_MESSAGES_MAX + 60);
    check(&view, HISTORY_MESSAGES_MAX + 44..HISTORY_MESSAGES_MAX + 60);
    tail.set_whole(true);
    push(&history, HISTORY_MESSAGES_MAX + 60..HISTORY_MESSAGES_MAX + 70);
    check(&view, 70..HISTORY_MESSAGES_MAX + 70);
    history.clear();
    check(&view, 0..0);
}

#[test]
fn a_history_that_is_there_already_is_shown_from_its_end() {
    let history = History::default();
    push(&history, 0..1_000);
    let tail = TailModel::new(&history);
    assert_eq!((tail.n_items(), text(&tail, 0)), (FIRST_MESSAGES, "988".to_owned()));
}

#[test]
fn a_page_is_filled_however_many_it_takes() {
    tell(async {
        let history = History::default();
        let (tail, view) = viewed(&history);
        push(&history, 0..5_000);
        tail.set_page(100);
        while tail.n_items() < 100 {
            glib::timeout_future(STEP_INTERVAL).await;
        }
        push(&history, 5_000..5_021);
        check(&view, 4_921..5_021);
    });
}
