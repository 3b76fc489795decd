//! Counts what there is, so that what is there for ever shows.

use std::fs;

use adw::prelude::*;
use pychat_gtk::ui::window::Window;

use crate::{
    HEAP,
    part::word,
    watch::{children, tell},
};

/// The number of blocks on the heap, of open descriptors and of widgets.
pub(crate) struct Objects {
    blocks: usize,
    descriptors: usize,
    widgets: usize,
}

impl Objects {
    /// Counts what this process has. Whatever is ours has a block on the heap: what an object of
    /// ours holds, a handler, a task; of GTK's own, the widgets in the window are counted.
    pub(crate) fn count(window: &Window) -> Self {
        let heap = HEAP.stats();
        Self {
            blocks: heap.allocations - heap.deallocations,
            descriptors: fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
            widgets: count_widgets(window.upcast_ref()),
        }
    }

    pub(crate) fn tell(&self) {
        for (word, count) in [
            (word::BLOCKS, self.blocks),
            (word::DESCRIPTORS, self.descriptors),
            (word::WIDGETS, self.widgets),
        ] {
            tell(word, i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
}

fn count_widgets(root: &gtk::Widget) -> usize {
    1 + children(root).map(|child| count_widgets(&child)).sum::<usize>()
}
