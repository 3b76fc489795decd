//! The menu on a person in the list of people: to talk to them, and for operators.

use gtk::{gdk, gio, glib, glib::clone, prelude::*};

use super::person_row::PersonRow;
use crate::{
    text::i18n::gettext,
    ui::menu::{self, item},
};

/// The parts of the menu that are offered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Offered {
    /// True if one can talk to people directly.
    pub(super) messages: bool,
    /// True if the reader may moderate.
    pub(super) moderation: bool,
}

/// Opens menus on the people in `list_view`, above `parent`, with what `offered` says. What is
/// returned belongs to `parent`, which has to let it go in the end.
pub(super) fn install(
    parent: &impl IsA<gtk::Widget>,
    list_view: &gtk::ListView,
    offered: impl Fn() -> Offered + Clone + 'static,
) -> gtk::PopoverMenu {
    let popover = menu::popover(parent);
    // Rows under an open menu would go on to explain themselves, above it.
    popover
        .bind_property("visible", list_view, "can-target")
        .sync_create()
        .invert_boolean()
        .build();
    let open = clone!(
        #[weak]
        popover,
        #[weak]
        list_view,
        #[upgrade_or]
        false,
        move |row: Option<PersonRow>, place: Option<(f64, f64)>| {
            row.is_some_and(|row| open(&popover, &list_view, &row, place, offered()))
        }
    );
    let click = gtk::GestureClick::builder().button(gdk::BUTTON_SECONDARY).build();
    click.connect_pressed(clone!(
        #[strong]
        open,
        move |click, _, x, y| {
            if open(row_at(click, x, y), Some((x, y))) {
                click.set_state(gtk::EventSequenceState::Claimed);
            }
        }
    ));
    let press = gtk::GestureLongPress::builder().touch_only(true).build();
    press.connect_pressed(clone!(
        #[strong]
        open,
        move |press, x, y| {
            if open(row_at(press, x, y), Some((x, y))) {
                press.set_state(gtk::EventSequenceState::Claimed);
            }
        }
    ));
    let keys = gtk::ShortcutController::new();
    let by_key = gtk::CallbackAction::new(move |list_view, _| {
        let row = list_view.focus_child().and_then(|item| item.first_child());
        open(row.and_downcast(), None).into()
    });
    let trigger = gtk::ShortcutTrigger::parse_string("Menu|<Shift>F10");
    keys.add_shortcut(gtk::Shortcut::new(trigger, Some(by_key)));
    list_view.add_controller(click);
    list_view.add_controller(press);
    list_view.add_controller(keys);
    popover
}

/// Opens the menu on a person other than the reader, at `place` or below their row; returns false if
/// it is the reader, or nothing is offered.
pub(super) fn open(
    popover: &gtk::PopoverMenu,
    list_view: &gtk::ListView,
    row: &PersonRow,
    place: Option<(f64, f64)>,
    offered: Offered,
) -> bool {
    if !offered.messages && !offered.moderation {
        return false;
    }
    let Some(person) = row.person().filter(|person| !person.is_self()) else { return false };
    let Some(parent) = popover.parent() else { return false };
    let place = match place {
        Some((x, y)) => list_view.translate_coordinates(&parent, x, y).map(|(x, y)| menu::at(x, y)),
        None => row.compute_bounds(&parent).as_ref().map(menu::below),
    };
    let Some(place) = place else { return false };
    popover.set_menu_model(Some(&model(&person.name(), offered)));
    popover.set_pointing_to(Some(&place));
    popover.popup();
    true
}

fn model(name: &str, offered: Offered) -> gio::Menu {
    let menu = gio::Menu::new();
    if offered.messages {
        let section = gio::Menu::new();
        section.append_item(&menu::direct(name));
        section.append_item(&item(&gettext("_Mention"), "win.mention", name));
        menu.append_section(None, &section);
    }
    if offered.moderation {
        menu.append_section(None, &menu::moderation(name));
    }
    menu
}

/// Returns the row at a place of the list that `controller` belongs to.
fn row_at(controller: &impl IsA<gtk::EventController>, x: f64, y: f64) -> Option<PersonRow> {
    let part = controller.widget()?.pick(x, y, gtk::PickFlags::DEFAULT)?;
    let row = part.ancestor(PersonRow::static_type()).or_else(|| part.first_child());
    row.and_downcast()
}
