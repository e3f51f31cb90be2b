//! The project: `shelfcast.toml` as it is written, loaded with messages that name line and near miss.

pub mod destination;
pub mod env;
pub mod gate;
pub mod project;
pub mod secret;
pub mod span;
pub mod toml_file;

pub use project::Project;
pub use toml_file::ConfigError;

/// A span of time as people write it: `500ms`, `60s`, `5m`, `2h`, `30d`.
pub fn time_span(text: &str) -> Option<std::time::Duration> {
    use std::time::Duration;
    let text = text.trim();
    let unit = text.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit.trim() {
        "ms" => return Some(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::time_span;

    #[test]
    fn spans_have_a_number_and_a_unit() {
        assert_eq!(time_span("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(time_span(" 90 m"), Some(Duration::from_secs(5400)));
        assert_eq!(time_span("2d"), Some(Duration::from_secs(172_800)));
        for wrong in [
            "",
            "5",
            "h",
            "5 weeks",
            "-5s",
            "1.5h",
            "99999999999999999999s",
            "9999999999999999999d",
        ] {
            assert_eq!(time_span(wrong), None, "{wrong}");
        }
    }
}
