//! The embedded servers, as their users see them.

mod postgres;
mod registry;
