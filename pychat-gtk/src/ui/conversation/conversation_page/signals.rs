//! The signals and properties that the page follows, of whichever room it shows.

use gtk::{glib, glib::clone};

use super::imp::ConversationPage;
use crate::{model::History, session::Room};

impl ConversationPage {
    /// Follows whichever history there is.
    pub(super) fn history_signals(&self) -> glib::SignalGroup {
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
    pub(super) fn history_bindings(&self) -> glib::BindingGroup {
        let bindings = glib::BindingGroup::new();
        bindings.bind("n-unread", &*self.scroll_to_end_button, "n-unread").sync_create().build();
        bindings.bind("n-unread", &*self.unread_bar, "n-unread").sync_create().build();
        bindings.bind("is-behind", &*self.unread_bar, "is-behind").sync_create().build();
        bindings
    }

    pub(super) fn room_signals(&self) -> glib::SignalGroup {
        Room::online_signals(clone!(
            #[weak(rename_to = imp)]
            self,
            move || imp.load_more()
        ))
    }
}
