//! Moderation, for operators: the rules for all, and who is muted or banned, each to be undone.

use std::cell::{Cell, RefCell};

use adw::{prelude::*, subclass::prelude::*};
use gtk::{glib, glib::clone};
use pychat_wire::message::{Ban, Door, OperatorRequest};

use crate::{
    session::{
        Room, Session, error_text,
        moderation::{Deed, Rules, whom},
    },
    text::{
        i18n::{gettext, gettext_f, ngettext_f},
        names::isolated,
        times,
    },
};

/// The times that slow mode may have, in seconds.
const SLOW_SECONDS: [u64; 5] = [0, 5, 30, 60, 300];

/// The most bans, and the most mutes, that are listed, the newest ones; a longer list takes long to show.
const LISTED_MAX: usize = 200;

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate, glib::Properties)]
    #[template(resource = "/io/github/pychat/Pychat/ui/moderation_window.ui")]
    #[properties(wrapper_type = super::ModerationWindow)]
    pub struct ModerationWindow {
        #[template_child]
        page: TemplateChild<adw::PreferencesPage>,
        #[template_child]
        slow_row: TemplateChild<adw::ComboRow>,
        #[template_child]
        admission_row: TemplateChild<adw::ComboRow>,
        #[template_child]
        mutes: TemplateChild<adw::PreferencesGroup>,
        #[template_child]
        bans: TemplateChild<adw::PreferencesGroup>,
        /// The session on whose server it is.
        #[property(get, construct_only)]
        session: RefCell<Option<Session>>,
        /// The times among which one can choose, in seconds.
        slow_choices: RefCell<Vec<u64>>,
        rows: RefCell<Vec<(adw::PreferencesGroup, adw::ActionRow)>>,
        /// True while what is selected is what the server told, and nobody's wish.
        is_showing: Cell<bool>,
        /// Follow the session and its room, which outlive the window.
        signals: RefCell<Vec<glib::SignalGroup>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for ModerationWindow {
        const NAME: &'static str = "PychatModerationWindow";
        type Type = super::ModerationWindow;
        type ParentType = adw::PreferencesWindow;

        fn class_init(klass: &mut Self::Class) {
            klass.bind_template();
            klass.bind_template_callbacks();
        }

        fn instance_init(obj: &glib::subclass::InitializingObject<Self>) {
            obj.init_template();
        }
    }

    #[glib::derived_properties]
    impl ObjectImpl for ModerationWindow {
        fn constructed(&self) {
            self.parent_constructed();
            let Some(session) = self.obj().session() else { return };
            self.page.set_sensitive(false); // Until it is known what there is.
            self.signals.replace(vec![self.session_signals(&session), self.room_signals(&session)]);
            session.request_rules();
        }
    }

    impl WidgetImpl for ModerationWindow {}

    impl WindowImpl for ModerationWindow {}

    impl AdwWindowImpl for ModerationWindow {}

    impl PreferencesWindowImpl for ModerationWindow {}

    #[gtk::template_callbacks]
    impl ModerationWindow {
        fn session_signals(&self, session: &Session) -> glib::SignalGroup {
            let signals = glib::SignalGroup::new::<Session>();
            signals.connect_closure(
                "rules-changed",
                false,
                glib::closure_local!(
                    #[weak(rename_to = imp)]
                    self,
                    move |_: &Session| imp.show()
                ),
            );
            signals.connect_closure(
                "rules-outdated",
                false,
                glib::closure_local!(move |session: &Session| session.request_rules()),
            );
            signals.connect_closure(
                "moderated",
                false,
                glib::closure_local!(
                    #[weak(rename_to = imp)]
                    self,
                    move |_: &Session, deed: &Deed| imp.tell(&deed.sentence())
                ),
            );
            signals.connect_closure(
                "moderation-failed",
                false,
                glib::closure_local!(
                    #[weak(rename_to = imp)]
                    self,
                    move |_: &Session, reason: &str| {
                        imp.show(); // What was chosen does not hold.
                        imp.tell(reason);
                    }
                ),
            );
            signals.set_target(Some(session));
            signals
        }

        /// Without a connection, nothing can be changed; what is shown may be out of date afterwards.
        fn room_signals(&self, session: &Session) -> glib::SignalGroup {
            let signals = glib::SignalGroup::new::<Room>();
            signals.connect_notify_local(
                Some("can-moderate"),
                clone!(
                    #[weak(rename_to = imp)]
                    self,
                    move |_, _| {
                        imp.page.set_sensitive(false);
                        if let Some(session) = imp.obj().session() {
                            session.request_rules();
                        }
                    }
                ),
            );
            signals.set_target(Some(&session.room()));
            signals
        }

        fn show(&self) {
            let Some(session) = self.obj().session() else { return };
            let Some(rules) = session.rules() else { return };
            self.is_showing.set(true);
            self.show_slow(rules.slow_seconds);
            self.admission_row.set_selected(match rules.admission {
                Door::Open => 0,
                Door::Invite => 1,
            });
            self.is_showing.set(false);
            self.show_lists(&rules);
            self.page.set_sensitive(session.room().can_moderate());
        }

        /// Offers the usual times, and the one that is set if it is another.
        fn show_slow(&self, slow_seconds: u64) {
            let mut choices = SLOW_SECONDS.to_vec();
            if !choices.contains(&slow_seconds) {
                choices.push(slow_seconds);
            }
            let at = choices.iter().position(|seconds| *seconds == slow_seconds);
            if *self.slow_choices.borrow() != choices {
                let titles: Vec<_> = choices.iter().map(|seconds| slow_title(*seconds)).collect();
                let titles: Vec<_> = titles.iter().map(String::as_str).collect();
                self.slow_choices.replace(choices);
                self.slow_row.set_model(Some(&gtk::StringList::new(&titles)));
            }
            self.slow_row.set_selected(at.and_then(|at| u32::try_from(at).ok()).unwrap_or(0));
        }

        fn show_lists(&self, rules: &Rules) {
            let had_focus = [&self.mutes, &self.bans].iter().any(|it| it.focus_child().is_some());
            for (group, row) in self.rows.take() {
                group.remove(&row);
            }
            self.list(&self.mutes, &rules.mutes, &gettext("Nobody is muted"), |mute, name| {
                let username = mute.subject.to_string().into();
                let label = gettext_f("Unmute {name}", &[("name", name)]);
                (OperatorRequest::Unmute { username }, label)
            });
            self.list(&self.bans, &rules.bans, &gettext("Nobody is banned"), |ban, name| {
                let label = gettext_f("Unban {name}", &[("name", name)]);
                (OperatorRequest::Unban { whom: whom(&ban.subject) }, label)
            });
            if had_focus {
                self.slow_row.grab_focus(); // What had it is gone.
            }
        }

        /// Lists bans or mutes in a group, the newest first; `undo` returns what undoes one, and what
        /// its button is called.
        fn list(
            &self,
            group: &adw::PreferencesGroup,
            sanctions: &[Ban<'_>],
            nobody: &str,
            undo: impl Fn(&Ban<'_>, &str) -> (OperatorRequest<'static>, String),
        ) {
            for sanction in sanctions.iter().rev().take(LISTED_MAX) {
                let (request, label) = undo(sanction, &isolated(&sanction.subject));
                let row = adw::ActionRow::builder()
                    .subtitle(glib::markup_escape_text(&terms(sanction)))
                    .title(glib::markup_escape_text(&isolated(&sanction.subject)))
                    .title_lines(1)
                    .build();
                row.add_suffix(&self.undo_button(request, &label));
                self.add(group, row);
            }
            let n_left_out = sanctions.len().saturating_sub(LISTED_MAX);
            if n_left_out != 0 {
                let title = ngettext_f(
                    "{count} older one is not shown",
                    "{count} older ones are not shown",
                    n_left_out,
                    &[],
                );
                self.add(group, dim_row(&title));
            } else if sanctions.is_empty() {
                self.add(group, dim_row(nobody));
            }
        }

        fn add(&self, group: &adw::PreferencesGroup, row: adw::ActionRow) {
            group.add(&row);
            self.rows.borrow_mut().push((group.clone(), row));
        }

        fn undo_button(&self, request: OperatorRequest<'static>, label: &str) -> gtk::Button {
            let button = gtk::Button::builder()
                .css_classes(["flat"])
                .label(gettext("Undo"))
                .valign(gtk::Align::Center)
                .build();
            // GTK 4.18 would rather read out what it shows.
            button.reset_relation(gtk::AccessibleRelation::LabelledBy);
            button.update_property(&[gtk::accessible::Property::Label(label)]);
            button.connect_clicked(clone!(
                #[weak(rename_to = imp)]
                self,
                move |_| imp.moderate(request.clone())
            ));
            button
        }

        #[template_callback]
        fn on_slow_selected(&self) {
            let at = usize::try_from(self.slow_row.selected()).unwrap_or(usize::MAX);
            let seconds = self.slow_choices.borrow().get(at).copied();
            if let Some(seconds) = seconds.filter(|_| !self.is_showing.get()) {
                self.moderate(OperatorRequest::Slow { seconds });
            }
        }

        #[template_callback]
        fn on_admission_selected(&self) {
            if !self.is_showing.get() && self.slow_row.model().is_some() {
                let admission =
                    if self.admission_row.selected() == 0 { Door::Open } else { Door::Invite };
                self.moderate(OperatorRequest::Door { admission });
            }
        }

        fn moderate(&self, request: OperatorRequest<'static>) {
            if self.obj().session().is_none_or(|session| !session.moderate(request)) {
                self.tell(&error_text::not_connected());
            }
        }

        fn tell(&self, text: &str) {
            self.obj().add_toast(adw::Toast::new(&glib::markup_escape_text(text)));
        }
    }

    fn dim_row(title: &str) -> adw::ActionRow {
        adw::ActionRow::builder().css_classes(["dim-label"]).title(title).build()
    }
}

glib::wrapper! {
    /// The window in which operators see the rules of a chat, and can change them.
    pub struct ModerationWindow(ObjectSubclass<imp::ModerationWindow>)
        @extends adw::PreferencesWindow, adw::Window, gtk::Window, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget, gtk::Native, gtk::Root,
            gtk::ShortcutManager;
}

impl ModerationWindow {
    /// Makes a window above `parent` for the chat of `session`.
    pub fn new(parent: &impl IsA<gtk::Window>, session: &Session) -> Self {
        glib::Object::builder()
            .property("transient-for", parent)
            .property("session", session)
            .build()
    }
}

/// Returns what a slow mode of so many seconds is called.
fn slow_title(seconds: u64) -> String {
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    match seconds {
        // Translators: there is no slow mode.
        0 => gettext("Off"),
        seconds if seconds.is_multiple_of(60) => {
            ngettext_f("{count} minute", "{count} minutes", count(seconds / 60), &[])
        }
        seconds => ngettext_f("{count} second", "{count} seconds", count(seconds), &[]),
    }
}

/// Returns who made a ban or a mute, when, and when it ends.
fn terms(sanction: &Ban<'_>) -> String {
    let now_ms = glib::real_time() / 1_000;
    let moment = |ms| times::moment(i64::try_from(ms).unwrap_or(i64::MAX), now_ms);
    let (by, since) = (isolated(&sanction.by), moment(sanction.since));
    let values = [("operator", by.as_str()), ("since", since.as_str())];
    match sanction.until.map(moment) {
        Some(until) => {
            let values = [&values[..], &[("until", until.as_str())]].concat();
            // Translators: {since} and {until} are times, perhaps with dates.
            gettext_f("By {operator}, {since}. Ends: {until}.", &values)
        }
        // Translators: {since} is a time, perhaps with a date.
        None => gettext_f("By {operator}, {since}. Until undone.", &values),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_mode_is_told_in_minutes_where_that_is_whole() {
        for (seconds, expected) in [
            (0, "Off"),
            (1, "1 second"),
            (30, "30 seconds"),
            (45, "45 seconds"),
            (60, "1 minute"),
            (90, "90 seconds"),
            (300, "5 minutes"),
        ] {
            assert_eq!(slow_title(seconds), expected);
        }
    }

    #[test]
    fn a_ban_tells_its_end_if_it_has_one() {
        let ban =
            |until| Ban { subject: "Борис".into(), since: 1, until, by: "Анна".into() };
        assert!(terms(&ban(None)).ends_with(". Until undone."));
        assert!(terms(&ban(Some(u64::MAX))).contains(". Ends: "));
    }
}
