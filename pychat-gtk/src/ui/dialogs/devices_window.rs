//! The devices of the reader on one server: lists them, adds one, removes one.

use std::cell::RefCell;

use adw::{prelude::*, subclass::prelude::*};
use gtk::{glib, glib::clone};

use super::{add_device, question};
use crate::{
    session::{Session, devices::Device},
    text::{
        i18n::{gettext, gettext_f},
        names::isolated,
        times,
    },
};

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/devices_window.ui")]
    #[properties(wrapper_type = super::DevicesWindow)]
    pub struct DevicesWindow {
        #[template_child]
        group: TemplateChild<adw::PreferencesGroup>,
        #[template_child]
        add_button: TemplateChild<gtk::Button>,
        /// The session whose devices are shown.
        #[property(get, construct_only)]
        session: RefCell<Option<Session>>,
        rows: RefCell<Vec<adw::ActionRow>>,
        /// Follows the session, which outlives the window.
        signals: RefCell<Option<glib::SignalGroup>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for DevicesWindow {
        const NAME: &'static str = "PychatDevicesWindow";
        type Type = super::DevicesWindow;
        type ParentType = adw::PreferencesWindow;

        fn class_init(klass: &mut Self::Class) {
            klass.bind_template();
            klass.bind_template_callbacks();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for DevicesWindow {
        fn constructed(&self) {
            self.parent_constructed();
            let Some(session) = self.obj().session() else { return };
            let signals = glib::SignalGroup::new::<Session>();
            signals.connect_closure(
                "devices-changed",
                false,
                glib::closure_local!(
                    #[weak(rename_to = imp)]
                    self,
                    move |session: &Session| imp.show(session)
                ),
            );
            signals.connect_closure(
                "device-added",
                false,
                glib::closure_local!(
                    #[weak(rename_to = imp)]
                    self,
                    move |_: &Session, label: &str| imp.tell_of_new(label)
                ),
            );
            signals.connect_closure(
                "notify::state",
                false,
                glib::closure_local!(move |session: &Session, _: &glib::ParamSpec| {
                    // What is shown may be out of date once the connection is back.
                    if session.can_manage() {
                        session.request_devices();
                    }
                }),
            );
            signals.set_target(Some(&session));
            self.signals.replace(Some(signals));
            self.show(&session);
            session.request_devices();
        }
    }

    impl WidgetImpl for DevicesWindow {}

    impl WindowImpl for DevicesWindow {}

    impl AdwWindowImpl for DevicesWindow {}

    impl PreferencesWindowImpl for DevicesWindow {}

    #[gtk::template_callbacks]
    impl DevicesWindow {
        fn show(&self, session: &Session) {
            let had_focus = self.group.focus_child().is_some();
            for row in self.rows.take() {
                self.group.remove(&row);
            }
            for device in session.devices() {
                let row = self.row(session, device);
                self.group.add(&row);
                self.rows.borrow_mut().push(row);
            }
            if had_focus {
                self.add_button.grab_focus();
            }
        }

        fn row(&self, session: &Session, device: Device) -> adw::ActionRow {
            let name = name(&device);
            let is_this = session.is_this_device(device.key);
            let subtitle = if is_this { gettext("This device") } else { added(&device) };
            let row = adw::ActionRow::builder()
                .subtitle(glib::markup_escape_text(&subtitle))
                .title(glib::markup_escape_text(&name))
                .title_lines(1)
                .tooltip_text(&name)
                .build();
            if is_this {
                row.set_tooltip_text(None);
            } else {
                row.add_suffix(&self.remove_button(device, name));
            }
            row
        }

        fn remove_button(&self, device: Device, name: String) -> gtk::Button {
            let button = gtk::Button::builder()
                .css_classes(["flat"])
                .icon_name("user-trash-symbolic")
                .tooltip_text(gettext("Remove Device"))
                .valign(gtk::Align::Center)
                .build();
            let label = gettext_f("Remove {device}", &[("device", &isolated(&name))]);
            button.update_property(&[gtk::accessible::Property::Label(&label)]);
            button.connect_clicked(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| imp.ask_to_remove(&device, &name)
            ));
            button
        }

        fn ask_to_remove(&self, device: &Device, name: &str) {
            let key = device.key;
            question::ask(
                self.obj().upcast_ref(),
                &gettext("Remove Device?"),
                &gettext_f(
                    "{device} will be disconnected, and cannot join under your name any more.",
                    &[("device", &isolated(name))],
                ),
                &gettext("_Remove"),
                clone!(
                    #[weak(rename_to = imp)]
                    self,
                    move || imp.remove(key)
                ),
            );
        }

        fn remove(&self, key: pychat_wire::key::PublicKey) {
            let is_asked = self.obj().session().is_some_and(|session| session.remove_device(key));
            if !is_asked {
                self.tell(&gettext("Not removed: there is no connection to the server"));
            }
        }

        fn tell_of_new(&self, label: &str) {
            let name = if label.is_empty() { gettext("A device") } else { isolated(label) };
            self.tell(&gettext_f("{device} was added", &[("device", &name)]));
        }

        fn tell(&self, text: &str) {
            self.obj().add_toast(adw::Toast::new(&glib::markup_escape_text(text)));
        }

        #[template_callback]
        fn on_add_clicked(&self) {
            if let Some(session) = self.obj().session() {
                add_device::open(&*self.obj(), &session);
            }
        }
    }

    fn name(device: &Device) -> String {
        if device.label.is_empty() { gettext("Unnamed Device") } else { device.label.clone() }
    }

    fn added(device: &Device) -> String {
        let (at, now) = (i64::try_from(device.added_ms), glib::real_time() / 1_000);
        let day = times::day_name(at.unwrap_or(i64::MAX), now);
        // Translators: {day} is a day: "Today", "Yesterday" or a date.
        gettext_f("Added: {day}", &[("day", &day)])
    }
}

glib::wrapper! {
    /// The devices of the reader on one server.
    pub struct DevicesWindow(ObjectSubclass<imp::DevicesWindow>)
        @extends adw::PreferencesWindow, adw::Window, gtk::Window, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget, gtk::Native, gtk::Root,
            gtk::ShortcutManager;
}

impl DevicesWindow {
    /// Makes a window above `parent` for the devices of who has joined by `session`.
    pub fn new(parent: &impl IsA<gtk::Window>, session: &Session) -> Self {
        glib::Object::builder()
            .property("transient-for", parent)
            .property("session", session)
            .build()
    }
}
