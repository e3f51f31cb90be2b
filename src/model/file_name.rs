//! Names of files that data makes: one step, visible, the same on every disk and server.

/// The longest name in bytes: what every common disk and server takes, with room for an ending.
pub const BYTES_MAX: usize = 200;

/// Whether a name stands in its folder and nowhere else; what is wrong with it and what to do, where it does not.
///
/// # Errors
/// An empty name, one that leads elsewhere, is hidden, too long, or has letters that some disk refuses.
pub fn check(name: &str) -> Result<(), (String, String)> {
    let wrong = |what: &str| {
        let shown: String = name.escape_debug().take(80).collect();
        Err((
            format!("`{shown}` is no name for a file: {what}"),
            "make it of letters and digits: `file = \"{{slug title}}-{{slug sku}}.html\"`"
                .to_owned(),
        ))
    };
    if name.is_empty() || name.starts_with('.') {
        return wrong("it is empty, hidden or nothing but its ending");
    }
    if name.contains(['/', '\\']) {
        return wrong("it leads into another folder");
    }
    if name.len() > BYTES_MAX {
        return wrong("it has more than 200 bytes");
    }
    if name.ends_with([' ', '.'])
        || name.starts_with(' ')
        || name
            .chars()
            .any(|letter| letter.is_control() || "<>:\"|?*#%".contains(letter))
    {
        return wrong("it has letters that disks or addresses refuse");
    }
    Ok(())
}

/// What two names share that are one file on a disk that knows no case.
pub fn folded(name: &str) -> String {
    name.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_folder() {
        for name in ["a.html", "ชา-1.html", "tee kanne.html", "a..b.html"] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        let long = "x".repeat(201);
        for name in [
            "",
            ".html",
            "..",
            "../a.html",
            "a/b.html",
            "a\\b.html",
            "a\nb.html",
            "a:b.html",
            "a?b.html",
            "a.",
            " a.html",
            &long,
        ] {
            assert!(check(name).is_err(), "{name}");
        }
    }

    #[test]
    fn case_does_not_tell_files_apart() {
        assert_eq!(folded("Tee.HTML"), folded("tee.html"));
    }
}
