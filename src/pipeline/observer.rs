//! What a run tells while it works.

use crate::validate::finding::Finding;

/// Hears what happens. All calls come from one thread, findings in the catalog's order.
pub trait Observer {
    /// A rule was broken.
    fn finding(&mut self, finding: &Finding) {
        let _ = finding;
    }

    /// Something about a source that its owner should hear.
    fn remark(&mut self, remark: &str) {
        let _ = remark;
    }

    /// What was told so far is void: the run begins anew, and tells all of it again.
    fn restart(&mut self) {}

    /// So many records have been read.
    fn progress(&mut self, records: u64) {
        let _ = records;
    }
}

/// Hears nothing.
pub struct Silent;

impl Observer for Silent {}
