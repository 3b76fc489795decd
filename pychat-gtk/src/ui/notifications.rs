//! Notifications of what is said while nobody looks at it.
//!
//! A room has at most one: each replaces the one before, except that a message which mentions the
//! reader is replaced by another such alone. It goes when its room is looked at or was read on another
//! device, or the chat is left. In a flood a few a second are enough. A bot causes one only where it calls
//! the reader.

mod words;

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::BTreeMap,
    time::Duration,
};

use adw::subclass::prelude::*;
use gtk::{gio, glib, glib::clone, prelude::*};

use crate::{
    config::APP_ID,
    model::Message,
    session::{
        Room, Session, SessionState,
        room::{RoomKind, RoomNotifications},
    },
    settings::{Notifications, Settings},
    text::i18n::gettext,
    ui::desktop,
};

/// The least time between two notifications of one chat, but for those that are shown together.
const INTERVAL: Duration = Duration::from_secs(1);

/// The most notifications that are shown together.
const TOGETHER_MAX: usize = 4;

mod imp {
    use super::*;

    /// The messages of one room that were not seen.
    #[derive(Debug, Default)]
    pub(super) struct Unseen {
        /// The last of them, until the notification of it is shown.
        last: Option<Message>,
        /// The number of the message whose words are in the notification.
        shown: Option<u64>,
        /// The number of them.
        n_messages: usize,
        /// True if one of them mentions the reader.
        has_mention: bool,
        /// The id of the notification, while there is one.
        id: Option<String>,
    }

    #[derive(Debug, Default)]
    pub struct Notifier {
        /// The room that the reader looks at.
        seen: RefCell<Option<Room>>,
        pub(super) session: OnceCell<Session>,
        pub(super) settings: OnceCell<Settings>,
        /// The messages that were not seen, by the ids of their rooms.
        unseen: RefCell<BTreeMap<String, Unseen>>,
        /// True if the desktop takes the body of a notification for markup.
        pub(super) takes_markup: Cell<bool>,
        /// Ends when there may be other notifications.
        interval: RefCell<Option<glib::JoinHandle<()>>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Notifier {
        const NAME: &'static str = "PychatNotifier";
        type Type = super::Notifier;
    }

    impl ObjectImpl for Notifier {}

    impl Notifier {
        pub(super) fn set_seen(&self, room: Option<Room>) {
            if let Some(room) = &room {
                self.withdraw(&room.id());
            }
            self.seen.replace(room);
        }

        pub(super) fn on_heard(&self, room: &Room, message: &Message) {
            let is_mention = message.calls_reader();
            if self.seen.borrow().as_ref() == Some(room) || !self.is_wanted(room, message) {
                return;
            }
            {
                let mut unseen = self.unseen.borrow_mut();
                let unseen = unseen.entry(room.id()).or_default();
                unseen.n_messages += 1;
                if unseen.has_mention && !is_mention {
                    return;
                }
                unseen.has_mention = is_mention;
                unseen.last = Some(message.clone());
            }
            if self.interval.borrow().is_none() {
                self.show();
            }
        }

        /// Takes in that the message whose number is `seq` is deleted: nothing of it is left to be read.
        pub(super) fn on_withdrawn(&self, room: &Room, seq: u64) {
            let id = room.id();
            let is_shown = {
                let mut unseen = self.unseen.borrow_mut();
                let Some(unseen) = unseen.get_mut(&id) else { return };
                if unseen.last.as_ref().and_then(Message::seq) == Some(seq) {
                    unseen.last = None;
                    unseen.n_messages = unseen.n_messages.saturating_sub(1);
                }
                unseen.shown == Some(seq)
            };
            if is_shown {
                self.withdraw(&id);
            }
        }

        /// Takes back the notification of a room, if there is one.
        pub(super) fn withdraw(&self, room: &str) {
            let unseen = self.unseen.borrow_mut().remove(room);
            let id = unseen.and_then(|unseen| unseen.id);
            if let (Some(id), Some(application)) = (id, gio::Application::default()) {
                application.withdraw_notification(&id);
            }
        }

        pub(super) fn withdraw_all(&self) {
            let rooms: Vec<_> = self.unseen.borrow().keys().cloned().collect();
            for room in rooms {
                self.withdraw(&room);
            }
            if let Some(interval) = self.interval.take() {
                interval.abort();
            }
        }

        fn is_wanted(&self, room: &Room, message: &Message) -> bool {
            let general = self.settings.get().map(Settings::notifications).unwrap_or_default();
            match wanted(room.notifications(), room.kind(), general) {
                Notifications::All if !message.is_from_bot() => true,
                Notifications::All | Notifications::Mentions => message.calls_reader(),
                Notifications::None => false,
            }
        }

        /// Shows what was not seen, unless that is shown already.
        fn show(&self) {
            let waiting: Vec<_> = {
                let unseen = self.unseen.borrow();
                let waiting = unseen.iter().filter(|(_, unseen)| unseen.last.is_some());
                waiting.map(|(room, _)| room.clone()).take(TOGETHER_MAX).collect()
            };
            for room in &waiting {
                self.show_room(room);
            }
            if !waiting.is_empty() {
                self.pause();
            }
        }

