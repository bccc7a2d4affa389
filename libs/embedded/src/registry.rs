//! A small schema registry that speaks Confluent's HTTP API, for Avro, on a Postgres database.
//!
//! Compatibility is checked by apache-avro. Subjects are never deleted; references are not supported and refused.

mod http;
mod rules;
mod storage;

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use rules::Compatibility;

/// Says why the registry did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not listen on 127.0.0.1")]
    Listen(#[source] std::io::Error),
    #[error("could not use the registry's database")]
    Database(#[from] tokio_postgres::Error),
}

/// Runs a registry until it is stopped or dropped.
#[derive(Debug)]
pub struct Registry {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

impl Registry {
    /// Starts a registry whose schemas live in the schema `registry` of a database.
    ///
    /// # Errors
    /// When the database does not answer or no port is free.
    pub async fn start(database_url: &str) -> Result<Self, Error> {
        let storage = storage::Storage::open(database_url).await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Error::Listen)?;
        let address = listener.local_addr().map_err(Error::Listen)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(async move {
            let app = axum::serve(listener, http::router(storage));
            let ended = app.with_graceful_shutdown(async move { drop(stopped.await) }).await;
            if let Err(error) = ended {
                tracing::error!(%error, "the schema registry ended");
            }
        });
        Ok(Self { address, stop: Some(stop), server })
    }

    /// Answers the registry's address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops after the requests that are being answered.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        if let Err(error) = (&mut self.server).await {
            tracing::warn!(%error, "the schema registry's task failed");
        }
    }
}
