//! The rooms of a window: the one that is shown, and the list of all beside it or in its place.

use adw::prelude::*;
use gtk::{glib, glib::clone, subclass::prelude::*};

use super::imp::Window;
use crate::{
    model::Message,
    session::{Room, error_text},
    text::{
        i18n::{gettext, gettext_f},
        names::isolated,
    },
};

/// The actions that need rooms.
const ROOM_ACTIONS: [&str; 7] = [
    "win.browse-rooms",
    "win.find-room",
    "win.message-person",
    "win.new-room",
    "win.next-room",
    "win.previous-room",
    "win.show-rooms",
];

impl Window {
    /// Shows the hall at first, then whichever room is to be shown.
    pub(super) fn watch_rooms(&self) {
        self.session.connect_room_wanted(clone!(
            #[weak(rename_to = imp)]
            self,
            move |_, room| imp.show_room(room)
        ));
        self.session.connect_room_failed(clone!(
            #[weak(rename_to = imp)]
            self,
            move |_, _, reason| imp.tell_failure(reason)
        ));
        let rooms = self.session.rooms();
        rooms.connect_amendment_refused(clone!(
            #[weak(rename_to = imp)]
            self,
            move |_, room, reason, message, words| {
                imp.tell_refused(room, reason, message, words);
            }
        ));
        rooms.connect_items_changed(clone!(
            #[weak(rename_to = imp)]
            self,
            move |_, _, _, _| imp.leave_gone_room()
        ));
        self.session.room().people().connect_items_changed(clone!(
            #[weak(rename_to = imp)]
            self,
            move |_, _, _, _| imp.show_titles()
        ));
        self.obj().set_room(Some(self.session.room()));
    }

    /// Shows `room` in the place of the one before.
    pub(super) fn set_room(&self, room: Option<Room>) {
        if *self.room.borrow() == room {
            return;
        }
        if let Some(room) = &room {
            room.open();
        }
        self.room.replace(room);
        let signals = self.room_signals.get_or_init(|| self.room_signals());
        signals.set_target(self.room.borrow().as_ref());
        self.obj().notify_room();
        self.update_attention();
        self.show_titles();
        self.offer_details();
    }

    /// Tells why a message was not changed, and in which room if that is not shown. Words that were to be there
    /// can be gone on with.
    fn tell_refused(&self, room: &Room, reason: &str, message: Option<&Message>, words: &str) {
        let is_shown = self.obj().room().as_ref() == Some(room);
        let values = [("room", isolated(&room.title())), ("reason", reason.to_owned())];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        let sentence = if is_shown {
            reason.to_owned()
        } else {
            // Translators: a room, and why something was not changed there.
            gettext_f("{room}: {reason}", &values)
        };
        let toast = adw::Toast::new(&glib::markup_escape_text(&sentence));
        if let Some(message) = message.cloned() {
            toast.set_button_label(Some(&gettext("Edit Again")));
            let (room, words) = (room.downgrade(), words.to_owned());
            toast.connect_button_clicked(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| {
                    if let Some(room) = room.upgrade() {
                        imp.show_room(&room);
                        room.begin_edit(&message, &words);
                    }
                }
            ));
        }
        self.conversation_page.add_toast(toast);
    }

    fn room_signals(&self) -> glib::SignalGroup {
        let signals = glib::SignalGroup::new::<Room>();
        for property in ["title", "topic", "kind", "is-gone"] {
            let weak = self.downgrade();
            signals.connect_notify_local(Some(property), move |_, _| {
                if let Some(imp) = weak.upgrade() {
                    imp.show_titles();
                    imp.offer_details();
                }
            });
        }
        signals
    }

    /// Shows a room and lets the reader write in it, whatever is shown now.
    pub(super) fn show_room(&self, room: &Room) {
        self.obj().set_room(Some(room.clone()));
        self.leaflet.set_visible_child(&*self.content);
        self.leave_people();
        self.conversation_page.focus_composer();
    }

    /// Shows the room that is `step` places below in the list, or above.
    pub(super) fn show_room_beside(&self, step: i32) {
        if let Some(room) = self.rooms_pane.room_beside(step) {
            self.show_room(&room);
        }
    }

    /// Opens the direct room with the person called `name`.
    pub(super) fn message_person(&self, name: &str) {
        self.leave_people();
        if self.session.open_direct(&[name]).is_none() {
            self.tell_failure(&error_text::not_connected());
        }
    }

    /// A room that is listed no more is left for the hall.
    fn leave_gone_room(&self) {
        let Some(room) = self.obj().room() else { return };
        if self.session.rooms().room(&room.id()).is_none() {
            self.obj().set_room(Some(self.session.room()));
        }
    }

    /// Offers what can be done about the room that is shown.
    fn offer_details(&self) {
        let is_gone = self.obj().room().is_some_and(|room| room.is_gone());
        self.obj().action_set_enabled("win.dismiss-room", is_gone);
        let has_details = self.has_sidebar() && !is_gone;
        self.obj().action_set_enabled("win.room-details", has_details);
    }

    /// Shows the list of rooms, where there is no room for it beside the conversation.
    pub(super) fn show_rooms(&self) {
        if self.has_sidebar() && self.leaflet.is_folded() {
            self.leaflet.set_visible_child(&*self.rooms_pane);
        }
        self.rooms_pane.focus_shown();
    }

    /// Returns true if the list of rooms is all that is shown.
    pub(super) fn shows_rooms_alone(&self) -> bool {
        let shown = self.leaflet.visible_child();
        let shows_rooms = shown.is_some_and(|it| it == *self.rooms_pane);
        self.has_sidebar() && self.leaflet.is_folded() && shows_rooms
    }

    pub(super) fn has_sidebar(&self) -> bool {
        self.session.has_conversation()
            && self.session.has_rooms()
            && self.pages.visible_child().is_some_and(|page| page == *self.flap)
    }

    /// Shows the list of rooms where there are some, and the ways to it and back.
    pub(super) fn update_leaflet(&self) {
        let has_sidebar = self.has_sidebar();
        self.rooms_pane.set_visible(has_sidebar);
        if !has_sidebar {
            self.leaflet.set_visible_child(&*self.content);
        }
        let is_folded = has_sidebar && self.leaflet.is_folded();
        self.rooms_pane.set_is_alone(is_folded);
        self.header.set_show_start_title_buttons(!has_sidebar || is_folded);
        self.rooms_button.set_visible(is_folded);
        self.people_pane.set_offers_messages(has_sidebar);
        for action in ROOM_ACTIONS {
            self.obj().action_set_enabled(action, has_sidebar);
        }
        self.offer_details();
        // What is out of sight would be read out still.
        let shows_rooms = self.shows_rooms_alone();
        let is_hidden = |widget: &gtk::Widget, is_hidden: bool| {
            widget.update_state(&[gtk::accessible::State::Hidden(is_hidden)]);
        };
        is_hidden(self.rooms_pane.upcast_ref(), is_folded && !shows_rooms);
        is_hidden(self.content.upcast_ref(), shows_rooms);
        self.update_attention();
    }
}
