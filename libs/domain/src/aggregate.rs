//! What every aggregate can do with an event of the log.

use crate::branch::Branch;
use crate::compilation::Compilation;
use crate::envelope::Category;
use crate::event::Event;
use crate::layout::Layout;
use crate::project::Project;
use crate::run::Run;

/// Says why a recorded event does not fit its stream: the log is corrupt.
#[derive(Debug, thiserror::Error)]
pub enum Corrupt {
    #[error("a {0} stream holds an event of another category")]
    Category(Category),
    #[error("the edits do not fit the files")]
    Files(#[from] dvt_dbt::tree::Error),
}

/// Folds the events of one category of streams.
pub trait Aggregate: Clone + Default {
    /// The category of the streams.
    const CATEGORY: Category;

    /// Answers the aggregate after `event`.
    ///
    /// # Errors
    /// When the event cannot follow: the log is corrupt.
    fn after(self, event: &Event) -> Result<Self, Corrupt>;
}

macro_rules! aggregate {
    ($($state:ident: $category:ident => $apply:expr),* $(,)?) => {$(
        impl Aggregate for $state {
            const CATEGORY: Category = Category::$category;

            fn after(self, event: &Event) -> Result<Self, Corrupt> {
                match event {
                    Event::$category(event) => $apply(self, event),
                    _ => Err(Corrupt::Category(Self::CATEGORY)),
                }
            }
        }
    )*};
}

aggregate! {
    Project: Project => |state: Project, event| Ok(state.apply(event)),
    Branch: Branch => |state: Branch, event| Ok(state.apply(event)?),
    Layout: Layout => |state: Layout, event| Ok(state.apply(event)),
    Compilation: Compilation => |state: Compilation, event| Ok(state.apply(event)),
    Run: Run => |state: Run, event| Ok(state.apply(event)),
}
