//! What a service needs before anybody uses it: time until it is ready, and memory.

use std::time::Duration;

use anyhow::Result;

use crate::figure::{Figure, percentile};
use crate::replica::Replica;
use crate::stack::Stack;

const SERVICES: [&str; 4] = ["gateway", "projector", "artifact", "executor"];
/// How often each is started.
const STARTS: usize = 3;
/// How long each is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(10);

pub(crate) async fn measure(stack: &Stack) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let mut idle = Vec::new();
    for service in SERVICES {
        let mut ready = Vec::new();
        for _ in 1..STARTS {
            let replica = Replica::start(stack, service).await?;
            ready.push(replica.ready);
            replica.end().await?;
        }
        let replica = Replica::start(stack, service).await?;
        ready.push(replica.ready);
        figures.push(Figure::milliseconds(format!("ready_{service}"), percentile(&mut ready, 50)));
        idle.push((service, replica));
    }
    tokio::time::sleep(IDLE).await;
    for (service, replica) in idle {
        figures.push(Figure::new(format!("idle_rss_{service}"), replica.memory("VmRSS")?, "MiB"));
        replica.end().await?;
    }
    Ok(figures)
}
