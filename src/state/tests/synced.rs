//! C1: what is reported as done is on disk. The system calls of a publication and of a plan are watched, and every file
//! and folder must have been synced before the commit that speaks of it, and all of them before the process ends.

use std::collections::BTreeSet;
use std::process::Command;

/// What is written and not yet on disk.
#[derive(Default)]
struct Unsynced {
    files: BTreeSet<String>,
    folders: BTreeSet<String>,
}

/// A path between `<` and `>`, or between quotes.
fn between(line: &str, open: char, close: char) -> Option<&str> {
    let (_, rest) = line.split_once(open)?;
    rest.split_once(close).map(|(inside, _)| inside)
}

fn folder(path: &str) -> String {
    path.rsplit_once('/')
        .map_or("", |(folder, _)| folder)
        .to_owned()
}

impl Unsynced {
    /// Locks and the journal are made anew by whoever needs them.
    fn minds(path: &str) -> bool {
        path.contains("/.shelfcast/")
            && !path.contains("/locks")
            && !path.ends_with("state.lock")
            && !path.ends_with("-journal")
    }

    /// One call, in the order in which they ended; whether it was a commit.
    fn call(&mut self, line: &str, project: &str) -> Option<String> {
        let (_, call) = line.split_once(' ')?;
        let call = call.trim_start();
        if line.contains(" = -1 ") {
            return None;
        }
        let whole = |path: &str| {
            if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("{project}/{path}")
            }
        };
        let (name, rest) = call.split_once('(')?;
        match name {
            "write" | "pwrite64" | "ftruncate" => {
                let path = between(rest, '<', '>')?;
                if Self::minds(path) {
                    self.files.insert(path.to_owned());
                }
            }
            "fsync" | "fdatasync" => {
                let path = between(rest, '<', '>')?;
                self.files.remove(path);
                self.folders.remove(path);
            }
            "openat" if rest.contains("O_CREAT") => {
                let path = whole(between(rest, '"', '"')?);
                if Self::minds(&path) && rest.contains("O_EXCL") {
                    self.folders.insert(folder(&path));
                }
            }
            "mkdir" | "mkdirat" => {
                let path = whole(between(rest, '"', '"')?);
                if Self::minds(&path) {
                    self.folders.insert(folder(&path));
                }
            }
            "rename" | "renameat" | "renameat2" => {
                let mut quoted = rest.split('"');
                let (from, to) = (whole(quoted.nth(1)?), whole(quoted.nth(1)?));
                if to.ends_with("state.mark") {
                    return Some(to);
                }
                let below = format!("{from}/");
                let late: Vec<&String> = self
                    .files
                    .iter()
                    .chain(&self.folders)
                    .filter(|path| **path == from || path.starts_with(&below))
                    .collect();
                assert!(
                    late.is_empty(),
                    "{from} is renamed before {late:?} is synced"
                );
                self.folders.insert(folder(&to));
            }
            _ => {}
        }
        None
    }
}

/// Runs a child under strace and goes through its calls; how many commits there were.
fn watched(project: &std::path::Path, what: &str) -> Option<usize> {
    let trace = project.join("trace");
    let program = std::env::current_exe().expect("this test's program");
    let status = Command::new("strace")
        .args(["-f", "-y", "-s", "0", "-e", "trace=openat,write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,mkdir,mkdirat", "-o"])
        .arg(&trace)
        .arg(program)
        .args(["state::tests::kills::a_process", "--exact", "--quiet", "--test-threads", "1"])
        .env("STATE_TEST_PROJECT", project)
        .env("STATE_TEST_WHAT", what)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .ok()?;
    if !status.success() {
        return None;
    }
    let text = std::fs::read_to_string(&trace).expect("a trace");
    let mut unsynced = Unsynced::default();
    let mut commits = 0;
    for line in text.lines() {
        assert!(!line.contains("unfinished"), "one thread works: {line}");
        if let Some(mark) = unsynced.call(line, &project.display().to_string()) {
            commits += 1;
            // The new mark itself is synced; so is all that it speaks of.
            let root = folder(&mark);
            let late: Vec<&String> = unsynced
                .files
                .iter()
                .chain(unsynced.folders.iter().filter(|folder| **folder != root))
                .collect();
            assert!(
                late.is_empty(),
                "the mark is renamed before {late:?} is synced"
            );
            unsynced.folders.insert(root);
        }
    }
    assert_eq!(unsynced.files, BTreeSet::new(), "never synced");
    assert_eq!(unsynced.folders, BTreeSet::new(), "folders never synced");
    Some(commits)
}

#[test]
fn everything_is_synced_before_the_commit_that_speaks_of_it() {
    let project = tempfile::tempdir().expect("a folder");
    let Some(commits) = watched(project.path(), "publish <a/>") else {
        println!("skipped: there is no `strace` that may be used");
        return;
    };
    // The mark is written twice for each of the four commits, and twice when the state is made.
    assert_eq!(commits, 10);
    assert_eq!(watched(project.path(), "plan <b/>"), Some(4));
    assert_eq!(watched(project.path(), "prune 1"), Some(2));
}
