//! Two doors on one Redis: what one changes, the other goes by.

mod costs;
mod kicks;
mod outages;
mod policies;
mod revocations;
mod sign_ins;

use std::time::Duration;

use http::Request;
use stagedoor_tests::{Admin, Door, DoorPlan, ENDED_WITHIN, FakeConsole, Redis, Reply, Visitor, body_of, eventually};
use tempfile::TempDir;

const POLICY: &str = "[site.console.areas]\nall = { paths = [\"/**\"] }\n\n\
    [role.keeper]\nmay = { \"*\" = \"all\" }\n\n[role.nobody]\nmay = {}\n\n\
    # Attempts are counted before they are verified: so many at once would look like guesses.\n[lockout]\nfailures = 50\n\n[session]\nper_account = 1\nwhen_full = \"displace\"\n";
/// For what comes by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// Two doors, the Redis that they share, and the console behind both.
struct Stage {
    one: Door,
    two: Door,
    redis: Redis,
    _folder: TempDir,
    console: FakeConsole,
}

impl Stage {
    async fn open() -> Self {
        Self::with("").await
    }

    /// With further lines for the console's section.
    async fn with(settings: &str) -> Self {
        Self::plan(settings, None).await
    }

    /// With another lease than the default.
    async fn leased(lease: &str) -> Self {
        Self::plan("", Some(lease)).await
    }

    async fn plan(settings: &str, lease: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let redis = Redis::start(folder.path());
        let console = FakeConsole::start().await;
        let plan = |name| plan(name, &redis, &console, settings, lease);
        let (one, two) = (plan("one").open().await, plan("two").open().await);
        Self {
            one,
            two,
            redis,
            _folder: folder,
            console,
        }
    }

    /// A third door.
    async fn third(&self, lease: &str) -> Door {
        plan("three", &self.redis, &self.console, "", Some(lease)).open().await
    }

    async fn add(&self, name: &str) -> Admin {
        let admin = self.one.admin();
        admin.add_account(name, "keeper").await;
        admin
    }

    /// An account, and somebody signed in to it at the first door.
    async fn signed_in(&self, name: &str) -> Visitor {
        self.add(name).await;
        self.one.signed_in_patiently("console", name).await
    }

    /// The same person at each of the doors.
    fn at_both(&self, visitor: &Visitor) -> [Visitor; 2] {
        [&self.one, &self.two].map(|door| door.visited_by(visitor))
    }
}

fn plan(name: &str, redis: &Redis, console: &FakeConsole, settings: &str, lease: Option<&str>) -> DoorPlan {
    let plan = Door::plan().site_with("console", &console.url(), settings);
    let plan = plan.policy(POLICY).node(name, redis);
    match lease {
        Some(lease) => plan.environment("STAGEDOOR_CLUSTER_LEASE", lease),
        None => plan,
    }
}

/// Asks once; nothing where the session ended under the very request, which closes its connection.
async fn ask_while_it_may_end(visitor: &Visitor) -> Option<Reply> {
    let request = Request::get("/page").body(body_of("")).expect("a request");
    Some(Reply::read(visitor.try_open(request).await.ok()?).await)
}

/// Asks once, with the cookie and nothing else.
async fn ask(visitor: &Visitor) -> Reply {
    visitor
        .send(Request::get("/page").body(body_of("")).expect("a request"))
        .await
}
