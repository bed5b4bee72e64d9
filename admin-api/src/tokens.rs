//! `/v1/tokens`: the keys to this API. Nobody can make one that opens more, or for longer, than their own.

use axum::Json as Answer;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use stagedoor_identity::event::{Kind, Outcome};
use stagedoor_identity::port::ApiToken;
use stagedoor_policy::time::Timestamp;
use utoipa::openapi::schema::{Array, ArrayBuilder, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::find;
use crate::auth::{Allowed, Gate};
use crate::input::{Asked, Json, Named, given};
use crate::page::{Page, limit};
use crate::problem::{BodyRefusals, FieldFault, Missing, Problem, ProblemBody, Refusals, Sort};
use crate::scope::{EVERYTHING, SCOPES, TokensRead, TokensWrite, holds, is_known};
use crate::time::{read, written};

/// The longest name of a token, in characters.
const NAME_CHARACTERS_MAX: usize = 64;

pub(crate) fn routes() -> OpenApiRouter<Gate> {
    OpenApiRouter::new()
        .routes(routes!(list_tokens, create_token))
        .routes(routes!(revoke_token))
}

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
struct TokenView {
    name: String,
    scopes: Vec<String>,
    /// The id of the account it acts as; `null`: the operator's.
    #[schema(required, value_type = Option<String>, format = "uuid")]
    account: Option<uuid::Uuid>,
    #[schema(format = DateTime)]
    created_at: String,
    /// `null`: never.
    #[schema(required, format = DateTime)]
    expires_at: Option<String>,
}

impl TokenView {
    fn of(token: ApiToken) -> Self {
        Self {
            name: token.name,
            scopes: token.scopes,
            account: token.account.map(|account| account.0),
            created_at: written(token.created_at),
            expires_at: token.expires_at.map(written),
        }
    }
}

/// A token that was just made.
#[derive(Serialize, ToSchema)]
struct TokenCreated {
    #[serde(flatten)]
    view: TokenView,
    /// What to send as `Authorization: Bearer …`; shown this once.
    token: String,
}

/// Which tokens.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TokenSearch {
    /// `next` of the page before.
    after: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// A new token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenForm {
    /// 1 to 64 characters of `a-z 0-9 . _ -`, for the audit.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9._-]+$")]
    name: String,
    /// At least one; only those that the token this is made with has itself.
    #[schema(schema_with = scope_names)]
    scopes: Vec<String>,
    /// The account it acts as, by id or name: it may do what that account may on the door's own pages. Only with the scopes
    /// `accounts:read` and `accounts:write`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String)]
    account: Option<String>,
    /// Absent: when the token this is made with expires, or never.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, format = DateTime)]
    expires_at: Option<String>,
}

/// For the document: one or more of the scopes there are.
fn scope_names() -> Array {
    let names: Vec<&str> = SCOPES.iter().copied().chain([EVERYTHING]).collect();
    let name = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
    ArrayBuilder::new().items(name).min_items(Some(1)).build()
}

/// Tokens, in the order of their names.
#[utoipa::path(get, path = "/v1/tokens", tag = "tokens", params(TokenSearch),
    responses((status = 200, body = Page<TokenView>), Refusals), security(("bearer" = ["tokens:read"])))]
async fn list_tokens(
    by: Allowed<TokensRead>,
    Asked(search): Asked<TokenSearch>,
) -> Result<Answer<Page<TokenView>>, Problem> {
    let limit = limit(search.limit)?;
    let mut tokens = by.store().list_tokens().await?;
    tokens.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let page = Page::cut(tokens.into_iter(), search.after.as_deref(), limit, |token| {
        token.name.clone()
    });
    Ok(Answer(page.map(TokenView::of)))
}

/// Makes a token; its secret is shown this once.
#[utoipa::path(post, path = "/v1/tokens", tag = "tokens", request_body = TokenForm,
    responses((status = 201, body = TokenCreated),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The name is taken."),
        Refusals, Missing, BodyRefusals), security(("bearer" = ["tokens:write"])))]
async fn create_token(
    by: Allowed<TokensWrite>,
    Json(form): Json<TokenForm>,
) -> Result<(StatusCode, Answer<TokenCreated>), Problem> {
    let now = by.door().now();
    let account = match &form.account {
        Some(named) => Some(find(&by, named).await?.id),
        None => None,
    };
    let token = ApiToken {
        account,
        ..form.into_token(now, by.token().expires_at)?
    };
    no_more_than(by.token(), &token)?;
    let secret = by.door().create_token(token.clone(), by.actor()).await?;
    let created = TokenCreated {
        view: TokenView::of(token),
        token: secret.expose_text().to_owned(),
    };
    Ok((StatusCode::CREATED, Answer(created)))
}

