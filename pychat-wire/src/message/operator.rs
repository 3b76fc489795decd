//! The requests that operators make of a server, and the bans and mutes that they are told of.

use std::borrow::Cow;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IgnoredAny, SeqAccess, Visitor},
};

use super::{
    MessageError, TIME_MS_MAX, bounds, lossy,
    members::Members,
    parts::Door,
    {unknown, word},
};

/// The most bans, and the most mutes, that are listed; any beyond are left out.
pub const BANS_MAX: usize = 1_000;

/// A request that only an operator may make.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum OperatorRequest<'a> {
    /// Somebody may say nothing.
    Mute {
        /// Their name.
        username: Cow<'a, str>,
        /// The time for which, in milliseconds; until it is undone if `None`.
        #[serde(skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
    },
    /// Somebody may talk again.
    Unmute {
        /// Their name.
        username: Cow<'a, str>,
    },
    /// Somebody is sent away, and may come back.
    Kick {
        /// Their name.
        username: Cow<'a, str>,
    },
    /// Somebody may not come in.
    Ban {
        /// The person or network.
        #[serde(flatten)]
        whom: Whom<'a>,
        /// The time for which, in milliseconds; until it is undone if `None`.
        #[serde(skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
    },
    /// Somebody may come in again.
    Unban {
        /// The person or network.
        #[serde(flatten)]
        whom: Whom<'a>,
    },
    /// Each person may say one thing in so long.
    Slow {
        /// The time, in seconds; 0 is no limit.
        seconds: u64,
    },
    /// Others may come in than before.
    Door {
        /// Those who may.
        admission: Door,
    },
    /// The list of bans and mutes.
    Bans,
}

/// Somebody who is banned.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub enum Whom<'a> {
    /// A person, by name.
    #[serde(rename = "username")]
    Person(Cow<'a, str>),
    /// All who call from an address, or from a prefix of many.
    #[serde(rename = "address")]
    Network(Cow<'a, str>),
}

/// A ban or a mute.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Ban<'a> {
    /// The name or network.
    #[serde(borrow, deserialize_with = "lossy::deserialize")]
    pub subject: Cow<'a, str>,
    /// When it was made, in UTC milliseconds since 1970.
    pub since: u64,
    /// When it ends, in UTC milliseconds since 1970; not by itself if `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// The operator who made it.
    #[serde(borrow, deserialize_with = "lossy::deserialize")]
    pub by: Cow<'a, str>,
}

/// Bans or mutes. At most [`BANS_MAX`] are read.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct BanList<'a>(pub Vec<Ban<'a>>);

impl<'a> OperatorRequest<'a> {
    /// Reads the request of this `kind`.
    pub(super) fn parse(kind: &str, members: Members<'a>) -> Result<Self, MessageError> {
        let for_ms = members.for_ms.optional_number("for_ms");
        match kind {
            "mute" => {
                Ok(Self::Mute { username: members.username.required("username")?, for_ms: for_ms? })
            }
            "unmute" => Ok(Self::Unmute { username: members.username.required("username")? }),
            "kick" => Ok(Self::Kick { username: members.username.required("username")? }),
            "ban" => Ok(Self::Ban { whom: Whom::parse(members)?, for_ms: for_ms? }),
            "unban" => Ok(Self::Unban { whom: Whom::parse(members)? }),
            "slow" => Ok(Self::Slow { seconds: members.seconds.required_number("seconds")? }),
            "door" => {
                let admission = word(members.admission);
                let admission =
                    admission.ok_or(MessageError::NotAString { member: "admission" })?;
                Ok(Self::Door { admission })
            }
            "bans" => Ok(Self::Bans),
            kind => Err(unknown(kind)),
        }
    }

    /// Returns the type of its payload.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::message::OperatorRequest;
    ///
    /// assert_eq!(OperatorRequest::Slow { seconds: 5 }.kind(), "slow");
    /// ```
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Mute { .. } => "mute",
            Self::Unmute { .. } => "unmute",
            Self::Kick { .. } => "kick",
            Self::Ban { .. } => "ban",
            Self::Unban { .. } => "unban",
            Self::Slow { .. } => "slow",
            Self::Door { .. } => "door",
            Self::Bans => "bans",
        }
    }
}

impl<'a> Whom<'a> {
    fn parse(members: Members<'a>) -> Result<Self, MessageError> {
        if members.username.is_missing() {
            members.address.required("address").map(Self::Network)
        } else {
            members.username.required("username").map(Self::Person)
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for BanList<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(BanListVisitor)
    }
}

struct BanListVisitor;

impl<'de> Visitor<'de> for BanListVisitor {
    type Value = BanList<'de>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a list of bans")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut bans: A) -> Result<Self::Value, A::Error> {
        let mut list = BanList::default();
        while list.0.len() < BANS_MAX
            && let Some(Ban { subject, since, until, by }) = bans.next_element()?
        {
            let (subject, by) = (bounds::label(subject), bounds::label(by));
            let (since, until) =
                (since.min(TIME_MS_MAX), until.map(|until| until.min(TIME_MS_MAX)));
            list.0.push(Ban { subject, since, until, by });
        }
        while bans.next_element::<IgnoredAny>()?.is_some() {}
        Ok(list)
    }
}
