//! The rules by which messages are amended, for every store.

use std::{collections::BTreeSet, sync::Arc};

use pychat_wire::message::{EMOJI_MAX, REACTIONS_MAX, Reactions};
use serde::{Deserialize, Serialize};

use super::record::{AmendError, Amending, Draft, Entry, Kind, PersonId};

/// The time for which an operator can bring back what an operator removed, in milliseconds: a week.
pub const RESTORABLE_MS: u64 = 7 * 86_400_000;

/// A message that is to be amended.
#[derive(Clone, Copy, Debug)]
pub struct Amendable<'a> {
    /// Its author, if the author had proved to be that person.
    pub person: Option<PersonId>,
    /// Its words may be there.
    pub words: Words,
    /// The reactions to it as JSON, if there are any.
    pub reactions: Option<&'a str>,
}

/// The words of a message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Words {
    /// They are there.
    #[default]
    Kept,
    /// Its author deleted it, or an operator did too long ago.
    Erased,
    /// An operator removed it, and they can be brought back.
    Removed,
}

/// A change of a message that is granted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Granted {
    /// It has these words from now on.
    Edit(Arc<str>),
    /// Its words are forgotten, and its reactions.
    Erase,
    /// Its words are put aside; its reactions, and that it was edited, are forgotten.
    Remove,
    /// It has these reactions as JSON.
    React(Option<String>),
    /// It has the words again that were put aside.
    Restore,
}

/// One reaction to a message: the person, the emoji, and the name of the person.
#[derive(Debug, Deserialize, Serialize)]
struct Reaction(u64, String, String);

/// Returns the change of a message that somebody wants, if they may make it; `may_moderate` is true if
/// they may remove the messages of others, and bring them back. Who is no person may do nothing else.
///
/// # Errors
///
/// [`AmendError`] if they may not.
pub fn grant(
    message: &Amendable<'_>,
    (person, name): (Option<PersonId>, &str),
    amending: &Amending<Arc<str>>,
    may_moderate: bool,
) -> Result<Granted, AmendError> {
    let is_theirs = person.is_some() && message.person == person;
    match (amending, message.words) {
        (Amending::Restore(_), Words::Removed) if may_moderate => Ok(Granted::Restore),
        (Amending::Restore(_), _) => Err(AmendError::NothingToRestore),
        (Amending::Delete, Words::Kept | Words::Removed) if is_theirs => Ok(Granted::Erase),
        (_, Words::Erased | Words::Removed) => Err(AmendError::NoMessage),
        (Amending::React(emoji), Words::Kept) => {
            let person = person.ok_or(AmendError::NotTheirs)?;
            react(message.reactions, person, name, emoji.as_deref()).map(Granted::React)
        }
        (Amending::Edit(text), Words::Kept) if is_theirs => {
            Ok(Granted::Edit(text.clone().unwrap_or_default()))
        }
        (Amending::Delete, Words::Kept) if may_moderate => Ok(Granted::Remove),
        (Amending::Edit(_) | Amending::Delete, Words::Kept) => Err(AmendError::NotTheirs),
    }
}

/// Returns true if a record, as it is now, is what became of a draft in the same room. The words that a
/// message had at first are not known any more once it was amended, nor are those of an edit once there is
/// another: `newest_edit` tells the number of a message's last one.
///
/// # Errors
///
/// Those of `newest_edit`.
pub fn is_same<E>(
    record: &Entry<'_>,
    draft: &Draft,
    newest_edit: impl FnOnce(u64) -> Result<Option<u64>, E>,
) -> Result<bool, E> {
    let (kind, state) = (draft.kind.as_deref(), record.state);
    let is_amended = state.is_deleted || state.edited_ms.is_some();
    let is_same = match (record.kind, kind) {
        (Kind::Text(_), Kind::Text(_)) if is_amended => true,
        (Kind::Amendment { target, amending: Amending::Edit(Some(_)) }, _)
            if kind.amends_like(&record.kind) =>
        {
            newest_edit(target)? != Some(record.seq) || record.kind == kind
        }
        (Kind::Amendment { amending: Amending::React(_), .. }, _) => record.kind == kind,
        (Kind::Amendment { .. }, _) => kind.amends_like(&record.kind),
        (of_then, kind) => of_then == kind,
    };
    Ok(is_same && record.reply == draft.reply)
}

