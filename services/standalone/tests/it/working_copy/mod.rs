//! A project's way in and out, by the real binary: every byte and mode of a folder, and the changes of a working copy.

mod folder;
mod identity;
mod into;
mod refused;
