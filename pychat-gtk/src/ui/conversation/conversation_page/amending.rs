//! Answers, edits, deletions and reactions, as they are asked for, and the toasts that tell of them.

use std::cell::RefCell;

use gtk::{glib, glib::clone, prelude::*, subclass::prelude::*};

use super::imp::ConversationPage;
use crate::{
    model::Message,
    session::{Room, room::MessageChange},
    text::i18n::gettext,
};

/// The time for which a deletion can be taken back, in seconds.
const UNDO_SECONDS: u32 = 10;

/// The toasts that tell of deletions.
#[derive(Debug, Default)]
pub(super) struct Deletions {
    /// The one that is shown: what was deleted can still be taken back.
    toast: RefCell<glib::WeakRef<adw::Toast>>,
}

/// Lets pages know the actions on messages, which are named by their keys.
pub(super) fn install(klass: &mut <ConversationPage as ObjectSubclass>::Class) {
    let key = Some(glib::VariantTy::STRING);
    for (action, effect) in [
        (
            "conversation.reply",
            ConversationPage::begin_reply as fn(&ConversationPage, &Room, &Message),
        ),
        ("conversation.edit", ConversationPage::begin_edit),
        ("conversation.delete", ConversationPage::delete),
        ("conversation.remove", |_, room, message| room.remove(message)),
        ("conversation.restore", |_, room, message| room.bring_back(message)),
    ] {
        klass.install_action(action, key, move |page, _, key| {
            let imp = page.imp();
            if let Some((room, message)) =
                key.and_then(glib::Variant::str).and_then(|it| imp.find(it))
            {
                effect(imp, &room, &message);
            }
        });
    }
    let reaction = glib::VariantTy::new("(ss)").ok();
    klass.install_action("conversation.set-reaction", reaction, |page, _, reaction| {
        let reaction = reaction.and_then(glib::Variant::get::<(String, String)>);
        if let Some((key, emoji)) = reaction
            && let Some((room, message)) = page.imp().find(&key)
        {
            room.react(&message, &emoji);
        }
    });
}

impl ConversationPage {
    /// Follows what whichever room there is tells of amendments.
    pub(super) fn amendment_signals(&self) -> glib::SignalGroup {
        let signals = glib::SignalGroup::new::<Room>();
        signals.connect_closure(
            "removed",
            false,
            glib::closure_local!(
                #[weak(rename_to = imp)]
                self,
                move |room: &Room, message: &Message| imp.tell_removed(room, message)
            ),
        );
        signals.connect_closure(
            "restored",
            false,
            glib::closure_local!(
                #[weak(rename_to = imp)]
                self,
                move |_: &Room, _: &Message| imp.tell(&gettext("Message restored"))
            ),
        );
        signals
    }

    /// Edits the reader's last message, if it can be edited; returns false otherwise.
    pub(super) fn edit_last(&self) -> bool {
        let Some(room) = self.obj().room() else { return false };
        let last =
            room.history().last_own().filter(|message| room.can(MessageChange::Edit, message));
        if let Some(message) = &last {
            self.begin_edit(&room, message);
        }
        last.is_some()
    }

    fn find(&self, key: &str) -> Option<(Room, Message)> {
        let room = self.obj().room()?;
        let message = room.history().by_key(key)?;
        Some((room, message))
    }

    fn begin_reply(&self, room: &Room, message: &Message) {
        room.begin_reply(message);
        self.composer.focus_text();
    }

    fn begin_edit(&self, room: &Room, message: &Message) {
        room.begin_edit(message, &message.text());
        self.composer.focus_text();
    }

    /// Shows the message as deleted. Others are told when its toast goes, however that comes.
    fn delete(&self, room: &Room, message: &Message) {
        if !room.can(MessageChange::Edit, message) {
            return;
        }
        if let Some(before) = self.deletions.toast.borrow().upgrade() {
            before.dismiss();
        }
        room.delete(message);
        let toast = adw::Toast::new(&gettext("Message deleted"));
        toast.set_timeout(UNDO_SECONDS);
        toast.set_button_label(Some(&gettext("Undo")));
        let (room, message) = (room.clone(), message.clone());
        toast.connect_button_clicked(clone!(
            #[strong]
            room,
            #[strong]
            message,
            move |_| room.undo_deletion(&message)
        ));
        toast.connect_dismissed(move |_| room.send_deletion(&message));
        self.deletions.toast.borrow().set(Some(&toast));
        self.obj().add_toast(toast);
    }

    fn tell_removed(&self, room: &Room, message: &Message) {
        let toast = adw::Toast::new(&gettext("Message removed"));
        toast.set_timeout(UNDO_SECONDS);
        toast.set_button_label(Some(&gettext("Undo")));
        let (room, message) = (room.downgrade(), message.clone());
        toast.connect_button_clicked(move |_| {
            if let Some(room) = room.upgrade() {
                room.bring_back(&message);
            }
        });
        self.obj().add_toast(toast);
    }

    fn tell(&self, sentence: &str) {
        self.obj().add_toast(adw::Toast::new(sentence));
    }
}
