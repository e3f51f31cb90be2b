//! Names that nobody reads, for files that are not whole or not wanted any more: `.<name>.<16 hex digits>.shelfcast`, and with
//! `-old` at the end for one that stepped aside. Each run has its own, so that what a killed run still has on its
//! way never meets a later run's file; any run can tell whose they are and put them right.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

/// What stands under a hidden name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A new file on its way up.
    Part,
    /// The old file, while the new one takes its name.
    Aside,
}

/// A hidden name of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hidden {
    name: String,
    number: u64,
    /// What stands there.
    pub(super) kind: Kind,
}

const PART: &str = ".shelfcast";
const ASIDE: &str = ".shelfcast-old";

impl Hidden {
    /// A name no other run has.
    pub(super) fn new(name: &str, kind: Kind) -> Self {
        Hidden {
            name: name.to_owned(),
            number: RandomState::new().hash_one((std::process::id(), name)),
            kind,
        }
    }

    /// The hidden name that a listing shows, if it is one of this file.
    pub(super) fn read(found: &str, name: &str) -> Option<Self> {
        let rest = found
            .strip_prefix('.')?
            .strip_prefix(name)?
            .strip_prefix('.')?;
        let (number, kind) = match rest.strip_suffix(ASIDE) {
            Some(number) => (number, Kind::Aside),
            None => (rest.strip_suffix(PART)?, Kind::Part),
        };
        let digits =
            |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(Hidden {
            name: name.to_owned(),
            number: u64::from_str_radix(number, 16)
                .ok()
                .filter(|_| digits(number))?,
            kind,
        })
    }
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ending = match self.kind {
            Kind::Part => PART,
            Kind::Aside => ASIDE,
        };
        write!(f, ".{}.{:016x}{ending}", self.name, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_name_is_told_from_every_other() {
        for kind in [Kind::Part, Kind::Aside] {
            let hidden = Hidden::new("feed.xml", kind);
            let shown = hidden.to_string();
            assert_eq!(Hidden::read(&shown, "feed.xml"), Some(hidden.clone()));
            assert_eq!(Hidden::read(&shown, "feed"), None);
            assert_eq!(Hidden::read(&shown, "feed.xml.gz"), None);
            assert_ne!(Hidden::new("feed.xml", kind), hidden);
        }
        for other in [
            "feed.xml",
            ".feed.xml",
            ".feed.xml.shelfcast",
            ".feed.xml.0123456789abcde.shelfcast",
            ".feed.xml.+123456789abcdef.shelfcast",
            ".feed.xml.gz.0123456789abcdef.shelfcast",
            "feed.xml.0123456789abcdef.shelfcast",
        ] {
            assert_eq!(Hidden::read(other, "feed.xml"), None, "{other}");
        }
    }
}
