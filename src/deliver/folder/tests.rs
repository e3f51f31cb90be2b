//! The folder by the suite, and what only a folder can get wrong.
#![expect(clippy::disallowed_methods, reason = "tests write what they like")]

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::super::suite::{self, Place, QUICK, Staged as Stage, noise, soon};
use super::super::{Recovery, Role, deliver, open};
use super::*;

struct Here(tempfile::TempDir);

impl Here {
    fn new() -> Self {
        Here(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

fn place(path: &str) -> To {
    To {
        path: Some(path.to_owned()),
        ..To::default()
    }
}

impl Place for Here {
    fn open(&self) -> Box<dyn Destination> {
        open(&place("./"), self.0.path()).expect("a folder")
    }

    fn read(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.path(name)).ok()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.0.path())
            .expect("a folder")
            .map(|entry| {
                entry
                    .expect("a file")
                    .file_name()
                    .into_string()
                    .expect("text")
            })
            .collect();
        names.sort();
        names
    }

    fn plant(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).expect("written");
    }
}

#[test]
fn it_passes_the_suite() {
    suite::passes(|| Some(Here::new()));
}

#[test]
fn readers_in_a_loop_get_published_versions_only() {
    let here = Here::new();
    let stage = Stage::new();
    let versions: Vec<Vec<u8>> = (0..200)
        .map(|seed| noise(20_000 + seed * 37, seed as u64))
        .collect();
    let mut destination = here.open();
    stage
        .put(&mut *destination, "feed.xml", &versions[0])
        .expect("sent");
    let known: std::collections::HashSet<&Vec<u8>> = versions.iter().collect();
    let (done, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let last = done.load(Ordering::Acquire);
                        let read = fs::read(here.path("feed.xml")).expect("never absent");
                        assert!(known.contains(&read), "{} bytes of no version", read.len());
                        reads.fetch_add(1, Ordering::Relaxed);
                        if last {
                            break;
                        }
                    }
                })
            })
            .collect();
        for version in &versions {
            stage
                .put(&mut *destination, "feed.xml", version)
                .expect("sent");
        }
        done.store(true, Ordering::Release);
        for reader in readers {
            reader.join().expect("only published versions");
        }
    });
    assert!(reads.load(Ordering::Relaxed) >= 8);
    assert!(here.read("feed.xml").as_ref() == versions.last());
}

#[test]
fn what_a_killed_run_left_is_removed_and_what_a_living_one_writes_is_not() {
    let here = Here::new();
    let stage = Stage::new();
    let living = Staged::create(here.0.path(), "feed.xml").expect("begun");
    here.plant(".shelfcast-feed.xml-00ab.part", b"half");
    // of another file, and nobody's
    here.plant(".shelfcast-feed.xml.gz-00ab.part", b"half");
    here.plant(".shelfcast-feed.xml-notes.part", b"mine");
    symlink("/dev/null", here.path(".shelfcast-feed.xml-00cd.part")).expect("linked");
    stage
        .put(&mut *here.open(), "feed.xml", b"<a/>")
        .expect("sent");
    let living_name = living
        .path
        .file_name()
        .expect("a name")
        .to_str()
        .expect("text");
    let mut expected = vec![
        living_name,
        ".shelfcast-feed.xml-00cd.part",
        ".shelfcast-feed.xml-notes.part",
        ".shelfcast-feed.xml.gz-00ab.part",
        "feed.xml",
    ];
    expected.sort_unstable();
    assert_eq!(here.names(), expected);
}

#[test]
fn a_link_is_replaced_and_never_written_through() {
    let (here, elsewhere) = (Here::new(), Here::new());
    let stage = Stage::new();
    elsewhere.plant("other.xml", b"other");
    symlink(elsewhere.path("other.xml"), here.path("feed.xml")).expect("linked");
    symlink(elsewhere.path("none.xml"), here.path("dangling.xml")).expect("linked");
    for name in ["feed.xml", "dangling.xml"] {
        stage.put(&mut *here.open(), name, b"<a/>").expect("sent");
        assert!(
            fs::symlink_metadata(here.path(name))
                .expect("there")
                .is_file()
        );
    }
    assert_eq!(elsewhere.names(), ["other.xml"]);
    assert_eq!(
        elsewhere.read("other.xml").as_deref(),
        Some(b"other".as_slice())
    );
    // a link to the folder itself is the operator's, and is followed
    symlink(elsewhere.0.path(), here.path("www")).expect("linked");
    let mut destination = open(&place("www/"), here.0.path()).expect("a folder");
    stage
        .put(&mut *destination, "feed.xml", b"<b/>")
        .expect("sent");
    assert_eq!(elsewhere.names(), ["feed.xml", "other.xml"]);
}

#[test]
fn a_web_server_can_read_what_stands() {
    let here = Here::new();
    let stage = Stage::new();
    stage
        .put(&mut *here.open(), "feed.xml", b"<a/>")
        .expect("sent");
    // the umask of this process, as any new file shows it
    let new = here.path("new");
    File::create(&new).expect("made");
    let umasked = fs::metadata(&new).expect("there").permissions().mode() & 0o644;
    let mode = fs::metadata(here.path("feed.xml"))
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, umasked);
}

