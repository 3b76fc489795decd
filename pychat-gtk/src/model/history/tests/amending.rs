//! Messages that change after they were said, and answers to them.

use pychat_wire::{client::MessageState, message::Amendment};

use super::*;
use crate::model::Pending;

fn said(seq: u64, text: &str) -> Message {
    Message::new(MessageKind::Other, "Анна", text, 0).numbered(Some(seq))
}

fn own(seq: u64, text: &str) -> Message {
    Message::new(MessageKind::Own, "Борис", text, 0).numbered(Some(seq))
}

/// Runs a story on a main context of its own.
fn tell(story: impl FnOnce()) {
    glib::MainContext::new().with_thread_default(story).expect("the context is new");
}

fn edit(history: &History, seq: u64, text: &str) {
    history.amend(seq, MessageState::new(text.to_owned()), Rc::default());
}

#[test]
fn the_bytes_of_what_was_amended_are_counted_anew() {
    tell(|| {
        let history = History::default();
        (1..=3).for_each(|seq| history.push(said(seq, "abc")));
        edit(&history, 3, "a longer text"); // It is about to be shown.
        history.flush();
        edit(&history, 1, "");
        edit(&history, 9, "of nobody");
        let name = "Анна".len();
        assert_eq!(history.n_bytes(), 3 * name + "abc".len() + "a longer text".len());
        let deleted = MessageState { is_deleted: true, ..MessageState::default() };
        (1..=3).for_each(|seq| history.amend(seq, deleted.clone(), Rc::default()));
        assert_eq!(history.n_bytes(), 3 * name);
        history.clear();
        assert_eq!(history.n_bytes(), 0);
    });
}

#[test]
fn what_grows_makes_others_leave() {
    tell(|| {
        let history = History::default();
        (1..=3).for_each(|seq| history.push(said(seq, "abc")));
        history.flush();
        edit(&history, 2, &"x".repeat(20 << 20));
        assert!(history.by_seq(1).is_none() && history.by_seq(3).is_some());
    });
}

#[test]
fn a_change_on_its_way_is_shown_until_it_is_confirmed_or_refused() {
    tell(|| {
        let history = History::default();
        history.push(own(7, "helo"));
        history.flush();
        let message = history.by_seq(7).expect("it is there");
        let n_amended = Rc::new(std::cell::Cell::new(0));
        history.connect_amended({
            let n_amended = n_amended.clone();
            move |_, at| {
                assert_eq!(at, 0);
                n_amended.set(n_amended.get() + 1);
            }
        });
        let amendment = Amendment::Edit { target: 7, content: Some("hello".into()) };
        let author = "Борис".to_owned();
        let change = Pending { id: "a".to_owned(), amendment, author, since_ms: 5 };
        history.begin_change(&message, change);
        assert_eq!((&*message.text(), message.edited_ms()), ("hello", Some(5)));
        assert_eq!(&*message.state().content, "helo");
        history.end_change(&message, "another");
        assert_eq!(&*message.text(), "hello");
        history.end_change(&message, "a");
        assert_eq!((&*message.text(), message.edited_ms()), ("helo", None));
        history.set_hidden(&message, true);
        assert!(message.is_deleted() && message.text().is_empty());
        history.set_hidden(&message, false);
        assert_eq!(&*message.text(), "helo");
        assert_eq!(n_amended.get(), 4);
    });
}

#[test]
fn an_answer_quotes_what_comes_before_or_after_it() {
    tell(|| {
        let history = History::default();
        history.push(own(5, "tea?"));
        let answer = said(6, "yes").answering(Some(5));
        history.push(answer.clone());
        assert!(answer.answers_reader(), "though neither is shown");
        let late = said(7, "who?").answering(Some(2));
        history.push(late.clone());
        history.flush();
        assert_eq!((late.quoted(), late.calls_reader()), (None, false));
        history.prepend((1..=4).map(|seq| said(seq, "before")).collect());
        assert_eq!(late.quoted().and_then(|it| it.seq()), Some(2));
        history.clear();
        assert_eq!(late.quoted(), None, "nothing else holds it");
    });
}
