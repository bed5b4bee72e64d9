//! `/v1/accounts`: who there is, and what may be done to them.

pub(crate) mod shape;

use axum::Json as Answer;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use http::header::{ETAG, LOCATION};
use http::{HeaderValue, StatusCode};
use stagedoor_identity::account::{AccountName, AccountQuery};
use stagedoor_identity::port::{Lockout, StoreError};
use stagedoor_identity::{Account, AccountId, ChangeFault, Password, SystemChance};
use stagedoor_policy::Policy;
use stagedoor_policy::time::Timestamp;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::auth::{Allowed, Gate};
use crate::etag::Expected;
use crate::input::{Asked, Json, Named};
use crate::page::{Page, limit};
use crate::passphrase;
use crate::problem::{BodyRefusals, Missing, Problem, ProblemBody, Refusals, Sort};
use crate::scope::{AccountsRead, AccountsWrite, Scope};
use shape::{
    AccountCreated, AccountEdit, AccountForm, AccountSearch, AccountView, HandedOver, LinkSent, PasswordForm,
    PasswordSet, Seen, Unlocked,
};

pub(crate) fn routes() -> OpenApiRouter<Gate> {
    OpenApiRouter::new()
        .routes(routes!(list_accounts, create_account))
        .routes(routes!(show_account, change_account, remove_account))
        .routes(routes!(reset_password))
        .routes(routes!(reset_second_factor))
        .routes(routes!(unlock_account))
        .routes(routes!(reinstate_account))
        .routes(routes!(hand_over))
        .routes(routes!(recover_second_factor))
}

/// Accounts, in the order of their names.
#[utoipa::path(get, path = "/v1/accounts", tag = "accounts", params(AccountSearch),
    responses((status = 200, body = Page<AccountView>), Refusals), security(("bearer" = ["accounts:read"])))]
async fn list_accounts(
    by: Allowed<AccountsRead>,
    Asked(search): Asked<AccountSearch>,
) -> Result<Answer<Page<AccountView>>, Problem> {
    let limit = limit(search.limit)?;
    let query = AccountQuery {
        contains: search.contains.unwrap_or_default(),
        after: search.after.as_deref().map(name_in("after")).transpose()?,
        limit,
        ..AccountQuery::default()
    };
    let accounts = by.door().accounts(query, by.actor()).await?;
    let now = by.door().now();
    let (locks, policy) = (by.store().lockouts(None, now).await?, by.board().policy());
    let views = accounts
        .iter()
        .map(|account| AccountView::of(account, &seen(&by, account, &locks, now, &policy)))
        .collect();
    Ok(Answer(Page::new(views, limit, |view| view.name.clone())))
}

/// Makes an account. Without a password one is made up and shown this once.
#[utoipa::path(post, path = "/v1/accounts", tag = "accounts", request_body = AccountForm,
    responses((status = 201, body = AccountCreated, headers(
        ("ETag" = String, description = "for `If-Match`"), ("Location" = String, description = "the account by id"))),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The name is taken."),
        Refusals, BodyRefusals), security(("bearer" = ["accounts:write"])))]
async fn create_account(by: Allowed<AccountsWrite>, Json(form): Json<AccountForm>) -> Result<Response, Problem> {
    let made_up = form.password.is_none().then(|| made_up_password(&by, &form.name));
    let new = form.into_new(made_up.as_deref())?;
    let account = by.door().create_account(new, by.actor()).await?;
    let created = AccountCreated {
        account: view(&by, &account).await?,
        temporary_password: made_up,
    };
    let mut response = tagged(&account, (StatusCode::CREATED, Answer(created)));
    if let Ok(location) = HeaderValue::try_from(format!("/v1/accounts/{}", account.id.0)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// One account.
#[utoipa::path(get, path = "/v1/accounts/{id_or_name}", tag = "accounts",
    params(("id_or_name" = String, Path, description = "its id, or its name")),
    responses((status = 200, body = AccountView, headers(("ETag" = String, description = "for `If-Match`"))),
        Refusals, Missing), security(("bearer" = ["accounts:read"])))]
async fn show_account(by: Allowed<AccountsRead>, Named(named): Named) -> Result<Response, Problem> {
    let account = find(&by, &named).await?;
    Ok(tagged(&account, Answer(view(&by, &account).await?)))
}

/// Changes what is given of an account. A changed role, changed grants or networks, or disabling ends its sessions.
#[utoipa::path(patch, path = "/v1/accounts/{id_or_name}", tag = "accounts", request_body = AccountEdit,
    params(("id_or_name" = String, Path, description = "its id, or its name"),
        ("If-Match" = Option<String>, Header, description = "the `ETag` it was read with",
            pattern = "^(\\*|\"[^\"]*\"(, ?\"[^\"]*\")*)$")),
    responses((status = 200, body = AccountView, headers(("ETag" = String, description = "for `If-Match`"))),
        (status = 412, body = ProblemBody, content_type = "application/problem+json",
            description = "It was changed meanwhile."),
        Refusals, Missing, BodyRefusals), security(("bearer" = ["accounts:write"])))]
