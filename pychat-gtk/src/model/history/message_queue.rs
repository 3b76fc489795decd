//! Messages in a row, and how many bytes their texts take.

use std::{collections::VecDeque, ops::Deref};

use super::Message;

/// Messages, the oldest first. They can be read like any [`VecDeque`].
#[derive(Debug, Default)]
pub(super) struct MessageQueue {
    messages: VecDeque<Message>,
    n_bytes: usize,
}

impl Deref for MessageQueue {
    type Target = VecDeque<Message>;

    fn deref(&self) -> &Self::Target {
        &self.messages
    }
}

impl MessageQueue {
    /// Returns how many bytes the texts take, with the names of their authors.
    pub(super) fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    /// Takes in that the text of one of them takes `after` bytes instead of `before`.
    pub(super) fn resize(&mut self, before: usize, after: usize) {
        self.n_bytes = self.n_bytes - before + after;
    }

    pub(super) fn push_back(&mut self, message: Message) {
        self.n_bytes += message.size();
        self.messages.push_back(message);
    }

    pub(super) fn push_front(&mut self, message: Message) {
        self.n_bytes += message.size();
        self.messages.push_front(message);
    }

    /// Puts `messages` before all others, in their order.
    pub(super) fn put_before(&mut self, messages: Vec<Message>) {
        messages.into_iter().rev().for_each(|message| self.push_front(message));
    }

    /// Takes the `n` oldest away.
    pub(super) fn take_first(&mut self, n: usize) -> Vec<Message> {
        let taken: Vec<_> = self.messages.drain(..n.min(self.messages.len())).collect();
        self.n_bytes -= size(&taken);
        taken
    }

    /// Takes the `n` latest away, in their order.
    pub(super) fn take_last(&mut self, n: usize) -> Vec<Message> {
        let at = self.messages.len().saturating_sub(n);
        let taken: Vec<_> = self.messages.drain(at..).collect();
        self.n_bytes -= size(&taken);
        taken
    }
}

impl Extend<Message> for MessageQueue {
    fn extend<I: IntoIterator<Item = Message>>(&mut self, messages: I) {
        messages.into_iter().for_each(|message| self.push_back(message));
    }
}

/// Returns how many bytes the texts of `messages` take.
pub(super) fn size<'a>(messages: impl IntoIterator<Item = &'a Message>) -> usize {
    messages.into_iter().map(Message::size).sum()
}

/// Returns how many of `messages`, from the first, are to go so that at most `bytes_max` of `n_bytes`
/// are left.
pub(super) fn n_over<'a>(
    messages: impl IntoIterator<Item = &'a Message>,
    n_bytes: usize,
    bytes_max: usize,
) -> usize {
    let mut rest = n_bytes;
    let is_over = |message: &&Message| {
        let is_over = bytes_max < rest;
        rest = rest.saturating_sub(message.size());
        is_over
    };
    messages.into_iter().take_while(is_over).count()
}
