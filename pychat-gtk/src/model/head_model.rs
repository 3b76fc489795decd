//! The part of a long list that is on show: its beginning, and all of it once there is time.
//!
//! A list box makes and measures a row for each item, however few can be seen. So at first it is
//! given as many as fill what can be seen, and the others follow, a few at a time.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use gtk::{
    gio,
    gio::{prelude::*, subclass::prelude::*},
    glib,
    glib::clone,
};

/// The number of items that are shown at once.
const FIRST_ITEMS: u32 = 30;

/// The time until others follow, the number that follow at once, and the time between two such steps.
const CALM_TIME: Duration = Duration::from_millis(300);
const STEP_ITEMS: u32 = 10;
const STEP_INTERVAL: Duration = Duration::from_millis(20);

mod imp {
    use super::*;

    #[derive(Debug)]
    pub struct HeadModel {
        /// All items.
        pub(super) list: RefCell<Option<gio::ListModel>>,
        /// The number of items, as far as views were told.
        pub(super) len: Cell<u32>,
        /// The most items that are shown now.
        pub(super) most: Cell<u32>,
        /// Shows the others.
        pub(super) growth: RefCell<Option<glib::JoinHandle<()>>>,
    }

    impl Default for HeadModel {
        fn default() -> Self {
            Self {
                list: RefCell::default(),
                len: Cell::default(),
                most: Cell::new(FIRST_ITEMS),
                growth: RefCell::default(),
            }
        }
    }

    #[glib::object_subclass]
    impl ObjectSubclass for HeadModel {
        const NAME: &'static str = "PychatHeadModel";
        type Type = super::HeadModel;
        type Interfaces = (gio::ListModel,);
    }

    impl ObjectImpl for HeadModel {
        fn dispose(&self) {
            if let Some(growth) = self.growth.take() {
                growth.abort();
            }
        }
    }

    impl ListModelImpl for HeadModel {
        fn item_type(&self) -> glib::Type {
            self.list.borrow().as_ref().map_or(glib::Object::static_type(), ListModelExt::item_type)
        }

        fn n_items(&self) -> u32 {
            self.len.get()
        }

        fn item(&self, position: u32) -> Option<glib::Object> {
            let list = self.list.borrow().clone().filter(|_| position < self.len.get());
            list?.item(position)
        }
    }
}

glib::wrapper! {
    /// The part of a list that is on show.
    pub struct HeadModel(ObjectSubclass<imp::HeadModel>) @implements gio::ListModel;
}

impl HeadModel {
    /// Makes one that shows the beginning of `list`.
    pub fn new(list: &impl IsA<gio::ListModel>) -> Self {
        let head: Self = glib::Object::new();
        head.imp().list.replace(Some(list.clone().upcast()));
        list.connect_items_changed(clone!(
            #[weak]
            head,
            move |_, at, n_removed, n_added| head.on_changed(at, n_removed, n_added)
        ));
        head.fit();
        head
    }

    /// The list has other items at a place than before.
    fn on_changed(&self, at: u32, n_removed: u32, n_added: u32) {
        let imp = self.imp();
        let (len, most) = (imp.len.get(), imp.most.get());
        if at < len {
            // What does not fit in would push out all that follows.
            let (n_removed, n_added) = if most <= at.saturating_add(n_added) {
                (len - at, most - at)
            } else {
                (n_removed.min(len - at), n_added)
            };
            imp.len.set(len - n_removed + n_added);
            self.items_changed(at, n_removed, n_added);
        }
        self.fit();
    }

    /// Shows as many as there are, but not too many.
    fn fit(&self) {
        let imp = self.imp();
        let n_items = imp.list.borrow().as_ref().map_or(0, ListModelExt::n_items);
        if n_items <= FIRST_ITEMS {
            imp.most.set(FIRST_ITEMS); // Whatever comes next, there is a page again.
        }
        let (len, wanted) = (imp.len.get(), n_items.min(imp.most.get()));
        imp.len.set(wanted);
        if len != wanted {
            let at = len.min(wanted);
            self.items_changed(at, len - at, wanted - at);
        }
        if wanted < n_items {
            self.grow_later();
        }
    }

