//! Fetching from a small server on this machine that answers as it is told to.
#![expect(
    clippy::disallowed_methods,
    reason = "tests write what they like, and are told where real data lies"
)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::*;

/// Answers each request with the next of its answers, and keeps what it was asked.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answers: Vec<Vec<u8>>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().expect("a request");
                let request = request(&mut stream);
                kept.lock().expect("kept").push(request);
                stream.write_all(&answer).expect("answered");
            }
        });
        Server { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("kept").clone()
    }
}

fn request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).expect("read") > 0 {
        request.push(byte[0]);
    }
    String::from_utf8(request).expect("text").to_lowercase()
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn file(headers: &str, body: &str) -> Vec<u8> {
    let headers = format!("Content-Length: {}\r\n{headers}", body.len());
    answer("200 OK", &headers, body.as_bytes())
}

struct Setting {
    _folder: tempfile::TempDir,
    options: RemoteOptions,
}

fn setting() -> Setting {
    let folder = tempfile::tempdir().expect("a folder");
    let options = RemoteOptions::new(folder.path().join("cache"));
    Setting {
        _folder: folder,
        options,
    }
}

fn read(input: Input) -> String {
    let mut text = String::new();
    let mut reader = input.reader;
    reader.read_to_string(&mut text).expect("whole");
    text
}

fn refused(answers: Vec<Vec<u8>>) -> SourceError {
    let server = Server::start(answers);
    let setting = setting();
    fetch(&format!("{}/a.csv", server.address), &setting.options).expect_err("refused")
}

#[test]
fn a_file_is_fetched_once_and_then_only_asked_for() {
    let unchanged = answer("304 Not Modified", "", b"");
    let server = Server::start(vec![
        file(
            "ETag: \"v1\"\r\nLast-Modified: Sun, 22 Nov 2026 10:00:00 GMT\r\n",
            "a,b\n",
        ),
        unchanged,
        file("", "c,d\n"),
        file("", "e,f\n"),
    ]);
    let address = format!("{}/a.csv?token=secret", server.address);
    let Setting { options, _folder } = setting();
    let open = || super::open(&address, &options, &InputOptions::default()).expect("fetched");
    let input = open();
    assert_eq!(input.name, format!("{}/a.csv?…", server.address));
    assert_eq!(input.size_bytes, Some(4));
    assert_eq!(read(input), "a,b\n");
    let input = open();
    assert_eq!(
        input.remarks,
        ["the file has not changed since it was last fetched"]
    );
    assert_eq!(read(input), "a,b\n");
    assert_eq!(read(open()), "c,d\n");
    // the third copy came without marks: nothing is asked conditionally
    assert_eq!(read(open()), "e,f\n");
    let asked = server.asked();
    assert!(
        asked[0].starts_with("get /a.csv?token=secret"),
        "{}",
        asked[0]
    );
    assert!(!asked[0].contains("if-none-match"), "{}", asked[0]);
    assert!(asked[1].contains("if-none-match: \"v1\""), "{}", asked[1]);
    assert!(
        asked[1].contains("if-modified-since: sun, 22 nov 2026"),
        "{}",
        asked[1]
    );
    assert!(!asked[3].contains("if-none-match"), "{}", asked[3]);
}

#[cfg(unix)]
#[test]
fn copies_are_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let server = Server::start(vec![file("ETag: \"v\"\r\n", "a,b\n")]);
    let Setting { options, _folder } = setting();
    fetch(&server.address, &options).expect("fetched");
    let mut files = 0;
    for entry in std::fs::read_dir(&options.cache).expect("a folder") {
        let mode = entry
            .expect("a file")
            .metadata()
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        files += 1;
    }
    assert_eq!(files, 2);
}

#[test]
fn a_copy_that_was_touched_is_fetched_anew() {
    let server = Server::start(vec![file("ETag: \"v\"\r\n", "a,b\n"), file("", "c,d\n")]);
    let Setting { options, _folder } = setting();
    let fetched = fetch(&server.address, &options).expect("fetched");
    std::fs::write(&fetched.path, "half").expect("touched");
    std::fs::write(&fetched.path, "ha").expect("touched");
    assert!(!fetch(&server.address, &options).expect("fetched").unchanged);
    assert!(!server.asked()[1].contains("if-none-match"));
}

#[test]
fn a_short_body_is_not_whole_and_the_old_copy_stays() {
    let cut = answer(
        "200 OK",
        "Content-Length: 100\r\nETag: \"v2\"\r\n",
        b"a,b\n1,2\n",
    );
    let server = Server::start(vec![
        file("ETag: \"v1\"\r\n", "a,b\n"),
        cut,
        answer("304 Not Modified", "", b""),
    ]);
    let Setting { options, _folder } = setting();
    fetch(&server.address, &options).expect("fetched");
    let error = fetch(&server.address, &options).expect_err("cut");
    assert_eq!(error.problem, SourceProblem::NotWhole);
    assert!(
        error
            .message
            .starts_with("the file broke off before its end"),
        "{error}"
    );
    let fetched = fetch(&server.address, &options).expect("the old copy");
    assert!(fetched.unchanged && server.asked()[2].contains("if-none-match: \"v1\""));
    assert_eq!(std::fs::read(&fetched.path).expect("there"), b"a,b\n");
    let chunked = "Transfer-Encoding: chunked\r\n";
    let error = refused(vec![answer("200 OK", chunked, b"5\r\na,b\n1\r\n")]);
    assert_eq!(error.problem, SourceProblem::NotWhole);
}

