//! The desktop, asked over D-Bus: how it takes notifications, and whether the client may run unseen.

use std::path::Path;

use futures_util::StreamExt;
use gtk::{gio, glib, glib::prelude::*};

/// There in each Flatpak, and nowhere else.
const FLATPAK_INFO: &str = "/.flatpak-info";

/// Set to 1, it has GIO and GTK go through the portals of the desktop anywhere.
const PORTAL_VARIABLE: &str = "GTK_USE_PORTAL";

/// The service that shows notifications of GIO's on GNOME, as plain text.
const GTK_NOTIFICATIONS: &str = "org.gtk.Notifications";

const NOTIFICATIONS: &str = "org.freedesktop.Notifications";
const NOTIFICATIONS_PATH: &str = "/org/freedesktop/Notifications";

const PORTAL: &str = "org.freedesktop.portal.Desktop";
const PORTAL_PATH: &str = "/org/freedesktop/portal/desktop";

/// The response code of a portal if nobody has refused.
const GRANTED: u32 = 0;

/// The timeout of a D-Bus call, in milliseconds; a service that has not come up by then will not.
const TIMEOUT_MS: i32 = 10_000;

/// Returns true if the client is confined and has to ask for what others just do.
pub fn is_confined() -> bool {
    let is_asked_for = std::env::var_os(PORTAL_VARIABLE).is_some_and(|it| it == "1");
    is_asked_for || Path::new(FLATPAK_INFO).exists()
}

/// Returns true if the body of a notification is taken for markup.
///
/// That is up to what GIO hands it to: a portal and GNOME's own service take plain text, the common
/// service says what it takes.
pub async fn takes_markup() -> bool {
    !is_confined()
        && match gio::bus_get_future(gio::BusType::Session).await {
            Ok(bus) => !has_owner(&bus, GTK_NOTIFICATIONS).await && has_body_markup(&bus).await,
            Err(_) => false, // Nor is there anybody to notify.
        }
}

async fn has_owner(bus: &gio::DBusConnection, name: &str) -> bool {
    let (service, path) = ("org.freedesktop.DBus", "/org/freedesktop/DBus");
    let answer = call(bus, service, path, service, "NameHasOwner", &(name,).to_variant()).await;
    answer.ok().and_then(|it| it.get::<(bool,)>()).is_some_and(|(has_owner,)| has_owner)
}

async fn has_body_markup(bus: &gio::DBusConnection) -> bool {
    let method = "GetCapabilities";
    let answer =
        call(bus, NOTIFICATIONS, NOTIFICATIONS_PATH, NOTIFICATIONS, method, &().to_variant()).await;
    let capabilities = answer.ok().and_then(|it| it.get::<(Vec<String>,)>());
    capabilities.is_some_and(|(them,)| them.iter().any(|it| it == "body-markup"))
}

/// Asks the portal to let the client run without a window; returns false if somebody has refused.
/// `reason` is shown to the user, who decides. Where there is no such portal nobody refuses.
pub async fn request_background(reason: &str) -> bool {
    let Ok(bus) = gio::bus_get_future(gio::BusType::Session).await else { return true };
    let token = format!("pychat{}", glib::random_int());
    let mut answers = bus.receive_signal_parameters::<(u32, glib::VariantDict)>(
        Some(PORTAL),
        Some("org.freedesktop.portal.Request"),
        Some("Response"),
        Some(&request_path(&bus, &token)),
        None,
        gio::DBusSignalFlags::NONE,
    );
    let options = glib::VariantDict::new(None);
    options.insert("handle_token", token.as_str());
    options.insert("reason", reason);
    let interface = "org.freedesktop.portal.Background";
    let arguments = ("", options).to_variant(); // No window is named: that differs by display.
    let called = call(&bus, PORTAL, PORTAL_PATH, interface, "RequestBackground", &arguments).await;
    if let Err(error) = called {
        glib::g_info!("pychat", "cannot ask whether to run in the background: {error}");
        return true;
    }
    match answers.next().await {
        Some(Ok((GRANTED, results))) => results.lookup("background").ok().flatten().unwrap_or(true),
        Some(Ok(_)) => false,
        Some(Err(_)) | None => true,
    }
}

/// Returns where the portal answers a request that is called `token`.
fn request_path(bus: &gio::DBusConnection, token: &str) -> String {
    let sender = bus.unique_name().unwrap_or_default();
    let sender = sender.trim_start_matches(':').replace('.', "_");
    format!("{PORTAL_PATH}/request/{sender}/{token}")
}

async fn call(
    bus: &gio::DBusConnection,
    service: &str,
    path: &str,
    interface: &str,
    method: &str,
    arguments: &glib::Variant,
) -> Result<glib::Variant, glib::Error> {
    let flags = gio::DBusCallFlags::NONE;
    let arguments = Some(arguments);
    bus.call_future(Some(service), path, interface, method, arguments, None, flags, TIMEOUT_MS)
        .await
}
