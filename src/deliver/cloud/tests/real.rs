//! A real S3-compatible server, where one is named by the environment.

use object_store::{ObjectStoreExt, PutPayload};

use super::*;

/// A bucket of its own at a real server.
struct Bucket {
    raw: Shared,
    runtime: Runtime,
    to: To,
    _folder: tempfile::TempDir,
}

/// The endpoint of an S3-compatible server that takes any credentials.
const SERVER: &str = "SHELFCAST_TEST_S3";

impl Bucket {
    #[expect(clippy::print_stderr, reason = "what is skipped is said")]
    fn new() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let Some(endpoint) = crate::config::env::get(SERVER) else {
            eprintln!(
                "skipped: {SERVER} names no S3-compatible server (tests/servers/s3 starts one)"
            );
            return None;
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("shelfcast-{}-{number}", std::process::id());
        let (folder, to) = place(&format!("s3://{name}/feeds/"), &endpoint);
        let to = To {
            timeout: Some("30s".to_owned()),
            ..to
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let scope = "CANARY-ACCESS/20261122/us-east-1/s3/aws4_request";
            let made = reqwest::Client::new()
                .put(format!("{endpoint}/{name}"))
                .header(
                    "Authorization",
                    format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
                )
                .send()
                .await
                .expect("an answer");
            assert!(made.status().is_success(), "{}", made.status());
        });
        let raw = store(&to).store;
        Some(Bucket {
            raw,
            runtime,
            to,
            _folder: folder,
        })
    }

    fn key(name: &str) -> Key {
        Key::parse(format!("feeds/{name}")).expect("a key")
    }
}

impl Place for Bucket {
    fn open(&self) -> Box<dyn Destination> {
        open(&self.to, Path::new(NOWHERE)).expect("a store")
    }

    fn read(&self, name: &str) -> Option<Vec<u8>> {
        self.runtime.block_on(async {
            let mut failures = 0;
            loop {
                match self.raw.get(&Self::key(name)).await {
                    Ok(found) => return Some(found.bytes().await.expect("read").to_vec()),
                    Err(object_store::Error::NotFound { .. }) => return None,
                    // The server itself fails some reads of what is replaced at that moment.
                    Err(error) if failures < 20 && error.to_string().contains("500 Internal") => {
                        failures += 1;
                        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        })
    }

    fn names(&self) -> Vec<String> {
        let listed = self
            .runtime
            .block_on(self.raw.list_with_delimiter(Some(&Key::from("feeds"))))
            .expect("listed");
        let mut names: Vec<String> = listed
            .objects
            .iter()
            .map(|found| found.location.filename().expect("a name").to_owned())
            .collect();
        names.sort();
        names
    }

    fn plant(&self, name: &str, bytes: &[u8]) {
        let payload = PutPayload::from(bytes.to_vec());
        self.runtime
            .block_on(self.raw.put(&Self::key(name), payload))
            .expect("planted");
    }
}

#[test]
fn a_real_store_passes_the_suite() {
    suite::passes(Bucket::new);
}

#[test]
fn a_large_file_is_seen_whole_or_not_at_all_at_a_real_store() {
    let Some(bucket) = Bucket::new() else {
        return;
    };
    let versions: Vec<Vec<u8>> = (1..4).map(|seed| noise(9 * 1024 * 1024, seed)).collect();
    let staged = Staged::new();
    staged
        .put(&mut *bucket.open(), "feed.bin", &versions[0])
        .expect("sent");
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut destination = open(&bucket.to, Path::new(NOWHERE)).expect("a store");
            for version in &versions {
                staged
                    .put(&mut *destination, "feed.bin", version)
                    .expect("sent");
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) && !sender.is_finished() {
            let read = Place::read(&bucket, "feed.bin").expect("never absent");
            assert!(
                versions.contains(&read),
                "{} bytes of no version",
                read.len()
            );
        }
        sender.join().expect("sent");
    });
    // and it says what it is
    let got = bucket
        .runtime
        .block_on(bucket.raw.get(&Bucket::key("feed.bin")))
        .expect("there");
    let kind = got.attributes.get(&Attribute::ContentType);
    assert_eq!(kind.map(|kind| kind.as_ref()), Some("application/xml"));
}

#[test]
fn a_bucket_that_is_not_there_is_said() {
    let Some(bucket) = Bucket::new() else {
        return;
    };
    let to = To {
        url: Some("s3://shelfcast-none/feed.xml".to_owned()),
        ..bucket.to.clone()
    };
    let mut destination = open(&to, Path::new(NOWHERE)).expect("a store");
    let error = Staged::new()
        .put(&mut *destination, "feed.xml", b"<a/>")
        .expect_err("no bucket");
    assert_eq!(error.recovery, Recovery::Abort, "{error:?}");
    assert!(
        error.message.contains("404 Not Found: NoSuchBucket: "),
        "{error}"
    );
}
