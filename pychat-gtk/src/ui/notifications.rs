//! Notifications of what is said while the window is not focused.
//!
//! A conversation has at most one: each replaces the one before, except that a message which mentions
//! the reader is replaced by another such alone. It goes when its window has the keyboard, or the chat
//! is left. In a flood one a second is enough.

use std::{
    cell::{Cell, OnceCell, RefCell},
    time::Duration,
};

use adw::subclass::prelude::*;
use gtk::{gio, glib, glib::clone, prelude::*};

use crate::{
    config::APP_ID,
    model::Message,
    session::{Session, SessionState},
    settings::{Notifications, Settings},
    text::{
        i18n::{gettext, gettext_f},
        names::isolated,
    },
    ui::{desktop, unread_count::new_messages},
};

/// The least time between two notifications of one conversation.
const INTERVAL: Duration = Duration::from_secs(1);

mod imp {
    use super::*;

    #[derive(Debug, Default)]
    pub struct Notifier {
        pub(super) window: glib::WeakRef<gtk::Window>,
        pub(super) session: OnceCell<Session>,
        pub(super) settings: OnceCell<Settings>,
        /// The last message that was not seen.
        last: RefCell<Option<Message>>,
        /// The number of messages that were not seen.
        n_unseen: Cell<usize>,
        /// True if one of them mentions the reader.
        has_mention: Cell<bool>,
        /// True if the desktop takes the body of a notification for markup.
        pub(super) takes_markup: Cell<bool>,
        /// The id of the notification, while there is one.
        id: RefCell<Option<String>>,
        /// Ends when there may be another notification.
        interval: RefCell<Option<glib::JoinHandle<()>>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Notifier {
        const NAME: &'static str = "PychatNotifier";
        type Type = super::Notifier;
    }

    impl ObjectImpl for Notifier {}

    impl Notifier {
        pub(super) fn on_heard(&self, message: &Message) {
            if self.is_seen() || !self.is_wanted(message) {
                return;
            }
            self.n_unseen.set(self.n_unseen.get() + 1);
            let is_mention = !message.mentions().is_empty();
            if self.has_mention.get() && !is_mention {
                return;
            }
            self.has_mention.set(is_mention);
            self.last.replace(Some(message.clone()));
            if self.interval.borrow().is_none() {
                self.show();
            }
        }

        pub(super) fn on_seen_changed(&self) {
            if self.is_seen() {
                self.withdraw();
            }
        }

        pub(super) fn withdraw(&self) {
            self.n_unseen.set(0);
            self.has_mention.set(false);
            self.last.take();
            if let Some(interval) = self.interval.take() {
                interval.abort();
            }
            if let (Some(id), Some(application)) = (self.id.take(), gio::Application::default()) {
                application.withdraw_notification(&id);
            }
        }

        fn is_seen(&self) -> bool {
            // A window that is hidden may still count as active.
            self.window.upgrade().is_some_and(|window| window.is_visible() && window.is_active())
        }

        fn is_wanted(&self, message: &Message) -> bool {
            let wanted = self.settings.get().map(Settings::notifications).unwrap_or_default();
            match wanted {
                Notifications::All => true,
                Notifications::Mentions => !message.mentions().is_empty(),
                Notifications::None => false,
            }
        }

