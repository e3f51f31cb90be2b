//! Disks that are full at any write: an error, and the old state whole.

use std::process::Command;

use super::damage::dump;
use super::kills::{child, is_whole};
use super::*;

#[test]
fn a_limit_on_files_is_an_error_and_the_old_state_stays() {
    let mut refused = 0;
    let long = "<item>never the same twice</item>".repeat(20);
    for blocks in [1, 2, 8, 16, 40, 80, 96, 104, 112, 120, 128, 200] {
        let project = tempfile::tempdir().expect("a folder");
        let state = State::open(project.path()).expect("opens");
        for number in 0..6 {
            publish(&state, project.path(), "web", &format!("<v{number}/>"));
        }
        let before = dump(&state);
        drop(state);
        // Beyond the limit a write fails instead of ending the process.
        let limit = format!("trap '' XFSZ; ulimit -f {blocks};");
        let status = child(project.path(), &format!("publish {long}"), "", &limit);
        let state = is_whole(project.path());
        if !status.success() {
            refused += 1;
            assert!(status.code().is_some(), "{blocks}: {status}");
            let current = state.current("web").expect("reads").expect("published");
            assert_eq!(text_of(&state, &current), "<v5/>", "{blocks}");
            assert!(dump(&state).len() >= before.len(), "{blocks}");
        }
        publish(&state, project.path(), "web", &long);
    }
    assert!(refused >= 4, "only {refused} limits were felt");
}

/// A small file system of its own, unmounted at the end.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(folder.path())
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(SmallDisk(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let done = Command::new("umount").arg("-l").arg(self.0.path()).status();
        assert!(
            done.is_ok_and(|status| status.success()),
            "the small disk is left behind"
        );
    }
}

#[test]
fn a_disk_full_at_any_write_leaves_the_old_state_whole() {
    let Some(disk) = SmallDisk::new("1m") else {
        println!("skipped: a disk of limited size needs root and `mount`");
        return;
    };
    let project = disk.0.path();
    let work = tempfile::tempdir().expect("a folder");
    let state = State::open(project).expect("opens");
    publish(&state, project, "web", "<old/>");
    let (mut refused, mut done) = (0, 0);
    for free in (0..48).map(|pages| pages * 4096) {
        // What others fill the disk with, down to so many free bytes.
        let ballast = project.join("ballast");
        drop(std::fs::remove_file(&ballast));
        let before = dump(&state);
        let last = state.current("web").expect("reads").expect("published");
        let old = text_of(&state, &last);
        std::fs::write(&ballast, vec![1; 2 << 20]).expect_err("the disk is full");
        let length = ballast.metadata().expect("there").len();
        std::fs::OpenOptions::new()
            .write(true)
            .open(&ballast)
            .and_then(|file| file.set_len(length.saturating_sub(free)))
            .expect("made smaller");
        let text = format!("<v{free}/>");
        let outcome = (|| {
            let lock = state.lock_feed("web", Duration::ZERO, at(0))?;
            let (files, log) = rendered(work.path(), &text);
            let number = state.record_version(&lock, &version("web", &files, &log))?;
            state.receipt(&lock, "web", number, &receipt_of("/srv/feeds"))?;
            state.published(&lock, "web", number, at(3), "ann")
        })();
        let current = state.current("web").expect("reads").expect("published");
        match outcome {
            Err(error) => {
                refused += 1;
                assert_eq!(
                    (error.trouble, error.exit()),
                    (Trouble::Disk, 8),
                    "{free}: {error}"
                );
                assert_eq!(text_of(&state, &current), old, "{free}");
                let pending = state.pending("web").expect("reads");
                assert!(pending.is_some() || dump(&state) == before, "{free}");
            }
            Ok(()) => {
                done += 1;
                assert_eq!(text_of(&state, &current), text, "{free}");
            }
        }
        // Another run sees the same, the disk still full.
        let other = State::read(project).expect("reads").expect("a state");
        assert_eq!(dump(&other), dump(&state), "{free}");
        assert!(!examine(project).expect("looks").is_damaged(), "{free}");
    }
    assert!(refused >= 3 && done >= 3, "{refused} refused, {done} done");
    drop(std::fs::remove_file(project.join("ballast")));
    publish(&state, project, "web", "<space/>");
    drop(is_whole(project));
}