#[test]
fn a_body_of_unknown_length_is_remarked_on() {
    let server = Server::start(vec![answer("200 OK", "", b"a,b\n")]);
    let Setting { options, _folder } = setting();
    let fetched = fetch(&server.address, &options).expect("fetched");
    assert!(
        fetched.remarks[0].contains("a cut cannot be noticed"),
        "{:?}",
        fetched.remarks
    );
}

#[test]
fn packed_bodies_are_unpacked_with_their_checksum() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all("a,ż\n".as_bytes()).expect("packed");
    let mut packed = packer.finish().expect("packed");
    let headers = format!(
        "Content-Encoding: gzip\r\nContent-Length: {}\r\n",
        packed.len()
    );
    let whole = answer("200 OK", &headers, &packed);
    let at = packed.len() - 8;
    packed[at] ^= 1;
    let server = Server::start(vec![whole, answer("200 OK", &headers, &packed)]);
    let Setting { options, _folder } = setting();
    let open = || super::open(&server.address, &options, &InputOptions::default());
    assert_eq!(read(open().expect("fetched")), "a,ż\n");
    let read = open().and_then(|mut input| {
        let read = input.reader.read_to_end(&mut Vec::new());
        read.map_err(|error| input::read_error("a", error))
    });
    assert!(read.expect_err("damaged").message.contains("damaged"));
}

#[test]
fn answers_without_a_file_say_what_to_do() {
    for (status, problem, hint) in [
        ("404 Not Found", SourceProblem::Missing, "check the address"),
        ("403 Forbidden", SourceProblem::Missing, "credentials"),
        (
            "503 Service Unavailable",
            SourceProblem::Missing,
            "run again later",
        ),
        ("206 Partial Content", SourceProblem::NotWhole, "whole file"),
    ] {
        let error = refused(vec![answer(status, "Content-Length: 0\r\n", b"")]);
        assert_eq!(error.problem, problem, "{error}");
        assert!(error.message.contains(status), "{error}");
        assert!(error.hint.contains(hint), "{}", error.hint);
    }
    let server = Server::start(vec![file("", "<!DOCTYPE html><title>Log in</title>")]);
    let Setting { options, _folder } = setting();
    let error = super::open(&server.address, &options, &InputOptions::default());
    assert!(error.expect_err("a page").message.contains("HTML page"));
}

#[test]
fn long_and_slow_bodies_are_given_up() {
    let server = Server::start(vec![
        file("", &"a".repeat(2000)),
        answer("200 OK", "", &[b'a'; 2000]),
    ]);
    let Setting {
        mut options,
        _folder,
    } = setting();
    options.bytes_max = 1000;
    for _ in 0..2 {
        let error = fetch(&server.address, &options).expect_err("too long");
        assert_eq!(error.message, "the file is longer than 1000 bytes");
    }
    // a server that takes the connection and says nothing
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    options.idle_timeout = Duration::from_millis(50);
    let address = format!("http://{}/", listener.local_addr().expect("bound"));
    let error = fetch(&address, &options).expect_err("silent");
    assert_eq!(error.message, "nobody answered in time");
    assert_eq!(error.problem, SourceProblem::Missing);
}

#[test]
fn redirects_are_few_and_keep_credentials_at_home() {
    let elsewhere = Server::start(vec![file("", "a,b\n")]);
    let moved = |to: &str| {
        answer(
            "302 Found",
            &format!("Location: {to}\r\nContent-Length: 0\r\n"),
            b"",
        )
    };
    let server = Server::start(vec![
        moved("/b"),
        moved(&format!("{}/c", elsewhere.address)),
    ]);
    let Setting { options, _folder } = setting();
    let address = server.address.replace("http://", "http://user:word@");
    let fetched = fetch(&address, &options).expect("fetched");
    assert!(!fetched.name.contains("word"), "{}", fetched.name);
    let asked = server.asked();
    assert!(asked[0].contains("authorization: basic") && asked[1].contains("authorization: basic"));
    assert!(!elsewhere.asked()[0].contains("authorization"));
    assert!(!elsewhere.asked()[0].contains("referer"));
    let error = refused(vec![moved("/1"), moved("/2"), moved("/3"), moved("/4")]);
    assert!(error.message.contains("more than 3 redirects"), "{error}");
    let error = refused(vec![moved("http://shop.example/a.csv")]);
    assert!(error.message.contains("unprotected"), "{error}");
    assert_eq!(error.problem, SourceProblem::NotWhole);
}

#[test]
fn unsafe_addresses_are_not_asked() {
    let Setting { options, _folder } = setting();
    for (address, message) in [
        ("http://shop.example/a.csv", "unprotected"),
        (
            "ftp://shop.example/a.csv",
            "`ftp://` addresses cannot be fetched",
        ),
        ("https://", "not an address"),
    ] {
        let error = fetch(address, &options).expect_err("unsafe");
        assert_eq!(error.problem, SourceProblem::Configuration);
        assert!(error.message.contains(message), "{error}");
    }
    assert!(is_address("https://a/b") && !is_address("catalog/a.csv"));
}

#[test]
fn a_server_that_is_not_there_is_missing() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/", listener.local_addr().expect("bound"));
    drop(listener);
    let Setting { options, _folder } = setting();
    let error = fetch(&address, &options).expect_err("nobody");
    assert_eq!(error.problem, SourceProblem::Missing);
    assert!(error.message.starts_with("cannot be reached"), "{error}");
}
