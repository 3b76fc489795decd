//! The servers of a chat: where the next line may be made, and in which order that is tried.
//!
//! An address is *given* by a person or a link, or *told* by a server that was known for the right one. A
//! shell that knows of several asks for the [route](Client::route) at each [`Event::Connect`], tries it in
//! its order, and says at which address it was [in vain](Client::missed) and at which there
//! [is](Client::reached) a line. A shell that knows one address of its own needs none of this.
//!
//! [`Event::Connect`]: super::Event::Connect

use serde::{Deserialize, Deserializer, Serialize};

use super::{Client, backoff::Chance};
use crate::{
    link::{ADDRESSES_MAX, Address},
    message::AddressList,
};

/// An address at which the next line may be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Destination {
    /// The address.
    pub address: Address,
    /// It was told by a server, and by nobody else. Nothing may be said there but over TLS, and to the
    /// certificate by which the chat is known already.
    pub is_told: bool,
}

/// The addresses that are saved.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub(super) struct AddressBook {
    /// Those that were given, the best one first.
    #[serde(deserialize_with = "addresses")]
    given: Vec<Address>,
    /// Those that were told last, by a server that was found under the given ones.
    #[serde(deserialize_with = "addresses")]
    told: Vec<Address>,
}

impl AddressBook {
    pub(super) fn given(&self) -> &[Address] {
        &self.given
    }

    pub(super) fn is_empty(&self) -> bool {
        self.given.is_empty() && self.told.is_empty()
    }

    fn all(&self) -> impl Iterator<Item = &Address> {
        let others = self.told.iter().filter(|address| !self.given.contains(address));
        self.given.iter().chain(others)
    }
}

/// Reads addresses; those that are none are left out.
fn addresses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Address>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    Ok(texts.iter().take(ADDRESSES_MAX).filter_map(|text| text.parse().ok()).collect())
}

/// The outcome of attempts at servers, as far as it decides where to try next.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    /// The address of the line, or of the last one; `None` before the first.
    current: Option<Address>,
    /// The server there has said that it stops.
    is_stopping: bool,
    /// The addresses at which there was a line.
    met: Vec<Address>,
    /// The addresses that were tried in vain, or whose line was not steady, in this round.
    spent: Vec<Address>,
}

impl Attempts {
    /// Begins another round: all addresses are worth trying.
    pub(super) fn begin_round(&mut self) {
        self.spent.clear();
    }

    /// Takes in that the server says that it stops.
    pub(super) fn stop(&mut self) {
        self.is_stopping = true;
    }

    /// Takes in that the line ended before it was steady.
    pub(super) fn spend_current(&mut self) {
        self.spent.extend(self.current.clone());
    }

    /// Returns true if there is likely to be a server at this address: it was told, or there was a line.
    fn is_known(&self, address: &Address, told: &[Address]) -> bool {
        told.contains(address) || self.met.contains(address)
    }

    /// Returns how late an address is to be tried.
    fn rank(&self, address: &Address, book: &AddressBook) -> u8 {
        if self.spent.contains(address) {
            return 3;
        }
        if self.current.as_ref() == Some(address) {
            let is_left = self.is_stopping && self.known_others(book).next().is_some();
            return if is_left { 3 } else { 1 };
        }
        if self.is_known(address, &book.told) { 0 } else { 2 }
    }

    /// Returns the other addresses than that of the last line at which there is likely to be a server; none
    /// for a shell that does not say where its lines are.
    fn known_others<'a>(&'a self, book: &'a AddressBook) -> impl Iterator<Item = &'a Address> {
        let is_other = move |address: &Address| {
            let current = self.current.as_ref();
            current.is_some_and(|it| it != address) && self.is_known(address, &book.told)
        };
        book.all().filter(move |address| is_other(address))
    }
}

