//! Where a message is written and sent.
//!
//! A text leaves the entry only when the session has taken it; what becomes of it then is shown in
//! the conversation. What is being written is the room's too, which keeps it for the next start.
//! None is refused for its size: before it would be, the composer says how much room is left, then
//! what is too much, and does not send. A picture is refused when it is pasted or dropped.
//!
//! A view of a text gets slow with its longest line, so the entry takes no more than the largest
//! message has, and breaks a line anywhere where there is no other place for a long time.

mod announcer;
mod composing_bar;
mod draft;
mod emoji_button;
mod mention_popover;
mod refused_files;
mod room_left;

use std::{
    cell::{Cell, OnceCell, RefCell},
    sync::OnceLock,
};

use adw::subclass::prelude::*;
use gtk::{gdk, glib, glib::clone, glib::subclass::Signal, pango, prelude::*};
use pychat_wire::PAYLOAD_BYTES_MAX;

use self::{
    announcer::Announcer, composing_bar::ComposingBar, emoji_button::EmojiButton,
    mention_popover::MentionPopover, room_left::room_left,
};
use crate::{
    model::Message,
    session::Room,
    text::{has_longer_word, i18n::gettext, is_blank},
};

/// The most lines that are shown at once.
const LINES_MAX: i32 = 8;

/// The most characters that are taken. There are messages that are too large with fewer, and none
/// with more that are not.
const CHARS_MAX: usize = PAYLOAD_BYTES_MAX;

/// The largest room left, in bytes, that is shown to the writer.
const BYTES_LEFT_TOLD: isize = 4_096;

