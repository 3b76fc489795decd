//! The menu of actions on a message.
//!
//! There is one menu for the whole list: rows come and go with what is in view. It is made anew for
//! each message, and its items carry what they are about, so nothing has to be remembered.

use gtk::{gdk, gio, prelude::*};

use crate::{
    model::{Delivery, Message, MessageKind},
    session::room::MessageChange,
    text::i18n::{gettext, ngettext_f},
    ui::menu::{self, item},
};

/// The message, and the part of it, on which a menu is opened.
#[derive(Debug)]
pub struct Subject {
    /// The message.
    pub message: Message,
    /// The selected part of its text; empty if nothing is selected.
    pub excerpt: String,
    /// The target of the link on which the menu is opened, if any.
    pub link: Option<String>,
    /// The code on which the menu is opened, if any.
    pub code: Option<String>,
    /// The number of selected messages, if this is one of them; otherwise 0.
    pub n_selected: usize,
    /// True if the reader may moderate.
    pub can_moderate: bool,
    /// The changes of the message that the reader can ask for.
    pub changes: Vec<MessageChange>,
}

/// Opens it with what can be done with `subject`, at `place` in its parent.
pub fn open(popover: &gtk::PopoverMenu, subject: &Subject, place: &gdk::Rectangle) {
    popover.set_menu_model(Some(&model(subject)));
    popover.set_pointing_to(Some(place));
    popover.popup();
}

fn model(subject: &Subject) -> gio::Menu {
    let menu = gio::Menu::new();
    menu.append_section(None, &answering(subject));
    if !subject.message.is_deleted() {
        menu.append_section(None, &copying(subject));
    }
    if subject.message.is_from_person() {
        menu.append_section(None, &picking(subject));
    }
    menu.append_section(None, &changing(subject));
    if subject.can_moderate && subject.message.kind() == MessageKind::Other {
        menu.append_section(None, &menu::moderation(subject.message.author()));
    }
    if subject.message.delivery() == Delivery::Failed
        && let Some(id) = subject.message.id()
    {
        menu.append_section(None, &sending(id));
    }
    menu
}

fn answering(subject: &Subject) -> gio::Menu {
    let section = gio::Menu::new();
    let key = subject.message.key();
    if subject.changes.contains(&MessageChange::Answer) {
        let reply = item(&gettext("_Reply"), "conversation.reply", &key);
        section.append_item(&with_keys(&reply, "<Control>r"));
        let react = item(&gettext("Rea_ct…"), "selection.choose-reaction", &key);
        section.append_item(&with_keys(&react, "<Control>l"));
    }
    if subject.changes.contains(&MessageChange::Edit) {
        let edit = item(&gettext("_Edit"), "conversation.edit", &key);
        section.append_item(&with_keys(&edit, "<Control>e"));
    }
    section
}

/// The item that takes a message away, or brings it back.
fn changing(subject: &Subject) -> gio::Menu {
    let section = gio::Menu::new();
    let key = subject.message.key();
    if subject.changes.contains(&MessageChange::Edit) {
        let delete = item(&gettext("_Delete"), "conversation.delete", &key);
        section.append_item(&with_keys(&delete, "Delete"));
    }
    if subject.changes.contains(&MessageChange::Remove) {
        let remove = item(&gettext("Remo_ve Message"), "conversation.remove", &key);
        section.append_item(&with_keys(&remove, "Delete"));
    }
    if subject.changes.contains(&MessageChange::Restore) {
        section.append_item(&item(&gettext("Rest_ore Message"), "conversation.restore", &key));
    }
    section
}

/// Returns `item` with the keys that do the same.
fn with_keys(item: &gio::MenuItem, keys: &str) -> gio::MenuItem {
    item.set_attribute_value("accel", Some(&keys.to_variant()));
    item.clone()
}

fn copying(subject: &Subject) -> gio::Menu {
    let section = gio::Menu::new();
    if 1 < subject.n_selected {
        let label =
            ngettext_f("_Copy {count} Message", "_Copy {count} Messages", subject.n_selected, &[]);
        section.append(Some(&label), Some("selection.copy"));
    } else {
        let text = if subject.excerpt.is_empty() {
            subject.message.text().to_string()
        } else {
            subject.excerpt.clone()
        };
        section.append_item(&item(&gettext("_Copy"), "selection.copy-text", &text));
    }
    if let Some(link) = &subject.link {
        section.append_item(&item(&gettext("Copy _Link"), "selection.copy-text", link));
    }
    if let Some(code) = &subject.code {
        section.append_item(&item(&gettext("Copy C_ode"), "selection.copy-text", code));
    }
    section
}

fn picking(subject: &Subject) -> gio::Menu {
    let section = gio::Menu::new();
    let label = if 0 < subject.n_selected { gettext("D_eselect") } else { gettext("_Select") };
    section.append(Some(&label), Some("selection.toggle"));
    if subject.message.kind() == MessageKind::Other {
        let author = subject.message.author();
        section.append_item(&item(&gettext("_Mention"), "conversation.mention", author));
        section.append_item(&menu::direct(author));
    }
    section
}

fn sending(id: &str) -> gio::Menu {
    let section = gio::Menu::new();
    section.append_item(&item(&gettext("Send _Again"), "conversation.send-again", id));
    section.append_item(&item(&gettext("_Discard"), "conversation.discard", id));
    section
}
