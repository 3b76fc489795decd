//! The buttons under a long text, which show more of it, and less again.

use gtk::prelude::*;

use crate::text::i18n::gettext;

/// Two buttons, side by side.
#[derive(Debug)]
pub(super) struct FoldButtons {
    row: gtk::Box,
    more: gtk::Button,
    less: gtk::Button,
}

impl FoldButtons {
    /// Makes the buttons, which call `on_more` and `on_less`.
    pub(super) fn new(on_more: impl Fn() + 'static, on_less: impl Fn() + 'static) -> Self {
        let row = gtk::Box::new(gtk::Orientation::Horizontal, 6);
        let [more, less] = [gettext("Show More"), gettext("Show Less")].map(|name| button(&name));
        more.connect_clicked(move |_| on_more());
        less.connect_clicked(move |_| on_less());
        row.append(&more);
        row.append(&less);
        Self { row, more, less }
    }

    /// Returns what holds them.
    pub(super) fn row(&self) -> &gtk::Box {
        &self.row
    }

    /// Returns them in the order in which the keyboard comes by.
    pub(super) fn buttons(&self) -> [&gtk::Button; 2] {
        [&self.more, &self.less]
    }

    /// Offers what can be done. The keyboard goes from a button that is hidden to the other.
    pub(super) fn offer(&self, can_show_more: bool, can_show_less: bool) {
        let had_focus = self.row.focus_child().is_some();
        self.more.set_visible(can_show_more);
        self.less.set_visible(can_show_less);
        self.row.set_visible(can_show_more || can_show_less);
        if had_focus && self.row.focus_child().is_none_or(|it| !it.is_visible()) {
            self.row.child_focus(gtk::DirectionType::TabForward);
        }
    }
}

fn button(name: &str) -> gtk::Button {
    let label = gtk::Label::new(Some(name));
    let button = gtk::Button::builder().child(&label).build();
    label.set_mnemonic_widget(Some(&button));
    button.set_css_classes(&["flat", "more"]);
    button
}
