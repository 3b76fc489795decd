//! TLS: what it costs an address, and who may join without.

use pychat_wire::message::{ErrorCode, Hello};

use super::{
    two::{hello, key},
    *,
};

/// Where connections come from: here, a local network, and anywhere else.
const HERE: u32 = 0x7f00_0001;
const LOCAL: u32 = 0xc0a8_0007;
const REMOTE: u32 = 0xcb00_7109;

/// The challenge that a hello signs once everything is encrypted.
const INSIDE: Challenge = Challenge { nonce: Nonce([8; 16]), binding: [5; BINDING_BYTES] };

impl Room {
    pub(super) fn connect_from(&mut self, id: ConnectionId, address: u32) -> Vec<Effect> {
        let origin = Origin::v4(address);
        self.handle(Input::Connected { id, origin, challenge: CHALLENGE })
    }

    fn secure(&mut self, id: ConnectionId) -> Vec<Effect> {
        self.handle(Input::TlsWanted { id });
        self.handle(Input::Secured { id, challenge: INSIDE })
    }

    /// Returns true if a guest who says hello joins; otherwise it is closed.
    fn joins(&mut self, id: ConnectionId) -> bool {
        let effects = self.hello(id, "Анна");
        let has_joined = subscribes(&effects);
        let close = act(id, Action::Close { reason: CloseReason::Protocol });
        assert_ne!(has_joined, effects.contains(&close), "{effects:?}");
        self.closed(id, CloseReason::Protocol);
        has_joined
    }
}

fn subscribes(effects: &[Effect]) -> bool {
    effects
        .iter()
        .any(|effect| matches!(effect, Effect::Connection { action: Action::Subscribe(_), .. }))
}

#[test]
fn a_guest_is_greeted_again_in_private() {
    let mut room = Room::new();
    assert_eq!(room.connect(A), [told(A, Event::Greeting(CHALLENGE.nonce))]);
    assert_eq!(room.handle(Input::TlsWanted { id: A }), [act(A, Action::StartTls)]);
    let secured = room.handle(Input::Secured { id: A, challenge: INSIDE });
    assert_eq!(secured, [told(A, Event::Greeting(INSIDE.nonce))]);
}

#[test]
fn a_hello_inside_signs_the_greeting_inside_and_the_channel() {
    let mut room = Room::new();
    room.connect(A);
    room.secure(A);
    let by = |challenge: &Challenge| {
        let proof = Some(key(1).prove(challenge, "Анна"));
        ClientMessage::Hello(Hello { proof, ..Hello::new("Анна", 2) })
    };
    for wrong in [
        CHALLENGE,
        Challenge { nonce: INSIDE.nonce, ..CHALLENGE },
        Challenge { nonce: CHALLENGE.nonce, ..INSIDE },
        Challenge { binding: [6; BINDING_BYTES], ..INSIDE },
    ] {
        let effects = room.receive(A, by(&wrong));
        assert_eq!(effects.last(), Some(&report(A, Refusal::Signature)), "{wrong:?}");
    }
    let effects = room.receive(A, by(&INSIDE));
    assert!(subscribes(&effects), "{effects:?}");
}

#[test]
fn who_may_join_without_tls_is_for_the_operator_to_say() {
    for (plain, expected) in [
        (Plain::Always, [true, true, true]),
        (Plain::Lan, [true, true, false]),
        (Plain::Never, [false, false, false]),
    ] {
        let mut room = Room::new();
        room.chat.set_rules(Rules { plain, ..RULES });
        let joins = [HERE, LOCAL, REMOTE].map(|address| {
            room.connect_from(A, address);
            room.joins(A)
        });
        assert_eq!(joins, expected, "{plain:?}");
        for address in [HERE, LOCAL, REMOTE] {
            room.connect_from(A, address);
            room.secure(A);
            assert!(room.joins(A), "{plain:?}");
        }
    }
}

#[test]
fn who_must_use_tls_is_told_in_either_protocol() {
    let mut room = Room::new();
    room.chat.set_rules(Rules { plain: Plain::Never, ..RULES });
    let text = "This server takes encrypted connections only, which this client does not know";
    let close = |id| act(id, Action::Close { reason: CloseReason::Protocol });
    room.connect(A);
    let refused =
        [act(A, Action::Log(Refusal::Plain)), tell(A, &format!("{text}. Bye!\n")), close(A)];
    assert_eq!(room.hello(A, "Анна"), refused);
    room.connect(B);
    let complaint = Complaint::new(ErrorCode::NotAdmitted, text);
    let bye = Event::Bye { reason: CloseReason::Protocol };
    let refused = [
        act(B, Action::Log(Refusal::Plain)),
        told(B, Event::Refused(complaint)),
        told(B, bye),
        close(B),
    ];
    assert_eq!(room.receive(B, hello("Борис", 1)), refused);
}

#[test]
fn handshakes_of_one_address_have_a_price() {
    let mut room = Room::new();
    room.chat.set_rules(Rules { connections_per_address_max: 2, ..RULES });
    let id = |slot| ConnectionId { slot, generation: 0 };
    for slot in 0..8 {
        room.connect_from(id(slot), REMOTE);
        let wanted = room.handle(Input::TlsWanted { id: id(slot) });
        assert_eq!(wanted, [act(id(slot), Action::StartTls)], "{slot}");
    }
    room.connect_from(id(8), REMOTE);
    let until = room.now + Duration::from_secs(32);
    let wanted = room.handle(Input::TlsWanted { id: id(8) });
    assert_eq!(wanted, [act(id(8), Action::PauseRead { until })]);
    room.connect_from(id(9), LOCAL);
    assert_eq!(room.handle(Input::TlsWanted { id: id(9) }), [act(id(9), Action::StartTls)]);
    room.now = until;
    assert_eq!(room.handle(Input::TlsWanted { id: id(8) }), [act(id(8), Action::StartTls)]);
}
