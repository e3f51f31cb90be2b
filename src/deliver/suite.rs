//! What every destination does, as tests: a new one is done when it passes.
//!
//! A [`Place`] is what a destination delivers to, seen from the other side: by the reader, and by whoever makes it misbehave.
#![expect(clippy::disallowed_methods, reason = "tests write what they like")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::{
    Deadline, DeliveryError, Destination, Packing, Parcel, Proof, Recovery, RetryPolicy, Role,
    Upload, deliver, pack,
};

/// How the next call misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trick {
    /// Only so many bytes are kept, and the place says that all is well.
    Cut(u64),
    /// A byte is changed.
    Spoil,
    /// The place says that all is well and keeps the old file.
    KeepOld,
    /// The place is busy, for so long.
    Busy(Option<Duration>),
    /// The place refuses for good.
    Refuse,
    /// The file is taken and the answer is lost.
    AnswerLost,
    /// The place says nothing; the destination was opened with a time-out of a second at most.
    Silence,
}

/// What a destination delivers to: an empty one for each test.
pub(crate) trait Place {
    /// A destination here, whose files keep their names.
    fn open(&self) -> Box<dyn Destination>;

    /// The bytes that a reader gets, asked past the destination.
    fn read(&self, name: &str) -> Option<Vec<u8>>;

    /// Every name there is, hidden ones too, in order.
    fn names(&self) -> Vec<String>;

    /// Puts bytes under a name past the destination.
    fn plant(&self, name: &str, bytes: &[u8]);

    /// Makes the next call that would show it misbehave; false where this place cannot be made to.
    fn play(&self, _trick: Trick) -> bool {
        false
    }

    /// Whether a server that lies about what it keeps shows the damage until the next try mends it: where there is no rename,
    /// nothing can be looked at before it is seen.
    fn shows_damage(&self) -> bool {
        false
    }
}

/// A folder with files to deliver.
pub(crate) struct Staged {
    folder: tempfile::TempDir,
    number: AtomicU32,
}

impl Staged {
    pub(crate) fn new() -> Self {
        Staged {
            folder: tempfile::tempdir().expect("a folder"),
            number: AtomicU32::new(0),
        }
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.path().join(format!("staged-{number}"));
        std::fs::write(&path, bytes).expect("written");
        path
    }

    /// A parcel of these bytes.
    pub(crate) fn parcel(&self, name: &str, bytes: &[u8], role: Role) -> Parcel {
        Parcel {
            name: name.to_owned(),
            path: self.file(bytes),
            items: 1,
            content_type: "application/xml",
            role,
        }
    }

    /// Puts bytes as they are, once.
    pub(crate) fn put(
        &self,
        destination: &mut dyn Destination,
        name: &str,
        bytes: &[u8],
    ) -> Result<Proof, DeliveryError> {
        let path = self.file(bytes);
        let sha256 = pack::digest(bytes).expect("bytes in memory can be read").1;
        let upload = Upload {
            name,
            path: &path,
            bytes: bytes.len() as u64,
            sha256: &sha256,
            content_type: "application/xml",
        };
        destination.put(&upload, &soon())
    }
}

/// A deadline that no test meets.
pub(crate) fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(120))
}

/// Tries that do not wait.
pub(crate) const QUICK: RetryPolicy = RetryPolicy {
    tries: 3,
    first: Duration::from_millis(1),
    longest: Duration::from_millis(2),
};

/// Bytes that no two offsets share: a cut or a shift shows.
pub(crate) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .collect()
}

/// Runs every case, each at an empty place; `None` when there is no server to make one at.
pub(crate) fn passes<P: Place>(make: impl Fn() -> Option<P>) {
    type Case<P> = (&'static str, fn(&P));
    let cases: [Case<P>; 12] = [
        ("stands as it was sent", stands_as_it_was_sent),
        ("is replaced", is_replaced),
        ("is told and removed", is_told_and_removed),
        ("sizes from none to 20 MB", sizes),
        ("names of all kinds", names),
        ("a cut is noticed", a_cut_is_noticed),
        ("a changed byte is noticed", a_changed_byte_is_noticed),
        (
            "an old file that stays is noticed",
            an_old_file_that_stays_is_noticed,
        ),
        ("a busy place is tried again", a_busy_place_is_tried_again),
        ("a refusal is final", a_refusal_is_final),
        ("a lost answer and a silent place", lost_answers_and_silence),
        ("a set, packed, and its old parts", a_set),
    ];
    for (name, case) in cases {
        let Some(place) = make() else {
            return;
        };
        // the case is named when it fails
        let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| case(&place)));
        if let Err(panic) = failed {
            let why = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("it panicked");
            panic!("case `{name}`: {why}");
        }
    }
}

