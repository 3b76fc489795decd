//! Queries about a text: the part on show, the part selected, and the part at a place.

use gtk::{glib::object::IsA, pango, prelude::*, subclass::prelude::*};

use super::{TextBlock, source};
use crate::text::{self, Link};

impl TextBlock {
    /// Returns what is on show: the beginning of the text, or all of it.
    pub fn shown(&self) -> String {
        self.imp().label.text().into()
    }

    /// Returns the part of the text that is selected; empty if nothing is.
    pub fn selected(&self) -> String {
        let label = &self.imp().label;
        let Some((start, end)) = label.selection_bounds() else { return String::new() };
        let place = |at| usize::try_from(at).unwrap_or_default();
        let (start, end) = (place(start), place(end));
        label.text().chars().skip(start).take(end.saturating_sub(start)).collect()
    }

    /// Selects nothing of the text.
    pub fn unselect(&self) {
        self.imp().label.select_region(0, 0);
    }

    /// Returns the link at which the keyboard is.
    pub fn focused_link(&self) -> Option<String> {
        self.imp().label.current_uri().filter(|_| self.imp().label.has_focus()).map(String::from)
    }

    /// Returns the link at a place in `parent`.
    pub fn link_at(&self, parent: &impl IsA<gtk::Widget>, x: f64, y: f64) -> Option<Link> {
        let index = self.index_at(parent, x, y)?;
        let mut links = text::links(&self.imp().label.text()).into_iter();
        links.find(|link| link.range.contains(&index))
    }

    /// Returns the code at a place in `parent`.
    pub fn code_at(&self, parent: &impl IsA<gtk::Widget>, x: f64, y: f64) -> Option<String> {
        let index = self.index_at(parent, x, y)?;
        let code = self.imp().code_blocks.all().into_iter().find(|it| it.range.contains(&index))?;
        self.imp().message.borrow().as_ref().map(|message| source(&message.text(), &code))
    }

    /// Returns the first code on show.
    pub fn first_code(&self) -> Option<String> {
        let code = self.imp().code_blocks.all().into_iter().next()?;
        self.imp().message.borrow().as_ref().map(|message| source(&message.text(), &code))
    }

    /// Returns which byte of what is on show is at a place in `parent`.
    fn index_at(&self, parent: &impl IsA<gtk::Widget>, x: f64, y: f64) -> Option<usize> {
        let label = &self.imp().label;
        let (x, y) = parent.translate_coordinates(label, x, y)?;
        let (left, top) = label.layout_offsets();
        let scale = |pixels: f64| pango::units_from_double(pixels);
        let (x, y) = (scale(x - f64::from(left)), scale(y - f64::from(top)));
        let (is_inside, index, _) = label.layout().xy_to_index(x, y);
        usize::try_from(index).ok().filter(|_| is_inside)
    }
}
