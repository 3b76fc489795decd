//! The servers in the local network that announce themselves, found by Avahi over D-Bus.
//!
//! Where there is no Avahi nothing is found, and nothing is said about that. It is not started for this;
//! where it starts by itself, or again, the search begins anew.

mod nearby;

use std::{cell::RefCell, future::Future, pin::pin};

use futures_util::{
    StreamExt,
    future::{self, Either},
    stream::FuturesUnordered,
};
use gtk::{gio, gio::prelude::*, glib};

pub use self::nearby::NearbyServer;
use self::nearby::{Nearby, Resolved, Sighting};

const AVAHI: &str = "org.freedesktop.Avahi";
const SERVER: &str = "org.freedesktop.Avahi.Server";
const BROWSER: &str = "org.freedesktop.Avahi.ServiceBrowser";

/// The type of the service, as `pychat-announce.service` names it.
const SERVICE: &str = "_pychat._tcp";

/// The domain that is searched: the local network.
const DOMAIN: &str = "local";

/// Avahi's numbers for any interface or protocol, and for no flags.
const ANY: i32 = -1;
const NO_FLAGS: u32 = 0;

/// The time limit for a call, in milliseconds. Avahi itself gives up after five seconds.
const CALL_TIMEOUT_MS: i32 = 10_000;

/// The most services about which is found out more at once; any beyond are not shown.
const RESOLVING_MAX: usize = 64;

/// A search, which ends when this is dropped.
#[derive(Debug)]
pub struct Discovery(glib::JoinHandle<()>);

impl Drop for Discovery {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Discovery {
    /// Begins to search; `on_change` is told of all servers that are found, each time they change, and
    /// never from inside this call.
    pub fn begin(on_change: impl Fn(Vec<NearbyServer>) + 'static) -> Self {
        Self(glib::spawn_future_local(async move {
            match gio::bus_get_future(gio::BusType::System).await {
                Ok(bus) => search(&bus, on_change).await,
                Err(error) => glib::g_info!("pychat", "no system bus: {error}"),
            }
        }))
    }
}

/// Searches anew whenever another Avahi is there.
async fn search(bus: &gio::DBusConnection, on_change: impl Fn(Vec<NearbyServer>)) {
    let shown = RefCell::new(Vec::new());
    let show = |servers: Vec<NearbyServer>| {
        if *shown.borrow() != servers {
            shown.replace(servers.clone());
            on_change(servers);
        }
    };
    let bus_service = "org.freedesktop.DBus";
    let mut owners = bus.receive_signal_parameters::<(String, String, String)>(
        Some(bus_service),
        Some(bus_service),
        Some("NameOwnerChanged"),
        None,
        Some(AVAHI),
        gio::DBusSignalFlags::NONE,
    );
    loop {
        let browsing = async {
            if let Err(error) = browse(bus, &show).await {
                glib::g_info!("pychat", "cannot search the local network: {error}");
            }
            future::pending::<()>().await;
        };
        future::select(pin!(browsing), owners.next()).await;
        show(Vec::new());
    }
}

/// A browser, which Avahi forgets when this is dropped; as it does when the connection to the bus ends,
/// which nobody else may need.
struct Browser<'a> {
    bus: &'a gio::DBusConnection,
    path: String,
}

impl Drop for Browser<'_> {
    fn drop(&mut self) {
        let free =
            gio::DBusMessage::new_method_call(Some(AVAHI), &self.path, Some(BROWSER), "Free");
        free.set_flags(gio::DBusMessageFlags::NO_REPLY_EXPECTED);
        // Without a connection there is no browser either.
        let _ = self.bus.send_message(&free, gio::DBusSendMessageFlags::NONE);
    }
}

/// Follows what Avahi finds, until there is no Avahi, which it does not say.
async fn browse(
    bus: &gio::DBusConnection,
    show: &impl Fn(Vec<NearbyServer>),
) -> Result<(), glib::Error> {
    // Avahi tells only those who have begun to browse, and may do so before it answers.
    let mut signals = bus.receive_signal(
        Some(AVAHI),
        Some(BROWSER),
        None,
        None,
        None,
        gio::DBusSignalFlags::NONE,
        |signal| (signal.signal_name.to_owned(), signal.parameters.clone()),
    );
    let arguments = (ANY, ANY, SERVICE, DOMAIN, NO_FLAGS).to_variant();
    let answer = call(bus, "ServiceBrowserNew", &arguments).await?;
    let path = answer.child_value(0).str().unwrap_or_default().to_owned();
    let _browser = Browser { bus, path };
    let mut nearby = Nearby::default();
    let mut resolving = FuturesUnordered::new();
    loop {
        let resolved = async {
            match resolving.next().await {
                Some(resolved) => resolved,
                None => future::pending().await,
            }
        };
        let event = match future::select(signals.next(), pin!(resolved)).await {
            Either::Left((None, _)) => return Ok(()),
            Either::Left((Some(signal), _)) => Either::Left(signal),
            Either::Right((resolved, _)) => Either::Right(resolved),
        };
        match event {
            Either::Left((name, parameters)) => {
                let Some(seen) = sighting(&parameters) else { continue };
                match name.as_str() {
                    "ItemNew" if resolving.len() < RESOLVING_MAX && nearby.add(&seen) => {
                        resolving.push(resolve(bus, seen));
                    }
                    "ItemRemove" => nearby.remove(&seen),
                    _ => (),
                }
            }
            Either::Right((seen, Some(resolved))) => nearby.resolve(&seen, &resolved),
            Either::Right((_, None)) => (),
        }
        show(nearby.servers());
    }
}

/// Returns what a signal of a browser is about.
fn sighting(parameters: &glib::Variant) -> Option<Sighting> {
    type Item = (i32, i32, String, String, String, u32);
    let (interface, protocol, name, _, domain, _) = parameters.get::<Item>()?;
    Some(Sighting { interface, protocol, name, domain })
}

/// Finds out more about a service.
fn resolve(
    bus: &gio::DBusConnection,
    seen: Sighting,
) -> impl Future<Output = (Sighting, Option<Resolved>)> + use<> {
    let bus = bus.clone();
    async move {
        let Sighting { interface, protocol, name, domain } = &seen;
        let arguments =
            (*interface, *protocol, name.as_str(), SERVICE, domain.as_str(), ANY, NO_FLAGS);
        let answer = call(&bus, "ResolveService", &arguments.to_variant()).await;
        (seen, answer.ok().and_then(|answer| resolved(&answer)))
    }
}

/// Returns what Avahi answers: (interface, protocol, name, type, domain, host, protocol of the address,
/// address, port, TXT record, flags).
fn resolved(answer: &glib::Variant) -> Option<Resolved> {
    type Answer = (i32, i32, String, String, String, String, i32, String, u16, Vec<Vec<u8>>, u32);
    let (_, _, _, _, _, host, _, address, port, texts, _) = answer.get::<Answer>()?;
    Some(Resolved { host, address, port, texts })
}

async fn call(
    bus: &gio::DBusConnection,
    method: &str,
    arguments: &glib::Variant,
) -> Result<glib::Variant, glib::Error> {
    let flags = gio::DBusCallFlags::NO_AUTO_START;
    let (arguments, reply) = (Some(arguments), None);
    bus.call_future(Some(AVAHI), "/", SERVER, method, arguments, reply, flags, CALL_TIMEOUT_MS)
        .await
}