/// Returns the reactions to a message after one more, as JSON: a list of lists of a person, an emoji and
/// the name of the person, those of one emoji in a row; `None` if there are none. A person has one
/// reaction at most, the newest, which comes last among those with its emoji.
fn react(
    json: Option<&str>,
    PersonId(person): PersonId,
    name: &str,
    emoji: Option<&str>,
) -> Result<Option<String>, AmendError> {
    let mut reactions = parse(json);
    reactions.retain(|Reaction(other, ..)| *other != person);
    if let Some(emoji) = emoji {
        let others: BTreeSet<_> = reactions.iter().map(|Reaction(_, other, _)| other).collect();
        let is_new = others.iter().all(|other| *other != emoji);
        if REACTIONS_MAX <= reactions.len() || (is_new && EMOJI_MAX <= others.len()) {
            return Err(AmendError::Full);
        }
        let last = reactions.iter().rposition(|Reaction(_, other, _)| other == emoji);
        let place = last.map_or(reactions.len(), |last| last + 1);
        reactions.insert(place, Reaction(person, emoji.to_owned(), name.to_owned()));
    }
    let json = serde_json::to_string(&reactions).unwrap_or_default(); // Numbers and strings only.
    Ok((!reactions.is_empty()).then_some(json))
}

/// Returns reactions, which are JSON as the store has it, as peers are told of them.
pub fn on_wire(json: Option<&str>) -> Reactions<'static> {
    let mut on_wire = Reactions::default();
    for Reaction(_, emoji, name) in parse(json) {
        match on_wire.0.iter_mut().find(|(other, _)| *other == emoji) {
            Some((_, names)) => names.push(name.into()),
            None => on_wire.0.push((emoji.into(), vec![name.into()])),
        }
    }
    on_wire
}