/// The longest word, in characters, at whose ends alone a line is broken: to break by words takes
/// time with the square of their lengths.
const WORD_CHARS_MAX: usize = 1_000;

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/composer.ui")]
    #[properties(wrapper_type = super::Composer)]
    pub struct Composer {
        #[template_child]
        pub(super) composing_bar: TemplateChild<ComposingBar>,
        #[template_child]
        scrolled_window: TemplateChild<gtk::ScrolledWindow>,
        #[template_child]
        pub(super) text_view: TemplateChild<gtk::TextView>,
        #[template_child]
        pub(super) buffer: TemplateChild<gtk::TextBuffer>,
        #[template_child]
        placeholder: TemplateChild<gtk::Label>,
        #[template_child]
        hint: TemplateChild<gtk::Label>,
        #[template_child]
        emoji_button: TemplateChild<gtk::Button>,
        #[template_child]
        send_button: TemplateChild<gtk::Button>,
        completion: MentionPopover,
        emoji: EmojiButton,
        announcer: Announcer,
        /// The session that sends the messages.
        #[property(get, set = Self::set_room, explicit_notify, nullable)]
        room: RefCell<Option<Room>>,
        room_signals: OnceCell<glib::SignalGroup>,
        /// True if Enter sends, false if it begins a line.
        #[property(get, set = Self::set_enter_sends)]
        enter_sends: Cell<bool>,
        /// True while an input method has something that Enter would choose.
        is_choosing: Cell<bool>,
        /// True if there is more than a message can hold.
        pub(super) is_too_long: Cell<bool>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Composer {
        const NAME: &'static str = "PychatComposer";
        type Type = super::Composer;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            ComposingBar::ensure_type();
            klass.bind_template();
            klass.bind_template_callbacks();
            klass.install_action("composer.end-composing", None, |composer, _, _| {
                composer.imp().end_composing();
            });
            klass.install_action("composer.send", None, |composer, _, _| composer.imp().send());
            klass.install_action("composer.insert-emoji", None, |composer, _, _| {
                composer.imp().on_emoji_clicked();
            });
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for Composer {
        fn constructed(&self) {
            self.parent_constructed();
            self.buffer.connect_insert_text(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_, at, text| imp.insert_what_fits(at, text)
            ));
            let adjustment = self.scrolled_window.vadjustment();
            let keep_at_top = clone!(
                #[weak(rename_to = imp)]
                self,
                move |_: &gtk::Adjustment| imp.keep_at_top()
            );
            adjustment.connect_changed(keep_at_top.clone());
            adjustment.connect_value_changed(keep_at_top);
            self.completion.set_parent(&*self.obj());
            self.completion.set_text_view(Some(&*self.text_view));
            self.announcer.set_widget(&*self.text_view);
            let weak = self.downgrade();
            refused_files::connect_refused(&self.text_view, move || {
                if let Some(imp) = weak.upgrade() {
                    imp.show_hint(Some(gettext("Pictures and files cannot be sent")), true);
                }
            });
            self.set_enter_sends(true);
        }

        fn dispose(&self) {
            self.completion.unparent();
            self.emoji.unparent();
        }

        fn signals() -> &'static [Signal] {
            static SIGNALS: OnceLock<Vec<Signal>> = OnceLock::new();
            SIGNALS.get_or_init(|| {
                let edit_wanted = Signal::builder("edit-wanted").return_type::<bool>();
                vec![edit_wanted.run_last().build(), Signal::builder("sent").build()]
            })
        }
    }

    impl WidgetImpl for Composer {
        fn map(&self) {
            self.parent_map();
            self.limit_height();
        }

        fn size_allocate(&self, width: i32, height: i32, baseline: i32) {
            self.parent_size_allocate(width, height, baseline);
            self.completion.present();
        }
    }

    impl BinImpl for Composer {}

    #[gtk::template_callbacks]
    impl Composer {
        /// Shows no more than so many lines, whatever the height of one is now.
        fn limit_height(&self) {
            let metrics = self.text_view.pango_context().metrics(None, None);
            let lines = LINES_MAX * metrics.height() / pango::SCALE;
            self.scrolled_window.set_max_content_height(lines);
        }

        fn set_room(&self, room: Option<Room>) {
            self.completion.set_room(room.as_ref());
            self.room.replace(room);
            let signals = self.room_signals.get_or_init(|| self.room_signals());
            signals.set_target(self.room.borrow().as_ref());
            self.show_composing();
            self.obj().notify_room();
        }

        /// Follows whichever room there is.
        fn room_signals(&self) -> glib::SignalGroup {
            let signals = glib::SignalGroup::new::<Room>();
            let notify = |property, f: fn(&Self, &Room)| {
                let weak = self.downgrade();
                signals.connect_notify_local(Some(property), move |room, _| {
                    if let (Some(imp), Some(room)) = (weak.upgrade(), room.downcast_ref()) {
                        f(&imp, room);
                    }
                });
            };
            notify("is-online", |imp, _| imp.measure());
            notify("can-say", |imp, _| imp.update_send_button());
            notify("draft", |imp, _| imp.show_composed());
            signals.connect_closure(
                "composing-changed",
                false,
                glib::closure_local!(
                    #[weak(rename_to = imp)]
                    self,
                    move |_: &Room| imp.show_composing()
                ),
            );
            signals.connect_closure(
                "heard",
                false,
                glib::closure_local!(
                    #[weak(rename_to = imp)]
                    self,
                    move |_: &Room, message: &Message| imp.announcer.hear(message)
                ),
            );
            signals
        }

        fn set_enter_sends(&self, enter_sends: bool) {
            self.enter_sends.set(enter_sends);
            let tooltip =
                if enter_sends { gettext("Send (Enter)") } else { gettext("Send (Alt+Enter)") };
            self.send_button.set_tooltip_text(Some(&tooltip));
        }

        /// Says how much room is left, where that is little.
        fn measure(&self) {
            let text = self.text();
            let left = self.obj().room().and_then(|room| room.bytes_left(&text));
            let left = left.filter(|left| *left <= BYTES_LEFT_TOLD);
            let is_too_long = left.is_some_and(|left| left < 0);
            self.is_too_long.set(is_too_long);
            self.show_hint(left.map(|left| room_left(left, &text)), is_too_long);
            self.update_send_button();
        }

        pub(super) fn show_hint(&self, hint: Option<String>, is_error: bool) {
            self.hint.set_visible(hint.is_some());
            self.hint.set_label(&hint.unwrap_or_default());
            self.hint.set_css_classes(&["caption", if is_error { "error" } else { "warning" }]);
        }

        pub(super) fn text(&self) -> glib::GString {
            self.buffer.text(&self.buffer.start_iter(), &self.buffer.end_iter(), true)
        }

        fn update_send_button(&self) {
            let can_say = self.obj().room().is_some_and(|room| room.can_say());
            let is_message = !self.is_too_long.get() && !is_blank(&self.text());
            self.send_button.set_sensitive(can_say && is_message);
        }

        /// Leaves out what is beyond [`CHARS_MAX`].
        fn insert_what_fits(&self, at: &mut gtk::TextIter, text: &str) {
            let n_written = usize::try_from(self.buffer.char_count()).unwrap_or_default();
            let room = CHARS_MAX.saturating_sub(n_written);
            let Some((end, _)) = text.char_indices().nth(room) else { return };
            self.buffer.stop_signal_emission_by_name("insert-text");
            self.buffer.insert(at, &text[..end]);
            self.show_hint(Some(gettext("The text was too long and has been cut off")), true);
        }

        /// A text that has room as a whole is not scrolled. While the entry grows, the view goes to
        /// the cursor before there is room for it, and would stay there.
        fn keep_at_top(&self) {
            let adjustment = self.scrolled_window.vadjustment();
            if self.has_room() && 0.0 < adjustment.value() {
                adjustment.set_value(0.0);
            }
            if self.scrolled_window.vscrollbar_policy() != self.bar_policy() {
                let weak = self.downgrade();
                // What is just being laid out must not get a bar.
                glib::idle_add_local_once(move || {
                    if let Some(imp) = weak.upgrade() {
                        imp.scrolled_window.set_vscrollbar_policy(imp.bar_policy());
                    }
                });
            }
        }

        /// Returns true if all of the text can be in view.
        fn has_room(&self) -> bool {
            let height = self.scrolled_window.vadjustment().upper();
            height <= f64::from(self.scrolled_window.max_content_height())
        }

        /// A text that is scrolled has a bar. GTK by itself would show one for a moment with each
        /// line that is added.
        fn bar_policy(&self) -> gtk::PolicyType {
            if self.has_room() { gtk::PolicyType::External } else { gtk::PolicyType::Automatic }
        }

        #[template_callback]
        fn on_text_changed(&self) {
            let text = self.text();
            self.keep_draft(&text);
            let is_endless = has_longer_word(&text, WORD_CHARS_MAX);
            let wrap_mode = if is_endless { gtk::WrapMode::Char } else { gtk::WrapMode::WordChar };
            self.text_view.set_wrap_mode(wrap_mode);
            self.placeholder.set_visible(self.buffer.char_count() == 0);
            self.limit_height();
            self.measure();
        }

        #[template_callback]
        fn on_preedit_changed(&self, preedit: &str) {
            self.is_choosing.set(!preedit.is_empty());
        }

        #[template_callback]
        fn on_key_pressed(&self, key: gdk::Key, _: u32, modifiers: gdk::ModifierType) -> bool {
            let modifiers = modifiers & gtk::accelerator_get_default_mod_mask();
            let is_up = matches!(key, gdk::Key::Up | gdk::Key::KP_Up);
            if is_up && modifiers == gdk::ModifierType::CONTROL_MASK {
                return self.recall();
            }
            if self.is_choosing.get() || !modifiers.is_empty() {
                return false;
            }
            if self.completion.handle_key(key) {
                return true;
            }
            match key {
                gdk::Key::Up | gdk::Key::KP_Up if self.buffer.char_count() == 0 => {
                    self.obj().emit_by_name::<bool>("edit-wanted", &[])
                }
                gdk::Key::Escape => self.end_composing(),
                gdk::Key::Return | gdk::Key::KP_Enter | gdk::Key::ISO_Enter
                    if self.enter_sends.get() =>
                {
                    self.send();
                    true
                }
                _ => false,
            }
        }

        #[template_callback]
        fn on_emoji_clicked(&self) {
            self.emoji.open(&self.emoji_button, &self.text_view);
        }

        #[template_callback]
        fn on_send_clicked(&self) {
            self.send();
            self.obj().focus_text();
        }
    }
}

glib::wrapper! {
    /// Where a message is written and sent.
    ///
    /// Emits `sent` when the session has taken a text, and `edit-wanted` when its user wants to edit what
    /// they said last: the handler returns true if it can be edited.
    pub struct Composer(ObjectSubclass<imp::Composer>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl Composer {
    /// Puts the cursor into the text.
    pub fn focus_text(&self) {
        self.imp().text_view.grab_focus();
    }

    /// Returns what takes in keys that are pressed for it elsewhere.
    pub fn text_view(&self) -> gtk::TextView {
        self.imp().text_view.get()
    }

    /// Calls `name` where the cursor is, as a word of its own, and goes on after it.
    pub fn mention(&self, name: &str) {
        let buffer = self.imp().text_view.buffer();
        let cursor = buffer.iter_at_mark(&buffer.get_insert());
        let mut before = cursor;
        let is_word_end = before.backward_char() && !before.char().is_whitespace();
        let gap = if is_word_end { " " } else { "" };
        buffer.begin_user_action();
        buffer.insert_at_cursor(&format!("{gap}@{name} "));
        buffer.end_user_action();
        self.focus_text();
    }
}
