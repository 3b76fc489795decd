use std::net::IpAddr;

use proptest::{collection::vec, prelude::*};

use super::*;

const PIN: &str = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
const CODE: &str = "CQkJCQkJCQkJCQkJCQkJCQ";
const ESCAPED_ANNA: &str = "%D0%90%D0%BD%D0%BD%D0%B0";

fn host(text: &str) -> Host {
    text.parse().expect(text)
}

fn link(hosts: &[&str], port: u16) -> Link {
    let addresses = hosts.iter().map(|it| Address { host: host(it), port });
    Link { addresses: addresses.collect(), ..Link::default() }
}

#[test]
fn a_link_has_hosts_and_a_port() {
    for (text, hosts, port, shown) in [
        ("pychat://chat.example", &["chat.example"][..], 12345, "pychat://chat.example/"),
        ("PyChat://Chat.Example./", &["chat.example"], 12345, "pychat://chat.example/"),
        ("pychat://192.168.1.7:7000", &["192.168.1.7"], 7000, "pychat://192.168.1.7:7000/"),
        ("pychat://[2001:DB8:0::1]", &["[2001:db8::1]"], 12345, "pychat://[2001:db8::1]/"),
        ("pychat://[::1]:00080/", &["[::1]"], 80, "pychat://[::1]:80/"),
        ("pychat://my_host-2:12345", &["my_host-2"], 12345, "pychat://my_host-2/"),
        (
            "pychat://a,10.0.0.7,[::1]:7",
            &["a", "10.0.0.7", "[::1]"],
            7,
            "pychat://a,10.0.0.7,[::1]:7/",
        ),
        ("pychat://[::1],a:7", &["[::1]", "a"], 7, "pychat://[::1],a:7/"),
        ("pychat://Чат.рф", &["чат.рф"], 12345, "pychat://%D1%87%D0%B0%D1%82.%D1%80%D1%84/"),
        (
            "pychat://%D1%87%D0%B0%D1%82.рф",
            &["чат.рф"],
            12345,
            "pychat://%D1%87%D0%B0%D1%82.%D1%80%D1%84/",
        ),
        ("pychat://host/room/7?x=1&y#z&=", &["host"], 12345, "pychat://host/"),
    ] {
        let expected = link(hosts, port);
        assert_eq!(text.parse(), Ok(expected.clone()), "{text}");
        assert_eq!(expected.to_string(), shown);
    }
    assert!("हिन्दी.example".parse::<Host>().is_ok(), "marks are of words");
}

#[test]
fn each_host_may_have_a_port_of_its_own_and_the_last_is_for_the_rest() {
    for (text, addresses, shown) in [
        ("a:7,b", "a:7 b:12345", "a:7,b"),
        ("a:12345,b:12345", "a:12345 b:12345", "a,b"),
        ("a:7,b:7", "a:7 b:7", "a,b:7"),
        ("a,b:7", "a:7 b:7", "a,b:7"),
        ("a:12345,b:7", "a:12345 b:7", "a:12345,b:7"),
        ("a,b:8,[::1]:9", "a:9 b:8 [::1]:9", "a,b:8,[::1]:9"),
        ("[::1]:1,[::2],c:3", "[::1]:1 [::2]:3 c:3", "[::1]:1,[::2],c:3"),
    ] {
        let addresses: Vec<Address> = addresses.split(' ').map(|it| it.parse().unwrap()).collect();
        let link: Link = format!("pychat://{text}").parse().unwrap();
        assert_eq!(link, Link { addresses, ..Link::default() }, "{text}");
        assert_eq!(link.to_string(), format!("pychat://{shown}/"));
    }
}

#[test]
fn some_addresses_mean_another_machine_on_each() {
    for text in [
        "localhost",
        "a.localhost:7",
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "224.0.0.1",
        "[::1]",
        "255.255.255.255",
        "[::]",
        "[ff02::1]",
        "[::ffff:127.0.0.1]",
    ] {
        assert!(text.parse::<Address>().unwrap().is_of_one_machine(), "{text}");
    }
    for text in ["chat.example", "localhost.example", "192.168.1.7", "[fd00::1]", "8.8.8.8"] {
        assert!(!text.parse::<Address>().unwrap().is_of_one_machine(), "{text}");
    }
}

#[test]
fn a_link_has_parameters_in_their_places() {
    let name = Some(UserName::new("Анна").unwrap());
    let pin = Some(PIN.parse().unwrap());
    let (invite, pair) = (InviteCode([9; 16]), PairCode([0; 16]));
    let plain = link(&["host"], 7000);
    for (expected, text) in [
        (Link { pin, ..plain.clone() }, format!("pychat://host:7000/#pin={PIN}")),
        (
            Link { pin, code: Some(Code::Invite(invite)), ..plain.clone() },
            format!("pychat://host:7000/#pin={PIN}&invite={CODE}"),
        ),
        (
            Link { code: Some(Code::Invite(invite)), ..plain.clone() },
            format!("pychat://host:7000/#invite={CODE}"),
        ),
        (
            Link { name, pin, code: Some(Code::Pair(pair)), ..plain },
            format!("pychat://host:7000/?name={ESCAPED_ANNA}#pin={PIN}&pair={}", "A".repeat(22)),
        ),
    ] {
        assert_eq!(expected.to_string(), text);
        assert_eq!(text.parse(), Ok(expected), "{text}");
    }
}