#[test]
fn folders_are_made_inside_the_project_and_nowhere_else() {
    let here = Here::new();
    let stage = Stage::new();
    let parcels = [stage.parcel("feed.xml", b"<a/>", Role::Only)];
    let send = |path: &str| {
        let mut destination = open(&place(path), here.0.path()).expect("a folder");
        deliver(&mut *destination, &parcels, &[], &QUICK, &soon())
    };
    send("out/deep/").expect("made");
    send("out/named.xml").expect("sent");
    assert!(here.read("out/deep/feed.xml").is_some() && here.read("out/named.xml").is_some());
    // a path that is a folder, without its `/`
    send("out/deep").expect("sent");
    assert_eq!(fs::read_dir(here.path("out")).expect("a folder").count(), 2);
    let away = here.path("away/");
    for path in [away.to_str().expect("text"), "../nowhere-of-shelfcast/"] {
        let error = send(path).expect_err("not ours to make");
        assert_eq!(error.message, "the folder is not there");
        assert_eq!(error.recovery, Recovery::Abort);
    }
    assert!(!away.exists());
    for wrong in [".hidden", "out/.hidden", ""] {
        assert!(open(&place(wrong), here.0.path()).is_err(), "{wrong}");
    }
}

#[test]
fn a_folder_in_the_place_of_the_file_stays() {
    let here = Here::new();
    let stage = Stage::new();
    fs::create_dir(here.path("feed.xml")).expect("made");
    let error = stage
        .put(&mut *here.open(), "feed.xml", b"<a/>")
        .expect_err("a folder");
    assert_eq!(error.recovery, Recovery::Abort, "{error:?}");
    assert_eq!(here.names(), ["feed.xml"]);
    here.open()
        .remove("feed.xml", &soon())
        .expect_err("a folder");
    assert!(here.path("feed.xml").is_dir());
}

/// The folder of a run whose files may not grow beyond 64 KiB: what a full disk does, without one.
const FULL: &str = "SHELFCAST_TEST_FULL_DISK";

#[test]
fn a_disk_that_fills_leaves_the_old_file() {
    if let Some(folder) = crate::config::env::get(FULL) {
        let stage = Stage::new();
        let mut destination = open(&place("./"), Path::new(&folder)).expect("a folder");
        stage
            .put(&mut *destination, "feed.xml", b"<old/>")
            .expect("small");
        let upload = Upload {
            name: "feed.xml",
            path: Path::new("/dev/zero"),
            bytes: 1_000_000,
            sha256: "",
            content_type: "application/xml",
        };
        let error = destination.put(&upload, &soon()).expect_err("full");
        assert_eq!(error.recovery, Recovery::Abort, "{error:?}");
        assert!(
            error.message.starts_with("the file cannot be written"),
            "{error}"
        );
        assert!(error.hint.contains("make room"), "{error:?}");
        return;
    }
    let here = Here::new();
    let ended = std::process::Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 128; exec \"$0\" --exact \"$1\" --nocapture",
        ])
        .arg(std::env::current_exe().expect("this program"))
        .arg("deliver::folder::tests::a_disk_that_fills_leaves_the_old_file")
        .env(FULL, here.0.path())
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(
        ended.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    assert!(said.contains("1 passed"), "{said}");
    assert_eq!(here.names(), ["feed.xml"]);
    assert_eq!(here.read("feed.xml").as_deref(), Some(b"<old/>".as_slice()));
}

/// The folder of a run that publishes until it is killed.
const PUBLISHING: &str = "SHELFCAST_TEST_PUBLISHING";

/// A version's bytes: its number, and noise that goes with it.
fn version(number: u64) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.extend(noise(30_000 + (number as usize % 100) * 333, number));
    bytes
}

#[test]
fn runs_that_are_killed_at_any_time_leave_a_whole_version_and_the_next_cleans_up() {
    const KILLS: u64 = 25;
    if let Some(folder) = crate::config::env::get(PUBLISHING) {
        let stage = Stage::new();
        let mut destination = open(&place("./"), Path::new(&folder)).expect("a folder");
        for number in 1.. {
            stage
                .put(&mut *destination, "feed.xml", &version(number))
                .expect("sent");
        }
    }
    let here = Here::new();
    let stage = Stage::new();
    stage
        .put(&mut *here.open(), "feed.xml", &version(0))
        .expect("sent");
    let is_version = |read: &[u8]| {
        let number = read.first_chunk().map(|first| u64::from_le_bytes(*first));
        number.is_some_and(|number| version(number) == read)
    };
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    while !done.load(Ordering::Acquire) {
                        let read = fs::read(here.path("feed.xml")).expect("never absent");
                        assert!(is_version(&read), "{} bytes of no version", read.len());
                    }
                })
            })
            .collect();
        for kill in 0..KILLS {
            let mut run = std::process::Command::new(std::env::current_exe().expect("this program"))
                .args(["--exact", "--nocapture"])
                .arg("deliver::folder::tests::runs_that_are_killed_at_any_time_leave_a_whole_version_and_the_next_cleans_up")
                .env(PUBLISHING, here.0.path())
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::null())
                .spawn()
                .expect("started");
            // long enough to begin; where in its work it is then is left to chance
            std::thread::sleep(std::time::Duration::from_millis(60 + kill * 7 % 50));
            run.kill().expect("killed");
            run.wait().expect("ended");
        }
        done.store(true, Ordering::Release);
        for reader in readers {
            reader.join().expect("only whole versions");
        }
    });
    stage
        .put(&mut *here.open(), "feed.xml", &version(0))
        .expect("sent");
    assert_eq!(here.names(), ["feed.xml"]);
}
