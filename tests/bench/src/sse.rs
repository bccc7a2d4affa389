//! Live streams, read with as little effort as can be: there may be 10,000.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;

/// Is one event that one client has received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) client: usize,
    pub(crate) position: i64,
    pub(crate) at: Instant,
}

/// Is one client's open stream of a project.
pub(crate) struct Stream {
    connection: TcpStream,
    client: usize,
    /// The bytes of a line that has not ended yet.
    rest: Vec<u8>,
}

impl Stream {
    /// Opens a stream, from the end of the log on.
    pub(crate) async fn open(address: SocketAddr, project: &str, client: usize) -> Result<Self> {
        let mut connection = TcpStream::connect(address).await?;
        let request =
            format!("GET /api/v1/projects/{project}/stream HTTP/1.1\r\nhost: {address}\r\ndvt-actor: bench\r\n\r\n");
        connection.write_all(request.as_bytes()).await?;
        let mut stream = Self { connection, client, rest: Vec::new() };
        let status = loop {
            if let Some(status) = stream.line() {
                break status;
            }
            stream.read().await?;
        };
        ensure!(status.starts_with(b"HTTP/1.1 200"), "a live stream: {}", String::from_utf8_lossy(&status));
        Ok(stream)
    }

    /// Tells of every event until the stream ends.
    pub(crate) async fn follow(mut self, arrivals: UnboundedSender<Arrival>) -> Result<()> {
        loop {
            while let Some(line) = self.line() {
                let Some(position) = line.strip_prefix(b"id: ") else { continue };
                let position = std::str::from_utf8(position)?.trim().parse().context("an id is a position")?;
                let arrival = Arrival { client: self.client, position, at: Instant::now() };
                if arrivals.send(arrival).is_err() {
                    return Ok(());
                }
            }
            self.read().await?;
        }
    }

    /// Takes the next whole line: the gateway sends each event in a piece of its own, so that no line is cut in two.
    fn line(&mut self) -> Option<Vec<u8>> {
        let end = self.rest.iter().position(|&byte| byte == b'\n')?;
        Some(self.rest.drain(..=end).collect())
    }

    async fn read(&mut self) -> Result<()> {
        let mut bytes = [0; 2048];
        let count = self.connection.read(&mut bytes).await?;
        ensure!(count > 0, "a live stream has ended");
        self.rest.extend_from_slice(&bytes[..count]);
        Ok(())
    }
}
