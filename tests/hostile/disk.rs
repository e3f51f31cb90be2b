//! A disk that fills while a feed is written.

use std::path::Path;
use std::process::Command;

use super::{GOOD, project};
use crate::harness::FeedTest;

/// A small file system of its own, unmounted at the end.
struct Mounted<'p>(&'p Path);

impl<'p> Mounted<'p> {
    fn new(at: &'p Path) -> Option<Self> {
        std::fs::create_dir_all(at).expect("makes a folder");
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
            .arg(at)
            .output();
        done.is_ok_and(|output| output.status.success())
            .then_some(Mounted(at))
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let done = Command::new("umount").arg("-l").arg(self.0).status();
        assert!(
            done.is_ok_and(|status| status.success()),
            "the small disk is left behind"
        );
    }
}

#[test]
fn a_disk_that_fills_leaves_the_old_feed_whole() {
    let test = FeedTest::empty();
    test.file("shelfcast.toml", project("catalog.csv", "", ""))
        .file("catalog.csv", GOOD);
    let out = test.path("out");
    let Some(_mounted) = Mounted::new(&out) else {
        println!("skipped: a disk of limited size needs root and `mount`");
        return;
    };
    test.build().exits(0);
    let old = test.out();
    let rows: String = (0..2000)
        .map(|number| format!("B-{number},Bowl,Text,9.00,in_stock,https://shop.example/x,https://shop.example/x.jpg,Lumo,new,1\n"))
        .collect();
    test.file("catalog.csv", format!("{GOOD}{rows}"));
    test.build()
        .exits(8)
        .says("cannot write")
        .says("hint: free space")
        .says("the old files are whole");
    assert_eq!(
        test.out(),
        old,
        "the old feed is whole, and nothing half written stays"
    );
    test.file("catalog.csv", GOOD);
    test.build().exits(0);
    assert_eq!(test.out(), old);
}

#[test]
fn a_folder_that_cannot_be_made() {
    let test = FeedTest::empty();
    test.file("shelfcast.toml", project("catalog.csv", "", ""))
        .file("catalog.csv", GOOD)
        .file("out", "a file where the folder should be");
    test.build().exits(8).says("cannot write").says("hint:");
    assert_eq!(test.text("out"), "a file where the folder should be");
}
