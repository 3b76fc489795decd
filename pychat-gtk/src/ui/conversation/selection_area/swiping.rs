//! A message that a finger drags towards the start of its line is answered.
//!
//! The list scrolls by its own gesture, which gives a finger up once that goes sideways; this one gives it
//! up once it goes up or down. So each finger belongs to one of the two: what scrolls hears no more of one
//! that drags a message, and is told so by `is-swiping`.

use std::cell::{Cell, RefCell};

use adw::prelude::*;
use gtk::{glib, glib::clone, subclass::prelude::*};

use super::{imp::SelectionArea, item::row_of};
use crate::{
    session::room::MessageChange,
    ui::message_row::{MessageRow, REPLY_DISTANCE},
};

/// The distance that a finger goes before it is clear where to, in pixels.
const SLOP: f64 = 16.0;

/// The time in which a message that was let go is back in its place, in milliseconds.
const RETURN_MS: u32 = 150;

/// The message that a finger drags.
#[derive(Debug, Default)]
pub(super) struct Swipe {
    row: glib::WeakRef<MessageRow>,
    /// True once it is clear that the finger drags the message, and nothing else.
    is_dragged: Cell<bool>,
    /// Leads the message back to its place.
    return_: RefCell<Option<adw::TimedAnimation>>,
}

impl Swipe {
    pub(super) fn is_dragged(&self) -> bool {
        self.is_dragged.get()
    }
}

impl SelectionArea {
    /// Has messages be answered that are dragged aside.
    pub(super) fn watch_swipes(&self) {
        let drag = gtk::GestureDrag::new();
        drag.set_touch_only(true);
        drag.set_propagation_phase(gtk::PropagationPhase::Capture);
        drag.connect_drag_begin(clone!(
            #[weak(rename_to = imp)]
            self,
            move |drag, x, y| imp.begin_swipe(drag, x, y)
        ));
        drag.connect_drag_update(clone!(
            #[weak(rename_to = imp)]
            self,
            move |drag, dx, dy| imp.go_on_swiping(drag, dx, dy)
        ));
        drag.connect_cancel(clone!(
            #[weak(rename_to = imp)]
            self,
            move |_, _| imp.end_swipe(0.0)
        ));
        drag.connect_drag_end(clone!(
            #[weak(rename_to = imp)]
            self,
            move |_, dx, _| imp.end_swipe(dx)
        ));
        self.obj().add_controller(drag);
    }

    fn begin_swipe(&self, drag: &gtk::GestureDrag, x: f64, y: f64) {
        let row = self.item_at(x, y).as_ref().and_then(row_of);
        let room = self.obj().room();
        let can_answer = |row: &MessageRow| {
            let message = row.message().zip(room.as_ref());
            message.is_some_and(|(message, room)| room.can(MessageChange::Answer, &message))
        };
        let row = row.filter(can_answer);
        self.swipe.row.set(row.as_ref());
        self.swipe.is_dragged.set(false);
        if row.is_none() {
            drag.set_state(gtk::EventSequenceState::Denied);
        }
    }

    fn go_on_swiping(&self, drag: &gtk::GestureDrag, dx: f64, dy: f64) {
        let Some(row) = self.swipe.row.upgrade() else { return };
        let aside = self.aside(dx);
        if !self.swipe.is_dragged.get() {
            if aside < SLOP && dy.abs() < SLOP && -aside < SLOP {
                return; // It may go anywhere.
            }
            if aside < 2.0 * dy.abs() {
                self.swipe.row.set(None);
                drag.set_state(gtk::EventSequenceState::Denied);
                return;
            }
            self.swipe.is_dragged.set(true);
            drag.set_state(gtk::EventSequenceState::Claimed);
            self.obj().notify_is_swiping();
            if let Some(before) = self.swipe.return_.take() {
                before.skip();
            }
        }
        row.set_swiped(aside.max(0.0));
    }

    fn end_swipe(&self, dx: f64) {
        let Some(row) = self.swipe.row.upgrade().filter(|_| self.swipe.is_dragged.take()) else {
            return;
        };
        self.swipe.row.set(None);
        self.obj().notify_is_swiping();
        let aside = self.aside(dx);
        if REPLY_DISTANCE <= aside
            && let Some(message) = row.message()
        {
            // It fails only outside a conversation.
            let _ =
                self.obj().activate_action("conversation.reply", Some(&message.key().to_variant()));
        }
        let target = adw::CallbackAnimationTarget::new(clone!(
            #[weak]
            row,
            move |aside| row.set_swiped(aside)
        ));
        let animation = adw::TimedAnimation::new(&row, row.swiped(), 0.0, RETURN_MS, target);
        animation.play();
        self.swipe.return_.replace(Some(animation));
    }

    /// Returns how far towards the start of its line a message is that was dragged so far to the right.
    fn aside(&self, dx: f64) -> f64 {
        if self.obj().direction() == gtk::TextDirection::Rtl { dx } else { -dx }
    }
}
