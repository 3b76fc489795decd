//! Where the people are shown: beside the conversation if there is room for both, else over it.
//!
//! Beside it they stay, here and in the next window, until they are sent away. Over it they come
//! when they are called and go when somebody was chosen; that is not remembered.

use gtk::{glib::clone, prelude::*};

use crate::settings::Settings;

/// Keeps `flap` as the reader wants it; what that is, `settings` remember.
pub fn keep(flap: &adw::Flap, settings: &Settings) {
    flap.set_reveal_flap(settings.shows_people() && !flap.is_folded());
    flap.connect_folded_notify(clone!(
        #[strong]
        settings,
        move |flap| flap.set_reveal_flap(settings.shows_people() && !flap.is_folded())
    ));
    flap.connect_reveal_flap_notify(clone!(
        #[strong]
        settings,
        move |flap| {
            // A flap that folds closes first: that is nobody's wish.
            if !flap.is_folded() {
                settings.show_people(flap.reveals_flap());
            }
        }
    ));
    hide_while_closed(flap);
}

/// Hides what is in `flap` while that is closed. It would still be there, only not drawn: a screen
/// reader would read it out.
pub fn hide_while_closed(flap: &adw::Flap) {
    flap.connect_reveal_flap_notify(hide_unrevealed);
    flap.connect_reveal_progress_notify(hide_unrevealed);
    hide_unrevealed(flap);
}

fn hide_unrevealed(flap: &adw::Flap) {
    // Its place stays, or the flap would take the room for its own and unfold.
    if let Some(content) = flap.flap().and_then(|place| place.first_child()) {
        content.set_visible(flap.reveals_flap() || 0.0 < flap.reveal_progress());
    }
}
