//! Several devices of one person, and the links by which another one joins.

use std::{cell::RefCell, rc::Rc};

use gtk::{glib, glib::prelude::*};
use pychat_gtk::{
    session::{
        Account, Session, SessionState, disconnect_reason::DisconnectReason,
        encryption::Encryption, invites::Invite,
    },
    text::server_uri::{Access, ServerUri},
};
use pychat_wire::{
    key::{PairCode, Pin, PublicKey},
    link::Code,
};
use serde_json::json;

use crate::{
    FOLDER, anna,
    encrypted::identity_with_pin,
    finish, joined, new_session, run,
    server::{Server, TIME_MS},
    texts, until, until_state,
};

const CODE: PairCode = PairCode([9; 16]);

fn access(pin: Option<Pin>) -> Access {
    Access { pin, code: Some(Code::Pair(CODE)), ..Access::default() }
}

/// Joins by a link, and waits until that has failed; returns why.
async fn refused_by(server: &Server, access: Access) -> DisconnectReason {
    let session = new_session();
    session.join_by(Account::new(anna(), server.address.clone()), access);
    until_state(&session, SessionState::Disconnected).await;
    session.disconnect_reason().expect("it was nobody's wish")
}

/// Gathers the signals of this name that the session emits.
fn heard(session: &Session, signal: &str) -> Rc<RefCell<usize>> {
    let n_heard = Rc::new(RefCell::new(0));
    let count = n_heard.clone();
    session.connect_local(signal, false, move |_| {
        *count.borrow_mut() += 1;
        None::<glib::Value>
    });
    n_heard
}

#[test]
fn a_link_leads_to_the_server_of_its_pin_and_to_no_other() {
    run(async {
        let (identity, pin) = identity_with_pin();
        let server = Server::start(move |door| {
            let mut peer = door.accept();
            peer.offer_tls();
            peer.shake_hands(&identity).expect("a handshake");
            assert!(peer.read_exact(&mut [0]).is_err(), "not a word");
            let mut peer = door.accept();
            peer.offer_tls();
            peer.shake_hands(&identity).expect("a handshake");
            let hello = peer.let_in_2("e1", 0);
            assert_eq!(hello["pair"], CODE.to_string());
            assert_eq!(hello["label"], glib::host_name().as_str());
            peer.expect_end();
        });
        let reason = refused_by(&server, access(Some(Pin([1; 32])))).await;
        assert!(matches!(reason, DisconnectReason::NotAsLinked), "{reason:?}");
        FOLDER.with(|folder| assert!(folder.files("trust").is_empty()));

        let session = new_session();
        session.join_by(Account::new(anna(), server.address.clone()), access(Some(pin)));
        until_state(&session, SessionState::Joined).await;
        let expected = Encryption::Tls { pin: pin.to_string(), is_new: false };
        assert_eq!(session.encryption(), Some(expected));
        FOLDER.with(|folder| assert_eq!(folder.files("trust").len(), 1));
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn a_server_that_is_known_is_not_the_one_of_another_pin() {
    run(async {
        let (identity, pin) = identity_with_pin();
        let server = Server::start(move |door| {
            let mut peer = door.accept();
            peer.offer_tls();
            peer.shake_hands(&identity).expect("a handshake");
            peer.let_in_2("e1", 0);
            peer.expect_end();
            let mut peer = door.accept();
            peer.offer_tls();
            peer.shake_hands(&identity).expect("a handshake");
            assert!(peer.read_exact(&mut [0]).is_err(), "not a word");
        });
        let session = joined(&server.address).await;
        let expected = Encryption::Tls { pin: pin.to_string(), is_new: true };
        assert_eq!(session.encryption(), Some(expected), "there was no link");
        session.leave().await;
        let reason = refused_by(&server, access(Some(Pin([1; 32])))).await;
        assert!(matches!(reason, DisconnectReason::NotAsLinked), "{reason:?}");
        finish(server).await;
    });
}

#[test]
fn an_invite_is_offered_or_refused_in_words() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.let_in_2("e1", 0);
            assert_eq!(peer.read_payload(), json!({"type": "invite"}));
            peer.send(&json!({"type": "error", "code": "forbidden", "text": "no"}));
            assert_eq!(peer.read_payload(), json!({"type": "invite"}));
            peer.send(&json!({"type": "invite_link", "hosts": [], "code": CODE}));
            peer.send(&json!({"type": "error", "code": "forbidden", "text": "no"}));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        assert_eq!(session.title(), "Office");
        assert!(session.request_invite());
        until(|| session.invite().is_some()).await;
        let reason = "Only operators can invite people to this chat. Ask one of them for a link.";
        let refused = Invite::Refused(reason.to_owned());
        assert_eq!(session.invite(), Some(refused.clone()));
        assert!(session.request_invite());
        until(|| session.invite() != Some(refused.clone())).await;
        let Some(Invite::Offered { link, uses: None, expires_ms: None }) = session.invite() else {
            panic!("{:?}", session.invite());
        };
        let link = link.to_string();
        let place = format!("pychat://{}/#invite=", server.address);
        assert!(link.starts_with(&place), "{link}");
        // What nobody asked an invite for is said in the conversation.
        until(|| texts(&session).contains(&"You are not allowed to do this.".to_owned())).await;
        session.leave().await;
        finish(server).await;
    });
}

