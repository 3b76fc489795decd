//! The code of an invite, and what is asked and told of invites.

use super::*;
use crate::{
    key::{InviteCode, InviteId, Pin},
    link::{Address, Link},
    message,
};

#[test]
fn an_invite_is_shown_until_it_has_let_us_in() {
    let code = InviteCode([9; 16]);
    let invited = || Stage::of(Client::new(anna(), saved(0), [7; 32]).invited(code));
    let (mut stage, invite) = (invited(), format!(r#","invite":"{code}""#));
    stage.client.connected(0);
    stage.hear(&[greeting(EPOCH)]);
    assert!(stage.written()[0].contains(&invite));
    stage.cut();
    stage.client.reconnect();
    assert!(stage.enter(EPOCH, 0)[0].contains(&invite), "it was not welcomed yet");
    stage.cut();
    assert!(!stage.enter(EPOCH, 0)[0].contains("invite"));

    let mut stage = invited();
    stage.client.connected(0);
    let mut closed = greeting(EPOCH);
    if let ServerMessage::Greeting { admission, .. } = &mut closed {
        *admission = Door::Invite;
    }
    let events = stage.hear(&[closed, error(ErrorCode::NotAdmitted, None, None)]);
    let refused = "not as this name Some(NotAdmitted) no";
    assert_told(&events, &["connect", "disconnect", refused]);
}

#[test]
fn invites_are_asked_for_and_told_of() {
    let mut stage = Stage::joined(0);
    let (code, id, pin) = (InviteCode([9; 16]), InviteId([5; 6]), Some(Pin([7; 32])));
    assert_eq!(stage.client.admission(), Door::Open);
    assert!(stage.client.request_invite(Some(1), None) && stage.client.request_invites());
    assert!(stage.client.revoke_invite(id));
    let revoke = r#"{"type":"revoke_invite","invite":"BQUFBQUF"}"#;
    let asked = [r#"{"type":"invite","uses":1}"#, r#"{"type":"invites"}"#, revoke];
    assert_eq!(stage.written(), asked);
    let (uses, expires_ms) = (Some(1), Some(5));
    let addresses: Vec<Address> = vec!["chat.example:7".parse().unwrap()];
    let invite =
        message::Invite { id, uses: None, expires_ms: None, by: Some("Борис".into()) };
    let events = stage.hear(&[
        ServerMessage::InviteLink {
            hosts: message::AddressList(addresses.clone()),
            pin,
            code: Some(code),
            uses,
            expires_ms,
        },
        ServerMessage::Invites { invites: message::InviteList(vec![invite]) },
    ]);
    let link = Link { addresses, name: None, pin, code: Some(Code::Invite(code)) };
    let by = Some("Борис".into());
    let expected = [
        Event::InviteLink { link, uses, expires_ms },
        Event::Invites(vec![Invite { id, uses: None, expires_ms: None, by }]),
    ];
    assert_eq!(events, expected);
}
