//! A TCP proxy that does what networks do: delay, throttle, swallow, refuse, cut, and close one half.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How many bytes are passed on at once.
const CHUNK: usize = 16 * 1024;

/// What happens to bytes on their way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Weather {
    Clear,
    /// Every chunk takes this long.
    Delay(Duration),
    /// So many bytes in a second.
    Throttle(u32),
    /// Nothing passes and nothing is closed, as behind a broken link.
    Blackhole,
    /// New connections are closed at once, those that are open are cut.
    Refuse,
}

/// Which way is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    None,
    Both,
    /// Only answers end: the server does not hear of it.
    Answers,
}

#[derive(Clone, Copy, Debug)]
struct State {
    weather: Weather,
    /// Counts the cuts; a connection ends when it changes.
    cuts: u64,
    cut: Cut,
    /// What a request must hold for all answers to be cut, once.
    trap: Option<&'static [u8]>,
}

/// Stands between clients and one server.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    state: Arc<watch::Sender<State>>,
    accepted: Arc<AtomicU64>,
}

impl Proxy {
    /// Listens on `listen` and passes on to `server`.
    pub(crate) async fn start(listen: SocketAddr, server: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let state =
            Arc::new(watch::Sender::new(State { weather: Weather::Clear, cuts: 0, cut: Cut::None, trap: None }));
        let accepted = Arc::new(AtomicU64::new(0));
        tokio::spawn(accept(listener, server, (state.clone(), accepted.clone())));
        Ok(Self { address, state, accepted })
    }

    /// Listens on a port of this machine's choice.
    pub(crate) async fn to(server: SocketAddr) -> std::io::Result<Self> {
        Self::start(SocketAddr::from(([127, 0, 0, 1], 0)), server).await
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn set(&self, weather: Weather) {
        self.state.send_modify(|state| {
            state.weather = weather;
            if weather == Weather::Refuse {
                (state.cuts, state.cut) = (state.cuts + 1, Cut::Both);
            }
        });
    }

    /// Closes every open connection, both ways.
    pub(crate) fn cut(&self) {
        self.state.send_modify(|state| (state.cuts, state.cut) = (state.cuts + 1, Cut::Both));
    }

    /// Ends the answers of every open connection; what clients send still arrives.
    pub(crate) fn half_close(&self) {
        self.state.send_modify(|state| (state.cuts, state.cut) = (state.cuts + 1, Cut::Answers));
    }

    /// Ends the answers of every open connection right before the next request that holds `trap` arrives.
    pub(crate) fn half_close_at(&self, trap: &'static [u8]) {
        self.state.send_modify(|state| state.trap = Some(trap));
    }

    /// Says whether the trap was sprung.
    pub(crate) fn is_sprung(&self) -> bool {
        self.state.borrow().trap.is_none()
    }

    /// Answers how many connections were asked for.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }
}

async fn accept(
    listener: TcpListener,
    server: SocketAddr,
    (state, accepted): (Arc<watch::Sender<State>>, Arc<AtomicU64>),
) {
    while let Ok((client, _)) = listener.accept().await {
        accepted.fetch_add(1, Ordering::Relaxed);
        let (trap, state) = (state.clone(), state.subscribe());
        tokio::spawn(async move {
            if state.borrow().weather == Weather::Refuse {
                return;
            }
            let Ok(server) = TcpStream::connect(server).await else { return };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            tokio::spawn(pass((from_client, to_server), (state.clone(), Some(trap)), Cut::Both));
            pass((from_server, to_client), (state, None), Cut::Answers).await;
        });
    }
}

/// Passes bytes on until an end closes or is cut; `ends_at` is the mildest cut that ends this direction.
async fn pass(
    (mut from, mut to): (OwnedReadHalf, OwnedWriteHalf),
    (mut state, trap): (watch::Receiver<State>, Option<Arc<watch::Sender<State>>>),
    ends_at: Cut,
) {
    let born = state.borrow_and_update().cuts;
    let mut buffer = vec![0; CHUNK];
    let is_cut = |state: &State| state.cuts != born && (state.cut == Cut::Both || state.cut == ends_at);
    loop {
        let count = tokio::select! {
            biased;
            _ = state.wait_for(is_cut) => break,
            read = from.read(&mut buffer) => match read {
                Ok(count) if count > 0 => count,
                Ok(_) | Err(_) => break,
            },
        };
        let mut sky = state.clone();
        tokio::select! {
            () = weather(&mut sky, count) => {}
            _ = state.wait_for(is_cut) => break,
        }
        if let Some(trap) = &trap {
            spring(trap, &buffer[..count]);
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}

fn spring(state: &watch::Sender<State>, request: &[u8]) {
    state.send_if_modified(|state| {
        let is_sprung = state.trap.is_some_and(|trap| request.windows(trap.len()).any(|part| part == trap));
        if is_sprung {
            (state.cuts, state.cut, state.trap) = (state.cuts + 1, Cut::Answers, None);
        }
        is_sprung
    });
}

/// Waits as long as the weather holds a chunk.
async fn weather(state: &mut watch::Receiver<State>, count: usize) {
    loop {
        let now = state.borrow_and_update().weather;
        match now {
            Weather::Clear | Weather::Refuse => return,
            Weather::Delay(delay) => return tokio::time::sleep(delay).await,
            Weather::Throttle(bytes) => {
                return tokio::time::sleep(Duration::from_secs_f64(count as f64 / f64::from(bytes.max(1)))).await;
            }
            Weather::Blackhole => {
                if state.changed().await.is_err() {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// Starts a server that answers what it gets, and a proxy before it.
    async fn echo() -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = client.into_split();
                    tokio::io::copy(&mut read, &mut write).await
                });
            }
        });
        Proxy::to(server).await.unwrap()
    }

    async fn ask(client: &mut TcpStream) -> Option<u8> {
        client.write_all(b"x").await.ok()?;
        let mut answer = [0];
        client.read_exact(&mut answer).await.ok()?;
        Some(answer[0])
    }

    #[tokio::test]
    async fn passes_delays_and_throttles() {
        let proxy = echo().await;
        let mut client = TcpStream::connect(proxy.address()).await.unwrap();
        for weather in [Weather::Clear, Weather::Delay(Duration::from_millis(1)), Weather::Throttle(1_000)] {
            proxy.set(weather);
            assert_eq!(ask(&mut client).await, Some(b'x'), "{weather:?}");
        }
        assert_eq!(proxy.accepted(), 1);
    }

    #[tokio::test]
    async fn swallows_until_the_weather_is_clear_again() {
        let proxy = echo().await;
        let mut client = TcpStream::connect(proxy.address()).await.unwrap();
        proxy.set(Weather::Blackhole);
        assert!(tokio::time::timeout(Duration::from_millis(50), ask(&mut client)).await.is_err());
        proxy.set(Weather::Clear);
        let mut answer = [0];
        tokio::time::timeout(PATIENCE, client.read_exact(&mut answer)).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn cuts_what_is_open_and_refuses_what_is_new() {
        let proxy = echo().await;
        let mut client = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut client).await, Some(b'x'));
        proxy.cut();
        assert_eq!(ask(&mut client).await, None);
        let mut client = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut client).await, Some(b'x'));
        proxy.half_close();
        let mut rest = Vec::new();
        tokio::time::timeout(PATIENCE, client.read_to_end(&mut rest)).await.unwrap().unwrap();
        proxy.set(Weather::Refuse);
        let mut client = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut client).await, None);
    }
}
