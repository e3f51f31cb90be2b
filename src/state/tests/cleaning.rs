//! Cleaning spares what is needed; permissions; plans; what stands in the way.

use super::damage::dump;
use super::kills::plan_of;
use super::*;

fn numbers(state: &State) -> Vec<u64> {
    let history = state.history("web").expect("reads");
    history.iter().map(|version| version.version).collect()
}

#[test]
fn the_current_pinned_pending_and_read_versions_stay() {
    let project = tempfile::tempdir().expect("a folder");
    let state = State::open(project.path()).expect("opens");
    for number in 1..=9 {
        publish(&state, project.path(), "web", &format!("<v{number}/>"));
    }
    let lock = state.lock_feed("web", Duration::ZERO, at(0)).expect("free");
    // Version 1 is published again, 2 is pinned, 3 is on its way, 4 is being read.
    state.offer(&lock, "web", 1, &[]).expect("offered");
    state
        .published(&lock, "web", 1, at(4), "ann")
        .expect("published");
    state.pin("web", 2, "ann", "", at(5)).expect("pinned");
    state
        .offer(&lock, "web", 3, &["sftp://u@h/x".to_owned()])
        .expect("offered");
    let read = state.version("web", 4).expect("reads").expect("kept");
    let mut reader = state.open_file(&read.files[0]).expect("opens");
    let pruned = state.prune(&lock, "web", 2, "ann", at(6)).expect("pruned");
    assert_eq!(pruned.versions, [5, 6, 7]);
    assert_eq!(pruned.read, [4]);
    assert!(pruned.bytes > 0);
    assert_eq!(numbers(&state), [9, 8, 4, 3, 2, 1]);
    let mut text = String::new();
    reader.read_to_string(&mut text).expect("reads on");
    assert_eq!(text, "<v4/>");
    drop(reader);
    let pruned = state.prune(&lock, "web", 2, "ann", at(7)).expect("pruned");
    assert_eq!(pruned.versions, [4]);
    let again = state.prune(&lock, "web", 2, "ann", at(8)).expect("pruned");
    assert_eq!(again, Pruned::default());
    // Numbers are never given twice.
    drop(lock);
    assert_eq!(publish(&state, project.path(), "web", "<v10/>"), 10);
    assert!(examine(project.path()).expect("looks").damages.is_empty());
}

#[test]
fn an_older_version_can_be_published_again_byte_for_byte() {
    let project = tempfile::tempdir().expect("a folder");
    let state = State::open(project.path()).expect("opens");
    let texts: Vec<String> = (0..5)
        .map(|number| format!("<v{number}>ชามตราไก่</v{number}>"))
        .collect();
    for text in &texts {
        publish(&state, project.path(), "web", text);
    }
    let lock = state.lock_feed("web", Duration::ZERO, at(0)).expect("free");
    for (number, text) in (1..).zip(&texts) {
        state
            .offer(&lock, "web", number, &["/srv/feeds".to_owned()])
            .expect("offered");
        assert_eq!(state.awaited("web", number).expect("reads"), ["/srv/feeds"]);
        state
            .receipt(&lock, "web", number, &receipt_of("/srv/feeds"))
            .expect("kept");
        state
            .published(&lock, "web", number, at(9), "ann")
            .expect("published");
        let current = state.current("web").expect("reads").expect("published");
        let out = project.path().join(format!("again-{number}"));
        state.extract(&current, &out).expect("written");
        assert_eq!(
            &std::fs::read_to_string(out.join("web.xml")).expect("reads"),
            text
        );
        assert_eq!(state.receipts("web", number).expect("reads").len(), 2);
    }
    let absent = state.offer(&lock, "web", 77, &[]).expect_err("unknown");
    assert_eq!(absent.trouble, Trouble::Unknown);
}

#[test]
fn a_plan_is_kept_once_and_forgotten_on_request() {
    let project = tempfile::tempdir().expect("a folder");
    let state = State::open(project.path()).expect("opens");
    publish(&state, project.path(), "web", "<old/>");
    let plan = plan_of(&state, project.path(), "<new/>").expect("planned");
    assert_eq!(plan.feeds[0].base, Some(1));
    assert_eq!(
        plan_of(&state, project.path(), "<new/>").expect("planned"),
        plan
    );
    let other = plan_of(&state, project.path(), "<newer/>").expect("planned");
    assert_ne!(plan.digest, other.digest);
    assert_eq!(state.plan(&plan.digest).expect("reads"), Some(plan.clone()));
    let prefix: String = plan.plan.chars().take(7).collect();
    assert_eq!(state.plan(&prefix).expect("reads"), Some(plan.clone()));
    assert_eq!(state.plan("../../x").expect("reads"), None);
    assert!(examine(project.path()).expect("looks").damages.is_empty());
    assert!(state.drop_plan(&plan.plan, "ann", at(6)).expect("dropped"));
    assert!(!state.drop_plan(&plan.plan, "ann", at(6)).expect("nothing"));
    assert_eq!(state.prune_plans(at(5), "ann", at(7)).expect("pruned"), 0);
    assert_eq!(state.prune_plans(at(6), "ann", at(7)).expect("pruned"), 1);
    assert!(state.plans().expect("reads").is_empty());
    let left = std::fs::read_dir(project.path().join(".shelfcast/plans")).expect("reads");
    assert_eq!(left.count(), 0);
}

