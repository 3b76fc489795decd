//! Has a screen reader say what comes, while its user is writing.
//!
//! GTK has no announcements before 4.14, its labels tell nobody that their text has changed, and
//! that a thing came to be shown is told of windows alone. What is told, and read out, is that the
//! thing that has the keyboard is described in another way. So for a moment a new message
//! describes the entry. One a second is enough: of several their number is said.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use gtk::{glib, prelude::*};

use crate::{model::Message, text::i18n::gettext_f, ui::unread_count};

/// The least time between two announcements.
const INTERVAL: Duration = Duration::from_secs(1);

/// The most characters of a text that are announced.
const CHARS_MAX: usize = 500;

/// Announces what is heard while one widget has the keyboard.
#[derive(Debug, Default)]
pub(super) struct Announcer(Rc<State>);

#[derive(Debug, Default)]
struct State {
    widget: glib::WeakRef<gtk::Widget>,
    /// The last message that was not announced.
    last: RefCell<Option<Message>>,
    /// The number of messages that were not announced.
    n_heard: Cell<usize>,
    /// True until there may be another announcement.
    is_pausing: Cell<bool>,
}

impl Announcer {
    /// Announces by the description of `widget`, which has no other.
    pub(super) fn set_widget(&self, widget: &impl IsA<gtk::Widget>) {
        self.0.widget.set(Some(widget.upcast_ref()));
    }

    /// Announces `message`, now or with those that come in the next moment.
    pub(super) fn hear(&self, message: &Message) {
        let state = &self.0;
        if !state.widget.upgrade().is_some_and(|widget| widget.has_focus()) {
            return;
        }
        state.last.replace(Some(message.clone()));
        state.n_heard.set(state.n_heard.get() + 1);
        if state.is_pausing.replace(true) {
            return;
        }
        state.announce();
        let weak = Rc::downgrade(state);
        glib::spawn_future_local(async move {
            loop {
                glib::timeout_future(INTERVAL).await;
                let Some(state) = weak.upgrade() else { break };
                state.describe(""); // Or the same words again would be no news.
                if !state.announce() {
                    state.is_pausing.set(false);
                    break;
                }
            }
        });
    }
}

impl State {
    /// Announces what was heard; returns false if that is nothing.
    fn announce(&self) -> bool {
        let Some(last) = self.last.take() else { return false };
        let sentence = match self.n_heard.take() {
            1 => {
                let text: String = last.shown_text().chars().take(CHARS_MAX).collect();
                gettext_f("{author}: {text}", &[("author", last.author()), ("text", &text)])
            }
            n_heard => unread_count::new_messages(n_heard),
        };
        self.describe(&sentence);
        true
    }

    fn describe(&self, sentence: &str) {
        if let Some(widget) = self.widget.upgrade() {
            widget.update_property(&[gtk::accessible::Property::Description(sentence)]);
        }
    }
}
