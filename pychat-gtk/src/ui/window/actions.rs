//! The actions of a window, by keyboard, menu and buttons.

use gtk::{gdk, glib, prelude::*, subclass::prelude::*};

use super::imp::Window;
use crate::ui::{
    dialogs::{
        browse_rooms_window::BrowseRoomsWindow, devices_window::DevicesWindow, invite_people,
        moderation_window::ModerationWindow, new_room_window::NewRoomWindow,
        room_details_window::RoomDetailsWindow, sanction::Sanction, shortcuts,
    },
    rooms::room_finder::RoomFinder,
};

/// Lets windows know the actions.
pub(super) fn install(klass: &mut <Window as ObjectSubclass>::Class) {
    klass.install_action("win.search", None, |window, _, _| {
        window.imp().conversation_page.search();
    });
    klass.install_action("win.search-everywhere", None, |window, _, _| {
        window.imp().conversation_page.search_everywhere();
    });
    klass.install_action("win.copy-selection", None, |window, _, _| {
        window.imp().conversation_page.copy_selected();
    });
    klass.install_action("win.end-selection", None, |window, _, _| {
        window.imp().conversation_page.end_selection();
    });
    klass.add_binding(gdk::Key::Escape, gdk::ModifierType::empty(), |window| {
        window.imp().end_selection()
    });
    klass.install_action("win.show-help-overlay", None, |window, _, _| {
        window.imp().show_shortcuts();
    });
    klass.install_action("win.devices", None, |window, _, _| {
        DevicesWindow::new(window, &window.session()).present();
    });
    klass.install_action("win.invite", None, |window, _, _| {
        invite_people::open(window, &window.session());
    });
    klass.install_action("win.moderation", None, |window, _, _| {
        ModerationWindow::new(window, &window.session()).present();
    });
    let name = Some(glib::VariantTy::STRING);
    klass.install_action("win.mute", name, |window, _, name| {
        window.imp().ask_to_sanction(Sanction::Mute, name);
    });
    klass.install_action("win.remove", name, |window, _, name| {
        window.imp().ask_to_sanction(Sanction::Remove, name);
    });
    klass.install_action("win.ban", name, |window, _, name| {
        window.imp().ask_to_sanction(Sanction::Ban, name);
    });
    klass.install_action("win.mention", name, |window, _, name| {
        window.imp().mention(name.and_then(glib::Variant::str).unwrap_or_default());
    });
    klass.install_action("win.message-person", name, |window, _, name| {
        window.imp().message_person(name.and_then(glib::Variant::str).unwrap_or_default());
    });
    install_for_rooms(klass);
    klass.install_action("win.name-server", None, |window, _, _| {
        window.imp().ask_for_name();
    });
    klass.install_action_async("win.leave", None, |window, _, _| async move {
        window.session().leave().await;
    });
    klass.install_action("win.toggle-people", None, |window, _, _| {
        window.imp().toggle_people();
    });
}

/// Lets windows know the actions on rooms.
fn install_for_rooms(klass: &mut <Window as ObjectSubclass>::Class) {
    klass.install_action("win.show-rooms", None, |window, _, _| window.imp().show_rooms());
    klass.install_action("win.previous-room", None, |window, _, _| {
        window.imp().show_room_beside(-1);
    });
    klass.install_action("win.next-room", None, |window, _, _| {
        window.imp().show_room_beside(1);
    });
    klass.install_action("win.find-room", None, |window, _, _| {
        RoomFinder::new(window, &window.session()).present();
    });
    klass.install_action("win.new-room", None, |window, _, _| {
        NewRoomWindow::new(window, &window.session()).present();
    });
    klass.install_action("win.browse-rooms", None, |window, _, _| {
        BrowseRoomsWindow::new(window, &window.session()).present();
    });
    klass.install_action("win.dismiss-room", None, |window, _, _| {
        if let Some(room) = window.room() {
            room.dismiss();
        }
    });
    klass.install_action("win.room-details", None, |window, _, _| {
        if let Some(room) = window.room() {
            RoomDetailsWindow::new(window, &window.session(), &room).present();
        }
    });
}

impl Window {
    /// Shows what can be done by keyboard. The window for it is made anew each time: few ask for it.
    fn show_shortcuts(&self) {
        if let Some(shortcuts) = self.settings.get().and_then(shortcuts::window) {
            shortcuts.set_transient_for(Some(&*self.obj()));
            shortcuts.present();
        }
    }

    /// Escape means the selection wherever it means nothing else.
    fn end_selection(&self) -> glib::Propagation {
        if self.conversation_page.n_selected() == 0 {
            return glib::Propagation::Proceed;
        }
        self.conversation_page.end_selection();
        glib::Propagation::Stop
    }

    /// Shows or hides the people, and takes the keyboard there and back.
    fn toggle_people(&self) {
        if self.flap.reveals_flap() {
            self.on_people_closed();
        } else {
            self.flap.set_reveal_flap(true);
            self.people_pane.focus_filter();
        }
    }
}
