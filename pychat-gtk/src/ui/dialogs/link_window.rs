//! A window that offers a link: as a QR code for a camera, and as a text to be copied.

use std::{cell::RefCell, sync::OnceLock, time::Duration};

use adw::{prelude::*, subclass::prelude::*};
use gtk::{glib, glib::subclass::Signal};

use super::qr_code::QrCode;
use crate::text::i18n::{gettext, ngettext_f};

/// The seconds of a minute.
const MINUTE_SECONDS: u64 = 60;

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate)]
    #[template(resource = "/io/github/pychat/Pychat/ui/link_window.ui")]
    pub struct LinkWindow {
        #[template_child]
        toast_overlay: TemplateChild<adw::ToastOverlay>,
        #[template_child]
        pub(super) views: TemplateChild<gtk::Stack>,
        #[template_child]
        pub(super) waiting: TemplateChild<gtk::Spinner>,
        #[template_child]
        pub(super) failure: TemplateChild<adw::StatusPage>,
        #[template_child]
        pub(super) renew_button: TemplateChild<gtk::Button>,
        #[template_child]
        pub(super) offer: TemplateChild<gtk::ScrolledWindow>,
        #[template_child]
        pub(super) explanation: TemplateChild<gtk::Label>,
        #[template_child]
        pub(super) qr_code: TemplateChild<QrCode>,
        #[template_child]
        pub(super) link: TemplateChild<gtk::Label>,
        #[template_child]
        pub(super) copy_button: TemplateChild<gtk::Button>,
        #[template_child]
        pub(super) validity: TemplateChild<gtk::Label>,
        /// Counts the minutes for which the link is good.
        pub(super) countdown: RefCell<Option<glib::JoinHandle<()>>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for LinkWindow {
        const NAME: &'static str = "PychatLinkWindow";
        type Type = super::LinkWindow;
        type ParentType = adw::Window;

        fn class_init(klass: &mut Self::Class) {
            QrCode::ensure_type();
            klass.bind_template();
            klass.bind_template_callbacks();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    impl ObjectImpl for LinkWindow {
        fn signals() -> &'static [Signal] {
            static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
            SIGNALS.get_or_init(|| vec![Signal::builder("renew").build()])
        }

        fn dispose(&self) {
            self.stop_counting();
        }
    }

    impl WidgetImpl for LinkWindow {}

    impl WindowImpl for LinkWindow {}

    impl AdwWindowImpl for LinkWindow {}

    #[gtk::template_callbacks]
    impl LinkWindow {
        pub(super) fn stop_counting(&self) {
            if let Some(countdown) = self.countdown.take() {
                countdown.abort();
            }
        }

        #[template_callback]
        fn on_copy_clicked(&self) {
            self.obj().clipboard().set_text(&self.link.label());
            self.toast_overlay.add_toast(adw::Toast::new(&gettext("Link copied")));
        }

        #[template_callback]
        fn on_renew_clicked(&self) {
            self.obj().wait();
            self.obj().emit_by_name::<()>("renew", &[]);
        }
    }
}

glib::wrapper! {
    /// A window that offers a link.
    ///
    /// Emits `renew` when another link is asked for, as the last one is good no longer or there was
    /// none.
    pub struct LinkWindow(ObjectSubclass<imp::LinkWindow>)
        @extends adw::Window, gtk::Window, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget, gtk::Native, gtk::Root,
            gtk::ShortcutManager;
}

impl LinkWindow {
    /// Makes a window above `parent` that waits for its link.
    pub fn new(parent: &impl IsA<gtk::Window>, title: &str) -> Self {
        glib::Object::builder().property("transient-for", parent).property("title", title).build()
    }

    /// Shows that the link is still to come.
    pub fn wait(&self) {
        self.imp().stop_counting();
        self.imp().views.set_visible_child(&*self.imp().waiting);
    }

    /// Shows a link, with an explanation above it.
    pub fn offer(&self, link: &str, explanation: &str) {
        let imp = self.imp();
        imp.stop_counting();
        imp.explanation.set_label(explanation);
        imp.qr_code.show_text(link);
        imp.link.set_label(link);
        imp.views.set_visible_child(&*imp.offer);
        imp.copy_button.grab_focus(); // Not the link, all of which would be selected then.
    }

    /// Shows below the link what else there is to know of it.
    pub fn set_validity(&self, sentence: &str) {
        self.imp().validity.set_label(sentence);
        self.imp().validity.set_visible(!sentence.is_empty());
    }

    /// Shows below the link for how long it is good, and at its end that it is good no longer.
    pub fn count_down(&self, mut rest: Duration) {
        let weak = self.downgrade();
        let countdown = glib::spawn_future_local(async move {
            while !rest.is_zero() {
                let Some(window) = weak.upgrade() else { return };
                window.set_validity(&validity(rest));
                drop(window);
                let step = until_next_minute(rest);
                glib::timeout_future(step).await;
                rest = rest.saturating_sub(step);
            }
            if let Some(window) = weak.upgrade() {
                window.imp().countdown.take(); // The task that runs this; it is about to end.
                window.fail(
                    &gettext("This Link Has Expired"),
                    &gettext("Nobody can join by it any more."),
                    true,
                );
            }
        });
        if let Some(before) = self.imp().countdown.replace(Some(countdown)) {
            before.abort();
        }
    }

    /// Shows why there is no link; offers to ask for another if that `can_be_renewed`.
    pub fn fail(&self, heading: &str, description: &str, can_be_renewed: bool) {
        let imp = self.imp();
        imp.stop_counting();
        imp.failure.set_title(heading);
        imp.failure.set_description(Some(&glib::markup_escape_text(description)));
        imp.renew_button.set_visible(can_be_renewed);
        imp.views.set_visible_child(&*imp.failure);
        if can_be_renewed {
            imp.renew_button.grab_focus();
        }
    }

    /// Calls `f` when another link is asked for.
    pub fn connect_renew(&self, f: impl Fn(&Self) + 'static) {
        self.connect_closure("renew", false, glib::closure_local!(move |window: &Self| f(window)));
    }
}

/// Returns how long a link is good, in whole minutes.
fn validity(rest: Duration) -> String {
    let minutes = rest.as_secs().div_ceil(MINUTE_SECONDS);
    if minutes <= 1 {
        return gettext("The link works once, for less than a minute from now.");
    }
    ngettext_f(
        "The link works once, for {count} minute from now.",
        "The link works once, for {count} minutes from now.",
        usize::try_from(minutes).unwrap_or(usize::MAX),
        &[],
    )
}

/// Returns how long it is until [`validity`] says something else.
fn until_next_minute(rest: Duration) -> Duration {
    let minute = Duration::from_secs(MINUTE_SECONDS);
    let minutes = u32::try_from(rest.as_secs().saturating_sub(1) / MINUTE_SECONDS);
    let after = minute * minutes.unwrap_or_default();
    rest.saturating_sub(after).clamp(Duration::from_secs(1), minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minutes_that_are_left_are_counted_down_to_the_last() {
        let mut rest = Duration::from_secs(125);
        let mut told = Vec::new();
        while !rest.is_zero() {
            told.push((rest.as_secs(), validity(rest)));
            rest = rest.saturating_sub(until_next_minute(rest));
        }
        let minutes = |n| format!("The link works once, for {n} minutes from now.");
        let last = "The link works once, for less than a minute from now.".to_owned();
        assert_eq!(told, [(125, minutes(3)), (120, minutes(2)), (60, last)]);
    }
}
