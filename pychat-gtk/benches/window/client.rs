//! The client process: the application as it is shipped, watched from inside.

use std::{cell::Cell, rc::Rc, time::Duration};

use adw::prelude::*;
use gtk::{gio, glib};
use pychat_gtk::{
    application::Application, config, session::SessionState, text::i18n, ui::window::Window,
};

use crate::{
    many_rooms,
    objects::Objects,
    part::{Part, REST, word},
    watch::{self, Watch},
};

/// The size of the client's window where none is remembered, in pixels.
const WINDOW_SIZE: (i32, i32) = (920, 720);

/// The longest that a client lives, should nobody end it.
const LIFE: Duration = Duration::from_mins(5);

/// Plays `part`, until it is killed.
pub(crate) fn run(part: Part) -> glib::ExitCode {
    glib::timeout_add_local_once(LIFE, || std::process::exit(1));
    glib::set_prgname(Some(config::APP_ID));
    if part == Part::Empty {
        return run_empty();
    }
    // As the program itself begins.
    i18n::init().expect("the build has translations");
    gio::resources_register_include!("pychat.gresource").expect("the build has resources");
    glib::set_application_name("Pychat");
    let mut arguments = vec!["pychat-gtk".to_owned()];
    if let Some(server) = part.server() {
        arguments.extend(["--name".into(), "Анна".into(), server.into()]);
    }
    let application = Application::default();
    application.connect_window_added(move |_, window| {
        let Some(window) = window.downcast_ref::<Window>() else { return };
        match part {
            Part::Empty => (),
            Part::Start => watch::tell_start(window, is_asking),
            Part::Read { last, .. } => watch_reading(window, last),
            Part::Rest { .. } => watch_joining(window),
            Part::Alone { .. } => watch::tell_start(window, can_write),
            Part::Rooms { .. } => watch::tell_start(window, many_rooms::is_usable),
            Part::Change { .. } => many_rooms::watch_changes(window),
            Part::Return { first, last, .. } => watch_returns(window, first, last),
        }
    });
    application.run_with_args(&arguments)
}

/// Shows what GNOME's template for an application of libadwaita does, in a window of the client's size: a
/// header bar with the main menu, and a greeting.
fn run_empty() -> glib::ExitCode {
    let application = adw::Application::builder().application_id("io.github.pychat.Empty").build();
    application.connect_activate(|application| {
        let menu = gio::Menu::new();
        for label in ["_Preferences", "_Keyboard Shortcuts", "_About"] {
            menu.append(Some(label), Some("app.about"));
        }
        let menu_button = gtk::MenuButton::builder()
            .icon_name("open-menu-symbolic")
            .menu_model(&menu)
            .primary(true)
            .build();
        let header = adw::HeaderBar::new();
        header.pack_end(&menu_button);
        let greeting = gtk::Label::builder()
            .css_classes(["title-1"])
            .label("Hello, World!")
            .vexpand(true)
            .build();
        let content = gtk::Box::new(gtk::Orientation::Vertical, 0);
        content.append(&header);
        content.append(&greeting);
        let window = adw::ApplicationWindow::builder()
            .application(application)
            .content(&content)
            .default_width(WINDOW_SIZE.0)
            .default_height(WINDOW_SIZE.1)
            .title("Empty")
            .build();
        watch::tell_start(&window, |_| true);
        window.present();
    });
    application.run_with_args(&["empty"])
}

/// Returns true if who is to join, and where, can be typed.
fn is_asking(window: &Window) -> bool {
    GtkWindowExt::focus(window).is_some_and(|it| it.is::<gtk::Text>())
}

/// Returns true if a message can be written.
pub(crate) fn can_write(window: &Window) -> bool {
    GtkWindowExt::focus(window).is_some_and(|it| it.is::<gtk::TextView>())
}

/// Tells when the client has joined and come to rest.
fn watch_joining(window: &Window) {
    let session = window.session();
    glib::spawn_future_local(async move {
        until(|| session.state() == SessionState::Joined).await;
        glib::timeout_future(REST).await;
        watch::tell(word::READY, 0);
    });
}

/// Tells when message number `last` is on show, and how the frames went until all was at rest.
fn watch_reading(window: &Window, last: usize) {
    let window = window.clone();
    glib::spawn_future_local(async move {
        let session = window.session();
        until(|| session.state() == SessionState::Joined).await;
        glib::timeout_future(REST).await;
        let watch = Watch::start(&window);
        watch::tell(word::READY, 0);
        watch::tell(word::SHOWN, watch.shown(&format!(" {last}")).await);
        glib::timeout_future(REST).await;
        watch.finish();
        watch::tell(word::SETTLED, 0);
    });
}

/// Comes back at once, over and over.
fn watch_returns(window: &Window, first: usize, last: usize) {
    let session = window.session();
    let n_joined = Rc::new(Cell::new(0));
    session.connect_state_notify({
        let n_joined = n_joined.clone();
        move |session| match session.state() {
            SessionState::Joined => n_joined.set(n_joined.get() + 1),
            SessionState::Lost => {
                let session = session.clone();
                glib::idle_add_local_once(move || session.rejoin());
            }
            _ => (),
        }
    });
    let window = window.clone();
    glib::spawn_future_local(async move {
        for n in [first, last] {
            until(|| n <= n_joined.get()).await;
            watch::tell(word::READY, 0);
            glib::timeout_future(REST).await;
            Objects::count(&window).tell();
        }
    });
}

/// Waits until this is true.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        glib::timeout_future(Duration::from_millis(1)).await;
    }
}
