//! The text of a message, as much of it as is shown, and when it was said.
//!
//! A text is put into its label as it is. Only one with links becomes markup, made of its escaped
//! pieces, so that nothing in it is ever taken for markup.
//!
//! Laying out a label takes time that grows with its text, and everybody else's text is up to
//! them. So only the beginning of a long one is shown, until its reader asks for more. The rest is
//! the message's alone.

mod direction;
mod hit_test;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::OnceLock,
};

use gtk::{
    glib,
    glib::{clone, subclass::Signal},
    pango,
    prelude::*,
    subclass::prelude::*,
};

use super::{
    code_blocks::{CodeBlocks, source},
    fold_buttons::FoldButtons,
    text_layout::{Parts, TextLayout},
    text_markup,
    time_label::TimeLabel,
};
use crate::{
    model::Message,
    text::{self, EmojiSize, host_name, times},
};

/// The most characters of a message that are shown unasked.
const SHOWN_CHARS_MAX: usize = 2_000;

/// The most lines of a message that are shown unasked.
const SHOWN_LINES_MAX: usize = 40;

/// The factor by which the length shown grows when more is asked for.
const MORE: usize = 4;

mod imp {
    use super::*;

    #[derive(Debug, Default)]
    pub struct TextBlock {
        pub(super) label: gtk::Label,
        /// Made when somebody says something, which has a time; what the chat says has none.
        pub(super) time: RefCell<Option<TimeLabel>>,
        /// There only once there was more to show.
        pub(super) fold_buttons: RefCell<Option<FoldButtons>>,
        pub(super) code_blocks: CodeBlocks,
        /// The size of the text, if it is nothing but emoji.
        pub(super) emoji_size: Cell<Option<EmojiSize>>,
        /// True if the time cannot stand beside the last line.
        pub(super) is_end_taken: Cell<bool>,
        /// True if the text has one line.
        pub(super) is_one_line: Cell<bool>,
        /// The length that is shown, as a multiple of that shown unasked.
        pub(super) stretch: Cell<usize>,
        pub(super) message: RefCell<Option<Message>>,
        /// The text of which something is on show.
        pub(super) whole: RefCell<Rc<str>>,
        /// True if it says that the message was deleted.
        is_tombstone: Cell<bool>,
        /// The number of bytes of its text that are shown.
        pub(super) n_shown: Cell<usize>,
        pub(super) marks: RefCell<Option<pango::AttrList>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for TextBlock {
        const NAME: &'static str = "PychatTextBlock";
        type Type = super::TextBlock;
        type ParentType = gtk::Box;
    }

    impl ObjectImpl for TextBlock {
        fn signals() -> &'static [Signal] {
            static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
            SIGNALS.get_or_init(|| vec![Signal::builder("stretched").build()])
        }

        fn constructed(&self) {
            self.parent_constructed();
            self.obj().set_layout_manager(Some(TextLayout::default()));
            self.label.set_has_tooltip(true);
            self.label.set_selectable(true);
            self.label.set_wrap(true);
            self.label.set_xalign(0.0);
            self.label.connect_query_tooltip(clone!(
                #[weak(rename_to = imp)]
                self,
                #[upgrade_or]
                false,
                move |label, x, y, by_key, tooltip| {
                    let said = imp.explain(label, x, y).filter(|_| !by_key);
                    tooltip.set_text(said.as_deref());
                    said.is_some()
                }
            ));
            self.obj().append(&self.label);
        }
    }

    impl WidgetImpl for TextBlock {
        /// A text that can be selected takes the keyboard when it is clicked; Tab stops at its links
        /// alone.
        fn focus(&self, direction: gtk::DirectionType) -> bool {
            let is_forward = match direction {
                gtk::DirectionType::TabForward => true,
                gtk::DirectionType::TabBackward => false,
                _ => return self.parent_focus(direction),
            };
            let buttons = self.buttons();
            let at = buttons.iter().position(WidgetExt::has_focus);
            if is_forward {
                let next = at.map_or(0, |at| at + 1);
                at.is_none() && self.focus_link(direction)
                    || buttons.get(next).is_some_and(WidgetExt::grab_focus)
            } else {
                let before = match at {
                    None if self.label.has_focus() => None,
                    None => buttons.last(),
                    Some(at) => at.checked_sub(1).and_then(|before| buttons.get(before)),
                };
                before.is_some_and(WidgetExt::grab_focus) || self.focus_link(direction)
            }
        }
    }

    impl BoxImpl for TextBlock {}

