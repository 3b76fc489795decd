//! The report of attempts to connect, as plain text that can be given to somebody who helps.
//!
//! There is no code and no key in it, nor a word of the server's, which might have one of them.

use std::{fmt::Write as _, time::Duration};

use pychat_wire::message::ErrorCode;

use super::{attempt::Attempt, disconnect_reason::DisconnectReason, step::Step};
use crate::{
    config::VERSION,
    text::i18n::{gettext, gettext_f},
};

/// Returns what a step is called.
pub fn step_name(step: Step) -> String {
    match step {
        Step::LookUp => gettext("Address"),
        Step::Connection => gettext("Connection"),
        Step::Greeting => gettext("Chat server"),
        Step::Encryption => gettext("Encryption"),
        Step::Certificate => gettext("Certificate"),
        Step::Protocol => gettext("Version"),
        Step::Admission => gettext("Joining"),
    }
}

/// Returns how long something took, in seconds.
pub fn seconds(duration: Duration) -> String {
    // Translators: a duration, such as "0.3 s".
    gettext_f("{seconds} s", &[("seconds", &format!("{:.1}", duration.as_secs_f64()))])
}

/// Returns the report of `attempts`.
pub fn report(attempts: &[Attempt]) -> String {
    let mut report = format!("Pychat {VERSION}\n");
    for (attempt, n) in attempts.iter().zip(1..) {
        // Writing into a string does not fail.
        let _ = write!(report, "\n{n}. {} ({})\n", attempt.address, seconds(attempt.duration));
        let Some(reason) = &attempt.reason else { continue };
        if let Some(step) = reason.step() {
            let _ = writeln!(report, "   {}: {}", step_name(step), gettext("failed"));
        }
        let sentence = match reason {
            DisconnectReason::Rejected { code, .. } => code.map(word).unwrap_or_default(),
            _ => attempt.sentence().unwrap_or_default(),
        };
        for line in [sentence.as_str(), &attempt.detail].into_iter().filter(|it| !it.is_empty()) {
            let _ = writeln!(report, "   {line}");
        }
    }
    report
}

/// Returns a code as it stands on the wire.
fn word(code: ErrorCode) -> String {
    serde_json::to_value(code).ok().and_then(|it| it.as_str().map(Into::into)).unwrap_or_default()
}
