//! The text of a message, as much of it as is shown.
//!
//! A text is put into its label as it is. Only one with links becomes markup, made of its escaped
//! pieces, so that nothing in it is ever taken for markup.
//!
//! Laying out a label takes time that grows with its text, and everybody else's text is up to
//! them. So only the beginning of a long one is shown, until its reader asks for more. The rest is
//! the message's alone.

use std::{
    cell::{Cell, RefCell},
    ops::Range,
    sync::OnceLock,
};

use gtk::{
    glib,
    glib::{clone, subclass::Signal},
    pango,
    prelude::*,
    subclass::prelude::*,
};

use crate::{
    i18n::gettext,
    model::Message,
    text::{self, Code, Link},
};

/// The most characters of a message that are shown unasked.
const SHOWN_CHARS_MAX: usize = 2_000;

/// The most lines of a message that are shown unasked.
const SHOWN_LINES_MAX: usize = 40;

thread_local! {
    /// What every text has; one for all rows.
    static PLAIN: pango::AttrList = plain();
}

/// How much of the colour of the text the backticks around code have, of 65 535.
const TICKS_ALPHA: u16 = 40_000;

/// How many times as much is shown when more is asked for.
const MORE: usize = 4;

mod imp {
    use super::*;

    #[derive(Debug, Default)]
    pub struct TextBlock {
        pub(super) label: gtk::Label,
        /// There only once there was more to show.
        pub(super) more_button: RefCell<Option<gtk::Button>>,
        /// How many times the usual length is shown.
        pub(super) stretch: Cell<usize>,
        pub(super) message: RefCell<Option<Message>>,
        /// How many bytes of its text are shown.
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
            self.obj().set_orientation(gtk::Orientation::Vertical);
            self.label.set_selectable(true);
            self.label.set_wrap(true);
            self.label.set_xalign(0.0);
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
            let button = self.more_button.borrow().clone().filter(WidgetExt::is_visible);
            let is_at_button = button.as_ref().is_some_and(WidgetExt::has_focus);
            let focus_button = || !is_at_button && button.is_some_and(|it| it.grab_focus());
            if is_forward {
                !is_at_button && self.focus_link(direction) || focus_button()
            } else {
                !self.label.has_focus() && focus_button() || self.focus_link(direction)
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
            let whole = if 1 < stretch && has_details { details.into() } else { message.text() };
            let shown =
                text::beginning(&whole, SHOWN_CHARS_MAX * stretch, SHOWN_LINES_MAX * stretch);
            let mode = if text::has_endless_word(shown) {
                pango::WrapMode::Char
            } else {
                pango::WrapMode::WordChar
            };
            self.label.set_wrap_mode(mode);
            self.set_class("emoji", text::is_only_emoji(shown));
            self.set_direction(shown);
            let is_cut = shown.len() < whole.len();
            let ellipsis = if is_cut { "…" } else { "" };
            match markup(shown) {
                Some(markup) => self.label.set_markup(&(markup + ellipsis)),
                None if is_cut => self.label.set_text(&format!("{shown}{ellipsis}")),
                None => self.label.set_text(shown),
            }
            self.n_shown.set(shown.len());
            self.update_attributes();
            self.show_more_button(is_cut || stretch == 1 && has_details);
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

        /// Marks where the reader is called, what is code, and what somebody else wants marked.
        pub(super) fn update_attributes(&self) {
            let Some(message) = self.message.borrow().clone() else { return };
            let marks = self.marks.borrow();
            let code = self.code();
            if message.mentions().is_empty() && marks.is_none() && code.is_empty() {
                self.label.set_attributes(Some(&PLAIN.with(pango::AttrList::clone)));
                return;
            }
            let attributes = plain();
            let is_shown = |mention: &&Range<usize>| mention.end <= self.n_shown.get();
            for mention in message.mentions().iter().filter(is_shown) {
                insert(&attributes, mention, pango::AttrInt::new_weight(pango::Weight::Bold));
            }
            for Code { range, inner } in code {
                insert(&attributes, &inner, pango::AttrString::new_family("monospace"));
                for ticks in [range.start..inner.start, inner.end..range.end] {
                    insert(&attributes, &ticks, pango::AttrInt::new_foreground_alpha(TICKS_ALPHA));
                }
            }
            for mark in marks.iter().flat_map(pango::AttrList::attributes) {
                attributes.insert(mark);
            }
            self.label.set_attributes(Some(&attributes));
        }

        /// Returns the code that is on show; what the chat itself says has none.
        pub(super) fn code(&self) -> Vec<Code> {
            let is_said = self.message.borrow().as_ref().is_some_and(Message::is_from_person);
            if is_said { text::code(&self.label.text()) } else { Vec::new() }
        }

        /// A text stands at the side at which it begins; inside, each paragraph sees to itself.
        fn set_direction(&self, shown: &str) {
            let is_rtl = match pango::find_base_dir(shown) {
                pango::Direction::Rtl => true,
                pango::Direction::Ltr => false,
                _ => self.obj().direction() == gtk::TextDirection::Rtl,
            };
            let is_opposite = is_rtl != (self.obj().direction() == gtk::TextDirection::Rtl);
            self.label.set_xalign(if is_opposite { 1.0 } else { 0.0 });
        }

        fn set_class(&self, class: &str, is_set: bool) {
            if is_set {
                self.label.add_css_class(class);
            } else {
                self.label.remove_css_class(class);
            }
        }

        fn show_more_button(&self, is_shown: bool) {
            let mut button = self.more_button.borrow_mut();
            if is_shown {
                button.get_or_insert_with(|| self.add_more_button()).set_visible(true);
            } else if let Some(button) = &*button {
                button.set_visible(false);
            }
        }

        fn add_more_button(&self) -> gtk::Button {
            let label = gtk::Label::new(Some(&gettext("Show More")));
            let button = gtk::Button::builder().child(&label).halign(gtk::Align::Center).build();
            label.set_mnemonic_widget(Some(&button));
            button.set_css_classes(&["flat", "more"]);
            button.connect_clicked(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| {
                    imp.show_more();
                    imp.obj().emit_by_name::<()>("stretched", &[]);
                }
            ));
            self.obj().append(&button);
            button
        }
    }

