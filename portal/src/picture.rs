//! A picture of an account, for its holder and for who administers it. It came from a visitor: whatever it turns out to be, a
//! browser takes it for a picture, and nothing in it runs.

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use stagedoor_identity::AccountId;
use stagedoor_identity::picture::PictureTag;
use stagedoor_identity::port::StoreError;

use crate::accounts::Administrator;
use crate::halt::Halt;
use crate::visit::Visit;

/// In the place of what pages may do: nothing at all.
const CONTENT_SECURITY_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'");
/// Another picture has another address. Short, for whoever uses the same browser after.
const KEPT: HeaderValue = HeaderValue::from_static("private, max-age=300");

type Named = Result<Path<(AccountId, String)>, PathRejection>;

/// `GET picture/{account}/{tag}`.
pub(crate) async fn serve(visit: Visit, path: Named) -> Response {
    let answer = find(&visit, path).await;
    visit.finish(answer)
}

async fn find(visit: &Visit, path: Named) -> Result<Response, Halt> {
    let signed_in = visit.signed_in().ok_or(Halt::SignInFirst)?;
    let Path((id, tag)) = path.map_err(|_| Halt::NotFound)?;
    if signed_in.session.account().id != id {
        Administrator::of(visit, signed_in)?.account(Ok(id)).await?;
    }
    let found = visit.portal.door.store().picture(id).await;
    let picture = found.map_err(|fault| unavailable(visit, &fault))?;
    let picture = picture.filter(|picture| picture.tag().to_string() == tag);
    let picture = picture.ok_or(Halt::NotFound)?;
    let disposition = format!("inline; filename=\"picture.{}\"", picture.kind.name());
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static(picture.kind.media_type()),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::try_from(disposition).map_err(|_| Halt::Broken)?,
        ),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CACHE_CONTROL, KEPT),
    ];
    Ok((headers, picture.bytes).into_response())
}

impl Visit {
    /// The paths of the pictures of these accounts, in the order of the accounts.
    pub(crate) async fn pictures(&self, accounts: &[AccountId]) -> Result<Vec<Option<String>>, Halt> {
        let found = self.portal.door.store().pictured(accounts).await;
        let found: Vec<(AccountId, PictureTag)> = found.map_err(|fault| unavailable(self, &fault))?;
        let path = |id: &AccountId| {
            let (_, tag) = found.iter().find(|(known, _)| known == id)?;
            Some(self.path(&format!("picture/{}/{tag}", id.0)))
        };
        Ok(accounts.iter().map(path).collect())
    }

    /// The path of an account's picture.
    pub(crate) async fn picture(&self, account: AccountId) -> Result<Option<String>, Halt> {
        Ok(self.pictures(&[account]).await?.pop().flatten())
    }
}

fn unavailable(visit: &Visit, fault: &StoreError) -> Halt {
    tracing::error!(request_id = %visit.caller.request_id, %fault, "a picture could not be read");
    Halt::Unavailable
}
