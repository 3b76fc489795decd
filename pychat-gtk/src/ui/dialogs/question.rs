//! Questions before something that cannot be taken back.

use adw::prelude::*;
use gtk::pango;

use crate::text::i18n::gettext;

const CANCEL: &str = "cancel";
const DO_IT: &str = "do";

/// Asks `heading` above `parent`, and explains it by `body`; calls `f` if the reader agrees by the
/// button `answer`.
pub(super) fn ask(
    parent: &gtk::Window,
    heading: &str,
    body: &str,
    answer: &str,
    f: impl Fn() + 'static,
) {
    let dialog = adw::MessageDialog::new(Some(parent), None, None);
    dialog.set_title(Some(heading));
    dialog.set_extra_child(Some(&question(heading, body)));
    dialog.add_response(CANCEL, &gettext("_Cancel"));
    dialog.add_response(DO_IT, answer);
    dialog.set_response_appearance(DO_IT, adw::ResponseAppearance::Destructive);
    dialog.set_default_response(Some(CANCEL));
    dialog.set_close_response(CANCEL);
    dialog.connect_response(Some(DO_IT), move |_, _| f());
    dialog.present();
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
