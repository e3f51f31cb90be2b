//! Planted bugs: switches by which tests prove that they would notice. Release builds have none.
//!
//! A test plants one for its own thread; the code asks at the place where the bug would be.

/// Whether a test planted this bug.
#[cfg(debug_assertions)]
pub fn is(name: &'static str) -> bool {
    armed::PLANTED.with(|planted| planted.get() == Some(name))
}

/// No: this build has none.
#[cfg(not(debug_assertions))]
#[inline]
pub fn is(_name: &'static str) -> bool {
    false
}

/// Plants a bug for this thread, or takes it out again.
#[cfg(debug_assertions)]
pub fn plant(name: Option<&'static str>) {
    armed::PLANTED.with(|planted| planted.set(name));
}

#[cfg(debug_assertions)]
mod armed {
    use std::cell::Cell;

    thread_local! {
        pub(super) static PLANTED: Cell<Option<&'static str>> = const { Cell::new(None) };
    }
}
