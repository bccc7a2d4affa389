//! What every request passes first: the host it names, and how many its sender has sent.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::DefaultClock;
use governor::{DefaultKeyedRateLimiter, Quota};

use super::problem::Problem;

/// The most actors whose rates are remembered before idle ones are forgotten.
const ACTORS_MAX: usize = 10_000;

/// Knows which hosts are ours, and counts the requests of each actor. Cheap to clone.
#[derive(Clone)]
pub struct Guard {
    limit: NonZeroU32,
    actors: Arc<DefaultKeyedRateLimiter<String>>,
    hosts: Arc<[String]>,
}

impl Guard {
    /// Allows each actor `limit` requests in a second, to this machine's own names and to `hosts`.
    pub fn new(limit: NonZeroU32, hosts: Vec<String>) -> Self {
        let quota = Quota::per_second(limit);
        let actors = Arc::new(DefaultKeyedRateLimiter::dashmap_with_clock(quota, DefaultClock::default()));
        Self { limit, actors, hosts: hosts.into_iter().filter(|host| !host.is_empty()).collect() }
    }

    fn check_rate(&self, actor: &str) -> Result<(), Problem> {
        if self.actors.len() > ACTORS_MAX {
            self.actors.retain_recent();
        }
        self.actors.check_key(&actor.to_owned()).map_err(|_| {
            let detail = format!("more than {} requests of one actor in 1 s", self.limit);
            Problem::too_many("RATE_LIMITED", detail).limit(i64::from(self.limit.get()))
        })
    }

    fn check_host(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Problem> {
        let named = headers.get(header::HOST).and_then(|value| value.to_str().ok());
        let Some(host) = uri.authority().map(|authority| authority.as_str()).or(named) else { return Ok(()) };
        let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((inside, _)) => inside,
            None => host.split(':').next().unwrap_or(host),
        };
        let is_here = name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        match is_here || self.hosts.iter().any(|ours| ours.eq_ignore_ascii_case(name)) {
            true => Ok(()),
            false => {
                let detail = "there is no sign-in yet: use localhost or a loopback address";
                Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "HOST_NOT_ALLOWED", detail).at("Host").got(host))
            }
        }
    }
}

/// Refuses a host that is not ours, as a page of another site would name it, and an actor who is too fast.
pub async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let actor = request.headers().get("dvt-actor").and_then(|value| value.to_str().ok()).unwrap_or("");
    match guard.check_host(request.headers(), request.uri()).and_then(|()| guard.check_rate(actor)) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_this_machines_names_and_those_it_was_told_and_no_other() {
        let guard = Guard::new(NonZeroU32::MIN, vec!["dvt.example".to_owned()]);
        let is_taken = |host: &str| {
            let headers = HeaderMap::from_iter([(header::HOST, host.parse().expect("a value"))]);
            guard.check_host(&headers, &Uri::from_static("/")).is_ok()
        };
        for host in ["localhost:8700", "127.0.0.1", "[::1]:8700", "localhost", "DVT.example:443"] {
            assert!(is_taken(host), "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example:8700", "10.0.0.1"] {
            assert!(!is_taken(host), "{host}");
        }
    }

    #[test]
    fn counts_each_actor_alone() {
        let guard = Guard::new(NonZeroU32::MIN, Vec::new());
        assert!(guard.check_rate("ada").is_ok());
        assert_eq!(guard.check_rate("ada").map_err(|problem| problem.code()), Err("RATE_LIMITED"));
        assert!(guard.check_rate("bob").is_ok());
    }
}
