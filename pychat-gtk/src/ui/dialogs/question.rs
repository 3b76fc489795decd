//! Questions: before something that cannot be taken back, or that has to be told more exactly.

use adw::prelude::*;
use gtk::pango;

use crate::text::i18n::gettext;

const CANCEL: &str = "cancel";

/// The response by which the reader agrees.
pub(super) const DO_IT: &str = "do";

/// Asks `heading` above `parent`, and explains it by `body`; calls `f` if the reader agrees by the
/// button `answer`.
pub(super) fn ask(
    parent: &gtk::Window,
    heading: &str,
    body: &str,
    answer: &str,
    f: impl Fn() + 'static,
) {
    let (dialog, _) = dialog(parent, heading, body, answer);
    dialog.set_response_appearance(DO_IT, adw::ResponseAppearance::Destructive);
    dialog.set_default_response(Some(CANCEL));
    dialog.connect_response(Some(DO_IT), move |_, _| f());
    dialog.present();
}

/// Makes the dialog of a question, and the box in it to which more can be added.
pub(super) fn dialog(
    parent: &gtk::Window,
    heading: &str,
    body: &str,
    answer: &str,
) -> (adw::MessageDialog, gtk::Box) {
    let dialog = adw::MessageDialog::new(Some(parent), None, None);
    let question = question(heading, body);
    dialog.set_title(Some(heading));
    dialog.set_extra_child(Some(&question));
    dialog.add_response(CANCEL, &gettext("_Cancel"));
    dialog.add_response(DO_IT, answer);
    dialog.set_close_response(CANCEL);
    (dialog, question)
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
