//! The actions of operators from a window, and the toasts that tell them of the outcome.

use adw::prelude::*;
use gtk::{glib, glib::clone, subclass::prelude::*};
use pychat_wire::message::OperatorRequest;

use super::imp::Window;
use crate::{
    session::{Room, Session, error_text, moderation::Deed},
    text::i18n::gettext,
    ui::dialogs::{
        browse_rooms_window::BrowseRoomsWindow,
        moderation_window::ModerationWindow,
        new_room_window::NewRoomWindow,
        room_details_window::RoomDetailsWindow,
        sanction::{self, Sanction},
    },
};

impl Window {
    /// Offers what operators may do to those who are some, and tells them what became of it.
    pub(super) fn watch_moderation(&self) {
        self.session.room().connect_can_moderate_notify(clone!(
            #[weak(rename_to = imp)]
            self,
            move |room| imp.offer_moderation(room)
        ));
        self.offer_moderation(&self.session.room());
        self.session.connect_closure(
            "moderated",
            false,
            glib::closure_local!(
                #[weak(rename_to = imp)]
                self,
                move |_: &Session, deed: &Deed| imp.tell_deed(deed)
            ),
        );
        self.session.connect_closure(
            "moderation-failed",
            false,
            glib::closure_local!(
                #[weak(rename_to = imp)]
                self,
                move |_: &Session, reason: &str| imp.tell_failure(reason)
            ),
        );
    }

    fn offer_moderation(&self, room: &Room) {
        for action in ["win.moderation", "win.mute", "win.remove", "win.ban"] {
            self.obj().action_set_enabled(action, room.can_moderate());
        }
    }

    /// Asks whether something is to be done about the person whom the `target` of an action names.
    pub(super) fn ask_to_sanction(&self, sanction: Sanction, target: Option<&glib::Variant>) {
        let Some(name) = target.and_then(glib::Variant::str) else { return };
        let moderate = clone!(
            #[weak(rename_to = imp)]
            self,
            move |request: OperatorRequest<'static>| {
                if imp.flap.is_folded() {
                    imp.flap.set_reveal_flap(false); // The outcome is told below it.
                }
                imp.moderate(request);
            }
        );
        sanction::ask(&*self.obj(), sanction, name, moderate);
    }

    fn moderate(&self, request: OperatorRequest<'static>) {
        if !self.session.moderate(request) {
            self.tell_failure(&error_text::not_connected());
        }
    }

    fn tell_deed(&self, deed: &Deed) {
        let toast = adw::Toast::new(&escaped(&deed.sentence()));
        if let Some(undoing) = deed.undoing() {
            toast.set_button_label(Some(&gettext("Undo")));
            toast.connect_button_clicked(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| imp.moderate(undoing.clone())
            ));
        }
        self.tell(toast);
    }

    /// Tells why something was not done.
    pub(super) fn tell_failure(&self, reason: &str) {
        self.tell(adw::Toast::new(&escaped(reason)));
    }

    /// Shows a toast, unless a window above this one does.
    fn tell(&self, toast: adw::Toast) {
        let is_below = |window: &gtk::Widget| {
            let window = window.downcast_ref::<gtk::Window>().filter(|it| tells_outcomes(it));
            window.and_then(GtkWindowExt::transient_for).as_ref()
                == Some(self.obj().upcast_ref::<gtk::Window>())
        };
        if !gtk::Window::list_toplevels().iter().any(is_below) {
            self.conversation_page.add_toast(toast);
        }
    }
}

/// Returns true if `window` itself tells the outcomes of what is asked for in it.
fn tells_outcomes(window: &gtk::Window) -> bool {
    window.is::<ModerationWindow>()
        || window.is::<NewRoomWindow>()
        || window.is::<BrowseRoomsWindow>()
        || window.is::<RoomDetailsWindow>()
}

/// Returns `text` for a toast, whose title is markup.
fn escaped(text: &str) -> glib::GString {
    glib::markup_escape_text(text)
}
