//! Everything that was said, oldest first, up to a bound.
//!
//! A view pays for each change, not for each message, so messages gather for a moment. Whoever
//! looks hears of such a batch as two changes: the oldest leave at the top, the new come at the
//! end.

use std::{cell::RefCell, time::Duration};

use gtk::{
    gio,
    gio::{prelude::*, subclass::prelude::*},
    glib,
};

use super::Message;

/// The most messages that are kept; older ones are forgotten.
pub const HISTORY_MESSAGES_MAX: usize = 10_000;

/// How long messages gather before they are shown.
const BATCH_INTERVAL: Duration = Duration::from_millis(50);

mod imp {
    use std::collections::VecDeque;

    use super::*;

    #[derive(Debug, Default)]
    pub struct History {
        pub(super) messages: RefCell<VecDeque<Message>>,
        /// What waits to be shown.
        pub(super) batch: RefCell<Vec<Message>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for History {
        const NAME: &'static str = "PychatHistory";
        type Type = super::History;
        type Interfaces = (gio::ListModel,);
    }

    impl ObjectImpl for History {}

    impl ListModelImpl for History {
        fn item_type(&self) -> glib::Type {
            Message::static_type()
        }

        fn n_items(&self) -> u32 {
            position(self.messages.borrow().len())
        }

        fn item(&self, position: u32) -> Option<glib::Object> {
            let messages = self.messages.borrow();
            messages.get(usize::try_from(position).ok()?).cloned().map(Cast::upcast)
        }
    }
}

glib::wrapper! {
    /// What was said, oldest first.
    pub struct History(ObjectSubclass<imp::History>) @implements gio::ListModel;
}

impl Default for History {
    fn default() -> Self {
        glib::Object::new()
    }
}

impl History {
    /// Appends `message` after all others, in a moment.
    pub fn push(&self, message: Message) {
        let mut batch = self.imp().batch.borrow_mut();
        batch.push(message);
        if batch.len() == 1 {
            let weak = self.downgrade();
            glib::spawn_future_local(async move {
                glib::timeout_future(BATCH_INTERVAL).await;
                if let Some(history) = weak.upgrade() {
                    history.flush();
                }
            });
        }
    }

    /// Appends at once what was pushed.
    pub fn flush(&self) {
        let batch = self.imp().batch.take();
        self.extend(batch);
    }

    /// Forgets everything, what was pushed too.
    pub fn clear(&self) {
        self.imp().batch.take();
        let n_removed = self.imp().messages.take().len();
        if 0 < n_removed {
            self.items_changed(0, position(n_removed), 0);
        }
    }

    /// Returns the message at `position`, counted from the oldest.
    pub fn message(&self, position: u32) -> Option<Message> {
        self.item(position).and_downcast()
    }

    /// Appends `messages`, and forgets the oldest past [`HISTORY_MESSAGES_MAX`].
    fn extend(&self, mut messages: Vec<Message>) {
        let skipped = messages.len().saturating_sub(HISTORY_MESSAGES_MAX);
        messages.drain(..skipped);
        let n_added = messages.len();

        let n_before = self.imp().messages.borrow().len();
        let n_removed = (n_before + n_added).saturating_sub(HISTORY_MESSAGES_MAX);
        if 0 < n_removed {
            self.imp().messages.borrow_mut().drain(..n_removed);
            self.items_changed(0, position(n_removed), 0);
        }
        if 0 < n_added {
            self.imp().messages.borrow_mut().extend(messages);
            self.items_changed(position(n_before - n_removed), 0, position(n_added));
        }
    }
}

/// A list model counts in 32 bits; the bound above keeps every count far below that.
fn position(index: usize) -> u32 {
    u32::try_from(index).expect("the history is bounded")
}

#[cfg(test)]
mod tests {
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
                let new =
                    (at..at + added).map(|n| history.message(n).expect("it was added").text());
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
}
