//! HTTP by the suite, and what only a server on the web gets wrong.

use super::super::server::{Answer, Dripping, Identity, Server};
use super::super::suite::{self, Place, QUICK, Staged, Trick, noise, soon};
use super::super::{Recovery, Role, deliver, open};
use super::*;

/// A place at an address, with a time-out that tests wait for.
fn place(url: impl Into<String>) -> To {
    To {
        url: Some(url.into()),
        timeout: Some("3s".to_owned()),
        ..To::default()
    }
}

fn opened(to: &To) -> Box<dyn Destination> {
    open(to, Path::new("/nowhere")).expect("an address")
}

/// A secret in a file, for a reference to it.
fn secret(folder: &Path, name: &str, value: &str) -> Option<SecretRef> {
    let path = folder.join(name);
    std::fs::write(&path, value).expect("written");
    Some(SecretRef::new(&format!("file:{}", path.display())).expect("a reference"))
}

struct Here(Server);

impl Place for Here {
    fn open(&self) -> Box<dyn Destination> {
        opened(&place(format!("{}/feeds/", self.0.address)))
    }

    fn read(&self, name: &str) -> Option<Vec<u8>> {
        self.0.read(&format!("/feeds/{name}"))
    }

    fn names(&self) -> Vec<String> {
        self.0
            .paths()
            .iter()
            .map(|path| {
                path.strip_prefix("/feeds/")
                    .expect("in the folder")
                    .to_owned()
            })
            .collect()
    }

    fn plant(&self, name: &str, bytes: &[u8]) {
        self.0.plant(&format!("/feeds/{name}"), bytes);
    }

    fn play(&self, trick: Trick) -> bool {
        self.0.answer([match trick {
            Trick::Cut(bytes) => Answer::Cut(usize::try_from(bytes).expect("small")),
            Trick::Spoil => Answer::Spoil,
            Trick::KeepOld => Answer::Ignore,
            Trick::Busy(after) => {
                let after = after.map(|wait| ("retry-after", wait.as_secs().to_string()));
                Answer::Say(429, after.into_iter().collect(), b"slow down".to_vec())
            }
            Trick::Refuse => Answer::Say(403, Vec::new(), b"go away".to_vec()),
            Trick::AnswerLost => Answer::KeepAndFail,
            Trick::Silence => Answer::Silence,
        }]);
        true
    }

    fn shows_damage(&self) -> bool {
        true
    }
}

#[test]
fn it_passes_the_suite() {
    suite::passes(|| Some(Here(Server::start())));
}

/// What one try at `/feed.xml` with these answers ends with.
fn tried(server: &Server, bytes: &[u8]) -> Result<Proof, DeliveryError> {
    let mut destination = opened(&place(format!("{}/feed.xml", server.address)));
    Staged::new().put(&mut *destination, "feed.xml", bytes)
}

#[test]
fn a_file_is_put_with_its_length_and_kind_and_fetched_again() {
    let server = Server::start();
    assert_eq!(tried(&server, b"<a/>"), Ok(Proof::ReadBack));
    let asked = server.asked();
    let shown: Vec<String> = asked
        .iter()
        .map(|asked| format!("{} {}", asked.method, asked.uri))
        .collect();
    assert_eq!(shown, ["PUT /feed.xml", "GET /feed.xml"]);
    assert_eq!(asked[0].headers["content-length"], "4");
    assert_eq!(asked[0].headers["content-type"], "application/xml");
    assert!(!asked[0].headers.contains_key("transfer-encoding"));
    assert_eq!(asked[1].headers["accept-encoding"], "identity");
    assert_eq!(asked[1].headers["cache-control"], "no-cache");
}

#[test]
fn line_ends_that_a_server_changes_are_noticed() {
    let server = Server::start();
    server.answer([Answer::LineEnds]);
    let error = tried(&server, b"a\nb\n").expect_err("changed");
    assert_eq!(
        error.message,
        "`feed.xml` did not arrive whole: 6 bytes stand there, 4 were sent"
    );
}

#[test]
fn a_server_that_stores_after_it_answers_is_given_a_moment() {
    let server = Server::start();
    server.plant("/feed.xml", b"old");
    server.answer([Answer::KeepLater(2)]);
    assert_eq!(tried(&server, b"new"), Ok(Proof::ReadBack));
    // and not for ever
    server.answer([Answer::KeepLater(100)]);
    let error = tried(&server, b"newer").expect_err("never stored");
    assert!(
        matches!(error.recovery, Recovery::Retry { .. }),
        "{error:?}"
    );
}

