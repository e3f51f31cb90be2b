//! A set of files to one destination: parts, then the index, then what no index names any more is removed.

use std::collections::HashSet;

use super::{
    Deadline, DeliveryError, DeliveryReceipt, Destination, Packing, Parcel, RetryPolicy, Retrying,
    Role, Sent, Upload, is_file_name, pack,
};
use crate::clock;
use crate::recovery::{self, kill_point};

/// Delivers a feed's files and proves that they stand. `old_parts` are the names ([`Sent::name`]) of the receipt before;
/// those that are not among the new ones are removed once the new index stands, and named in the receipt when they cannot
/// be.
///
/// # Errors
/// The first file that cannot be delivered after all tries; the index, and with it the old set, then stands as it was.
/// Names that are no file names, or that two files share.
pub fn deliver(
    destination: &mut dyn Destination,
    parcels: &[Parcel],
    old_parts: &[String],
    policy: &RetryPolicy,
    deadline: &Deadline,
) -> Result<DeliveryReceipt, DeliveryError> {
    let address = destination.address().to_owned();
    let names = destination.naming().names(parcels);
    check_names(&address, &names)?;
    let mut order: Vec<(&Parcel, &String)> = parcels.iter().zip(&names).collect();
    // parts keep their order; the index comes after all of them
    order.sort_by_key(|(parcel, _)| parcel.role == Role::Index);
    let mut destination = Retrying::new(destination, *policy);
    let mut files = Vec::with_capacity(parcels.len());
    for (parcel, name) in order {
        let packed = pack::pack(&parcel.path, name).map_err(|error| {
            DeliveryError::abort(
                &address,
                format!("`{}` cannot be made ready: {error}", parcel.name),
                "look at the space and the rights of the project's `.shelfcast` folder",
            )
        })?;
        if parcel.role == Role::Index {
            kill_point(recovery::P14);
        }
        let upload = Upload {
            name,
            path: packed.path(),
            bytes: packed.bytes,
            sha256: &packed.sha256,
            content_type: Packing::of(name).content_type(parcel.content_type),
        };
        let proof = destination.put(&upload, deadline)?;
        files.push(Sent {
            name: name.clone(),
            bytes: packed.bytes,
            sha256: packed.sha256.clone(),
            proof,
        });
    }
    let new: HashSet<&String> = names.iter().collect();
    let mut left = Vec::new();
    for name in old_parts.iter().filter(|name| !new.contains(name)) {
        // The new set stands: a part that stays behind harms nobody, and is told.
        let removed = is_file_name(name)
            && destination.capabilities().remove
            && destination.remove(name, deadline).is_ok();
        if !removed {
            left.push(name.clone());
        }
    }
    Ok(DeliveryReceipt {
        destination: address,
        files,
        left,
        at: clock::now(),
    })
}

