//! Two gateways, and the clients that send them commands until each is answered.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use dvt_domain::compilation::{self, CompileRequested, PublishRequested};
use dvt_domain::id::{BranchId, CompilationId, ProjectId};
use dvt_domain::layout::{self, NodePlaced};
use dvt_domain::run::{self, Kind, RunCancelRequested, RunRequested};
use dvt_store::event::{Idempotency, Outcome};
use futures::StreamExt;
use futures::channel::{mpsc, oneshot};
use futures::future::{Either, select};
use uuid::Uuid;

use crate::appender::{Appender, Stopped};
use crate::fold::Command;
use crate::world::{Acknowledged, Node, Stamp};

/// How long a client waits for an answer before it asks again.
const PATIENCE: Duration = Duration::from_secs(8);
/// The actor of all clients.
const ACTOR: &str = "local:ann";

/// A command under its key.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) key: Uuid,
    pub(crate) project_id: Uuid,
    pub(crate) stream_id: Uuid,
    pub(crate) command: Command,
}

/// What a gateway answers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Done {
        first: i64,
    },
    Refused(String),
    /// May be repeated.
    Unavailable,
}

type Inbox = mpsc::UnboundedSender<(Request, oneshot::Sender<Answer>)>;

/// Where the gateways that live are reached.
#[derive(Clone, Default)]
pub(crate) struct Gateways(Rc<RefCell<Vec<Option<Inbox>>>>);

impl Gateways {
    /// Runs the gateway of one place, as one life of its process.
    pub(crate) async fn serve(self, node: Node, place: usize) {
        let appender = Appender::start(&node);
        let (inbox, mut requests) = mpsc::unbounded();
        {
            let mut gateways = self.0.borrow_mut();
            let needed = gateways.len().max(place + 1);
            gateways.resize(needed, None);
            gateways[place] = Some(inbox);
        }
        while let Some((request, answer)) = requests.next().await {
            let (node, appender) = (node.clone(), appender.clone());
            node.clone().spawn(async move {
                let answered = handle(&node, &appender, request).await;
                let _ = answer.send(answered);
            });
        }
    }

    fn send(&self, place: usize, request: Request) -> Option<oneshot::Receiver<Answer>> {
        let (answer, answered) = oneshot::channel();
        let gateways = self.0.borrow();
        let inbox = gateways.get(place)?.as_ref()?;
        inbox.unbounded_send((request, answer)).ok()?;
        Some(answered)
    }
}

async fn handle(node: &Node, appender: &Appender, request: Request) -> Answer {
    let request_sha256 = [1; 32];
    let known = node.db(|db, _| {
        let same = |event: &&dvt_store::event::Recorded| event.idempotency_key == Some(request.key);
        db.log.events().iter().find(same).map(|event| event.position)
    });
    match known.await {
        Ok(Some(first)) => return Answer::Done { first },
        Ok(None) => {}
        Err(_) => return Answer::Unavailable,
    }
    let stamp = Stamp { project_id: request.project_id, stream_id: request.stream_id, actor: ACTOR.to_owned() };
    let idempotency = Idempotency { key: request.key, request_sha256 };
    match appender.run((&stamp, &idempotency), &request.command).await {
        Ok(Outcome::Appended { first, .. } | Outcome::Duplicate { first, .. }) => Answer::Done { first },
        Ok(Outcome::Conflict { .. } | Outcome::Reserved { .. }) | Err(Stopped::Failed) => Answer::Unavailable,
        Err(Stopped::Busy) => {
            node.world(|world| world.busy += 1);
            Answer::Unavailable
        }
        Err(Stopped::Refused(why)) => Answer::Refused(why),
    }
}

