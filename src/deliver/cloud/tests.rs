//! Stores by the suite: a real S3-compatible server where one is named by the environment, and a server of our own that
//! misbehaves.
#![expect(clippy::disallowed_methods, reason = "tests write what they like")]

use std::sync::atomic::{AtomicU32, Ordering};

mod real;

use super::super::server::{Answer, Identity, Server};
use super::super::suite::{self, Place, QUICK, Staged, Trick, noise, soon};
use super::super::{Recovery, Role, deliver, open};
use super::*;
use crate::config::destination::SecretRef;

const NOWHERE: &str = "/nowhere";

/// Files with secrets, for references to them.
fn secrets() -> (tempfile::TempDir, impl Fn(&str) -> Option<SecretRef>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_owned();
    let number = AtomicU32::new(0);
    let make = move |value: &str| {
        let path = path.join(number.fetch_add(1, Ordering::Relaxed).to_string());
        std::fs::write(&path, value).expect("written");
        Some(SecretRef::new(&format!("file:{}", path.display())).expect("a reference"))
    };
    (folder, make)
}

fn place(url: &str, endpoint: &str) -> (tempfile::TempDir, To) {
    let (folder, secret) = secrets();
    let to = To {
        url: Some(url.to_owned()),
        endpoint: Some(endpoint.to_owned()),
        access_key: secret("CANARY-ACCESS"),
        secret_key: secret("CANARY-SECRET"),
        timeout: Some("3s".to_owned()),
        ..To::default()
    };
    (folder, to)
}

fn store(to: &To) -> Store {
    let address = Address::of(to).expect("an address");
    Store::open(to, address, Path::new(NOWHERE)).expect("a store")
}

/// The misbehaving one.
struct Fake {
    server: Server,
    to: To,
    _folder: tempfile::TempDir,
}

impl Fake {
    fn new() -> Self {
        let server = Server::start();
        let (folder, to) = place("s3://bucket/feeds/", &server.address);
        Fake {
            server,
            to,
            _folder: folder,
        }
    }
}

impl Place for Fake {
    fn open(&self) -> Box<dyn Destination> {
        let mut store = store(&self.to);
        // it takes no parts
        store.part_bytes = u64::MAX;
        Box::new(store)
    }

    fn read(&self, name: &str) -> Option<Vec<u8>> {
        self.server.read(&format!("/bucket/feeds/{name}"))
    }

    fn names(&self) -> Vec<String> {
        let strip = |path: &String| {
            path.strip_prefix("/bucket/feeds/")
                .expect("there")
                .to_owned()
        };
        self.server.paths().iter().map(strip).collect()
    }

    fn plant(&self, name: &str, bytes: &[u8]) {
        self.server.plant(&format!("/bucket/feeds/{name}"), bytes);
    }

    fn play(&self, trick: Trick) -> bool {
        self.server.answer([match trick {
            Trick::Cut(bytes) => Answer::Cut(usize::try_from(bytes).expect("small")),
            Trick::Spoil => Answer::Spoil,
            Trick::KeepOld => return false,
            Trick::Busy(after) => {
                let after = after.map(|wait| ("retry-after", wait.as_secs().to_string()));
                Answer::Say(503, after.into_iter().collect(), Vec::new())
            }
            Trick::Refuse => Answer::Say(403, Vec::new(), Vec::new()),
            Trick::AnswerLost => Answer::KeepAndFail,
            Trick::Silence => Answer::Silence,
        }]);
        true
    }

    fn shows_damage(&self) -> bool {
        // a store that has checksums and does not look at them
        true
    }
}

#[test]
fn a_misbehaving_store_passes_the_suite() {
    suite::passes(|| Some(Fake::new()));
}

#[test]
fn a_sha256_and_the_kind_go_with_the_file() {
    let fake = Fake::new();
    Staged::new()
        .put(&mut *fake.open(), "feed.xml", b"<a/>")
        .expect("sent");
    let asked = fake.server.asked();
    let put = &asked[0];
    assert_eq!(put.headers["content-type"], "application/xml");
    // of `<a/>`, in base64
    let digest = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        Sha256::digest(b"<a/>"),
    );
    assert_eq!(put.headers["x-amz-checksum-sha256"], digest.as_str());
    assert!(
        put.headers["authorization"]
            .to_str()
            .expect("text")
            .starts_with("AWS4-HMAC-SHA256")
    );
}