fn check_names(address: &str, names: &[String]) -> Result<(), DeliveryError> {
    let mut seen = HashSet::new();
    for name in names {
        if !is_file_name(name) {
            return Err(DeliveryError::abort(
                address,
                format!("`{}` is no name for a file", super::quoted(name, &[])),
                "a file's name is one step, not hidden, without control characters, 200 bytes at most",
            ));
        }
        if !seen.insert(name) {
            return Err(DeliveryError::abort(
                address,
                format!("two files of the feed would be called `{name}`"),
                "end the address with `/`, so that each keeps its own name",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::memory::{Call, Fault, Memory};
    use super::super::suite::{Staged, soon};
    use super::super::{Naming, Proof};
    use super::*;
    use std::time::Duration;

    const QUICK: RetryPolicy = RetryPolicy {
        tries: 3,
        first: Duration::from_millis(1),
        longest: Duration::from_millis(2),
    };

    fn set(staged: &Staged, parts: usize) -> Vec<Parcel> {
        let mut parcels = vec![staged.parcel("map.xml", b"index", Role::Index)];
        for part in 1..=parts {
            let name = format!("map-{part:03}.xml");
            parcels.push(staged.parcel(&name, name.as_bytes(), Role::Part));
        }
        parcels
    }

    #[test]
    fn parts_stand_before_their_index_and_go_after_it() {
        let (memory, staged) = (Memory::new(), Staged::new());
        let mut place = memory.open();
        let receipt = deliver(&mut place, &set(&staged, 3), &[], &QUICK, &soon()).expect("sent");
        let old: Vec<String> = receipt.files.into_iter().map(|sent| sent.name).collect();
        assert_eq!(
            old,
            ["map-001.xml", "map-002.xml", "map-003.xml", "map.xml"]
        );
        memory.calls();
        let receipt = deliver(&mut place, &set(&staged, 1), &old, &QUICK, &soon()).expect("sent");
        assert_eq!(receipt.left, Vec::<String>::new());
        let put = |name: &str| Call::Put(name.to_owned());
        let removed = |name: &str| Call::Remove(name.to_owned());
        assert_eq!(
            memory.calls(),
            [
                put("map-001.xml"),
                put("map.xml"),
                removed("map-002.xml"),
                removed("map-003.xml")
            ]
        );
    }

    #[test]
    fn a_part_that_fails_leaves_the_old_index_and_removes_nothing() {
        let (memory, staged) = (Memory::new(), Staged::new());
        let mut place = memory.open();
        deliver(&mut place, &set(&staged, 2), &[], &QUICK, &soon()).expect("sent");
        let old = ["map-002.xml".to_owned()];
        memory.calls();
        memory.fail_with([Fault::Refuse]);
        deliver(&mut place, &set(&staged, 1), &old, &QUICK, &soon()).expect_err("refused");
        assert_eq!(memory.calls(), [Call::Put("map-001.xml".to_owned())]);
        assert!(memory.read("map-002.xml").is_some());
    }

    #[test]
    fn a_part_that_cannot_be_removed_is_told() {
        let (memory, staged) = (Memory::new(), Staged::new());
        let mut place = memory.open();
        let old = ["x.xml".to_owned(), "../y".to_owned()];
        memory.plant("x.xml", b"x");
        memory.fail_with([Fault::None, Fault::Refuse]);
        let parcels = [staged.parcel("a.xml", b"a", Role::Only)];
        let receipt = deliver(&mut place, &parcels, &old, &QUICK, &soon()).expect("sent");
        assert_eq!(receipt.left, old);
        assert_eq!(receipt.files[0].proof, Proof::ReadBack);
    }

    #[test]
    fn names_follow_the_address() {
        let staged = Staged::new();
        let file = Naming::File("Feed.v2.xml.gz".to_owned());
        // the index takes the name, and what it names keeps its own
        assert_eq!(
            file.names(&set(&staged, 2)),
            ["Feed.v2.xml.gz", "map-001.xml", "map-002.xml"]
        );
        let mut parts = set(&staged, 2);
        parts.remove(0);
        assert_eq!(
            file.names(&parts),
            ["Feed.v2-001.xml.gz", "Feed.v2-002.xml.gz"]
        );
        assert_eq!(Naming::Folder.names(&parts), ["map-001.xml", "map-002.xml"]);
        let names = Naming::File("feed".to_owned()).names(&parts);
        assert_eq!(names, ["feed-001", "feed-002"]);
    }

    #[test]
    fn names_that_lead_elsewhere_or_meet_are_refused() {
        let (memory, staged) = (Memory::new(), Staged::new());
        let mut place = memory.open();
        for name in [
            "",
            "..",
            "../a",
            "a/b",
            "a\\b",
            ".hidden",
            "a\nb",
            "a\0",
            &"x".repeat(201),
        ] {
            let mut parcel = staged.parcel("a.xml", b"a", Role::Only);
            parcel.name = name.to_owned();
            let error = deliver(&mut place, &[parcel], &[], &QUICK, &soon()).expect_err(name);
            assert!(error.message.contains("no name for a file"), "{error}");
        }
        let twice = [
            staged.parcel("a.xml", b"a", Role::Only),
            staged.parcel("a.xml", b"b", Role::Only),
        ];
        let error = deliver(&mut place, &twice, &[], &QUICK, &soon()).expect_err("twice");
        assert!(error.message.contains("two files"), "{error}");
        assert_eq!(memory.calls(), []);
    }

    #[test]
    fn what_is_sent_is_packed_by_its_name_and_counted_as_it_stands() {
        let (memory, staged) = (Memory::new(), Staged::new());
        let mut place = memory.open_as(Naming::File("feed.xml.gz".to_owned()));
        let parcels = [staged.parcel("a.xml", &[b'a'; 9000], Role::Only)];
        let receipt = deliver(&mut place, &parcels, &[], &QUICK, &soon()).expect("sent");
        let stands = memory.read("feed.xml.gz").expect("there");
        assert_eq!(receipt.files[0].bytes, stands.len() as u64);
        assert!(stands.len() < 9000 && stands.starts_with(&[0x1F, 0x8B]));
        assert_eq!(
            receipt.files[0].sha256,
            pack::digest(stands.as_slice()).expect("read").1
        );
    }
}
