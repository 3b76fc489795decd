//! Where a connection stands, for a process to go on with it that did not begin it.

/// How much went through a connection since its peer connected, in bytes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Moved {
    /// From the peer.
    pub read: u64,
    /// To the peer: what the system has taken, whether it has arrived or not.
    pub written: u64,
}

/// Where a connection stands that another process had before.
#[derive(Clone, Debug, Default)]
pub struct Interrupted {
    /// How much the system says went through it.
    pub moved: Moved,
    /// What was read of a payload whose end has not arrived.
    pub unfinished: Vec<u8>,
    /// What its peer is still owed.
    pub owed: Vec<u8>,
    /// Its stream to the peer has ended.
    pub is_ended: bool,
    /// It is to be closed when all is written.
    pub is_closing: bool,
}
