//! The requests of one window for changes of rooms, and their outcomes.

use std::{cell::RefCell, collections::HashSet, rc::Rc};

use gtk::glib;

use crate::session::Session;

/// The requests that are not answered, and what hears of the answers.
#[derive(Debug, Default)]
pub(super) struct Requests {
    pending: Rc<RefCell<HashSet<String>>>,
    /// The session outlives the window.
    signals: RefCell<Option<glib::SignalGroup>>,
}

impl Requests {
    /// Has `f` called with the outcome of each request that is waited for: the reason if it was not
    /// granted.
    pub(super) fn follow(&self, session: &Session, f: impl Fn(Result<(), &str>) + Clone + 'static) {
        let signals = glib::SignalGroup::new::<Session>();
        let (pending, tell) = (self.pending.clone(), f.clone());
        signals.connect_closure(
            "room-changed",
            false,
            glib::closure_local!(move |_: &Session, id: &str| {
                if pending.borrow_mut().remove(id) {
                    tell(Ok(()));
                }
            }),
        );
        let pending = self.pending.clone();
        signals.connect_closure(
            "room-failed",
            false,
            glib::closure_local!(move |_: &Session, id: &str, reason: &str| {
                if pending.borrow_mut().remove(id) {
                    f(Err(reason));
                }
            }),
        );
        signals.set_target(Some(session));
        self.signals.replace(Some(signals));
    }

    /// Waits for the outcome of the request `id`; returns false if there is none.
    pub(super) fn wait_for(&self, id: Option<String>) -> bool {
        let is_made = id.is_some();
        self.pending.borrow_mut().extend(id);
        is_made
    }
}
