//! Ctrl-C and SIGTERM: the first asks the run to end after writing what it has, the second ends at once.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set by the signal's thread, read between and during cells. Relaxed: it publishes nothing but itself.
static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Exit code of an interrupted run, as shells expect it.
pub const EXIT_CODE: u8 = 130;

/// Starts listening, once a process. Rows are flushed as they are written, so ending at once loses at most one cell.
pub fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let installed = ctrlc::set_handler(|| {
            if REQUESTED.swap(true, Ordering::Relaxed) {
                std::process::exit(i32::from(EXIT_CODE));
            }
            eprintln!(
                "\nstopping; what is measured is kept (go on later with --resume, Ctrl-C again to leave at once)"
            );
        });
        if let Err(error) = installed {
            eprintln!(
                "allocbench: Ctrl-C cannot be handled ({error}); rows written so far are kept in any case"
            );
        }
    });
}

/// Whether the user asked to stop.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}
