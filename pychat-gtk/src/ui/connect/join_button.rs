//! The button that joins, and in its place, meanwhile, the progress of that and a button that ends
//! it.

use std::{cell::RefCell, sync::OnceLock, time::Duration};

use adw::{prelude::*, subclass::prelude::*};
use gtk::{glib, glib::subclass::Signal};

/// The time that joining may take before a spinner shows it.
const SPINNER_DELAY: Duration = Duration::from_millis(500);

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate)]
    #[template(resource = "/io/github/pychat/Pychat/ui/join_button.ui")]
    pub struct JoinButton {
        #[template_child]
        pub(super) views: TemplateChild<gtk::Stack>,
        #[template_child]
        pub(super) button: TemplateChild<gtk::Button>,
        #[template_child]
        pub(super) label: TemplateChild<gtk::Label>,
        #[template_child]
        pub(super) progress: TemplateChild<gtk::Box>,
        #[template_child]
        pub(super) progress_label: TemplateChild<gtk::Label>,
        #[template_child]
        spinner: TemplateChild<gtk::Spinner>,
        #[template_child]
        pub(super) cancel_button: TemplateChild<gtk::Button>,
        /// The task that starts the spinner after [`SPINNER_DELAY`].
        spinner_delay: RefCell<Option<glib::JoinHandle<()>>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for JoinButton {
        const NAME: &'static str = "PychatJoinButton";
        type Type = super::JoinButton;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            klass.bind_template();
            klass.bind_template_callbacks();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    impl ObjectImpl for JoinButton {
        fn signals() -> &'static [Signal] {
            static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
            SIGNALS.get_or_init(|| {
                ["clicked", "cancelled"].map(|name| Signal::builder(name).build()).into()
            })
        }
    }

    impl WidgetImpl for JoinButton {}

    impl BinImpl for JoinButton {}

    #[gtk::template_callbacks]
    impl JoinButton {
        /// Turns the spinner, in a while: most servers answer before anybody would look at it.
        pub(super) fn spin(&self, is_joining: bool) {
            self.spinner.set_spinning(false);
            let spinner = self.spinner.downgrade();
            let delay = is_joining.then(|| {
                glib::spawn_future_local(async move {
                    glib::timeout_future(SPINNER_DELAY).await;
                    if let Some(spinner) = spinner.upgrade() {
                        spinner.set_spinning(true);
                    }
                })
            });
            if let Some(earlier) = self.spinner_delay.replace(delay) {
                earlier.abort();
            }
        }

        #[template_callback]
        fn on_clicked(&self) {
            self.obj().emit_by_name::<()>("clicked", &[]);
        }

        #[template_callback]
        fn on_cancel_clicked(&self) {
            self.obj().emit_by_name::<()>("cancelled", &[]);
        }
    }
}

glib::wrapper! {
    /// The button that joins, or the progress of that.
    ///
    /// Emits `clicked` to join, and `cancelled` to end that.
    pub struct JoinButton(ObjectSubclass<imp::JoinButton>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl JoinButton {
    /// Shows the button, with a label that has a mnemonic.
    pub fn offer(&self, label: &str) {
        let imp = self.imp();
        imp.spin(false);
        imp.label.set_label(label);
        imp.views.set_visible_child(&*imp.button);
    }

    /// Shows what is in progress, and moves the focus to the button that ends it.
    pub fn show_progress(&self, progress: &str) {
        let imp = self.imp();
        imp.progress_label.set_label(progress);
        imp.spin(true);
        imp.views.set_visible_child(&*imp.progress);
        imp.cancel_button.grab_focus();
    }

    /// Turns no spinner any longer, where nobody sees it.
    pub fn stop_spinning(&self) {
        self.imp().spin(false);
    }

    /// Lets the button be pressed, or not.
    pub fn set_enabled(&self, is_enabled: bool) {
        self.imp().button.set_sensitive(is_enabled);
    }

    /// Presses the button, if it can be pressed.
    pub fn press(&self) {
        self.imp().button.activate();
    }

    /// Moves the focus to the button.
    pub fn focus(&self) {
        self.imp().button.grab_focus();
    }
}
