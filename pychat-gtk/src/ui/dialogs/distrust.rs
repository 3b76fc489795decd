//! Asks whether a server is still trusted that is not as it was.

use gtk::{glib, glib::clone};

use super::question;
use crate::{
    session::{Session, disconnect_reason::DisconnectReason},
    text::i18n::{gettext, gettext_f},
};

/// Asks above `parent`; joins again if the reader trusts the server as it is now.
pub fn ask(parent: &gtk::Window, session: &Session, reason: &DisconnectReason) {
    let sentence = session.disconnect_sentence().unwrap_or_default();
    let (heading, advice, trust) = match reason {
        DisconnectReason::CertificateChanged { pin } => (
            gettext("Trust the New Certificate?"),
            gettext_f(
                "Ask whoever runs the server if this is its certificate: {pin}",
                &[("pin", pin)],
            ),
            gettext("_Trust"),
        ),
        _ => (
            gettext("Connect Without Encryption?"),
            gettext("Ask whoever runs the server if encryption was turned off."),
            gettext("_Connect"),
        ),
    };
    let body = format!("{sentence}\n\n{advice}");
    let trust_anew = clone!(
        #[weak]
        session,
        move || session.trust_anew()
    );
    question::ask(parent, &heading, &body, &trust, trust_anew);
}
