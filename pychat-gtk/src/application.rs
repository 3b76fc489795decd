//! The application: its command line, its actions and its windows.
//!
//! A second start of the program talks to the first: without arguments it brings the window
//! forward, with arguments it opens another window, or brings forward the one that is there for
//! them. So does the desktop, with links and with notifications.

use std::ffi::OsString;

use adw::{prelude::*, subclass::prelude::*};
use gtk::{gio, glib};
use pychat_wire::UserName;

use crate::{
    config::{APP_ID, RESOURCE_PATH, VERSION},
    session::Account,
    settings::{self, Settings},
    text::{
        i18n::gettext,
        server_uri::{Access, ServerUri},
        times,
    },
    ui::{
        connect::input_error::address_error,
        dialogs::{about, preferences_window::PreferencesWindow},
        window::Window,
    },
};

/// The keyboard shortcuts of actions, in every window. The shortcuts window lists all of them.
pub const ACCELS: [(&str, &[&str]); 11] = [
    ("app.new-window", &["<Control>n"]),
    ("app.preferences", &["<Control>comma"]),
    ("app.quit", &["<Control>q"]),
    ("win.find-room", &["<Control>k"]),
    ("win.next-room", &["<Alt>Down"]),
    ("win.previous-room", &["<Alt>Up"]),
    ("win.search", &["<Control>f"]),
    ("win.search-everywhere", &["<Control><Shift>f"]),
    ("win.show-help-overlay", &["<Control>question"]),
    ("win.toggle-people", &["F9"]),
    ("window.close", &["<Control>w"]),
];

/// The program's name on the command line.
pub const PROGRAM: &str = "pychat-gtk";

/// GIO's name for the arguments that are no options (`G_OPTION_REMAINING`).
const ARGUMENTS: &str = "";

/// The application is told of command lines, and of links.
const FLAGS: gio::ApplicationFlags =
    gio::ApplicationFlags::HANDLES_COMMAND_LINE.union(gio::ApplicationFlags::HANDLES_OPEN);

/// The exit code for a command line that cannot be used.
const EXIT_USAGE: glib::ExitCode = glib::ExitCode::new(2);

mod imp {
    use std::{
        cell::{Cell, OnceCell},
        ops::ControlFlow,
    };

    use super::*;

    #[derive(Debug, Default)]
    pub struct Application {
        /// Opened when the first window needs them.
        pub(super) settings: OnceCell<Settings>,
        /// GIO knew every option of the command line.
        pub(super) is_understood: Cell<bool>,
        /// Tells how the desktop counts the hours.
        clock: OnceCell<Option<gio::Settings>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Application {
        const NAME: &'static str = "PychatApplication";
        type Type = super::Application;
        type ParentType = adw::Application;
    }

    impl ObjectImpl for Application {
        fn constructed(&self) {
            self.parent_constructed();
            self.obj().add_options();
        }
    }

    impl ApplicationImpl for Application {
        fn startup(&self) {
            glib::set_prgname(Some(APP_ID)); // By this name desktops find the launcher of a window.
            self.parent_startup();
            gtk::Window::set_default_icon_name(APP_ID);
            self.obj().add_actions();
            self.clock.get_or_init(|| settings::follow_clock(times::set_12_hour));
            self.obj().settings().bind_color_scheme(&adw::StyleManager::default());
        }

        fn activate(&self) {
            let obj = self.obj();
            match obj.active_window() {
                Some(window) => window.present(),
                None => obj.start(),
            }
        }

        /// Answers what needs neither a display nor another instance.
        fn handle_local_options(&self, options: &glib::VariantDict) -> ControlFlow<glib::ExitCode> {
            self.is_understood.set(true);
            if options.contains("version") {
                print_version();
                return ControlFlow::Break(glib::ExitCode::SUCCESS);
            }
            match server_argument(options) {
                Ok(_) => ControlFlow::Continue(()),
                Err(reason) => {
                    print_error(&reason);
                    ControlFlow::Break(EXIT_USAGE)
                }
            }
        }

        /// Links come in as files do.
        fn open(&self, files: &[gio::File], _hint: &str) {
            for file in files {
                match file.uri().parse::<ServerUri>() {
                    Ok(link) => self.obj().ask(link.name(), Some(&link)),
                    Err(error) => {
                        glib::g_warning!("pychat", "{}: {error}", file.uri());
                        self.activate();
                    }
                }
            }
        }

        fn command_line(&self, command_line: &gio::ApplicationCommandLine) -> glib::ExitCode {
            self.obj().run_command_line(command_line)
        }
    }

