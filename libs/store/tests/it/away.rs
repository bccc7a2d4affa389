//! A database that is away: it is not stormed, and found again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dvt_store::{Config, Retry, Role, Store};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::database::{Database, a_command, id};

/// How often the store is asked for a connection.
const CALLS: usize = 200;
/// Of those, how many may ask the database: a few, as asking takes less time than the pause between.
const ASKED: usize = 20;

/// Stands before a database, and closes every connection while it is away.
async fn door(address: String, away: watch::Receiver<bool>, asked: Arc<AtomicUsize>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            asked.fetch_add(1, Ordering::Relaxed);
            let (address, mut away) = (address.clone(), away.clone());
            tokio::spawn(async move {
                if !*away.borrow() {
                    let mut server = TcpStream::connect(address).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                        _ = away.wait_for(|away| *away) => {}
                    }
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn a_database_that_is_away_is_asked_now_and_then_and_found_again() {
    let database = Database::create().await;
    let (before, rest) = database.url.split_once('@').unwrap();
    let (address, name) = rest.split_once('/').unwrap();
    let (away, is_away) = watch::channel(false);
    let asked = Arc::new(AtomicUsize::new(0));
    let port = door(address.to_owned(), is_away, asked.clone()).await;
    let store = Store::connect(&Config::of(format!("{before}@127.0.0.1:{port}/{name}")), Role::Gateway).await.unwrap();

    let ask = async || {
        let mut lent = store.acquire().await?;
        Ok(sqlx::raw_sql("select 1").execute(&mut *lent).await.map(drop)?)
    };
    let mut listener = store.listen();
    listener.connect().await;

    away.send(true).unwrap();
    asked.store(0, Ordering::Relaxed);
    for _ in 0..CALLS {
        let refused: Result<(), dvt_store::Error> = ask().await;
        assert_eq!(refused.unwrap_err().retry(), Retry::Transient);
        listener.connect().await;
        let _ = tokio::time::timeout(Duration::from_millis(1), listener.woken()).await;
    }
    let asked = asked.load(Ordering::Relaxed);
    assert!((1..=ASKED).contains(&asked), "{CALLS} calls and a listener asked {asked} times");

    away.send(false).unwrap();
    while ask().await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    listener.connect().await;
    let woken = async {
        let event = a_command(id(), id(), 1);
        dvt_store::event::append(&mut store.acquire().await.unwrap(), id(), &[event]).await.unwrap();
        listener.woken().await;
    };
    tokio::time::timeout(Duration::from_secs(5), woken).await.expect("the listener is connected again");
}

#[tokio::test]
async fn a_database_that_cannot_says_why() {
    let database = Database::create().await;
    let store = database.store(Role::Gateway).await;
    for (code, cause) in [
        ("53100", "has no room left on its disk"),
        ("55P03", "waits for a lock that another session holds"),
        ("57014", "took too long"),
        ("57P03", "is restarting"),
        ("40001", "does not answer"),
    ] {
        let refusal = format!("do $$ begin raise 'no' using errcode = '{code}'; end $$");
        let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(refusal)).execute(&mut *store.acquire().await.unwrap()).await;
        let error = dvt_store::Error::from(refused.unwrap_err());
        assert_eq!((error.retry(), error.cause()), (Retry::Transient, cause), "{code}");
    }
}
