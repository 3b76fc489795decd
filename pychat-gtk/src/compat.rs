//! What differs between the versions of GTK and libadwaita that the client runs with.
//!
//! It is built against GTK 4.8 and libadwaita 1.2, and runs with every later version of GTK 4 and
//! libadwaita 1.

use gtk::prelude::*;

/// Names the item of a list view around `row`, which is where the keyboard stops and has no name
/// by itself.
///
/// Does nothing until the row has a root, so a row has to name its item again when it gets one.
/// From GTK 4.12 on, an item that has none is still being built and belongs to nobody: a reference
/// to it, taken here, would be its first, and its last when it is dropped.
pub fn name_list_item(row: &impl IsA<gtk::Widget>, label: &str, description: &str) {
    let row = row.upcast_ref();
    if row.root().is_none() {
        return;
    }
    if let Some(item) = row.parent() {
        item.update_property(&[
            gtk::accessible::Property::Label(label),
            gtk::accessible::Property::Description(description),
        ]);
    }
}