/// Takes a token away. One's own too: what was answered to is the last thing it opened.
#[utoipa::path(delete, path = "/v1/tokens/{name}", tag = "tokens",
    params(("name" = String, Path, description = "the token's name")),
    responses((status = 204, description = "It is worthless."), Refusals, Missing),
    security(("bearer" = ["tokens:write"])))]
async fn revoke_token(by: Allowed<TokensWrite>, Named(name): Named) -> Result<StatusCode, Problem> {
    if !by.store().revoke_token(&name).await? {
        return Err(Problem::because(Sort::NOT_FOUND, "no token has that name"));
    }
    let event = by.event(Kind::TokenRevoked, Outcome::Done).detail("token", &name);
    by.door().record(vec![event]).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl TokenForm {
    fn into_token(mut self, now: Timestamp, creator_expires_at: Option<Timestamp>) -> Result<ApiToken, Problem> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, message: String| {
            faults.push(FieldFault {
                field: field.to_owned(),
                message,
            });
        };
        if !is_token_name(&self.name) {
            fault(
                "name",
                format!("takes 1 to {NAME_CHARACTERS_MAX} characters of `a-z 0-9 . _ -`"),
            );
        }
        if self.scopes.is_empty() {
            fault("scopes", "names no scope".to_owned());
        }
        for unknown in self.scopes.iter().filter(|scope| !is_known(scope)) {
            fault(
                "scopes",
                format!("`{unknown}` is no scope; there are {EVERYTHING}, {}", SCOPES.join(", ")),
            );
        }
        let expires_at = match self.expires_at.as_deref().map(|text| read(text, now)) {
            Some(Ok(at)) if at <= now => {
                fault("expires_at", "has passed already".to_owned());
                None
            }
            Some(Ok(at)) => Some(at),
            Some(Err(why)) => {
                fault("expires_at", why);
                None
            }
            None => creator_expires_at,
        };
        if !faults.is_empty() {
            return Err(Problem::fields(faults));
        }
        self.scopes.sort_unstable();
        self.scopes.dedup();
        Ok(ApiToken {
            name: self.name,
            scopes: self.scopes,
            created_at: now,
            expires_at,
            account: None,
        })
    }
}

/// Refuses a token that could do what its maker cannot.
fn no_more_than(maker: &ApiToken, token: &ApiToken) -> Result<(), Problem> {
    if let Some(scope) = token.scopes.iter().find(|scope| !holds(maker, scope)) {
        return Err(Problem::because(
            Sort::SCOPE_EXCEEDED,
            format!("the token this was asked with does not have `{scope}`"),
        ));
    }
    let outlives = match (maker.expires_at, token.expires_at) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(maker), Some(token)) => token > maker,
    };
    if outlives {
        return Err(Problem::because(
            Sort::SCOPE_EXCEEDED,
            "the token this was asked with expires earlier",
        ));
    }
    Ok(())
}

fn is_token_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-');
    (1..=NAME_CHARACTERS_MAX).contains(&name.len()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

    fn form(scopes: &[&str], expires_at: Option<&str>) -> TokenForm {
        TokenForm {
            name: "ci".to_owned(),
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            account: None,
            expires_at: expires_at.map(str::to_owned),
        }
    }

    fn token(scopes: &[&str], expires_at: Option<&str>) -> ApiToken {
        form(scopes, expires_at).into_token(NOW, None).unwrap()
    }

    #[test]
    fn nobody_gives_away_what_they_do_not_have() {
        let maker = token(&["tokens:write", "audit:read"], None);
        assert!(no_more_than(&maker, &token(&["audit:read"], None)).is_ok());
        assert!(no_more_than(&maker, &token(&["audit:read", "accounts:read"], None)).is_err());
        assert!(no_more_than(&maker, &token(&["*"], None)).is_err());
        assert!(no_more_than(&token(&["*"], None), &token(&["*"], None)).is_ok());
    }

    #[test]
    fn a_token_does_not_outlive_the_one_it_was_made_with() {
        let maker = token(&["*"], Some("2030-01-01T00:00:00Z"));
        assert!(no_more_than(&maker, &token(&["*"], Some("2029-01-01T00:00:00Z"))).is_ok());
        assert!(no_more_than(&maker, &token(&["*"], Some("2031-01-01T00:00:00Z"))).is_err());
        assert!(no_more_than(&maker, &token(&["*"], None)).is_err());
        let like_its_maker = form(&["*"], None).into_token(NOW, maker.expires_at).unwrap();
        assert_eq!(like_its_maker.expires_at, maker.expires_at);
    }

    #[test]
    fn what_is_wrong_with_a_token_is_said_all_at_once() {
        let wrong = TokenForm {
            name: "Für alle".to_owned(),
            ..form(&["accounts:all"], Some("-1d"))
        };
        let told = serde_json::to_value(wrong.into_token(NOW, None).unwrap_err()).unwrap();
        let fields: Vec<_> = told["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|fault| &fault["field"])
            .collect();
        assert_eq!(fields, ["name", "scopes", "expires_at"]);
    }
}
