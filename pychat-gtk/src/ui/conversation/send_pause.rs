//! Says when what is written next will be sent, while the server takes nothing for some time: as in slow
//! mode. Nothing that is said meanwhile is lost; it waits.

use std::{
    cell::{OnceCell, RefCell},
    time::Duration,
};

use adw::{prelude::*, subclass::prelude::*};
use gtk::{glib, glib::clone};

use crate::{session::Room, text::i18n::ngettext_f};

/// The shortest time that is told: over less, nobody stumbles.
const TOLD_MIN: Duration = Duration::from_secs(2);

/// The seconds of a minute.
const MINUTE_SECONDS: usize = 60;

mod imp {
    use super::*;

    #[derive(Debug, Default, glib::Properties)]
    #[properties(wrapper_type = super::SendPause)]
    pub struct SendPause {
        label: gtk::Label,
        /// The room in which it is said.
        #[property(get, set = Self::set_room, nullable)]
        room: RefCell<Option<Room>>,
        signals: OnceCell<glib::SignalGroup>,
        countdown: RefCell<Option<glib::JoinHandle<()>>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for SendPause {
        const NAME: &'static str = "PychatSendPause";
        type Type = super::SendPause;
        type ParentType = adw::Bin;
    }

    #[glib::derived_properties]
    impl ObjectImpl for SendPause {
        fn constructed(&self) {
            self.parent_constructed();
            self.label.set_css_classes(&["caption", "dim-label", "numeric"]);
            self.label.set_margin_start(18);
            self.label.set_margin_end(18);
            self.label.set_margin_top(6);
            self.label.set_wrap(true);
            self.label.set_xalign(0.0);
            self.obj().set_child(Some(&self.label));
            self.obj().set_visible(false);
        }
    }

    impl WidgetImpl for SendPause {}

    impl BinImpl for SendPause {}

    impl SendPause {
        fn set_room(&self, room: Option<Room>) {
            self.room.replace(room);
            let signals = self.signals.get_or_init(|| {
                let signals = glib::SignalGroup::new::<Room>();
                let weak = self.downgrade();
                signals.connect_notify_local(Some("held-until-ms"), move |_, _| {
                    if let Some(imp) = weak.upgrade() {
                        imp.begin();
                    }
                });
                signals
            });
            signals.set_target(self.room.borrow().as_ref());
            self.begin();
        }

        /// Shows the time that is left, if it is worth telling, and then each second.
        fn begin(&self) {
            if let Some(countdown) = self.countdown.take() {
                countdown.abort();
            }
            let rest = self.rest().filter(|rest| TOLD_MIN <= *rest);
            self.obj().set_visible(rest.is_some());
            let Some(mut rest) = rest else { return };
            self.label.set_label(&sent_in(rest));
            let countdown = clone!(
                #[weak(rename_to = imp)]
                self,
                async move {
                    loop {
                        // Until the second that is shown is over.
                        let step = Duration::from_millis(rest.subsec_millis().max(10).into());
                        glib::timeout_future(step).await;
                        let Some(left) = imp.rest() else { break };
                        imp.label.set_label(&sent_in(left));
                        rest = left;
                    }
                    imp.obj().set_visible(false);
                }
            );
            self.countdown.replace(Some(glib::spawn_future_local(countdown)));
        }

        fn rest(&self) -> Option<Duration> {
            self.room.borrow().as_ref().and_then(Room::held_for)
        }
    }
}

glib::wrapper! {
    /// Says when what is written next will be sent.
    pub struct SendPause(ObjectSubclass<imp::SendPause>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

/// Returns when the next message is sent: in whole minutes, and at last in seconds.
fn sent_in(rest: Duration) -> String {
    let seconds = usize::try_from(rest.as_millis().div_ceil(1_000).max(1)).unwrap_or(usize::MAX);
    if MINUTE_SECONDS < seconds {
        return ngettext_f(
            "The next message will be sent in {count} minute",
            "The next message will be sent in {count} minutes",
            seconds.div_ceil(MINUTE_SECONDS),
            &[],
        );
    }
    ngettext_f(
        "The next message will be sent in {count} second",
        "The next message will be sent in {count} seconds",
        seconds,
        &[],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_told_in_minutes_and_at_last_in_seconds() {
        for (rest_ms, expected) in [
            (1, "1 second"),
            (1_001, "2 seconds"),
            (60_000, "60 seconds"),
            (60_001, "2 minutes"),
            (300_000, "5 minutes"),
        ] {
            let expected = format!("The next message will be sent in {expected}");
            assert_eq!(sent_in(Duration::from_millis(rest_ms)), expected);
        }
    }
}
