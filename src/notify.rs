//! Tells somebody that a run did not end well: a program gets the summary on its standard input, or an address gets it by
//! POST. Bounded in time; a notification that fails is said and changes nothing else.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::config::project::Notify;
use crate::config::secret::Secret;

/// How long a program or an address may take.
pub const TIME_MAX: Duration = Duration::from_secs(20);

/// Tells it. `folder` is the project's, where the program runs and relative secrets' files lie.
///
/// # Errors
/// A message that names the program, or says that the address did not take it; never the address, which may be a secret.
pub fn tell(notify: &Notify, folder: &Path, summary: &serde_json::Value) -> Result<(), String> {
    let line = format!("{summary}\n");
    if let Some(words) = &notify.command {
        run(words, folder, line.as_bytes())?;
    }
    if let Some(url) = &notify.url {
        post(url, folder, &line)?;
    }
    Ok(())
}

fn run(words: &[String], folder: &Path, line: &[u8]) -> Result<(), String> {
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| "[notify] `command` names no program".to_owned())?;
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| format!("[notify] `{program}` cannot be started: {error}"))?;
    if let Some(mut input) = child.stdin.take() {
        // A program that does not read is asked for its exit code all the same.
        drop(input.write_all(line));
    }
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("[notify] `{program}` ended with {status}")),
            Ok(None) if started.elapsed() < TIME_MAX => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok(None) => {
                drop(child.kill());
                drop(child.wait());
                return Err(format!(
                    "[notify] `{program}` took more than {} seconds and was ended",
                    TIME_MAX.as_secs()
                ));
            }
            Err(error) => return Err(format!("[notify] `{program}`: {error}")),
        }
    }
}

fn post(url: &str, folder: &Path, line: &str) -> Result<(), String> {
    let secret;
    let address = if url.starts_with("env:") || url.starts_with("file:") {
        secret = Secret::resolve(url, folder)?;
        secret.expose()
    } else {
        url
    };
    let said = |what: &str| Err(format!("[notify] the address {what}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("[notify] {error}"))?;
    let sent = runtime.block_on(async {
        reqwest::Client::builder()
            .timeout(TIME_MAX)
            .redirect(reqwest::redirect::Policy::none())
            .build()?
            .post(address)
            .header("content-type", "application/json")
            .body(line.to_owned())
            .send()
            .await
    });
    match sent {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => said(&format!("answered {}", answer.status())),
        Err(error) if error.is_timeout() => said("did not answer in time"),
        Err(error) if error.is_builder() => said("is no address"),
        Err(_) => said("cannot be reached"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_program_gets_the_summary() {
        let folder = tempfile::tempdir().unwrap();
        let notify = Notify {
            command: Some(
                ["sh", "-c", "cat > said; test \"$0\" = a", "a"]
                    .map(str::to_owned)
                    .to_vec(),
            ),
            url: None,
        };
        tell(&notify, folder.path(), &serde_json::json!({"exit": 6})).unwrap();
        let mut said = String::new();
        std::fs::File::open(folder.path().join("said"))
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert_eq!(said, "{\"exit\":6}\n");
    }

    #[test]
    fn a_program_that_fails_or_is_not_there_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let fails = |words: &[&str]| {
            let notify = Notify {
                command: Some(words.iter().map(|&word| word.to_owned()).collect()),
                url: None,
            };
            tell(&notify, folder.path(), &serde_json::json!({})).unwrap_err()
        };
        assert!(fails(&["false"]).contains("ended with"));
        assert!(fails(&["no-such-program-here"]).contains("cannot be started"));
        assert!(fails(&[]).contains("names no program"));
    }

    #[test]
    fn an_address_gets_the_summary_and_is_never_shown() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut got = Vec::new();
            let mut buffer = [0; 4096];
            while !got.ends_with(b"{\"exit\":4}\n") {
                let read = stream.read(&mut buffer).unwrap();
                if read == 0 {
                    break;
                }
                got.extend_from_slice(&buffer[..read]);
            }
            stream
                .write_all(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n")
                .unwrap();
            String::from_utf8(got).unwrap()
        });
        let folder = tempfile::tempdir().unwrap();
        let notify = Notify {
            command: None,
            url: Some(format!("http://127.0.0.1:{port}/hook/CANARY")),
        };
        let error = tell(&notify, folder.path(), &serde_json::json!({"exit": 4})).unwrap_err();
        let got = server.join().unwrap();
        assert!(got.starts_with("POST /hook/CANARY"), "{got}");
        assert!(got.ends_with("{\"exit\":4}\n"), "{got}");
        assert!(
            error.contains("503") && !error.contains("CANARY"),
            "{error}"
        );
    }
}
