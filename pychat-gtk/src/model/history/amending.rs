//! The changes of messages that are here, by their numbers, and the answers to them.

use std::{ops::Range, rc::Rc, slice};

use gtk::{
    glib,
    glib::{prelude::*, subclass::prelude::*},
};
use pychat_wire::client::MessageState;

use super::{History, Message, position};
use crate::model::{MessageKind, Pending};

/// The place of a message that has arrived.
#[derive(Clone, Copy)]
enum Place {
    /// It is shown, at this index.
    Shown(usize),
    /// It waits below those that are shown.
    Later,
    /// It was pushed, and is about to be shown.
    Pushed,
}

impl History {
    /// Returns the message whose number is `seq`, if it is here.
    pub fn by_seq(&self, seq: u64) -> Option<Message> {
        self.find(seq).map(|(_, message)| message)
    }

    /// Returns the message that is called so by its [key](Message::key), if it is here.
    pub fn by_key(&self, key: &str) -> Option<Message> {
        match key.parse() {
            Ok(seq) => self.by_seq(seq),
            Err(_) => self.unsent(key),
        }
    }

    /// Takes in the state that the room has of the message whose number is `seq` from now on,
    /// and where that calls its reader, in bytes. Where it takes more room than there is, others make it.
    pub fn amend(&self, seq: u64, state: MessageState, mentions: Rc<[Range<usize>]>) {
        let Some((place, message)) = self.find(seq) else { return };
        let (before, was_deleted) = (message.size(), message.is_deleted());
        message.set_state(state, mentions);
        let after = message.size();
        let imp = self.imp();
        match place {
            Place::Shown(index) => {
                imp.arrived.borrow_mut().resize(before, after);
                self.tell_amended(index);
                self.bound_shown();
            }
            Place::Later => {
                imp.overflow.later.borrow_mut().resize(before, after);
                self.bound_later();
            }
            Place::Pushed => {}
        }
        self.count_deletion(&message, was_deleted);
    }

    /// Shows a change of `message` that is on its way.
    pub fn begin_change(&self, message: &Message, change: Pending) {
        let was_deleted = message.is_deleted();
        message.begin_change(change);
        self.tell_amended_message(message);
        self.count_deletion(message, was_deleted);
    }

    /// Takes in that the change of `message` known as `id` is on its way no more.
    pub fn end_change(&self, message: &Message, id: &str) {
        let was_deleted = message.is_deleted();
        if message.end_change(id) {
            self.tell_amended_message(message);
            self.count_deletion(message, was_deleted);
        }
    }

    /// Returns the message whose change known as `id` is on its way, its number, and that change.
    pub fn pending(&self, id: &str) -> Option<(Message, u64, Pending)> {
        let (arrived, later) = (self.imp().arrived.borrow(), self.imp().overflow.later.borrow());
        let mut all = arrived.iter().chain(later.iter());
        all.find_map(|message| Some((message.clone(), message.seq()?, message.pending(id)?)))
    }

    /// Shows `message` as deleted, or no longer, before anybody is told.
    pub fn set_hidden(&self, message: &Message, is_hidden: bool) {
        message.set_hidden(is_hidden);
        self.tell_amended_message(message);
    }

    /// Takes in that a message that has not arrived, known as `id`, has other words.
    pub fn edit_unsent(&self, id: &str, text: &str) {
        if let Some(message) = self.unsent(id) {
            let state = MessageState { content: text.to_owned(), ..message.state() };
            message.set_state(state, Rc::default());
            self.tell_amended_message(&message);
        }
    }

    /// Calls `f` with the position of each message that was changed.
    pub fn connect_amended(&self, f: impl Fn(&Self, u32) + 'static) -> glib::SignalHandlerId {
        self.connect_closure(
            "amended",
            false,
            glib::closure_local!(move |history: &Self, position: u32| f(history, position)),
        )
    }

    /// Has the messages say of themselves whether their authors are bots.
    pub fn mark_bots(&self, is_bot: impl Fn(&str) -> bool) {
        let imp = self.imp();
        let changed: Vec<_> = {
            let (arrived, later, batch) =
                (imp.arrived.borrow(), imp.overflow.later.borrow(), imp.batch.borrow());
            let all = arrived.iter().chain(later.iter()).chain(batch.iter());
            all.filter(|it| it.is_from_bot() != is_bot(it.author())).cloned().collect()
        };
        for message in changed {
            message.set_from_bot(!message.is_from_bot());
        }
    }

