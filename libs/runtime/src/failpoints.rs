//! Lets the process die at the points that the variable FAILPOINTS names, as `gateway.decided=3*off->panic` has it.
//!
//! Only where the feature `failpoints` is on, which no release build can have. The action `panic` is `kill -9`: nothing is
//! unwound, nothing is closed, nobody is told.

#[cfg(not(debug_assertions))]
compile_error!("the feature `failpoints` is for `make faults` alone: no release build may have it");

use std::panic::PanicHookInfo;

use rustix::process::{Signal, getpid, kill_process};

/// Reads FAILPOINTS, and makes a panic of one of its points a crash.
pub(crate) fn arm() {
    // For the life of the process.
    std::mem::forget(fail::FailScenario::setup());
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if is_failpoint(panic) {
            eprintln!("{}", panic.payload_as_str().unwrap_or_default());
            let _ = kill_process(getpid(), Signal::KILL);
        }
        usual(panic);
    }));
}

fn is_failpoint(panic: &PanicHookInfo<'_>) -> bool {
    panic.payload_as_str().is_some_and(|text| text.starts_with("failpoint ") && text.ends_with(" panic"))
}
