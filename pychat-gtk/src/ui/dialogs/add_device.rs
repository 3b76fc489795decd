//! Adds a device: shows the link by which it joins as the reader, with a code that is good once.

use gtk::{glib, glib::clone, prelude::*};

use super::link_window::LinkWindow;
use crate::{session::Session, text::i18n::gettext};

/// Opens the window above `parent`. It closes once a device was added.
pub fn open(parent: &impl IsA<gtk::Window>, session: &Session) {
    let window = LinkWindow::new(parent, &gettext("Add Device"));
    let code = session.connect_closure(
        "pair-code-changed",
        false,
        glib::closure_local!(
            #[weak]
            window,
            move |session: &Session| show(&window, session)
        ),
    );
    let added = session.connect_closure(
        "device-added",
        false,
        glib::closure_local!(
            #[weak]
            window,
            move |_: &Session, _: &str| window.close()
        ),
    );
    let handlers = std::cell::Cell::new(Some([code, added]));
    window.connect_close_request(clone!(
        #[weak]
        session,
        #[upgrade_or]
        glib::Propagation::Proceed,
        move |_| {
            handlers.take().into_iter().flatten().for_each(|handler| session.disconnect(handler));
            glib::Propagation::Proceed
        }
    ));
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
    if let Some((link, rest)) = session.pair_link() {
        window.offer(
            &link,
            &gettext(
                "Scan this code with the other device, or open the link there. That device will join under your name.",
            ),
        );
        window.count_down(rest);
    }
}
