//! The entries for a name and a server.
//!
//! Input is checked with every key; its error stands below the entries, in a place that is kept
//! free for it. An entry in which nothing was typed yet is not complained about.

use std::{
    cell::{Cell, RefCell},
    sync::OnceLock,
};

use adw::{prelude::*, subclass::prelude::*};
use gtk::{glib, glib::subclass::Signal};
use pychat_wire::{NameError, UserName, link::Code};

use super::input_error::{address_error, name_error};
use crate::{
    session::Account,
    text::{
        i18n::gettext,
        server_address::{AddressError, ServerAddress},
        server_uri::{Access, ServerUri},
    },
};

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate)]
    #[template(resource = "/io/github/pychat/Pychat/ui/account_form.ui")]
    pub struct AccountForm {
        #[template_child]
        pub(super) name_row: TemplateChild<adw::EntryRow>,
        #[template_child]
        pub(super) server_row: TemplateChild<adw::EntryRow>,
        #[template_child]
        pub(super) hints: TemplateChild<gtk::Box>,
        #[template_child]
        pub(super) hint: TemplateChild<gtk::Label>,
        #[template_child]
        pub(super) failure: TemplateChild<gtk::Label>,
        /// True once somebody has changed the name that was filled in.
        pub(super) is_name_touched: Cell<bool>,
        /// True once somebody has changed the server that was filled in.
        pub(super) is_server_touched: Cell<bool>,
        /// The name and the server that were filled in last.
        pub(super) filled_in: RefCell<(String, String)>,
        /// The other parts of the link by which they were filled in.
        pub(super) access: RefCell<Access>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for AccountForm {
        const NAME: &'static str = "PychatAccountForm";
        type Type = super::AccountForm;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            klass.set_accessible_role(gtk::AccessibleRole::Group);
            klass.bind_template();
            klass.bind_template_callbacks();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    impl ObjectImpl for AccountForm {
        fn signals() -> &'static [Signal] {
            static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
            SIGNALS.get_or_init(|| {
                ["changed", "activated"].map(|name| Signal::builder(name).build()).into()
            })
        }

        fn constructed(&self) {
            self.parent_constructed();
            self.check();
        }
    }

    impl WidgetImpl for AccountForm {}

    impl BinImpl for AccountForm {}

    #[gtk::template_callbacks]
    impl AccountForm {
        pub(super) fn name(&self) -> Result<UserName, NameError> {
            UserName::new(&self.name_row.text())
        }

        pub(super) fn server(&self) -> Result<ServerAddress, AddressError> {
            ServerUri::from_typed(&self.server_row.text()).map(|link| link.server().clone())
        }

        /// Checks both entries, and shows what is wrong with the first of those that are not right.
        pub(super) fn check(&self) {
            let is_touched = self.is_name_touched.get();
            let name = self.name().err().filter(|it| is_touched || *it != NameError::Empty);
            let is_touched = self.is_server_touched.get();
            let server = self.server().err().filter(|it| is_touched || *it != AddressError::Empty);
            mark(&self.name_row, name.is_some());
            mark(&self.server_row, server.is_some());
            let problem = name.map(name_error);
            let problem = problem.or_else(|| server.map(address_error));
            let class = if problem.is_some() { "error" } else { "dim-label" };
            self.hint.set_css_classes(&["caption", "hint", class]);
            self.hint.set_label(
                &problem.unwrap_or_else(|| gettext("Your name is how others will see you")),
            );
        }

        #[template_callback]
        fn on_name_changed(&self) {
            self.is_name_touched.set(true);
            self.on_changed();
        }

        /// A link may say who is to join, unless a name was typed.
        #[template_callback]
        fn on_server_changed(&self) {
            self.is_server_touched.set(true);
            if !self.is_name_touched.get()
                && let Ok(link) = ServerUri::from_typed(&self.server_row.text())
                && let Some(name) = link.name()
            {
                self.name_row.set_text(name);
                self.is_name_touched.set(false);
            }
            self.on_changed();
        }

        fn on_changed(&self) {
            self.check();
            self.obj().emit_by_name::<()>("changed", &[]);
        }

        #[template_callback]
        fn on_entry_activated(&self) {
            self.obj().emit_by_name::<()>("activated", &[]);
        }
    }

    /// Shows whether there is a mistake in an entry, also to those who do not see colours.
    fn mark(row: &adw::EntryRow, is_mistake: bool) {
        if is_mistake {
            row.add_css_class("error");
        } else {
            row.remove_css_class("error");
        }
        row.update_state(&[gtk::accessible::State::Invalid(if is_mistake {
            gtk::AccessibleInvalidState::True
        } else {
            gtk::AccessibleInvalidState::False
        })]);
    }
}

