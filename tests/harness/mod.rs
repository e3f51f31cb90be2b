//! `FeedTest`: a project in a temporary folder, the program run in it, and what came out.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The moment every run of a test has.
pub const NOW: &str = "2026-11-22T10:00:00Z";

/// The repository's folder.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A project in a folder of its own, gone when the test ends.
pub struct FeedTest {
    folder: TempDir,
}

impl FeedTest {
    /// A folder with nothing in it.
    pub fn empty() -> Self {
        FeedTest {
            folder: tempfile::tempdir().expect("makes a folder"),
        }
    }

    /// A copy of `samples/NAME`, without what was built there.
    pub fn sample(name: &str) -> Self {
        let test = Self::empty();
        copy(&repository().join("samples").join(name), test.folder.path());
        test
    }

    /// Copies a folder of the repository to the same place in the project.
    pub fn copy(&self, folder: &str) {
        std::fs::create_dir_all(self.path(folder)).expect("makes a folder");
        copy(&repository().join(folder), &self.path(folder));
    }

    /// Writes a file, with the folders it needs.
    pub fn file(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("makes folders");
        std::fs::write(path, content).expect("writes");
        self
    }

    /// Where a file of the project is.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// A file's bytes.
    pub fn read(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// A file's text.
    pub fn text(&self, path: &str) -> String {
        String::from_utf8(self.read(path)).expect("a feed is UTF-8")
    }

    /// Names and bytes of what stands in `out/`, sorted by name.
    pub fn out(&self) -> Vec<(String, Vec<u8>)> {
        let Ok(folder) = std::fs::read_dir(self.path("out")) else {
            return Vec::new();
        };
        let mut files: Vec<(String, Vec<u8>)> = folder
            .map(|entry| entry.expect("an entry"))
            .filter(|entry| entry.path().is_file())
            .map(|entry| {
                (
                    entry.file_name().to_string_lossy().into_owned(),
                    std::fs::read(entry.path()).expect("reads"),
                )
            })
            .collect();
        files.sort();
        files
    }

    /// Runs the program in the project, at the tests' own moment.
    pub fn run<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Outcome {
        self.run_with(arguments, b"")
    }

    /// The same with something on standard input.
    pub fn run_with<I: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = I>,
        input: &[u8],
    ) -> Outcome {
        use std::io::Write;
        let mut child = Command::new(env!("CARGO_BIN_EXE_shelfcast"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("SOURCE_DATE_EPOCH")
            .env("SHELFCAST_NOW", NOW)
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        // The program may end without having read all of it.
        drop(child.stdin.take().expect("a pipe").write_all(input));
        let output = child.wait_with_output().expect("ends");
        let shown = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).expect("what is printed is UTF-8");
            text.replace(&self.folder.path().display().to_string(), "[project]")
        };
        Outcome {
            code: output.status.code().unwrap_or(-1),
            stdout: shown(&output.stdout),
            stderr: shown(&output.stderr),
        }
    }

    /// Builds every feed.
    pub fn build(&self) -> Outcome {
        self.run(["build"])
    }
}

/// What a run ended with.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code, -1 after a signal.
    pub code: i32,
    /// Standard output, the project's folder written `[project]`.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
}

impl Outcome {
    /// Asserts the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "exit code\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// Asserts that standard error says something.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text),
            "stderr does not say {text:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Asserts that standard output shows something.
    #[track_caller]
    pub fn shows(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text),
            "stdout does not show {text:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in
        std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()))
    {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            if entry.file_name() == "out" || entry.file_name() == ".shelfcast" {
                continue;
            }
            std::fs::create_dir_all(&target).expect("makes a folder");
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("copies");
        }
    }
}
