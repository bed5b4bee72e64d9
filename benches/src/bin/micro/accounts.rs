//! Pages of the account list, on the embedded store.

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;

use stagedoor_identity::account::{AccountName, AccountQuery};
use stagedoor_identity::port::{Accounts as _, Structure};
use stagedoor_identity::{Account, AccountId};
use stagedoor_policy::time::Timestamp;
use stagedoor_store::Embedded;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use uuid::Uuid;

/// What a page of the door shows.
const PAGE: u32 = 50;
/// The store's queue is never full.
const IN_FLIGHT_MAX: usize = 256;

/// A store with so many accounts.
pub(crate) struct Accounts {
    runtime: Runtime,
    store: Arc<Embedded>,
    size: usize,
    _folder: tempfile::TempDir,
}

impl Accounts {
    /// Makes `size` accounts.
    pub(crate) fn open(size: usize) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let store = Arc::new(Embedded::open(folder.path())?);
        runtime.block_on(fill(&store, size))?;
        Ok(Self {
            runtime,
            store,
            size,
            _folder: folder,
        })
    }

    /// The page behind the middle of the list.
    pub(crate) fn page(&self) {
        self.list("", AccountName::parse(&name(self.size / 2)).ok());
    }

    /// The one account whose name holds that.
    pub(crate) fn search(&self) {
        self.list(&format!("rator-{:07}", self.size / 2), None);
    }

    fn list(&self, contains: &str, after: Option<AccountName>) {
        let query = AccountQuery {
            contains: contains.to_owned(),
            after,
            limit: PAGE,
            ..AccountQuery::default()
        };
        let found = self.runtime.block_on(self.store.list_accounts(&query));
        black_box(found.is_ok_and(|found| !found.is_empty()));
    }
}

fn name(number: usize) -> String {
    format!("operator-{number:07}")
}

async fn fill(store: &Arc<Embedded>, size: usize) -> Result<(), Box<dyn Error>> {
    let mut making = JoinSet::new();
    for number in 0..size {
        let id = AccountId(Uuid::from_u128(number as u128 + 1));
        let mut account = Account::new(
            id,
            AccountName::parse(&name(number))?,
            "operator",
            Timestamp::from_micros(0),
        );
        account.display_name = format!("Somebody {number}");
        let store = Arc::clone(store);
        making.spawn(async move {
            store
                .create_account(&account, "not a hash", None, &Structure::default())
                .await
        });
        while making.len() >= IN_FLIGHT_MAX {
            making.join_next().await.transpose()?.transpose()?;
        }
    }
    while let Some(made) = making.join_next().await {
        made??;
    }
    Ok(())
}
