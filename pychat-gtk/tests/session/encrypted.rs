//! TLS: what is proved over it, and what may go wrong within a handshake.

use std::sync::Arc;

use pychat_gtk::session::{
    Account, SessionState, disconnect_reason::DisconnectReason, encryption::Encryption,
};
use pychat_wire::key::{Challenge, Pin, Proof};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer, version};
use serde_json::json;

use crate::{
    anna, finish, joined, new_session, run,
    server::{NONCE, Server},
    texts, until, until_state,
};

/// Returns the side of a server with a certificate of its own.
pub(crate) fn identity() -> Arc<ServerConfig> {
    identity_with_pin().0
}

/// Returns the same, and the pin of the certificate.
pub(crate) fn identity_with_pin() -> (Arc<ServerConfig>, Pin) {
    let made = rcgen::generate_simple_self_signed(["pychat".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13])
        .expect("ring speaks it")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key);
    (Arc::new(config.expect("they belong together")), Pin::of(made.cert.der()))
}

#[test]
fn a_hello_is_signed_for_the_greeting_inside_and_for_its_channel() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.offer_tls();
            let binding = peer.shake_hands(&identity()).expect("a handshake");
            let hello = peer.let_in_2("e1", 0);
            let proof: Proof = serde_json::from_value(hello).expect("it is signed");
            let challenge = Challenge { nonce: NONCE.parse().expect("a nonce"), binding };
            assert!(proof.is_valid(&challenge, "Анна"));
            let (content, id) = peer.hear_2();
            peer.record(1, "Анна", &content, &json!({ "id": id }));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        let encryption = session.encryption();
        assert!(matches!(encryption, Some(Encryption::Tls { is_new: true, .. })), "{encryption:?}");
        session.room().say("in private").expect("joined");
        until(|| texts(&session).ends_with(&["in private".to_owned()])).await;
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn a_handshake_and_long_texts_may_come_in_pieces() {
    for piece_bytes in [1, 1_000] {
        run(async move {
            let long = "ж".repeat(20 * piece_bytes);
            let text = long.clone();
            let server = Server::start(move |door| {
                let mut peer = door.accept();
                peer.in_pieces(piece_bytes);
                peer.offer_tls();
                peer.shake_hands(&identity()).expect("a handshake");
                peer.let_in_2("e1", 0);
                peer.record(1, "Борис", &text, &json!({}));
                peer.expect_end();
            });
            let session = joined(&server.address).await;
            until(|| texts(&session).contains(&long)).await;
            session.leave().await;
            finish(server).await;
        });
    }
}

#[test]
fn another_certificate_hears_nothing_and_the_same_is_known_again() {
    run(async {
        let server = Server::start(|door| {
            let (first, second) = (identity(), identity());
            for identity in [&first, &first] {
                let mut peer = door.accept();
                peer.offer_tls();
                peer.shake_hands(identity).expect("a handshake");
                peer.let_in_2("e1", 0);
                peer.expect_end();
            }
            let mut peer = door.accept();
            peer.offer_tls();
            peer.shake_hands(&second).expect("a handshake");
            assert!(peer.read_exact(&mut [0]).is_err(), "not a word");
        });
        for is_new in [true, false] {
            let session = joined(&server.address).await;
            let encryption = session.encryption();
            let is_as_told =
                matches!(encryption, Some(Encryption::Tls { is_new: it, .. }) if it == is_new);
            assert!(is_as_told, "{encryption:?}");
            session.leave().await;
        }
        let session = new_session();
        session.join(Account::new(anna(), server.address.clone()));
        until(|| session.disconnect_reason().is_some()).await;
        let reason = session.disconnect_reason();
        let is_changed = matches!(reason, Some(DisconnectReason::CertificateChanged { .. }));
        assert!(is_changed, "{reason:?}");
        finish(server).await;
    });
}

#[test]
fn a_line_that_is_cut_within_the_handshake_is_made_again() {
    run(async {
        let server = Server::start(|door| {
            for n_read in [0, 100] {
                let mut peer = door.accept();
                peer.offer_tls();
                peer.read_exact(&mut vec![0; n_read]).expect("the beginning of a handshake");
            }
            let mut peer = door.accept();
            peer.offer_tls();
            peer.shake_hands(&identity()).expect("a handshake");
            peer.let_in_2("e1", 0);
            peer.expect_end();
        });
        let session = new_session();
        session.join(Account::new(anna(), server.address.clone()));
        until_state(&session, SessionState::Joined).await;
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn what_is_no_handshake_is_told_so() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.offer_tls();
            peer.read_exact(&mut [0; 100]).expect("the beginning of a handshake");
            peer.write(b"HTTP/1.1 400 Bad Request\r\n");
        });
        let session = new_session();
        session.join(Account::new(anna(), server.address.clone()));
        until(|| session.disconnect_reason().is_some()).await;
        let reason = session.disconnect_reason();
        assert!(matches!(reason, Some(DisconnectReason::NotSecured { .. })), "{reason:?}");
        session.cancel();
        finish(server).await;
    });
}
