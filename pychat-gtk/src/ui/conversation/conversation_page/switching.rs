//! Going from one room to another: the page is left as it is found again.

use std::{cell::RefCell, collections::HashMap};

use gtk::subclass::prelude::*;

use super::imp::ConversationPage;
use crate::{model::TailModel, session::Room, ui::conversation::scroll_anchor::ScrollAnchor};

/// The most rooms whose places are remembered; any beyond open at their end.
const LEFT_ROOMS_MAX: usize = 1_000;

/// The places at which rooms were left, by the ids of the rooms.
#[derive(Debug, Default)]
pub(super) struct LeftRooms(RefCell<HashMap<String, Place>>);

/// The place at which a room was left. A reader who was at its end has none.
#[derive(Debug, Default)]
struct Place {
    /// The message that was at the top; `None` if the reader was at the end.
    anchor: Option<ScrollAnchor>,
    /// The search that was open.
    search: Option<LeftSearch>,
}

/// A search that was open in a room.
#[derive(Debug)]
struct LeftSearch {
    /// The words that were searched for.
    text: String,
    /// The place of the reader before the search; `None` if that was the end.
    anchor: Option<ScrollAnchor>,
}

impl ConversationPage {
    /// Shows another room, as its reader has left it.
    pub(super) fn set_room(&self, room: Option<Room>) {
        if *self.room.borrow() == room {
            return;
        }
        self.leave_room();
        let history = room.as_ref().map(Room::history);
        let tail = history.as_ref().map(TailModel::new);
        let selection = history.as_ref().zip(tail.as_ref()).map(|it| self.selection(it.0, it.1));
        self.paging.tail.replace(tail);
        self.measure_page();
        self.list_view.set_model(selection.as_ref());
        self.room.replace(room);
        let signals = self.signals.get_or_init(|| self.signals());
        signals.follow(self.room.borrow().as_ref());
        if let Some(history) = &history {
            self.choose_view(history);
        }
        self.obj().notify_room();
        self.enter_room();
        self.update_attention();
    }

    /// Remembers the place in the room that is shown, which nobody sees any more.
    fn leave_room(&self) {
        let Some(room) = self.obj().room() else { return };
        self.end_jump();
        let is_at_end = self.is_at_end();
        let anchor = || ScrollAnchor::of(&self.list_view, &self.scrolled_window);
        let anchor = if is_at_end { None } else { anchor() };
        let is_everywhere = self.search_bar.is_everywhere();
        let is_searching = self.obj().is_searching() && !is_everywhere;
        let search = is_searching.then(|| LeftSearch {
            text: self.search_bar.text(),
            anchor: self.search.anchor.take(),
        });
        if !is_everywhere {
            self.obj().set_is_searching(false);
        }
        self.unread.is_requested.set(false);
        self.day.set_reveal_child(false);
        room.history().set_attended(false);
        let mut left = self.left_rooms.0.borrow_mut();
        if anchor.is_none() && search.is_none() {
            left.remove(&room.id());
        } else if left.len() < LEFT_ROOMS_MAX {
            left.insert(room.id(), Place { anchor, search });
        }
    }

    /// Goes to where the room was left, or to what is new in it.
    fn enter_room(&self) {
        let Some(room) = self.obj().room() else { return };
        let place = self.left_rooms.0.borrow_mut().remove(&room.id()).unwrap_or_default();
        if place.anchor.is_some() || room.history().has_first_unread() {
            self.set_away(true); // All that there is may be gone to.
        }
        match place.anchor.filter(|anchor| anchor.is_in(&self.list_view)) {
            Some(anchor) => {
                self.unstick();
                anchor.show(&self.list_view, &self.scrolled_window, || ());
            }
            None if room.history().has_first_unread() => self.go_to_unread(&room.history()),
            None => {
                self.on_sent();
                self.set_away(false);
            }
        }
        if let Some(search) = place.search.filter(|_| !self.search_bar.is_everywhere()) {
            self.obj().set_is_searching(true);
            self.search.anchor.replace(search.anchor);
            self.search_bar.go_on_with(&search.text);
        }
    }
}