#[test]
fn a_name_may_be_spelled_in_many_ways() {
    let expected =
        Link { name: Some(UserName::new("Анна").unwrap()), ..link(&["host"], 12345) };
    for text in [
        "pychat://host/?name=Анна",
        "pychat://host?x&name=Анна",
        "pychat://Анна@host",
        &format!("pychat://{ESCAPED_ANNA}@host/"),
        &format!("pychat://host/#x=y&name={ESCAPED_ANNA}"),
    ] {
        assert_eq!(text.parse(), Ok(expected.clone()), "{text}");
    }
    assert_eq!("pychat://@host".parse(), Ok(link(&["host"], 12345)));
}

#[test]
fn what_is_no_link_is_refused_with_a_reason() {
    let damaged = |parameter| LinkError::BadParameter { parameter };
    let many = format!("pychat://{}", ["a"; ADDRESSES_MAX + 1].join(","));
    let long = format!("pychat://host/{}", "x".repeat(LINK_BYTES_MAX));
    let label = format!("pychat://{}", "a".repeat(64));
    let domain = format!("pychat://{}", "a.".repeat(126) + "ab");
    for (text, error) in [
        ("", LinkError::Scheme),
        ("pychat:/", LinkError::Scheme),
        ("pychat:host", LinkError::Scheme),
        ("http://host", LinkError::Scheme),
        (" pychat://host", LinkError::Scheme),
        ("пычат://host", LinkError::Scheme),
        (&long, LinkError::TooLong),
        ("pychat://", LinkError::NoHost),
        ("pychat:///x", LinkError::NoHost),
        ("pychat://anna@", LinkError::NoHost),
        ("pychat://:7000", LinkError::NoHost),
        (&many, LinkError::TooManyHosts),
        (&label, LinkError::BadHost),
        (&domain, LinkError::BadHost),
        ("pychat://,", LinkError::BadHost),
        ("pychat://a,,b", LinkError::BadHost),
        ("pychat://a..b", LinkError::BadHost),
        ("pychat://-a", LinkError::BadHost),
        ("pychat://a-.b", LinkError::BadHost),
        ("pychat://ho st", LinkError::BadHost),
        ("pychat://ho%20st", LinkError::BadHost),
        ("pychat://a%00b", LinkError::BadHost),
        ("pychat://%ff", LinkError::BadHost),
        ("pychat://a\u{200b}b", LinkError::BadHost),
        ("pychat://256.0.0.1", LinkError::BadHost),
        ("pychat://127.0.0", LinkError::BadHost),
        ("pychat://[::1", LinkError::BadPort),
        ("pychat://[]", LinkError::BadHost),
        ("pychat://[127.0.0.1]", LinkError::BadHost),
        ("pychat://[fe80::1%25eth0]", LinkError::BadHost),
        ("pychat://[::1]x", LinkError::BadHost),
        ("pychat://a:1,[::1", LinkError::BadPort),
        ("pychat://a:1,", LinkError::BadHost),
        ("pychat://,a:1", LinkError::BadHost),
        ("pychat://a:1,:2", LinkError::BadHost),
        ("pychat://::1", LinkError::BadPort),
        ("pychat://a:1:2,b", LinkError::BadPort),
        ("pychat://a:0,b", LinkError::BadPort),
        ("pychat://a:,b:1", LinkError::BadPort),
        ("pychat://a:", LinkError::BadPort),
        ("pychat://a:0", LinkError::BadPort),
        ("pychat://a:+1", LinkError::BadPort),
        ("pychat://a:65536", LinkError::BadPort),
        ("pychat://a/?name=", LinkError::BadName(NameError::Empty)),
        ("pychat://Вы@a", LinkError::BadName(NameError::Reserved)),
        ("pychat://a/?name=%ff", damaged("name")),
        ("pychat://b@a/?name=c", damaged("name")),
        ("pychat://a/#pin", damaged("pin")),
        ("pychat://a/#pin=x", damaged("pin")),
        ("pychat://a/#invite=%FF", damaged("invite")),
        (&format!("pychat://a/#invite={CODE}&invite={CODE}"), damaged("invite")),
        (&format!("pychat://a/#pair={CODE}="), damaged("pair")),
        (&format!("pychat://a/#pair={CODE}&invite={CODE}"), LinkError::TwoCodes),
    ] {
        assert_eq!(text.parse::<Link>(), Err(error), "{text}");
    }
}

fn any_address() -> impl Strategy<Value = Address> {
    (any_host(), prop_oneof![Just(DEFAULT_PORT), Just(7), 1..=u16::MAX])
        .prop_map(|(host, port)| Address { host, port })
}

fn any_host() -> impl Strategy<Value = Host> {
    let domain = "[a-zж][a-zж0-9_]{0,9}(\\.[a-zж]{1,9}){0,2}";
    prop_oneof![domain.prop_map(Host::Domain), any::<IpAddr>().prop_map(Host::Ip),]
}

proptest! {
    #[test]
    fn a_link_is_read_as_it_was_written(
        addresses in vec(any_address(), 1..=ADDRESSES_MAX),
        name in proptest::option::of("[a-zа-я][a-zа-я0-9]{0,20}"),
        pin in proptest::option::of(any::<[u8; 32]>().prop_map(Pin)),
        code in any::<[u8; 16]>(),
        kind in 0..3,
    ) {
        let code = match kind {
            0 => None,
            1 => Some(Code::Invite(InviteCode(code))),
            _ => Some(Code::Pair(PairCode(code))),
        };
        let name = name.and_then(|name| UserName::new(&name).ok());
        let link = Link { addresses, name, pin, code };
        let text = link.to_string();
        prop_assert!(text.is_ascii());
        prop_assert_eq!(text.parse(), Ok(link));
    }

    #[test]
    fn no_text_breaks_the_parser(text in "(pychat://)?\\PC{0,60}") {
        if let Ok(link) = text.parse::<Link>() {
            prop_assert_eq!(link.to_string().parse(), Ok(link));
        }
    }
}
