//! Everybody who is here, in the order in which they came.
//!
//! The server's list is taken over as a whole, again and again; a view hears only of what is
//! different, so that coming back to a room where nobody came or went changes nothing.

use gtk::{
    gio,
    gio::{prelude::*, subclass::prelude::*},
    glib,
};

use super::{
    Person,
    list_diff::{Change, list_diff},
};

/// The most stretches that change one by one; past that, one that covers them all costs a view
/// less.
const CHANGES_MAX: usize = 64;

mod imp {
    use std::cell::RefCell;

    use super::*;

    #[derive(Debug, Default)]
    pub struct People {
        pub(super) persons: RefCell<Vec<Person>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for People {
        const NAME: &'static str = "PychatPeople";
        type Type = super::People;
        type Interfaces = (gio::ListModel,);
    }

    impl ObjectImpl for People {}

    impl ListModelImpl for People {
        fn item_type(&self) -> glib::Type {
            Person::static_type()
        }

        fn n_items(&self) -> u32 {
            position(self.persons.borrow().len())
        }

        fn item(&self, position: u32) -> Option<glib::Object> {
            let index = usize::try_from(position).ok()?;
            self.persons.borrow().get(index).cloned().map(Cast::upcast)
        }
    }
}

glib::wrapper! {
    /// Everybody who is here, in join order.
    pub struct People(ObjectSubclass<imp::People>) @implements gio::ListModel;
}

impl Default for People {
    fn default() -> Self {
        glib::Object::new()
    }
}

impl People {
    /// Takes in that these are here, in join order, and who of them `is_bot`; the reader is the first of
    /// them called `own`.
    pub fn update(&self, names: &[String], own: &str, is_bot: impl Fn(&str) -> bool) {
        let own = names.iter().position(|name| name == own);
        let each = names.iter().map(String::as_str).enumerate();
        let new: Vec<_> = each.map(|(at, name)| (name, Some(at) == own, is_bot(name))).collect();
        let mut changes = {
            let persons = self.imp().persons.borrow();
            list_diff(&persons.iter().map(Person::key).collect::<Vec<_>>(), &new)
        };
        if CHANGES_MAX < changes.len()
            && let (Some(first), Some(last)) = (changes.first(), changes.last())
        {
            let (old, new) = (first.old.start..last.old.end, first.new.start..last.new.end);
            changes = vec![Change { old, new }];
        }
        // From the end, what is before a change is still where it was.
        for Change { old, new: range } in changes.into_iter().rev() {
            let added = new[range].iter();
            let added = added.map(|(name, is_self, is_bot)| Person::new(name, *is_self, *is_bot));
            let (at, n_removed, n_added) = (old.start, old.len(), added.len());
            self.imp().persons.borrow_mut().splice(old, added);
            self.items_changed(position(at), position(n_removed), position(n_added));
        }
    }

    /// Takes in who of them is a bot.
    pub fn mark_bots(&self, is_bot: impl Fn(&str) -> bool) {
        let (names, own) = {
            let persons = self.imp().persons.borrow();
            let own = persons.iter().find(|person| person.is_self()).map(Person::name);
            (persons.iter().map(Person::name).collect::<Vec<_>>(), own)
        };
        self.update(&names, &own.unwrap_or_default(), is_bot);
    }

    /// Returns the same people sorted by their names.
    pub fn sorted(&self) -> gtk::SortListModel {
        gtk::SortListModel::new(Some(self.clone()), Some(Person::sorter()))
    }

    /// Returns the person at `position`, counted from the one who came first.
    pub fn person(&self, position: u32) -> Option<Person> {
        self.item(position).and_downcast()
    }
}

/// A list model counts in 32 bits; no server can name that many people.
fn position(index: usize) -> u32 {
    u32::try_from(index).expect("the client bounds how many it lists")
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;

    /// The rows of a view that hears only of changes, and the changes it heard of.
    type View = Rc<RefCell<(Vec<String>, Vec<(u32, u32, u32)>)>>;

    fn viewed() -> (People, View) {
        let people = People::default();
        let view = View::default();
        people.connect_items_changed({
            let view = view.clone();
            move |people, at, removed, added| {
                let (rows, changes) = &mut *view.borrow_mut();
                rows.splice(at as usize..(at + removed) as usize, shown(people, at..at + added));
                changes.push((at, removed, added));
            }
        });
        (people, view)
    }

    /// Returns who is there; the reader is marked.
    fn shown(people: &People, positions: std::ops::Range<u32>) -> Vec<String> {
        let persons = positions.map(|at| people.person(at).expect("there is somebody"));
        persons
            .map(
                |person| {
                    if person.is_self() { format!("*{}", person.name()) } else { person.name() }
                },
            )
            .collect()
    }

    fn nobody(_: &str) -> bool {
        false
    }

    fn names(names: &str) -> Vec<String> {
        names.split_whitespace().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn a_view_hears_of_what_is_different_and_of_nothing_else() {
        let (people, view) = viewed();
        for (present, expected, changes) in [
            ("Борис Анна", "Борис *Анна", &[(0, 0, 2)][..]),
            ("Борис Анна", "Борис *Анна", &[]),
            ("Борис Анна Вера", "Борис *Анна Вера", &[(2, 0, 1)]),
            ("Анна Вера", "*Анна Вера", &[(0, 1, 0)]),
            ("Вера Анна", "Вера *Анна", &[(2, 0, 1), (0, 1, 0)]),
            ("Вера Анна Анна", "Вера *Анна Анна", &[(2, 0, 1)]),
            ("Вера Анна", "Вера *Анна", &[(2, 1, 0)]),
            ("", "", &[(0, 2, 0)]),
        ] {
            people.update(&names(present), "Анна", nobody);
            let (rows, heard) = &mut *view.borrow_mut();
            assert_eq!(*rows, names(expected));
            assert_eq!(*rows, shown(&people, 0..people.n_items()));
            assert_eq!(std::mem::take(heard), changes, "{present}");
        }
    }

    #[test]
    fn another_name_of_ones_own_marks_somebody_else() {
        let (people, view) = viewed();
        people.update(&names("Анна Борис"), "Анна", nobody);
        people.update(&names("Анна Борис"), "Борис", nobody);
        assert_eq!(view.borrow().0, ["Анна", "*Борис"]);
    }

    #[test]
    fn who_becomes_a_bot_is_another_person_to_views() {
        let (people, view) = viewed();
        people.update(&names("Анна Сборка Часы"), "Анна", |name| name == "Часы");
        let bots = || (0..3).filter(|at| people.person(*at).is_some_and(|it| it.is_bot()));
        assert_eq!(bots().collect::<Vec<_>>(), [2]);
        people.mark_bots(|name| name == "Сборка");
        assert_eq!(bots().collect::<Vec<_>>(), [1]);
        assert_eq!(view.borrow().0, ["*Анна", "Сборка", "Часы"]);
        people.mark_bots(|name| name == "Сборка");
        assert_eq!(view.borrow().1, [(0, 0, 3), (1, 2, 2)]);
    }

    #[test]
    fn many_changes_at_once_are_one() {
        let (people, view) = viewed();
        let all: Vec<_> = (0..1_000).map(|n| n.to_string()).collect();
        people.update(&all, "0", nobody);
        let odd: Vec<_> = all.iter().skip(1).step_by(2).cloned().collect();
        people.update(&odd, "1", nobody);
        assert_eq!(view.borrow().1, [(0, 0, 1_000), (0, 999, 499)]);
        assert_eq!(view.borrow().0, shown(&people, 0..people.n_items()));
    }
}
