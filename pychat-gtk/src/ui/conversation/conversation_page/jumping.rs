//! The way from an answer to what it answers, which may have to be fetched first.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use gtk::{glib, subclass::prelude::*};
use pychat_wire::client::Past;

use super::imp::ConversationPage;
use crate::{
    model::Message,
    session::{error_text, room::Room},
    text::i18n::gettext,
    ui::conversation::scroll_anchor::{self, ScrollAnchor},
};

/// The distance of the message that is gone to from the top, in pixels: something before it is to be seen.
const DISTANCE: f32 = 96.0;

/// The time for which the message that was gone to stands out.
const FLASH_TIME: Duration = Duration::from_millis(1_500);

/// The most pages that are fetched for one message: one, and others where texts are long.
const PAGES_MAX: u32 = 10;

/// The message that the reader is on the way to.
#[derive(Debug, Default)]
pub(super) struct Jump {
    /// Its number, while it is fetched.
    target: Cell<Option<u64>>,
    /// The number of pages that may still be fetched for it.
    n_pages: Cell<u32>,
    /// The message that stands out, and the end of that.
    flash: RefCell<Option<(Message, glib::JoinHandle<()>)>>,
}

/// Lets pages know the action that leads to a message.
pub(super) fn install(klass: &mut <ConversationPage as ObjectSubclass>::Class) {
    let number = Some(glib::VariantTy::UINT64);
    klass.install_action("conversation.go-to-message", number, |page, _, seq| {
        if let Some(seq) = seq.and_then(glib::Variant::get::<u64>) {
            page.imp().jump_to(seq);
        }
    });
}

impl ConversationPage {
    /// Goes to the message whose number is `seq`, once it is here.
    pub(super) fn jump_to(&self, seq: u64) {
        self.jump.target.set(Some(seq));
        self.jump.n_pages.set(PAGES_MAX);
        self.go_on_jumping();
    }

    /// Goes to the message that the reader is on the way to, or has it fetched.
    pub(super) fn go_on_jumping(&self) {
        let (Some(seq), Some(room)) = (self.jump.target.get(), self.obj().room()) else { return };
        if let Some(message) = room.history().by_seq(seq) {
            self.jump.target.set(None);
            self.show_message_later(&room, message);
        } else if room.back_pages() != Past::Asked {
            self.unstick(); // What comes is above.
            let n_pages = self.jump.n_pages.get();
            self.jump.n_pages.set(n_pages.saturating_sub(1));
            if n_pages == 0 || !room.request_around(seq) {
                self.give_up_jump(&room);
            }
        }
    }

    /// Gives up the way to a message, in another room than that of the message.
    pub(super) fn end_jump(&self) {
        self.jump.target.set(None);
    }

    fn give_up_jump(&self, room: &Room) {
        self.end_jump();
        let reason = if room.is_online() {
            gettext("This message is no longer there.")
        } else {
            error_text::not_connected()
        };
        self.obj().add_toast(adw::Toast::new(&reason));
    }

    /// Goes there in a moment: the list may be told of other rows just now.
    fn show_message_later(&self, room: &Room, message: Message) {
        let (weak, room) = (self.downgrade(), room.clone());
        glib::idle_add_local_once(move || {
            let Some(imp) = weak.upgrade() else { return };
            if imp.obj().room().as_ref() == Some(&room) {
                imp.show_message(&room, message);
            }
        });
    }

    fn show_message(&self, room: &Room, message: Message) {
        let Some(stick_to_end) = self.stick_to_end.get() else { return };
        self.unstick();
        if scroll_anchor::position_of(&self.list_view, &message).is_none() {
            room.history().show_latest(); // It waits among them.
        }
        stick_to_end.begin_scroll();
        let stick_to_end = stick_to_end.clone();
        self.flash(message.clone());
        ScrollAnchor::at(message, DISTANCE).show(
            &self.list_view,
            &self.scrolled_window,
            move || stick_to_end.end_scroll(),
        );
    }

    /// Lets the message stand out for a moment.
    fn flash(&self, message: Message) {
        if let Some((before, end)) = self.jump.flash.take() {
            end.abort();
            before.set_flashed(false);
        }
        message.set_flashed(true);
        let (weak, flashed) = (self.downgrade(), message.clone());
        let end = glib::spawn_future_local(async move {
            glib::timeout_future(FLASH_TIME).await;
            flashed.set_flashed(false);
            if let Some(imp) = weak.upgrade() {
                imp.jump.flash.take(); // The task that runs this; it is about to end.
            }
        });
        self.jump.flash.replace(Some((message, end)));
    }
}
