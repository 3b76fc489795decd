//! One message in the conversation.
//!
//! Rows are recycled: the message on show changes, and everything about it is set anew. A jump to
//! the end of the list does that to some two hundred of them, so a row has no part that most
//! messages do without until the first of those that need it, and it changes only what differs.

mod amended_parts;
mod asking;
mod author_line;
mod avatar;
mod bubble_layout;
mod chip_layout;
mod code_blocks;
mod dividers;
mod fold_buttons;
mod name_color;
mod reactions;
mod send_error;
mod spoken;
mod swiped;
mod text_block;
mod text_layout;
mod text_markup;
mod time_label;

pub mod quote;

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use gtk::{glib, glib::clone, prelude::*, subclass::prelude::*};

use self::{
    author_line::AuthorLine, bubble_layout::BubbleLayout, dividers::Dividers, quote::Quote,
    reactions::Reactions, send_error::SendError,
};
pub use self::{swiped::REPLY_DISTANCE, text_block::TextBlock};
use crate::{
    model::{Delivery, Mark, Message, MessageKind},
    text::i18n::gettext,
    ui::{compat, highlight},
};

/// The time for which a message may be on its way before that is shown. Most arrive sooner than
/// anybody could look.
const SENDING_DELAY: Duration = Duration::from_millis(500);

/// The width left free beside a bubble, in pixels: for a picture, or to show whose side it is.
const MARGIN: i32 = 40;

