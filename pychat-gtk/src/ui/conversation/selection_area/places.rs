//! Where the items of the list are, and what is at a place.

use gtk::{prelude::*, subclass::prelude::*};

use super::{imp::SelectionArea, item::row_of};

impl SelectionArea {
    /// Returns the lowest item of the list that is in view as a whole.
    pub(super) fn lowest_item(&self) -> Option<gtk::Widget> {
        let list_view = self.list_view.upgrade()?;
        let height = self.obj().compute_bounds(&*self.obj())?.height();
        let is_in_view = |item: &gtk::Widget| {
            let bounds = item.compute_bounds(&*self.obj()).filter(|_| item.is_mapped());
            bounds.is_some_and(|bounds| bounds.y() + bounds.height() <= height)
        };
        let mut items = std::iter::successors(list_view.last_child(), WidgetExt::prev_sibling);
        items.find(is_in_view)
    }

    /// Returns the item of the list at a place.
    pub(super) fn item_at(&self, x: f64, y: f64) -> Option<gtk::Widget> {
        let list_view: gtk::Widget = self.list_view.upgrade()?.upcast();
        let part = self.obj().pick(x, y, gtk::PickFlags::DEFAULT)?;
        let mut parents = std::iter::successors(Some(part), WidgetExt::parent);
        parents.find(|it| it.parent().as_ref() == Some(&list_view))
    }

    /// Returns the link at a place in an item of the list.
    pub(super) fn link_at(&self, item: &gtk::Widget, x: f64, y: f64) -> Option<String> {
        Some(row_of(item)?.text_block().link_at(&*self.obj(), x, y)?.target)
    }
}