#[test]
fn a_link_with_a_pin_leads_to_no_server_without_encryption() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.say("Сервер Чата", "Connection established. Waiting for your username...");
            assert!(peer.read_exact(&mut [0]).is_err(), "not a word");
        });
        let reason = refused_by(&server, access(Some(Pin([1; 32])))).await;
        assert!(matches!(reason, DisconnectReason::NotAsLinked), "{reason:?}");
        finish(server).await;
    });
}

#[test]
fn a_code_that_is_no_longer_good_is_told_so() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            peer.greet("e1");
            peer.send(&json!({"type": "error", "code": "forbidden", "text": "no"}));
            peer.expect_end();
        });
        let reason = refused_by(&server, access(None)).await;
        assert!(matches!(reason, DisconnectReason::CodeRefused), "{reason:?}");
        finish(server).await;
    });
}

#[test]
fn devices_are_listed_added_and_removed() {
    run(async {
        let server = Server::start(|door| {
            let mut peer = door.accept();
            let hello = peer.let_in_2("e1", 0);
            let this = json!({"key": hello["key"], "label": "laptop", "time": TIME_MS});
            let other = PublicKey([7; 32]).to_string();
            let phone = json!({"key": other, "label": "pho\u{202e}ne", "time": TIME_MS});
            assert_eq!(peer.read_payload()["type"], "devices");
            peer.send(&json!({"type": "devices", "devices": [this]}));
            assert_eq!(peer.read_payload()["type"], "pair");
            let expires_ms = u64::MAX;
            peer.send(&json!({"type": "pair_code", "code": CODE, "expires_ms": expires_ms}));
            peer.send(&json!({"type": "device_added", "key": other, "label": "pho\u{202e}ne"}));
            assert_eq!(peer.read_payload()["type"], "devices");
            peer.send(&json!({"type": "devices", "devices": [this, phone]}));
            assert_eq!(peer.read_payload(), json!({"type": "remove_device", "key": other}));
            peer.send(&json!({"type": "devices", "devices": [this]}));
            peer.expect_end();
        });
        let session = joined(&server.address).await;
        assert!(session.can_manage() && session.request_devices());
        until(|| session.devices().len() == 1).await;
        assert!(session.is_this_device(session.devices()[0].key));

        let link = Rc::new(RefCell::new(None));
        session.connect_local("pair-code-changed", false, {
            let (link, session) = (link.clone(), session.downgrade());
            move |_| {
                link.replace(session.upgrade()?.pair_link());
                None
            }
        });
        assert!(session.request_pair_code());
        until(|| link.borrow().is_some()).await;
        let (link, rest) = link.take().expect("there is one");
        assert!(rest.as_secs() <= 24 * 60 * 60, "{rest:?}");
        let link: ServerUri = link.to_string().parse().expect("it is written to be read");
        assert_eq!((link.name(), link.server()), (Some("Анна"), &server.address));
        assert_eq!(link.access(), access(None));

        until(|| session.devices().len() == 2).await;
        let told = "The device “phone” was added to yours.".to_owned();
        until(|| texts(&session).contains(&told)).await;
        let phone = session.devices().pop().expect("there are two");
        assert_eq!((phone.label.as_str(), session.is_this_device(phone.key)), ("phone", false));
        assert!(session.pair_link().is_none(), "it was good for one use");
        let n_lists = heard(&session, "devices-changed");
        assert!(session.remove_device(phone.key));
        until(|| *n_lists.borrow() == 1).await;
        assert_eq!(session.devices().len(), 1);
        session.leave().await;
        assert!(!session.can_manage() && !session.request_pair_code());
        assert!(session.devices().is_empty());
        finish(server).await;
    });
}
