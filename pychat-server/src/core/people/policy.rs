//! The rules, the invites and the marks that operators have made; in a store that servers share also the
//! rules as the store has them, as long as changes of them are not answered.

use std::mem;

use super::{Invites, People, bots::Bots};
use crate::core::{
    moderation::{Change, Moderation, Rulebook},
    record::InviteTerms,
};

/// The decisions of operators.
#[derive(Debug, Default)]
pub(super) struct Policy {
    moderation: Moderation,
    /// The rules as the store has them, if those above may be others.
    kept: Option<Moderation>,
    is_shared: bool,
    pub(super) invites: Invites,
    pub(super) bots: Bots,
}

impl Policy {
    pub(super) fn share(&mut self) {
        self.is_shared = true;
        self.invites.share();
    }
}

impl People {
    /// Sets the rules that operators have made, as they were kept.
    #[must_use]
    pub fn under(mut self, rules: Rulebook) -> Self {
        self.policy.moderation = Moderation::new(rules);
        self
    }

    /// Returns the rules that operators have made.
    pub fn moderation(&self) -> &Moderation {
        &self.policy.moderation
    }

    /// Returns them to be changed.
    pub fn moderation_mut(&mut self) -> &mut Moderation {
        let Policy { moderation, kept, is_shared, .. } = &mut self.policy;
        if *is_shared {
            kept.get_or_insert_with(|| moderation.clone());
        }
        moderation
    }

    /// Takes in that the store has kept a change of the rules; of `open` ones that is not known yet.
    pub fn rules_kept(&mut self, change: &Change, open: usize) {
        if open == 0 {
            self.policy.kept = None;
        } else if let Some(kept) = &mut self.policy.kept {
            kept.apply(change);
        }
    }

    /// Takes in that the store has not kept some change of the rules: only these are to come.
    pub fn put_rules_back<'a>(&mut self, open: impl Iterator<Item = &'a Change>) {
        let Some(kept) = &self.policy.kept else { return };
        self.policy.moderation = kept.clone();
        open.for_each(|change| self.policy.moderation.apply(change));
    }

    /// Takes in changes of the rules or invites that another server made. Own ones of the rules that are
    /// not answered will not be kept.
    pub fn ruled_elsewhere(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::AddInvite(invite) => self.policy.invites.add(invite.clone()),
                Change::RevokeInvite(id) => self.policy.invites.remove(*id),
                Change::Impose(_) | Change::Lift(_) | Change::Slow(_) | Change::Door(_) => {
                    if let Some(kept) = mem::take(&mut self.policy.kept) {
                        self.policy.moderation = kept;
                    }
                    self.policy.moderation.apply(change);
                }
            }
        }
    }

    /// Returns the invites that are there, in the order of their names.
    pub fn all_invites(&self) -> Vec<([u8; 32], InviteTerms)> {
        let mut all: Vec<_> = self.policy.invites.all().map(|it| (it.hash, it.terms)).collect();
        all.sort_unstable_by_key(|(hash, _)| *hash);
        all
    }
}