    /// Shows more, step by step, until all are shown.
    fn grow_later(&self) {
        let mut growth = self.imp().growth.borrow_mut();
        if growth.is_some() {
            return;
        }
        let weak = self.downgrade();
        let task = async move {
            glib::timeout_future(CALM_TIME).await;
            while weak.upgrade().is_some_and(|head| head.grow()) {
                glib::timeout_future(STEP_INTERVAL).await;
            }
        };
        *growth = Some(glib::spawn_future_local(task));
    }

    /// Shows a few more; returns false if that is all.
    fn grow(&self) -> bool {
        let imp = self.imp();
        imp.most.set(imp.most.get() + STEP_ITEMS);
        self.fit();
        let n_items = imp.list.borrow().as_ref().map_or(0, ListModelExt::n_items);
        let is_more = imp.len.get() < n_items;
        if !is_more {
            imp.growth.take();
        }
        is_more
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;

    /// Runs a story on a main context of its own.
    fn tell(story: impl FnOnce()) {
        glib::MainContext::new().with_thread_default(story).expect("it is new");
    }

    /// Returns `n` items that differ.
    fn items(n: u32) -> Vec<glib::Object> {
        (0..n).map(|_| gio::ListStore::new::<glib::Object>().upcast()).collect()
    }

    /// A view of a list that believes what it is told.
    #[derive(Default)]
    struct View {
        items: RefCell<Vec<glib::Object>>,
        /// The number of items that it was ever told of.
        n_told: Cell<u32>,
    }

    fn view(head: &HeadModel) -> Rc<View> {
        let view = Rc::new(View::default());
        let change = {
            let view = view.clone();
            move |head: &HeadModel, at: u32, n_removed: u32, n_added: u32| {
                let new = (at..at + n_added).map(|at| head.item(at).expect("it is there"));
                view.items.borrow_mut().splice(at as usize..(at + n_removed) as usize, new);
                view.n_told.set(view.n_told.get() + n_added);
                assert_eq!(view.items.borrow().len(), head.n_items() as usize);
            }
        };
        change(head, 0, 0, head.n_items());
        head.connect_items_changed(change);
        view
    }

    fn assert_head(view: &View, store: &gio::ListStore, n: u32) {
        let expected: Vec<_> = store.iter::<glib::Object>().flatten().take(n as usize).collect();
        assert_eq!(*view.items.borrow(), expected);
    }

    #[test]
    fn of_a_long_list_the_beginning_is_shown_at_first_and_all_in_the_end() {
        tell(|| {
            let store = gio::ListStore::new::<glib::Object>();
            let head = HeadModel::new(&store);
            let view = view(&head);
            store.splice(0, 0, &items(200));
            assert_head(&view, &store, FIRST_ITEMS);
            assert_eq!(view.n_told.get(), FIRST_ITEMS);
            while head.grow() {}
            assert_head(&view, &store, 200);
            assert_eq!(view.n_told.get(), 200);
            store.remove_all();
            store.splice(0, 0, &items(100));
            assert_head(&view, &store, FIRST_ITEMS);
        });
    }

    #[test]
    fn an_item_that_moves_changes_no_other() {
        tell(|| {
            let store = gio::ListStore::new::<glib::Object>();
            store.splice(0, 0, &items(FIRST_ITEMS + 20));
            let head = HeadModel::new(&store);
            let view = view(&head);
            for (from, to, n_more) in
                [(20, 2, 2), (FIRST_ITEMS + 10, 0, 1), (3, FIRST_ITEMS + 5, 1)]
            {
                let n_before = view.n_told.get();
                let item = store.item(from).expect("it is there");
                store.remove(from);
                store.insert(to, &item);
                assert_head(&view, &store, FIRST_ITEMS);
                assert_eq!(view.n_told.get() - n_before, n_more, "from {from} to {to}");
            }
        });
    }

    #[test]
    fn whatever_changes_the_beginning_is_shown() {
        tell(|| {
            let store = gio::ListStore::new::<glib::Object>();
            let head = HeadModel::new(&store);
            let view = view(&head);
            let mut state = 7_u32;
            let mut any = |below: u32| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) % below
            };
            for _ in 0..2_000 {
                let at = any(store.n_items() + 1);
                let n_removed = any(store.n_items() - at + 1);
                store.splice(at, n_removed, &items(any(60)));
                if any(3) == 0 {
                    head.grow();
                }
                let most = head.imp().most.get();
                assert_head(&view, &store, most);
            }
        });
    }
}
