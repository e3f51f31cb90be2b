#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests write what they like, and say what they skipped"
)]
//! What the state promises, tried out.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use std::io::Read;

use super::*;

mod cleaning;
mod damage;
#[cfg(unix)]
mod disk;
#[cfg(unix)]
mod doctored;
#[cfg(unix)]
mod kills;
mod locks;
mod model;
#[cfg(unix)]
mod synced;

/// A moment, so many seconds after the first.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + seconds).expect("a moment")
}

/// A feed's document and item log as the engine would leave them.
pub(super) fn rendered(folder: &Path, text: &str) -> (Vec<StagedFile>, PathBuf) {
    std::fs::create_dir_all(folder).expect("a folder");
    let path = folder.join("web.xml");
    std::fs::write(&path, text).expect("written");
    let log = folder.join("items.log");
    std::fs::write(&log, format!("log of {text}")).expect("written");
    let staged = StagedFile {
        name: "web.xml".to_owned(),
        path,
        bytes: text.len() as u64,
        sha256: sha256(text.as_bytes()),
        items: 3,
        role: Role::Only,
    };
    (vec![staged], log)
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    store::hex(&Sha256::digest(bytes))
}

pub(super) fn version<'v>(feed: &'v str, files: &'v [StagedFile], log: &'v Path) -> NewVersion<'v> {
    NewVersion {
        feed,
        channel: "google-products",
        files,
        items_log: Some(log),
        bodies: None,
        counts: Counts {
            read: 5,
            filtered: 1,
            withheld: 1,
            written: 3,
            warnings: 0,
        },
        source_digests: vec![SourceDigest {
            name: "products".to_owned(),
            digest: "ab".to_owned(),
        }],
        configuration_digest: "cd",
        engine: "shelfcast 0",
        now: at(0),
        at: at(1),
        who: "ann",
        plan: None,
        overrides: Vec::new(),
        destinations: vec!["/srv/feeds".to_owned()],
    }
}

pub(super) fn receipt_of(destination: &str) -> Receipt {
    Receipt {
        destination: destination.to_owned(),
        files: vec![ReceiptFile {
            name: "web.xml".to_owned(),
            bytes: 3,
            sha256: "ef".to_owned(),
            proof: "read-back".to_owned(),
        }],
        at: at(2),
    }
}

/// Records, delivers and publishes a text as the feed's next version.
pub(super) fn publish(state: &State, project: &Path, feed: &str, text: &str) -> u64 {
    let lock = state
        .lock_feed(feed, Duration::from_secs(20), at(0))
        .expect("the lock");
    let (files, log) = rendered(&project.join("work").join(feed), text);
    let number = state
        .record_version(&lock, &version(feed, &files, &log))
        .expect("recorded");
    state
        .receipt(&lock, feed, number, &receipt_of("/srv/feeds"))
        .expect("a receipt");
    state
        .published(&lock, feed, number, at(3), "ann")
        .expect("published");
    number
}

pub(super) fn text_of(state: &State, version: &Version) -> String {
    let mut text = String::new();
    state
        .open_file(&version.files[0])
        .expect("opens")
        .read_to_string(&mut text)
        .expect("reads");
    text
}

#[test]
fn a_version_is_kept_delivered_and_published() {
    let project = tempfile::tempdir().expect("a folder");
    assert!(State::read(project.path()).expect("reads").is_none());
    let state = State::open(project.path()).expect("opens");
    let lock = state
        .lock_feed("web", Duration::ZERO, at(0))
        .expect("the lock");
    let (files, log) = rendered(&project.path().join("work"), "<feed/>");
    let mut new = version("web", &files, &log);
    new.overrides.push(Override {
        gate: "removed".to_owned(),
        who: "ben".to_owned(),
        reason: "sale is over".to_owned(),
        at: at(1),
    });
    let number = state.record_version(&lock, &new).expect("recorded");
    assert_eq!(number, 1);
    assert!(state.current("web").expect("reads").is_none());
    let pending = state.pending("web").expect("reads").expect("pending");
    assert_eq!(pending.version, 1);
    assert_eq!(state.awaited("web", 1).expect("reads"), ["/srv/feeds"]);
    let too_early = state.published(&lock, "web", 1, at(2), "ann");
    assert_eq!(
        too_early.expect_err("no receipt yet").trouble,
        Trouble::Unknown
    );
    let receipt = receipt_of("/srv/feeds");
    state.receipt(&lock, "web", 1, &receipt).expect("kept");
    state
        .published(&lock, "web", 1, at(3), "ann")
        .expect("published");
    drop((lock, state));

    let state = State::read(project.path())
        .expect("reads")
        .expect("a state");
    let current = state.current("web").expect("reads").expect("current");
    assert_eq!(text_of(&state, &current), "<feed/>");
    assert_eq!(current.published_at, Some(at(3)));
    assert_eq!((current.items, current.bytes), (3, 7));
    assert_eq!(current.overrides, new.overrides);
    assert_eq!(current.source_digests, new.source_digests);
    assert_eq!(state.receipts("web", 1).expect("reads"), [receipt]);
    assert!(state.pending("web").expect("reads").is_none());
    let mut log_text = String::new();
    let kept_log = current.items_log.clone().expect("a log");
    state
        .open_file(&kept_log)
        .expect("opens")
        .read_to_string(&mut log_text)
        .expect("reads");
    assert_eq!(log_text, "log of <feed/>");
    let did: Vec<String> = state
        .actions(&ActionFilter::default())
        .expect("reads")
        .into_iter()
        .map(|action| action.what)
        .collect();
    assert_eq!(did, ["record", "override", "publish"]);
}