#[test]
fn what_is_not_given_back_is_declared() {
    let server = Server::start();
    let refuse = |status| Answer::Say(status, Vec::new(), Vec::new());
    for status in [401, 403, 405, 302, 501] {
        server.answer_looks([refuse(status)]);
        assert_eq!(tried(&server, b"<a/>"), Ok(Proof::AnswerOnly), "{status}");
    }
    let to = |read_back| To {
        read_back: Some(read_back),
        ..place(format!("{}/feed.xml", server.address))
    };
    server.answer_looks([refuse(405)]);
    let error = Staged::new()
        .put(&mut *opened(&to(true)), "feed.xml", b"<a/>")
        .expect_err("asked for");
    assert!(error.message.contains("not given back: 405"), "{error}");
    server.asked();
    let proof = Staged::new().put(&mut *opened(&to(false)), "feed.xml", b"<a/>");
    assert_eq!(proof, Ok(Proof::AnswerOnly));
    assert_eq!(server.asked().len(), 1);
    assert!(!opened(&to(false)).capabilities().read_back);
    assert!(!opened(&to(true)).capabilities().atomic);
}

#[test]
fn a_file_is_posted_to_the_address_as_it_is() {
    let server = Server::start();
    let to = To {
        method: Some(Method::Post),
        ..place(format!("{}/upload?shop=7&sig=x%2By", server.address))
    };
    let mut destination = opened(&to);
    assert_eq!(
        destination.address(),
        format!("{}/upload?…", server.address)
    );
    let staged = Staged::new();
    let parcels = [staged.parcel("feed.xml", b"<a/>", Role::Only)];
    let receipt = deliver(&mut *destination, &parcels, &[], &QUICK, &soon()).expect("sent");
    assert_eq!(receipt.files[0].proof, Proof::AnswerOnly);
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].method.as_str(), "POST");
    assert_eq!(asked[0].uri.to_string(), "/upload?shop=7&sig=x%2By");
    assert_eq!(asked[0].body.as_ref(), b"<a/>");
    let parts = [
        staged.parcel("a.xml", b"<a/>", Role::Part),
        staged.parcel("b.xml", b"<b/>", Role::Part),
    ];
    let error = deliver(&mut *destination, &parts, &[], &QUICK, &soon()).expect_err("two");
    assert!(error.message.contains("several files"), "{error}");
    assert_eq!(server.asked().len(), 0);
    assert!(!destination.capabilities().remove);
}

#[test]
fn a_busy_server_is_not_called_before_the_time_it_names() {
    let server = Server::start();
    let busy = |after: String| Answer::Say(503, vec![("retry-after", after)], Vec::new());
    let until = clock::now() + jiff::SignedDuration::from_secs(2);
    let date = until.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    server.answer([busy("1".to_owned()), busy(date)]);
    let mut destination = opened(&place(format!("{}/feed.xml", server.address)));
    let staged = Staged::new();
    let parcels = [staged.parcel("feed.xml", b"<a/>", Role::Only)];
    let second = Duration::from_secs(1);
    deliver(&mut *destination, &parcels, &[], &QUICK, &soon()).expect("sent");
    let asked = server.asked();
    assert!(asked[1].at - asked[0].at >= second);
    // a third try that comes too early would have been before that date
    assert!(asked[2].method.as_str() == "PUT" && asked[2].at > asked[1].at);
    // a wish beyond the deadline ends the run at once
    server.answer([busy("3600".to_owned())]);
    let deadline = Deadline::after(Duration::from_secs(60));
    let error = deliver(&mut *destination, &parcels, &[], &QUICK, &deadline).expect_err("too long");
    assert!(error.message.contains("left alone for 3600 s"), "{error}");
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_refusal_says_what_the_server_says_and_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start();
    let to = To {
        user: Some("shop".to_owned()),
        password: secret(folder.path(), "password", "CANARY-PASSWORD\n"),
        headers: [
            ("X-Api-Key".to_owned(), {
                secret(folder.path(), "header", "CANARY-HEADER");
                "file:header".to_owned()
            }),
            ("X-Kind".to_owned(), "feed".to_owned()),
        ]
        .into_iter()
        .collect(),
        ..place(format!("{}/feed.xml?sig=CANARY-QUERY", server.address))
    };
    let mut destination = open(&to, folder.path()).expect("an address");
    let basic = STANDARD.encode("shop:CANARY-PASSWORD");
    let echo = format!(
        "<h1>no\u{1b}[31m</h1> Basic {basic} CANARY-PASSWORD CANARY-HEADER CANARY-QUERY {}",
        "x".repeat(100_000)
    );
    server.answer([Answer::Say(400, Vec::new(), echo.into_bytes())]);
    let error = Staged::new()
        .put(&mut *destination, "feed.xml", b"<a/>")
        .expect_err("refused");
    let shown = format!("{error} {error:?} {}", destination.address());
    assert!(
        !shown.contains("CANARY") && !shown.contains(&basic),
        "{shown}"
    );
    assert!(
        error
            .message
            .contains("400 Bad Request: <h1>no [31m</h1> Basic [redacted]"),
        "{error}"
    );
    assert!(error.message.chars().count() < 300 && !error.message.contains('\u{1b}'));
    let asked = &server.asked()[0];
    assert_eq!(asked.headers["authorization"], format!("Basic {basic}"));
    assert_eq!(asked.headers["x-api-key"], "CANARY-HEADER");
    assert_eq!(asked.headers["x-kind"], "feed");
    // and when it works
    let staged = Staged::new();
    let parcels = [staged.parcel("feed.xml", b"<a/>", Role::Only)];
    let receipt = deliver(&mut *destination, &parcels, &[], &QUICK, &soon()).expect("sent");
    let written = serde_json::to_string(&receipt).expect("json");
    assert!(
        !format!("{receipt:?}{written}{to:?}").contains("CANARY-"),
        "{written}"
    );
}

