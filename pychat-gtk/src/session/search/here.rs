//! The part of a search that goes through what is here, in slices while nothing else is to be done, from the
//! newest message of each room to the oldest.

use std::{
    cell::RefCell,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use gtk::{
    gio::prelude::*,
    glib::{self, clone, subclass::prelude::*},
};

use super::Search;
use crate::{
    model::{History, Message},
    session::Room,
};

/// The longest time messages are gone through before the main loop runs again.
const SLICE: Duration = Duration::from_millis(4);

/// The conversations that are here, as far as a search goes through them.
#[derive(Debug, Default)]
pub(super) struct Here {
    /// The messages to be looked at, the next one last.
    due: RefCell<Vec<(Room, Message)>>,
    /// Looks at them.
    scan: RefCell<Option<glib::JoinHandle<()>>>,
    /// The conversations that are followed, and how.
    watched: RefCell<Vec<(History, [glib::SignalHandlerId; 2])>>,
}

impl Here {
    pub(super) fn is_scanning(&self) -> bool {
        self.scan.borrow().is_some()
    }
}

impl Search {
    /// Goes through what is here, and follows what comes.
    pub(super) fn watch(&self) {
        for room in self.rooms() {
            let history = room.history();
            self.look_later(&room, 0, history.n_items());
            let changes = history.connect_items_changed(clone!(
                #[weak(rename_to = search)]
                self,
                #[strong]
                room,
                move |_, at, _, n_added| search.look_later(&room, at, n_added)
            ));
            let amendments = history.connect_amended(clone!(
                #[weak(rename_to = search)]
                self,
                #[strong]
                room,
                move |_, at| search.look_later(&room, at, 1)
            ));
            self.imp().here.watched.borrow_mut().push((history, [changes, amendments]));
        }
    }

    /// Follows nothing any more.
    pub(super) fn unwatch(&self) {
        let here = &self.imp().here;
        if let Some(scan) = here.scan.take() {
            scan.abort();
        }
        here.due.take();
        for (history, handlers) in here.watched.take() {
            for handler in handlers {
                history.disconnect(handler);
            }
            for message in history.iter::<Message>().flatten() {
                message.set_found(None);
            }
        }
    }

    /// Returns the rooms that are searched.
    pub(super) fn rooms(&self) -> Vec<Room> {
        match (self.room(), self.imp().session.upgrade()) {
            (Some(room), _) => vec![room],
            (None, Some(session)) => session.rooms().all(),
            (None, None) => Vec::new(),
        }
    }

    /// Looks, in a moment, at so many messages of a room from `at` on.
    fn look_later(&self, room: &Room, at: u32, n_messages: u32) {
        let history = room.history();
        let messages = (at..at + n_messages).filter_map(|at| history.message(at));
        let here = &self.imp().here;
        here.due.borrow_mut().extend(messages.map(|message| (room.clone(), message)));
        if here.is_scanning() || here.due.borrow().is_empty() {
            return;
        }
        let weak = self.downgrade();
        let context = glib::MainContext::ref_thread_default();
        let scan = context.spawn_local_with_priority(glib::Priority::DEFAULT_IDLE, async move {
            loop {
                let idle = glib::Priority::DEFAULT_IDLE;
                glib::timeout_future_with_priority(idle, Duration::ZERO).await;
                let Some(search) = weak.upgrade() else { break };
                let flow = search.look_for_a_while();
                if flow.is_break() {
                    search.imp().here.scan.take(); // The task that runs this; it is about to end.
                }
                search.settle();
                if flow.is_break() {
                    break;
                }
            }
        });
        here.scan.replace(Some(scan));
        self.update();
    }

    /// Looks at some of what is due; breaks once that is all.
    fn look_for_a_while(&self) -> ControlFlow<()> {
        let begin = Instant::now();
        while begin.elapsed() < SLICE {
            let next = self.imp().here.due.borrow_mut().pop();
            let Some((room, message)) = next else { return ControlFlow::Break(()) };
            self.look_into(&room, &message);
        }
        ControlFlow::Continue(())
    }
}
