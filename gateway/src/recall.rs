//! What the request before was for. A connection's next one mostly names the same host, to the byte, and that host need not be
//! read again while the rules are the same. Who asks, and what for, is judged anew each time: nothing of it is kept here.

use std::sync::{Arc, Weak};

use stagedoor_config::{SiteEntry, Snapshot};
use stagedoor_policy::request::Host;

use crate::refusal::Refused;

/// The site of a connection's last request.
#[derive(Debug, Default)]
pub struct Recall {
    host: Vec<u8>,
    /// The rules by which it was found. Weak: a connection that idles keeps none in memory, and no others take their place.
    by: Weak<Snapshot>,
    site: Option<Arc<SiteEntry>>,
}

impl Recall {
    /// The site that answers to this host by these rules.
    ///
    /// # Errors
    /// A malformed host, or one that no site has.
    pub fn site(&mut self, host: &[u8], snapshot: &Arc<Snapshot>) -> Result<Arc<SiteEntry>, Refused> {
        if let Some(site) = &self.site
            && self.host == host
            && std::ptr::eq(self.by.as_ptr(), Arc::as_ptr(snapshot))
        {
            return Ok(Arc::clone(site));
        }
        let read = Host::parse(host).map_err(|_| Refused::HostMalformed)?;
        let site = snapshot.site_for(&read).ok_or(Refused::HostUnknown)?;
        self.host.clear();
        self.host.extend_from_slice(host);
        self.by = Arc::downgrade(snapshot);
        self.site = Some(Arc::clone(site));
        Ok(Arc::clone(site))
    }
}

#[cfg(test)]
mod tests {
    use stagedoor_config::{Environment, Live, Sources};
    use stagedoor_store::embedded::Embedded;

    use super::*;

    /// Rules by which `here.test` and `b.test` belong to these sites.
    async fn rules(sites: [&str; 2]) -> Arc<Snapshot> {
        let folder = tempfile::tempdir().unwrap();
        let [here, other] = sites;
        let building = format!(
            "[site.{here}]\nupstream = \"http://127.0.0.1:1\"\nhosts = [\"here.test\"]\n\
             [site.{other}]\nupstream = \"http://127.0.0.1:2\"\nhosts = [\"b.test\"]\n"
        );
        let file = folder.path().join("stagedoor.toml");
        std::fs::write(&file, building).unwrap();
        let sources = Sources {
            building: Some(file),
            ..Sources::default()
        };
        let store: stagedoor_identity::port::SharedStore =
            Arc::new(Embedded::open(&folder.path().join("data")).unwrap());
        let clock = Arc::new(stagedoor_identity::SystemClock);
        let live = Live::open(sources, Environment::default(), store, clock).await;
        live.unwrap_or_else(|fault| panic!("{fault}")).current()
    }

    #[tokio::test]
    async fn a_host_leads_to_its_site_whatever_was_asked_for_before_and_whatever_rules_were_in_force() {
        let (first, second) = (rules(["console", "two"]).await, rules(["two", "console"]).await);
        let mut recall = Recall::default();
        let mut site = |host: &str, rules: &Arc<Snapshot>| {
            recall.site(host.as_bytes(), rules).map(|entry| entry.site.name.clone())
        };
        let named = |name: &str| Ok(name.to_owned());
        for _ in 0..2 {
            assert_eq!(site("here.test", &first), named("console"));
            assert_eq!(site("here.test", &first), named("console"), "once more");
            assert_eq!(site("here.test", &second), named("two"), "by other rules");
            assert_eq!(site("HERE.test:80", &second), named("two"));
            assert_eq!(site("b.test", &second), named("console"));
            assert_eq!(site("nowhere.test", &second), Err(Refused::HostUnknown));
            assert_eq!(site("b.test,", &second), Err(Refused::HostMalformed));
            assert_eq!(site("", &second), Err(Refused::HostMalformed));
        }
    }
}