fn parse(json: Option<&str>) -> Vec<Reaction> {
    json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: PersonId = PersonId(1);
    const BORIS: PersonId = PersonId(2);

    fn message(words: Words) -> Amendable<'static> {
        Amendable { person: Some(ANNA), words, reactions: None }
    }

    #[test]
    fn who_may_change_a_message_and_how() {
        use AmendError::{NoMessage, NotTheirs, NothingToRestore};
        use Words::{Erased, Kept, Removed};

        let edit = Amending::Edit(Some(Arc::from("x")));
        let (delete, restore) = (Amending::Delete, Amending::Restore(None));
        for (words, person, amending, may_moderate, outcome) in [
            (Kept, ANNA, &edit, false, Ok(Granted::Edit("x".into()))),
            (Kept, BORIS, &edit, true, Err(NotTheirs)),
            (Kept, ANNA, &delete, true, Ok(Granted::Erase)),
            (Kept, BORIS, &delete, false, Err(NotTheirs)),
            (Kept, BORIS, &delete, true, Ok(Granted::Remove)),
            (Kept, BORIS, &restore, true, Err(NothingToRestore)),
            (Removed, ANNA, &delete, false, Ok(Granted::Erase)),
            (Removed, ANNA, &edit, false, Err(NoMessage)),
            (Removed, ANNA, &restore, false, Err(NothingToRestore)),
            (Removed, BORIS, &delete, true, Err(NoMessage)),
            (Removed, BORIS, &restore, true, Ok(Granted::Restore)),
            (Erased, ANNA, &delete, false, Err(NoMessage)),
            (Erased, BORIS, &restore, true, Err(NothingToRestore)),
        ] {
            let granted = grant(&message(words), (Some(person), "a"), amending, may_moderate);
            assert_eq!(granted, outcome, "{words:?} {person:?} {amending:?} {may_moderate}");
        }
        let nobodys = Amendable { person: None, ..message(Kept) };
        assert_eq!(grant(&nobodys, (Some(ANNA), "a"), &edit, false), Err(NotTheirs));
    }

    #[test]
    fn who_is_no_person_removes_and_restores_and_does_nothing_else() {
        use AmendError::{NoMessage, NotTheirs, NothingToRestore};
        use Words::{Erased, Kept, Removed};

        let edit = Amending::Edit(Some(Arc::from("x")));
        let react = |emoji: Option<&str>| Amending::React(emoji.map(Into::into));
        let (reaction, no_more) = (react(Some("👍")), react(None));
        let (delete, restore) = (Amending::Delete, Amending::Restore(None));
        for person in [Some(ANNA), None] {
            for (words, amending, outcome) in [
                (Kept, &edit, Err(NotTheirs)),
                (Kept, &reaction, Err(NotTheirs)),
                (Kept, &no_more, Err(NotTheirs)),
                (Kept, &delete, Ok(Granted::Remove)),
                (Kept, &restore, Err(NothingToRestore)),
                (Removed, &edit, Err(NoMessage)),
                (Removed, &reaction, Err(NoMessage)),
                (Removed, &delete, Err(NoMessage)),
                (Removed, &restore, Ok(Granted::Restore)),
                (Erased, &delete, Err(NoMessage)),
                (Erased, &restore, Err(NothingToRestore)),
            ] {
                let message = Amendable { person, ..message(words) };
                let granted = grant(&message, (None, "root"), amending, true);
                assert_eq!(granted, outcome, "{words:?} {person:?} {amending:?}");
                grant(&message, (None, "root"), amending, false).unwrap_err();
            }
        }
    }

    #[test]
    fn a_person_has_one_reaction() {
        let mut json = None;
        for (person, name, emoji) in
            [(ANNA, "a", "👍"), (BORIS, "b", "👍"), (ANNA, "a", "🎉"), (ANNA, "a", "👍")]
        {
            json = react(json.as_deref(), person, name, Some(emoji)).unwrap();
        }
        let both = Reactions(vec![("👍".into(), vec!["b".into(), "a".into()])]);
        assert_eq!(on_wire(json.as_deref()), both);
        json = react(json.as_deref(), BORIS, "b", None).unwrap();
        assert_eq!(on_wire(json.as_deref()), Reactions(vec![("👍".into(), vec!["a".into()])]));
        assert_eq!(react(json.as_deref(), ANNA, "a", None), Ok(None));
    }

    #[test]
    fn reactions_stand_in_the_order_in_which_whoever_hears_them_one_by_one_has_them() {
        let mut json = None;
        let reacts = [(1, "👍"), (2, "🎉"), (3, "👍"), (4, "🎉"), (1, "🎉"), (2, "🎉"), (5, "👍")];
        for (person, emoji) in reacts {
            let name = person.to_string();
            json = react(json.as_deref(), PersonId(person), &name, Some(emoji)).unwrap();
        }
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned().into()).collect();
        let expected = [("👍", names(&["3", "5"])), ("🎉", names(&["4", "1", "2"]))];
        let expected = expected.map(|(emoji, names): (&str, Vec<_>)| (emoji.into(), names));
        assert_eq!(on_wire(json.as_deref()), Reactions(expected.to_vec()));
    }

    #[test]
    fn reactions_are_bounded() {
        let mut json = None;
        for (number, emoji) in ('😀'..='😿').take(EMOJI_MAX).enumerate() {
            let (person, emoji) = (PersonId(number as u64), emoji.to_string());
            json = react(json.as_deref(), person, "a", Some(&emoji)).unwrap();
        }
        assert_eq!(react(json.as_deref(), PersonId(99), "b", Some("👍")), Err(AmendError::Full));
        for number in EMOJI_MAX as u64..REACTIONS_MAX as u64 {
            json = react(json.as_deref(), PersonId(number), "a", Some("😀")).unwrap();
        }
        let one_more = react(json.as_deref(), PersonId(9_999), "b", Some("😀"));
        assert_eq!(one_more, Err(AmendError::Full));
        react(json.as_deref(), PersonId(7), "b", Some("😀")).unwrap();
    }
}
