//! Where an emoji is chosen to react with: a few at hand, and all others behind a button.

use std::{
    cell::{OnceCell, RefCell},
    rc::Rc,
};

use gtk::{gdk, glib, glib::clone, prelude::*};

use crate::text::{self, i18n::gettext};

/// The emoji at hand, each with what it is called.
fn at_hand() -> [(&'static str, String); 6] {
    [
        ("👍", gettext("Thumbs Up")),
        ("❤️", gettext("Heart")),
        ("😂", gettext("Tears of Joy")),
        ("🎉", gettext("Party Popper")),
        ("😮", gettext("Surprise")),
        ("😢", gettext("Tear")),
    ]
}

/// Called with what was chosen; `None` if the choice was given up.
type OnChosen = Box<dyn Fn(Option<&str>)>;

/// Lets one emoji be chosen.
#[derive(Default)]
pub struct ReactionPicker(Rc<Parts>);

#[derive(Default)]
struct Parts {
    /// The popovers, made when they are needed first: the chooser has thousands of buttons.
    popover: OnceCell<(gtk::Popover, Vec<(gtk::ToggleButton, &'static str)>)>,
    chooser: OnceCell<gtk::EmojiChooser>,
    on_chosen: RefCell<Option<OnChosen>>,
}

impl std::fmt::Debug for ReactionPicker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ReactionPicker").finish_non_exhaustive()
    }
}

impl ReactionPicker {
    /// Opens it at `place` in `parent`, which has to let it go in the end. `own` is pressed. Calls `f` once
    /// one is chosen, or none.
    pub fn open(
        &self,
        parent: &impl IsA<gtk::Widget>,
        place: &gdk::Rectangle,
        own: Option<&str>,
        f: impl Fn(Option<&str>) + 'static,
    ) {
        let parts = &self.0;
        parts.on_chosen.replace(Some(Box::new(f)));
        let (popover, buttons) = parts.popover.get_or_init(|| parts.popover(parent.upcast_ref()));
        for (button, emoji) in buttons {
            button.set_active(own == Some(*emoji));
        }
        popover.set_pointing_to(Some(place));
        popover.popup();
    }

    /// Takes the popovers from their parent, which cannot go with them.
    pub fn unparent(&self) {
        if let Some((popover, _)) = self.0.popover.get() {
            popover.unparent();
        }
        if let Some(chooser) = self.0.chooser.get() {
            chooser.unparent();
        }
    }
}

impl Parts {
    fn popover(
        self: &Rc<Self>,
        parent: &gtk::Widget,
    ) -> (gtk::Popover, Vec<(gtk::ToggleButton, &'static str)>) {
        let row = gtk::Box::new(gtk::Orientation::Horizontal, 0);
        let popover = gtk::Popover::builder().child(&row).build();
        popover.update_property(&[gtk::accessible::Property::Label(&gettext("React"))]);
        popover.set_parent(parent);
        let buttons = at_hand().map(|(emoji, name)| {
            // With a label of its own a button of GTK 4.10 and later is called by that.
            let label = gtk::Label::new(Some(emoji));
            let button = gtk::ToggleButton::builder().child(&label).tooltip_text(&name).build();
            button.set_css_classes(&["flat", "circular", "reaction-choice"]);
            button.update_property(&[gtk::accessible::Property::Label(&name)]);
            let weak = Rc::downgrade(self);
            button.connect_clicked(move |_| {
                if let Some(parts) = weak.upgrade() {
                    parts.choose(Some(emoji));
                }
            });
            row.append(&button);
            (button, emoji)
        });
        let name = gettext("More Emoji");
        let more = gtk::Button::builder().icon_name("view-more-horizontal-symbolic").build();
        more.set_tooltip_text(Some(&name));
        more.set_css_classes(&["flat", "circular"]);
        more.update_property(&[gtk::accessible::Property::Label(&name)]);
        let weak = Rc::downgrade(self);
        more.connect_clicked(clone!(
            #[weak]
            popover,
            move |_| {
                if let Some(parts) = weak.upgrade() {
                    parts.choose_more(&popover);
                }
            }
        ));
        row.append(&more);
        let weak = Rc::downgrade(self);
        popover.connect_closed(move |_| {
            if let Some(parts) = weak.upgrade() {
                parts.give_up_later();
            }
        });
        (popover, buttons.into())
    }

    fn choose_more(self: &Rc<Self>, popover: &gtk::Popover) {
        let (Some(parent), (_, place)) = (popover.parent(), popover.pointing_to()) else { return };
        let chooser = self.chooser.get_or_init(|| {
            let chooser = gtk::EmojiChooser::new();
            chooser.set_parent(&parent);
            let weak = Rc::downgrade(self);
            chooser.connect_emoji_picked(move |_, emoji| {
                if let Some(parts) = weak.upgrade() {
                    parts.choose(Some(&text::plain_emoji(emoji)));
                }
            });
            let weak = Rc::downgrade(self);
            chooser.connect_closed(move |_| {
                if let Some(parts) = weak.upgrade() {
                    parts.give_up_later();
                }
            });
            chooser
        });
        let on_chosen = self.on_chosen.take();
        popover.popdown();
        self.on_chosen.replace(on_chosen);
        chooser.set_pointing_to(Some(&place));
        chooser.popup();
    }

    fn choose(&self, emoji: Option<&str>) {
        let on_chosen = self.on_chosen.take();
        if let Some((popover, _)) = self.popover.get() {
            popover.popdown();
        }
        if let Some(on_chosen) = on_chosen {
            on_chosen(emoji);
        }
    }

    /// Nothing was chosen, unless that follows: a popover closes before it tells.
    fn give_up_later(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        glib::idle_add_local_once(move || {
            let Some(parts) = weak.upgrade() else { return };
            let is_open =
                |popover: Option<&gtk::Popover>| popover.is_some_and(WidgetExt::is_visible);
            let is_any_open = is_open(parts.popover.get().map(|(popover, _)| popover))
                || is_open(parts.chooser.get().map(Cast::upcast_ref));
            if !is_any_open {
                parts.choose(None);
            }
        });
    }
}
