//! Attempts to reach a server, at one of its addresses after another, and what came of each.
//!
//! The addresses are tried in order. Where one does not answer soon the next is tried beside it, and the
//! first that is a chat server, and the right one, is taken.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use futures_util::{
    StreamExt,
    future::{self, Either},
    stream::FuturesUnordered,
};
use gtk::{gio, glib};
use pychat_wire::link::ADDRESSES_MAX;

use super::{
    disconnect_reason::DisconnectReason,
    encryption::{self, Encryption, Secured},
    error_text,
    step::Step,
    transport::TransportError,
    trust::Expected,
};
use crate::text::server_address::ServerAddress;

/// The time after which the next address is tried beside those before it.
const HEAD_START: Duration = Duration::from_secs(1);

/// The most servers that are tried: as many as a link may have, and as many as a server may tell of.
const TARGETS_MAX: usize = 2 * ADDRESSES_MAX;

/// An attempt to join at one address.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The address.
    pub address: ServerAddress,
    /// The reason why it failed; `None` if it did not, or was given up for another.
    pub reason: Option<DisconnectReason>,
    /// The reason in the system's words, if it has some.
    pub detail: String,
    /// The time that it took.
    pub duration: Duration,
    /// True if the connection was encrypted.
    pub is_encrypted: bool,
    /// True if another server told of the address, and nobody else.
    pub is_told: bool,
}

impl Attempt {
    /// Returns the step that has failed.
    pub fn failed_step(&self) -> Option<Step> {
        self.reason.as_ref().and_then(DisconnectReason::step)
    }

    /// Returns the steps that were taken, in order, each with true if it failed.
    pub fn steps(&self) -> Vec<(Step, bool)> {
        let Some(failed) = self.failed_step() else { return Vec::new() };
        let is_skipped = |step: Step| {
            let is_of_tls = matches!(step, Step::Encryption | Step::Certificate);
            is_of_tls && Step::Certificate < failed && !self.is_encrypted
        };
        let steps = Step::ALL.into_iter().filter(|step| *step <= failed && !is_skipped(*step));
        steps.map(|step| (step, step == failed)).collect()
    }

    /// Returns why it failed, and what can be done about it.
    pub fn sentence(&self) -> Option<String> {
        let reason = self.reason.as_ref()?;
        Some(error_text::disconnect_reason(reason, &self.address.to_string()))
    }
}

/// A server that is to be tried.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Target {
    pub(super) address: ServerAddress,
    /// True if another server told of it, and nobody else.
    pub(super) is_told: bool,
}

/// Returns the attempt that came furthest before it failed, the first of those. Nobody is bothered with
/// servers that were only told of.
pub fn furthest(attempts: &[Attempt]) -> Option<&Attempt> {
    let is_meant = |attempt: &&Attempt| attempt.reason.is_some() && !attempt.is_told;
    let failed = attempts.iter().rev().filter(is_meant);
    failed.max_by_key(|attempt| attempt.failed_step()) // The last of the greatest, so the first.
}

/// A round of attempts.
pub(super) struct Round {
    /// The attempts that have ended, in the order of their addresses.
    pub(super) attempts: Vec<Attempt>,
    /// The place among the attempts of the one that led somewhere, and what it led to.
    pub(super) secured: Option<(usize, Secured)>,
}

impl Round {
    /// Returns the reason of the attempt that came furthest, the first of those.
    pub(super) fn failure(&self) -> Option<&DisconnectReason> {
        furthest(&self.attempts)?.reason.as_ref()
    }

    /// Tries `targets`, [so many](TARGETS_MAX) at most. Each step may take as long as `limit`; `on_connected` is called
    /// with every TCP connection.
    pub(super) async fn run(
        targets: &[Target],
        expected: &Expected,
        limit: Duration,
        on_connected: impl Fn(),
    ) -> Self {
        let on_connected = &on_connected;
        let mut waiting = targets.iter().take(TARGETS_MAX).enumerate();
        let mut running = FuturesUnordered::new();
        let mut ended = Vec::new();
        let secured = loop {
            let next = waiting.next();
            if let Some((n, target)) = next {
                let attempt = try_one(target, expected, limit, on_connected);
                running.push(async move { (n, attempt.await) });
            }
            let head_start = async {
                match next {
                    Some(_) => glib::timeout_future(HEAD_START).await,
                    None => future::pending().await,
                }
            };
            match future::select(running.next(), pin!(head_start)).await {
                Either::Left((Some((n, (attempt, outcome))), _)) => {
                    ended.push((n, attempt));
                    if let Some(secured) = outcome {
                        break Some((n, secured));
                    }
                }
                Either::Left((None, _)) => break None,
                Either::Right(_) => (),
            }
        };
        ended.sort_by_key(|(n, _)| *n);
        let secured = secured.map(|(n, secured)| {
            let is_it = |(it, _): &(usize, Attempt)| *it == n;
            (ended.iter().position(is_it).unwrap_or_default(), secured)
        });
        Self { attempts: ended.into_iter().map(|(_, attempt)| attempt).collect(), secured }
    }
}

async fn try_one(
    target: &Target,
    expected: &Expected,
    limit: Duration,
    on_connected: impl Fn(),
) -> (Attempt, Option<Secured>) {
    let begin = Instant::now();
    let Target { address, is_told } = target.clone();
    let place = gio::NetworkAddress::new(address.host(), address.port());
    let outcome = encryption::connect(&place, expected, is_told, limit, on_connected).await;
    let duration = begin.elapsed();
    let (secured, reason, detail) = match outcome {
        Ok(secured) => (Some(secured), None, String::new()),
        Err(error) => {
            let detail = detail(&error);
            (None, Some(error.into()), detail)
        }
    };
    let is_encrypted = secured.as_ref().is_some_and(|it| it.encryption != Encryption::None);
    (Attempt { address, reason, detail, duration, is_encrypted, is_told }, secured)
}

/// Returns what the system says of an error, in its language; nothing if it is only ours to say.
fn detail(error: &TransportError) -> String {
    match error {
        TransportError::HostNotFound(error)
        | TransportError::Refused(error)
        | TransportError::NoRoute(error)
        | TransportError::Unreachable(error)
        | TransportError::CutShort(_, error)
        | TransportError::Broken(error) => error.message().to_owned(),
        _ => String::new(),
    }
}