glib::wrapper! {
    /// The entries for a name and a server.
    ///
    /// Emits `changed` with every key, and `activated` with Enter.
    pub struct AccountForm(ObjectSubclass<imp::AccountForm>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl AccountForm {
    /// Returns the account that was entered; `None` while an entry has a mistake in it.
    pub fn account(&self) -> Option<Account> {
        let imp = self.imp();
        Some(Account::new(imp.name().ok()?, imp.server().ok()?))
    }

    /// Returns what the link has by which the entries were filled in, or that stands in one of them.
    pub fn access(&self) -> Access {
        let imp = self.imp();
        let (name, server) = &*imp.filled_in.borrow();
        if imp.server_row.text() != *server {
            let link = ServerUri::from_typed(&imp.server_row.text());
            return link.map(|link| link.access()).unwrap_or_default();
        }
        let access = imp.access.borrow().clone();
        let code = access.code.filter(|code| {
            // Another device joins as the person whose link it is.
            imp.name_row.text() == *name || !matches!(code, Code::Pair(_))
        });
        Access { code, ..access }
    }

    /// Fills in the server alone, which is to be had by this `access`.
    pub fn fill_server(&self, server: &str, access: Access) {
        let imp = self.imp();
        let (name, is_touched) = (imp.name_row.text(), imp.is_name_touched.get());
        self.fill(&name, server, access);
        imp.is_name_touched.set(is_touched);
        imp.check();
    }

    /// Fills the entries in, from a link with this `access`; nobody is blamed for what stands there
    /// then.
    pub fn fill(&self, name: &str, server: &str, access: Access) {
        let imp = self.imp();
        imp.name_row.set_text(name);
        imp.server_row.set_text(server);
        imp.access.replace(access);
        imp.filled_in.replace((name.to_owned(), server.to_owned()));
        imp.is_name_touched.set(false);
        imp.is_server_touched.set(false);
        imp.check();
    }

    /// Returns true if the entries are as they were filled in.
    pub fn is_untouched(&self) -> bool {
        let imp = self.imp();
        let (name, server) = &*imp.filled_in.borrow();
        imp.name_row.text() == *name && imp.server_row.text() == *server
    }

    /// Enters another name, as if it were typed.
    pub fn enter_name(&self, name: &str) {
        self.imp().name_row.set_text(name);
    }

    /// Moves the focus to the name.
    pub fn focus_name(&self) {
        self.imp().name_row.grab_focus();
    }

    /// Moves the focus to the first entry with a mistake in it; returns false if there is none.
    pub fn focus_mistake(&self) -> bool {
        let imp = self.imp();
        let is_mistake =
            [(&imp.name_row, imp.name().is_err()), (&imp.server_row, imp.server().is_err())];
        let row = is_mistake.into_iter().find_map(|(row, is_mistake)| is_mistake.then_some(row));
        row.inspect(|row| _ = row.grab_focus()).is_some()
    }

    /// Lets the entries be edited, or not.
    pub fn set_editable(&self, is_editable: bool) {
        self.imp().name_row.set_sensitive(is_editable);
        self.imp().server_row.set_sensitive(is_editable);
    }

    /// Shows below the entries why joining has failed, in the place of their mistakes.
    pub fn show_failure(&self, failure: Option<&str>) {
        let imp = self.imp();
        if imp.failure.is_visible() && failure.is_none() {
            imp.hints.set_height_request(imp.hints.height()); // Nothing moves while one types.
        }
        imp.failure.set_visible(failure.is_some());
        imp.hint.set_visible(failure.is_none()); // The entries are right where joining has failed.
        imp.failure.set_label(failure.unwrap_or_default());
    }
}
