//! The faults that happen in a [`World`](super::World).

use crate::kit::knobs;

knobs! {
    /// One kind of trouble. Each must really have happened in some run.
    ///
    /// Those with a number are made, so often in 10 000 steps; of the others, each follows from what
    /// somebody does, see [`Step`](super::Step) and `people`.
    pub(crate) enum Fault {
        // Of the line.
        Reset = 75,
        WriteFails = 75,
        Interrupted = 150,
        PartialCall,
        Stall = 600,
        Trickle = 200,
        SpuriousEdge = 150,
        StaleEdge = 150,

        // Of the peer.
        HalfClose = 80,
        Goodbye = 80,
        Garbage = 80,
        Nonsense = 80,
        TooMuchNonsense = 80,
        NameTaken,
        GuestTimedOut,

        // Of the limits.
        SlowReaderCut,
        LargestCut,
        NearBacklogTotal,
        Held,
        HeldGuest,
        AddressHeld,
        ReplayWaited,
        Full,
        TooManyFromAddress,
        TooFast,
        Crowd = 3,
        Reload = 13,
        Restart = 13,

        // Of the store.
        AnsweredLate,
        StopWhileUnanswered,

        // Of the time.
        TimeJump = 13,
        StopUnderLoad,
        ClockSet = 13,

        // Of coming back, in protocol 2.
        Resumed,
        ResumedTooFarBack,
        OtherEpoch,
        Beyond,
        Forgotten,
        Skipped,
        Resent,
        Doubled,
        Forged,
        BadSignature,
        KnownByKey,
        JoinedAgain,

        // Of what is asked, in protocol 2.
        NoId,
        EndlessId,
        IdRefused,
        Page,
        PageAtStart,
        TooManyPages = 12,
        Found,
        FoundEnd,
        FoundMore,
        SearchedOutside,
        TooManySearches = 12,
        /// The server started anew before it had ended.
        SearchBrokenOff,
        Pinged,
        PingedBack,
        Silent,
        NameSuggested,
        NameInvalid,
        SlowDown,
        GuestOfTwoTimedOut,
        ByeSlow,
        ByeProtocol,
        ByeShutdown,
        LeftQuit,
        LeftLost,
        LeftSlow,
        LeftProtocol,
        LeftUnannounced,
        KnownByWelcomeOnly,

        // Of rooms.
        RoomMade,
        DirectMade,
        DirectFound,
        RoomJoined,
        RoomLeft,
        MemberAdded,
        MemberRemoved,
        Renamed,
        TopicSet,
        RoomTold,
        RoomGone,
        RoomTalk,
        EventHeard,
        EventReplayed,
        RoomsListed,
        MembersListed,
        ReadElsewhere,
        UnreadTold,
        Typed,
        /// Somebody asked for something in a closed room that they are not in, or in none.
        NoRoom,
        /// Somebody asked for something in an open room that they are not in, or that is never done.
        RoomForbidden,
        /// The same, by what bears no id.
        Denied,
        NotDone,
        /// Somebody said again what the store was about to take.
        StoredAlready,
        RoomNameTaken,

        // Of amendments.
        Operator = 20,
        Replied,
        Edited,
        Deleted,
        Reacted,
        TakenBack,
        /// An operator took away a message of another.
        Removed,
        Restored,
        /// An amendment was said again, and is known.
        AmendedAlready,
        AmendmentHeard,
        AmendmentReplayed,
        /// A message that was told later was amended by then.
        Changed,
        /// Protocol 1 was told of an edit.
        EditToldInOne,
        /// Protocol 1 was told what a message answers.
        ReplyToldInOne,
        NoMessage,
        NotTheirs,
    }
}
