//! Asks before an operator mutes somebody, removes them from the chat, or bans them, and for how long.

use std::{cell::Cell, rc::Rc};

use adw::prelude::*;
use gtk::glib::clone;
use pychat_wire::message::{OperatorRequest, Whom};

use super::question::{self, DO_IT};
use crate::text::{
    i18n::{gettext, gettext_f},
    names::isolated,
};

/// The milliseconds of a minute.
const MINUTE_MS: u64 = 60 * 1_000;

/// A measure against a person.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sanction {
    /// They may say nothing.
    Mute,
    /// They are sent away.
    Remove,
    /// They are sent away, and may not come back.
    Ban,
}

/// Asks above `parent` about the person called `name`; calls `f` with the request if the reader agrees.
pub fn ask(
    parent: &impl IsA<gtk::Window>,
    sanction: Sanction,
    name: &str,
    f: impl Fn(OperatorRequest<'static>) + 'static,
) {
    let (heading, body, answer) = words(sanction, name);
    let (dialog, content) = question::dialog(parent.upcast_ref(), &heading, &body, &answer);
    let for_ms = Rc::new(Cell::new(None));
    if sanction != Sanction::Remove {
        content.append(&times(&for_ms));
    }
    if sanction != Sanction::Mute {
        dialog.set_response_appearance(DO_IT, adw::ResponseAppearance::Destructive);
    }
    dialog.set_default_response(Some(DO_IT));
    let name = name.to_owned();
    dialog.connect_response(Some(DO_IT), move |_, _| f(request(sanction, &name, for_ms.get())));
    dialog.present();
}

fn request(sanction: Sanction, name: &str, for_ms: Option<u64>) -> OperatorRequest<'static> {
    let username = name.to_owned().into();
    match sanction {
        Sanction::Mute => OperatorRequest::Mute { username, for_ms },
        Sanction::Remove => OperatorRequest::Kick { username },
        Sanction::Ban => OperatorRequest::Ban { whom: Whom::Person(username), for_ms },
    }
}

/// Returns the question, what it means, and the answer.
fn words(sanction: Sanction, name: &str) -> (String, String, String) {
    let name = isolated(name);
    let values = [("name", name.as_str())];
    match sanction {
        Sanction::Mute => (
            gettext_f("Mute {name}?", &values),
            gettext("They will be able to read the chat, but not to send messages."),
            gettext("_Mute"),
        ),
        Sanction::Remove => (
            gettext_f("Remove {name} from the Chat?", &values),
            gettext("They will be able to join again."),
            gettext("_Remove"),
        ),
        Sanction::Ban => (
            gettext_f("Ban {name}?", &values),
            gettext(
                "They will be removed from the chat, and cannot join again until the ban ends.",
            ),
            gettext("_Ban"),
        ),
    }
}

/// Returns a list of times, of which `for_ms` is the one that is chosen.
fn times(for_ms: &Rc<Cell<Option<u64>>>) -> gtk::ListBox {
    let choices = [
        (gettext("10 minutes"), Some(10 * MINUTE_MS)),
        (gettext("1 hour"), Some(60 * MINUTE_MS)),
        (gettext("1 day"), Some(24 * 60 * MINUTE_MS)),
        (gettext("Until undone"), None),
    ];
    let list = gtk::ListBox::builder().selection_mode(gtk::SelectionMode::None).build();
    list.add_css_class("boxed-list");
    list.update_property(&[gtk::accessible::Property::Label(&gettext("Duration"))]);
    let mut first: Option<gtk::CheckButton> = None;
    for (title, choice) in choices {
        let button = gtk::CheckButton::builder().valign(gtk::Align::Center).build();
        button.connect_toggled(clone!(
            #[strong]
            for_ms,
            move |button| {
                if button.is_active() {
                    for_ms.set(choice);
                }
            }
        ));
        let row = adw::ActionRow::builder().activatable_widget(&button).title(&title).build();
        row.add_prefix(&button);
        list.append(&row);
        button.set_group(first.as_ref());
        first.get_or_insert(button);
    }
    if let Some(first) = first {
        first.set_active(true);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sanction_has_a_request() {
        for (sanction, kind) in
            [(Sanction::Mute, "mute"), (Sanction::Remove, "kick"), (Sanction::Ban, "ban")]
        {
            assert_eq!(request(sanction, "Борис", Some(MINUTE_MS)).kind(), kind);
        }
    }
}
