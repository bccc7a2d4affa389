//! What is new in the projects that somebody follows: kept for a while, so that thousands of followers read the log once.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dvt_store::event::Recorded;
use tokio::sync::{OnceCell, watch};
use uuid::Uuid;

/// How many events of a project are kept. Whoever is further behind reads the log.
const RECENT_MAX: usize = 256;
/// How many bytes of payload the kept events of a project have.
const RECENT_BYTES_MAX: usize = 1024 * 1024;

/// Is a new event, and what its followers are told of it, which is made once for all.
#[derive(Debug)]
pub struct News {
    pub recorded: Recorded,
    pub message: OnceCell<String>,
}

impl News {
    /// Makes news of an event.
    pub fn new(recorded: Recorded) -> Arc<Self> {
        Arc::new(Self { recorded, message: OnceCell::new() })
    }

    fn bytes(&self) -> usize {
        self.recorded.payload.as_ref().map_or(0, Vec::len)
    }
}

/// The last events of a project.
#[derive(Debug, Default)]
struct Recent {
    /// Every event of the project after this position is among `events`. None: it is not read yet.
    after: Option<i64>,
    events: VecDeque<Arc<News>>,
    bytes: usize,
}

impl Recent {
    fn push(&mut self, news: Arc<News>) {
        self.bytes += news.bytes();
        self.events.push_back(news);
        while self.events.len() > RECENT_MAX || self.bytes > RECENT_BYTES_MAX {
            let Some(oldest) = self.events.pop_front() else { return };
            self.bytes -= oldest.bytes();
            self.after = Some(oldest.recorded.position);
        }
    }

    /// Lists what is new after a position; None where not all of it is here.
    fn since(&self, position: i64) -> Option<Vec<Arc<News>>> {
        self.after.filter(|after| *after <= position)?;
        let first = self.events.partition_point(|news| news.recorded.position <= position);
        Some(self.events.range(first..).cloned().collect())
    }
}

/// Follows one project.
#[derive(Debug)]
pub struct Feed(watch::Receiver<Recent>);

impl Feed {
    /// Lists what is new after a position; None where the log must be read for it.
    pub fn since(&mut self, position: i64) -> Option<Vec<Arc<News>>> {
        self.0.borrow_and_update().since(position)
    }

    /// Waits for news; false: this process is stopping.
    pub async fn changed(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }
}

/// The feeds of all projects that somebody follows. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Feeds(Arc<Mutex<HashMap<Uuid, watch::Sender<Recent>>>>);

impl Feeds {
    pub(super) fn open(&self, project: Uuid) -> Feed {
        Feed(self.feeds().entry(project).or_default().subscribe())
    }

    /// Drops what nobody follows any more, and lets the others begin: they get all that comes after this position.
    /// Answers their projects.
    pub(super) fn begin(&self, position: i64) -> Vec<Uuid> {
        let mut feeds = self.feeds();
        feeds.retain(|_, feed| !feed.is_closed());
        for feed in feeds.values() {
            feed.send_if_modified(|recent| recent.after.is_none() && recent.after.replace(position).is_none());
        }
        feeds.keys().copied().collect()
    }

    /// Hands out what was read, in the log's order.
    pub(super) fn push(&self, read: Vec<Recorded>) {
        let mut of_projects = HashMap::<Uuid, Vec<Arc<News>>>::new();
        for recorded in read {
            if let Some(project) = recorded.project_id {
                of_projects.entry(project).or_default().push(News::new(recorded));
            }
        }
        let feeds = self.feeds();
        for (project, news) in of_projects {
            let Some(feed) = feeds.get(&project) else { continue };
            // One that was opened after the read began has missed what came before.
            feed.send_if_modified(|recent| {
                let has_begun = recent.after.is_some();
                if has_begun {
                    news.into_iter().for_each(|news| recent.push(news));
                }
                has_begun
            });
        }
    }

    /// Ends all feeds.
    pub(super) fn close(&self) {
        self.feeds().clear();
    }

    fn feeds(&self) -> MutexGuard<'_, HashMap<Uuid, watch::Sender<Recent>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
