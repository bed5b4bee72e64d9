use async_trait::async_trait;

use super::MemoryStore;
use crate::account::AccountId;
use crate::picture::{Picture, PictureTag};
use crate::port::{Pictures, StoreError};

#[async_trait]
impl Pictures for MemoryStore {
    async fn set_picture(&self, account: AccountId, picture: Option<&Picture>) -> Result<(), StoreError> {
        self.state("set_picture")?.holder(account)?.picture = picture.cloned();
        Ok(())
    }

    async fn picture(&self, account: AccountId) -> Result<Option<Picture>, StoreError> {
        let state = self.state("picture")?;
        Ok(state.accounts.get(&account).and_then(|holder| holder.picture.clone()))
    }

    async fn pictured(&self, accounts: &[AccountId]) -> Result<Vec<(AccountId, PictureTag)>, StoreError> {
        let state = self.state("pictured")?;
        let tag = |id: &AccountId| {
            let picture = state.accounts.get(id)?.picture.as_ref()?;
            Some((*id, picture.tag()))
        };
        Ok(accounts.iter().filter_map(tag).collect())
    }
}
