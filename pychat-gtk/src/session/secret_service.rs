//! The secret service of the desktop (`org.freedesktop.secrets`), which keeps keys where programs
//! that read files do not find them.
//!
//! It is asked over D-Bus, in the `plain` algorithm: secrets cross the reader's own bus. Nobody is
//! ever asked to unlock a keyring: one that is locked counts as not there.

use std::collections::HashMap;

use gtk::{gio, glib, glib::prelude::*};
use pychat_wire::key::{PublicKey, SecretKey};
use thiserror::Error;

const SERVICE: &str = "org.freedesktop.secrets";
const SERVICE_PATH: &str = "/org/freedesktop/secrets";
const SERVICE_INTERFACE: &str = "org.freedesktop.Secret.Service";
const COLLECTION_INTERFACE: &str = "org.freedesktop.Secret.Collection";
const SESSION_INTERFACE: &str = "org.freedesktop.Secret.Session";

/// The kind of our items, by which other programs tell them from their own.
const SCHEMA: &str = "io.github.pychat.Pychat.Key";

const CONTENT_TYPE: &str = "application/octet-stream";

/// The path that stands for no object.
const NO_OBJECT: &str = "/";

/// The timeout of a call, in milliseconds; it may have to start the service.
const TIMEOUT_MS: i32 = 5_000;

type Paths = Vec<glib::variant::ObjectPath>;

/// A secret as it crosses the bus: its session, its parameters (none in `plain`), itself and its
/// content type.
type Secret = (glib::variant::ObjectPath, Vec<u8>, Vec<u8>, String);

/// The reason why a key was not stored, or not found.
#[derive(Debug, Error)]
pub(super) enum SecretError {
    /// There is no secret service, or it failed.
    #[error("no secret service: {0}")]
    Unavailable(#[from] glib::Error),

    /// The keyring is locked.
    #[error("the keyring is locked")]
    Locked,

    /// There is no such key.
    #[error("the keyring has no such key")]
    Missing,

    /// The answer is not of the form that the service has to give.
    #[error("the secret service gave an answer of another form")]
    Garbled,
}

/// Stores `key` in the default keyring, and reads it back; `label` is for people who look into that.
///
/// # Errors
///
/// [`SecretError`]: it is not known to be there.
pub(super) async fn store(key: &SecretKey, label: &str) -> Result<(), SecretError> {
    let public = key.public();
    let service = Service::open().await?;
    service.create(public, key, label).await?;
    let found = service.find(public).await;
    service.close().await;
    if found? == *key { Ok(()) } else { Err(SecretError::Missing) }
}

/// Finds the secret key that belongs to `public`.
///
/// # Errors
///
/// [`SecretError`].
pub(super) async fn find(public: PublicKey) -> Result<SecretKey, SecretError> {
    let service = Service::open().await?;
    let found = service.find(public).await;
    service.close().await;
    found
}

/// The service, within a session of its own.
struct Service {
    bus: gio::DBusConnection,
    session: glib::variant::ObjectPath,
}

impl Service {
    async fn open() -> Result<Self, SecretError> {
        let bus = gio::bus_get_future(gio::BusType::Session).await?;
        let arguments = ("plain", "".to_variant()).to_variant();
        let answer = call(&bus, SERVICE_PATH, SERVICE_INTERFACE, "OpenSession", arguments).await?;
        let (_, session): (glib::Variant, _) = answer.get().ok_or(SecretError::Garbled)?;
        Ok(Self { bus, session })
    }

    /// The service forgets a session whose program has ended, so nothing is lost if this fails.
    async fn close(self) {
        let path = self.session.as_str();
        let _ = call(&self.bus, path, SESSION_INTERFACE, "Close", ().to_variant()).await;
    }

    async fn create(
        &self,
        public: PublicKey,
        key: &SecretKey,
        label: &str,
    ) -> Result<(), SecretError> {
        let collection = self.default_collection().await?;
        let properties: HashMap<&str, glib::Variant> = HashMap::from([
            ("org.freedesktop.Secret.Item.Label", label.to_variant()),
            ("org.freedesktop.Secret.Item.Attributes", attributes(public).to_variant()),
        ]);
        let secret: Secret =
            (self.session.clone(), Vec::new(), key.0.to_vec(), CONTENT_TYPE.into());
        let arguments = (properties, secret, true).to_variant();
        let path = collection.as_str();
        let answer = call(&self.bus, path, COLLECTION_INTERFACE, "CreateItem", arguments).await?;
        let (item, _prompt): (glib::variant::ObjectPath, glib::variant::ObjectPath) =
            answer.get().ok_or(SecretError::Garbled)?;
        if item.as_str() == NO_OBJECT { Err(SecretError::Locked) } else { Ok(()) }
    }

    async fn default_collection(&self) -> Result<glib::variant::ObjectPath, SecretError> {
        let arguments = ("default",).to_variant();
        let answer =
            call(&self.bus, SERVICE_PATH, SERVICE_INTERFACE, "ReadAlias", arguments).await?;
        let (collection,): (glib::variant::ObjectPath,) =
            answer.get().ok_or(SecretError::Garbled)?;
        if collection.as_str() == NO_OBJECT {
            return Err(SecretError::Missing);
        }
        Ok(collection)
    }

    async fn find(&self, public: PublicKey) -> Result<SecretKey, SecretError> {
        let arguments = (attributes(public),).to_variant();
        let answer =
            call(&self.bus, SERVICE_PATH, SERVICE_INTERFACE, "SearchItems", arguments).await?;
        let (open, locked): (Paths, Paths) = answer.get().ok_or(SecretError::Garbled)?;
        let absence = if locked.is_empty() { SecretError::Missing } else { SecretError::Locked };
        if open.is_empty() {
            return Err(absence);
        }
        let arguments = (open, self.session.clone()).to_variant();
        let answer =
            call(&self.bus, SERVICE_PATH, SERVICE_INTERFACE, "GetSecrets", arguments).await?;
        let (secrets,): (HashMap<glib::variant::ObjectPath, Secret>,) =
            answer.get().ok_or(SecretError::Garbled)?;
        let keys = secrets.into_values().filter_map(|(_, _, bytes, _)| bytes.try_into().ok());
        // Anybody may store anything under our attributes.
        keys.map(SecretKey).find(|key| key.public() == public).ok_or(absence)
    }
}

/// Returns what the item of a key is found by.
fn attributes(public: PublicKey) -> HashMap<String, String> {
    HashMap::from([
        ("xdg:schema".to_owned(), SCHEMA.to_owned()),
        ("key".to_owned(), public.to_string()),
    ])
}

async fn call(
    bus: &gio::DBusConnection,
    path: &str,
    interface: &str,
    method: &str,
    arguments: glib::Variant,
) -> Result<glib::Variant, SecretError> {
    let flags = gio::DBusCallFlags::NONE;
    let arguments = Some(&arguments);
    let answer =
        bus.call_future(Some(SERVICE), path, interface, method, arguments, None, flags, TIMEOUT_MS);
    Ok(answer.await?)
}