#[test]
fn redirects_stay_at_the_host_and_take_no_credentials_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, elsewhere) = (Server::start(), Server::start());
    let to = To {
        token: secret(folder.path(), "token", "CANARY-TOKEN"),
        ..place(format!("{}/feed.xml", server.address))
    };
    let moved =
        |status, to: &str| Answer::Say(status, vec![("location", to.to_owned())], Vec::new());
    let put = || {
        let mut destination = open(&to, folder.path()).expect("an address");
        Staged::new().put(&mut *destination, "feed.xml", &noise(70_000, 3))
    };
    let away = format!("{}/x?token=CANARY-TOKEN", elsewhere.address);
    for status in [301, 302, 303, 307, 308] {
        server.answer([moved(status, &away)]);
        let error = put().expect_err("elsewhere");
        assert_eq!(error.recovery, Recovery::Abort);
        assert!(
            error.message.contains("redirects to another place"),
            "{error}"
        );
        assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
    }
    assert_eq!(elsewhere.asked().len(), 0);
    server.asked();
    // on the same host, with the whole body again
    server.answer([moved(307, "/a"), moved(308, "/b")]);
    assert!(
        put().is_err(),
        "the file does not stand where it was to stand"
    );
    assert!(server.read("/b") == Some(noise(70_000, 3)));
    assert_eq!(
        server.asked()[2].headers["authorization"],
        "Bearer CANARY-TOKEN"
    );
    // a redirect that takes no file along, and ones without an end
    server.answer([moved(302, "/a")]);
    assert!(
        put()
            .expect_err("302")
            .message
            .contains("does not take a file along")
    );
    server.answer((0..10).map(|_| moved(307, "/feed.xml")));
    let error = put().expect_err("endless");
    assert!(error.message.contains("more than 3 times"), "{error}");
    // what is fetched again follows nowhere
    let server = Server::start();
    server.answer_looks([moved(302, &away)]);
    assert_eq!(tried(&server, b"<a/>"), Ok(Proof::AnswerOnly));
    assert_eq!(elsewhere.asked().len(), 0);
}

