//! The line above the first message of a person: their name, and that they are a bot if they are one.

use std::cell::OnceCell;

use gtk::{pango, prelude::*};

use super::name_color::name_color;
use crate::{model::Message, ui::people::bot_mark};

/// The room between the name and the mark, in pixels.
const GAP: i32 = 6;

/// The line.
#[derive(Debug)]
pub(super) struct AuthorLine {
    line: gtk::Box,
    name: gtk::Label,
    /// The mark of a bot; made when needed first.
    mark: OnceCell<gtk::Label>,
}

impl AuthorLine {
    /// Makes one as the first thing in `bubble`.
    pub(super) fn new(bubble: &gtk::Box) -> Self {
        let line = gtk::Box::builder().spacing(GAP).build();
        let name = gtk::Label::builder().ellipsize(pango::EllipsizeMode::End).xalign(0.0).build();
        line.append(&name);
        bubble.prepend(&line);
        Self { line, name, mark: OnceCell::new() }
    }

    /// Names the author of `message`.
    pub(super) fn show(&self, message: &Message) {
        let author = message.author();
        if self.name.label() != author {
            self.name.set_label(author);
            self.name.set_css_classes(&["author", "caption-heading", &name_color(author)]);
        }
        if message.is_from_bot() {
            let mark = self.mark.get_or_init(|| {
                let mark = bot_mark::new();
                self.line.append(&mark);
                mark
            });
            mark.set_visible(true);
        } else if let Some(mark) = self.mark.get() {
            mark.set_visible(false);
        }
        self.line.set_visible(true);
    }

    /// Names nobody.
    pub(super) fn hide(&self) {
        self.line.set_visible(false);
    }
}
