//! The signals and properties that the page follows, of whichever room it shows.

use gtk::{glib, glib::clone};

use super::imp::ConversationPage;
use crate::{model::History, session::Room};

/// The signals and properties of whichever room the page shows.
#[derive(Debug)]
pub(super) struct Signals {
    history: glib::SignalGroup,
    counts: glib::BindingGroup,
    room: glib::SignalGroup,
    back_pages: glib::SignalGroup,
    amendments: glib::SignalGroup,
}

impl Signals {
    /// Follows `room` instead of the one before.
    pub(super) fn follow(&self, room: Option<&Room>) {
        let history = room.map(Room::history);
        self.history.set_target(history.as_ref());
        self.counts.set_source(history.as_ref());
        self.room.set_target(room);
        self.back_pages.set_target(room);
        self.amendments.set_target(room);
    }
}

impl ConversationPage {
    pub(super) fn signals(&self) -> Signals {
        Signals {
            history: self.history_signals(),
            counts: self.count_bindings(),
            room: self.room_signals(),
            back_pages: self.back_page_signals(),
            amendments: self.amendment_signals(),
        }
    }

    /// Follows whichever history there is.
    fn history_signals(&self) -> glib::SignalGroup {
        let signals = glib::SignalGroup::new::<History>();
        signals.connect_closure(
            "items-changed",
            false,
            glib::closure_local!(
                #[weak(rename_to = imp)]
                self,
                move |history: &History, _: u32, _: u32, _: u32| {
                    imp.choose_view(history);
                    imp.load_more_later();
                }
            ),
        );
        signals.connect_closure(
            "caught-up",
            false,
            glib::closure_local!(
                #[weak(rename_to = imp)]
                self,
                move |history: &History| imp.on_caught_up(history)
            ),
        );
        signals
    }

    /// Shows how much of whichever history there is is new.
    fn count_bindings(&self) -> glib::BindingGroup {
        let bindings = glib::BindingGroup::new();
        bindings.bind("n-unread", &*self.scroll_to_end_button, "n-unread").sync_create().build();
        bindings.bind("n-unread", &*self.unread_bar, "n-unread").sync_create().build();
        bindings.bind("is-behind", &*self.unread_bar, "is-behind").sync_create().build();
        bindings
    }

    fn room_signals(&self) -> glib::SignalGroup {
        Room::online_signals(clone!(
            #[weak(rename_to = imp)]
            self,
            move || imp.load_more()
        ))
    }

    /// Goes on to the message that is fetched, with each page.
    fn back_page_signals(&self) -> glib::SignalGroup {
        let signals = glib::SignalGroup::new::<Room>();
        signals.connect_closure(
            "back-pages-changed",
            false,
            glib::closure_local!(
                #[weak(rename_to = imp)]
                self,
                move |_: &Room| imp.go_on_jumping()
            ),
        );
        signals
    }
}
