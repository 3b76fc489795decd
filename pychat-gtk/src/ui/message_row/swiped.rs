//! A row that is dragged aside to be answered, and the sign of that beside it.

use gtk::{graphene, prelude::*, subclass::prelude::*};

use super::{MessageRow, imp};

/// The distance aside from which on a message is answered, in pixels.
pub const REPLY_DISTANCE: f64 = 64.0;

/// The most that a message is moved aside, in pixels.
const DISTANCE_MAX: f64 = 96.0;

const ICON_SIZE: i32 = 16;

impl MessageRow {
    /// Returns how far it stands aside.
    pub fn swiped(&self) -> f64 {
        self.imp().swiped.get()
    }

    /// Lets it stand so far aside, in pixels towards the start of its line.
    pub fn set_swiped(&self, aside: f64) {
        let aside = aside.clamp(0.0, DISTANCE_MAX);
        if self.imp().swiped.replace(aside).to_bits() != aside.to_bits() {
            self.queue_draw();
        }
    }
}

impl imp::MessageRow {
    /// Draws it where it stands, and the sign beside it, which is whole once letting go answers.
    pub(super) fn snapshot_swiped(&self, snapshot: &gtk::Snapshot, aside: f64) {
        let is_rtl = self.obj().direction() == gtk::TextDirection::Rtl;
        #[expect(clippy::cast_possible_truncation, reason = "it is at most 96")]
        let shift = if is_rtl { aside } else { -aside } as f32;
        snapshot.save();
        snapshot.translate(&graphene::Point::new(shift, 0.0));
        self.parent_snapshot(snapshot);
        snapshot.restore();
        self.snapshot_icon(snapshot, (aside / REPLY_DISTANCE).min(1.0), is_rtl);
    }

    fn snapshot_icon(&self, snapshot: &gtk::Snapshot, progress: f64, is_rtl: bool) {
        let obj = self.obj();
        let icon = gtk::IconTheme::for_display(&obj.display()).lookup_icon(
            "mail-reply-sender-symbolic",
            &[],
            ICON_SIZE,
            obj.scale_factor(),
            obj.direction(),
            gtk::IconLookupFlags::FORCE_SYMBOLIC,
        );
        let size = f64::from(ICON_SIZE);
        let x = if is_rtl { size / 2.0 } else { f64::from(obj.width()) - 1.5 * size };
        let y = (f64::from(obj.height()) - size) / 2.0;
        let color = obj.style_context().color();
        snapshot.save();
        #[expect(clippy::cast_possible_truncation, reason = "they are places on a screen")]
        snapshot.translate(&graphene::Point::new(x as f32, y as f32));
        snapshot.push_opacity(if progress < 1.0 { progress / 2.0 } else { 1.0 });
        icon.snapshot_symbolic(snapshot, size, size, &[color]);
        snapshot.pop();
        snapshot.restore();
    }
}
