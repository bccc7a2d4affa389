//! A stream folded by the domain, whatever its category, and what a command decides on it.

use dvt_domain::compilation::{self, Compilation};
use dvt_domain::layout::{self, Layout};
use dvt_domain::run::{self, Run};
use dvt_domain::{Aggregate, Event};

/// A stream at one version.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Folded {
    pub(crate) version: i64,
    pub(crate) state: State,
}

/// What the stream is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum State {
    #[default]
    Nothing,
    Layout(Layout),
    Compilation(Compilation),
    Run(Run),
}

/// A command of a client, of one stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    Layout(layout::Command),
    Compilation(compilation::Command),
    Run(run::Command),
}

impl Folded {
    pub(crate) fn after(self, version: i64, event: &Event) -> Self {
        let fits = "invariant: a stream holds events of one category";
        let state = match event {
            Event::Layout(_) => State::Layout(self.layout().after(event).expect(fits)),
            Event::Compilation(_) => State::Compilation(self.compilation().after(event).expect(fits)),
            Event::Run(_) => State::Run(self.run().after(event).expect(fits)),
            Event::Project(_) | Event::Branch(_) => self.state,
        };
        Self { version, state }
    }

    pub(crate) fn layout(&self) -> Layout {
        if let State::Layout(layout) = &self.state { layout.clone() } else { Layout::default() }
    }

    pub(crate) fn compilation(&self) -> Compilation {
        if let State::Compilation(compilation) = &self.state { compilation.clone() } else { Compilation::default() }
    }

    pub(crate) fn run(&self) -> Run {
        if let State::Run(run) = &self.state { run.clone() } else { Run::default() }
    }

    /// Sums up the state of a layout, so that an event can say on which state it was decided.
    pub(crate) fn sum(&self) -> f64 {
        self.layout().pins.values().map(|(x, _)| x).sum()
    }

    /// Decides a command; the error says why not.
    pub(crate) fn decide(&self, command: &Command) -> Result<Vec<Event>, String> {
        match command.clone() {
            Command::Layout(layout::Command::PlaceNode(placed)) => {
                let placed = layout::NodePlaced { y: self.sum(), ..placed };
                events(self.layout().decide(layout::Command::PlaceNode(placed)), Event::Layout)
            }
            Command::Compilation(command) => events(self.compilation().decide(command), Event::Compilation),
            Command::Run(command) => events(self.run().decide(command), Event::Run),
        }
    }
}

fn events<E, R: std::error::Error>(decided: Result<Vec<E>, R>, wrap: fn(E) -> Event) -> Result<Vec<Event>, String> {
    decided.map(|events| events.into_iter().map(wrap).collect()).map_err(|error| error.to_string())
}