#[test]
fn a_store_that_knows_no_checksums_is_sent_none() {
    let fake = Fake::new();
    fake.server
        .answer([Answer::Say(501, Vec::new(), Vec::new())]);
    let mut destination = fake.open();
    for _ in 0..2 {
        let proof = Staged::new().put(&mut *destination, "feed.xml", b"<a/>");
        assert_eq!(proof, Ok(Proof::ReadBack));
    }
    let summed: Vec<bool> = fake
        .server
        .asked()
        .iter()
        .filter(|asked| asked.method.as_str() == "PUT")
        .map(|asked| asked.headers.contains_key("x-amz-checksum-sha256"))
        .collect();
    assert_eq!(summed, [true, false, false]);
    // what is refused without them too was refused for another reason
    let fake = Fake::new();
    let refuse = || Answer::Say(400, Vec::new(), Vec::new());
    fake.server.answer([refuse(), refuse()]);
    let mut destination = fake.open();
    Staged::new()
        .put(&mut *destination, "feed.xml", b"<a/>")
        .expect_err("refused");
    fake.server.asked();
    Staged::new()
        .put(&mut *destination, "feed.xml", b"<a/>")
        .expect("sent");
    assert!(
        fake.server.asked()[0]
            .headers
            .contains_key("x-amz-checksum-sha256")
    );
}

#[test]
fn credentials_that_may_not_read_are_declared() {
    let fake = Fake::new();
    fake.server
        .answer_looks([Answer::Say(403, Vec::new(), Vec::new())]);
    let proof = Staged::new().put(&mut *fake.open(), "feed.xml", b"<a/>");
    assert_eq!(proof, Ok(Proof::AnswerOnly));
}

#[test]
fn secrets_are_in_nothing_that_a_store_says() {
    let fake = Fake::new();
    let echo = "<?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code><Message>no CANARY-SECRET</Message>\
        <AWSAccessKeyId>CANARY-ACCESS</AWSAccessKeyId><StringToSign>x</StringToSign></Error>";
    let say = |status| Answer::Say(status, Vec::new(), echo.as_bytes().to_vec());
    // a 400 is asked again without checksums
    fake.server
        .answer([say(403), say(400), say(400), say(301), say(500), say(200)]);
    let mut destination = fake.open();
    for expected in [
        "403 Forbidden: SignatureDoesNotMatch: no [redacted]",
        "400 Bad Request",
        "301 Moved Permanently",
        "500 Internal Server Error",
    ] {
        let error = Staged::new()
            .put(&mut *destination, "feed.xml", b"<a/>")
            .expect_err("refused");
        assert!(error.message.contains(expected), "{error}");
        let shown = format!("{error} {error:?} {} {:?}", destination.address(), fake.to);
        assert!(!shown.contains("CANARY"), "{shown}");
    }
    let staged = Staged::new();
    let parcels = [staged.parcel("feed.xml", b"<a/>", Role::Only)];
    let receipt = deliver(&mut *destination, &parcels, &[], &QUICK, &soon()).expect("sent");
    assert!(!format!("{receipt:?}").contains("CANARY"));
}

#[test]
fn redirects_and_wrong_certificates_end_it() {
    let (fake, elsewhere) = (Fake::new(), Server::start());
    let location = ("location", format!("{}/x", elsewhere.address));
    fake.server
        .answer([Answer::Say(307, vec![location], Vec::new())]);
    let error = Staged::new()
        .put(&mut *fake.open(), "feed.xml", b"<a/>")
        .expect_err("elsewhere");
    assert_eq!(error.recovery, Recovery::Abort, "{error:?}");
    assert_eq!(elsewhere.asked().len(), 0);

    let identity = Identity::of(&["127.0.0.1"]);
    let server = Server::start_as(Some(&identity));
    let (folder, to) = place("s3://bucket/feed.xml", &server.address);
    let to = To {
        timeout: Some("20s".to_owned()),
        ..to
    };
    let error = Staged::new()
        .put(&mut store(&to), "feed.xml", b"<a/>")
        .expect_err("unknown");
    assert_eq!(error.recovery, Recovery::Abort, "{error:?}");
    assert!(
        error
            .message
            .starts_with("the server is not who it must be"),
        "{error}"
    );
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, &identity.pem).expect("written");
    let to = To {
        ca: Some(ca.display().to_string()),
        ..to
    };
    let proof = Staged::new().put(&mut store(&to), "feed.xml", b"<a/>");
    assert_eq!(proof, Ok(Proof::ReadBack));
}

