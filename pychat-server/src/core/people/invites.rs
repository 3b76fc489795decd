//! Invites: codes by which new people are let in. Only hashes are kept.
//!
//! A use is taken when a newcomer's name is reserved, and given back if the store cannot keep that:
//! in the store the two are one change. So whoever has taken a use owns a name, and needs no other.

use pychat_wire::{
    UserName,
    key::{InviteCode, InviteId},
    message,
};
use sha2::{Digest, Sha256};

use super::People;
use crate::core::record::{Invite, InviteTerms, PersonId};

/// The most invites at a time.
pub const INVITES_MAX: usize = message::INVITES_MAX;

/// The invites, in the order in which they were made.
#[derive(Debug, Default)]
pub struct Invites {
    all: Vec<Known>,
    /// In a store that servers share, those that are revoked here, which it has not answered.
    revoked: Option<Vec<Known>>,
}

/// An invite that was made.
#[derive(Debug)]
pub struct NewInvite {
    /// Its code, which nobody can be told again.
    pub code: InviteCode,
    /// The invite.
    pub invite: Invite,
    /// The one that was forgotten for it.
    pub forgotten: Option<InviteId>,
}

#[derive(Debug)]
struct Known {
    invite: Invite,
    /// The uses that were taken and are neither kept nor given back.
    n_pending: usize,
    /// The uses among these that were taken on other servers first, so will be given back.
    n_lost: u64,
}

impl Invites {
    /// Returns the invites that let somebody in at `utc_ms`.
    pub fn good(&self, utc_ms: u64) -> impl Iterator<Item = &Invite> {
        let invites = self.all();
        invites.filter(move |invite| invite.terms.are_met(utc_ms))
    }

    /// Returns true if this is the code of an invite that lets somebody in at `utc_ms`.
    pub fn is_good(&self, code: InviteCode, utc_ms: u64) -> bool {
        self.find(code, utc_ms).is_some()
    }

    /// Takes a use of the invite that has this code, if it lets somebody in at `utc_ms`. The use is to
    /// be [kept](Self::keep_use) or [given back](Self::give_back).
    pub fn take_use(&mut self, code: InviteCode, utc_ms: u64) -> Option<InviteId> {
        let id = self.find(code, utc_ms)?.id();
        let known = self.get_mut(id)?;
        known.n_pending += 1;
        known.invite.terms.uses = known.invite.terms.uses.map(|uses| uses - 1);
        Some(id)
    }

    /// A use that was taken is so for good.
    pub fn keep_use(&mut self, id: InviteId) {
        let Some(known) = self.get_mut(id) else { return };
        known.n_pending -= 1;
        if known.is_used_up() {
            self.remove(id);
        }
    }

    /// A use that was taken can be taken again.
    pub fn give_back(&mut self, id: InviteId) {
        let Some(known) = self.get_mut(id) else { return };
        known.n_pending -= 1;
        match known.n_lost.checked_sub(1) {
            Some(left) => known.n_lost = left,
            None => known.invite.terms.uses = known.invite.terms.uses.map(|uses| uses + 1),
        }
        if known.is_used_up() {
            self.remove(id);
        }
    }

    /// A use was taken for good on another server.
    pub fn use_elsewhere(&mut self, id: InviteId) {
        let Some(known) = self.get_mut(id) else { return };
        match known.invite.terms.uses {
            None => (),
            Some(0) => known.n_lost += 1,
            Some(uses) => known.invite.terms.uses = Some(uses - 1),
        }
        if known.is_used_up() {
            self.remove(id);
        }
    }

    /// Revokes an invite; returns false if there is none.
    pub fn revoke(&mut self, id: InviteId) -> bool {
        let is_it = |known: &Known| known.invite.id() == id;
        let Some(place) = self.all.iter().position(is_it) else { return false };
        let known = self.all.remove(place);
        if let Some(revoked) = &mut self.revoked {
            revoked.push(known);
        }
        true
    }

    /// Takes in whether the store has kept that an invite was revoked.
    pub fn revoke_answered(&mut self, id: InviteId, is_kept: bool) {
        let Some(revoked) = &mut self.revoked else { return };
        let these: Vec<_> = revoked.extract_if(.., |known| known.invite.id() == id).collect();
        if !is_kept {
            self.all.extend(these);
        }
    }

    /// Has it live with other servers, which may use and revoke invites first.
    pub(super) fn share(&mut self) {
        self.revoked = Some(Vec::new());
    }

    /// Adds an invite that was made on another server.
    pub(super) fn add(&mut self, invite: Invite) {
        self.all.push(invite.into());
    }

    /// Forgets an invite for good.
    pub fn remove(&mut self, id: InviteId) {
        let is_other = |known: &Known| known.invite.id() != id;
        self.all.retain(is_other);
        self.revoked.iter_mut().for_each(|revoked| revoked.retain(is_other));
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Invite> {
        self.all.iter().map(|known| &known.invite)
    }

    /// Returns the one whose end came first, of those whose end has come by `utc_ms`.
    fn first_over(&self, utc_ms: u64) -> Option<InviteId> {
        let invites = self.all();
        let over = invites.filter(|invite| invite.terms.are_over(utc_ms));
        over.min_by_key(|invite| invite.terms.expires_ms).map(Invite::id)
    }

    fn get_mut(&mut self, id: InviteId) -> Option<&mut Known> {
        let revoked = self.revoked.iter_mut().flatten();
        self.all.iter_mut().chain(revoked).find(|known| known.invite.id() == id)
    }

    /// The time that this takes tells about hashes, from which no code can be guessed.
    fn find(&self, code: InviteCode, utc_ms: u64) -> Option<&Invite> {
        let hash = hash(code);
        self.good(utc_ms).find(|invite| invite.hash == hash)
    }
}

impl Known {
    fn is_used_up(&self) -> bool {
        self.n_pending == 0 && self.invite.terms.uses == Some(0)
    }
}

impl From<Invite> for Known {
    fn from(invite: Invite) -> Self {
        Self { invite, n_pending: 0, n_lost: 0 }
    }
}

impl People {
    /// Adds the invites of the log.
    #[must_use]
    pub fn with_invites(mut self, known: Vec<Invite>) -> Self {
        self.policy.invites.all = known.into_iter().map(Into::into).collect();
        self
    }