    impl TextBlock {
        /// Shows as much as is asked for.
        pub(super) fn update(&self) {
            let Some(message) = self.message.borrow().clone() else { return };
            let (details, stretch) = (message.details(), self.stretch.get());
            let has_details = !details.is_empty();
            let text = message.shown_text();
            self.whole.replace(text.clone());
            let whole = if 1 < stretch && has_details { details.into() } else { text };
            let shown =
                text::beginning(&whole, SHOWN_CHARS_MAX * stretch, SHOWN_LINES_MAX * stretch);
            let mode = if text::has_endless_word(shown) {
                pango::WrapMode::Char
            } else {
                pango::WrapMode::WordChar
            };
            self.label.set_wrap_mode(mode);
            self.set_look(text::emoji_size(shown), message.is_deleted());
            let is_cut = shown.len() < whole.len();
            let ellipsis = if is_cut { "…" } else { "" };
            match text_markup::markup(shown) {
                Some(markup) => self.label.set_markup(&(markup + ellipsis)),
                None if is_cut => self.label.set_text(&format!("{shown}{ellipsis}")),
                None => self.label.set_text(shown),
            }
            self.n_shown.set(shown.len());
            self.show_code(shown, message.is_from_person());
            self.set_direction(shown);
            self.update_attributes();
            self.offer_folding(is_cut || stretch == 1 && has_details, 1 < stretch);
        }

        fn show_code(&self, shown: &str, is_said: bool) {
            let code = if is_said { text::code(shown) } else { Vec::new() };
            let copy = clone!(
                #[weak(rename_to = imp)]
                self,
                move |n: usize| {
                    let (message, blocks) = (imp.message.borrow(), imp.code_blocks.blocks());
                    if let Some((message, block)) = message.as_ref().zip(blocks.get(n)) {
                        imp.obj().clipboard().set_text(&source(&message.text(), block));
                    }
                }
            );
            self.code_blocks.show(code, &*self.obj(), &self.label, copy);
        }

        /// Says where the link leads that is pointed at, or when something was said that does not
        /// show it.
        fn explain(&self, label: &gtk::Label, x: i32, y: i32) -> Option<String> {
            if let Some(link) = self.obj().link_at(label, x.into(), y.into()) {
                return Some(host_name::spell_out(&link.target));
            }
            let message = self.message.borrow();
            let message = message.as_ref().filter(|message| !message.is_from_person())?;
            Some(times::full(message.time_ms()).into())
        }

        /// Shows when it was said.
        pub(super) fn show_time(&self, message: &Message) {
            let mut time = self.time.borrow_mut();
            if message.is_from_person() {
                let time = time.get_or_insert_with(|| {
                    let time = TimeLabel::default();
                    self.obj().append(time.label());
                    time
                });
                time.show(message.time_ms(), message.edited_ms());
                time.label().set_visible(true);
            } else if let Some(time) = &*time {
                time.label().set_visible(false);
            }
        }

        /// Returns the buttons on show, in order.
        fn buttons(&self) -> Vec<gtk::Button> {
            let copying = self.code_blocks.framed().into_iter().map(|(_, it)| it.copy_button);
            let fold_buttons = self.fold_buttons.borrow();
            let folding = fold_buttons.iter().flat_map(FoldButtons::buttons).cloned();
            copying.chain(folding.filter(WidgetExt::is_visible)).collect()
        }

        /// Goes on to the next link, or to the one before; returns false if there is none. A link
        /// has the keyboard when the label has it and the cursor is there.
        fn focus_link(&self, direction: gtk::DirectionType) -> bool {
            if self.label.has_focus() {
                return self.label.child_focus(direction);
            }
            let shown = self.label.text();
            let links = text::links(&shown);
            let is_forward = direction == gtk::DirectionType::TabForward;
            let Some(link) = (if is_forward { links.first() } else { links.last() }) else {
                return false;
            };
            let place =
                i32::try_from(shown[..link.range.start].chars().count()).unwrap_or(i32::MAX);
            self.label.grab_focus();
            self.label.select_region(place, place);
            true
        }

        /// Shows more than before.
        pub(super) fn show_more(&self) {
            self.stretch.set(self.stretch.get().saturating_mul(MORE));
            self.update();
        }

        /// Shows no more than unasked.
        fn show_less(&self) {
            self.stretch.set(1);
            self.update();
        }

        /// Marks where the reader is called, what is code, and what somebody else wants marked.
        pub(super) fn update_attributes(&self) {
            let Some(message) = self.message.borrow().clone() else { return };
            let n_shown = self.n_shown.get();
            let mentions = message.mentions();
            let mentions = &mentions[..mentions.partition_point(|it| it.end <= n_shown)];
            let (code, marks) = (self.code_blocks.all(), self.marks.borrow());
            let shown = self.label.text();
            let attributes = text_markup::attributes(&shown, mentions, &code, marks.as_ref());
            self.label.set_attributes(Some(&attributes));
        }