    impl GtkApplicationImpl for Application {}

    impl AdwApplicationImpl for Application {}
}

glib::wrapper! {
    /// The application.
    pub struct Application(ObjectSubclass<imp::Application>)
        @extends adw::Application, gtk::Application, gio::Application,
        @implements gio::ActionGroup, gio::ActionMap;
}

impl Default for Application {
    fn default() -> Self {
        glib::Object::builder()
            .property("application-id", APP_ID)
            .property("flags", FLAGS)
            .property("resource-base-path", RESOURCE_PATH)
            .build()
    }
}

impl Application {
    /// Runs by the command line of the process; returns what that is to end with. GIO's own code for
    /// options that it does not know is that of any failure.
    pub fn run_by_command_line(&self) -> glib::ExitCode {
        let code = self.run();
        if self.imp().is_understood.get() { code } else { EXIT_USAGE }
    }

    fn add_options(&self) {
        self.set_option_context_summary(Some(&gettext(
            "Chat client for pychat servers. Joins at once if both server and name are given; links ask for confirmation.",
        )));
        self.add_main_option(
            "name",
            b'n'.into(),
            glib::OptionFlags::NONE,
            glib::OptionArg::Filename, // Its bytes, whatever the locale makes of them.
            &gettext("The name to join under"),
            Some(&gettext("NAME")),
        );
        self.add_main_option(
            "version",
            b'v'.into(),
            glib::OptionFlags::NONE,
            glib::OptionArg::None,
            &gettext("Show the version and exit"),
            None,
        );
        self.add_main_option(
            ARGUMENTS,
            b'\0'.into(),
            glib::OptionFlags::NONE,
            glib::OptionArg::FilenameArray,
            "",
            // Translators: stands for the server's address, or a link, in `pychat-gtk --help`.
            Some(&gettext("[HOST[:PORT]|LINK]")),
        );
    }

    fn add_actions(&self) {
        self.add_action_entries([
            gio::ActionEntry::builder("about")
                .activate(|application: &Self, _, _| application.show_about())
                .build(),
            gio::ActionEntry::builder("mark-as-read")
                .parameter_type(Some(&<(String, String, String)>::static_variant_type()))
                .activate(|application: &Self, _, target| application.on_mark_as_read(target))
                .build(),
            gio::ActionEntry::builder("new-window")
                .activate(|application: &Self, _, _| application.new_window().present())
                .build(),
            gio::ActionEntry::builder("show-conversation")
                .parameter_type(Some(&<(String, String, String)>::static_variant_type()))
                .activate(|application: &Self, _, target| application.on_show(target))
                .build(),
            gio::ActionEntry::builder("preferences")
                .activate(|application: &Self, _, _| application.show_preferences())
                .build(),
            gio::ActionEntry::builder("quit")
                .activate(|application: &Self, _, _| application.close_windows())
                .build(),
        ]);
        for (action, accels) in ACCELS {
            self.set_accels_for_action(action, accels);
        }
    }

    fn run_command_line(&self, command_line: &gio::ApplicationCommandLine) -> glib::ExitCode {
        let options = command_line.options_dict();
        let name: Option<OsString> = options.lookup("name").ok().flatten();
        let name = name.as_ref().map(argument);
        let Ok(link) = server_argument(&options) else { return EXIT_USAGE };
        match (name, link) {
            (None, None) => self.activate(),
            (Some(name), Some(link)) => drop(self.show_conversation(&name, &link)),
            (Some(name), None) => self.ask(Some(&name), None),
            (None, Some(link)) => self.ask(link.name(), Some(&link)),
        }
        glib::ExitCode::SUCCESS
    }

    /// Opens the first window: that of the last chat, if that is preferred.
    fn start(&self) {
        let chat = self.settings().chat_at_start();
        match chat {
            Some(account) => drop(self.show_chat_of(&account)),
            None => self.new_window().present(),
        }
    }

    fn show_chat_of(&self, account: &Account) -> Window {
        self.show_conversation(account.name(), &account.server().into())
    }

    /// Brings forward the window of `name` at `server`, or opens one that joins; returns it.
    fn show_conversation(&self, name: &str, link: &ServerUri) -> Window {
        let server = link.server();
        let account = UserName::new(name).ok().map(|name| Account::new(name, server.clone()));
        if let Some(window) = account.and_then(|account| self.find_window(&account)) {
            window.present();
            return window;
        }
        let window = self.window_that_asks();
        window.fill(name, &server.to_string(), link.access());
        window.present();
        window.join();
        window
    }

