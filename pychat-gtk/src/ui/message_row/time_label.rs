//! When a message was said, in small figures; pointed at, it tells the day as well.

use std::{cell::Cell, rc::Rc};

use gtk::{glib::clone, prelude::*};

use crate::text::{
    i18n::gettext_f,
    times::{self, Reading},
};

/// Shows when a message was said.
#[derive(Debug)]
pub(super) struct TimeLabel {
    label: gtk::Label,
    /// When it was said, and edited last, in UTC milliseconds since 1970.
    times_ms: Rc<Cell<(i64, Option<i64>)>>,
    /// The minute on show, how, and whether it was edited: messages that follow one another are mostly
    /// alike in that.
    minute: Cell<Option<(i64, Reading, bool)>>,
}

impl Default for TimeLabel {
    fn default() -> Self {
        let label = gtk::Label::new(None);
        label.set_css_classes(&["caption", "dim-label", "numeric"]);
        label.set_has_tooltip(true);
        let times_ms = Rc::new(Cell::default());
        label.connect_query_tooltip(clone!(
            #[strong]
            times_ms,
            move |_, _, _, _, tooltip| {
                tooltip.set_text(Some(&explain(times_ms.get())));
                true
            }
        ));
        Self { label, times_ms, minute: Cell::default() }
    }
}

impl TimeLabel {
    /// Returns what is on show.
    pub(super) fn label(&self) -> &gtk::Label {
        &self.label
    }

    /// Shows this time, and that of the last edit if there was one, in UTC milliseconds since 1970.
    pub(super) fn show(&self, time_ms: i64, edited_ms: Option<i64>) {
        self.times_ms.set((time_ms, edited_ms));
        let is_edited = edited_ms.is_some();
        let minute = Some((time_ms.div_euclid(60_000), times::reading(time_ms), is_edited));
        if self.minute.replace(minute) != minute {
            let clock = times::clock(time_ms);
            if is_edited {
                // Translators: stands beside a message that was edited; {time} is when it was said.
                self.label.set_label(&gettext_f("edited {time}", &[("time", &clock)]));
            } else {
                self.label.set_label(&clock);
            }
        }
    }
}

/// Returns when something was said, and when it was edited last, in full.
fn explain((time_ms, edited_ms): (i64, Option<i64>)) -> String {
    let time = times::full(time_ms);
    match edited_ms {
        // Translators: two lines, the times in full.
        Some(edited_ms) => gettext_f(
            "{time}\nEdited {edited}",
            &[("time", &time), ("edited", &times::full(edited_ms))],
        ),
        None => time.into(),
    }
}
