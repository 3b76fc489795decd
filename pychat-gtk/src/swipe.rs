//! Knows while a list is moved by touch: by a finger, or by the momentum that it left.
//!
//! Meanwhile the scrolled window knows its place by number alone, and puts the list back there with
//! each frame. Rows that come or go above what can be seen change that number, and the reader
//! would be thrown somewhere else; so they had better wait.

use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::Rc,
    time::{Duration, Instant},
};

use gtk::{gdk, glib, prelude::*};

/// How long a list must have been still for its momentum to be spent. At an edge it rests for a
/// while, and is then sent back.
const REST_TIME: Duration = Duration::from_millis(400);

/// Watches one scrolled list.
#[derive(Clone, Debug)]
pub struct Swipe(Rc<State>);

/// Is told whether the list is being moved.
type OnChange = Box<dyn Fn(bool)>;

struct State {
    motion: Cell<Motion>,
    /// Is told when that begins and ends.
    on_change: RefCell<Option<OnChange>>,
}

/// What moves the list.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Motion {
    #[default]
    None,
    /// A finger that is down.
    Finger,
    /// Its momentum; it moved the list at this time last.
    Momentum(Instant),
}

impl Swipe {
    /// Starts to watch what `window` shows.
    pub fn new(window: &gtk::ScrolledWindow) -> Self {
        let swipe = Self(Rc::new(State { motion: Cell::default(), on_change: RefCell::default() }));
        swipe.watch_fingers(window);
        swipe.watch_touchpad(window);
        let weak = Rc::downgrade(&swipe.0);
        window.vadjustment().connect_value_changed(move |_| {
            if let Some(state) = weak.upgrade()
                && let Motion::Momentum(_) = state.motion.get()
            {
                state.motion.set(Motion::Momentum(Instant::now()));
            }
        });
        swipe
    }

    /// Has `f` called whenever the list begins to be moved, with true, or comes to rest.
    pub fn on_change(&self, f: impl Fn(bool) + 'static) {
        self.0.on_change.replace(Some(Box::new(f)));
    }

    /// Returns true while the list is being moved.
    pub fn is_moving(&self) -> bool {
        self.0.motion.get() != Motion::None
    }

    /// Takes in that the finger is for something else. That it is gone may go unnoticed: what has
    /// opened under it may be told instead.
    pub fn end(&self) {
        self.set_motion(Motion::None);
    }

    fn set_motion(&self, motion: Motion) {
        let before = self.0.motion.replace(motion);
        if (before == Motion::None) != (motion == Motion::None)
            && let Some(on_change) = &*self.0.on_change.borrow()
        {
            on_change(motion != Motion::None);
        }
    }

    /// Watches raw events: a gesture would be cancelled by the scrolled window's own.
    fn watch_fingers(&self, window: &gtk::ScrolledWindow) {
        let events = gtk::EventControllerLegacy::new();
        events.set_propagation_phase(gtk::PropagationPhase::Capture);
        let (swipe, weak) = (self.clone(), window.downgrade());
        events.connect_event(move |_, event| {
            match event.event_type() {
                gdk::EventType::TouchBegin => swipe.set_motion(Motion::Finger),
                gdk::EventType::TouchEnd | gdk::EventType::TouchCancel => swipe.let_run(&weak),
                _ => (),
            }
            glib::Propagation::Proceed
        });
        window.add_controller(events);
    }

    /// A touchpad moves a list like a wheel, and leaves it momentum.
    fn watch_touchpad(&self, window: &gtk::ScrolledWindow) {
        let flags =
            gtk::EventControllerScrollFlags::VERTICAL | gtk::EventControllerScrollFlags::KINETIC;
        let touchpad = gtk::EventControllerScroll::new(flags);
        touchpad.set_propagation_phase(gtk::PropagationPhase::Capture);
        let (swipe, weak) = (self.clone(), window.downgrade());
        touchpad.connect_decelerate(move |_, _, _| swipe.let_run(&weak));
        window.add_controller(touchpad);
    }

    /// The finger is gone; the list may move on for a while.
    fn let_run(&self, window: &glib::WeakRef<gtk::ScrolledWindow>) {
        self.set_motion(Motion::Momentum(Instant::now()));
        let Some(window) = window.upgrade() else { return };
        let weak = Rc::downgrade(&self.0);
        window.add_tick_callback(move |_, _| {
            let Some(state) = weak.upgrade() else { return glib::ControlFlow::Break };
            match state.motion.get() {
                Motion::Momentum(moved) if moved.elapsed() < REST_TIME => {
                    glib::ControlFlow::Continue
                }
                Motion::Momentum(_) => {
                    Self(state).set_motion(Motion::None);
                    glib::ControlFlow::Break
                }
                Motion::None | Motion::Finger => glib::ControlFlow::Break,
            }
        });
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("motion", &self.motion).finish_non_exhaustive()
    }
}
