//! Addresses as people write them, and those that are refused.

use super::*;

fn of(to: To) -> Result<Address, ConfigError> {
    Address::of(&to)
}

fn url(text: &str) -> To {
    To {
        url: Some(text.to_owned()),
        ..To::default()
    }
}

fn path(text: &str) -> To {
    To {
        path: Some(text.to_owned()),
        ..To::default()
    }
}

#[test]
fn an_address_is_taken_apart() {
    let file = |name: &str| Naming::File(name.to_owned());
    for (text, scheme, host, folder, naming) in [
        (
            "sftp://u@h:2222/a/b.xml",
            Scheme::Sftp,
            "h",
            "/a/",
            file("b.xml"),
        ),
        (
            "sftp://h/a%20b/%C5%BC.xml",
            Scheme::Sftp,
            "h",
            "/a b/",
            file("ż.xml"),
        ),
        ("sftp://h/", Scheme::Sftp, "h", "/", Naming::Folder),
        ("sftp://h", Scheme::Sftp, "h", "/", Naming::Folder),
        (
            "ftps://h/b.csv.gz",
            Scheme::Ftps,
            "h",
            "/",
            file("b.csv.gz"),
        ),
        (
            "s3://bucket/a/b.xml",
            Scheme::S3,
            "bucket",
            "a/",
            file("b.xml"),
        ),
        ("s3://bucket/a/", Scheme::S3, "bucket", "a/", Naming::Folder),
        ("s3://bucket", Scheme::S3, "bucket", "", Naming::Folder),
        (
            "gs://my_bucket/b.xml",
            Scheme::Gs,
            "my_bucket",
            "",
            file("b.xml"),
        ),
        ("az://box/b.xml", Scheme::Az, "box", "", file("b.xml")),
        (
            "https://h/a/b.xml?x=y",
            Scheme::Http,
            "h",
            "/a/",
            file("b.xml"),
        ),
        (
            "https://h/a/../b/",
            Scheme::Http,
            "h",
            "/b/",
            Naming::Folder,
        ),
    ] {
        let address = of(url(text)).expect(text);
        assert_eq!(address.scheme, scheme, "{text}");
        assert_eq!(address.host, host, "{text}");
        assert_eq!(address.folder, folder, "{text}");
        assert_eq!(address.naming, naming, "{text}");
    }
    let address = of(url("sftp://u@h:2222/a")).expect("an address");
    assert_eq!(
        (address.user.as_deref(), address.port),
        (Some("u"), Some(2222))
    );
    for (text, folder, naming) in [
        ("/srv/www/", "/srv/www/", Naming::Folder),
        ("/srv/www/feed.xml", "/srv/www/", file("feed.xml")),
        ("out/", "out/", Naming::Folder),
        ("feed.xml", "", file("feed.xml")),
        (".", "./", Naming::Folder),
        ("out/..", "out/../", Naming::Folder),
    ] {
        let address = of(path(text)).expect(text);
        assert_eq!(
            (address.folder.as_str(), address.naming),
            (folder, naming),
            "{text}"
        );
        assert_eq!(address.shown, text);
    }
}

#[test]
fn an_address_is_shown_without_user_and_query() {
    let shown = |text: &str| of(url(text)).expect(text).shown;
    assert_eq!(shown("https://h/a.xml?token=CANARY"), "https://h/a.xml?…");
    assert_eq!(shown("sftp://CANARY@h/a.xml"), "sftp://h/a.xml");
}

#[test]
fn what_is_no_place_is_refused_without_repeating_secrets() {
    let both = To {
        path: Some("out/".to_owned()),
        ..url("https://h/")
    };
    let user_twice = To {
        user: Some("v".to_owned()),
        ..url("sftp://u@h/")
    };
    for (to, message) in [
        (To::default(), "neither `path` nor `url`"),
        (both, "both `path` and `url`"),
        (path(" "), "`path` is empty"),
        (path("https://h/"), "not an address"),
        (url("out/feed.xml"), "no address"),
        (url("file:///a"), "not taken"),
        (url("sftp://u:CANARY@h/"), "holds a password"),
        (url("https://:CANARY@h/"), "holds a password"),
        (url("s3://k:CANARY@bucket/a"), "holds a password"),
        (url("s3:///a"), "names no host"),
        (url("s3://bucket/a?x"), "`?`"),
        (url("sftp://h/a#b"), "`#`"),
        (url("sftp://h/%FF.xml"), "no text"),
        (url("sftp://h/a%00b"), "`..`"),
        (url("sftp://h/..%2Fa"), "`..`"),
        (user_twice, "in the address and in `user`"),
    ] {
        let error = of(to).expect_err(message);
        assert!(error.message.contains(message), "{error:?}");
        assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
    }
    let error = of(url("ftp://h/a")).expect_err("plain");
    assert!(error.hint.contains("`ftps://`"), "{error:?}");
    let error = of(url("sfpt://h/a")).expect_err("misspelt");
    assert_eq!(error.hint, "did you mean `sftp`?");
}

#[test]
fn a_key_that_does_nothing_is_refused() {
    let headers = To {
        headers: [("X".to_owned(), "y".to_owned())].into_iter().collect(),
        ..path("out/")
    };
    let region = To {
        region: Some("eu".to_owned()),
        ..url("https://h/a")
    };
    for (to, key) in [(headers, "headers"), (region, "region")] {
        let error = of(to).expect_err(key);
        assert!(
            error.message.starts_with(&format!("`{key}` does nothing")),
            "{error:?}"
        );
    }
}