        /// Shows what was not seen in one room.
        fn show_room(&self, id: &str) {
            let Some(session) = self.session.get() else { return };
            let (Some(account), Some(room)) = (session.account(), session.rooms().room(id)) else {
                return self.withdraw(id); // What was said there is gone with it.
            };
            let Some(application) = gio::Application::default() else { return };
            let place = words::place(&room, account.server());
            let target = account.to_target(id);
            let notification_id = format!("{}/{id}", account.id());
            let (title, body) = {
                let mut unseen = self.unseen.borrow_mut();
                let Some(unseen) = unseen.get_mut(id) else { return };
                let Some(message) = unseen.last.take() else { return };
                unseen.id = Some(notification_id.clone());
                unseen.shown = message.seq();
                if unseen.has_mention && message.mentions().is_empty() {
                    words::reply(message.author(), &message.text(), &place)
                } else if unseen.has_mention {
                    words::mention(message.author(), &message.text(), &place)
                } else {
                    words::news(unseen.n_messages, message.author(), &message.text(), &place)
                }
            };
            let notification = gio::Notification::new(&title);
            notification.set_body(Some(&if self.takes_markup.get() {
                glib::markup_escape_text(&body).into()
            } else {
                body
            }));
            notification.set_category(Some("im.received"));
            notification.set_icon(&gio::ThemedIcon::new(APP_ID));
            let show = "app.show-conversation";
            notification.set_default_action_and_target_value(show, Some(&target));
            notification.add_button_with_target_value(
                &gettext("Mark as Read"),
                "app.mark-as-read",
                Some(&target),
            );
            application.send_notification(Some(&notification_id), &notification);
        }

        /// Shows in a while what comes until then.
        fn pause(&self) {
            let weak = self.downgrade();
            let interval = glib::spawn_future_local(async move {
                glib::timeout_future(INTERVAL).await;
                if let Some(imp) = weak.upgrade() {
                    imp.interval.take(); // The task that runs this; it is about to end.
                    imp.show();
                }
            });
            self.interval.replace(Some(interval));
        }
    }
}

glib::wrapper! {
    /// Notifications of what is said in one window.
    pub struct Notifier(ObjectSubclass<imp::Notifier>);
}

impl Notifier {
    /// Makes what notifies of what is said in `session` while nobody looks at it, as `settings` and each
    /// room have it.
    pub fn new(session: &Session, settings: &Settings) -> Self {
        let notifier: Self = glib::Object::new();
        let imp = notifier.imp();
        imp.settings.get_or_init(|| settings.clone());
        imp.session.get_or_init(|| session.clone());
        let weak = imp.downgrade();
        glib::spawn_future_local(async move {
            let takes_markup = desktop::takes_markup().await;
            if let Some(imp) = weak.upgrade() {
                imp.takes_markup.set(takes_markup);
            }
        });
        notifier.follow(session);
        notifier
    }

    fn follow(&self, session: &Session) {
        let imp = self.imp();
        session.rooms().connect_heard(clone!(
            #[weak]
            imp,
            move |_, room, message| imp.on_heard(room, message)
        ));
        session.rooms().connect_read(clone!(
            #[weak]
            imp,
            move |_, room| imp.withdraw(&room.id())
        ));
        session.rooms().connect_withdrawn(clone!(
            #[weak]
            imp,
            move |_, room, seq| imp.on_withdrawn(room, seq)
        ));
        session.connect_state_notify(clone!(
            #[weak]
            imp,
            move |session| {
                if session.state() == SessionState::Disconnected {
                    imp.withdraw_all();
                }
            }
        ));
    }

    /// Takes in which room the reader looks at, if any: its notification goes, and there is no other.
    pub fn set_seen(&self, room: Option<Room>) {
        self.imp().set_seen(room);
    }

    /// Takes all notifications back.
    pub fn withdraw(&self) {
        self.imp().withdraw_all();
    }
}

/// Returns which messages of a room of this `kind` cause notifications, by the choice for the room and
/// the `general` one.
fn wanted(chosen: RoomNotifications, kind: RoomKind, general: Notifications) -> Notifications {
    match chosen {
        RoomNotifications::All => Notifications::All,
        RoomNotifications::Mentions => Notifications::Mentions,
        RoomNotifications::None => Notifications::None,
        RoomNotifications::Default => match kind {
            RoomKind::Hall => general,
            _ if general == Notifications::None => Notifications::None,
            RoomKind::Direct => Notifications::All,
            RoomKind::Open | RoomKind::Closed => Notifications::Mentions,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_for_a_room_comes_before_the_general_one() {
        use Notifications as N;
        use RoomKind as K;
        use RoomNotifications as R;
        for (chosen, kind, general, expected) in [
            (R::Default, K::Hall, N::All, N::All),
            (R::Default, K::Hall, N::Mentions, N::Mentions),
            (R::Default, K::Direct, N::Mentions, N::All),
            (R::Default, K::Open, N::All, N::Mentions),
            (R::Default, K::Closed, N::Mentions, N::Mentions),
            (R::Default, K::Direct, N::None, N::None),
            (R::Default, K::Open, N::None, N::None),
            (R::All, K::Open, N::None, N::All),
            (R::None, K::Direct, N::All, N::None),
            (R::Mentions, K::Hall, N::All, N::Mentions),
        ] {
            assert_eq!(wanted(chosen, kind, general), expected, "{chosen:?} {kind:?} {general:?}");
        }
    }
}
