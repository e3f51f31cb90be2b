//! Foreign words made fit to be shown: no secret, no control character, not long.

use reqwest::Url;

/// Most characters of another side's words in a message.
pub(super) const WORDS_MAX: usize = 200;

/// Another side's words without secrets and control characters, cut to [`WORDS_MAX`].
pub(super) fn clean(words: &str, secrets: &[String]) -> String {
    let mut words = words.to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() >= 4) {
        if words.contains(secret.as_str()) {
            words = words.replace(secret.as_str(), "[redacted]");
        }
    }
    let mut shown = String::new();
    for letter in words.trim().chars() {
        if shown.chars().count() >= WORDS_MAX {
            shown.push('…');
            break;
        }
        shown.push(match letter {
            letter if letter.is_control() => ' ',
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => ' ',
            letter => letter,
        });
    }
    shown.truncate(shown.trim_end().len());
    shown
}

/// An address as it may be shown: without user, password and query.
pub(super) fn shown(url: &Url) -> String {
    let port = url
        .port()
        .map_or_else(String::new, |port| format!(":{port}"));
    format!(
        "{}://{}{port}{}",
        url.scheme(),
        url.host_str().unwrap_or_default(),
        url.path()
    )
}

/// True for an address of this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host_str().unwrap_or_default().trim_matches(['[', ']']) {
        "localhost" => true,
        host => host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
    }
}

/// Why a call may not go to an address; `near` says that the channel itself is on this machine.
pub(super) fn refused(url: &Url, near: bool) -> Option<&'static str> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    if !near && (is_loopback(url) || host.parse().is_ok_and(|address| is_inside(&address))) {
        return Some("an address inside this network, which an answer may not name");
    }
    match url.scheme() {
        "https" => None,
        "http" if is_loopback(url) => None,
        _ => Some("an unprotected address"),
    }
}

fn is_inside(address: &std::net::IpAddr) -> bool {
    match address {
        std::net::IpAddr::V4(address) => {
            address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
                || address.is_multicast()
                || (address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64)
        }
        std::net::IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_inside(&mapped.into()) || mapped.is_loopback(),
            None => {
                address.is_unspecified()
                    || address.is_multicast()
                    || address.is_unique_local()
                    || address.is_unicast_link_local()
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_words_lose_secrets_controls_and_length() {
        let secrets = ["tok-123".to_owned(), "ab".to_owned()];
        assert_eq!(
            clean("bad \u{1b}[31mtok-123\nab\u{202e}", &secrets),
            "bad  [31m[redacted] ab"
        );
        assert_eq!(clean(&"é".repeat(500), &[]).chars().count(), WORDS_MAX + 1);
    }

    #[test]
    fn addresses_are_shown_without_what_may_be_secret() {
        let url = Url::parse("https://user:pass@host.example:8443/a?sig=1#f").expect("an address");
        assert_eq!(shown(&url), "https://host.example:8443/a");
    }

    #[test]
    fn an_answer_may_not_send_calls_inside() {
        let inside = [
            "https://127.0.0.1/a",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://100.64.0.1/",
            "https://localhost/",
            "http://outside.example/",
            "ftp://outside.example/",
        ];
        for address in inside {
            let url = Url::parse(address).expect("an address");
            assert!(refused(&url, false).is_some(), "{address}");
        }
        for (address, near) in [
            ("https://outside.example/", false),
            ("http://127.0.0.1:9/", true),
        ] {
            let url = Url::parse(address).expect("an address");
            assert_eq!(refused(&url, near), None, "{address}");
        }
    }
}
