//! One request to the portal: who asks, what they hold, and how they are answered.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{FromRequest as _, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Form, Json};
use serde::de::DeserializeOwned;
use stagedoor_identity::session::Ended;
use stagedoor_identity::sign_in::Origin;
use stagedoor_identity::{Account, LiveSession, Lookup, SessionToken};
use stagedoor_policy::rules::MessageKey;
use stagedoor_policy::time::Timestamp;

use crate::accounts;
use crate::audience::{self, Audience};
use crate::cookie::{self, Jar, Presented};
use crate::destination::Destination;
use crate::forgery::{self, Bond};
use crate::halt::Halt;
use crate::keys::Keys;
use crate::refusal::{self, PageLook, RefusalView};
use crate::{Caller, Portal};

const USER_AGENT_CHARS_MAX: usize = 256;

/// See the module.
pub(crate) struct Visit {
    pub(crate) portal: Arc<Portal>,
    pub(crate) caller: Caller,
    pub(crate) audience: Audience,
    pub(crate) standing: Standing,
    pub(crate) headers: HeaderMap,
}

/// What the session cookie is worth.
pub(crate) enum Standing {
    /// No session, or none that can be told.
    Stranger,
    /// Signed in.
    SignedIn(SignedIn),
    /// Was signed in.
    Ended(Ended),
}

/// A live session and the token it was presented with.
pub(crate) struct SignedIn {
    pub(crate) token: SessionToken,
    pub(crate) session: Arc<LiveSession>,
}

/// A body that has been read.
pub(crate) enum Posted<T> {
    /// By one of our pages (its token is still to be checked).
    Form(T),
    /// By a program.
    Json(T),
}

impl FromRequestParts<Arc<Portal>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, portal: &Arc<Portal>) -> Result<Self, Response> {
        let audience = Audience::of(&parts.headers);
        let Some(caller) = parts.extensions.get::<Caller>().cloned() else {
            tracing::error!("a request reached the portal without its caller");
            let view = RefusalView::new(portal.look.clone(), StatusCode::INTERNAL_SERVER_ERROR, "internal");
            return Err(refusal::answer(&view, audience).into_response());
        };
        let standing = match cookie::presented_token(&parts.headers, caller.secure) {
            Presented::None | Presented::Ambiguous => Standing::Stranger,
            // Asked again although the gateway has asked before it read the body: a body may take long enough for the session to
            // end, and what was begun before must not be finished after.
            Presented::One(token) => match looked_up(portal, &token, caller.now).await {
                Lookup::Live(session) => {
                    portal.door.used(&session, caller.now);
                    Standing::SignedIn(SignedIn { token, session })
                }
                Lookup::Ended(ended) => Standing::Ended(ended),
                Lookup::Unknown => Standing::Stranger,
                Lookup::CannotTell => {
                    let status = StatusCode::SERVICE_UNAVAILABLE;
                    let mut view = RefusalView::new(portal.look.clone(), status, "store_lost");
                    view.retry_after_seconds = Some(1);
                    return Err(refusal::answer(&view, audience).into_response());
                }
            },
        };
        Ok(Self {
            portal: portal.clone(),
            caller,
            audience,
            standing,
            headers: parts.headers.clone(),
        })
    }
}

/// One of several doors may have to hear first what others changed.
async fn looked_up(portal: &Portal, token: &SessionToken, now: Timestamp) -> Lookup {
    match portal.door.look_up(token, now) {
        Lookup::CannotTell if portal.door.wait_until_fresh().await => portal.door.look_up(token, portal.door.now()),
        told => told,
    }
}

impl Visit {
    pub(crate) fn signed_in(&self) -> Option<&SignedIn> {
        match &self.standing {
            Standing::SignedIn(signed_in) => Some(signed_in),
            Standing::Stranger | Standing::Ended(_) => None,
        }
    }

    /// The account's name, where somebody is signed in.
    pub(crate) fn account_name(&self) -> Option<String> {
        self.signed_in()
            .map(|signed_in| signed_in.session.account().name.as_str().to_owned())
    }

    /// For the door and its audit.
    pub(crate) fn origin(&self) -> Origin {
        let agent = self
            .headers
            .get(header::USER_AGENT)
            .map(HeaderValue::as_bytes)
            .unwrap_or_default();
        let visible = |c: &char| !c.is_control();
        Origin {
            address: self.caller.address,
            user_agent: String::from_utf8_lossy(agent)
                .chars()
                .filter(visible)
                .take(USER_AGENT_CHARS_MAX)
                .collect(),
        }
    }

    /// What a page of ours is drawn with.
    pub(crate) fn look(&self) -> PageLook {
        let administers = self.signed_in().is_some_and(|signed_in| {
            let policy = self.portal.door.policy();
            accounts::administers(&policy, &signed_in.session.account().role)
        });
        PageLook {
            administers,
            ..PageLook::new(&self.portal.look, self.account_name())
        }
    }

