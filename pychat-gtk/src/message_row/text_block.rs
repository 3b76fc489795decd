//! The text of a message, as much of it as is shown.
//!
//! A text is put into its label as it is. Only one with links becomes markup, made of its escaped
//! pieces, so that nothing in it is ever taken for markup.
//!
//! Laying out a label takes time that grows with its text, and everybody else's text is up to
//! them. So only the beginning of a long one is shown, until its reader asks for more.

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

use crate::{i18n::gettext, text};

/// The most characters of a message that are shown unasked.
const SHOWN_CHARS_MAX: usize = 2_000;

/// The most lines of a message that are shown unasked.
const SHOWN_LINES_MAX: usize = 40;

thread_local! {
    /// What every text has; one for all rows.
    static PLAIN: pango::AttrList = plain();
}

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
        pub(super) text: RefCell<String>,
        /// What is to be read instead if more is asked for; empty if that is the text itself.
        pub(super) details: RefCell<String>,
        pub(super) mentions: RefCell<Vec<Range<usize>>>,
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
            let (text, details) = (self.text.borrow(), self.details.borrow());
            let stretch = self.stretch.get();
            let whole = if 1 < stretch && !details.is_empty() { &*details } else { &*text };
            let shown =
                text::beginning(whole, SHOWN_CHARS_MAX * stretch, SHOWN_LINES_MAX * stretch);
            let mode = if text::has_endless_word(shown) {
                pango::WrapMode::Char
            } else {
                pango::WrapMode::WordChar
            };
            self.label.set_wrap_mode(mode);
            self.set_class("emoji", text::is_only_emoji(shown));
            self.set_direction(shown);
            match markup(shown) {
                Some(markup) => self.label.set_markup(&markup),
                None => self.label.set_text(shown),
            }
            self.update_attributes(shown.len());
            let has_details = stretch == 1 && !details.is_empty();
            self.show_more_button(has_details || shown.len() < whole.len());
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
            let place = i32::try_from(shown[..link.start].chars().count()).unwrap_or(i32::MAX);
            self.label.grab_focus();
            self.label.select_region(place, place);
            true
        }

        /// Shows more than before.
        pub(super) fn show_more(&self) {
            self.stretch.set(self.stretch.get().saturating_mul(MORE));
            self.update();
        }

        /// Marks where the reader is called, and what somebody else wants marked.
        pub(super) fn update_attributes(&self, size: usize) {
            let (mentions, marks) = (self.mentions.borrow(), self.marks.borrow());
            if mentions.is_empty() && marks.is_none() {
                self.label.set_attributes(Some(&PLAIN.with(pango::AttrList::clone)));
                return;
            }
            let attributes = plain();
            for mention in mentions.iter().filter(|mention| mention.end <= size) {
                let mut bold = pango::AttrInt::new_weight(pango::Weight::Bold);
                bold.set_start_index(u32::try_from(mention.start).unwrap_or(u32::MAX));
                bold.set_end_index(u32::try_from(mention.end).unwrap_or(u32::MAX));
                attributes.insert(bold);
            }
            for mark in marks.iter().flat_map(pango::AttrList::attributes) {
                attributes.insert(mark);
            }
            self.label.set_attributes(Some(&attributes));
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
            let target = glib::markup_escape_text(&text[link.clone()]);
            markup += &glib::markup_escape_text(&text[end..link.start]);
            markup.extend(["<a href=\"", &target, "\">", &target, "</a>"]);
            end = link.end;
        }
        markup += &glib::markup_escape_text(&text[end..]);
        (!links.is_empty()).then_some(markup)
    }
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
    /// Begins with another message: its beginning is shown.
    pub(super) fn begin(&self) {
        self.imp().stretch.set(1);
        self.imp().marks.take();
        self.imp().text.borrow_mut().clear();
    }

    /// Shows `text`, in which the reader is called at `mentions`; `details` is what there is to be
    /// read by who wants to know more, if that is not the rest of the text.
    pub(super) fn show(&self, text: &str, mentions: &[Range<usize>], details: &str) {
        let imp = self.imp();
        if *imp.text.borrow() == text && !text.is_empty() {
            return; // Something else about the message has changed.
        }
        text.clone_into(&mut imp.text.borrow_mut());
        details.clone_into(&mut imp.details.borrow_mut());
        imp.mentions.replace(mentions.to_vec());
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
    pub fn link_at(&self, parent: &impl IsA<gtk::Widget>, x: f64, y: f64) -> Option<String> {
        let label = &self.imp().label;
        let (x, y) = parent.translate_coordinates(label, x, y)?;
        let (left, top) = label.layout_offsets();
        let scale = |pixels: f64| pango::units_from_double(pixels);
        let (x, y) = (scale(x - f64::from(left)), scale(y - f64::from(top)));
        let (is_inside, index, _) = label.layout().xy_to_index(x, y);
        let index = usize::try_from(index).ok().filter(|_| is_inside)?;
        let shown = label.text();
        let link = text::links(&shown).into_iter().find(|link| link.contains(&index))?;
        Some(shown[link].to_owned())
    }

    /// Shows at least the first `size` bytes of the text, if it is that long.
    pub(super) fn reveal(&self, size: usize) {
        let size = size.min(self.imp().text.borrow().len());
        while self.shown().len() < size {
            self.imp().show_more();
        }
    }

    /// Marks parts of the text, by their bytes, as far as they are on show.
    pub(super) fn mark(&self, attributes: Option<pango::AttrList>) {
        if attributes.is_none() && self.imp().marks.borrow().is_none() {
            return;
        }
        self.imp().marks.replace(attributes);
        self.imp().update_attributes(self.imp().label.text().len());
    }
}