    /// Opens a window that asks for what is not given, and for a yes: a link may be anybody's.
    /// Brings forward the window that is there already, if it is there for all of it.
    fn ask(&self, name: Option<&str>, link: Option<&ServerUri>) {
        if let (Some(name), Some(link)) = (name, link)
            && let Ok(name) = UserName::new(name)
            && let Some(window) = self.find_window(&Account::new(name, link.server().clone()))
        {
            window.present();
            return;
        }
        let settings = self.settings();
        let name = name.map_or_else(|| settings.name(), ToOwned::to_owned);
        let server = link.map_or_else(|| settings.server(), |link| link.server().to_string());
        let window = self.window_that_asks();
        window.fill(&name, &server, link.map(ServerUri::access).unwrap_or_default());
        window.present();
    }

    /// A notification says that somebody does not want to read what it tells of.
    fn on_mark_as_read(&self, target: Option<&glib::Variant>) {
        let Some((account, id)) = Account::from_target(target) else { return };
        let window = self.find_window(&account);
        if let Some(room) = window.and_then(|window| window.session().rooms().room(&id)) {
            room.mark_as_read();
        }
    }

    /// Returns a window that is about to ask who is to join, and where; a new one if there is none
    /// in which nothing was typed yet.
    fn window_that_asks(&self) -> Window {
        let asking = self.conversations().find(Window::is_asking);
        asking.unwrap_or_else(|| self.new_window())
    }

    /// Returns the windows in which there is a conversation, or may be one.
    fn conversations(&self) -> impl Iterator<Item = Window> {
        self.windows().into_iter().filter_map(|it| it.downcast().ok())
    }

    fn find_window(&self, account: &Account) -> Option<Window> {
        Window::find(self.upcast_ref(), account)
    }

    /// A notification was clicked, perhaps after the application that sent it has ended. Any
    /// program may say so: what was not joined before is asked about.
    fn on_show(&self, target: Option<&glib::Variant>) {
        let Some((account, id)) = Account::from_target(target) else { return };
        if self.settings().recent().contains(&account) {
            self.show_chat_of(&account).session().show_room(&id);
        } else {
            self.ask(Some(account.name()), Some(&account.server().into()));
        }
    }

    /// Opens a window for the chat that was joined last and is not open yet.
    fn new_window(&self) -> Window {
        let window = Window::new(self, self.settings());
        self.settings().bind("send-typing", &window.session(), "sends-typing");
        let recent = self.settings().recent();
        match recent.iter().find(|account| self.find_window(account).is_none()) {
            Some(account) => {
                window.fill(account.name(), &account.server().to_string(), Access::default());
            }
            None if recent.is_empty() => (),
            None => window.fill(&self.settings().name(), "", Access::default()),
        }
        window
    }

    fn settings(&self) -> &Settings {
        self.imp().settings.get_or_init(Settings::open)
    }

    /// Closes every window, be it seen or not, so that each ends its connection in order; the last
    /// one ends the application.
    fn close_windows(&self) {
        for window in self.windows() {
            match window.downcast::<Window>() {
                Ok(window) => window.end(),
                Err(other) => other.close(),
            }
        }
    }

    fn show_preferences(&self) {
        let preferences = PreferencesWindow::new(self.settings());
        preferences.set_transient_for(self.active_window().as_ref());
        preferences.present();
    }

    fn show_about(&self) {
        let about = about::window();
        about.set_transient_for(self.active_window().as_ref());
        about.present();
    }
}

/// Returns an argument as text. Arguments are UTF-8 in every locale, also in one that knows less.
fn argument(argument: &OsString) -> String {
    argument.to_string_lossy().into_owned()
}

/// Returns the server that the command line names, if it does, or what is wrong with it.
fn server_argument(options: &glib::VariantDict) -> Result<Option<ServerUri>, String> {
    let arguments: Vec<OsString> = options.lookup(ARGUMENTS).ok().flatten().unwrap_or_default();
    let arguments: Vec<_> = arguments.iter().map(argument).collect();
    match arguments.as_slice() {
        [] => Ok(None),
        [server] => ServerUri::from_typed(server).map(Some).map_err(address_error),
        _ => Err(gettext("Only one server can be joined at a time")),
    }
}

#[expect(clippy::print_stdout, reason = "the answer to `--version`")]
fn print_version() {
    println!("{PROGRAM} {VERSION}");
}

#[expect(clippy::print_stderr, reason = "the answer to a command line that makes no sense")]
fn print_error(reason: &str) {
    eprintln!("{PROGRAM}: {reason}");
}