#[test]
fn a_rendered_file_that_changed_is_not_kept() {
    let project = tempfile::tempdir().expect("a folder");
    let state = State::open(project.path()).expect("opens");
    publish(&state, project.path(), "web", "<old/>");
    let before = dump(&state);
    let lock = state.lock_feed("web", Duration::ZERO, at(0)).expect("free");
    let (mut files, log) = rendered(&project.path().join("work"), "<new/>");
    files[0].sha256 = sha256(b"<NEW/>");
    let error = state
        .record_version(&lock, &version("web", &files, &log))
        .expect_err("changed");
    assert!(error.to_string().contains("web.xml"), "{error}");
    files[0].path = project.path().join("work/absent");
    let error = state
        .record_version(&lock, &version("web", &files, &log))
        .expect_err("absent");
    assert_eq!(error.trouble, Trouble::Disk);
    for name in [
        "../web.xml",
        "a/b",
        "",
        ".",
        "..",
        ".hidden",
        "a\\b",
        "a\nb",
    ] {
        let (mut files, log) = rendered(&project.path().join("work"), "<new/>");
        files[0].name = name.to_owned();
        let refused = state.record_version(&lock, &version("web", &files, &log));
        assert!(refused.is_err(), "{name:?}");
    }
    assert_eq!(dump(&state), before);
    let left = std::fs::read_dir(project.path().join(".shelfcast/versions/web")).expect("reads");
    assert_eq!(left.count(), 1, "nothing half kept stays");
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_may_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let project = tempfile::tempdir().expect("a folder");
    publish(
        &State::open(project.path()).expect("opens"),
        project.path(),
        "web",
        "<a/>",
    );
    let root = project.path().join(".shelfcast");
    let set =
        |mode| std::fs::set_permissions(&root, std::fs::Permissions::from_mode(mode)).expect("set");
    for mode in [0o777, 0o770, 0o722] {
        set(mode);
        let error = State::open(project.path()).err().expect("refused");
        assert_eq!(error.exit(), 8);
        assert!(error.hint.contains("chmod 700"), "{}", error.hint);
    }
    set(0o755);
    drop(State::open(project.path()).expect("made private"));
    assert_eq!(
        root.metadata().expect("there").permissions().mode() & 0o777,
        0o700
    );
    std::fs::rename(&root, project.path().join("real")).expect("moved");
    std::os::unix::fs::symlink(project.path().join("real"), &root).expect("linked");
    assert!(
        State::open(project.path()).is_err(),
        "a link is not followed"
    );
}

#[test]
fn looking_writes_nothing() {
    let project = tempfile::tempdir().expect("a folder");
    assert!(State::read(project.path()).expect("reads").is_none());
    assert!(!project.path().join(".shelfcast").exists());
    publish(
        &State::open(project.path()).expect("opens"),
        project.path(),
        "web",
        "<a/>",
    );
    let all = || {
        let mut found = std::collections::BTreeMap::new();
        let mut look = vec![project.path().join(".shelfcast")];
        while let Some(path) = look.pop() {
            if path.is_dir() {
                look.extend(
                    std::fs::read_dir(&path)
                        .expect("reads")
                        .map(|entry| entry.expect("an entry").path()),
                );
                found.insert(path, Vec::new());
            } else {
                let bytes = std::fs::read(&path).expect("reads");
                found.insert(path, bytes);
            }
        }
        found
    };
    let before = all();
    let state = State::read(project.path())
        .expect("reads")
        .expect("a state");
    drop(dump(&state));
    assert!(state.pin("web", 1, "ann", "", at(1)).is_err());
    drop(examine(project.path()).expect("looks"));
    drop(state);
    assert_eq!(all(), before);
}

#[test]
fn a_rollback_that_is_given_up_leaves_the_published_version_as_it_was() {
    let project = tempfile::tempdir().expect("a folder");
    let state = State::open(project.path()).expect("opens");
    publish(&state, project.path(), "web", "<a/>");
    let lock = state.lock_feed("web", Duration::ZERO, at(0)).expect("free");
    state
        .offer(&lock, "web", 1, &["/elsewhere".to_owned()])
        .expect("offered");
    assert_eq!(state.awaited("web", 1).expect("reads"), ["/elsewhere"]);
    drop(lock);
    publish(&state, project.path(), "web", "<b/>");
    assert!(state.awaited("web", 1).expect("reads").is_empty());
    assert_eq!(state.receipts("web", 1).expect("reads").len(), 1);
    assert_eq!(examine(project.path()).expect("looks").damages, []);
}
