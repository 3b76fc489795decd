//! The preferences. Every choice takes effect at once.

use adw::{prelude::*, subclass::prelude::*};
use gtk::{glib, glib::clone};

use crate::{settings::Settings, text::i18n::gettext, ui::desktop};

/// The colour schemes in the settings, as their row lists them.
const COLOR_SCHEMES: &[&str] = &["default", "light", "dark"];

/// The choices of notifications, likewise.
const NOTIFICATIONS: &[&str] = &["all", "mentions", "none"];

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate)]
    #[template(resource = "/io/github/pychat/Pychat/ui/preferences_window.ui")]
    pub struct PreferencesWindow {
        #[template_child]
        pub(super) enter_sends: TemplateChild<gtk::Switch>,
        #[template_child]
        pub(super) send_typing: TemplateChild<gtk::Switch>,
        #[template_child]
        pub(super) notifications: TemplateChild<adw::ComboRow>,
        #[template_child]
        pub(super) join_at_start: TemplateChild<gtk::Switch>,
        #[template_child]
        pub(super) run_in_background: TemplateChild<gtk::Switch>,
        #[template_child]
        pub(super) color_scheme: TemplateChild<adw::ComboRow>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for PreferencesWindow {
        const NAME: &'static str = "PychatPreferencesWindow";
        type Type = super::PreferencesWindow;
        type ParentType = adw::PreferencesWindow;

        fn class_init(klass: &mut Self::Class) {
            klass.bind_template();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    impl ObjectImpl for PreferencesWindow {}

    impl WidgetImpl for PreferencesWindow {}

    impl WindowImpl for PreferencesWindow {}

    impl AdwWindowImpl for PreferencesWindow {}

    impl PreferencesWindowImpl for PreferencesWindow {}

    impl PreferencesWindow {
        /// Asks the desktop, if the client has to; without its leave it ends with its windows.
        pub(super) async fn ask_for_background(&self) {
            if !self.run_in_background.is_active() || !desktop::is_confined() {
                return;
            }
            let reason = gettext("To stay connected when the window is closed");
            if !desktop::request_background(&reason).await {
                self.run_in_background.set_active(false);
                let text = gettext("Your system does not allow Pychat to run in the background");
                self.obj().add_toast(adw::Toast::new(&text));
            }
        }
    }
}

glib::wrapper! {
    /// The preferences.
    pub struct PreferencesWindow(ObjectSubclass<imp::PreferencesWindow>)
        @extends adw::PreferencesWindow, adw::Window, gtk::Window, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget, gtk::Native, gtk::Root,
            gtk::ShortcutManager;
}

impl PreferencesWindow {
    /// Makes a window over `settings`.
    pub fn new(settings: &Settings) -> Self {
        let window: Self = glib::Object::new();
        let imp = window.imp();
        settings.bind("enter-sends", &*imp.enter_sends, "active");
        settings.bind("send-typing", &*imp.send_typing, "active");
        settings.bind_choice("notifications", &imp.notifications, NOTIFICATIONS);
        settings.bind("join-at-start", &*imp.join_at_start, "active");
        settings.bind("run-in-background", &*imp.run_in_background, "active");
        settings.bind_choice("color-scheme", &imp.color_scheme, COLOR_SCHEMES);
        imp.run_in_background.connect_active_notify(clone!(
            #[weak]
            window,
            move |_| {
                glib::spawn_future_local(async move { window.imp().ask_for_background().await });
            }
        ));
        window
    }
}
