//! Asks every server for everything that the judge lets through, and keeps where they disagree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::StreamExt as _;
use stagedoor_tests::server::{Server, Servers};

use super::ask::{Answer, ask_all};
use super::judge::{Judge, Judged};

/// What came of asking.
pub(super) struct Asked {
    pub(super) found: Vec<Disagreement>,
    /// The areas that each server has answered from.
    pub(super) reached: BTreeMap<&'static str, BTreeSet<String>>,
}

/// A resource that answered lies in another area than the one that was judged.
#[derive(Debug)]
pub(super) struct Disagreement {
    pub(super) server: &'static str,
    pub(super) target: String,
    pub(super) judged: String,
    pub(super) resolved: String,
}

impl Disagreement {
    /// The target without its query.
    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// Asks every server for what the judge lets through of these targets.
pub(super) async fn ask_about(servers: &Servers, judge: &Judge, raws: Vec<Vec<u8>>) -> Asked {
    let mut forwarded = BTreeMap::new();
    for raw in raws {
        if let Judged::Forwarded { area, target } = judge.judge(&raw) {
            forwarded.insert(target, area);
        }
    }
    let targets: Arc<Vec<Vec<u8>>> = Arc::new(forwarded.keys().cloned().collect());
    println!("{} targets are let through", targets.len());
    let (mut found, mut reached) = (Vec::new(), BTreeMap::new());
    for (server, answers) in ask_each(servers, &targets).await {
        let before = found.len();
        for (answer, (target, judged)) in answers.iter().zip(&forwarded) {
            let target = String::from_utf8(target.clone()).expect("what is forwarded is ASCII");
            check_form(&server, &target, answer);
            let resolved = answer.area.clone().filter(|resolved| resolved != judged);
            if let Some(resolved) = resolved.filter(|resolved| !judge.keeps_out_of(resolved, target.as_bytes())) {
                let (server, judged) = (server.name, judged.clone());
                found.push(Disagreement {
                    server,
                    target,
                    judged,
                    resolved,
                });
            }
        }
        report(&server, &answers, found.len() - before);
        reached.insert(
            server.name,
            answers.into_iter().filter_map(|answer| answer.area).collect(),
        );
    }
    Asked { found, reached }
}

/// Two at a time: one keeps a core busy, its clients the other.
pub(super) async fn ask_each(servers: &Servers, targets: &Arc<Vec<Vec<u8>>>) -> Vec<(Server, Vec<Answer>)> {
    let asked = servers.all().iter().map(|server| async {
        let answers = ask_all(server.at, Arc::clone(targets)).await;
        (server.clone(), answers)
    });
    futures_util::stream::iter(asked).buffered(2).collect().await
}

/// What every answer has to be, so that none counts as agreement by being unreadable.
fn check_form(server: &Server, target: &str, answer: &Answer) {
    let Answer {
        status,
        area,
        location,
        body,
    } = answer;
    let at = format!("{} at `{target}`: {status} {location:?} {body}", server.name);
    assert!(
        area.is_some() || !(200..300).contains(status),
        "an answer that does not say from where: {at}"
    );
    assert!((200..500).contains(status), "the server broke: {at}");
    // Wherever a redirect leads to, it is asked for and judged anew, as long as it is asked of the door. A server that was
    // given no port names its own.
    if let Some(location) = location {
        let own = format!("http://console.localhost:{}/", server.at.port());
        let starts = [own.as_str(), "http://console.localhost/", "/"];
        let path = starts.iter().find_map(|start| location.strip_prefix(start));
        assert!(
            path.is_some_and(|path| !path.starts_with(['/', '\\'])),
            "a redirect to elsewhere: {at}"
        );
    }
}

/// One line a server: what it said, and from where.
fn report(server: &Server, answers: &[Answer], disagreements: usize) {
    let mut areas: BTreeMap<&str, usize> = BTreeMap::new();
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    for answer in answers {
        *statuses.entry(answer.status).or_default() += 1;
        if let Some(area) = &answer.area {
            *areas.entry(area).or_default() += 1;
        }
    }
    let Server { name, version, .. } = server;
    println!("{name} ({version}): {statuses:?}, resolved in {areas:?}, disagreements: {disagreements}");
}