/// Sends a command until it is answered; at whichever gateway.
pub(crate) async fn send(node: &Node, gateways: &Gateways, request: Request) -> Answer {
    loop {
        let place = node.sim.below(2) as usize;
        if let Some(answered) = gateways.send(place, request.clone()) {
            let patience = std::pin::pin!(node.sim.sleep(PATIENCE));
            if let Either::Left((Ok(answer), _)) = select(answered, patience).await
                && answer != Answer::Unavailable
            {
                node.trace(|| format!("hears {answer:?} of {:?}", request.command));
                if let Answer::Done { first } = answer {
                    acknowledge(node, &request, first);
                }
                return answer;
            }
        }
        node.sim.sleep(node.sim.between(Duration::from_millis(20), Duration::from_millis(400))).await;
    }
}

/// Remembers what a client was told, and what the log says of it at that moment.
fn acknowledge(node: &Node, request: &Request, first: i64) {
    node.world(|world| {
        let Some(recorded) = world.db.at(first).cloned() else {
            world.breaks("acknowledged", format!("position {first} of {} is not in the log", request.key));
            return;
        };
        let command = recorded.command_id;
        let events = world.db.log.events().iter().filter(|event| event.command_id == command);
        let events = events.map(|event| world.db.decode(event)).collect();
        if recorded.idempotency_key != Some(request.key) {
            world.breaks("acknowledged", format!("position {first} belongs to another command than {}", request.key));
        }
        world.acknowledged.push(Acknowledged { key: request.key, events, first });
    });
}

/// One person: edits layouts, and now and then compiles, publishes, runs and cancels.
///
/// In a hurry, everyone edits one layout at once.
pub(crate) async fn client(node: Node, gateways: Gateways, (project_id, number, hurries): (Uuid, u64, bool)) {
    let layout_id = Uuid::from_u128(project_id.as_u128() ^ 0x10);
    let (mut compilations, mut runs): (Vec<Uuid>, Vec<Uuid>) = Default::default();
    for turn in 0..node.sim.below(10) + 5 {
        let pause = Duration::from_millis(if hurries { 30 } else { 1_500 });
        node.sim.sleep(node.sim.between(Duration::ZERO, pause)).await;
        let (stream_id, command) = match if hurries { 9 } else { node.sim.below(14) } {
            0 | 1 => {
                compilations.push(node.id());
                (compilations[compilations.len() - 1], compile(project_id, 1 + node.sim.below(20) as i64))
            }
            2..=4 if !compilations.is_empty() => {
                let any = node.sim.below(compilations.len() as u64) as usize;
                let request = PublishRequested { message: format!("of {number}") };
                (compilations.swap_remove(any), Command::Compilation(compilation::Command::RequestPublish(request)))
            }
            5 => {
                runs.push(node.id());
                (runs[runs.len() - 1], request_run(&node, project_id))
            }
            6 if !runs.is_empty() && node.sim.chance(50) => {
                let cancel = RunCancelRequested { reason: None };
                (runs[runs.len() - 1], Command::Run(run::Command::RequestCancel(cancel)))
            }
            _ => {
                let (node_key, x) = (format!("node {}", node.sim.below(3)), (number * 100 + turn) as f64);
                let placed = NodePlaced { node_key, x, y: 0.0 };
                (layout_id, Command::Layout(layout::Command::PlaceNode(placed)))
            }
        };
        send(&node, &gateways, Request { key: node.id(), project_id, stream_id, command }).await;
    }
}

fn compile(project_id: Uuid, branch_version: i64) -> Command {
    Command::Compilation(compilation::Command::Request(CompileRequested {
        project_id: ProjectId::new(project_id),
        branch_id: BranchId::new(project_id),
        branch_version,
        project_version: 1,
        environment: "dev".to_owned(),
    }))
}

fn request_run(node: &Node, project_id: Uuid) -> Command {
    Command::Run(run::Command::Request(RunRequested {
        project_id: ProjectId::new(project_id),
        branch_id: BranchId::new(project_id),
        branch_version: 1,
        project_version: 1,
        environment: "dev".to_owned(),
        compilation_id: CompilationId::new(project_id),
        kind: Kind::Build,
        select: String::new(),
        exclude: String::new(),
        full_refresh: false,
        threads: 1 + node.sim.below(3) as i32,
        nodes: Vec::new(),
        retry_of: None,
    }))
}
