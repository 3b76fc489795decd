//! Invites people: shows a link by which others can join, or why there is none.

use gtk::{glib, glib::clone, prelude::*};
use pychat_wire::link::{Address, Link};

use super::link_window::LinkWindow;
use crate::{
    session::{Session, invites::Invite},
    text::i18n::{gettext, ngettext_f},
};

/// The milliseconds of an hour.
const HOUR_MS: u64 = 60 * 60 * 1_000;

/// The hours of a day.
const DAY_HOURS: u64 = 24;

/// Opens the window above `parent`.
pub fn open(parent: &impl IsA<gtk::Window>, session: &Session) {
    let window = LinkWindow::new(parent, &gettext("Invite People"));
    let signals = glib::SignalGroup::new::<Session>();
    signals.connect_closure(
        "invite-changed",
        false,
        glib::closure_local!(
            #[weak]
            window,
            move |session: &Session| show(&window, session)
        ),
    );
    signals.set_target(Some(session));
    window.connect_destroy(move |_| signals.set_target(None::<&Session>));
    window.connect_renew(clone!(
        #[weak]
        session,
        move |window| request(window, &session)
    ));
    request(&window, session);
    window.present();
}

fn request(window: &LinkWindow, session: &Session) {
    if !session.request_invite() {
        window.fail(
            &gettext("Not Connected"),
            &gettext("You can invite people once you are connected to the server."),
            true,
        );
    }
}

fn show(window: &LinkWindow, session: &Session) {
    match session.invite() {
        Some(Invite::Offered { link, uses, expires_ms }) => {
            window.offer(&link.to_string(), &explanation(&link));
            let sentences = [uses.map(uses_left), expires_ms.map(time_left)];
            window.set_validity(&sentences.into_iter().flatten().collect::<Vec<_>>().join("\n"));
        }
        Some(Invite::Refused(reason)) => {
            window.fail(&gettext("You Cannot Invite People Here"), &reason, false);
        }
        None => (),
    }
}

fn explanation(link: &Link) -> String {
    let mut explanation = gettext(
        "Send this link to the people you want to invite, or let them scan the code. It opens in Pychat.",
    );
    if link.addresses.iter().all(Address::is_of_one_machine) {
        explanation.push_str("\n\n");
        explanation.push_str(&gettext("This server can be reached from this computer only."));
    }
    explanation
}

fn uses_left(uses: u64) -> String {
    let uses = usize::try_from(uses).unwrap_or(usize::MAX);
    ngettext_f("{count} person can join by it.", "{count} people can join by it.", uses, &[])
}

/// Returns how long a link is good, in whole hours or days.
fn time_left(expires_ms: u64) -> String {
    let hours = expires_ms.div_ceil(HOUR_MS);
    let count = |n| usize::try_from(n).unwrap_or(usize::MAX);
    if hours <= 2 * DAY_HOURS {
        let hours = count(hours);
        return ngettext_f("It works for {count} hour.", "It works for {count} hours.", hours, &[]);
    }
    let days = count(hours.div_ceil(DAY_HOURS));
    ngettext_f("It works for {count} day.", "It works for {count} days.", days, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_told_in_hours_and_then_in_days() {
        for (expires_ms, expected) in [
            (1, "It works for 1 hour."),
            (HOUR_MS + 1, "It works for 2 hours."),
            (48 * HOUR_MS, "It works for 48 hours."),
            (48 * HOUR_MS + 1, "It works for 3 days."),
            (7 * 24 * HOUR_MS - 5, "It works for 7 days."),
        ] {
            assert_eq!(time_left(expires_ms), expected);
        }
        assert_eq!(uses_left(1), "1 person can join by it.");
        assert!(time_left(u64::MAX).ends_with(" days."));
    }
}
