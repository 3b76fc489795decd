//! Says what is being done about a connection, and counts the seconds until something is.

use std::{cell::RefCell, time::Duration};

use gtk::{glib, prelude::*};

use crate::{
    session::Session,
    text::i18n::{gettext_f, ngettext_f},
};

/// Counts the seconds until the next attempt.
#[derive(Debug, Default)]
pub struct RetryCountdown(RefCell<Option<glib::JoinHandle<()>>>);

impl RetryCountdown {
    /// Has `label` say what `session` is about to do, until this is stopped or begins anew.
    pub fn show(&self, label: &gtk::Label, session: &Session) {
        self.stop();
        let Some(mut wait) = tell(label, session) else { return };
        let (label, session) = (label.downgrade(), session.downgrade());
        self.0.replace(Some(glib::spawn_future_local(async move {
            loop {
                // Until the second that is shown is over.
                let rest = Duration::from_millis(wait.subsec_millis().max(10).into());
                glib::timeout_future(rest).await;
                let (Some(label), Some(session)) = (label.upgrade(), session.upgrade()) else {
                    break;
                };
                let Some(next) = tell(&label, &session) else { break };
                wait = next;
            }
        })));
    }

    /// Leaves the label as it is.
    pub fn stop(&self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
    }
}

/// Says it once; returns how long it is until the next attempt.
fn tell(label: &gtk::Label, session: &Session) -> Option<Duration> {
    let wait = session.retry_in();
    let outlook = if session.is_joining() {
        gettext_f("Connecting to {server}…", &[("server", &session.server())])
    } else {
        wait.map(retrying_in).unwrap_or_default()
    };
    label.set_visible(!outlook.is_empty());
    label.set_label(&outlook);
    wait
}

/// Returns when the next attempt begins, in whole seconds.
fn retrying_in(wait: Duration) -> String {
    let seconds = usize::try_from(wait.as_millis().div_ceil(1_000).max(1)).unwrap_or(usize::MAX);
    ngettext_f("Retrying in {count} second", "Retrying in {count} seconds", seconds, &[])
}
