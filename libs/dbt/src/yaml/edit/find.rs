//! Finds what a path leads to, and what it shares with other places on the way.

use super::shape::{Document, Entries, Form, Name, Shape};
use super::{Error, Sharing, Step};

impl Document {
    /// Finds the value at a path.
    ///
    /// # Errors
    /// When the way goes through an alias or a merge key, or the value is shared.
    pub(super) fn walk(&self, steps: &[Step]) -> Result<&Shape, Error> {
        let Some((_, above)) = steps.split_last() else { return self.own(&self.root) };
        self.walk(above)?;
        let (entries, at) = self.entry(steps)?;
        self.own(&entries.list[at].value)
    }

    /// Finds the entry at a path: its place in the mapping or sequence that holds it.
    ///
    /// # Errors
    /// As [`Document::walk`]; what stands below the entry may be shared.
    pub(super) fn entry(&self, steps: &[Step]) -> Result<(&Entries, usize), Error> {
        let missing = |at| Error::NotExpressible { at, why: "there is nothing to change" };
        let Some((last, above)) = steps.split_last() else { return Err(missing(0)) };
        let holder = self.walk(above)?;
        let start = holder.span.start;
        match (&holder.form, last) {
            (Form::Map(entries), Step::Key(key)) => {
                let found = entries.list.iter().rposition(|entry| entry.key == *key);
                found.map(|at| (entries, at)).ok_or_else(|| self.merged(entries).unwrap_or_else(|| missing(start)))
            }
            (Form::Seq(entries), Step::Item(at)) if *at < entries.list.len() => Ok((entries, *at)),
            _ => Err(missing(start)),
        }
    }

    /// Says that a value comes from a merge key.
    fn merged(&self, entries: &Entries) -> Option<Error> {
        let merge = entries.list.iter().find(|entry| entry.key == "<<")?;
        let alias = self.aliases.iter().find(|alias| merge.span.contains(&alias.at))?;
        self.anchor_of(alias.at).map(|anchor| Error::Shared(self.shared(anchor)))
    }

    /// Checks that a value is written here and nowhere else used.
    fn own<'s>(&self, shape: &'s Shape) -> Result<&'s Shape, Error> {
        let alias = self.anchor_of(shape.span.start).filter(|_| matches!(shape.form, Form::Alias));
        let sharing = alias.map(|anchor| self.shared(anchor)).or_else(|| self.shared_at(shape.span.start));
        sharing.map_or(Ok(shape), |sharing| Err(Error::Shared(sharing)))
    }

    /// Finds an anchor that is used elsewhere around byte `at`.
    pub(super) fn shared_at(&self, at: usize) -> Option<Sharing> {
        let around =
            |anchor: &&Name| anchor.span.start <= at && at <= anchor.span.end && !self.users(anchor).is_empty();
        self.anchors.iter().find(around).map(|anchor| self.shared(anchor))
    }

    pub(super) fn shared(&self, anchor: &Name) -> Sharing {
        Sharing { name: anchor.name.clone(), anchor: anchor.at, users: self.users(anchor) }
    }
}
