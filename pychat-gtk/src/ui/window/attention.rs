//! The attention of the reader: a window that is looked at, and what follows from their coming back to it.

use adw::prelude::*;
use gtk::{gio, glib, glib::clone, subclass::prelude::*};

use super::imp::Window;
use crate::{model::time_watch::TimeWatch, session::Room};

impl Window {
    /// Follows whether somebody looks, and has times told anew once they read otherwise.
    pub(super) fn watch_attention(&self) {
        let weak = self.downgrade();
        self.time_watch.get_or_init(|| {
            TimeWatch::new(move || {
                let rooms = weak.upgrade().map(|imp| imp.session.rooms());
                for room in rooms.iter().flat_map(|rooms| rooms.iter::<Room>().flatten()) {
                    room.history().tell_times();
                }
            })
        });
        for property in ["is-active", "visible"] {
            self.obj().connect_notify_local(Some(property), |window, _| {
                window.imp().update_attention();
            });
        }
    }

    /// A lost connection is tried again at once when the network returns, or somebody looks.
    pub(super) fn watch_for_return(&self) {
        let handler = gio::NetworkMonitor::default().connect_network_changed(clone!(
            #[weak(rename_to = session)]
            self.session,
            move |_, is_available| {
                if is_available {
                    session.wake();
                }
            }
        ));
        self.network_handler.replace(Some(handler));
        self.obj().connect_is_active_notify(clone!(
            #[weak(rename_to = session)]
            self.session,
            move |window| {
                if window.is_active() {
                    session.wake();
                }
            }
        ));
    }

    /// A window that is out of sight may be active still, and its conversation may be behind the list
    /// of rooms.
    pub(super) fn update_attention(&self) {
        let is_looked_at = self.obj().is_active() && self.obj().is_visible();
        let seen = self.obj().room().filter(|_| is_looked_at && !self.shows_rooms_alone());
        let is_attended = seen.is_some();
        if let Some(notifier) = self.notifier.get() {
            notifier.set_seen(seen);
        }
        if self.is_attended.replace(is_attended) == is_attended {
            return;
        }
        if is_attended {
            self.look_at_times();
        }
        self.obj().notify_is_attended();
    }

    pub(super) fn look_at_times(&self) {
        if let Some(watch) = self.time_watch.get() {
            watch.look();
        }
    }
}
