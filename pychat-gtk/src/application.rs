//! The application: its command line, its actions and its windows.
//!
//! A second start of the program talks to the first: without arguments it brings the window
//! forward, with arguments it opens another window.

use adw::{prelude::*, subclass::prelude::*};
use gtk::{gio, glib};

use crate::{
    config::{APP_ID, RESOURCE_PATH, VERSION},
    i18n::gettext,
    server_address::ServerAddress,
    settings::Settings,
    window::Window,
    wording,
};

/// The name, to GIO, of the arguments which are no options.
const ARGUMENTS: &str = "";

/// What a program returns that was called the wrong way.
const EXIT_USAGE: glib::ExitCode = glib::ExitCode::new(2);

mod imp {
    use std::{cell::OnceCell, ops::ControlFlow};

    use super::*;

    #[derive(Debug, Default)]
    pub struct Application {
        /// Opened when the first window needs them.
        pub(super) settings: OnceCell<Settings>,
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
            self.parent_startup();
            gtk::Window::set_default_icon_name(APP_ID);
            self.obj().add_actions();
        }

        fn activate(&self) {
            let obj = self.obj();
            match obj.active_window() {
                Some(window) => window.present(),
                None => obj.new_window().present(),
            }
        }

        /// What can be answered without a display, or another instance, is answered here.
        fn handle_local_options(&self, options: &glib::VariantDict) -> ControlFlow<glib::ExitCode> {
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
            .property("flags", gio::ApplicationFlags::HANDLES_COMMAND_LINE)
            .property("resource-base-path", RESOURCE_PATH)
            .build()
    }
}

impl Application {
    fn add_options(&self) {
        self.set_option_context_summary(Some(&gettext(
            "A chat over plain TCP. With a server and a name, it is joined at once.",
        )));
        self.add_main_option(
            "name",
            b'n'.into(),
            glib::OptionFlags::NONE,
            glib::OptionArg::String,
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
            glib::OptionArg::StringArray,
            "",
            // Translators: stands for the server's address in `pychat-gtk --help`.
            Some(&gettext("[HOST[:PORT]]")),
        );
    }

    fn add_actions(&self) {
        self.add_action_entries([
            gio::ActionEntry::builder("about")
                .activate(|application: &Self, _, _| application.show_about())
                .build(),
            gio::ActionEntry::builder("quit")
                .activate(|application: &Self, _, _| application.close_windows())
                .build(),
        ]);
        self.set_accels_for_action("app.quit", &["<Control>q"]);
        self.set_accels_for_action("window.close", &["<Control>w"]);
        self.set_accels_for_action("win.toggle-people", &["F9"]);
    }

    fn run_command_line(&self, command_line: &gio::ApplicationCommandLine) -> glib::ExitCode {
        let options = command_line.options_dict();
        let name: Option<String> = options.lookup("name").ok().flatten();
        let Ok(server) = server_argument(&options) else { return EXIT_USAGE };
        if name.is_none() && server.is_none() {
            self.activate();
            return glib::ExitCode::SUCCESS;
        }

        let window = self.new_window();
        let settings = self.settings();
        let is_complete = name.is_some() && server.is_some();
        let name = name.unwrap_or_else(|| settings.name());
        let server = server.map_or_else(|| settings.server(), |server| server.to_string());
        window.fill(&name, &server);
        window.present();
        if is_complete {
            window.join();
        }
        glib::ExitCode::SUCCESS
    }

    fn new_window(&self) -> Window {
        Window::new(self, self.settings())
    }

    fn settings(&self) -> &Settings {
        self.imp().settings.get_or_init(Settings::open)
    }

    /// Closes every window, so that each ends its connection in order; the last one ends the
    /// application.
    fn close_windows(&self) {
        for window in self.windows() {
            window.close();
        }
    }

    fn show_about(&self) {
        let about = adw::AboutWindow::builder()
            .application_icon(APP_ID)
            .application_name(gettext("Pychat"))
            .comments(gettext("A small chat for the people on your network"))
            .license_type(gtk::License::Apache20)
            .version(VERSION)
            .build();
        about.set_transient_for(self.active_window().as_ref());
        about.present();
    }
}

/// Returns the server that the command line names, if it does, or what is wrong with it.
fn server_argument(options: &glib::VariantDict) -> Result<Option<ServerAddress>, String> {
    let arguments: Vec<String> = options.lookup(ARGUMENTS).ok().flatten().unwrap_or_default();
    match arguments.as_slice() {
        [] => Ok(None),
        [server] => server.parse().map(Some).map_err(wording::address_error),
        _ => Err(gettext("Only one server can be joined at a time")),
    }
}

#[expect(clippy::print_stdout, reason = "the answer to `--version`")]
fn print_version() {
    println!("pychat-gtk {VERSION}");
}

#[expect(clippy::print_stderr, reason = "the answer to a command line that makes no sense")]
fn print_error(reason: &str) {
    eprintln!("pychat-gtk: {reason}");
}