impl Client {
    /// Sets the addresses of the chat as a person or a link gives them, the best one first. If others were
    /// given before, what servers told then counts for nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use pychat_wire::{Client, Link, UserName, client::Saved};
    ///
    /// let link: Link = "pychat://a.example,b.example/".parse()?;
    /// let client = Client::new(UserName::new("bot")?, Saved::default(), [7; 32]);
    /// let mut client = client.at(link.addresses.clone());
    /// let route = client.route();
    /// assert!(route.iter().map(|it| &it.address).eq(&link.addresses));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn at(mut self, mut given: Vec<Address>) -> Self {
        given.truncate(ADDRESSES_MAX);
        if self.saved.servers.given != given {
            self.saved.servers = AddressBook { given, told: Vec::new() };
            self.has_changed = true;
        }
        self
    }

    /// Returns the addresses that were given.
    pub fn given(&self) -> &[Address] {
        &self.saved.servers.given
    }

    /// Returns the addresses that a server told last.
    pub fn told(&self) -> &[Address] {
        &self.saved.servers.told
    }

    /// Forgets what servers told: the certificate by which they were known is trusted no more.
    pub fn forget_told(&mut self) {
        self.has_changed |= !self.saved.servers.told.is_empty();
        self.saved.servers.told.clear();
    }

    /// Returns the addresses at which to make the next line, in the order in which to try them; all that
    /// are known, each once.
    ///
    /// Before the first line those that were given come first, as they were. After that others come
    /// first that were told or at which there was a line, in random order; then the one whose line
    /// has ended, unless it stops and there are such others; then the rest of those that were given, which
    /// may be addresses of one server; and what was tried in vain last.
    pub fn route(&mut self) -> Vec<Destination> {
        let Self { saved, attempts, chance, .. } = self;
        let book = &saved.servers;
        let mut all: Vec<_> = book.all().cloned().collect();
        if attempts.current.is_some() {
            shuffle(&mut all, chance);
            all.sort_by_key(|address| attempts.rank(address, book));
        } else {
            shuffle(&mut all[book.given.len()..], chance);
        }
        let destination = |address| {
            let is_told = !book.given.contains(&address);
            Destination { address, is_told }
        };
        all.into_iter().map(destination).collect()
    }

    /// Takes in that no line could be made at this address of the route.
    pub fn missed(&mut self, address: &Address) {
        if !self.attempts.spent.contains(address) {
            self.attempts.spent.push(address.clone());
        }
    }

    /// Takes in that the line which is told [next](Self::connected) is made at this address of the route.
    pub fn reached(&mut self, address: &Address) {
        let Self { saved, attempts, .. } = self;
        // Addresses that are known no more need no room.
        for list in [&mut attempts.met, &mut attempts.spent] {
            list.retain(|it| saved.servers.all().any(|known| known == it) && it != address);
        }
        attempts.met.push(address.clone());
        attempts.current = Some(address.clone());
        attempts.is_stopping = false;
    }

    /// Takes in which servers the chat has, as a server says on this line: it counts if that is encrypted,
    /// as a line is only with the right server.
    pub(super) fn on_servers_told(&mut self, told: &AddressList) {
        if !self.line.is_encrypted() {
            return;
        }
        let book = &mut self.saved.servers;
        let is_here = book.given.iter().any(Address::is_of_one_machine);
        let is_of_use = |address: &&Address| is_here || !address.is_of_one_machine();
        let told: Vec<_> = told.0.iter().filter(is_of_use).cloned().collect();
        if book.told != told {
            book.told = told;
            self.has_changed = true;
        }
    }

    /// Returns true if there is likely to be another server than that of the last line, which was not tried
    /// since then in vain.
    pub(super) fn has_other_server(&self) -> bool {
        let mut others = self.attempts.known_others(&self.saved.servers);
        others.any(|address| !self.attempts.spent.contains(address))
    }

    /// Returns true if there are likely to be several servers.
    pub(super) fn has_several_servers(&self) -> bool {
        self.attempts.known_others(&self.saved.servers).next().is_some()
    }
}

/// Puts `list` in random order (Fisher and Yates).
fn shuffle<T>(list: &mut [T], chance: &mut Chance) {
    for end in (1..list.len()).rev() {
        let bound = u64::try_from(end + 1).unwrap_or(u64::MAX);
        let index = usize::try_from(chance.below(bound)).unwrap_or_default();
        list.swap(index, end);
    }
}
