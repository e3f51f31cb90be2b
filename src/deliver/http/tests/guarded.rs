//! Credentials stay at home: refusals, redirects, certificates, and what is not called at all.

use super::*;

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
