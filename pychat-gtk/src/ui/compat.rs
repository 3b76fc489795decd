//! The differences between the versions of GTK and libadwaita that the client runs with.
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

/// Has the items of a menu named by what they show, whenever it opens.
///
/// GTK refers to their labels for that. GTK 4.18 hides these, and the items are left without a name.
pub fn name_menu_items(menu: &gtk::Popover) {
    menu.connect_map(|menu| name_menu_items_below(menu.upcast_ref()));
}

fn name_menu_items_below(widget: &gtk::Widget) {
    for child in children(widget) {
        match child.downcast_ref::<gtk::Label>() {
            Some(label) if widget.accessible_role() == gtk::AccessibleRole::MenuItem => {
                widget.reset_relation(gtk::AccessibleRelation::LabelledBy);
                widget.update_property(&[gtk::accessible::Property::Label(&label.text())]);
                return; // Labels that follow show keys.
            }
            _ => name_menu_items_below(&child),
        }
    }
}

fn children(widget: &gtk::Widget) -> impl Iterator<Item = gtk::Widget> {
    std::iter::successors(widget.first_child(), WidgetExt::next_sibling)
}
