//! The code in a text. A block of it is set apart: it has a ground of its own, and a button that
//! copies it.

use std::{cell::RefCell, ops::Range};

use gtk::{pango, prelude::*};

use crate::text::{self, Code, i18n::gettext};

/// The most blocks of a text that are set apart; more of them are in monospace all the same.
const FRAMES_MAX: usize = 16;

/// The distance between tab stops in code, in characters: lines are short here.
const TAB_CHARS: i32 = 4;

/// The code in the text on show, and the widgets around it.
#[derive(Debug, Default)]
pub(super) struct CodeBlocks {
    code: RefCell<Vec<Code>>,
    frames: RefCell<Vec<CodeFrame>>,
}

/// The widgets around one block.
#[derive(Clone, Debug)]
pub(super) struct CodeFrame {
    /// The background behind its lines.
    pub(super) ground: adw::Bin,
    /// The button beside the first of them.
    pub(super) copy_button: gtk::Button,
}

impl CodeBlocks {
    /// Takes in what `label` shows, and has what is around it shown in `parent`. `on_copy` is called
    /// with the number of the block that is to be copied.
    pub(super) fn show(
        &self,
        code: Vec<Code>,
        parent: &impl IsA<gtk::Widget>,
        label: &gtk::Label,
        on_copy: impl Fn(usize) + Clone + 'static,
    ) {
        if code.is_empty() && self.code.borrow().is_empty() {
            return;
        }
        label.set_tabs((!code.is_empty()).then(|| tabs(label)).as_ref());
        self.code.replace(code);
        let n_blocks = self.blocks().len();
        let mut frames = self.frames.borrow_mut();
        for n in frames.len()..n_blocks {
            let on_copy = on_copy.clone();
            frames.push(CodeFrame::new(parent, label, move || on_copy(n)));
        }
        for (n, frame) in frames.iter().enumerate() {
            frame.ground.set_visible(n < n_blocks);
            frame.copy_button.set_visible(n < n_blocks);
        }
    }

    /// Returns all code on show, in order.
    pub(super) fn all(&self) -> Vec<Code> {
        self.code.borrow().clone()
    }

    /// Returns the blocks that are set apart.
    pub(super) fn blocks(&self) -> Vec<Code> {
        self.code.borrow().iter().filter(|it| it.is_block).take(FRAMES_MAX).cloned().collect()
    }

    /// Returns where each of these is, in bytes, and what is around it.
    pub(super) fn framed(&self) -> Vec<(Range<usize>, CodeFrame)> {
        let frames = self.frames.borrow();
        self.blocks().into_iter().map(|it| it.range).zip(frames.iter().cloned()).collect()
    }
}

impl CodeFrame {
    fn new(
        parent: &impl IsA<gtk::Widget>,
        label: &gtk::Label,
        on_copy: impl Fn() + 'static,
    ) -> Self {
        let name = gettext("Copy Code");
        let ground = adw::Bin::builder()
            .accessible_role(gtk::AccessibleRole::Presentation)
            .can_target(false)
            .css_classes(["code-block"])
            .build();
        let copy_button = gtk::Button::builder()
            .css_classes(["copy-code", "flat"])
            .icon_name("edit-copy-symbolic")
            .tooltip_text(&name)
            .build();
        copy_button.update_property(&[gtk::accessible::Property::Label(&name)]);
        copy_button.connect_clicked(move |_| on_copy());
        ground.insert_before(parent, Some(label)); // So that it is drawn first.
        copy_button.insert_before(parent, label.next_sibling().as_ref());
        Self { ground, copy_button }
    }
}

/// Returns what is to be copied of `code` in the beginning of `text`: all of it, if it goes on
/// beyond that.
pub(super) fn source(text: &str, code: &Code) -> String {
    let all = text::code(text).into_iter().find(|it| it.range.start == code.range.start);
    text::source(text, all.as_ref().unwrap_or(code)).to_owned()
}

/// Returns tabs that are counted in the letters of code.
fn tabs(label: &gtk::Label) -> pango::TabArray {
    let context = label.pango_context();
    let mut font = context.font_description().unwrap_or_default();
    font.set_family("monospace");
    let width = context.metrics(Some(&font), None).approximate_char_width();
    let mut tabs = pango::TabArray::new(1, false);
    tabs.set_tab(0, pango::TabAlign::Left, TAB_CHARS * width);
    tabs
}
