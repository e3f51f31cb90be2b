//! What a server's answer means: done, later, or never.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::{DeliveryError, Recovery};

/// The longest wait that is understood: what asks for more asks for never.
const WAIT_MAX: Duration = Duration::from_secs(366 * 86_400);

/// An answer that is no success as an error; `said` is its text, cleaned.
pub(super) fn refusal(
    address: &str,
    status: StatusCode,
    said: &str,
    after: Option<Duration>,
) -> DeliveryError {
    let hint = match status.as_u16() {
        401 | 403 | 407 => "the server wants other credentials, or does not let this machine in",
        404 | 409 | 410 => "check the address: the server has no such place",
        405 | 501 => "the server does not take this: try the other `method`",
        411..=413 => "the server does not take files of this size or kind",
        415 | 422 => "the server does not take this file: read what it says",
        507 => "the server has no room: ask its owner",
        408 | 425 | 429 | 500..=599 => "the server is busy or broken: run again later",
        _ => "check the address, and what the server's owner says about it",
    };
    let message = if said.is_empty() {
        format!("the server answered {status}")
    } else {
        format!("the server answered {status}: {said}")
    };
    let recovery = if is_passing(status) {
        Recovery::Retry { after }
    } else {
        Recovery::Abort
    };
    DeliveryError {
        recovery,
        ..DeliveryError::abort(address, message, hint)
    }
}

/// True for answers that may be others later.
fn is_passing(status: StatusCode) -> bool {
    match status.as_u16() {
        501 | 505 | 507 | 511 => false,
        408 | 423 | 425 | 429 => true,
        code => code >= 500,
    }
}

/// How long the server asks to be left alone: seconds or a date. What is neither is no wish.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        text.parse().map_or(WAIT_MAX, Duration::from_secs)
    } else {
        let until = DateTimeParser::new().parse_timestamp(text).ok()?;
        // a date that is over asks for nothing
        until
            .duration_since(now)
            .try_into()
            .unwrap_or(Duration::ZERO)
    };
    Some(wait.min(WAIT_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wish_to_be_left_alone_is_seconds_or_a_date() {
        let now = "2026-11-22T10:00:00Z".parse().expect("a moment");
        let wait = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().expect("a header"));
            retry_after(&headers, now)
        };
        for (text, seconds) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("Sun, 22 Nov 2026 11:00:00 GMT", Some(3600)),
            ("Sun, 22 Nov 2026 09:00:00 GMT", Some(0)),
            ("99999999999999999999999", Some(WAIT_MAX.as_secs())),
            ("soon", None),
            ("-5", None),
            ("1.5", None),
            ("", None),
        ] {
            assert_eq!(wait(text), seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn answers_are_for_later_or_for_good() {
        for (status, passing) in [
            (400, false),
            (401, false),
            (403, false),
            (404, false),
            (408, true),
            (413, false),
            (423, true),
            (429, true),
            (500, true),
            (501, false),
            (502, true),
            (503, true),
            (504, true),
            (507, false),
            (599, true),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            let wait = Some(Duration::from_secs(7));
            let error = refusal("a", status, "no", wait);
            let expected = if passing {
                Recovery::Retry { after: wait }
            } else {
                Recovery::Abort
            };
            assert_eq!(error.recovery, expected, "{status}");
            assert!(error.message.ends_with(": no") && !error.hint.is_empty());
        }
    }
}
