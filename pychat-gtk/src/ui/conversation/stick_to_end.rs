//! Keeps a list at its end for as long as the reader wants to be there.
//!
//! Two things make this harder than it sounds. The list itself moves its adjustment while it
//! learns the heights of its rows, so that a value which changed does not mean that somebody
//! scrolled; hence the reader is believed only while there is input that can scroll. And to go
//! somewhere, the list looks up which row is there: from a change of its model on until it has been
//! laid out it believes new rows to have no height, and ends up anywhere, or shows nothing. So the
//! end is sought right after each layout, and the frame waits for what that leads to.

use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::Rc,
    time::{Duration, Instant},
};

use gtk::{gdk, glib, prelude::*};

use crate::ui::conversation::kinetic_scroll::KineticScroll;

/// The time for which the view may go on moving after the input that moved it.
const SCROLL_SETTLE_TIME: Duration = Duration::from_millis(600);

/// The largest distance from its end, in pixels, of a list that was told to go to its last row:
/// from GTK 4.12 on, it leaves out the padding below that.
const AT_END_DISTANCE: f64 = 16.0;

/// The distance from its end, in pixels, beyond which a reader who scrolls has left the end.
const LEFT_END_DISTANCE: f64 = 32.0;

/// The keys that scroll a list.
const SCROLL_KEYS: [gdk::Key; 8] = [
    gdk::Key::Up,
    gdk::Key::Down,
    gdk::Key::Page_Up,
    gdk::Key::Page_Down,
    gdk::Key::KP_Up,
    gdk::Key::KP_Down,
    gdk::Key::KP_Page_Up,
    gdk::Key::KP_Page_Down,
];

/// The keys that lead to the beginning, and to the end.
const HOME_KEYS: [gdk::Key; 2] = [gdk::Key::Home, gdk::Key::KP_Home];
const END_KEYS: [gdk::Key; 2] = [gdk::Key::End, gdk::Key::KP_End];

/// Keeps one scrolled list at its end.
#[derive(Clone, Debug)]
pub struct StickToEnd(Rc<State>);

/// Is told whether the reader is at the end.
type OnChange = Box<dyn Fn(bool)>;

struct State {
    window: glib::WeakRef<gtk::ScrolledWindow>,
    adjustment: gtk::Adjustment,
    /// True while the reader wants to be at the end.
    is_sticking: Cell<bool>,
    /// Is told when that changes.
    on_change: RefCell<Option<OnChange>>,
    /// True while the reader has gone a little way from the end, not yet far enough to leave it.
    is_near: Cell<bool>,
    /// Knows while the list is being moved by touch.
    kinetic_scroll: KineticScroll,
    /// True while the scrollbar is being dragged.
    is_dragged: Cell<bool>,
    /// True while the list is led somewhere: where it is meanwhile is nobody's wish.
    is_programmatic: Cell<bool>,
    /// Where all that is shown ended when the view moved last.
    last_upper: Cell<f64>,
    /// When there last was input that scrolls.
    last_input: Cell<Option<Instant>>,
    /// True if that was a key, with which one goes from row to row.
    is_by_key: Cell<bool>,
}

impl StickToEnd {
    /// Starts to follow the end of what `window` shows.
    pub fn new(window: &gtk::ScrolledWindow) -> Self {
        let adjustment = window.vadjustment();
        let stick = Self(Rc::new(State {
            window: window.downgrade(),
            adjustment: adjustment.clone(),
            is_sticking: Cell::new(true),
            on_change: RefCell::default(),
            is_near: Cell::default(),
            kinetic_scroll: KineticScroll::new(window),
            is_dragged: Cell::default(),
            is_programmatic: Cell::default(),
            last_upper: Cell::default(),
            last_input: Cell::default(),
            is_by_key: Cell::default(),
        }));
        adjustment.connect_value_changed(stick.handler(Self::on_value_changed));
        stick.watch_layouts(window);
        stick.watch_wheel(window);
        stick.watch_keys(window);
        stick.watch_drag(&window.vscrollbar());
        stick
    }

