//! Stretches of time and numbers of bytes, as manifests write them.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

/// A stretch of time: `200ms`, `5s`, `2m`, `1h`, `30d`.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Span(pub Duration);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is no stretch of time: write it like `200ms`, `5s`, `2m`, `1h`");
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        let unit = text.get(digits.len()..).unwrap_or("").trim();
        let seconds = match unit {
            "ms" => return Ok(Span(Duration::from_millis(number))),
            "s" => 1,
            "m" | "min" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return Err(wrong()),
        };
        number
            .checked_mul(seconds)
            .filter(|seconds| *seconds <= 366 * 86_400)
            .map(|seconds| Span(Duration::from_secs(seconds)))
            .ok_or_else(wrong)
    }
}

/// A number of bytes: `500 KB`, `4 MB`, `10 MiB`.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Size(pub u64);

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no number of bytes: write it like `4 MB` or `10 MiB`");
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        let factor = match text.get(digits.len()..).unwrap_or("").trim() {
            "" | "B" => 1,
            "kB" | "KB" => 1000,
            "KiB" => 1024,
            "MB" => 1_000_000,
            "MiB" => 1 << 20,
            "GB" => 1_000_000_000,
            "GiB" => 1 << 30,
            _ => return Err(wrong()),
        };
        number.checked_mul(factor).map(Size).ok_or_else(wrong)
    }
}