        fn set_look(&self, size: Option<EmojiSize>, is_tombstone: bool) {
            let before = (self.emoji_size.replace(size), self.is_tombstone.replace(is_tombstone));
            if before != (size, is_tombstone) {
                let tombstone = is_tombstone.then_some("tombstone");
                let classes: Vec<_> = size.map(class).into_iter().chain(tombstone).collect();
                self.label.set_css_classes(&classes);
            }
        }

        fn offer_folding(&self, can_show_more: bool, can_show_less: bool) {
            let mut buttons = self.fold_buttons.borrow_mut();
            if can_show_more || can_show_less {
                buttons
                    .get_or_insert_with(|| self.make_fold_buttons())
                    .offer(can_show_more, can_show_less);
            } else if let Some(buttons) = &*buttons {
                buttons.offer(false, false);
            }
        }

        fn make_fold_buttons(&self) -> FoldButtons {
            let doing = |fold: fn(&Self)| {
                clone!(
                    #[weak(rename_to = imp)]
                    self,
                    move || {
                        fold(&imp);
                        imp.obj().emit_by_name::<()>("stretched", &[]);
                    }
                )
            };
            let buttons = FoldButtons::new(doing(Self::show_more), doing(Self::show_less));
            buttons.row().set_halign(align(self.label.justify()));
            self.obj().append(buttons.row());
            buttons
        }
    }

    /// Returns how what is under a text stands.
    pub(super) fn align(justify: gtk::Justification) -> gtk::Align {
        if justify == gtk::Justification::Center { gtk::Align::Center } else { gtk::Align::Start }
    }

    fn class(size: EmojiSize) -> &'static str {
        match size {
            EmojiSize::Big => "big-emoji",
            EmojiSize::Large => "large-emoji",
            EmojiSize::Huge => "huge-emoji",
        }
    }
}

glib::wrapper! {
    /// The text of a message, with its links.
    ///
    /// Emits `stretched` when its reader has asked for more of it, or for less.
    pub struct TextBlock(ObjectSubclass<imp::TextBlock>)
        @extends gtk::Box, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget, gtk::Orientable;
}

impl TextBlock {
    /// Shows the text of `message`: its beginning, if it is another message than before.
    pub(super) fn show(&self, message: &Message) {
        let imp = self.imp();
        imp.show_time(message);
        if imp.message.borrow().as_ref() != Some(message) {
            imp.stretch.set(1);
            imp.marks.take();
            imp.message.replace(Some(message.clone()));
        } else if !message.is_summary() && *imp.whole.borrow() == message.shown_text() {
            return; // Something else about the message has changed.
        }
        imp.update();
    }

    /// Puts it into the middle, or at the side where it begins.
    pub(super) fn center(&self, is_centered: bool) {
        let justify =
            if is_centered { gtk::Justification::Center } else { gtk::Justification::Left };
        self.imp().label.set_justify(justify);
        if let Some(buttons) = &*self.imp().fold_buttons.borrow() {
            buttons.row().set_halign(imp::align(justify));
        }
    }

    /// Returns true if it is nothing but a few emoji.
    pub(super) fn is_emoji(&self) -> bool {
        self.imp().emoji_size.get().is_some()
    }

    /// Returns what is on show, to be laid out.
    pub(super) fn parts(&self) -> Parts {
        let imp = self.imp();
        let time = imp.time.borrow().as_ref().map(|time| time.label().clone());
        let buttons = imp.fold_buttons.borrow().as_ref().map(|buttons| buttons.row().clone());
        Parts {
            label: imp.label.clone(),
            time: time.filter(WidgetExt::is_visible),
            buttons: buttons.filter(WidgetExt::is_visible),
            code: imp.code_blocks.framed(),
            is_end_taken: imp.is_end_taken.get(),
            is_one_line: imp.is_one_line.get(),
        }
    }

    /// Shows at least the first `size` bytes of the text, if it is that long.
    pub(super) fn reveal(&self, size: usize) {
        let message = self.imp().message.borrow().clone();
        let size = size.min(message.map_or(0, |message| message.text().len()));
        while self.imp().n_shown.get() < size {
            self.imp().show_more();
        }
    }

    /// Marks parts of the text, by their bytes, as far as they are on show.
    pub(super) fn mark(&self, attributes: Option<pango::AttrList>) {
        if attributes.is_none() && self.imp().marks.borrow().is_none() {
            return;
        }
        self.imp().marks.replace(attributes);
        self.imp().update_attributes();
    }
}
