//! The board of the product: the files in force.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use stagedoor_config::{Faults, Live, ReplaceFault};
use stagedoor_policy::request::Host;
use stagedoor_policy::{Policy, SiteId};

use crate::board::{BoardFault, BoardStatus, FaultView, PolicyBoard, Posted, ReplaceRefusal};
use crate::time::written;

#[async_trait]
impl PolicyBoard for Live {
    fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.load().policy)
    }

    fn site_of(&self, host: &Host<'_>) -> (Arc<Policy>, Option<SiteId>) {
        let snapshot = self.current();
        (
            Arc::clone(&snapshot.policy),
            snapshot.site_for(host).map(|entry| entry.id),
        )
    }

    fn posted(&self) -> Posted {
        // Three reads that a swap may come between: what is read is good once the tag is still the same after it.
        loop {
            let etag = self.policy_etag();
            let posted = Posted {
                text: self.policy_text(),
                revision: self.load().policy.revision().0,
                etag,
            };
            if posted.etag == self.policy_etag() {
                return posted;
            }
        }
    }

    fn status(&self) -> BoardStatus {
        let status = Live::status(self);
        BoardStatus {
            revision: status.revision.0,
            etag: status.etag,
            loaded_at: written(status.loaded_at),
            last_fault: status.last_fault.map(|(at, text)| BoardFault { at: written(at), text }),
            reloads_ok: status.reloads_ok,
            reloads_failed: status.reloads_failed,
            restart_needed: status.restart_needed,
            warnings: status.warnings,
        }
    }

    async fn check(&self, text: &str) -> Vec<FaultView> {
        match self.check_policy(text).await {
            Ok(_) => Vec::new(),
            Err(faults) => views(&faults),
        }
    }

    async fn replace(&self, text: &str, if_match: Option<&str>, by: &str) -> Result<(), ReplaceRefusal> {
        match self.replace_policy(text, if_match, by).await {
            Ok(_) => Ok(()),
            Err(ReplaceFault::Faults(faults)) => Err(ReplaceRefusal::Faults(views(&faults))),
            Err(ReplaceFault::Mismatch { current_etag }) => Err(ReplaceRefusal::Mismatch(current_etag)),
            Err(ReplaceFault::ReadOnly) => Err(ReplaceRefusal::ReadOnly),
            Err(fault @ (ReplaceFault::Io(_) | ReplaceFault::Store(_))) => {
                Err(ReplaceRefusal::Failed(fault.to_string()))
            }
        }
    }

    fn admin_listens_on(&self) -> SocketAddr {
        self.load().building.admin.listen
    }

    fn admin_is_called(&self, name: &str) -> bool {
        self.load().building.admin.hosts.iter().any(|host| host == name)
    }
}

fn views(faults: &Faults) -> Vec<FaultView> {
    faults
        .iter()
        .map(|fault| FaultView {
            file: fault.file.clone(),
            line: fault.line,
            column: fault.column,
            message: fault.message.clone(),
            help: fault.help.clone(),
        })
        .collect()
}
