//! Has times told anew once they read otherwise: a day has begun, the computer has slept, its zone
//! has changed, or whether the desktop counts to 12 or to 24.

use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::{Rc, Weak},
    time::Duration,
};

use gtk::glib;

use crate::text::times::{self, Reading};

/// The longest time between two checks of its own accord: a timer stands still while the computer
/// sleeps, and midnight may pass. Sooner than that, a check follows when the connection changes or
/// somebody turns to the window, one of which comes after sleep and travel.
const INTERVAL: Duration = Duration::from_hours(1);

/// Looks after the times of conversations, as long as it lives.
pub struct TimeWatch {
    /// Has them told anew.
    tell: Box<dyn Fn()>,
    /// The reading with which times were told last.
    told: Cell<Reading>,
    task: RefCell<Option<glib::JoinHandle<()>>>,
}

impl TimeWatch {
    /// Makes one that calls `tell` to have the times told anew.
    pub fn new(tell: impl Fn() + 'static) -> Rc<Self> {
        let watch = Rc::new(Self {
            tell: Box::new(tell),
            told: Cell::new(times::reading(now_ms())),
            task: RefCell::default(),
        });
        watch.task.replace(Some(glib::spawn_future_local(run(Rc::downgrade(&watch)))));
        watch
    }

    /// Has the times told anew if they read otherwise by now.
    pub fn look(&self) {
        let reading = times::reading(now_ms());
        if self.told.replace(reading) != reading {
            (self.tell)();
        }
    }
}

impl fmt::Debug for TimeWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimeWatch").field("told", &self.told).finish_non_exhaustive()
    }
}

impl Drop for TimeWatch {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

async fn run(watch: Weak<TimeWatch>) {
    loop {
        let wait = times::until_midnight(now_ms()).min(INTERVAL);
        glib::timeout_future(wait).await;
        let Some(watch) = watch.upgrade() else { break };
        watch.look();
    }
}

fn now_ms() -> i64 {
    glib::real_time() / 1_000
}
