//! Names of hosts, as people write them and as the network knows them.

use gtk::glib;

/// The most bytes that a host's name may have on the network.
const HOST_BYTES_MAX: usize = 253;

/// The most bytes that the part of a host's name between two dots may have there.
const LABEL_BYTES_MAX: usize = 63;

/// Returns the one spelling of a host's name, in its own script, that all others are the same as:
/// in small letters, without a dot at its end. `None` if it cannot be a host's name.
///
/// Letters of every script, digits, hyphens and underscores may stand between dots. A name whose
/// last part is a number would be taken for a mistyped IPv4 address, and so it is here.
pub fn normalized(name: &str) -> Option<String> {
    let ascii = glib::hostname_to_ascii(name)?.to_ascii_lowercase();
    let ascii = ascii.strip_suffix('.').unwrap_or(&ascii);
    let is_label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let ends_in_number = ascii.rsplit('.').next().is_some_and(|last| last.parse::<u64>().is_ok());
    let is_name =
        ascii.len() <= HOST_BYTES_MAX && ascii.split('.').all(is_label) && !ends_in_number;
    is_name.then(|| glib::hostname_to_unicode(ascii).map_or_else(|| ascii.to_owned(), Into::into))
}

/// Returns `link` with its host as the network knows it, where that is spelled in other letters:
/// those of one script may look like those of another.
pub fn spell_out(link: &str) -> String {
    let spelled = || {
        let (scheme, rest) = link.split_once("://")?;
        let size = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(size);
        let host_at = authority.rfind('@').map_or(0, |at| at + 1);
        let (user, place) = authority.split_at(host_at);
        let (host, port) = place.split_at(place.rfind(':').unwrap_or(place.len()));
        let host = glib::hostname_to_ascii(host).filter(|_| !host.is_ascii())?;
        Some(format!("{scheme}://{user}{host}{port}{path}"))
    };
    spelled().unwrap_or_else(|| link.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_spelling() {
        for (name, expected) in [
            ("localhost", "localhost"),
            ("LOCALHOST", "localhost"),
            ("chat.example.", "chat.example"),
            ("Чат.Пример", "чат.пример"),
            ("xn--80a0bn.example", "чат.example"),
            ("чат。example", "чат.example"),
            ("cafe\u{301}.example", "café.example"),
            ("ＣＨＡＴ.example", "chat.example"),
            ("हिन्दी.example", "हिन्दी.example"),
            ("my_host-2", "my_host-2"),
        ] {
            assert_eq!(normalized(name).as_deref(), Some(expected), "{name:?}");
        }
        // 63 bytes on the network, and more in UTF-8.
        let long = "ж".repeat(50);
        assert_eq!(normalized(&long), Some(long));
        for name in ["", ".", "a..b", "-a", "a-", "a b", "a/b", "256.0.0.1", "12345", "a:b", "a@b"]
        {
            assert_eq!(normalized(name), None, "{name:?}");
        }
        assert_eq!(normalized(&"a".repeat(64)), None);
        assert_eq!(normalized(&("a.".repeat(126) + "ab")), None);
    }

    #[test]
    fn a_link_says_which_host_it_leads_to() {
        for (link, expected) in [
            ("https://a.b/путь", "https://a.b/путь"),
            ("https://аррӏе.com/x", "https://xn--80ak6aa92e.com/x"),
            ("https://apple.com@пример.рф:80?q", "https://apple.com@xn--e1afmkfd.xn--p1ai:80?q"),
            ("https://[::1]/", "https://[::1]/"),
            ("mailto:a@пример.рф", "mailto:a@пример.рф"),
        ] {
            assert_eq!(spell_out(link), expected);
        }
    }
}
