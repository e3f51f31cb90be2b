//! Who signed: vectors made by other means, each byte changed, headers missing, doubled, empty, wrong algorithms, secrets in turn.

use hyper::header::{HeaderName, HeaderValue};

use super::support::*;
use crate::sync::serve::form::{Hook, Refused};
use crate::sync::serve::limits::Limits;

struct Vector {
    form: &'static str,
    header: &'static str,
    signature: &'static str,
    others: &'static [(&'static str, &'static str)],
    body: &'static str,
}

/// Made with Python's `hmac` from [`SECRET`].
const VECTORS: [Vector; 4] = [
    Vector {
        form: "form = \"shopify\"",
        header: "x-shopify-hmac-sha256",
        signature: "gi7GXwhM7zaCjzmWzpo6RIqnfnR/dnesR7mZT31qBq4=",
        others: &[],
        body: r#"{"inventory_item_id":271878346596884015,"location_id":24826418,"available":6,"updated_at":"2026-11-20T10:00:00Z"}"#,
    },
    Vector {
        form: "form = \"woocommerce\"",
        header: "x-wc-webhook-signature",
        signature: "JwvlTNzo5VzdFG3EVgeA51OsvcR4wcSCAPW0i9iOxJA=",
        others: &[],
        body: r#"{"id":93,"type":"simple","sku":"MUG-1","manage_stock":true,"stock_quantity":7,"date_modified_gmt":"2026-11-20T10:00:00"}"#,
    },
    Vector {
        form: "form = \"square\"\nurl = \"https://sync.example/stock/till\"",
        header: "x-square-hmacsha256-signature",
        signature: "IGliPH0LnPzO1rhOdJJdFmIptB5+vCKW2PgusN+JzIs=",
        others: &[],
        body: r#"{"merchant_id":"M1","type":"inventory.count.updated","event_id":"df5f3813-0000-4000-8000-fdc3f7d5e3b6","data":{"type":"inventory_counts","id":"x","object":{"inventory_counts":[{"catalog_object_id":"C1","location_id":"L1","quantity":"21","state":"IN_STOCK","calculated_at":"2026-11-20T10:00:00Z"}]}}}"#,
    },
    Vector {
        form: "",
        header: "x-shelfcast-signature",
        signature: "sha256=9f75e92087c7452e3d8f382a1148dff3049f0554290957d0c321749fec8ca27a",
        others: &[("x-shelfcast-timestamp", "1795168800")],
        body: r#"{"id":"evt-1","rows":[{"sku":"MUG-1","location":"WAW","on_hand":5,"updated_at":"2026-11-20T10:00:00Z"}]}"#,
    },
];

impl Vector {
    fn hook(&self) -> Hook {
        hook("", self.form)
    }

    fn headers(&self) -> hyper::HeaderMap {
        let mut pairs = vec![(self.header, self.signature)];
        pairs.extend(self.others);
        headers(&pairs)
    }
}

#[test]
fn vectors_of_each_sender() {
    for vector in &VECTORS {
        let verified = vector
            .hook()
            .verify(&vector.headers(), vector.body.as_bytes(), now());
        assert_eq!(verified, Ok(()), "{}", vector.form);
        let said = vector
            .hook()
            .read(&vector.headers(), vector.body.as_bytes(), now());
        assert!(!said.unwrap().id.is_empty());
    }
}

