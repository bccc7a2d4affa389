//! Events to Avro bytes and back. The only crate that names apache-avro.
//!
//! An event that holds much (a tree, many changes, a list of nodes) becomes a small record and blobs, named by their
//! sha256. The caller stores the blobs before it appends, and hands them back when it decodes.

mod blob;
mod decode;
mod encode;
mod record;
pub mod schema;
mod view;

pub use blob::{Blobs, tree_blobs, tree_from_blobs};
pub use decode::{Decoder, Error};
pub use encode::{Encoded, encode};
pub use view::ViewAdvanced;
