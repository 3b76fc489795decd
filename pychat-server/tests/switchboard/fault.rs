//! What goes wrong in a [`World`](crate::world::World).

/// One kind of trouble. Each must really have happened in some run.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Fault {
    // Of the line.
    Reset,
    WriteFails,
    Interrupted,
    PartialCall,
    Stall,
    Trickle,
    SpuriousEdge,
    StaleEdge,

    // Of the peer.
    HalfClose,
    Goodbye,
    Garbage,
    Nonsense,
    TooMuchNonsense,
    NameTaken,
    GuestTimedOut,

    // Of the limits.
    SlowReaderCut,
    LargestCut,
    NearBacklogTotal,
    Held,
    Full,
    TooManyFromAddress,
    Crowd,
    Reload,

    // Of the time.
    TimeJump,
    StopUnderLoad,
}

impl Fault {
    /// Every kind, for a test to look whether it happened.
    pub(crate) const ALL: [Self; 25] = [
        Self::Reset,
        Self::WriteFails,
        Self::Interrupted,
        Self::PartialCall,
        Self::Stall,
        Self::Trickle,
        Self::SpuriousEdge,
        Self::StaleEdge,
        Self::HalfClose,
        Self::Goodbye,
        Self::Garbage,
        Self::Nonsense,
        Self::TooMuchNonsense,
        Self::NameTaken,
        Self::GuestTimedOut,
        Self::SlowReaderCut,
        Self::LargestCut,
        Self::NearBacklogTotal,
        Self::Held,
        Self::Full,
        Self::TooManyFromAddress,
        Self::Crowd,
        Self::Reload,
        Self::TimeJump,
        Self::StopUnderLoad,
    ];
}
