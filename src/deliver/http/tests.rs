//! HTTP by the suite, and what only a server on the web gets wrong.
#![expect(clippy::disallowed_methods, reason = "tests write what they like")]

mod guarded;

use super::super::server::{Answer, Dripping, Identity, Server};
use super::super::suite::{self, Place, QUICK, Staged, Trick, noise, soon};
use super::super::{Recovery, Role, deliver, open};
use super::*;
use crate::config::destination::SecretRef;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

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
fn a_server_that_hangs_up_or_never_ends_is_noticed() {
    // it takes the beginning of the file, and goes
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/f.bin", listener.local_addr().expect("bound"));
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        std::io::Read::read_exact(&mut stream, &mut [0; 2048]).expect("a beginning");
    });
    let error = Staged::new()
        .put(&mut *opened(&place(address)), "f.bin", &noise(8_000_000, 5))
        .expect_err("cut");
    assert!(
        matches!(error.recovery, Recovery::Retry { .. }),
        "{error:?}"
    );
    server.join().expect("ended");
    // it gives back more than was sent, and no more of it is read than that takes
    let server = Server::start();
    let more = || Answer::Say(200, Vec::new(), vec![b'a'; 5_000_000]);
    server.answer_looks((0..LOOKS).map(|_| more()));
    let error = tried(&server, b"aaaa").expect_err("more");
    assert!(error.message.contains("did not arrive whole"), "{error}");
}

#[test]
fn a_refusal_that_comes_before_the_file_is_heard() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/f.bin", listener.local_addr().expect("bound"));
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        std::io::Read::read_exact(&mut stream, &mut [0; 2048]).expect("a beginning");
        let says = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 8\r\n\r\ntoo much";
        std::io::Write::write_all(&mut stream, says).expect("said");
        // it hears the rest and keeps nothing, as servers do that want to be understood
        std::io::copy(&mut stream, &mut std::io::sink()).map_or(0, |rest| rest)
    });
    let error = Staged::new()
        .put(&mut *opened(&place(address)), "f.bin", &noise(8_000_000, 5))
        .expect_err("too much");
    assert_eq!(error.recovery, Recovery::Abort, "{error:?}");
    assert!(
        error.message.ends_with("413 Payload Too Large: too much"),
        "{error}"
    );
    server.join().expect("ended");
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
