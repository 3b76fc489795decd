//! Invites, as operators on the machine ask for them.

use pychat_wire::{Link, key::InviteId, message::Door};

use super::{
    super::{Chat, Effect},
    Asker, Done, answer,
};
use crate::core::{
    moderation::{Change, ListedInvite, Reply},
    record::{Invite, InviteTerms},
};

impl Chat {
    /// Makes an invite for so many uses and milliseconds, where one is needed; it is told once the store
    /// has it.
    pub(super) fn order_invite(
        &mut self,
        asker: Asker,
        by: &str,
        (uses, for_ms): (Option<u64>, Option<u64>),
        effects: &mut Vec<Effect>,
    ) {
        if self.door() == Door::Open {
            let (uses, until_ms) = (None, None);
            return answer(
                asker,
                Reply::Invited { link: Link::default(), uses, until_ms },
                effects,
            );
        }
        let utc_ms = self.wall_clock.utc_ms;
        let expires_ms = for_ms.map(|for_ms| utc_ms.saturating_add(for_ms));
        let terms = InviteTerms { uses: uses.map(|uses| uses.max(1)), expires_ms };
        if let Some(new) = self.people.invite(terms, None, utc_ms) {
            self.add_invite(Some(asker), by, new, effects);
        } else {
            let text = "There are too many invites. Revoke some.".to_owned();
            answer(asker, Reply::Failed { text }, effects);
        }
    }

    pub(super) fn listed_invites(&self) -> Reply {
        let good = self.people.invites().good(self.wall_clock.utc_ms);
        Reply::Invites { invites: good.map(listed).collect() }
    }

    pub(super) fn revoke_invite(&mut self, invite: InviteId) -> Result<Done, String> {
        if !self.people.invites_mut().revoke(invite) {
            return Err(format!("There is no invite {invite}."));
        }
        let changes = vec![Change::RevokeInvite(invite)];
        Ok(Done { subject: invite.to_string(), changes, ..Done::default() })
    }
}

fn listed(invite: &Invite) -> ListedInvite {
    ListedInvite {
        invite: invite.id(),
        uses: invite.terms.uses,
        until_ms: invite.terms.expires_ms,
        by: invite.by.as_deref().map(ToOwned::to_owned),
    }
}
