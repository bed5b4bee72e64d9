//! Pictures that accounts are shown by.

use async_trait::async_trait;

use super::StoreError;
use crate::account::AccountId;
use crate::picture::{Picture, PictureTag};

/// Pictures: one an account at most, removed with it.
#[async_trait]
pub trait Pictures {
    /// Puts a picture in the place of the account's former one; `None` takes it away. `NotFound` where the account is gone.
    async fn set_picture(&self, account: AccountId, picture: Option<&Picture>) -> Result<(), StoreError>;
    /// The account's picture.
    async fn picture(&self, account: AccountId) -> Result<Option<Picture>, StoreError>;
    /// Which of these accounts have one, and its tag; in any order.
    async fn pictured(&self, accounts: &[AccountId]) -> Result<Vec<(AccountId, PictureTag)>, StoreError>;
}
