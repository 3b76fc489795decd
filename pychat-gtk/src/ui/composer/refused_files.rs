//! Pictures and files, which cannot be sent: what is pasted or dropped says so, rather than nothing.

use gtk::{gdk, glib, glib::prelude::*, prelude::*};

/// The MIME types that are offered together with files, and with nothing else.
const FILE_TRANSFERS: [&str; 2] =
    ["application/vnd.portal.filetransfer", "application/vnd.portal.files"];

/// Calls `f` when a picture or a file is pasted into `text_view`, or dropped on it.
pub(super) fn connect_refused(text_view: &gtk::TextView, f: impl Fn() + Clone + 'static) {
    let refuse = f.clone();
    text_view.connect_paste_clipboard(move |text_view| {
        if is_refused(&text_view.clipboard().formats()) {
            text_view.stop_signal_emission_by_name("paste-clipboard");
            refuse();
        }
    });
    let drops = gtk::DropTargetAsync::new(None, gdk::DragAction::COPY);
    // The text view itself takes the path of a file.
    drops.set_propagation_phase(gtk::PropagationPhase::Capture);
    drops.connect_accept(|_, drop| is_refused(&drop.formats()));
    drops.connect_drop(move |_, drop, _, _| {
        drop.finish(gdk::DragAction::empty());
        f();
        true
    });
    text_view.add_controller(drops);
}

/// Returns true for files, and for pictures without a text that could be sent instead.
fn is_refused(formats: &gdk::ContentFormats) -> bool {
    let types = formats.clone().union_deserialize_types();
    let is_picture = types.contains_type(gdk::Texture::static_type());
    let is_text = types.contains_type(glib::Type::STRING);
    FILE_TRANSFERS.iter().any(|it| formats.contain_mime_type(it)) || is_picture && !is_text
}
