//! SIGTERM and Ctrl-C as a wish to end: what is on its way comes to its end, nothing new begins.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A flag that the first such signal sets. Without signals (another system, no thread) it stays unset, and a signal ends
/// the process: the state is whole then, too.
pub(super) fn flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    #[cfg(unix)]
    listen(Arc::clone(&flag));
    flag
}

#[cfg(unix)]
fn listen(flag: Arc<AtomicBool>) {
    use std::sync::atomic::Ordering;
    use tokio::signal::unix::{SignalKind, signal};

    let (ready, taken) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::Builder::new().name("signals".to_owned());
    let spawned = thread.spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async move {
            let both = (
                signal(SignalKind::terminate()),
                signal(SignalKind::interrupt()),
            );
            let (Ok(mut terminate), Ok(mut interrupt)) = both else {
                return;
            };
            drop(ready);
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                flag.store(true, Ordering::Relaxed);
            }
        });
    });
    if spawned.is_ok() {
        // It returns when the sender is gone: the signals are taken over, or cannot be.
        taken.recv().unwrap_or_default();
    }
}
