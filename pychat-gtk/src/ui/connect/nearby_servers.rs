//! The servers that are found in the local network, each to be filled in with a click. There is nothing
//! to be seen of the list while there are none.

use std::{
    cell::{Cell, RefCell},
    sync::OnceLock,
};

use adw::{prelude::*, subclass::prelude::*};
use gtk::{glib, glib::clone, glib::subclass::Signal};

use crate::{
    session::discovery::{Discovery, NearbyServer},
    text::{i18n::gettext_f, names, server_uri::Access},
};

mod imp {
    use super::*;

    #[derive(Debug, Default)]
    pub struct NearbyServers {
        /// The search, which goes on while the list could be seen.
        discovery: RefCell<Option<Discovery>>,
        pub(super) servers: RefCell<Vec<NearbyServer>>,
        rows: RefCell<Vec<adw::ActionRow>>,
        /// The place of the server that was chosen last.
        pub(super) chosen: Cell<usize>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for NearbyServers {
        const NAME: &'static str = "PychatNearbyServers";
        type Type = super::NearbyServers;
        type ParentType = adw::PreferencesGroup;
    }

    impl ObjectImpl for NearbyServers {
        fn signals() -> &'static [Signal] {
            static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
            SIGNALS.get_or_init(|| vec![Signal::builder("chosen").build()])
        }
    }

    impl WidgetImpl for NearbyServers {}

    impl PreferencesGroupImpl for NearbyServers {}

    impl NearbyServers {
        pub(super) fn search(&self, is_wanted: bool) {
            if !is_wanted {
                self.discovery.take();
                self.show(Vec::new());
            } else if self.discovery.borrow().is_none() {
                let weak = self.downgrade();
                self.discovery.replace(Some(Discovery::begin(move |servers| {
                    if let Some(imp) = weak.upgrade() {
                        imp.show(servers);
                    }
                })));
            }
        }

        /// The keyboard stays with the server that it is on, as far as that is still there.
        fn show(&self, servers: Vec<NearbyServer>) {
            let rows = self.rows.take();
            let focused = rows.iter().position(WidgetExt::has_focus);
            let focused = focused.and_then(|at| self.servers.borrow().get(at).cloned());
            for row in rows {
                self.obj().remove(&row);
            }
            let rows: Vec<_> =
                servers.iter().enumerate().map(|(at, it)| self.row(at, it)).collect();
            let is_focused =
                |it: &NearbyServer| Some(&it.server) == focused.as_ref().map(|it| &it.server);
            let row = servers.iter().position(is_focused).and_then(|at| rows.get(at).cloned());
            self.obj().set_visible(!rows.is_empty());
            self.rows.replace(rows);
            self.servers.replace(servers);
            if let Some(row) = row {
                row.grab_focus();
            }
        }

        fn row(&self, at: usize, server: &NearbyServer) -> adw::ActionRow {
            let address = server.server.to_string();
            let row = adw::ActionRow::builder()
                .activatable(true)
                .subtitle(glib::markup_escape_text(&names::left_to_right(&address)))
                .title(glib::markup_escape_text(&names::isolated(&server.name)))
                .tooltip_text(&address)
                .build();
            let values = [("name", &*names::isolated(&server.name)), ("server", &address)];
            // Translators: a server in the local network; {server} is its address.
            let label = gettext_f("{name} at {server}", &values);
            row.reset_relation(gtk::AccessibleRelation::LabelledBy); // By its title alone.
            row.update_property(&[gtk::accessible::Property::Label(&label)]);
            row.connect_activated(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| {
                    imp.chosen.set(at);
                    imp.obj().emit_by_name::<()>("chosen", &[]);
                }
            ));
            self.obj().add(&row);
            row
        }
    }
}

glib::wrapper! {
    /// The servers that are found in the local network.
    ///
    /// Emits `chosen` when one of them [was](Self::chosen).
    pub struct NearbyServers(ObjectSubclass<imp::NearbyServers>)
        @extends adw::PreferencesGroup, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl NearbyServers {
    /// Searches, or ends that.
    pub fn search(&self, is_wanted: bool) {
        self.imp().search(is_wanted);
    }

    /// Returns the address of the server that was chosen, and how to get there.
    pub fn chosen(&self) -> Option<(String, Access)> {
        let imp = self.imp();
        let server = imp.servers.borrow().get(imp.chosen.get()).cloned()?;
        let NearbyServer { server, others, pin, .. } = server;
        let access = Access { others, pin: Some(pin), code: None, is_found: true };
        Some((server.to_string(), access))
    }
}
