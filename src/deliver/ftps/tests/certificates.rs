//! Certificates that must be refused: vsftpd's with the wrong authorities, and those that a server of our own shows.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use suppaftp::tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use suppaftp::tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned, crypto};

use super::*;

#[test]
fn authorities_that_did_not_sign_the_certificate_let_nobody_in() {
    let Some(server) = Server::start() else {
        return;
    };
    for kind in [Kind::Explicit, Kind::Implicit] {
        for ca in [
            None,
            Some(server.folder.join("other-ca.pem").display().to_string()),
        ] {
            let to = To {
                ca,
                ..server.to(kind, "")
            };
            let error = send(&to).expect_err("refused");
            assert_eq!(error.recovery, Recovery::Abort, "{error:?}");
            assert!(
                error
                    .message
                    .contains("the certificate of 127.0.0.1 is refused"),
                "{error:?}"
            );
        }
    }
    for file in ["none.pem", "address"] {
        let to = To {
            ca: Some(server.folder.join(file).display().to_string()),
            ..server.to(Kind::Explicit, "")
        };
        let error = open(&to, Path::new("/")).err().expect("no authorities");
        assert!(error.message.contains(file), "{error:?}");
    }
}

/// A server that asks for TLS and shows this certificate; what it hears after that is kept. Its port.
fn showing(
    certificate: rcgen::CertificateParams,
    authority: &rcgen::Issuer<'_, rcgen::KeyPair>,
) -> (u16, Arc<Mutex<String>>) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = certificate.signed_by(&key, authority).expect("signed");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config =
        ServerConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a certificate");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let heard = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&heard);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let mut lines = BufReader::new(client.try_clone().expect("a socket"));
            let mut line = String::new();
            let mut told = client;
            if told.write_all(b"220 ready\r\n").is_err() || lines.read_line(&mut line).is_err() {
                continue;
            }
            assert_eq!(line, "AUTH TLS\r\n");
            told.write_all(b"234 go on\r\n").expect("told");
            let session = ServerConnection::new(Arc::clone(&config)).expect("a session");
            let mut lines = BufReader::new(StreamOwned::new(session, told));
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|read| read > 0) {
                kept.lock().expect("kept").push_str(&line);
                line.clear();
                if lines.get_mut().write_all(b"421 enough\r\n").is_err() {
                    break;
                }
            }
        }
    });
    (port, heard)
}

#[test]
fn a_certificate_for_another_name_or_time_is_refused_before_the_password() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).expect("signed").pem();
    let authority = rcgen::Issuer::new(params, key);
    std::fs::write(folder.path().join("ca.pem"), pem).expect("written");
    std::fs::write(folder.path().join("password"), "CANARY-5up3r-s3cret").expect("written");
    let to = |port: u16| To {
        url: Some(format!("ftps://u@localhost:{port}/")),
        password: Some(
            SecretRef::new(&format!(
                "file:{}",
                folder.path().join("password").display()
            ))
            .expect("a reference"),
        ),
        ca: Some(folder.path().join("ca.pem").display().to_string()),
        timeout: Some("5s".to_owned()),
        ..To::default()
    };
    let for_name =
        |name: &str| rcgen::CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    let mut over = for_name("localhost");
    over.not_before = rcgen::date_time_ymd(2001, 1, 1);
    over.not_after = rcgen::date_time_ymd(2002, 1, 1);
    for certificate in [for_name("elsewhere.example"), over] {
        let (port, heard) = showing(certificate, &authority);
        let error = send(&to(port)).expect_err("refused");
        assert_eq!(error.recovery, Recovery::Abort, "{error:?}");
        assert!(
            error
                .message
                .contains("the certificate of localhost is refused"),
            "{error:?}"
        );
        assert_eq!(*heard.lock().expect("heard"), "");
    }
    // the right one is taken: what comes next is heard
    let (port, heard) = showing(for_name("localhost"), &authority);
    send(&to(port)).expect_err("not much of a server");
    assert!(heard.lock().expect("heard").starts_with("PBSZ 0"));
}
