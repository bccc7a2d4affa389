//! Names what is read of semantic models, metrics and saved queries: nothing yet, and each of them says so.

use super::properties::Entry;
use super::read::Reader;
use crate::node::ResourceType;

impl Reader<'_> {
    /// Reports an entry of a kind that is not read yet.
    pub(super) fn not_read(&mut self, entry: &Entry, kind: ResourceType) {
        let package = &self.packages[entry.at].definition.name;
        let unique_id = format!("{}.{package}.{}", kind.as_str(), entry.name);
        let message = format!("`{}` are not supported yet", entry.section);
        self.wrong(&unique_id, "MEMBER_NOT_SUPPORTED", (message, Some(entry.place.clone())));
    }
}