/// The properties of a message that decide the look of its row.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Look {
    kind: MessageKind,
    /// The delivery, as far as it is shown.
    delivery: Delivery,
    begins_group: bool,
    calls_reader: bool,
    is_emoji: bool,
    /// The mark; of a message that somebody was just led to, that of the result being looked at.
    mark: Mark,
}

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/message_row.ui")]
    #[properties(wrapper_type = super::MessageRow)]
    pub struct MessageRow {
        #[template_child]
        line: TemplateChild<gtk::Box>,
        #[template_child]
        line_layout: TemplateChild<BubbleLayout>,
        #[template_child]
        pub(super) bubble: TemplateChild<gtk::Box>,
        #[template_child]
        pub(super) text: TemplateChild<TextBlock>,
        /// The dividers above a message that begins something; made when needed first, as are the
        /// parts below.
        dividers: RefCell<Option<Dividers>>,
        avatar: RefCell<Option<adw::Avatar>>,
        author: RefCell<Option<AuthorLine>>,
        pub(super) quote: RefCell<Option<Quote>>,
        pub(super) reactions: RefCell<Option<Reactions>>,
        clock: RefCell<Option<gtk::Image>>,
        send_error: RefCell<Option<SendError>>,
        /// The look on show; `None` before the first message.
        look: Cell<Option<Look>>,
        /// The message on show.
        #[property(get, set = Self::set_message, explicit_notify, nullable)]
        message: RefCell<Option<Message>>,
        /// The distance by which it is dragged aside, in pixels.
        pub(super) swiped: Cell<f64>,
        /// Tells what has changed about the message on show.
        change_handler: RefCell<Option<glib::SignalHandlerId>>,
        /// Waits until it is worth showing that it has not arrived.
        delay: RefCell<Option<glib::JoinHandle<()>>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for MessageRow {
        const NAME: &'static str = "PychatMessageRow";
        type Type = super::MessageRow;
        type ParentType = gtk::Box;

        fn class_init(klass: &mut Self::Class) {
            BubbleLayout::ensure_type();
            TextBlock::ensure_type();
            klass.bind_template();
            klass.bind_template_callbacks();
            klass.install_action("message.copy", None, |row, _, _| row.imp().copy());
            klass.install_action("message.react", Some(glib::VariantTy::STRING), {
                |row, _, emoji| row.imp().react(emoji.and_then(glib::Variant::str))
            });
            for (action, effect) in [
                ("message.send-again", "conversation.send-again"),
                ("message.discard", "conversation.discard"),
            ] {
                klass.install_action(action, None, move |row, _, _| row.imp().ask_for(effect));
            }
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for MessageRow {}

    impl WidgetImpl for MessageRow {
        fn root(&self) {
            self.parent_root();
            if let Some(message) = &*self.message.borrow() {
                self.name_list_item(message);
            }
        }

        fn snapshot(&self, snapshot: &gtk::Snapshot) {
            match self.swiped.get() {
                0.0 => self.parent_snapshot(snapshot),
                aside => self.snapshot_swiped(snapshot, aside),
            }
        }
    }

    impl BoxImpl for MessageRow {}

    #[gtk::template_callbacks]
    impl MessageRow {
        fn set_message(&self, message: Option<Message>) {
            if *self.message.borrow() == message {
                return;
            }
            let handler = message.as_ref().map(|message| {
                self.show(message);
                message.connect_changed(clone!(
                    #[weak(rename_to = imp)]
                    self,
                    move |message| imp.show(message)
                ))
            });
            let before = self.message.replace(message).zip(self.change_handler.replace(handler));
            if let Some((message, handler)) = before {
                message.disconnect(handler);
            }
            self.obj().set_swiped(0.0);
            self.obj().notify_message();
        }

        fn show(&self, message: &Message) {
            self.text.show(message);
            self.show_found(message);
            self.show_author(message);
            self.show_quote(message);
            self.show_reactions(message);
            self.show_dividers(message);
            self.show_sending(message);
            self.show_failure(message);
            self.name_list_item(message);
        }

        /// Marks what a search has found; more is shown where that lies beyond what is.
        fn show_found(&self, message: &Message) {
            let first = message.found().first().cloned();
            if let Some(first) = first.filter(|_| message.mark() == Mark::Current) {
                self.text.reveal(first.end);
            }
            self.text.mark(highlight::attributes(message));
        }

        /// Other people are named and pictured where they begin to speak; the reader knows who
        /// they are.
        fn show_author(&self, message: &Message) {
            let is_named = message.placement().begins_group && message.kind() == MessageKind::Other;
            let mut author = self.author.borrow_mut();
            if is_named {
                author.get_or_insert_with(|| AuthorLine::new(&self.bubble)).show(message);
            } else if let Some(author) = &*author {
                author.hide();
            }
            let mut avatar = self.avatar.borrow_mut();
            if is_named {
                let avatar = avatar.get_or_insert_with(|| self.add_avatar());
                avatar.set_text(Some(message.author()));
                avatar.set_visible(true);
            } else if let Some(avatar) = &*avatar {
                avatar.set_visible(false);
            }
        }

        fn add_avatar(&self) -> adw::Avatar {
            let avatar = avatar::new();
            self.line.prepend(&avatar);
            avatar
        }

        fn show_dividers(&self, message: &Message) {
            let placement = message.placement();
            let mut dividers = self.dividers.borrow_mut();
            if placement.begins_day || placement.begins_unread {
                let dividers = dividers.get_or_insert_with(|| {
                    let dividers = Dividers::default();
                    self.obj().prepend(&dividers);
                    dividers
                });
                dividers.show(placement, message.time_ms());
                dividers.set_visible(true);
            } else if let Some(dividers) = &*dividers {
                dividers.set_visible(false);
            }
        }

        /// Shows that a message is on its way, once it has been for a while.
        fn show_sending(&self, message: &Message) {
            if let Some(delay) = self.delay.take() {
                delay.abort();
            }
            let delivery = message.delivery();
            let is_sending = delivery == Delivery::Sending;
            let wait = if is_sending { sending_wait(message) } else { Duration::ZERO };
            let is_shown = is_sending && wait.is_zero();
            self.show_clock(is_shown);
            self.arrange(message, if is_sending && !is_shown { Delivery::Sent } else { delivery });
            if is_sending && !is_shown {
                let (weak, message) = (self.downgrade(), message.clone());
                let delay = glib::spawn_future_local(async move {
                    glib::timeout_future(wait).await;
                    if let Some(imp) = weak.upgrade() {
                        imp.delay.take();
                        imp.show_sending(&message);
                    }
                });
                self.delay.replace(Some(delay));
            }
        }

        fn show_clock(&self, is_shown: bool) {
            let mut clock = self.clock.borrow_mut();
            if is_shown {
                let clock = clock.get_or_insert_with(|| {
                    let clock = gtk::Image::from_icon_name("pychat-sending-symbolic");
                    clock.set_halign(gtk::Align::End);
                    clock.set_valign(gtk::Align::End);
                    clock.add_css_class("sending-clock");
                    clock
                        .update_property(&[gtk::accessible::Property::Label(&gettext("Sending…"))]);
                    self.line.prepend(&clock);
                    clock
                });
                clock.set_visible(true);
            } else if let Some(clock) = &*clock {
                clock.set_visible(false);
            }
        }

        fn show_failure(&self, message: &Message) {
            let mut note = self.send_error.borrow_mut();
            if message.delivery() == Delivery::Failed {
                note.get_or_insert_with(|| {
                    let note = SendError::default();
                    self.bubble.append(&note);
                    note
                })
                .explain(&message.failure());
            } else if let Some(note) = note.take() {
                self.bubble.remove(&note);
            }
        }

        /// Own messages stand at the end of the line, other people's at its start, notices in the
        /// middle.
        fn arrange(&self, message: &Message, delivery: Delivery) {
            let look = Look {
                kind: message.kind(),
                delivery,
                begins_group: message.placement().begins_group,
                calls_reader: message.calls_reader() && !message.is_deleted(),
                is_emoji: self.text.is_emoji() && message.reply().is_none(),
                mark: if message.is_flashed() { Mark::Current } else { message.mark() },
            };
            if self.look.replace(Some(look)) == Some(look) {
                return;
            }
            let (align, class, margins) = match look.kind {
                MessageKind::Own => (gtk::Align::End, "own", (MARGIN, 0)),
                MessageKind::Other => (gtk::Align::Start, "other", (MARGIN, MARGIN)),
                MessageKind::Notice | MessageKind::Welcome => {
                    (gtk::Align::Center, "notice", (0, 0))
                }
            };
            self.line_layout.set_margins(margins);
            let marks = [
                (true, "message"),
                (true, class),
                (look.begins_group, "first"),
                (look.delivery == Delivery::Sending, "sending"),
                (look.delivery == Delivery::Failed, "failed"),
                (look.calls_reader, "mention"),
                (look.is_emoji && look.delivery != Delivery::Failed, "emoji"),
                (look.mark == Mark::Current, "current-match"),
            ];
            let classes: Vec<_> =
                marks.iter().filter(|(is_set, _)| *is_set).map(|(_, class)| *class).collect();
            self.line.set_halign(align);
            self.obj().set_css_classes(&classes);
            self.text.center(align == gtk::Align::Center);
        }

        /// Sets what a screen reader says when the list is walked through by keyboard: the focus
        /// stops at the list's own item around this row.
        fn name_list_item(&self, message: &Message) {
            let sentence = spoken::sentence(message, self.text.shown());
            let dividers = dividers::spell(message.placement(), message.time_ms());
            let description = match message.delivery() {
                Delivery::Sent => String::new(),
                Delivery::Sending => gettext("Sending…"),
                Delivery::Failed => message.failure(),
            };
            compat::name_list_item(&*self.obj(), &format!("{dividers}{sentence}"), &description);
        }

        fn copy(&self) {
            if let Some(message) = self.obj().message() {
                self.obj().clipboard().set_text(&message.text());
            }
        }

        #[template_callback]
        fn on_text_stretched(&self) {
            if let Some(message) = self.obj().message() {
                self.name_list_item(&message);
            }
        }
    }

    /// Returns how long to wait before it is shown that `message` is on its way.
    fn sending_wait(message: &Message) -> Duration {
        let age_ms = glib::real_time() / 1_000 - message.sending_since_ms();
        let age = Duration::from_millis(u64::try_from(age_ms).unwrap_or_default());
        SENDING_DELAY.saturating_sub(age)
    }
}

glib::wrapper! {
    /// One message in the conversation.
    pub struct MessageRow(ObjectSubclass<imp::MessageRow>)
        @extends gtk::Box, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget, gtk::Orientable;
}

impl MessageRow {
    /// Returns the widget that shows the text, for callers that mark something in it.
    pub fn text_block(&self) -> TextBlock {
        self.imp().text.get()
    }
}