    /// Has `f` called whenever the reader leaves the end, with false, or comes back to it.
    pub fn on_change(&self, f: impl Fn(bool) + 'static) {
        self.0.on_change.replace(Some(Box::new(f)));
    }

    /// Returns what knows while the list is being moved by touch.
    pub fn kinetic_scroll(&self) -> &KineticScroll {
        &self.0.kinetic_scroll
    }

    /// Goes back to the end, wherever the reader is.
    pub fn scroll_to_end(&self) {
        self.stick();
        if let Some(window) = self.0.window.upgrade() {
            window.queue_allocate();
        }
    }

    /// Follows the end from now on: how the list moves on the way is not the doing of a reader who
    /// scrolled just before.
    fn stick(&self) {
        self.0.last_input.take();
        self.0.is_programmatic.set(false);
        self.set_sticking(true);
    }

    /// Leaves the end, if there is anywhere to go.
    pub fn unstick_if_scrollable(&self) {
        if self.0.adjustment.page_size() < self.0.adjustment.upper() {
            self.set_sticking(false);
        }
    }

    /// Lets the reader be wherever the list is about to be led, even if they scrolled just before.
    pub fn unstick(&self) {
        self.0.last_input.take();
        self.stop_overshoot();
        self.set_sticking(false);
    }

    /// A wheel that has gone on turning at the end has the window go back there for a while, with each
    /// frame, wherever the list is led meanwhile.
    fn stop_overshoot(&self) {
        if let Some(window) = self.0.window.upgrade() {
            window.set_kinetic_scrolling(false);
            window.set_kinetic_scrolling(true);
        }
    }

    /// Takes in that the list is led somewhere from now on.
    pub fn begin_scroll(&self) {
        self.0.is_programmatic.set(true);
        self.set_sticking(false);
    }

    /// The list is where it was led to, and follows its end if that is there.
    pub fn end_scroll(&self) {
        self.0.is_programmatic.set(false);
        self.stick_if_at_end();
    }

    /// Follows the end again if it is in view.
    pub fn stick_if_at_end(&self) {
        if self.is_end_in_view() {
            self.set_sticking(true);
        }
    }

    /// Returns true while the reader wants to be at the end.
    pub fn is_sticking(&self) -> bool {
        self.0.is_sticking.get()
    }

    /// Returns true if the end is in view.
    pub fn is_end_in_view(&self) -> bool {
        self.distance() <= AT_END_DISTANCE
    }

    fn set_sticking(&self, is_sticking: bool) {
        if self.0.is_sticking.replace(is_sticking) != is_sticking
            && let Some(on_change) = &*self.0.on_change.borrow()
        {
            on_change(is_sticking);
        }
    }

