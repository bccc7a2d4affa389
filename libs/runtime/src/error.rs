//! How an error is written where only text goes: in logs, events, answers.

/// Writes an error with its sources, from the outermost to the first cause.
pub fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |source| source.source());
    sources.fold(error.to_string(), |text, source| format!("{text}: {source}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not read a plan")]
    struct Outer(#[source] std::fmt::Error);

    #[test]
    fn names_every_cause_once() {
        assert_eq!(chain(&Outer(std::fmt::Error)), format!("could not read a plan: {}", std::fmt::Error));
    }
}
