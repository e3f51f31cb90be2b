//! Death at a named point: armed for a run, and told to the caller by unwinding, past everything that was not committed.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Which point kills, and how often it is passed first.
#[derive(Clone, Debug, Default)]
pub struct Kill {
    armed: Option<(&'static str, u32)>,
    /// How often each point was reached.
    pub reached: BTreeMap<&'static str, u64>,
    /// How often each point killed.
    pub killed: BTreeMap<&'static str, u64>,
}

/// What unwinds.
#[derive(Debug)]
pub struct Died(pub &'static str);

thread_local! {
    static KILL: RefCell<Kill> = RefCell::new(Kill::default());
}

/// The run that follows dies at this point, when it has passed it so often.
pub fn arm(point: &'static str, passes: u32) {
    KILL.with(|kill| kill.borrow_mut().armed = Some((point, passes)));
}

/// Nobody dies.
pub fn disarm() {
    KILL.with(|kill| kill.borrow_mut().armed = None);
}

/// What was counted on this thread, from zero again.
pub fn take() -> Kill {
    KILL.with(RefCell::take)
}

/// The point is reached.
pub fn reached(point: &'static str) {
    let dies = KILL.with(|kill| {
        let mut kill = kill.borrow_mut();
        *kill.reached.entry(point).or_default() += 1;
        match &mut kill.armed {
            Some((armed, 0)) if *armed == point => {
                kill.armed = None;
                *kill.killed.entry(point).or_default() += 1;
                true
            }
            Some((armed, passes)) if *armed == point => {
                *passes -= 1;
                false
            }
            _ => false,
        }
    });
    if dies {
        std::panic::resume_unwind(Box::new(Died(point)));
    }
}

/// The point at which a run died; goes on unwinding where it was something else.
pub fn point(death: Box<dyn Any + Send>) -> &'static str {
    match death.downcast::<Died>() {
        Ok(died) => died.0,
        Err(other) => std::panic::resume_unwind(other),
    }
}
