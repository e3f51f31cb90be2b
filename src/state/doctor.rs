//! Stub.
/// Damage.
#[derive(Clone, Debug)]
pub struct Damage;
/// Examination.
#[derive(Clone, Debug)]
pub struct Examination;
/// Examine.
pub fn examine() {}
