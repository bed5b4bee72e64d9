//! Visitors who ask all the time, and what becomes of each request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, Request};
use http_body_util::BodyExt as _;
use stagedoor_tests::{Visitor, body_of, eventually};
use tokio::task::JoinSet;

const WITHIN: Duration = Duration::from_secs(120);

pub(crate) struct Load {
    ends: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    visitors: JoinSet<Vec<String>>,
}

impl Load {
    /// So many tabs of one visitor, each with one request at a time, by turns one that may be sent again and one that may not.
    pub(crate) fn begin(visitor: &Visitor, tabs: usize) -> Self {
        Self::of(visitor, tabs, [Method::GET, Method::POST])
    }

    /// The same, by turns with these methods.
    pub(crate) fn of(visitor: &Visitor, tabs: usize, methods: [Method; 2]) -> Self {
        let (ends, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut visitors = JoinSet::new();
        for _tab in 0..tabs {
            let (visitor, ends, answered) = (visitor.clone(), Arc::clone(&ends), Arc::clone(&answered));
            let methods = methods.clone();
            visitors.spawn(async move {
                let mut answers = Vec::new();
                while !ends.load(Ordering::Relaxed) {
                    let method = &methods[answers.len() % methods.len()];
                    answers.push(ask(&visitor, method.clone()).await);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                answers
            });
        }
        Self {
            ends,
            answered,
            visitors,
        }
    }

    /// Until so many more were answered, in whatever way.
    pub(crate) async fn wait_for(&self, more: usize) {
        let begin = self.answered.load(Ordering::Relaxed);
        eventually("requests are answered", WITHIN, async || {
            (self.answered.load(Ordering::Relaxed) >= begin + more).then_some(())
        })
        .await;
    }

    /// Every answer: its status and when to come again, or why there was none.
    pub(crate) async fn end(self) -> Vec<String> {
        self.ends.store(true, Ordering::Relaxed);
        self.visitors.join_all().await.concat()
    }
}

async fn ask(visitor: &Visitor, method: Method) -> String {
    let request = Request::builder()
        .method(method)
        .uri("/page")
        .body(body_of(""))
        .expect("a request");
    match visitor.try_open(request).await {
        Ok(response) => {
            let (head, body) = response.into_parts();
            let again = head
                .headers
                .get("retry-after")
                .map(|after| String::from_utf8_lossy(after.as_bytes()).into_owned());
            match (body.collect().await, again) {
                (Err(why), _) => format!("{}, broken off: {why}", head.status.as_u16()),
                (Ok(_), Some(seconds)) => format!("{}, again in {seconds} s", head.status.as_u16()),
                (Ok(_), None) => head.status.as_u16().to_string(),
            }
        }
        Err(why) => why.to_string(),
    }
}
