//! `/v1/nodes`: the doors that share a store, and what each runs.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Json as Answer;
use serde::Serialize;
use stagedoor_identity::port::StoreError;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, Gate};
use crate::board::PolicyBoard;
use crate::problem::{Problem, Refusals};
use crate::scope::PolicyRead;

/// Who else stands at the store. A narrow port: the API knows nothing of what carries the word between doors.
#[async_trait]
pub trait Nodes: std::fmt::Debug + Send + Sync {
    /// Every door that shares the store, this one among them, in the order of their names.
    /// # Errors
    /// Where the store failed.
    async fn nodes(&self) -> Result<Vec<Node>, StoreError>;
    /// Whether this door has word from the store; `None` where it has the store to itself.
    fn word(&self) -> Option<Word>;
}

/// How it stands with what a door hears of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// Whether memory may be judged from.
    pub is_fresh: bool,
    /// How long ago it was known to be as the store is.
    pub age: Duration,
    /// Whether some site still serves by what was last known, as its `on_store_loss` says.
    pub is_passed_over: bool,
}

/// A door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Node {
    /// As its settings name it.
    pub name: String,
    /// Whether it is the one that answers this.
    pub this: bool,
    /// Whether it was heard of within its lease.
    pub present: bool,
    /// Of Stagedoor.
    pub version: String,
    /// The policy in force there.
    pub revision: u64,
    /// The revision that it should run and cannot; its own `/v1/policy/status` says why.
    #[schema(required)]
    pub cannot_take: Option<u64>,
}

/// A door that has its store to itself.
#[derive(Debug)]
pub struct Alone(pub Arc<dyn PolicyBoard>);

#[async_trait]
impl Nodes for Alone {
    async fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        Ok(vec![Node {
            name: "this door".to_owned(),
            this: true,
            present: true,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            revision: self.0.posted().revision,
            cannot_take: None,
        }])
    }

    fn word(&self) -> Option<Word> {
        None
    }
}

pub(crate) fn routes() -> OpenApiRouter<Gate> {
    OpenApiRouter::new().routes(routes!(list_nodes))
}

/// Every door at the store.
#[derive(Debug, Serialize, ToSchema)]
struct NodesView {
    nodes: Vec<Node>,
}

/// Which doors share the store, and which policy each runs.
#[utoipa::path(get, path = "/v1/nodes", tag = "policy",
    responses((status = 200, body = NodesView), Refusals), security(("bearer" = ["policy:read"])))]
async fn list_nodes(by: Allowed<PolicyRead>) -> Result<Answer<NodesView>, Problem> {
    let nodes = by.nodes().nodes().await?;
    Ok(Answer(NodesView { nodes }))
}

/// What a probe is told: whether all that are present run the same policy, and who does not.
pub(crate) fn agreement(nodes: &[Node]) -> (bool, String) {
    let present: Vec<&Node> = nodes.iter().filter(|node| node.present).collect();
    let newest = present
        .iter()
        .map(|node| node.revision.max(node.cannot_take.unwrap_or(0)));
    let newest = newest.max().unwrap_or(0);
    let behind: Vec<String> = present
        .iter()
        .filter(|node| node.revision < newest)
        .map(|node| match node.cannot_take {
            Some(cannot) => format!(
                "`{}` runs revision {} and cannot run {cannot}",
                node.name, node.revision
            ),
            None => format!("`{}` still runs revision {}", node.name, node.revision),
        })
        .collect();
    if behind.is_empty() {
        return (true, format!("{} run revision {newest}", present.len()));
    }
    (false, format!("revision {newest} is the newest: {}", behind.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, present: bool, revision: u64, cannot_take: Option<u64>) -> Node {
        Node {
            name: name.to_owned(),
            this: false,
            present,
            version: "1".to_owned(),
            revision,
            cannot_take,
        }
    }

    #[test]
    fn who_cannot_run_the_newest_policy_is_named_and_who_is_gone_is_not() {
        let agree = [
            node("one", true, 7, None),
            node("two", true, 7, None),
            node("gone", false, 3, Some(4)),
        ];
        assert_eq!(agreement(&agree), (true, "2 run revision 7".to_owned()));
        let (ok, told) = agreement(&[node("one", true, 7, None), node("two", true, 6, Some(7))]);
        assert!(!ok && told.contains("`two` runs revision 6 and cannot run 7"), "{told}");
        // Alone present, it says so of itself.
        assert!(!agreement(&[node("two", true, 6, Some(7))]).0);
        assert!(!agreement(&[node("one", true, 7, None), node("two", true, 6, None)]).0);
    }
}
