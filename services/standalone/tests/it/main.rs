//! The real binary.

mod folder;