async fn change_account(
    by: Allowed<AccountsWrite>,
    Named(named): Named,
    headers: HeaderMap,
    Json(edit): Json<AccountEdit>,
) -> Result<Response, Problem> {
    let account = find(&by, &named).await?;
    let expected = expected(&headers, &account)?;
    let changed = by
        .door()
        .change_account(account.id, expected, edit.into_change(), by.actor())
        .await?;
    Ok(tagged(&changed, Answer(view(&by, &changed).await?)))
}

/// Removes an account and ends its sessions. What it did stays in the audit.
#[utoipa::path(delete, path = "/v1/accounts/{id_or_name}", tag = "accounts",
    params(("id_or_name" = String, Path, description = "its id, or its name"),
        ("If-Match" = Option<String>, Header, description = "the `ETag` it was read with",
            pattern = "^(\\*|\"[^\"]*\"(, ?\"[^\"]*\")*)$")),
    responses((status = 204, description = "It is gone."),
        (status = 412, body = ProblemBody, content_type = "application/problem+json",
            description = "It was changed meanwhile."),
        Refusals, Missing), security(("bearer" = ["accounts:write"])))]
async fn remove_account(
    by: Allowed<AccountsWrite>,
    Named(named): Named,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let account = find(&by, &named).await?;
    let expected = expected(&headers, &account)?;
    by.door().remove_account(account.id, expected, by.actor()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets a temporary password, the given one or one made up and shown this once; ends the account's sessions.
#[utoipa::path(post, path = "/v1/accounts/{id_or_name}/password", tag = "accounts", request_body = PasswordForm,
    params(("id_or_name" = String, Path, description = "its id, or its name")),
    responses((status = 200, body = PasswordSet), Refusals, Missing, BodyRefusals),
    security(("bearer" = ["accounts:write"])))]
async fn reset_password(
    by: Allowed<AccountsWrite>,
    Named(named): Named,
    Json(form): Json<PasswordForm>,
) -> Result<Answer<PasswordSet>, Problem> {
    let account = find(&by, &named).await?;
    let made_up = form
        .password
        .is_none()
        .then(|| made_up_password(&by, account.name.as_str()));
    let password = form.into_password(made_up.as_deref())?;
    by.door().reset_password(account.id, password, by.actor()).await?;
    Ok(Answer(PasswordSet {
        temporary_password: made_up,
    }))
}

/// Takes the second factor and the recovery codes away; ends the account's sessions.
#[utoipa::path(delete, path = "/v1/accounts/{id_or_name}/second-factor", tag = "accounts",
    params(("id_or_name" = String, Path, description = "its id, or its name")),
    responses((status = 204, description = "It has no second factor now."), Refusals, Missing),
    security(("bearer" = ["accounts:write"])))]
async fn reset_second_factor(by: Allowed<AccountsWrite>, Named(named): Named) -> Result<StatusCode, Problem> {
    let account = find(&by, &named).await?;
    by.door().reset_second_factor(account.id, by.actor()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends every lock of the account.
#[utoipa::path(post, path = "/v1/accounts/{id_or_name}/unlock", tag = "accounts",
    params(("id_or_name" = String, Path, description = "its id, or its name")),
    responses((status = 200, body = Unlocked), Refusals, Missing), security(("bearer" = ["accounts:write"])))]
async fn unlock_account(by: Allowed<AccountsWrite>, Named(named): Named) -> Result<Answer<Unlocked>, Problem> {
    let account = find(&by, &named).await?;
    let unlocked = by.door().unlock(account.id, by.actor()).await?;
    Ok(Answer(Unlocked::new(unlocked)))
}

/// Lifts a ban for disuse; disuse is counted from now on.
#[utoipa::path(post, path = "/v1/accounts/{id_or_name}/reinstate", tag = "accounts",
    params(("id_or_name" = String, Path, description = "its id, or its name")),
    responses((status = 200, body = AccountView, headers(("ETag" = String, description = "for `If-Match`"))),
        Refusals, Missing), security(("bearer" = ["accounts:write"])))]
async fn reinstate_account(by: Allowed<AccountsWrite>, Named(named): Named) -> Result<Response, Problem> {
    let account = find(&by, &named).await?;
    let account = by.door().reinstate(account.id, by.actor()).await?;
    Ok(tagged(&account, Answer(view(&by, &account).await?)))
}

/// Hands the role that the caller's account alone holds over to this one. The token must act as the holder; both accounts'
/// sessions end.
#[utoipa::path(post, path = "/v1/accounts/{id_or_name}/hand-over", tag = "accounts",
    params(("id_or_name" = String, Path, description = "who takes the role over: its id, or its name")),
    responses((status = 200, body = HandedOver),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The account is not fit to take the role over."),
        Refusals, Missing), security(("bearer" = ["accounts:write"])))]