    /// Returns the invites.
    pub fn invites(&self) -> &Invites {
        &self.policy.invites
    }

    /// Returns the invites, for one to be taken or revoked.
    pub fn invites_mut(&mut self) -> &mut Invites {
        &mut self.policy.invites
    }

    /// Makes an invite in the name of `by`; `None` if there are [`INVITES_MAX`] already that are good
    /// at `utc_ms`. Only where there is no room for it is another one forgotten, and that one alone
    /// whose end came first: a clock that was wrong for a while ends nothing for good.
    pub fn invite(
        &mut self,
        terms: InviteTerms,
        by: Option<&str>,
        utc_ms: u64,
    ) -> Option<NewInvite> {
        let invites = &mut self.policy.invites;
        let forgotten =
            if INVITES_MAX <= invites.all.len() { Some(invites.first_over(utc_ms)?) } else { None };
        if let Some(id) = forgotten {
            invites.revoke(id);
        }
        let code = InviteCode(self.codes.secret.bytes());
        let invite = Invite { hash: hash(code), terms, by: by.map(Into::into) };
        self.policy.invites.all.push(invite.clone().into());
        Some(NewInvite { code, invite, forgotten })
    }

    /// Forgets a name of a person's, which the store could not keep.
    pub fn disown(&mut self, person: PersonId, name: &UserName) {
        if let Some(number) = self.number_of(person, name) {
            self.forget(number);
        }
    }

    /// Returns true if nobody owns a name.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

fn hash(code: InviteCode) -> [u8; 32] {
    Sha256::digest(code.0).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::secret::Secret;

    const TERMS: InviteTerms = InviteTerms { uses: Some(2), expires_ms: Some(10) };

    fn people() -> People {
        People::new(Secret::new([7; 32]), [], PersonId(0))
    }

    #[test]
    fn a_code_is_good_until_it_is_used_up_over_or_revoked() {
        let mut people = people();
        let NewInvite { code, invite, .. } = people.invite(TERMS, Some("Анна"), 0).unwrap();
        let NewInvite { code: endless, invite: other, .. } =
            people.invite(InviteTerms { uses: None, expires_ms: None }, None, 0).unwrap();
        assert_ne!((code, invite.id()), (endless, other.id()));
        let invites = people.invites_mut();
        assert!(!invites.is_good(InviteCode([0; 16]), 0));
        assert_eq!((invites.is_good(code, 9), invites.is_good(code, 10)), (true, false));
        assert_eq!(
            (invites.take_use(code, 9), invites.take_use(code, 10)),
            (Some(invite.id()), None)
        );
        assert_eq!(
            (invites.take_use(code, 9), invites.take_use(code, 9)),
            (Some(invite.id()), None)
        );
        assert_eq!(invites.good(9).count(), 1, "what nobody can use is not shown");
        invites.keep_use(invite.id());
        invites.give_back(invite.id());
        assert!(invites.is_good(code, 9), "one of them was not kept");
        assert_eq!(invites.take_use(code, 9), Some(invite.id()));
        invites.keep_use(invite.id());
        assert!(!invites.revoke(invite.id()), "it is used up for good");
        for _ in 0..100 {
            assert_eq!(invites.take_use(endless, u64::MAX), Some(other.id()));
            invites.keep_use(other.id());
        }
        assert!(invites.revoke(other.id()) && !invites.revoke(other.id()));
        assert!(!invites.is_good(endless, 0));
    }

    #[test]
    fn there_are_no_more_than_so_many_and_the_one_that_is_over_for_longest_makes_room() {
        let mut people = people();
        let mut make = |expires_ms, utc_ms| {
            let terms = InviteTerms { uses: Some(2), expires_ms: Some(expires_ms) };
            people.invite(terms, None, utc_ms)
        };
        let first = make(10, 0).unwrap().invite.id();
        let new: Vec<_> = (1..INVITES_MAX).map(|_| make(12, 11).unwrap()).collect();
        assert!(new.iter().all(|new| new.forgotten.is_none()), "there is room for it");
        assert!(make(99, 9).is_none());
        let new = make(99, u64::MAX).unwrap(); // The clock is wrong for a while.
        assert_eq!(new.forgotten, Some(first));
        assert_eq!(people.invites().good(11).count(), INVITES_MAX);
    }

    #[test]
    fn invites_of_the_log_go_on() {
        let mut first = people();
        let NewInvite { code, invite, .. } = first.invite(TERMS, Some("Анна"), 0).unwrap();
        let second = people().with_invites(vec![invite.clone()]);
        assert!(second.invites().is_good(code, 0));
        assert_eq!(second.invites().good(0).collect::<Vec<_>>(), [&invite]);
        assert!(!format!("{second:?}").contains(&code.to_string()));
    }
}
