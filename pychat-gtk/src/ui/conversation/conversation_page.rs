//! The conversation: what was said, and where to say something.
//!
//! It stays at its end until the reader scrolls up. As long as nothing has happened since joining,
//! the welcome is shown large instead of a list with one line.

mod amending;
mod floating_date;
mod jumping;
mod paging;
mod searching;
mod selecting;
mod signals;
mod switching;
mod unread;
mod welcome;

use std::cell::{Cell, OnceCell, RefCell};

use adw::subclass::prelude::*;
use gtk::{gdk, glib, glib::clone, prelude::*};

use self::{
    amending::Deletions, jumping::Jump, paging::Paging, searching::SearchState, signals::Signals,
    switching::LeftRooms, unread::UnreadState,
};
use crate::{
    model::History,
    session::{Room, Session},
    settings::Settings,
    ui::{
        composer::Composer,
        conversation::{
            connection_banner::ConnectionBanner, message_list_layout::MessageListLayout,
            scroll_anchor::ScrollAnchor, scroll_to_end_button::ScrollToEndButton,
            selection_area::SelectionArea, send_pause::SendPause, stick_to_end::StickToEnd,
            typing_line::TypingLine, unread_bar::UnreadBar,
        },
        message_row::MessageRow,
        search::{results_pane::ResultsPane, search_bar::SearchBar},
    },
};

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/conversation_page.ui")]
    #[properties(wrapper_type = super::ConversationPage)]
    pub struct ConversationPage {
        #[template_child]
        pub(super) search_bar: TemplateChild<SearchBar>,
        #[template_child]
        pub(super) results_flap: TemplateChild<adw::Flap>,
        #[template_child]
        pub(super) results_pane: TemplateChild<ResultsPane>,
        #[template_child]
        pub(super) toast_overlay: TemplateChild<adw::ToastOverlay>,
        #[template_child]
        views: TemplateChild<gtk::Stack>,
        #[template_child]
        placeholder: TemplateChild<adw::StatusPage>,
        /// The messages, and the button that leads back to their end.
        #[template_child]
        talk: TemplateChild<gtk::Overlay>,
        #[template_child]
        pub(super) scroll_to_end_button: TemplateChild<ScrollToEndButton>,
        #[template_child]
        pub(super) unread_bar: TemplateChild<UnreadBar>,
        #[template_child]
        pub(super) day: TemplateChild<gtk::Revealer>,
        #[template_child]
        pub(super) day_label: TemplateChild<gtk::Label>,
        #[template_child]
        pub(super) selection_area: TemplateChild<SelectionArea>,
        #[template_child]
        pub(super) scrolled_window: TemplateChild<gtk::ScrolledWindow>,
        #[template_child]
        pub(super) list_view: TemplateChild<gtk::ListView>,
        #[template_child]
        pub(super) composer: TemplateChild<Composer>,
        pub(super) stick_to_end: OnceCell<StickToEnd>,
        pub(super) paging: Paging,
        pub(super) unread: UnreadState,
        pub(super) search: SearchState,
        pub(super) deletions: Deletions,
        pub(super) jump: Jump,
        pub(super) signals: OnceCell<Signals>,
        /// The room that is shown.
        #[property(get, set = Self::set_room, explicit_notify, nullable)]
        pub(super) room: RefCell<Option<Room>>,
        pub(super) left_rooms: LeftRooms,
        /// The session whose connection is told of.
        #[property(get, set, nullable)]
        session: RefCell<Option<Session>>,
        /// True while the window has the keyboard: whatever is in view is seen.
        #[property(get, set = Self::set_is_attended, explicit_notify)]
        pub(super) is_attended: Cell<bool>,
        /// The number of selected messages.
        #[property(get, set)]
        n_selected: Cell<u32>,
        /// True while the conversation can be searched.
        #[property(get, set = Self::set_is_searching, explicit_notify)]
        is_searching: Cell<bool>,
        /// Hides the day once nobody scrolls.
        pub(super) date_timeout: RefCell<Option<glib::JoinHandle<()>>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for ConversationPage {
        const NAME: &'static str = "PychatConversationPage";
        type Type = super::ConversationPage;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            Composer::ensure_type();
            ConnectionBanner::ensure_type();
            ScrollToEndButton::ensure_type();
            MessageRow::ensure_type();
            ResultsPane::ensure_type();
            SearchBar::ensure_type();
            SelectionArea::ensure_type();
            SendPause::ensure_type();
            TypingLine::ensure_type();
            MessageListLayout::ensure_type();
            UnreadBar::ensure_type();
            klass.set_accessible_role(gtk::AccessibleRole::Region);
            klass.bind_template();
            klass.bind_template_callbacks();
            klass.install_action("conversation.go-to-latest", None, |page, _, _| {
                page.imp().on_sent();
                page.focus_composer(); // The button is gone then.
            });
            klass.install_action("conversation.go-to-unread", None, |page, _, _| {
                page.imp().request_unread();
            });
            klass.install_action("conversation.mark-as-read", None, |page, _, _| {
                page.imp().mark_as_read();
            });
            klass.install_action("conversation.give-up-search", None, |page, _, _| {
                page.imp().search_bar.give_up();
            });
            let id = Some(glib::VariantTy::STRING);
            klass.install_action("conversation.send-again", id, |page, _, id| {
                page.imp().on_unsent(id, Room::say_again);
                page.imp().on_sent();
            });
            klass.install_action("conversation.discard", id, |page, _, id| {
                page.imp().on_unsent(id, Room::discard);
            });
            amending::install(klass);
            jumping::install(klass);
            klass.install_action("conversation.mention", id, |page, _, name| {
                page.mention(name.and_then(glib::Variant::str).unwrap_or_default());
            });
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for ConversationPage {
        fn constructed(&self) {
            self.parent_constructed();
            let stick_to_end =
                self.stick_to_end.get_or_init(|| StickToEnd::new(&self.scrolled_window));
            stick_to_end.on_change(clone!(
                #[weak(rename_to = imp)]
                self,
                move |is_sticking| {
                    imp.set_away(!is_sticking);
                    imp.update_scroll_button();
                    imp.update_attention_later();
                }
            ));
            stick_to_end.kinetic_scroll().on_change(clone!(
                #[weak(rename_to = imp)]
                self,
                move |is_moving| imp.set_held(is_moving)
            ));
            self.selection_area.connect_has_menu_notify(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| imp.end_kinetic_scroll()
            ));
            self.selection_area.connect_is_swiping_notify(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| imp.end_kinetic_scroll()
            ));
            let adjustment = self.scrolled_window.vadjustment();
            adjustment.connect_page_size_notify(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| imp.measure_page()
            ));
            adjustment.connect_value_changed(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| {
                    imp.leave_top_later();
                    imp.load_more();
                    imp.show_date();
                }
            ));
            adjustment.connect_changed(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| imp.load_more()
            ));
            self.take_typing();
            self.watch_date();
            self.watch_search();
        }
    }

    impl WidgetImpl for ConversationPage {
        /// The way back from the composer leads to the newest message, where a list would begin
        /// with the oldest.
        fn focus(&self, direction: gtk::DirectionType) -> bool {
            let is_from_composer = self.composer.focus_child().is_some();
            if direction == gtk::DirectionType::TabBackward && is_from_composer {
                return self.composer.child_focus(direction)
                    || self.selection_area.child_focus(direction)
                    || self.parent_focus(direction);
            }
            self.parent_focus(direction)
        }
    }

    impl BinImpl for ConversationPage {}

    #[gtk::template_callbacks]
    impl ConversationPage {
        /// Takes what is typed where nothing else takes it for the beginning of a message.
        fn take_typing(&self) {
            let keys = gtk::EventControllerKey::new();
            keys.connect_key_pressed(clone!(
                #[weak(rename_to = imp)]
                self,
                #[upgrade_or]
                glib::Propagation::Proceed,
                move |keys, key, _, modifiers| {
                    let commands = gdk::ModifierType::CONTROL_MASK | gdk::ModifierType::ALT_MASK;
                    let is_text = key.to_unicode().is_some_and(|it| !it.is_control());
                    if !is_text || modifiers.intersects(commands | gdk::ModifierType::SUPER_MASK) {
                        return glib::Propagation::Proceed;
                    }
                    imp.composer.focus_text();
                    keys.forward(&imp.composer.text_view()).into()
                }
            ));
            self.obj().add_controller(keys);
        }

        fn set_is_attended(&self, is_attended: bool) {
            if self.is_attended.replace(is_attended) != is_attended {
                self.update_attention();
                self.obj().notify_is_attended();
            }
        }

        /// Tells the history whether its reader sees what comes.
        pub(super) fn update_attention(&self) {
            if let Some(room) = &*self.room.borrow() {
                room.history().set_attended(self.is_at_end() && self.is_attended.get());
            }
            self.see_later();
        }

        pub(super) fn choose_view(&self, history: &History) {
            match welcome::text(history) {
                Some(text) => {
                    // The description is markup; a name is not.
                    let text = glib::markup_escape_text(&text);
                    self.placeholder.set_description(Some(&text));
                    self.views.set_visible_child(&*self.placeholder);
                }
                None => self.views.set_visible_child(&*self.talk),
            }
        }

        fn set_is_searching(&self, is_searching: bool) {
            if self.is_searching.replace(is_searching) == is_searching {
                return;
            }
            if is_searching {
                let anchor = || ScrollAnchor::of(&self.list_view, &self.scrolled_window);
                self.search.anchor.replace(if self.is_at_end() { None } else { anchor() });
                self.search.origin.set(self.obj().room().as_ref());
                if let Some(room) = self.obj().room() {
                    room.history().show_latest(); // They may be what is searched for.
                }
            }
            self.obj().notify_is_searching();
        }

        /// Returns to where the reader was before the search.
        #[template_callback]
        fn on_search_given_up(&self) {
            self.composer.focus_text();
            self.return_to_origin();
            match self.search.anchor.take() {
                Some(anchor) => {
                    self.unstick();
                    if let Some(room) = self.obj().room() {
                        room.history().show_latest(); // It is not beyond them.
                    }
                    anchor.show(&self.list_view, &self.scrolled_window, || ());
                }
                None => self.on_sent(),
            }
        }

        /// Gives the keyboard to what was found in all rooms.
        #[template_callback]
        fn on_results_wanted(&self) {
            self.results_pane.focus_results();
        }

        pub(super) fn unstick(&self) {
            if let Some(stick_to_end) = self.stick_to_end.get() {
                stick_to_end.unstick();
            }
        }

        /// Does something about a message that has not arrived; its button is gone then, so the
        /// focus goes to where messages are written.
        fn on_unsent(&self, id: Option<&glib::Variant>, f: impl Fn(&Room, &str)) {
            if let (Some(room), Some(id)) = (self.obj().room(), id.and_then(glib::Variant::str)) {
                self.composer.focus_text();
                f(&room, id);
            }
        }

        #[template_callback]
        fn on_edit_wanted(&self) -> bool {
            self.edit_last()
        }

        /// Follows the end: the sender of a message wants to see it, and the answers.
        #[template_callback]
        pub(super) fn on_sent(&self) {
            if let Some(stick_to_end) = self.stick_to_end.get() {
                stick_to_end.scroll_to_end();
            }
        }
    }
}

glib::wrapper! {
    /// The messages of a conversation, and the composer for new ones.
    pub struct ConversationPage(ObjectSubclass<imp::ConversationPage>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl ConversationPage {
    /// Lets the reader write at once.
    pub fn focus_composer(&self) {
        self.imp().composer.focus_text();
    }

    /// Makes it do as is preferred in `settings`.
    pub fn follow(&self, settings: &Settings) {
        settings.bind("enter-sends", &*self.imp().composer, "enter-sends");
    }

    /// Calls `name` in what is being written.
    pub fn mention(&self, name: &str) {
        self.imp().composer.mention(name);
    }

    /// Shows a toast over the messages.
    pub fn add_toast(&self, toast: adw::Toast) {
        self.imp().toast_overlay.add_toast(toast);
    }

    /// Lets the reader say what to search for.
    pub fn search(&self) {
        self.imp().search_bar.open(false);
    }

    /// Lets the reader say what to search all rooms for.
    pub fn search_everywhere(&self) {
        self.imp().search_bar.open(true);
    }
}
