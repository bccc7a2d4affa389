//! Appends over HTTP beside plain inserts from as many connections.

use anyhow::Result;
use serde_json::{Value, json};

use crate::figure::{Figure, median};
use crate::http::Http;
use crate::load::{Client, rate};
use crate::plain::{self, Insert};
use crate::project;
use crate::stack::Stack;

/// How often each rate is measured, ours and the plain one in turn.
const ROUNDS: usize = 3;
/// Gives an event that places a node a payload of `plain::PAYLOAD` bytes.
const KEY_BYTES: usize = 281;
/// How many nodes are placed over and over, and how many models the one project has.
const NODES: usize = 100;

/// Says what the clients send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Load {
    /// Each connection places nodes of a project of its own, so many in a request.
    Place(usize),
    /// All connections describe models of one project.
    Describe,
}

const LOADS: [(&str, usize, Load); 5] = [
    ("append_http_1", 1, Load::Place(1)),
    ("append_http_8", 8, Load::Place(1)),
    ("append_http_32", 32, Load::Place(1)),
    ("append_batched", 32, Load::Place(64)),
    ("append_http_32_one_project", 32, Load::Describe),
];

pub(crate) async fn measure(stack: &Stack, figures: &mut Vec<Figure>) -> Result<()> {
    plain::make(stack).await?;
    for (name, connections, load) in LOADS.into_iter().filter(|(name, ..)| stack.is_asked(name)) {
        let projects = import(stack, connections, load).await?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            stack.quiet().await?;
            // Whoever edits has just looked: an edit of a version long past is refused.
            let version = stack.http().version(&projects[0]).await?;
            let editor =
                |number: usize| Editor::new(stack.http(), &projects[number % projects.len()], (number, load, version));
            ours.push(rate((0..connections).map(editor).collect()).await?);
            stack.quiet().await?;
            let mut inserts = Vec::new();
            for _ in 0..connections {
                inserts.push(Insert::new(stack).await?);
            }
            theirs.push(rate(inserts).await?);
        }
        figures.push(Figure::new(name, median(&mut ours), "events/s").beside(median(&mut theirs)));
    }
    Ok(())
}

/// Imports the projects that a load is about.
async fn import(stack: &Stack, connections: usize, load: Load) -> Result<Vec<String>> {
    let (count, models) = if load == Load::Describe { (1, NODES) } else { (connections, 1) };
    let mut projects = Vec::new();
    for _ in 0..count {
        projects.push(stack.http().import(project::views(models)?).await?);
    }
    Ok(projects)
}

/// Edits a project over one connection.
struct Editor {
    http: Http,
    project: String,
    load: Load,
    /// Which of the connections this is: each describes models of its own.
    number: usize,
    turn: usize,
    /// The version of the branch when it began, and the last that it knows.
    base: i64,
    version: i64,
}

impl Editor {
    fn new(http: Http, project: &str, (number, load, version): (usize, Load, i64)) -> Self {
        Self { http, project: project.to_owned(), load, number, turn: 0, base: version, version }
    }

    fn next(&mut self) -> Value {
        self.turn += 1;
        match self.load {
            Load::Place(_) => {
                let node_key = format!("model.bench.{:0>1$}", self.turn % NODES, KEY_BYTES - "model.bench.".len());
                json!({"type": "place_node", "node_key": node_key, "x": self.turn % 10_000, "y": 0.5})
            }
            Load::Describe => {
                let own = NODES / 32;
                let unique_id = project::view_id(self.number * own + self.turn % own);
                // A round begins anew with its turns, and the same text again would be no edit.
                let text = format!("As edit {} after version {} says.", self.turn, self.base);
                json!({"type": "describe_node", "unique_id": unique_id, "text": text})
            }
        }
    }
}

impl Client for Editor {
    async fn step(&mut self) -> Result<usize> {
        let count = if let Load::Place(count) = self.load { count } else { 1 };
        let commands: Vec<_> = (0..count).map(|_| self.next()).collect();
        let results = self.http.commands(&self.project, self.version, commands).await?;
        if self.load == Load::Describe {
            self.version = results.last().and_then(|result| result["version"].as_i64()).unwrap_or(self.version);
        }
        Ok(results.len())
    }
}
