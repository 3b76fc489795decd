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

/// The time that a list must have been still for its momentum to be spent. At an edge it rests for
/// a while, and is then sent back.
const REST_TIME: Duration = Duration::from_millis(400);

/// The time after which a finger that rests is no longer waited for: its release may have been told
/// to something that has opened under it. Once it moves it counts again.
const FINGER_TIME: Duration = Duration::from_secs(10);

/// Watches one scrolled list.
#[derive(Clone, Debug)]
pub struct KineticScroll(Rc<State>);

/// Is told whether the list is being moved.
type OnChange = Box<dyn Fn(bool)>;

struct State {
    motion: Cell<Motion>,
    fingers: RefCell<Fingers<gdk::EventSequence>>,
    /// True while somebody looks now and then whether a finger is still there.
    is_watched: Cell<bool>,
    /// Is told when that begins and ends.
    on_change: RefCell<Option<OnChange>>,
}

/// The cause of the list's motion.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Motion {
    #[default]
    None,
    /// Fingers that are down.
    Finger,
    /// Its momentum, and the time at which that moved the list last.
    Momentum(Instant),
}

impl KineticScroll {
    /// Starts to watch what `window` shows.
    pub fn new(window: &gtk::ScrolledWindow) -> Self {
        let kinetic_scroll = Self(Rc::new(State {
            motion: Cell::default(),
            fingers: RefCell::default(),
            is_watched: Cell::default(),
            on_change: RefCell::default(),
        }));
        kinetic_scroll.watch_fingers(window);
        kinetic_scroll.watch_touchpad(window);
        let weak = Rc::downgrade(&kinetic_scroll.0);
        window.vadjustment().connect_value_changed(move |_| {
            if let Some(state) = weak.upgrade()
                && let Motion::Momentum(_) = state.motion.get()
            {
                state.motion.set(Motion::Momentum(Instant::now()));
            }
        });
        kinetic_scroll
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
        self.0.fingers.take();
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
        let (kinetic_scroll, weak) = (self.clone(), window.downgrade());
        events.connect_event(move |_, event| {
            let now = Instant::now();
            let mut fingers = kinetic_scroll.0.fingers.borrow_mut();
            let is_down = match event.event_type() {
                gdk::EventType::TouchBegin => fingers.press(event.event_sequence(), now),
                gdk::EventType::TouchUpdate => fingers.move_on(&event.event_sequence(), now),
                gdk::EventType::TouchEnd | gdk::EventType::TouchCancel => {
                    fingers.release(&event.event_sequence(), now)
                }
                _ => return glib::Propagation::Proceed,
            };
            drop(fingers);
            if is_down {
                kinetic_scroll.set_motion(Motion::Finger);
                kinetic_scroll.watch_rest();
            } else if kinetic_scroll.0.motion.get() == Motion::Finger {
                kinetic_scroll.decelerate(&weak);
            }
            glib::Propagation::Proceed
        });
        window.add_controller(events);
    }

    /// Stops to wait for fingers that are told of no more.
    fn watch_rest(&self) {
        if self.0.is_watched.replace(true) {
            return;
        }
        let weak = Rc::downgrade(&self.0);
        glib::spawn_future_local(async move {
            loop {
                glib::timeout_future(FINGER_TIME).await;
                let Some(state) = weak.upgrade() else { return };
                if state.motion.get() == Motion::Finger {
                    if state.fingers.borrow().are_down(Instant::now()) {
                        continue;
                    }
                    Self(state.clone()).set_motion(Motion::None);
                }
                return state.is_watched.set(false);
            }
        });
    }

    /// A touchpad moves a list like a wheel, and leaves it momentum.
    fn watch_touchpad(&self, window: &gtk::ScrolledWindow) {
        let flags =
            gtk::EventControllerScrollFlags::VERTICAL | gtk::EventControllerScrollFlags::KINETIC;
        let touchpad = gtk::EventControllerScroll::new(flags);
        touchpad.set_propagation_phase(gtk::PropagationPhase::Capture);
        let (kinetic_scroll, weak) = (self.clone(), window.downgrade());
        touchpad.connect_decelerate(move |_, _, _| kinetic_scroll.decelerate(&weak));
        window.add_controller(touchpad);
    }

    /// The finger is gone; the list may move on for a while.
    fn decelerate(&self, window: &glib::WeakRef<gtk::ScrolledWindow>) {
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

/// The fingers that touch, each with when it was told of last.
#[derive(Debug)]
struct Fingers<T>(Vec<(T, Instant)>);

impl<T> Default for Fingers<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Each of these returns true while one is down.
impl<T: PartialEq> Fingers<T> {
    /// One more touches.
    fn press(&mut self, finger: T, now: Instant) -> bool {
        self.0.retain(|(_, told)| is_waited_for(*told, now));
        self.0.push((finger, now));
        true
    }

    /// One that touches moves; it may have been for something else.
    fn move_on(&mut self, finger: &T, now: Instant) -> bool {
        if let Some((_, told)) = self.0.iter_mut().find(|(it, _)| it == finger) {
            *told = now;
        }
        self.are_down(now)
    }

    /// One touches no more.
    fn release(&mut self, finger: &T, now: Instant) -> bool {
        self.0.retain(|(it, _)| it != finger);
        self.are_down(now)
    }

    fn are_down(&self, now: Instant) -> bool {
        self.0.iter().any(|(_, told)| is_waited_for(*told, now))
    }
}

fn is_waited_for(told: Instant, now: Instant) -> bool {
    now.duration_since(told) < FINGER_TIME
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("motion", &self.motion).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_moved_until_the_last_finger_is_gone() {
        let (mut fingers, now) = (Fingers::default(), Instant::now());
        assert!(fingers.press(1, now));
        assert!(fingers.press(2, now));
        assert!(fingers.release(&1, now));
        assert!(!fingers.release(&2, now));
        assert!(!fingers.move_on(&2, now), "it is for something else");
    }

    #[test]
    fn a_finger_whose_end_was_told_to_something_else_is_not_waited_for() {
        let (mut fingers, now) = (Fingers::default(), Instant::now());
        fingers.press(1, now);
        let later = now + FINGER_TIME;
        assert!(fingers.are_down(now + FINGER_TIME / 2));
        assert!(!fingers.are_down(later));
        assert!(fingers.move_on(&1, later), "it has only rested");
        let much_later = later + FINGER_TIME;
        fingers.press(2, much_later);
        assert!(!fingers.release(&2, much_later));
    }
}
