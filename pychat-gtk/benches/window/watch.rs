//! Watches how the frames of a window go, and what is on show.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use adw::prelude::*;
use gtk::{gdk, glib};
use pychat_gtk::ui::window::Window;

use crate::part::{REST, word};

/// The time between two checks that the main loop runs, made before everything else that waits.
const HEARTBEAT: Duration = Duration::from_millis(4);

/// Writes one figure for the process that measures.
#[expect(clippy::print_stdout, reason = "this is read at the other end of a pipe")]
pub(crate) fn tell(word: &str, number: i64) {
    println!("{word} {number}");
}

/// Tells when the first frame has been drawn in which `is_usable` is true and nothing is on its way to look
/// otherwise, and when all has come to rest.
pub(crate) fn tell_start<W: IsA<gtk::Window> + IsA<gtk::Widget>>(
    window: &W,
    is_usable: impl Fn(&W) -> bool + 'static,
) {
    let is_usable = Rc::new(is_usable);
    window.connect_map(move |window| {
        let clock = window.frame_clock().expect("a mapped window has a clock");
        let (window, is_usable) = (window.clone(), is_usable.clone());
        let is_told = Cell::new(false);
        clock.connect_after_paint(move |_| {
            if !is_told.get() && !is_turning(window.upcast_ref()) && is_usable(&window) {
                is_told.set(true);
                tell(word::USABLE, glib::monotonic_time());
                glib::timeout_add_local_once(REST, || tell(word::SETTLED, 0));
            }
        });
    });
}

/// Returns true if at or below `root` one page is taking the place of another.
fn is_turning(root: &gtk::Widget) -> bool {
    let is_turning =
        |it: &gtk::Widget| it.downcast_ref().is_some_and(gtk::Stack::is_transition_running);
    find(root, &is_turning).is_some()
}

/// Watches one window.
pub(crate) struct Watch {
    window: Window,
    clock: gdk::FrameClock,
    frames: Rc<Gaps>,
    beats: Rc<Gaps>,
    heart: glib::SourceId,
    ticks: gtk::TickCallbackId,
    frame_handler: glib::SignalHandlerId,
}

impl Watch {
    /// Begins. A frame is asked for whenever one could be drawn, changed or not, so that the time
    /// between two is what a reader who scrolls would see.
    pub(crate) fn start(window: &Window) -> Self {
        let clock = window.frame_clock().expect("the window is on show");
        let (frames, beats) = (Rc::new(Gaps::default()), Rc::new(Gaps::default()));
        let frame_handler = clock.connect_after_paint({
            let frames = frames.clone();
            move |_| frames.note()
        });
        let heart = glib::timeout_add_local_full(HEARTBEAT, glib::Priority::HIGH, {
            let beats = beats.clone();
            move || {
                beats.note();
                glib::ControlFlow::Continue
            }
        });
        let ticks = window.add_tick_callback(|_, _| glib::ControlFlow::Continue);
        Self { window: window.clone(), clock, frames, beats, heart, ticks, frame_handler }
    }

    /// Returns when a last message that ends like this was first on show as a whole, in
    /// microseconds: drawn, at the end of what can be seen.
    pub(crate) async fn shown(&self, ending: &str) -> i64 {
        let shown_at = Rc::new(Cell::new(None));
        let ending = ending.to_owned();
        let handler = self.clock.connect_after_paint({
            let (shown_at, window) = (shown_at.clone(), self.window.clone());
            let found = RefCell::new(None);
            move |_| {
                let mut list = found.borrow_mut();
                if list.is_none() {
                    *list = find(window.upcast_ref(), &|it| it.has_css_class("conversation"));
                }
                if shown_at.get().is_none() && list.as_ref().is_some_and(|it| is_at(it, &ending)) {
                    shown_at.set(Some(glib::monotonic_time()));
                }
            }
        });
        let time = loop {
            match shown_at.get() {
                Some(time) => break time,
                None => glib::timeout_future(HEARTBEAT).await,
            }
        };
        self.clock.disconnect(handler);
        time
    }

    /// Tells how the frames went.
    pub(crate) fn finish(self) {
        self.heart.remove();
        self.ticks.remove();
        self.clock.disconnect(self.frame_handler);
        tell(word::FRAME_GAP, self.frames.longest.get());
        tell(word::STALL, self.beats.longest.get());
    }
}

/// The times between one event and the next.
#[derive(Default)]
struct Gaps {
    last: Cell<Option<i64>>,
    /// The longest, in microseconds.
    longest: Cell<i64>,
}

impl Gaps {
    fn note(&self) {
        let now = glib::monotonic_time();
        if let Some(last) = self.last.replace(Some(now)) {
            self.longest.set(self.longest.get().max(now - last));
        }
    }
}

/// Returns true if the last row of `list` can be seen to its end, and its text ends like this.
fn is_at(list: &gtk::Widget, ending: &str) -> bool {
    list.last_child().is_some_and(|row| is_seen(list, &row, ending))
}

/// Returns true if at or below `root` there is a text that ends like this, and that can be seen in
/// `list`.
pub(crate) fn is_seen(list: &gtk::Widget, root: &gtk::Widget, ending: &str) -> bool {
    let is_it = |widget: &gtk::Widget| {
        let label = widget.downcast_ref::<gtk::Label>();
        label.is_some_and(|label| label.is_mapped() && label.text().ends_with(ending))
    };
    let bounds = find(root, &is_it).and_then(|text| text.compute_bounds(list));
    bounds.is_some_and(|it| 0.0 <= it.y() && it.y() + it.height() <= height(list))
}

/// Returns true if what is in `list` fills what can be seen of it.
pub(crate) fn is_full(list: &gtk::Widget) -> bool {
    let window = list.ancestor(gtk::ScrolledWindow::static_type());
    let adjustment = window.and_downcast::<gtk::ScrolledWindow>().map(|it| it.vadjustment());
    adjustment.is_some_and(|it| 0.0 < it.page_size() && it.page_size() < it.upper())
}

#[expect(clippy::cast_precision_loss, reason = "no screen is 2²⁴ pixels high")]
fn height(widget: &gtk::Widget) -> f32 {
    widget.height() as f32
}

/// Returns the first widget at or below `root` of which `is_it` is true.
pub(crate) fn find(
    root: &gtk::Widget,
    is_it: &dyn Fn(&gtk::Widget) -> bool,
) -> Option<gtk::Widget> {
    if is_it(root) {
        return Some(root.clone());
    }
    children(root).find_map(|child| find(&child, is_it))
}

/// Returns the widgets right below this one.
pub(crate) fn children(widget: &gtk::Widget) -> impl Iterator<Item = gtk::Widget> {
    std::iter::successors(widget.first_child(), WidgetExt::next_sibling)
}