#[test]
fn a_certificate_that_is_not_trusted_ends_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (right, wrong) = (
        Identity::of(&["127.0.0.1"]),
        Identity::of(&["feeds.example"]),
    );
    let trust = |identity: &Identity| {
        std::fs::write(folder.path().join("ca.pem"), &identity.pem).expect("written");
        Some("ca.pem".to_owned())
    };
    let put = |server: &Server, ca: Option<String>| {
        let to = To {
            ca,
            // the certificate is looked at slowly where both cores build
            timeout: Some("20s".to_owned()),
            ..place(format!("{}/feed.xml", server.address))
        };
        let mut destination = open(&to, folder.path()).expect("an address");
        Staged::new().put(&mut *destination, "feed.xml", b"<a/>")
    };
    let server = Server::start_as(Some(&right));
    for ca in [None, trust(&wrong)] {
        let error = put(&server, ca).expect_err("unknown");
        assert_eq!(error.recovery, Recovery::Abort, "{error:?}");
        assert!(
            error
                .message
                .starts_with("the server is not who it must be"),
            "{error}"
        );
    }
    assert_eq!(server.asked().len(), 0);
    assert_eq!(put(&server, trust(&right)), Ok(Proof::ReadBack));
    // trusted, and for another name
    let server = Server::start_as(Some(&wrong));
    let error = put(&server, trust(&wrong)).expect_err("another name");
    assert_eq!(error.recovery, Recovery::Abort, "{error:?}");
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn slow_servers_end_by_silence_or_by_the_deadline() {
    // a head that never ends
    let server = Dripping::start("HTTP/1.1 200 OK\r\nX: ");
    let to = To {
        timeout: Some("200ms".to_owned()),
        ..place(format!("{}/feed.xml", server.address))
    };
    let mut destination = opened(&to);
    let error = Staged::new()
        .put(&mut *destination, "feed.xml", b"<a/>")
        .expect_err("no end");
    assert!(error.message.starts_with("nothing moved for"), "{error}");
    // a body that never ends, never silent for long
    let server = Dripping::start("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    let mut destination = opened(&place(format!("{}/feed.xml", server.address)));
    let deadline = Deadline::after(Duration::from_millis(700));
    let error = destination
        .stands("feed.xml", &deadline)
        .expect_err("no end");
    assert!(error.message.contains("deadline"), "{error}");
    // a refusal that never ends is still that refusal
    let server = Dripping::start("HTTP/1.1 403 Forbidden\r\nContent-Length: 1000000\r\n\r\nno ");
    let mut destination = opened(&place(format!("{}/feed.xml", server.address)));
    let error = destination
        .remove("feed.xml", &soon())
        .expect_err("refused");
    assert_eq!(error.recovery, Recovery::Abort);
}

#[test]
fn nobody_at_the_address_may_pass() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/f.xml", listener.local_addr().expect("bound"));
    drop(listener);
    let mut destination = opened(&place(address));
    let error = Staged::new()
        .put(&mut *destination, "f.xml", b"<a/>")
        .expect_err("nobody");
    assert!(
        matches!(error.recovery, Recovery::Retry { .. }),
        "{error:?}"
    );
    assert!(
        error.message.starts_with("the server cannot be reached"),
        "{error}"
    );
}

#[test]
fn what_cannot_be_safe_is_refused_before_anyone_is_called() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = |value: &str| secret(folder.path(), "s", value);
    let url = || place("https://feeds.example/f.xml");
    let header = |name: &str, value: &str| To {
        headers: [(name.to_owned(), value.to_owned())].into_iter().collect(),
        ..url()
    };
    let cases: [(To, &str); 14] = [
        (place("http://feeds.example/f.xml"), "unprotected"),
        (
            place("https://u:CANARY@feeds.example/f.xml"),
            "holds a password",
        ),
        (place("https://"), "no address"),
        (place("ftp://feeds.example/f.xml"), "no scheme"),
        (place("htps://feeds.example/f.xml"), "no scheme"),
        (place("https://feeds.example/f.xml#a"), "`#`"),
        (header("Authorization", "Bearer CANARY"), "holds a secret"),
        (header("X-Api-Key", "CANARY"), "holds a secret"),
        (header("bad header", "x"), "no header"),
        (header("X-A", "env:SHELFCAST_TEST_NOT_SET"), "not set"),
        (
            To {
                password: key("CANARY"),
                ..url()
            },
            "no `user`",
        ),
        (
            To {
                user: Some("u".to_owned()),
                ..url()
            },
            "no `password`",
        ),
        (
            To {
                token: key("CAN\nARY"),
                ..url()
            },
            "cannot hold",
        ),
        (
            To {
                ca: Some("none.pem".to_owned()),
                ..url()
            },
            "none.pem",
        ),
    ];
    for (to, message) in cases {
        let Err(error) = open(&to, folder.path()) else {
            panic!("{message} is not refused");
        };
        assert!(error.message.contains(message), "{error:?}");
        assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
    }
    let allowed = To {
        allow_http: true,
        ..place("http://feeds.example/f.xml")
    };
    assert!(open(&allowed, folder.path()).is_ok());
}