        /// Shows what was not seen, unless that is shown already.
        fn show(&self) {
            let Some(message) = self.last.take() else { return };
            let Some(account) = self.session.get().and_then(Session::account) else { return };
            let server = account.server().brief();
            let Some(application) = gio::Application::default() else { return };
            let (title, body) = if self.has_mention.get() {
                mention(message.author(), &message.text(), &server)
            } else {
                let n_unseen = self.n_unseen.get();
                news(n_unseen, message.author(), &message.text(), &server)
            };
            let notification = gio::Notification::new(&title);
            notification.set_body(Some(&if self.takes_markup.get() {
                glib::markup_escape_text(&body).into()
            } else {
                body
            }));
            notification.set_category(Some("im.received"));
            notification.set_icon(&gio::ThemedIcon::new(APP_ID));
            let id = account.id();
            let chat = account.to_target();
            notification.set_default_action_and_target_value("app.show-conversation", Some(&chat));
            notification.add_button_with_target_value(
                &gettext("Mark as Read"),
                "app.mark-as-read",
                Some(&chat),
            );
            application.send_notification(Some(&id), &notification);
            self.id.replace(Some(id));
            self.pause();
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
    /// Makes what notifies of what is said in `session` while `window` does not show it, as `settings`
    /// have it.
    pub fn new(window: &impl IsA<gtk::Window>, session: &Session, settings: &Settings) -> Self {
        let notifier: Self = glib::Object::new();
        let imp = notifier.imp();
        imp.window.set(Some(window.as_ref()));
        imp.settings.get_or_init(|| settings.clone());
        let weak = imp.downgrade();
        glib::spawn_future_local(async move {
            let takes_markup = desktop::takes_markup().await;
            if let Some(imp) = weak.upgrade() {
                imp.takes_markup.set(takes_markup);
            }
        });
        let session = imp.session.get_or_init(|| session.clone());
        session.room().connect_heard(clone!(
            #[weak]
            imp,
            move |_, message| imp.on_heard(message)
        ));
        session.connect_state_notify(clone!(
            #[weak]
            notifier,
            move |session| {
                if session.state() == SessionState::Disconnected {
                    notifier.withdraw();
                }
            }
        ));
        for property in ["is-active", "visible"] {
            window.connect_notify_local(
                Some(property),
                clone!(
                    #[weak]
                    imp,
                    move |_, _| imp.on_seen_changed()
                ),
            );
        }
        notifier
    }

    /// Takes the notification back, if there is one.
    pub fn withdraw(&self) {
        self.imp().withdraw();
    }
}

/// The most characters of a message that a notification shows.
const EXCERPT_CHARS_MAX: usize = 200;

/// More bytes than those characters have.
const EXCERPT_BYTES_MAX: usize = 4 * EXCERPT_CHARS_MAX;

/// Returns the title and the body of the notification of `n_messages` in the chat at `server`; the
/// last is `text` of `author`.
fn news(n_messages: usize, author: &str, text: &str, server: &str) -> (String, String) {
    let (author, text) = (isolated(&excerpt(author)), excerpt(text));
    if n_messages <= 1 {
        return (in_chat(&author, server), text);
    }
    let title = in_chat(&new_messages(n_messages), server);
    // Translators: the last of several messages, in a notification.
    let body = gettext_f("{author}: {text}", &[("author", &author), ("text", &text)]);
    (title, body)
}

/// Returns the title and the body of the notification that `author` mentions the reader in `text`, in
/// the chat at `server`.
fn mention(author: &str, text: &str, server: &str) -> (String, String) {
    let author = isolated(&excerpt(author));
    let title = gettext_f("{author} mentioned you", &[("author", &author)]);
    (in_chat(&title, server), excerpt(text))
}

fn in_chat(title: &str, server: &str) -> String {
    // Translators: the title of a notification, and the chat that it is of.
    gettext_f("{title} · {server}", &[("title", title), ("server", server)])
}

/// Returns the beginning of `text` in one line.
fn excerpt(text: &str) -> String {
    let mut words = String::new();
    for word in text.split_whitespace() {
        words.extend((!words.is_empty()).then_some(' '));
        words.push_str(word);
        if EXCERPT_BYTES_MAX < words.len() {
            break;
        }
    }
    let mut excerpt: String = words.chars().take(EXCERPT_CHARS_MAX).collect();
    if excerpt.len() < words.len() {
        excerpt.push('…');
    }
    excerpt
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns `sentence` without what isolates the names in it.
    fn plain(sentence: &str) -> String {
        sentence.replace(['\u{2068}', '\u{2069}'], "")
    }

    #[test]
    fn a_notification_is_one_short_line() {
        let body = |text: &str| news(1, "Анна", text, "host").1;
        for (text, expected) in [
            ("tea", "tea"),
            (" tea\n\n and\tcake ", "tea and cake"),
            ("<b>tea</b> &", "<b>tea</b> &"),
        ] {
            assert_eq!(body(text), expected);
        }
        let long = "я".repeat(EXCERPT_CHARS_MAX);
        assert_eq!(body(&long), long);
        assert_eq!(body(&format!("{long}я")), format!("{long}…"));
        assert_eq!(body(&"о ".repeat(65_536)).chars().count(), EXCERPT_CHARS_MAX + 1);
    }

    #[test]
    fn a_notification_says_who_speaks_and_where() {
        for ((title, body), expected) in [
            (news(1, "Анна", "tea", "host"), ("Анна · host", "tea")),
            (news(2, "Анна", "tea", "host"), ("2 new messages · host", "Анна: tea")),
            (mention("Анна", "@Борис", "host"), ("Анна mentioned you · host", "@Борис")),
        ] {
            assert_eq!((plain(&title).as_str(), plain(&body).as_str()), expected);
        }
    }
}
