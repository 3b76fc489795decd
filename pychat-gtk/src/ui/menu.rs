//! Menus that open at a place, and the items that several of them have.

use gtk::{gdk, gio, graphene, prelude::*};

use crate::{text::i18n::gettext, ui::compat};

/// Makes a menu, to be shown over `parent`, which has to let it go in the end.
pub fn popover(parent: &impl IsA<gtk::Widget>) -> gtk::PopoverMenu {
    let popover = gtk::PopoverMenu::from_model(None::<&gio::MenuModel>);
    popover.set_has_arrow(false);
    popover.set_halign(gtk::Align::Start);
    popover.set_parent(parent);
    compat::name_menu_items(popover.upcast_ref());
    popover
}

/// Returns where a menu opens that is asked for at a place.
pub fn at(x: f64, y: f64) -> gdk::Rectangle {
    gdk::Rectangle::new(whole(x), whole(y), 1, 1)
}

/// Returns where a menu opens that is asked for by keyboard, for what has these bounds.
pub fn below(bounds: &graphene::Rect) -> gdk::Rectangle {
    let [x, y] = [bounds.x(), bounds.y()].map(|it| whole(it.into()));
    gdk::Rectangle::new(x, y, whole(bounds.width().into()), whole(bounds.height().into()))
}

/// Returns a length in whole pixels.
#[expect(clippy::cast_possible_truncation, reason = "no screen is 2³¹ pixels wide")]
fn whole(pixels: f64) -> i32 {
    pixels.round() as i32
}

/// Returns what an operator can do about the person called `name`.
pub fn moderation(name: &str) -> gio::Menu {
    let section = gio::Menu::new();
    for (label, action) in [
        (gettext("M_ute…"), "win.mute"),
        (gettext("_Remove from Chat…"), "win.remove"),
        (gettext("_Ban…"), "win.ban"),
    ] {
        section.append_item(&item(&label, action, name));
    }
    section
}

/// Returns the item that begins a direct talk with the person called `name`, where there are any.
pub fn direct(name: &str) -> gio::MenuItem {
    let item = item(&gettext("Message _Privately"), "win.message-person", name);
    item.set_attribute_value("hidden-when", Some(&"action-disabled".to_variant()));
    item
}

/// Returns an item that activates `action` with `target`.
pub fn item(label: &str, action: &str, target: &str) -> gio::MenuItem {
    let item = gio::MenuItem::new(Some(label), None);
    item.set_action_and_target_value(Some(action), Some(&target.to_variant()));
    item
}
