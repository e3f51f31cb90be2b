//! Signals of the system, as messages: SIGTERM and SIGINT stop the daemon, SIGHUP has it read its configuration anew.

use crossbeam_channel::{Receiver, bounded};
use tokio::signal::unix::{SignalKind, signal};

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub enum Signal {
    /// End.
    Stop,
    /// Read the configuration anew.
    Reload,
}

/// Takes the signals over, from the moment it returns until the process ends.
///
/// # Errors
/// A system that gives no thread or no signals.
pub fn install() -> std::io::Result<Receiver<Signal>> {
    let (sender, receiver) = bounded(16);
    let (ready, taken) = bounded(1);
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => return drop(ready.send(Err(error))),
            };
            runtime.block_on(async {
                let all = || -> std::io::Result<_> {
                    Ok((
                        signal(SignalKind::terminate())?,
                        signal(SignalKind::interrupt())?,
                        signal(SignalKind::hangup())?,
                    ))
                };
                let (mut terminate, mut interrupt, mut hangup) = match all() {
                    Ok(all) => all,
                    Err(error) => return drop(ready.send(Err(error))),
                };
                drop(ready.send(Ok(())));
                loop {
                    let asked = tokio::select! {
                        _ = terminate.recv() => Signal::Stop,
                        _ = interrupt.recv() => Signal::Stop,
                        _ = hangup.recv() => Signal::Reload,
                    };
                    // More than a few waiting ones say nothing new; a stop gets its place.
                    if asked == Signal::Stop {
                        if sender.send(asked).is_err() {
                            return;
                        }
                    } else {
                        drop(sender.try_send(asked));
                    }
                }
            });
        })?;
    taken
        .recv()
        .unwrap_or_else(|_| Err(std::io::Error::other("the thread for signals ended")))?;
    Ok(receiver)
}
