//! Host keys that are trusted: OpenSSH's `known_hosts` comes in, a verdict on a server's key goes out. Plain, wildcard,
//! negated, `[host]:port` and hashed names are read, and `@revoked`; `@cert-authority` lines are passed over, since host
//! certificates are not asked for. Nothing is ever written or learned.

use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;

use aws_lc_rs::hmac;
use russh::keys::ssh_key::known_hosts::{Entry, HostPatterns, Marker};
use russh::keys::{Algorithm, HashAlg, PublicKey};

/// The most bytes of a file that are read.
const BYTES_MAX: u64 = 8 << 20;
const PORT: u16 = 22;

/// What is said of a server's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the one that is written there.
    Known,
    /// Nothing is written of this host.
    Unknown,
    /// Another key is written there, on this line.
    Changed { line: usize },
    /// It must not be used any more, says this line.
    Revoked { line: usize },
}

/// The lines of a file that could be read, with their numbers.
#[derive(Debug, Default)]
pub(super) struct KnownHosts {
    lines: Vec<(usize, Entry)>,
}

impl KnownHosts {
    /// Reads a file; one that is not there knows no host. Lines that are no key are passed over, as OpenSSH does: they
    /// can only make a host unknown.
    pub(super) fn read(path: &Path) -> std::io::Result<Self> {
        let file = match std::fs::File::open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            file => file?,
        };
        let mut bytes = Vec::new();
        file.take(BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(Self::parse(&String::from_utf8_lossy(&bytes)))
    }

    fn parse(text: &str) -> Self {
        let lines = text
            .lines()
            .enumerate()
            .filter_map(|(number, line)| {
                let fields: Vec<&str> = line.split_whitespace().collect();
                let entry = fields.join(" ").parse().ok()?;
                Some((number + 1, entry))
            })
            .collect();
        KnownHosts { lines }
    }

    /// What is said of a host's key. A revoked key is revoked whatever else stands there.
    pub(super) fn judge(&self, host: &str, port: u16, key: &PublicKey) -> Verdict {
        let name = host_name(host, port);
        let mut verdict = Verdict::Unknown;
        for (line, entry) in self.of(&name) {
            let same = entry.public_key().key_data() == key.key_data();
            match entry.marker() {
                Some(Marker::Revoked) if same => return Verdict::Revoked { line },
                Some(_) => {}
                None if same => verdict = Verdict::Known,
                None if verdict == Verdict::Unknown => verdict = Verdict::Changed { line },
                None => {}
            }
        }
        verdict
    }

    /// The kinds of key that are written of a host: what the server must be asked for, or it shows another of its keys.
    pub(super) fn algorithms(&self, host: &str, port: u16) -> Vec<Algorithm> {
        let name = host_name(host, port);
        self.of(&name)
            .filter(|(_, entry)| entry.marker().is_none())
            .map(|(_, entry)| entry.public_key().algorithm())
            .collect()
    }

    fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (usize, &'a Entry)> {
        self.lines
            .iter()
            .filter(|(_, entry)| matches(entry.host_patterns(), name))
            .map(|(line, entry)| (*line, entry))
    }
}

/// The line that would make a key known.
pub(super) fn line_to_add(host: &str, port: u16, key: &PublicKey) -> String {
    let mut key = key.clone();
    key.set_comment("");
    let key = key.to_openssh().unwrap_or_default();
    format!("{} {}", host_name(host, port), key.trim_end())
}

/// `SHA256:…`, as `ssh-keygen -l` shows it.
pub(super) fn fingerprint(key: &PublicKey) -> String {
    let mut shown = String::new();
    // writing to a text cannot fail
    let _written = write!(shown, "{}", key.fingerprint(HashAlg::Sha256));
    shown
}

fn host_name(host: &str, port: u16) -> String {
    let host = host.to_lowercase();
    if port == PORT {
        host
    } else {
        format!("[{host}]:{port}")
    }
}

fn matches(patterns: &HostPatterns, name: &str) -> bool {
    match patterns {
        HostPatterns::HashedName { salt, hash } => {
            let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
            hmac::verify(&key, name.as_bytes(), hash).is_ok()
        }
        HostPatterns::Patterns(patterns) => {
            let mut found = false;
            for pattern in patterns {
                match pattern.strip_prefix('!') {
                    Some(not) if wildcard(not, name) => return false,
                    Some(_) => {}
                    None => found |= wildcard(pattern, name),
                }
            }
            found
        }
    }
}

