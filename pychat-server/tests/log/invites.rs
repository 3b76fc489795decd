//! Invites, and the uses that were taken of them.

use pychat_server::{
    core::{
        moderation::{AuditEntry, Change},
        record::{
            Invite, InviteTerms, OwnedName, Person, PersonChange, PersonId, Request, StorageError,
        },
    },
    store::{Retention, Store},
};

use super::shelf::{Shelf, carry_out};

/// Returns an invite that is told from others by a number.
fn invite(number: u8, uses: Option<u64>, expires_ms: Option<u64>) -> Invite {
    let by = (number != 1).then(|| "Анна".into());
    Invite { hash: [number; 32], terms: InviteTerms { uses, expires_ms }, by }
}

/// Something that an operator does at `time_ms`.
fn order(time_ms: u64, change: Change) -> Request {
    let word = || "x".to_owned();
    let entry =
        AuditEntry { time_ms, who: word(), verb: word(), subject: word(), detail: String::new() };
    Request::Moderate { changes: vec![change], entry, by: None }
}

fn admit(id: u64, invite: &Invite) -> Request {
    let name = OwnedName { name: format!("guest {id}"), used_ms: 5, is_regular: false };
    let (names, devices) = (vec![name], Vec::new());
    let person = Person { id: PersonId(id), is_operator: false, is_bot: false, names, devices };
    Request::Admit { person, invite: invite.id() }
}

fn people(store: &mut dyn Store) -> Vec<u64> {
    store.people().unwrap().0.into_iter().map(|person| person.id.0).collect()
}

#[test]
fn invites_are_there_when_the_log_is_opened_again() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    let (endless, short, two) =
        (invite(1, None, None), invite(2, None, Some(9)), invite(3, Some(2), Some(20)));
    let add = [&endless, &short, &two].map(|it| order(5, Change::AddInvite(it.clone())));
    carry_out(&mut log, 5, add).unwrap();
    drop(log);
    let mut log = shelf.open();
    assert_eq!(log.invites().unwrap(), [endless.clone(), short.clone(), two.clone()]);

    carry_out(&mut log, 5, [admit(1, &two), admit(2, &endless)]).unwrap();
    let one = invite(3, Some(1), Some(20));
    assert_eq!(log.invites().unwrap(), [endless.clone(), short.clone(), one.clone()]);
    let late_ms = u64::MAX; // By a clock that is wrong for a while.
    let add = order(late_ms, Change::AddInvite(invite(4, None, None)));
    carry_out(&mut log, late_ms, [add]).unwrap();
    let kept = [endless.clone(), short.clone(), one, invite(4, None, None)];
    assert_eq!(log.invites().unwrap(), kept, "what is over is kept");
    let revoke = order(9, Change::RevokeInvite(endless.id()));
    carry_out(&mut log, 9, [admit(3, &two), revoke]).unwrap();
    drop(log);
    let mut log = shelf.open();
    let kept = [short, invite(4, None, None)];
    assert_eq!(log.invites().unwrap(), kept, "the last use takes it all");
    assert_eq!(people(&mut log), [1, 2, 3]);
}

#[test]
fn a_newcomer_and_the_use_are_kept_together_or_not_at_all() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    let two = invite(3, Some(2), None);
    carry_out(&mut log, 5, [order(5, Change::AddInvite(two.clone()))]).unwrap();
    for fault in ["INSERT ON names", "UPDATE ON invites"] {
        shelf.tamper(&format!(
            "CREATE TRIGGER fault BEFORE {fault} BEGIN SELECT raise(ABORT, 'as a test wants it'); END"
        ));
        let error = carry_out(&mut log, 5, [admit(1, &two)]).unwrap_err();
        assert_eq!(error, StorageError::Other("as a test wants it".into()), "{fault}");
        assert_eq!(log.invites().unwrap(), std::slice::from_ref(&two), "{fault}");
        assert_eq!(people(&mut log), [0_u64; 0], "{fault}");
        shelf.tamper("DROP TRIGGER fault");
    }
    carry_out(&mut log, 5, [admit(1, &two)]).unwrap();
    assert_eq!(log.invites().unwrap()[0].terms.uses, Some(1));
    assert_eq!(people(&mut log), [1]);
}

#[test]
fn what_takes_something_away_is_kept_though_the_disk_be_nearly_full() {
    let shelf = Shelf::new();
    let mut log = shelf.open();
    let one = invite(3, Some(1), None);
    let person = |is_operator| Person {
        id: PersonId(1),
        is_operator,
        is_bot: false,
        names: vec![OwnedName { name: "Анна".to_owned(), used_ms: 5, is_regular: true }],
        devices: Vec::new(),
    };
    let save = |is_operator| Request::ChangePerson(PersonChange::Save(person(is_operator)));
    carry_out(&mut log, 5, [order(5, Change::AddInvite(one.clone())), save(true)]).unwrap();
    log.set_retention(Retention { disk_reserve_bytes: u64::MAX, ..Retention::default() });
    assert_eq!(carry_out(&mut log, 5, [admit(2, &one)]), Err(StorageError::Reserve));
    carry_out(&mut log, 5, [order(5, Change::RevokeInvite(one.id())), save(false)]).unwrap();
    drop(log);
    let mut log = shelf.open();
    assert_eq!(log.invites().unwrap(), []);
    assert_eq!(log.people().unwrap().0, [person(false)]);
}