    /// Returns `text` with its links as markup; `None` if it has no link.
    fn markup(text: &str) -> Option<String> {
        let links = text::links(text);
        let mut markup = String::new();
        let mut end = 0;
        for link in &links {
            let target = glib::markup_escape_text(&link.target);
            let address = glib::markup_escape_text(&text[link.range.clone()]);
            markup += &glib::markup_escape_text(&text[end..link.range.start]);
            markup.extend(["<a href=\"", &target, "\">", &address, "</a>"]);
            end = link.range.end;
        }
        markup += &glib::markup_escape_text(&text[end..]);
        (!links.is_empty()).then_some(markup)
    }
}

/// Lets `attributes` have `attribute` at `range`.
fn insert(
    attributes: &pango::AttrList,
    range: &Range<usize>,
    attribute: impl Into<pango::Attribute>,
) {
    let place = |at| u32::try_from(at).unwrap_or(u32::MAX);
    let mut attribute = attribute.into();
    attribute.set_start_index(place(range.start));
    attribute.set_end_index(place(range.end));
    attributes.insert(attribute);
}

/// Returns what every text has: what is said is broken where it must be, and nothing is put into
/// it, or a link would seem to have a hyphen.
fn plain() -> pango::AttrList {
    let attributes = pango::AttrList::new();
    attributes.insert(pango::AttrInt::new_insert_hyphens(false));
    attributes
}

glib::wrapper! {
    /// The text of a message, with its links.
    ///
    /// Emits `stretched` when its reader has asked for more of it.
    pub struct TextBlock(ObjectSubclass<imp::TextBlock>)
        @extends gtk::Box, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget, gtk::Orientable;
}

impl TextBlock {
    /// Shows the text of `message`: its beginning, if it is another message than before.
    pub(super) fn show(&self, message: &Message) {
        let imp = self.imp();
        if imp.message.borrow().as_ref() != Some(message) {
            imp.stretch.set(1);
            imp.marks.take();
            imp.message.replace(Some(message.clone()));
        } else if !message.is_summary() {
            return; // Something else about the message has changed.
        }
        imp.update();
    }

    /// Puts it into the middle, or at the side where it begins.
    pub(super) fn center(&self, is_centered: bool) {
        let justify =
            if is_centered { gtk::Justification::Center } else { gtk::Justification::Left };
        self.imp().label.set_justify(justify);
    }

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
        let code = self.imp().code().into_iter().find(|code| code.range.contains(&index))?;
        Some(text::source(&self.imp().label.text(), &code).to_owned())
    }

    /// Returns the first code on show.
    pub fn first_code(&self) -> Option<String> {
        let code = self.imp().code().into_iter().next()?;
        Some(text::source(&self.imp().label.text(), &code).to_owned())
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
