//! The day of what can be seen, told at the top of the list while somebody scrolls.

use std::time::Duration;

use gtk::{glib, glib::clone, prelude::*};

use super::imp::ConversationPage;
use crate::{
    text::times,
    ui::conversation::{scroll_anchor, stick_to_end::StickToEnd},
};

/// The time for which the day is shown after the last scrolling.
const DAY_TIME: Duration = Duration::from_secs(1);

/// The height of a day's heading in the list, and of the part of the list's top that the floating
/// one takes, in pixels.
const HEADING_HEIGHT: f32 = 36.0;
const DAY_HEIGHT: f32 = 44.0;

/// The top margin of the floating day while the unread bar is shown, in pixels.
const BELOW_BAR: i32 = 40;

impl ConversationPage {
    /// Has the day go for good once it has gone out of sight.
    pub(super) fn watch_date(&self) {
        self.day.connect_child_revealed_notify(|day| day.set_visible(day.reveals_child()));
    }

    /// Tells the day while the reader scrolls, unless the heading of a day does it there.
    pub(super) fn show_date(&self) {
        if !self.stick_to_end.get().is_some_and(StickToEnd::is_reader_scrolling) {
            return;
        }
        let top: Vec<_> = scroll_anchor::rows_in_view(&self.list_view, &self.scrolled_window)
            .take_while(|(_, bounds)| bounds.y() < DAY_HEIGHT)
            .collect();
        let is_told = top.iter().any(|(message, bounds)| {
            message.placement().begins_day && -HEADING_HEIGHT < bounds.y()
        });
        match top.first() {
            Some((message, _)) if !is_told && !self.is_at_end() => {
                let now_ms = glib::real_time() / 1_000;
                self.day_label.set_label(&times::day_name(message.time_ms(), now_ms));
                self.day.set_margin_top(if self.unread_bar.is_visible() { BELOW_BAR } else { 0 });
                self.day.set_visible(true);
                self.day.set_reveal_child(true);
                self.hide_date_later();
            }
            _ => self.day.set_reveal_child(false),
        }
    }

    fn hide_date_later(&self) {
        let end = glib::spawn_future_local(clone!(
            #[weak(rename_to = day)]
            self.day,
            async move {
                glib::timeout_future(DAY_TIME).await;
                day.set_reveal_child(false);
            }
        ));
        if let Some(earlier) = self.date_timeout.replace(Some(end)) {
            earlier.abort();
        }
    }
}
