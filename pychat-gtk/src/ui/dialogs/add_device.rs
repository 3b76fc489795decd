//! Adds a device: shows the link by which it joins as the reader, with a code that is good once.

use gtk::{glib, glib::clone, prelude::*};
use pychat_wire::link::Address;

use super::link_window::LinkWindow;
use crate::{session::Session, text::i18n::gettext};

/// Opens the window above `parent`. It closes once a device was added.
pub fn open(parent: &impl IsA<gtk::Window>, session: &Session) {
    let window = LinkWindow::new(parent, &gettext("Add Device"));
    let signals = glib::SignalGroup::new::<Session>();
    signals.connect_closure(
        "pair-code-changed",
        false,
        glib::closure_local!(
            #[weak]
            window,
            move |session: &Session| show(&window, session)
        ),
    );
    signals.connect_closure(
        "device-added",
        false,
        glib::closure_local!(
            #[weak]
            window,
            move |_: &Session, _: &str| window.close()
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
    if !session.request_pair_code() {
        window.fail(
            &gettext("Not Connected"),
            &gettext("A device can be added once you are connected to the server."),
            true,
        );
    }
}

fn show(window: &LinkWindow, session: &Session) {
    let Some((link, rest)) = session.pair_link() else { return };
    let mut explanation = gettext(
        "Scan this code with the other device, or open the link there. That device will join under your name.",
    );
    if link.addresses.iter().all(Address::is_of_one_machine) {
        explanation.push_str("\n\n");
        explanation.push_str(&gettext("This server can be reached from this computer only."));
    }
    window.offer(&link.to_string(), &explanation);
    window.count_down(rest);
}
