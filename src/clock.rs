//! The one place that asks what time it is.

/// Now.
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
