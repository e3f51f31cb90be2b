//! To be written: availability.
