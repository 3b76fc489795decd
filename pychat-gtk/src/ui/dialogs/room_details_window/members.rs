//! The members of a room: listed, added and removed.

use std::cell::RefCell;

use adw::{prelude::*, subclass::prelude::*};
use gtk::{gio, glib, glib::clone};

use super::imp::RoomDetailsWindow;
use crate::{
    model::{People, Person},
    session::Room,
    text::{
        i18n::{gettext, gettext_f, ngettext_f},
        names::isolated,
    },
    ui::{
        compat,
        dialogs::question::{self, DO_IT},
        menu,
    },
};

/// The most members that are listed; a longer list takes long to show.
const LISTED_MAX: usize = 200;

/// The members that are listed.
#[derive(Debug, Default)]
pub(super) struct Members {
    rows: RefCell<Vec<adw::ActionRow>>,
}

/// Lets the window know the actions on members.
pub(super) fn install(klass: &mut <RoomDetailsWindow as ObjectSubclass>::Class) {
    let name = Some(glib::VariantTy::STRING);
    klass.install_action("room-details.message", name, |window, _, name| {
        let Some(parent) = window.transient_for() else { return };
        window.close();
        // It fails only where the window has gone.
        let _ = parent.activate_action("win.message-person", name);
    });
    klass.install_action("room-details.remove", name, |window, _, name| {
        if let Some(name) = name.and_then(glib::Variant::str) {
            window.imp().ask_to_remove(name);
        }
    });
}

impl RoomDetailsWindow {
    /// Lists the members, now and when they change.
    pub(super) fn watch_members(&self, room: &Room) {
        let people = glib::SignalGroup::new::<People>();
        people.connect_closure(
            "items-changed",
            false,
            glib::closure_local!(
                #[weak(rename_to = imp)]
                self,
                move |_: &People, _: u32, _: u32, _: u32| imp.list_members()
            ),
        );
        people.set_target(Some(&room.people()));
        self.signals.borrow_mut().push(people);
        self.list_members_anew();
    }

    /// Asks for the members, and lists those that are known until then.
    pub(super) fn list_members_anew(&self) {
        if let Some(room) = self.obj().room() {
            room.request_members();
        }
        self.list_members();
    }

    fn list_members(&self) {
        let Some(room) = self.obj().room() else { return };
        let had_focus = self.members.focus_child().is_some();
        for row in self.listed.rows.take() {
            self.members.remove(&row);
        }
        let people = room.people().sorted();
        let persons = (0..people.n_items()).filter_map(|at| people.item(at).and_downcast());
        for person in persons.take(LISTED_MAX) {
            self.add_row(member_row(&room, &person));
        }
        let n_left_out = (people.n_items() as usize).saturating_sub(LISTED_MAX);
        if 0 < n_left_out {
            let title = ngettext_f("{count} more person", "{count} more people", n_left_out, &[]);
            let row = adw::ActionRow::builder().css_classes(["dim-label"]).title(&title);
            self.add_row(row.build());
        }
        if had_focus {
            self.add_button.grab_focus(); // What had it is gone.
        }
    }

    fn add_row(&self, row: adw::ActionRow) {
        self.members.add(&row);
        self.listed.rows.borrow_mut().push(row);
    }

    /// Asks who is to be added.
    pub(super) fn ask_to_add(&self) {
        let heading = gettext("Add Person");
        let body = gettext("They will be able to read everything that was said here before.");
        let (dialog, content) =
            question::dialog(self.obj().upcast_ref(), &heading, &body, &gettext("_Add"));
        let entry = gtk::Entry::builder().activates_default(true).build();
        entry.update_property(&[gtk::accessible::Property::Label(&gettext("Name"))]);
        entry.set_placeholder_text(Some(&gettext("Name")));
        content.append(&entry);
        dialog.set_response_appearance(DO_IT, adw::ResponseAppearance::Suggested);
        dialog.set_default_response(Some(DO_IT));
        dialog.set_response_enabled(DO_IT, false);
        entry.connect_changed(clone!(
            #[weak]
            dialog,
            move |entry| dialog.set_response_enabled(DO_IT, !entry.text().trim().is_empty())
        ));
        dialog.connect_response(
            Some(DO_IT),
            clone!(
                #[weak(rename_to = imp)]
                self,
                #[weak]
                entry,
                move |_, _| {
                    let name = entry.text();
                    imp.request(|session, room| session.add_member(&room.id(), name.trim()));
                }
            ),
        );
        dialog.present();
        entry.grab_focus();
    }

    fn ask_to_remove(&self, name: &str) {
        let Some(room) = self.obj().room() else { return };
        let values = [("name", &*isolated(name)), ("room", &*isolated(&room.title()))];
        let name = name.to_owned();
        question::ask(
            self.obj().upcast_ref(),
            &gettext_f("Remove {name}?", &values),
            &gettext_f("{name} will not see the messages in {room} any more.", &values),
            &gettext("_Remove"),
            clone!(
                #[weak(rename_to = imp)]
                self,
                move || imp.request(|session, room| session.remove_member(&room.id(), &name))
            ),
        );
    }
}

fn member_row(room: &Room, person: &Person) -> adw::ActionRow {
    let name = person.name();
    let row = adw::ActionRow::builder()
        .title(glib::markup_escape_text(&isolated(&name)))
        .title_lines(1)
        .build();
    let avatar = adw::Avatar::builder()
        .accessible_role(gtk::AccessibleRole::Presentation)
        .show_initials(true)
        .size(32)
        .text(&name)
        .build();
    row.add_prefix(&avatar);
    if person.is_self() {
        row.set_subtitle(&gettext("You"));
    } else {
        if person.is_bot() {
            // Translators: of somebody who is a program, below their name.
            row.set_subtitle(&gettext("Bot"));
        }
        row.add_suffix(&menu_button(room, &name));
    }
    row
}

/// Makes the button that opens the menu on a member.
fn menu_button(room: &Room, name: &str) -> gtk::MenuButton {
    let model = gio::Menu::new();
    model.append_item(&menu::item(&gettext("Message _Privately"), "room-details.message", name));
    if room.is_mine() && room.kind().has_changing_members() {
        let section = gio::Menu::new();
        let label = gettext("_Remove from Room…");
        section.append_item(&menu::item(&label, "room-details.remove", name));
        model.append_section(None, &section);
    }
    let button = gtk::MenuButton::builder()
        .css_classes(["flat"])
        .icon_name("view-more-symbolic")
        .menu_model(&model)
        .tooltip_text(gettext("Menu"))
        .valign(gtk::Align::Center)
        .build();
    if let Some(popover) = button.popover() {
        compat::name_menu_items(&popover);
    }
    // Translators: the menu on somebody in a room.
    let label = gettext_f("Menu of {name}", &[("name", &isolated(name))]);
    button.update_property(&[gtk::accessible::Property::Label(&label)]);
    button
}
