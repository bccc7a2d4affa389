//! Seeded bugs: the places where a pure machine would go wrong, and how each is turned on.
//!
//! Simulation turns on one at a time and must find it. Without the feature `mutants` the answer is a constant no.

/// Says whether a seeded bug is on.
#[cfg(not(feature = "mutants"))]
#[inline(always)]
pub fn mutant(_name: &'static str) -> bool {
    false
}

#[cfg(feature = "mutants")]
mod switch {
    use std::cell::Cell;

    thread_local! {
        static ON: Cell<Option<&'static str>> = const { Cell::new(None) };
    }

    /// Says whether a seeded bug is on in this thread.
    pub fn mutant(name: &'static str) -> bool {
        ON.get() == Some(name)
    }

    /// Turns one seeded bug on in this thread, or none.
    pub fn turn_on(name: Option<&'static str>) {
        ON.set(name);
    }
}

#[cfg(feature = "mutants")]
pub use switch::{mutant, turn_on};