#[test]
fn google_and_azure_are_asked_in_their_own_words() {
    let server = Server::start();
    let (_folder, secret) = secrets();
    let base = |url: &str| To {
        url: Some(url.to_owned()),
        endpoint: Some(server.address.clone()),
        timeout: Some("2s".to_owned()),
        ..To::default()
    };
    let google = To {
        token: secret("CANARY-TOKEN"),
        ..base("gs://bucket/feeds/feed.xml")
    };
    let azure = To {
        account: Some("shop".to_owned()),
        token: secret("?sv=2022&sig=CANARY-SIG%3D"),
        ..base("az://bucket/feeds/feed.xml")
    };
    for to in [&google, &azure] {
        // what these fakes do not say (dates, tags) the library asks for: what counts is what was sent
        let put = Staged::new().put(&mut store(to), "feed.xml", b"<a/>");
        assert!(!format!("{put:?}").contains("CANARY"), "{put:?}");
    }
    let asked = server.asked();
    let put = |word: &str| {
        asked
            .iter()
            .find(|asked| asked.method.as_str() == "PUT" && asked.uri.to_string().contains(word))
            .unwrap_or_else(|| panic!("{word}: {asked:?}"))
    };
    assert_eq!(
        put("/bucket/feeds%2Ffeed%2Exml").headers["authorization"],
        "Bearer CANARY-TOKEN"
    );
    assert_eq!(put("sig=").body.as_ref(), b"<a/>");
    assert_eq!(put("sig=").headers["x-ms-blob-type"], "BlockBlob");
}

#[test]
fn what_a_store_needs_is_asked_for_by_its_name() {
    let (folder, secret) = secrets();
    let to = |url: &str| To {
        url: Some(url.to_owned()),
        ..To::default()
    };
    let s3 = || To {
        access_key: secret("CANARY"),
        secret_key: secret("CANARY"),
        ..to("s3://bucket/feed.xml")
    };
    let with = |endpoint: &str| To {
        endpoint: Some(endpoint.to_owned()),
        ..s3()
    };
    let cases: [(To, &str); 12] = [
        (to("s3://bucket/feed.xml"), "`access_key` is missing"),
        (
            To {
                access_key: secret("CANARY"),
                ..to("s3://bucket/f")
            },
            "`secret_key` is missing",
        ),
        (s3(), "`region` is missing"),
        (with("http://store.example"), "unprotected"),
        (with("https://u:CANARY@store.example"), "more than a host"),
        (with("ftp://store.example"), "no `https://` address"),
        (to("gs://bucket/f.xml"), "`key` is missing"),
        (
            To {
                key: secret("{\"CANARY\": 1}"),
                ..to("gs://bucket/f.xml")
            },
            "cannot be opened",
        ),
        (to("az://box/f.xml"), "`account` is missing"),
        (
            To {
                account: Some("a".to_owned()),
                ..to("az://box/f.xml")
            },
            "`access_key` is missing",
        ),
        (
            To {
                url: Some("s3://bucket/a//f.xml".to_owned()),
                region: Some("x".to_owned()),
                ..s3()
            },
            "no key",
        ),
        (
            To {
                method: Some(crate::config::destination::Method::Put),
                ..s3()
            },
            "`method` does nothing",
        ),
    ];
    for (to, message) in cases {
        let Err(error) = open(&to, folder.path()) else {
            panic!("{message} is not refused");
        };
        assert!(error.message.contains(message), "{error:?}");
        assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
    }
    let region = To {
        region: Some("eu-central-1".to_owned()),
        ..s3()
    };
    assert!(open(&region, folder.path()).is_ok());
}