async fn hand_over(by: Allowed<AccountsWrite>, Named(named): Named) -> Result<Answer<HandedOver>, Problem> {
    let account = find(&by, &named).await?;
    let (former, holder) = by.door().hand_over(account.id, by.actor()).await?;
    Ok(Answer(HandedOver {
        former: view(&by, &former).await?,
        holder: view(&by, &holder).await?,
    }))
}

/// Sends a link by which the account enrols a second factor anew, with its password, at one sign-in. Where no letter carries
/// it, its token is shown this once.
#[utoipa::path(post, path = "/v1/accounts/{id_or_name}/second-factor/recovery", tag = "accounts",
    params(("id_or_name" = String, Path, description = "its id, or its name")),
    responses((status = 200, body = LinkSent),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The account is not in use."),
        Refusals, Missing), security(("bearer" = ["accounts:write"])))]
async fn recover_second_factor(by: Allowed<AccountsWrite>, Named(named): Named) -> Result<Answer<LinkSent>, Problem> {
    let account = find(&by, &named).await?;
    let link = by.door().send_second_factor_recovery(account.id, by.actor()).await?;
    Ok(Answer(LinkSent::of(link.as_ref())))
}

/// The account that an id or a name means. Looked up once; what follows uses the id of what was found.
pub(crate) async fn find<S: Scope>(by: &Allowed<S>, named: &str) -> Result<Account, Problem> {
    let none = || Problem::because(Sort::NOT_FOUND, "no account has that id or name");
    find_if_any(by, named).await?.ok_or_else(none)
}

/// The same, for who has something else to say where there is none.
pub(crate) async fn find_if_any<S: Scope>(by: &Allowed<S>, named: &str) -> Result<Option<Account>, Problem> {
    let id = match (id_of(named), AccountName::parse(named)) {
        (Some(id), _) => Some(id),
        (None, Ok(name)) => by.store().account_by_name(&name).await?.map(|account| account.id),
        (None, Err(_)) => None,
    };
    let Some(id) = id else { return Ok(None) };
    // A token that acts as an account sees those that its role administers, and no others.
    match by.door().account(id, by.actor()).await {
        Ok(account) => Ok(Some(account)),
        Err(ChangeFault::Store(StoreError::NotFound)) => Ok(None),
        Err(fault) => Err(fault.into()),
    }
}

/// What is written as an id is an id, whatever the names are.
fn id_of(named: &str) -> Option<AccountId> {
    let hyphenated = named.len() == uuid::fmt::Hyphenated::LENGTH;
    Uuid::try_parse(named).ok().filter(|_| hyphenated).map(AccountId)
}

fn name_in(field: &'static str) -> impl Fn(&str) -> Result<AccountName, Problem> {
    move |typed| AccountName::parse(typed).map_err(|why| Problem::field(field, why))
}

pub(crate) async fn view<S: Scope>(by: &Allowed<S>, account: &Account) -> Result<AccountView, Problem> {
    let now = by.door().now();
    let locks = by.store().lockouts(Some(&account.name), now).await?;
    let policy = by.board().policy();
    Ok(AccountView::of(account, &seen(by, account, &locks, now, &policy)))
}

fn seen<'a, S: Scope>(
    by: &Allowed<S>,
    account: &Account,
    locks: &'a [Lockout],
    now: Timestamp,
    policy: &'a Policy,
) -> Seen<'a> {
    Seen {
        banned: by.door().is_banned(account, now),
        locks,
        now,
        policy,
    }
}

fn tag_of(account: &Account) -> String {
    format!("\"v{}\"", account.version)
}

pub(crate) fn tagged(account: &Account, answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    if let Ok(tag) = HeaderValue::try_from(tag_of(account)) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// The version a change was meant for; the store compares it again in the step that changes.
fn expected(headers: &HeaderMap, account: &Account) -> Result<Option<u64>, Problem> {
    let tag = Expected::read(headers)?.against(&tag_of(account))?;
    Ok(tag.map(|_| account.version))
}

fn made_up_password(by: &Allowed<AccountsWrite>, name: &str) -> String {
    passphrase::temporary(&SystemChance, &by.board().policy(), name)
}

fn password_in(field: &'static str, typed: &str) -> Result<Password, Problem> {
    Password::new(typed).ok_or_else(|| {
        let most = stagedoor_identity::secret::PASSWORD_BYTES_MAX;
        Problem::field(field, format!("is longer than {most} bytes"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_written_as_an_id_is_one() {
        assert!(id_of("0192e4a0-0000-7000-8000-000000000001").is_some());
        for name in [
            "ada",
            "0192e4a0000070008000000000000001",
            "{0192e4a0-0000-7000-8000-000000000001}",
            "",
        ] {
            assert!(id_of(name).is_none(), "{name}");
        }
    }
}