    /// The handlers belong to widgets that the state must not keep alive.
    fn handler<T>(&self, f: fn(&Self)) -> impl Fn(&T) + 'static {
        let weak = Rc::downgrade(&self.0);
        move |_| {
            if let Some(state) = weak.upgrade() {
                f(&Self(state));
            }
        }
    }

    fn on_value_changed(&self) {
        let distance = self.distance();
        // Where rows come, go or change their height, it is the list that moves.
        let upper = self.0.adjustment.upper();
        let is_list_changed = 1.0 <= (self.0.last_upper.replace(upper) - upper).abs();
        let is_at_end = distance <= if self.0.is_by_key.get() { AT_END_DISTANCE } else { 1.0 };
        if self.0.is_programmatic.get() {
            return;
        }
        if is_at_end {
            self.0.is_near.set(false);
            self.set_sticking(true);
        } else if !is_list_changed && self.is_reader_scrolling() {
            self.0.is_near.set(true);
            if LEFT_END_DISTANCE < distance {
                self.set_sticking(false);
            }
        }
    }

    /// Seeks the end after each layout; what that moves is laid out before anything is drawn.
    fn watch_layouts(&self, window: &gtk::ScrolledWindow) {
        let stick = self.clone();
        let watched = Rc::new(RefCell::new(None));
        window.connect_realize({
            let watched = watched.clone();
            move |window| {
                let Some(clock) = window.frame_clock() else { return };
                let handler = clock.connect_layout(stick.handler(Self::pin_to_end));
                watched.replace(Some((clock, handler)));
            }
        });
        window.connect_unrealize(move |_| {
            if let Some((clock, handler)) = watched.take() {
                clock.disconnect(handler);
            }
        });
    }

    fn pin_to_end(&self) {
        let state = &self.0;
        if state.kinetic_scroll.is_moving() {
            return; // The finger that moves it would put it back.
        }
        let is_near = state.is_near.get() && self.is_reader_scrolling();
        if state.is_sticking.get() && !is_near && 1.0 < self.distance() {
            state.adjustment.set_value(state.adjustment.upper() - state.adjustment.page_size());
        }
    }

    /// Returns how much there is below what can be seen, in pixels.
    fn distance(&self) -> f64 {
        let adjustment = &self.0.adjustment;
        adjustment.upper() - adjustment.page_size() - adjustment.value()
    }

    /// Returns true while the reader moves the list, or has just done so.
    pub fn is_reader_scrolling(&self) -> bool {
        let is_recent = |input: Instant| input.elapsed() < SCROLL_SETTLE_TIME;
        self.0.is_dragged.get()
            || self.0.kinetic_scroll.is_moving()
            || self.0.last_input.get().is_some_and(is_recent)
    }

    fn note_input(&self, is_by_key: bool) {
        self.0.is_by_key.set(is_by_key);
        self.0.last_input.set(Some(Instant::now()));
    }

    fn watch_wheel(&self, window: &gtk::ScrolledWindow) {
        let wheel = gtk::EventControllerScroll::new(gtk::EventControllerScrollFlags::VERTICAL);
        wheel.set_propagation_phase(gtk::PropagationPhase::Capture);
        let stick = self.clone();
        wheel.connect_scroll(move |_, _, dy| {
            stick.note_input(false);
            if dy < 0.0 {
                stick.unstick_if_scrollable();
            }
            glib::Propagation::Proceed
        });
        window.add_controller(wheel);
    }

    fn watch_keys(&self, window: &gtk::ScrolledWindow) {
        let keys = gtk::EventControllerKey::new();
        keys.set_propagation_phase(gtk::PropagationPhase::Capture);
        let stick = self.clone();
        keys.connect_key_pressed(move |_, key, _, _| {
            if SCROLL_KEYS.contains(&key) {
                stick.note_input(true);
            } else if HOME_KEYS.contains(&key) {
                stick.unstick_if_scrollable(); // Before the list goes there: there is more than it shows at its end.
            } else if END_KEYS.contains(&key) {
                stick.stick(); // More may come before it gets there.
            }
            glib::Propagation::Proceed
        });
        window.add_controller(keys);
    }

    /// Watches raw events: a gesture would be cancelled by the scrollbar's own.
    fn watch_drag(&self, scrollbar: &gtk::Widget) {
        let events = gtk::EventControllerLegacy::new();
        events.set_propagation_phase(gtk::PropagationPhase::Capture);
        let stick = self.clone();
        events.connect_event(move |_, event| {
            match event.event_type() {
                gdk::EventType::ButtonPress => stick.0.is_dragged.set(true),
                gdk::EventType::ButtonRelease => {
                    stick.0.is_dragged.set(false);
                    stick.note_input(false);
                }
                _ => (),
            }
            glib::Propagation::Proceed
        });
        scrollbar.add_controller(events);
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("is_sticking", &self.is_sticking).finish_non_exhaustive()
    }
}
