//! When a message was said, in small figures; pointed at, it tells the day as well.

use std::{cell::Cell, rc::Rc};

use gtk::{glib::clone, prelude::*};

use crate::text::times::{self, Reading};

/// Shows when a message was said.
#[derive(Debug)]
pub(super) struct TimeLabel {
    label: gtk::Label,
    /// In UTC milliseconds since 1970.
    time_ms: Rc<Cell<i64>>,
    /// The minute on show, and how: messages that follow one another are mostly of the same.
    minute: Cell<Option<(i64, Reading)>>,
}

impl Default for TimeLabel {
    fn default() -> Self {
        let label = gtk::Label::new(None);
        label.set_css_classes(&["caption", "dim-label", "numeric"]);
        label.set_has_tooltip(true);
        let time_ms = Rc::new(Cell::default());
        label.connect_query_tooltip(clone!(
            #[strong]
            time_ms,
            move |_, _, _, _, tooltip| {
                tooltip.set_text(Some(&times::full(time_ms.get())));
                true
            }
        ));
        Self { label, time_ms, minute: Cell::default() }
    }
}

impl TimeLabel {
    /// Returns what is on show.
    pub(super) fn label(&self) -> &gtk::Label {
        &self.label
    }

    /// Shows this time, in UTC milliseconds since 1970.
    pub(super) fn show(&self, time_ms: i64) {
        self.time_ms.set(time_ms);
        let minute = Some((time_ms.div_euclid(60_000), times::reading(time_ms)));
        if self.minute.replace(minute) != minute {
            self.label.set_label(&times::clock(time_ms));
        }
    }
}
