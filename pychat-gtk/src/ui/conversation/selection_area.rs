//! The part of a conversation that is read: where messages are selected, copied and asked about.
//!
//! Text in one message is selected with the mouse alone, and its label sees to that. With Ctrl or
//! Shift, what is clicked or come by is selected as a whole, see [`MessageSelection`]; so such clicks are
//! taken before a label gets them.
//!
//! The keyboard goes from message to message with the arrows. Tab goes to what can be activated in
//! the message, and then on to what comes after the list; GTK would stop at each message of it.

mod changing;
mod item;
mod places;
mod swiping;

use std::cell::{Cell, RefCell};

use adw::subclass::prelude::*;
use gtk::{gdk, glib, glib::clone, prelude::*};

use self::{
    item::{is_stretch_key, is_touch, row_of, select},
    swiping::Swipe,
};
use crate::{
    model::{Message, transcript},
    session::Room,
    ui::{
        conversation::{
            context_menu::{self, Subject},
            message_selection::MessageSelection,
            reaction_picker::ReactionPicker,
            scroll_anchor,
        },
        menu,
    },
};

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/selection_area.ui")]
    #[properties(wrapper_type = super::SelectionArea)]
    pub struct SelectionArea {
        /// The list, which is somewhere inside.
        #[property(get, set = Self::set_list_view)]
        pub(super) list_view: glib::WeakRef<gtk::ListView>,
        /// The number of selected messages.
        #[property(get)]
        n_selected: Cell<u32>,
        /// The room whose messages are read.
        #[property(get, set, nullable)]
        pub(super) room: RefCell<Option<Room>>,
        /// The item of the list at which the mouse began to be dragged.
        dragged_from: glib::WeakRef<gtk::Widget>,
        /// True while the menu is open.
        #[property(get)]
        has_menu: Cell<bool>,
        pub(super) reaction_picker: ReactionPicker,
        /// True while a finger drags a message aside.
        #[property(name = "is-swiping", get = |imp: &Self| imp.swipe.is_dragged(), type = bool)]
        pub(super) swipe: Swipe,
        /// The menu; made when it is needed first.
        menu: RefCell<Option<gtk::PopoverMenu>>,
        /// The message on which the menu was opened.
        asked_about: RefCell<Option<Message>>,
        /// The widget that had the focus before the menu was opened.
        focus_before: glib::WeakRef<gtk::Widget>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for SelectionArea {
        const NAME: &'static str = "PychatSelectionArea";
        type Type = super::SelectionArea;
        type ParentType = adw::Bin;

        fn class_init(klass: &mut Self::Class) {
            klass.bind_template();
            klass.bind_template_callbacks();
            klass.install_action("selection.copy", None, |area, _, _| area.imp().copy());
            klass.install_action("selection.copy-text", Some(glib::VariantTy::STRING), {
                |area, _, text| {
                    if let Some(text) = text.and_then(glib::Variant::str) {
                        area.clipboard().set_text(text);
                    }
                }
            });
            klass.install_action("selection.toggle", None, |area, _, _| area.imp().toggle());
            changing::install(klass);
            klass.install_action("selection.open-menu", None, |area, _, _| {
                area.imp().open_menu_by_key();
            });
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for SelectionArea {
        fn constructed(&self) {
            self.parent_constructed();
            self.watch_swipes();
        }

        fn dispose(&self) {
            if let Some(menu) = self.menu.take() {
                menu.unparent();
            }
            self.reaction_picker.unparent();
        }
    }

    impl WidgetImpl for SelectionArea {
        fn focus(&self, direction: gtk::DirectionType) -> bool {
            use gtk::DirectionType::{TabBackward, TabForward};
            match (direction, self.focused_item()) {
                (TabForward | TabBackward, Some(item)) => {
                    let is_forward = direction == TabForward;
                    let is_inside = !item.is_focus();
                    let is_next_inside = (is_forward || is_inside)
                        && item.first_child().is_some_and(|row| row.child_focus(direction));
                    is_next_inside || !is_forward && is_inside && item.grab_focus()
                }
                (TabForward | TabBackward, None) => {
                    self.lowest_item().is_some_and(|item| item.grab_focus())
                }
                _ => self.parent_focus(direction),
            }
        }
    }

    impl BinImpl for SelectionArea {}

    #[gtk::template_callbacks]
    impl SelectionArea {
        fn selection(&self) -> Option<MessageSelection> {
            self.list_view.upgrade()?.model().and_downcast()
        }

        fn set_list_view(&self, list_view: Option<gtk::ListView>) {
            self.list_view.set(list_view.as_ref());
            let Some(list_view) = list_view else { return };
            list_view.connect_model_notify(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| {
                    if let Some(selection) = imp.selection() {
                        selection.connect_n_selected_notify(clone!(
                            #[weak]
                            imp,
                            move |_| imp.count()
                        ));
                    }
                    imp.count();
                }
            ));
        }

        /// Takes in how many messages are selected. Where there are any, no text is.
        fn count(&self) {
            let n_selected = self.selection().map_or(0, |selection| selection.n_selected());
            let before = self.n_selected.replace(n_selected);
            if before == 0 && 0 < n_selected {
                let items = self.list_view.upgrade().and_then(|it| it.first_child());
                std::iter::successors(items, WidgetExt::next_sibling)
                    .filter_map(|item| row_of(&item))
                    .for_each(|row| row.text_block().unselect());
            }
            if before != n_selected {
                self.obj().notify_n_selected();
            }
        }

        /// Returns true while whole messages are selected.
        fn has_selection(&self) -> bool {
            0 < self.n_selected.get()
        }

        /// Returns the item of the list that has the keyboard, or a part that has it.
        pub(super) fn focused_item(&self) -> Option<gtk::Widget> {
            self.list_view.upgrade()?.focus_child()
        }

        /// A stretch that begins with Shift at the keyboard begins at the message with the focus.
        #[template_callback]
        fn on_key_pressed(&self, key: gdk::Key, _: u32, modifiers: gdk::ModifierType) -> bool {
            let has_selection = self.has_selection();
            if key == gdk::Key::Escape && has_selection {
                self.clear();
                return true;
            }
            let shift = gdk::ModifierType::SHIFT_MASK;
            if modifiers.contains(shift) && is_stretch_key(key) && !has_selection {
                self.begin();
            }
            false
        }

        #[template_callback]
        fn on_pressed(&self, _n_press: i32, x: f64, y: f64, click: &gtk::GestureClick) {
            let Some(item) = self.item_at(x, y) else { return };
            let event = click.last_event(click.current_sequence().as_ref());
            if event.is_some_and(|event| event.triggers_context_menu()) {
                click.set_state(gtk::EventSequenceState::Claimed);
                self.open_menu_at(&item, x, y);
                return;
            }
            if click.current_button() != gdk::BUTTON_PRIMARY {
                return;
            }
            let modifiers = click.current_event_state();
            let modify = modifiers.contains(gdk::ModifierType::CONTROL_MASK);
            let extend = modifiers.contains(gdk::ModifierType::SHIFT_MASK);
            if !modify && !extend {
                // A finger may be about to scroll.
                if !is_touch(click) {
                    self.clear();
                }
            } else if extend || self.link_at(&item, x, y).is_none() {
                click.set_state(gtk::EventSequenceState::Claimed);
                if extend && !self.has_selection() {
                    self.begin();
                }
                item.grab_focus();
                select(&item, modify, extend);
            }
        }

        #[template_callback]
        fn on_drag_begin(&self, x: f64, y: f64, drag: &gtk::GestureDrag) {
            let item = self.item_at(x, y).filter(|_| !is_touch(drag));
            self.dragged_from.set(item.as_ref());
        }

        /// Text is selected until the mouse comes to another message, and from then on messages.
        #[template_callback]
        fn on_drag_update(&self, dx: f64, dy: f64, drag: &gtk::GestureDrag) {
            let start = self.dragged_from.upgrade().zip(drag.start_point());
            let Some((from, (x, y))) = start else { return };
            let Some(item) = self.item_at(x + dx, y + dy) else { return };
            if self.has_selection() || item != from {
                drag.set_state(gtk::EventSequenceState::Claimed);
                if !self.has_selection() {
                    from.grab_focus();
                    self.begin();
                }
                select(&item, false, true);
            }
        }

        #[template_callback]
        fn on_long_pressed(&self, x: f64, y: f64, press: &gtk::GestureLongPress) {
            if let Some(item) = self.item_at(x, y) {
                press.set_state(gtk::EventSequenceState::Claimed);
                self.open_menu_at(&item, x, y);
            }
        }

        /// Lets a stretch begin at the message that has the focus. From GTK 4.12 on, the
        /// keyboard goes no further from one that is not selected than to select it.
        fn begin(&self) {
            if let Some(item) = self.focused_item() {
                select(&item, true, false);
            }
        }

        fn clear(&self) {
            if let Some(selection) = self.selection() {
                selection.unselect_all();
            }
        }

        /// Copies the messages that are selected, or what is selected of one, or all of it.
        fn copy(&self) {
            let selected = self.selection().map(|it| it.messages()).unwrap_or_default();
            let text = if selected.is_empty() {
                let row = self.focused_item().as_ref().and_then(row_of);
                row.and_then(|row| {
                    let excerpt = row.text_block().selected();
                    let message = row.message()?;
                    Some(if excerpt.is_empty() { message.text().to_string() } else { excerpt })
                })
            } else {
                Some(transcript(&selected))
            };
            if let Some(text) = text {
                self.obj().clipboard().set_text(&text);
            }
        }

        /// Selects the message on which the menu was opened, or no longer.
        fn toggle(&self) {
            let Some(list_view) = self.list_view.upgrade() else { return };
            let message = self.asked_about.take();
            if let Some(at) = message.and_then(|it| scroll_anchor::position_of(&list_view, &it)) {
                let how = (at, true, false).to_variant();
                // It fails only without a list.
                let _ = list_view.activate_action("list.select-item", Some(&how));
            }
        }

        fn open_menu_by_key(&self) {
            let Some(item) = self.focused_item() else { return };
            let Some(text) = row_of(&item).map(|row| row.text_block()) else { return };
            // A long one may be in view in part.
            let area = self.obj().compute_bounds(&*self.obj());
            let bounds = area.zip(text.compute_bounds(&*self.obj()));
            if let Some(bounds) = bounds.and_then(|(area, text)| area.intersection(&text)) {
                let place = menu::below(&bounds);
                self.open_menu(&item, text.focused_link(), text.first_code(), &place);
            }
        }

        fn open_menu_at(&self, item: &gtk::Widget, x: f64, y: f64) {
            let code = row_of(item).and_then(|row| row.text_block().code_at(&*self.obj(), x, y));
            let link = self.link_at(item, x, y);
            self.open_menu(item, link, code, &menu::at(x, y));
        }

        fn open_menu(
            &self,
            item: &gtk::Widget,
            link: Option<String>,
            code: Option<String>,
            place: &gdk::Rectangle,
        ) {
            let Some(row) = row_of(item) else { return };
            let Some(message) = row.message() else { return };
            let room = self.obj().room();
            let changes = room.as_ref().map(|room| room.changes(&message)).unwrap_or_default();
            let selection = self.selection().filter(|it| it.contains(&message));
            self.asked_about.replace(Some(message.clone()));
            let subject = Subject {
                message,
                excerpt: row.text_block().selected(),
                link,
                code,
                n_selected: selection.map_or(0, |it| it.messages().len()),
                can_moderate: room.is_some_and(|room| room.can_moderate()),
                changes,
            };
            self.focus_before.set(self.focus_widget().as_ref());
            let mut menu = self.menu.borrow_mut();
            let menu = menu.get_or_insert_with(|| self.make_menu());
            context_menu::open(menu, &subject, place);
            self.set_has_menu(true);
        }

        fn make_menu(&self) -> gtk::PopoverMenu {
            let menu = menu::popover(&*self.obj());
            menu.connect_closed(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| imp.on_menu_closed()
            ));
            menu
        }

        /// GTK gives the keyboard to whatever takes it here, unless an action has given it away.
        fn on_menu_closed(&self) {
            self.set_has_menu(false);
            let before = self.focus_before.upgrade();
            let is_here = |focus: gtk::Widget| focus.is_ancestor(&*self.obj());
            if let Some(before) = before.filter(|_| self.focus_widget().is_none_or(is_here)) {
                before.grab_focus();
            }
        }

        /// Rows under an open menu would go on to explain themselves, above it.
        fn set_has_menu(&self, has_menu: bool) {
            if let Some(list_view) = self.list_view.upgrade() {
                list_view.set_can_target(!has_menu);
            }
            if self.has_menu.replace(has_menu) != has_menu {
                self.obj().notify_has_menu();
            }
        }

        fn focus_widget(&self) -> Option<gtk::Widget> {
            self.obj().root().and_then(|root| RootExt::focus(&root))
        }
    }
}

glib::wrapper! {
    /// The part of a conversation that is read, with its list somewhere inside.
    pub struct SelectionArea(ObjectSubclass<imp::SelectionArea>)
        @extends adw::Bin, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}