/// `*` for any text and `?` for one letter, without regard to case.
fn wildcard(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut of) = (0, 0);
    let mut back = None;
    while at < name.len() {
        match pattern.get(of) {
            Some('*') => {
                back = Some((of + 1, at));
                of += 1;
            }
            Some(letter) if *letter == '?' || Some(letter) == name.get(at) => {
                of += 1;
                at += 1;
            }
            _ => match back {
                Some((after, from)) => {
                    of = after;
                    at = from + 1;
                    back = Some((after, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(of).all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    fn key(seed: u8) -> PublicKey {
        let pair = russh::keys::ssh_key::private::Ed25519Keypair::from_seed(&[seed; 32]);
        PublicKey::new(pair.public.into(), "")
    }

    fn line(names: &str, key: &PublicKey) -> String {
        format!("{names} {}\n", key.to_openssh().expect("a key"))
    }

    #[test]
    fn names_are_matched_as_openssh_does() {
        let known = key(1);
        for (names, host, port, matched) in [
            ("upload.example", "upload.example", 22, true),
            ("upload.example", "UPLOAD.example", 22, true),
            ("upload.example", "upload.example", 2222, false),
            ("[upload.example]:2222", "upload.example", 2222, true),
            ("[upload.example]:2222", "upload.example", 22, false),
            ("a,upload.example,b", "upload.example", 22, true),
            ("*.example", "upload.example", 22, true),
            ("*.example", "example", 22, false),
            ("upload.exampl?", "upload.example", 22, true),
            ("*,!upload.example", "upload.example", 22, false),
            ("*,!other.example", "upload.example", 22, true),
            ("!upload.example", "upload.example", 22, false),
            ("[*]:2222", "upload.example", 2222, true),
            ("::1", "::1", 22, true),
            ("[::1]:2222", "::1", 2222, true),
            ("upload.example.evil", "upload.example", 22, false),
            ("upload", "upload.example", 22, false),
        ] {
            let hosts = KnownHosts::parse(&line(names, &known));
            let expected = if matched {
                Verdict::Known
            } else {
                Verdict::Unknown
            };
            assert_eq!(
                hosts.judge(host, port, &known),
                expected,
                "{names} {host} {port}"
            );
        }
    }

    #[test]
    fn hashed_names_are_matched() {
        // what `ssh-keygen -H` made of `[127.0.0.1]:2222`
        let names = "|1|GOEhKT7bRn9g+Poxtxl9KSrcbDA=|v4M8xaBrZY5xHhNl+upAIk8zYPo=";
        let hosts = KnownHosts::parse(&line(names, &key(1)));
        assert_eq!(hosts.judge("127.0.0.1", 2222, &key(1)), Verdict::Known);
        assert_eq!(hosts.judge("127.0.0.1", 22, &key(1)), Verdict::Unknown);
        assert_eq!(
            hosts.judge("127.0.0.1", 2222, &key(2)),
            Verdict::Changed { line: 1 }
        );
    }

    #[test]
    fn changed_and_revoked_keys_name_their_line() {
        let text = format!(
            "# of the shop\n\n{}not a key at all\n{}",
            line("h", &key(1)),
            line("h", &key(2))
        );
        let hosts = KnownHosts::parse(&text);
        assert_eq!(hosts.judge("h", 22, &key(1)), Verdict::Known);
        assert_eq!(hosts.judge("h", 22, &key(2)), Verdict::Known);
        assert_eq!(hosts.judge("h", 22, &key(3)), Verdict::Changed { line: 3 });
        assert_eq!(hosts.judge("g", 22, &key(1)), Verdict::Unknown);
        let revoked = format!("{text}@revoked {}", line("*", &key(1)));
        let hosts = KnownHosts::parse(&revoked);
        assert_eq!(hosts.judge("h", 22, &key(1)), Verdict::Revoked { line: 6 });
        assert_eq!(hosts.judge("h", 22, &key(2)), Verdict::Known);
        assert_eq!(hosts.judge("g", 22, &key(2)), Verdict::Unknown);
        // who signs host certificates says nothing of a bare key
        let signed = KnownHosts::parse(&format!("@cert-authority {}", line("h", &key(1))));
        assert_eq!(signed.judge("h", 22, &key(1)), Verdict::Unknown);
        assert!(signed.algorithms("h", 22).is_empty());
    }

    #[test]
    fn tabs_and_comments_are_taken_and_a_missing_file_knows_nobody() {
        let hosts = KnownHosts::parse(&format!(
            "  h\t{}  somebody@somewhere\n",
            ONE.replace(' ', "\t")
        ));
        let one: PublicKey = ONE.parse().expect("a key");
        assert_eq!(hosts.judge("h", 22, &one), Verdict::Known);
        assert_eq!(hosts.algorithms("h", 22), [Algorithm::Ed25519]);
        let folder = tempfile::tempdir().expect("a folder");
        let none = KnownHosts::read(&folder.path().join("none")).expect("nothing");
        assert_eq!(none.judge("h", 22, &one), Verdict::Unknown);
        assert!(KnownHosts::read(folder.path()).is_err());
    }

    #[test]
    fn the_line_to_add_makes_the_key_known() {
        let key = key(9);
        for (host, port) in [("upload.example", 22), ("127.0.0.1", 2222), ("::1", 2022)] {
            let hosts = KnownHosts::parse(&line_to_add(host, port, &key));
            assert_eq!(hosts.judge(host, port, &key), Verdict::Known);
        }
        assert!(fingerprint(&key).starts_with("SHA256:"));
    }
}
