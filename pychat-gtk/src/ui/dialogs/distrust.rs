//! Asks whether a server is still trusted that is not as it was.

use adw::prelude::*;
use gtk::{glib, glib::clone, pango};

use crate::{
    session::{Session, disconnect_reason::DisconnectReason},
    text::i18n::{gettext, gettext_f},
};

const CANCEL: &str = "cancel";
const TRUST: &str = "trust";

/// Asks above `parent`; joins again if the reader trusts the server as it is now.
pub fn ask(parent: &gtk::Window, session: &Session, reason: &DisconnectReason) {
    let sentence = session.disconnect_sentence().unwrap_or_default();
    let (heading, advice, trust) = match reason {
        DisconnectReason::CertificateChanged { pin } => {
            (gettext("Trust the New Certificate?"), is_this_it(pin), gettext("_Trust"))
        }
        DisconnectReason::CertificateUnexpected { pin } => {
            (gettext("Trust This Certificate?"), is_this_it(pin), gettext("_Trust"))
        }
        _ => (
            gettext("Connect Without Encryption?"),
            gettext("Ask whoever runs the server if encryption was turned off."),
            gettext("_Connect"),
        ),
    };
    let body = format!("{sentence}\n\n{advice}");
    let dialog = adw::MessageDialog::new(Some(parent), None, None);
    dialog.set_title(Some(&heading));
    dialog.set_extra_child(Some(&question(&heading, &body)));
    dialog.add_response(CANCEL, &gettext("_Cancel"));
    dialog.add_response(TRUST, &trust);
    dialog.set_response_appearance(TRUST, adw::ResponseAppearance::Destructive);
    dialog.set_default_response(Some(CANCEL));
    dialog.set_close_response(CANCEL);
    dialog.connect_response(
        Some(TRUST),
        clone!(
            #[weak]
            session,
            move |_, _| session.trust_anew()
        ),
    );
    dialog.present();
}

fn is_this_it(pin: &str) -> String {
    gettext_f("Ask whoever runs the server if this is its certificate: {pin}", &[("pin", pin)])
}

/// Returns the question with its reason. Libadwaita's own heading measures itself wrongly from 1.6 on,
/// and GTK complains of that.
fn question(heading: &str, body: &str) -> gtk::Box {
    let label = |text: &str| {
        let label =
            gtk::Label::builder().label(text).wrap(true).wrap_mode(pango::WrapMode::WordChar);
        label.justify(gtk::Justification::Center)
    };
    let question = gtk::Box::builder().orientation(gtk::Orientation::Vertical).spacing(12).build();
    question.append(&label(heading).css_classes(["title-2"]).build());
    question.append(&label(body).build());
    question
}