#[test]
fn each_byte_counts() {
    let refused = |vector: &Vector, headers: &hyper::HeaderMap, body: &[u8], what: &str| {
        let verified = vector.hook().verify(headers, body, now());
        assert_eq!(verified, Err(Refused::Signature), "{} {what}", vector.form);
    };
    for vector in &VECTORS {
        let hook = vector.hook();
        for change in [0x01, 0x20, 0x80] {
            for at in 0..vector.body.len() {
                let mut body = vector.body.as_bytes().to_vec();
                body[at] ^= change;
                let verified = hook.verify(&vector.headers(), &body, now());
                assert_eq!(verified, Err(Refused::Signature), "body at {at}");
            }
            let signed = std::iter::once((vector.header, vector.signature));
            for (name, value) in signed.chain(vector.others.iter().copied()) {
                for at in 0..value.len() {
                    let mut changed = value.as_bytes().to_vec();
                    changed[at] ^= change;
                    let Ok(changed) = HeaderValue::from_bytes(&changed) else {
                        continue;
                    };
                    let mut headers = vector.headers();
                    headers.insert(HeaderName::from_static(name), changed);
                    let verified = hook.verify(&headers, vector.body.as_bytes(), now());
                    assert_eq!(verified, Err(Refused::Signature), "{name} at {at}");
                }
            }
        }
        // A byte more, a byte less, nothing, and the same JSON written another way.
        let body = vector.body;
        refused(
            vector,
            &vector.headers(),
            format!("{body} ").as_bytes(),
            "longer",
        );
        refused(
            vector,
            &vector.headers(),
            &body.as_bytes()[..body.len() - 1],
            "shorter",
        );
        refused(vector, &vector.headers(), b"", "empty");
        let parsed: serde_json::Value = serde_json::from_str(body).unwrap();
        let written = serde_json::to_string_pretty(&parsed).unwrap();
        refused(
            vector,
            &vector.headers(),
            written.as_bytes(),
            "written anew",
        );
    }
}

#[test]
fn each_byte_of_squares_address_counts() {
    let vector = &VECTORS[2];
    let url = "https://sync.example/stock/till";
    for other in [
        "https://sync.example/stock/till/",
        "https://sync.example/stock/Till",
        "https://sync.example:443/stock/till",
        "https://sync.example/stock/tilm",
        "https://sync.example/stock/til",
    ] {
        let hook = hook("", &vector.form.replace(url, other));
        let verified = hook.verify(&vector.headers(), vector.body.as_bytes(), now());
        assert_eq!(verified, Err(Refused::Signature), "{other}");
    }
}

#[test]
fn headers_missing_doubled_empty_and_of_other_algorithms() {
    for vector in &VECTORS {
        let hook = vector.hook();
        let body = vector.body.as_bytes();
        let signature = vector.signature;
        let bare = signature.trim_start_matches("sha256=");
        let signed_with = |value: Option<&str>| {
            let mut headers = vector.headers();
            headers.remove(vector.header);
            if let Some(value) = value {
                headers.append(
                    HeaderName::from_static(vector.header),
                    HeaderValue::from_str(value).unwrap(),
                );
            }
            hook.verify(&headers, body, now())
        };
        let stamp: &[u8] = if vector.others.is_empty() {
            b""
        } else {
            b"1795168800."
        };
        let url: &[u8] = if vector.form.contains("square") {
            b"https://sync.example/stock/till"
        } else {
            b""
        };
        let right = digest(SECRET, &[url, stamp, body]);
        let plain = <sha2::Sha256 as sha2::Digest>::digest([SECRET.as_bytes(), body].concat());
        let wrong = [
            String::new(),
            " ".to_owned(),
            "=".to_owned(),
            format!("{signature},{signature}"),
            format!("{signature} "),
            format!("sha1={bare}"),
            format!("SHA256={bare}"),
            format!("sha256={}", hex(&plain)),
            base64(&plain),
            // The right bytes in the other encoding, cut, upper case, without padding, of another alphabet.
            if stamp.is_empty() {
                hex(&right)
            } else {
                base64(&right)
            },
            if stamp.is_empty() {
                format!("sha256={}", hex(&right))
            } else {
                hex(&right)
            },
            format!("sha256={}", hex(&right).to_uppercase()),
            base64(&right[..16]),
            base64(&right).trim_end_matches('=').to_owned(),
            base64(&[right.as_slice(), &[0]].concat()),
            format!("sha256={}00", hex(&right)),
            base64(&digest("another-secret-0123456789", &[url, stamp, body])),
            base64(&digest("", &[url, stamp, body])),
            format!("sha256={}", hex(&digest("", &[stamp, body]))),
            base64(&[0; 32]),
            format!("sha256={}", "0".repeat(64)),
        ];
        assert_eq!(signed_with(None), Err(Refused::Signature), "missing");
        for value in &wrong {
            // Spaces around a value are none of it: a header map never sees them from a connection.
            if value.trim() != value && value.trim() == signature {
                continue;
            }
            assert_eq!(
                signed_with(Some(value)),
                Err(Refused::Signature),
                "{} {value}",
                vector.form
            );
        }
        for (first, second) in [(signature, signature), (signature, "x"), ("x", signature)] {
            let mut headers = vector.headers();
            headers.remove(vector.header);
            for value in [first, second] {
                headers.append(
                    HeaderName::from_static(vector.header),
                    HeaderValue::from_str(value).unwrap(),
                );
            }
            let verified = hook.verify(&headers, body, now());
            assert_eq!(verified, Err(Refused::Signature), "doubled");
        }
        assert_eq!(signed_with(Some(signature)), Ok(()));
    }
}

