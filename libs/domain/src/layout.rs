//! The layout of a branch: where users pinned nodes. It never changes the dbt project.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

/// The furthest coordinate from the origin that a node can be put at, in pixels at zoom 1.
pub const COORDINATE_MAX: f64 = 1_000_000.0;

/// Asks for a change of the layout.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    PlaceNode(NodePlaced),
}

/// Records a change of the layout.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    NodePlaced(NodePlaced),
}

/// Pins a node. Pixels at zoom 1, x to the right, y down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodePlaced {
    pub node_key: String,
    pub x: f64,
    pub y: f64,
}

/// Says why a command was refused.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Error {
    #[error("{field} is {got}, outside ±{COORDINATE_MAX}")]
    Coordinate { field: &'static str, got: f64 },
}

/// Holds where nodes are pinned, by node_key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    pub pins: OrdMap<String, (f64, f64)>,
}

impl Layout {
    /// Decides a command into events.
    ///
    /// # Errors
    /// When a coordinate is out of range.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        let Command::PlaceNode(placed) = command;
        for (field, got) in [("x", placed.x), ("y", placed.y)] {
            if got.is_nan() || got.abs() > COORDINATE_MAX {
                return Err(Error::Coordinate { field, got });
            }
        }
        Ok(vec![Event::NodePlaced(placed)])
    }

    /// Answers the layout after `event`.
    pub fn apply(mut self, event: &Event) -> Self {
        let Event::NodePlaced(placed) = event;
        self.pins.insert(placed.node_key.clone(), (placed.x, placed.y));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(x: f64) -> Command {
        Command::PlaceNode(NodePlaced { node_key: "model.shop.orders".into(), x, y: 2.0 })
    }

    #[test]
    fn keeps_the_last_place_of_a_node() {
        let layout = [1.0, 3.0].into_iter().fold(Layout::default(), |layout, x| {
            let events = layout.decide(place(x)).expect("the command is fine");
            events.iter().fold(layout, Layout::apply)
        });
        assert_eq!(layout.pins.get("model.shop.orders"), Some(&(3.0, 2.0)));
    }

    #[test]
    fn refuses_a_place_that_is_no_number() {
        assert!(Layout::default().decide(place(f64::NAN)).is_err());
    }
}