    /// Returns the last message of the reader's that is not deleted, whether it has arrived or not.
    pub fn last_own(&self) -> Option<Message> {
        let imp = self.imp();
        let (arrived, later, unsent) =
            (imp.arrived.borrow(), imp.overflow.later.borrow(), imp.unsent.borrow());
        let mut latest = unsent.iter().rev().chain(later.iter().rev()).chain(arrived.iter().rev());
        latest.find(|it| it.kind() == MessageKind::Own && !it.is_deleted()).cloned()
    }

    /// Has a message that is about to be shown quote what it answers.
    pub(super) fn quote(&self, message: &Message) {
        self.quote_all(slice::from_ref(message));
    }

    /// Has each of `messages` quote what it answers, be that among them or here.
    pub(super) fn quote_all(&self, messages: &[Message]) {
        let answers = messages.iter().filter(|it| is_unquoting(it));
        for (message, seq) in answers.filter_map(|it| Some((it, it.reply()?))) {
            let among = index_of_seq(0, messages.len(), seq, |at| messages[at].seq());
            let quoted = among.map(|at| messages[at].clone()).or_else(|| self.by_seq(seq));
            if let Some(quoted) = quoted.filter(Message::is_from_person) {
                message.quote(&quoted);
            }
        }
    }

    /// Has the messages that are here quote what has come before them.
    pub(super) fn quote_older(&self) {
        let imp = self.imp();
        let answers: Vec<_> = {
            let (arrived, later) = (imp.arrived.borrow(), imp.overflow.later.borrow());
            let all = arrived.iter().chain(later.iter());
            all.chain(imp.unsent.borrow().iter()).filter(|it| is_unquoting(it)).cloned().collect()
        };
        for message in answers {
            self.quote(&message);
        }
    }

    fn find(&self, seq: u64) -> Option<(Place, Message)> {
        let imp = self.imp();
        let n_stale = imp.overflow.n_stale.get();
        let (arrived, later, batch) =
            (imp.arrived.borrow(), imp.overflow.later.borrow(), imp.batch.borrow());
        let first = n_stale.min(arrived.len());
        if let Some(at) = index_of_seq(first, arrived.len(), seq, |at| arrived[at].seq()) {
            return Some((Place::Shown(at), arrived[at].clone()));
        }
        let first = n_stale.saturating_sub(arrived.len()).min(later.len());
        if let Some(at) = index_of_seq(first, later.len(), seq, |at| later[at].seq()) {
            return Some((Place::Later, later[at].clone()));
        }
        let at = index_of_seq(0, batch.len(), seq, |at| batch[at].seq())?;
        Some((Place::Pushed, batch[at].clone()))
    }

    fn tell_amended_message(&self, message: &Message) {
        let at = if message.is_unsent() {
            let (n_arrived, unsent) =
                (self.imp().arrived.borrow().len(), self.imp().unsent.borrow());
            let at = unsent.iter().position(|it| it == message);
            at.filter(|_| !self.is_detached()).map(|at| n_arrived + at)
        } else {
            match message.seq().and_then(|seq| self.find(seq)) {
                Some((Place::Shown(at), found)) if found == *message => Some(at),
                _ => None,
            }
        };
        if let Some(at) = at {
            self.tell_amended(at);
        }
    }

    pub(super) fn tell_amended(&self, index: usize) {
        self.emit_by_name::<()>("amended", &[&position(index)]);
    }
}

/// Returns true for an answer to a message that is not known.
fn is_unquoting(message: &Message) -> bool {
    message.reply().is_some() && message.quoted().is_none()
}

/// Returns the index of the message whose number is `seq`, among those from `first` to before `end`, whose
/// numbers grow. Some have none.
fn index_of_seq(
    first: usize,
    end: usize,
    seq: u64,
    seq_at: impl Fn(usize) -> Option<u64>,
) -> Option<usize> {
    let (mut low, mut high) = (first, end);
    while low < high {
        let middle = low + (high - low) / 2;
        let numbered = (low..=middle).rev().find_map(|at| Some((at, seq_at(at)?)));
        match numbered {
            Some((at, found)) if found == seq => return Some(at),
            Some((at, found)) if seq < found => high = at,
            _ => low = middle + 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_among_messages_without_any() {
        let seqs = [None, Some(3), None, None, Some(4), Some(7), None];
        for seq in 0..10 {
            for (first, end) in [(0, 7), (2, 7), (0, 4), (7, 7)] {
                let expected = (first..end).find(|at| seqs[*at] == Some(seq));
                assert_eq!(index_of_seq(first, end, seq, |at| seqs[at]), expected);
            }
        }
    }
}