#[test]
fn one_senders_signature_is_none_of_anothers() {
    for vector in &VECTORS {
        for other in &VECTORS {
            if vector.form != other.form {
                let verified =
                    other
                        .hook()
                        .verify(&vector.headers(), vector.body.as_bytes(), now());
                assert_eq!(verified, Err(Refused::Signature));
            }
        }
    }
}

#[test]
fn several_secrets_while_one_is_changed() {
    let both = hook(
        "",
        "secret = [\"file:second\", \"file:first\"]\nform = \"shopify\"",
    );
    let vector = &VECTORS[0];
    let body = vector.body.as_bytes();
    assert_eq!(both.verify(&vector.headers(), body, now()), Ok(()));
    let other = base64(&digest("another-secret-0123456789", &[body]));
    let headers = headers(&[(vector.header, &other)]);
    assert_eq!(both.verify(&headers, body, now()), Ok(()));
    assert_eq!(
        vector.hook().verify(&headers, body, now()),
        Err(Refused::Signature)
    );
}

#[test]
fn a_secret_that_proves_nothing_is_an_error_of_the_configuration() {
    for (webhook, words) in [
        ("secret = []", "names none"),
        ("secret = [\"file:empty\"]", "is empty"),
        ("secret = [\"file:first\", \"file:empty\"]", "is empty"),
        ("secret = [\"file:blank\"]", "is empty"),
        ("secret = [\"file:short\"]", "15 bytes"),
        ("secret = [\"file:gone\"]", "cannot be read"),
        ("form = \"square\"", "`url`"),
        (
            "form = \"square\"\nurl = \"http://sync.example/stock/till\"",
            "`https://`",
        ),
        ("form = \"shopify\"\ntrusted = true", "`trusted`"),
    ] {
        let (folder, source) = source("", webhook);
        let error = Hook::new(&source, folder.path(), &Limits::default()).unwrap_err();
        assert!(error.contains(words), "{webhook}: {error}");
        assert!(error.contains("`till`"), "{error}");
        assert!(!error.contains("123456789012345"), "{error}");
    }
}

#[test]
fn our_own_form_has_a_window() {
    let body = one_row("evt-1", "MUG-1", 5);
    let hook = hook("", "");
    let at = |seconds: i64| {
        let pairs = signed(body.as_bytes(), NOW + seconds);
        let pairs: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        hook.verify(&headers(&pairs), body.as_bytes(), now())
    };
    for seconds in [-300, -60, 0, 60, 300] {
        assert_eq!(at(seconds), Ok(()), "{seconds}");
    }
    for seconds in [-172_800, -301, 301, 172_800] {
        assert_eq!(at(seconds), Err(Refused::Late), "{seconds}");
    }
    // Signed, and no time.
    for time in [
        "-1795168800",
        "1795168800.5",
        "1795168800000",
        "now",
        "99999999999999999999",
        "0x6afe",
    ] {
        let signature = hex(&digest(SECRET, &[time.as_bytes(), b".", body.as_bytes()]));
        let signature = format!("sha256={signature}");
        let pairs = [
            ("x-shelfcast-timestamp", time),
            ("x-shelfcast-signature", &signature),
        ];
        assert_eq!(
            hook.verify(&headers(&pairs), body.as_bytes(), now()),
            Err(Refused::Late),
            "{time}"
        );
    }
}