fn stands_as_it_was_sent(place: &impl Place) {
    let staged = Staged::new();
    let mut destination = place.open();
    let proof = staged
        .put(&mut *destination, "feed.xml", b"<a/>")
        .expect("sent");
    assert_eq!(place.read("feed.xml").as_deref(), Some(b"<a/>".as_slice()));
    assert_eq!(place.names(), ["feed.xml"], "nothing else is left behind");
    if destination.capabilities().read_back {
        assert_ne!(
            proof,
            Proof::AnswerOnly,
            "what can be read back is read back"
        );
    }
}

fn is_replaced(place: &impl Place) {
    let staged = Staged::new();
    let mut destination = place.open();
    // longer, shorter, the same length, the same bytes
    for bytes in ["<first/>", "<a/>", "<b/>", "<b/>"] {
        staged
            .put(&mut *destination, "feed.xml", bytes.as_bytes())
            .expect("sent");
        assert_eq!(place.read("feed.xml").as_deref(), Some(bytes.as_bytes()));
    }
    assert_eq!(place.names(), ["feed.xml"]);
    // and by a destination that was opened anew
    staged
        .put(&mut *place.open(), "feed.xml", b"<c/>")
        .expect("sent");
    assert_eq!(place.read("feed.xml").as_deref(), Some(b"<c/>".as_slice()));
}

fn is_told_and_removed(place: &impl Place) {
    let staged = Staged::new();
    let mut destination = place.open();
    let can = destination.capabilities();
    if can.read_back {
        assert_eq!(destination.stands("feed.xml", &soon()), Ok(None));
        staged
            .put(&mut *destination, "feed.xml", b"<a/>")
            .expect("sent");
        let told = destination
            .stands("feed.xml", &soon())
            .expect("told")
            .expect("there");
        assert_eq!(told.bytes, 4);
        let digest = pack::digest(b"<a/>".as_slice()).expect("read").1;
        assert!(told.sha256.is_none_or(|told| told == digest));
    }
    if can.remove {
        place.plant("other.xml", b"other");
        destination.remove("feed.xml", &soon()).expect("removed");
        destination
            .remove("feed.xml", &soon())
            .expect("what is not there is removed");
        assert_eq!(place.names(), ["other.xml"]);
    }
}

fn sizes(place: &impl Place) {
    let staged = Staged::new();
    let mut destination = place.open();
    for length in [0, 1, 65_536, 65_537, 20 * 1024 * 1024 + 3] {
        let bytes = noise(length, length as u64);
        staged
            .put(&mut *destination, "size.bin", &bytes)
            .expect("sent");
        assert!(place.read("size.bin") == Some(bytes), "{length} bytes");
    }
}

fn names(place: &impl Place) {
    let staged = Staged::new();
    let mut destination = place.open();
    let names = [
        "żółć łąka.xml",
        "ราคา.csv",
        "a b+c%20&d=e#f?g.xml",
        "-x.xml",
        "価格表.tsv",
        "a'b\"c;d.xml",
    ];
    for name in names {
        staged
            .put(&mut *destination, name, name.as_bytes())
            .expect(name);
    }
    let mut sorted: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    sorted.sort();
    assert_eq!(place.names(), sorted);
    for name in names {
        assert_eq!(place.read(name).as_deref(), Some(name.as_bytes()), "{name}");
    }
}

/// A trick at the place with an old file: it is noticed, and what a reader then gets is the old file. Where damage shows,
/// the next try mends it.
fn noticed(place: &impl Place, trick: Trick) {
    let staged = Staged::new();
    let mut destination = place.open();
    let old = noise(70_000, 1);
    let new = noise(70_000, 2);
    staged
        .put(&mut *destination, "feed.xml", &old)
        .expect("sent");
    if !destination.capabilities().read_back || !place.play(trick) {
        return;
    }
    let error = staged
        .put(&mut *destination, "feed.xml", &new)
        .expect_err("noticed");
    assert!(
        matches!(error.recovery, Recovery::Retry { .. }),
        "{error:?}"
    );
    if !place.shows_damage() {
        assert!(
            place.read("feed.xml") == Some(old),
            "the old file stands after {trick:?}"
        );
    }
    staged
        .put(&mut *destination, "feed.xml", &new)
        .expect("sent");
    assert!(place.read("feed.xml") == Some(new));
    assert_eq!(place.names(), ["feed.xml"]);
}

