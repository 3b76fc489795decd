//! Operators, devices and invites.

use std::borrow::Cow;

use pychat_wire::{
    ClientMessage, ServerMessage,
    key::{InviteCode, InviteId, PairCode, Pin, PublicKey},
    message::{AddressList, Device, DeviceList, Door, Invite, InviteList, OperatorRequest, Whom},
};

use super::{check_server_message, framed};

#[test]
fn what_operators_say() {
    let operate = |request| ClientMessage::Operate { request, id: Some("a-1".into()) };
    for (message, payload) in [
        (
            operate(OperatorRequest::Mute { username: "Борис".into(), for_ms: Some(5_000) }),
            r#"{"type":"mute","username":"Борис","for_ms":5000,"id":"a-1"}"#,
        ),
        (
            operate(OperatorRequest::Unmute { username: "Борис".into() }),
            r#"{"type":"unmute","username":"Борис","id":"a-1"}"#,
        ),
        (
            operate(OperatorRequest::Kick { username: "Борис".into() }),
            r#"{"type":"kick","username":"Борис","id":"a-1"}"#,
        ),
        (
            operate(OperatorRequest::Ban { whom: Whom::Person("Борис".into()), for_ms: None }),
            r#"{"type":"ban","username":"Борис","id":"a-1"}"#,
        ),
        (
            operate(OperatorRequest::Ban {
                whom: Whom::Network("192.0.2.0/24".into()),
                for_ms: Some(1),
            }),
            r#"{"type":"ban","address":"192.0.2.0/24","for_ms":1,"id":"a-1"}"#,
        ),
        (
            operate(OperatorRequest::Unban { whom: Whom::Network("192.0.2.7".into()) }),
            r#"{"type":"unban","address":"192.0.2.7","id":"a-1"}"#,
        ),
        (
            operate(OperatorRequest::Slow { seconds: 30 }),
            r#"{"type":"slow","seconds":30,"id":"a-1"}"#,
        ),
        (
            operate(OperatorRequest::Door { admission: Door::Invite }),
            r#"{"type":"door","admission":"invite","id":"a-1"}"#,
        ),
        (ClientMessage::Operate { request: OperatorRequest::Bans, id: None }, r#"{"type":"bans"}"#),
    ] {
        let mut wire = Vec::new();
        message.encode(&mut wire);
        assert_eq!(String::from_utf8_lossy(&wire), String::from_utf8_lossy(&framed(payload)));
        assert_eq!(ClientMessage::parse(payload.as_bytes()), Ok(message));
    }
}

#[test]
fn what_servers_say_of_devices() {
    let (key, label) = (PublicKey([7; 32]), Cow::from("ThinkPad"));
    let device = Device { key, label: label.clone(), time: 1_700_000_000_000 };
    let devices = DeviceList(vec![device.clone(), Device { label: "".into(), time: 0, ..device }]);
    let key_of_seven = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
    for (message, payload) in [
        (
            ServerMessage::PairCode { code: PairCode([9; 16]), expires_ms: 600_000 },
            r#"{"type":"pair_code","code":"CQkJCQkJCQkJCQkJCQkJCQ","expires_ms":600000}"#
                .to_owned(),
        ),
        (
            ServerMessage::DeviceAdded { key, label },
            format!(r#"{{"type":"device_added","key":"{key_of_seven}","label":"ThinkPad"}}"#),
        ),
        (
            ServerMessage::Devices { devices },
            [
                r#"{"type":"devices","devices":["#,
                &format!(r#"{{"key":"{key_of_seven}","label":"ThinkPad","time":1700000000000}},"#),
                &format!(r#"{{"key":"{key_of_seven}","label":"","time":0}}]}}"#),
            ]
            .concat(),
        ),
    ] {
        check_server_message(&message, &payload);
    }
}

#[test]
fn what_servers_say_of_invites() {
    let link = |hosts: &[&str], pin, code, uses, expires_ms| ServerMessage::InviteLink {
        hosts: AddressList(hosts.iter().map(|host| host.parse().unwrap()).collect()),
        pin,
        code,
        uses,
        expires_ms,
    };
    let (pin, code) = (Some(Pin([7; 32])), Some(InviteCode([9; 16])));
    let (id, by) = (InviteId([5; 6]), Some("Анна".into()));
    let invite = Invite { id, uses: Some(1), expires_ms: Some(86_400_000), by };
    let bare = Invite { id, uses: None, expires_ms: None, by: None };
    for (message, payload) in [
        (
            link(&["chat.example", "10.0.0.7:7", "[2001:db8::1]"], pin, code, Some(1), Some(5)),
            concat!(
                r#"{"type":"invite_link","hosts":["chat.example:12345","10.0.0.7:7","#,
                r#""[2001:db8::1]:12345"],"pin":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc","#,
                r#""code":"CQkJCQkJCQkJCQkJCQkJCQ","uses":1,"expires_ms":5}"#
            ),
        ),
        (link(&[], None, None, None, None), r#"{"type":"invite_link","hosts":[]}"#),
        (
            ServerMessage::Invites { invites: InviteList(vec![invite, bare]) },
            concat!(
                r#"{"type":"invites","invites":[{"id":"BQUFBQUF","uses":1,"expires_ms":86400000,"#,
                r#""by":"Анна"},{"id":"BQUFBQUF"}]}"#
            ),
        ),
    ] {
        check_server_message(&message, payload);
    }
}
