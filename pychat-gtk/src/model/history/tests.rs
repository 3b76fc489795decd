//! The history as a view sees it that hears only of its changes.

use std::{ops::Range, rc::Rc};

use super::*;
use crate::model::MessageKind;

fn numbered(range: Range<usize>) -> Vec<Message> {
    range.map(|n| Message::new(MessageKind::Other, "Анна", &n.to_string(), 0)).collect()
}

/// Extends a history by batches of these sizes and returns what a view would hold that hears
/// only of the changes, with their number.
fn view_after(batch_sizes: &[usize]) -> (Vec<String>, usize) {
    let history = History::default();
    let view = Rc::new(RefCell::new((Vec::new(), 0)));
    history.connect_items_changed({
        let view = view.clone();
        move |history, at, removed, added| {
            let (rows, n_changes) = &mut *view.borrow_mut();
            let new = (at..at + added).map(|n| history.message(n).expect("it was added").text());
            rows.splice(at as usize..(at + removed) as usize, new);
            *n_changes += 1;
            assert_eq!(rows.len(), history.n_items() as usize);
        }
    });
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