fn a_cut_is_noticed(place: &impl Place) {
    for kept in [0, 1, 69_999] {
        noticed(place, Trick::Cut(kept));
    }
}

fn a_changed_byte_is_noticed(place: &impl Place) {
    noticed(place, Trick::Spoil);
}

fn an_old_file_that_stays_is_noticed(place: &impl Place) {
    noticed(place, Trick::KeepOld);
}

fn a_busy_place_is_tried_again(place: &impl Place) {
    let staged = Staged::new();
    let mut destination = place.open();
    let wait = Duration::from_secs(1);
    if !place.play(Trick::Busy(Some(wait))) {
        return;
    }
    let error = staged
        .put(&mut *destination, "feed.xml", b"<a/>")
        .expect_err("busy");
    assert_eq!(
        error.recovery,
        Recovery::Retry { after: Some(wait) },
        "{error:?}"
    );
    assert!(place.play(Trick::Busy(None)));
    let parcels = [staged.parcel("feed.xml", b"<b/>", Role::Only)];
    deliver(&mut *destination, &parcels, &[], &QUICK, &soon()).expect("sent at the second try");
    assert_eq!(place.read("feed.xml").as_deref(), Some(b"<b/>".as_slice()));
}

fn a_refusal_is_final(place: &impl Place) {
    let staged = Staged::new();
    let mut destination = place.open();
    if !place.play(Trick::Refuse) {
        return;
    }
    let parcels = [staged.parcel("feed.xml", b"<b/>", Role::Only)];
    let error = deliver(&mut *destination, &parcels, &[], &QUICK, &soon()).expect_err("refused");
    assert_eq!(error.recovery, Recovery::Abort, "{error:?}");
    assert!(!error.hint.is_empty());
    assert_eq!(place.read("feed.xml"), None);
}

fn lost_answers_and_silence(place: &impl Place) {
    let staged = Staged::new();
    let mut destination = place.open();
    for trick in [Trick::AnswerLost, Trick::Silence] {
        if !place.play(trick) {
            continue;
        }
        let bytes = format!("{trick:?}");
        let parcels = [staged.parcel("feed.xml", bytes.as_bytes(), Role::Only)];
        deliver(&mut *destination, &parcels, &[], &QUICK, &soon()).expect("sent again");
        assert_eq!(place.read("feed.xml").as_deref(), Some(bytes.as_bytes()));
    }
    assert!(place.names().len() <= 1, "{:?}", place.names());
    // a run that is out of time calls nobody
    let parcels = [staged.parcel("late.xml", b"<a/>", Role::Only)];
    let over = Deadline::after(Duration::ZERO);
    let error = deliver(&mut *destination, &parcels, &[], &QUICK, &over).expect_err("late");
    assert!(error.message.contains("deadline"), "{error}");
    assert_eq!(place.read("late.xml"), None);
}

fn a_set(place: &impl Place) {
    let staged = Staged::new();
    let mut destination = place.open();
    let set = |parts: usize| -> Vec<Parcel> {
        let part = |part| {
            let name = format!("map-{part:03}.xml.gz");
            staged.parcel(&name, format!("part {part}").as_bytes(), Role::Part)
        };
        let index = staged.parcel("map.xml", b"index", Role::Index);
        std::iter::once(index)
            .chain((1..=parts).map(part))
            .collect()
    };
    let first = deliver(&mut *destination, &set(3), &[], &QUICK, &soon()).expect("sent");
    let old: Vec<String> = first.files.iter().map(|sent| sent.name.clone()).collect();
    for sent in &first.files {
        let stands = place.read(&sent.name).expect("there");
        let (bytes, digest) = pack::digest(stands.as_slice()).expect("read");
        assert_eq!(
            (sent.bytes, &sent.sha256),
            (bytes, &digest),
            "{}",
            sent.name
        );
        let packed = Packing::of(&sent.name) == Packing::Gzip;
        assert_eq!(stands.starts_with(&[0x1F, 0x8B]), packed, "{}", sent.name);
    }
    let second = deliver(&mut *destination, &set(1), &old, &QUICK, &soon()).expect("sent");
    if destination.capabilities().remove {
        assert_eq!(place.names(), ["map-001.xml.gz", "map.xml"]);
        assert_eq!(second.left, Vec::<String>::new());
    } else {
        assert_eq!(second.left, ["map-002.xml.gz", "map-003.xml.gz"]);
    }
}