    /// A path below the prefix.
    pub(crate) fn path(&self, page: &str) -> String {
        format!("{}{page}", self.portal.look.prefix)
    }

    /// Where the visitor wants to go.
    pub(crate) fn destination(&self, asked: Option<&str>) -> Destination {
        asked.map_or_else(Destination::home, |asked| {
            Destination::parse(asked, &self.portal.look.prefix)
        })
    }

    /// Where whoever has just signed in goes: where they were on the way to, else where their choice leads.
    pub(crate) fn lands_on(&self, asked: &str, account: &Account) -> Destination {
        let wanted = self.destination(Some(asked));
        if !wanted.is_home() {
            return wanted;
        }
        let policy = self.portal.door.policy();
        policy
            .leads_to(&account.preferences)
            .map_or(wanted, |path| self.destination(Some(path)))
    }

    pub(crate) async fn keys(&self) -> Result<&Keys, Halt> {
        self.portal.keys.get(&self.portal.door).await.map_err(|fault| {
            tracing::error!(request_id = %self.caller.request_id, %fault, "the portal cannot prove its forms");
            Halt::Unavailable
        })
    }

    /// What a stranger's forms are tied to; `None` before the form cookie was set.
    pub(crate) fn form_bond(&self) -> Option<Bond> {
        Jar::Form
            .presented(&self.headers, self.caller.secure)
            .and_then(Bond::of_form)
    }

    /// Reads a post: refuses what another site sent, then takes a form or JSON, whichever the body says it is.
    pub(crate) async fn read<T: DeserializeOwned + 'static>(&self, request: Request) -> Result<Posted<T>, Halt> {
        if !forgery::may_be_ours(&self.caller, &self.headers) {
            return Err(Halt::Forged);
        }
        if audience::has_json_body(&self.headers) {
            let read = Json::<T>::from_request(request, &()).await;
            return read
                .map(|Json(body)| Posted::Json(body))
                .map_err(|fault| Halt::of_body(fault.status()));
        }
        let read = Form::<T>::from_request(request, &()).await;
        read.map(|Form(body)| Posted::Form(body))
            .map_err(|fault| Halt::of_body(fault.status()))
    }

    /// Refuses a form that was not made for this bond.
    pub(crate) async fn check_form(&self, bond: Option<&Bond>, token: &str) -> Result<(), Halt> {
        let keys = self.keys().await?;
        let good = bond.is_some_and(|bond| forgery::is_token_of(&keys.forms, bond, token));
        if good { Ok(()) } else { Err(Halt::FormExpired) }
    }

    /// A page.
    pub(crate) fn page(&self, status: StatusCode, page: &impl Template) -> Result<Response, Halt> {
        let text = page.render().map_err(|fault| {
            tracing::error!(request_id = %self.caller.request_id, %fault, "a page cannot be written");
            Halt::Broken
        })?;
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        Ok((status, [(header::CONTENT_TYPE, html)], text).into_response())
    }

    /// A redirect after a form.
    pub(crate) fn redirect(&self, to: &str) -> Result<Response, Halt> {
        let location = HeaderValue::try_from(to).map_err(|_| Halt::Broken)?;
        Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)], Body::empty()).into_response())
    }

    /// What becomes of a request in the end.
    pub(crate) fn finish(&self, answer: Result<Response, Halt>) -> Response {
        answer.unwrap_or_else(|halt| self.refuse(halt))
    }

    /// A refusal of the portal's own.
    pub(crate) fn refuse(&self, halt: Halt) -> Response {
        let mut view = RefusalView::new(self.portal.look.clone(), halt.status(), halt.code());
        view.request_id = Some(self.caller.request_id.clone());
        view.at = Some(self.caller.now);
        view.site.clone_from(&self.caller.site);
        view.address = Some(self.caller.address.ip());
        view.account = self.account_name();
        view.retry_after_seconds = halt.retry_after_seconds();
        view.has_start = self.caller.site.is_some();
        view.reason = self.own_sentence(halt.code());
        if matches!(halt, Halt::SignInFirst) {
            view.sign_in_link = Some(self.path("login"));
            if let Standing::Ended(ended) = &self.standing {
                view.ended = Some(ended.clone());
            }
        }
        refusal::answer(&view, self.audience).into_response()
    }
}

impl Visit {
    /// The policy's sentence about a refusal, in the place of the door's own.
    fn own_sentence(&self, code: &str) -> Option<String> {
        let policy = self.portal.door.policy();
        let own = match code {
            "address_not_allowed_role" | "address_not_allowed_account" | "account_has_no_networks" => {
                policy.own_message(MessageKey::AddressNotAllowed)
            }
            "channel_not_allowed" => policy.own_channel_refused(self.signed_in()?.session.channel()),
            _ => None,
        };
        own.map(str::to_owned)
    }
}

/// Adds `Set-Cookie` headers to an answer.
pub(crate) fn with_cookies(mut answer: Response, cookies: impl IntoIterator<Item = Option<HeaderValue>>) -> Response {
    for cookie in cookies.into_iter().flatten() {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}
