//! The steps of the attempts to connect: which were taken at which address, and which failed.

use adw::prelude::*;
use gtk::{gdk, glib, glib::clone};

use crate::{
    session::{
        attempt::Attempt,
        connection_report::{report, seconds, step_name},
        step::Step,
    },
    text::{
        i18n::{gettext, gettext_f},
        names,
    },
};

/// Shows `attempts` above the window of `parent`.
pub fn show(parent: &impl IsA<gtk::Widget>, attempts: &[Attempt]) {
    let title = gettext("Connection Details");
    let page = adw::PreferencesPage::new();
    for attempt in attempts {
        page.add(&group(attempt));
    }
    page.set_vexpand(true);
    let toasts = adw::ToastOverlay::new();
    toasts.set_child(Some(&page));
    let header = adw::HeaderBar::new();
    header.pack_start(&copy_button(report(attempts), &toasts));
    let content = gtk::Box::new(gtk::Orientation::Vertical, 0);
    content.append(&header);
    content.append(&toasts);
    let window = adw::Window::builder()
        .content(&content)
        .default_height(520)
        .default_width(360)
        .modal(true)
        .title(title)
        .build();
    window.set_transient_for(parent.root().and_downcast_ref::<gtk::Window>());
    close_by_escape(&window);
    window.present();
}

fn close_by_escape(window: &adw::Window) {
    let escape = gtk::KeyvalTrigger::new(gdk::Key::Escape, gdk::ModifierType::empty());
    let close = gtk::NamedAction::new("window.close");
    let keys = gtk::ShortcutController::new();
    keys.add_shortcut(gtk::Shortcut::new(Some(escape), Some(close)));
    window.add_controller(keys);
}

fn copy_button(report: String, toasts: &adw::ToastOverlay) -> gtk::Button {
    let label = gtk::Label::builder().label(gettext("_Copy")).use_underline(true).build();
    let button = gtk::Button::builder().child(&label).build();
    label.set_mnemonic_widget(Some(&button));
    button.connect_clicked(clone!(
        #[weak]
        toasts,
        move |button| {
            button.clipboard().set_text(&report);
            toasts.add_toast(adw::Toast::new(&gettext("Copied")));
        }
    ));
    button
}

/// Returns the steps at one address.
fn group(attempt: &Attempt) -> adw::PreferencesGroup {
    let address = names::left_to_right(&attempt.address.to_string());
    let group = adw::PreferencesGroup::builder().title(glib::markup_escape_text(&address)).build();
    if let Some(sentence) = attempt.sentence() {
        group.set_description(Some(&glib::markup_escape_text(&sentence)));
    }
    for (step, is_failed) in attempt.steps() {
        group.add(&row(attempt, step, is_failed));
    }
    group
}

fn row(attempt: &Attempt, step: Step, is_failed: bool) -> adw::ActionRow {
    let name = step_name(step);
    let row = adw::ActionRow::builder().title(&name).build();
    let (icon, class, label) = if is_failed {
        ("dialog-error-symbolic", "error", gettext_f("{step}: failed", &[("step", &name)]))
    } else {
        ("emblem-ok-symbolic", "success", gettext_f("{step}: succeeded", &[("step", &name)]))
    };
    row.add_prefix(&gtk::Image::builder().icon_name(icon).css_classes([class]).build());
    if is_failed {
        row.set_subtitle(&glib::markup_escape_text(&attempt.detail));
        let duration = gtk::Label::new(Some(&seconds(attempt.duration)));
        duration.set_css_classes(&["dim-label", "numeric"]);
        row.add_suffix(&duration);
    }
    row.reset_relation(gtk::AccessibleRelation::LabelledBy); // By its title alone.
    row.update_property(&[gtk::accessible::Property::Label(&label)]);
    row
}
