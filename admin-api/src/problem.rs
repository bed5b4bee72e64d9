//! Every way a call can fail, and the one place where it becomes an answer (RFC 9457, `application/problem+json`).

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use stagedoor_identity::port::StoreError;
use stagedoor_identity::{ChangeFault, RefusedWhy};
use utoipa::{IntoResponses, ToSchema};

/// Why a call failed. Boxed, since it travels through results that mostly hold something small.
#[derive(Debug, Serialize)]
pub(crate) struct Problem(Box<ProblemBody>);

/// The body of every answer that is not a success.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// `urn:stagedoor:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(format = "uri")]
    kind: String,
    /// What went wrong, the same for every answer with this code.
    title: &'static str,
    /// The HTTP status again.
    status: u16,
    /// What went wrong this time, and what to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<String>,
    /// Stable; what programs should look at.
    code: &'static str,
    /// The fields that are wrong, all at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldFault>,
    /// The faults of a policy text, all at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<FaultView>,
    #[serde(skip)]
    headers: HeaderMap,
}

/// A field of the request that is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldFault {
    /// Its name in the body or the query.
    pub(crate) field: String,
    /// What is wrong with it.
    pub(crate) message: String,
}

/// A fault in a policy text.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FaultView {
    /// The file, by name.
    pub file: String,
    /// Counted from 1; `null` where there is no line to point at.
    #[schema(required)]
    pub line: Option<usize>,
    /// Counted from 1, in characters.
    #[schema(required)]
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[schema(required)]
    pub help: Option<String>,
}

/// A kind of problem: its code, its status, its title. The table below is the whole vocabulary.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sort(&'static str, StatusCode, &'static str);

macro_rules! sorts {
    ($($name:ident = $code:literal, $status:ident, $title:literal;)*) => {
        impl Sort { $(pub(crate) const $name: Self = Self($code, StatusCode::$status, $title);)* }
        #[cfg(test)]
        pub(crate) const SORTS: &[Sort] = &[$(Sort::$name),*];
    };
}

sorts! {
    MALFORMED = "malformed", BAD_REQUEST, "the request could not be read";
    UNAUTHENTICATED = "unauthenticated", UNAUTHORIZED, "a valid bearer token is needed";
    SCOPE_MISSING = "scope_missing", FORBIDDEN, "the token does not have the scope this needs";
    SCOPE_EXCEEDED = "scope_exceeded", FORBIDDEN, "a token cannot give away what it does not have";
    HOST_NOT_ALLOWED = "host_not_allowed", FORBIDDEN, "this listener does not answer to that host";
    FOREIGN_ORIGIN = "foreign_origin", FORBIDDEN, "calls from pages of another origin are refused";
    THROUGH_A_DOOR = "through_a_door", LOOP_DETECTED, "calls that a door has let through are refused";
    NOT_FOUND = "not_found", NOT_FOUND, "there is no such thing";
    METHOD_NOT_ALLOWED = "method_not_allowed", METHOD_NOT_ALLOWED, "this path does not take that method";
    BODY_TOO_SLOW = "body_too_slow", REQUEST_TIMEOUT, "the body took too long to arrive";
    NO_MAIL_SERVER = "no_mail_server", CONFLICT, "no mail server is configured";
    NAME_TAKEN = "name_taken", CONFLICT, "the name is taken";
    SEATS_FULL = "seats_full", CONFLICT, "no seat is left";
    LAST_OF_ROLE = "last_of_role", CONFLICT, "too few accounts of the role would be left";
    HELD_BY_ONE = "held_by_one", CONFLICT, "the role is held by one account";
    PERMISSION_DENIED = "permission_denied", FORBIDDEN, "permission denied";
    ROLE_CHANGE_REFUSED = "role_change_refused", FORBIDDEN, "the role of this account is not changed in this way";
    SIGNED_IN = "signed_in", CONFLICT, "the account is signed in and left alone meanwhile";
    NOT_ACCEPTED = "not_accepted", CONFLICT, "the account has not been accepted";
    ACCEPTED_ALREADY = "accepted_already", CONFLICT, "the account has been accepted";
    NOT_FIT_TO_HOLD = "not_fit_to_hold", CONFLICT, "the role cannot be handed over to this account";
    NOT_POSSIBLE = "not_possible", CONFLICT, "this cannot be done for this account";
    READ_ONLY = "read_only", CONFLICT, "the policy does not come from a file that can be written";
    VERSION_MISMATCH = "version_mismatch", PRECONDITION_FAILED, "it was changed meanwhile";
    BODY_TOO_LARGE = "body_too_large", PAYLOAD_TOO_LARGE, "the body is too large";
    CONTENT_TYPE = "content_type", UNSUPPORTED_MEDIA_TYPE, "the body has the wrong content type";
    UNFIT = "unfit", UNPROCESSABLE_ENTITY, "some fields are wrong";
    POLICY_FAULTY = "policy_faulty", UNPROCESSABLE_ENTITY, "the policy has faults";
    IF_MATCH_NEEDED = "if_match_needed", PRECONDITION_REQUIRED, "an If-Match header is needed";
    INTERNAL = "internal", INTERNAL_SERVER_ERROR, "something went wrong inside";
    BUSY = "busy", SERVICE_UNAVAILABLE, "too busy at the moment";
    OUTBOX_FULL = "outbox_full", SERVICE_UNAVAILABLE, "too many letters wait to be sent";
    STORE_FAILED = "store_failed", SERVICE_UNAVAILABLE, "the store failed";
}

impl Problem {
    pub(crate) fn of(sort: Sort) -> Self {
        let Sort(code, status, title) = sort;
        Self(Box::new(ProblemBody {
            kind: format!("urn:stagedoor:problem:{code}"),
            title,
            status: status.as_u16(),
            detail: None,
            code,
            fields: Vec::new(),
            faults: Vec::new(),
            headers: HeaderMap::new(),
        }))
    }

    pub(crate) fn because(sort: Sort, detail: impl Into<String>) -> Self {
        let mut problem = Self::of(sort);
        problem.0.detail = Some(detail.into());
        problem
    }

    /// One field that is wrong.
    pub(crate) fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::fields(vec![FieldFault {
            field: field.into(),
            message: message.into(),
        }])
    }

    /// Fields that are wrong; the detail names them too, for who reads only that.
    pub(crate) fn fields(fields: Vec<FieldFault>) -> Self {
        let all: Vec<_> = fields
            .iter()
            .map(|fault| match fault.field.as_str() {
                "" => fault.message.clone(),
                field => format!("{field}: {}", fault.message),
            })
            .collect();
        let mut problem = Self::because(Sort::UNFIT, all.join("; "));
        problem.0.fields = fields;
        problem
    }

    /// A policy text with faults.
    pub(crate) fn faults(faults: Vec<FaultView>) -> Self {
        let counted = match faults.len() {
            1 => "it has 1 fault".to_owned(),
            count => format!("it has {count} faults"),
        };
        let mut problem = Self::because(Sort::POLICY_FAULTY, format!("{counted}; what was in force still is"));
        problem.0.faults = faults;
        problem
    }

    /// No token, or one that opens nothing. The same answer for unknown, revoked and expired ones.
    pub(crate) fn unauthenticated() -> Self {
        Self::because(
            Sort::UNAUTHENTICATED,
            "send `Authorization: Bearer sdt_…` with a token that exists and has not expired",
        )
        .with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"stagedoor\""))
    }

    pub(crate) fn scope_missing(scope: &'static str) -> Self {
        let challenge = format!("Bearer realm=\"stagedoor\", error=\"insufficient_scope\", scope=\"{scope}\"");
        let problem = Self::because(Sort::SCOPE_MISSING, format!("this needs the scope `{scope}`"));
        match HeaderValue::try_from(challenge) {
            Ok(value) => problem.with(WWW_AUTHENTICATE, value),
            Err(_) => problem,
        }
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::of(Sort::NOT_FOUND),
            StoreError::NameTaken => Self::of(Sort::NAME_TAKEN),
            StoreError::VersionMismatch => Self::because(Sort::VERSION_MISMATCH, "read it again and repeat the change"),
            StoreError::SeatsFull { .. } => Self::because(Sort::SEATS_FULL, error.to_string()),
            StoreError::LastOfRole { .. } => Self::because(Sort::LAST_OF_ROLE, error.to_string()),
            StoreError::HeldByOne { .. } => Self::because(Sort::HELD_BY_ONE, error.to_string()),
            StoreError::LinkDead => Self::because(Sort::NOT_POSSIBLE, error.to_string()),
            StoreError::ActorChanged => Self::because(Sort::VERSION_MISMATCH, error.to_string()),
            full @ StoreError::OutboxFull { .. } => {
                Self::because(Sort::OUTBOX_FULL, full.to_string()).with(RETRY_AFTER, HeaderValue::from_static("60"))
            }
            StoreError::Engine(why) => {
                tracing::error!(%why, "the store failed a call of the admin API");
                // A step that was sent may have been made though its answer was lost.
                let why = "it may have been made all the same: read it before you repeat it; the log says why";
                Self::because(Sort::STORE_FAILED, why).with(RETRY_AFTER, HeaderValue::from_static("5"))
            }
        }
    }
}

impl From<ChangeFault> for Problem {
    fn from(fault: ChangeFault) -> Self {
        match fault {
            ChangeFault::Unfit(fields) => Self::fields(
                fields
                    .into_iter()
                    .map(|(field, message)| FieldFault {
                        field: field.to_owned(),
                        message,
                    })
                    .collect(),
            ),
            ChangeFault::Store(error) => error.into(),
            ChangeFault::Refused(refused) => {
                let sort = match refused.why {
                    RefusedWhy::PermissionDenied => Sort::PERMISSION_DENIED,
                    RefusedWhy::RoleChange => Sort::ROLE_CHANGE_REFUSED,
                    RefusedWhy::LastOfRole => Sort::LAST_OF_ROLE,
                    RefusedWhy::HeldByOne => Sort::HELD_BY_ONE,
                    RefusedWhy::SeatsFull { .. } => Sort::SEATS_FULL,
                    RefusedWhy::SignedIn => Sort::SIGNED_IN,
                    RefusedWhy::NotAccepted => Sort::NOT_ACCEPTED,
                    RefusedWhy::Accepted => Sort::ACCEPTED_ALREADY,
                    RefusedWhy::NotFitToHold => Sort::NOT_FIT_TO_HOLD,
                    RefusedWhy::NotPossible => Sort::NOT_POSSIBLE,
                };
                Self::because(sort, refused.sentence)
            }
            ChangeFault::Busy => {
                Self::because(Sort::BUSY, "too many passwords are being hashed; try again in a second")
                    .with(RETRY_AFTER, HeaderValue::from_static("1"))
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut headers = std::mem::take(&mut self.0.headers);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let body = serde_json::to_vec(&self).unwrap_or_default();
        (status, headers, body).into_response()
    }
}

/// The refusals that any guarded call may meet, for the document.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only the document reads it")]
pub(crate) enum Refusals {
    /// The request could not be read.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemBody),
    /// No valid bearer token.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(ProblemBody),
    /// The token lacks the scope, or the host or origin is not allowed.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
    /// Parameters or fields are wrong; `fields` says which.
    #[response(status = 422, content_type = "application/problem+json")]
    Unfit(ProblemBody),
    /// Something went wrong inside.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(ProblemBody),
    /// The store failed, or too much is under way.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
    /// A door has let the call through: a site's upstream leads here.
    #[response(status = 508, content_type = "application/problem+json")]
    ThroughADoor(ProblemBody),
}

/// What a call that needs no token may meet: the listener's own refusals.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only the document reads it")]
pub(crate) enum ListenerRefusals {
    /// The request could not be read.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemBody),
    /// The host or origin is not allowed.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
    /// Something went wrong inside.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(ProblemBody),
    /// A door has let the call through: a site's upstream leads here.
    #[response(status = 508, content_type = "application/problem+json")]
    ThroughADoor(ProblemBody),
}

/// What a call that names one thing may meet besides.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only the document reads it")]
pub(crate) enum Missing {
    /// There is no such thing.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(ProblemBody),
}

/// What a call with a body may meet besides.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only the document reads it")]
pub(crate) enum BodyRefusals {
    /// The body took too long to arrive.
    #[response(status = 408, content_type = "application/problem+json")]
    Slow(ProblemBody),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    Large(ProblemBody),
    /// The body has the wrong content type.
    #[response(status = 415, content_type = "application/problem+json")]
    ContentType(ProblemBody),
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_used_once() {
        let codes: BTreeSet<_> = SORTS.iter().map(|sort| sort.0).collect();
        assert_eq!(codes.len(), SORTS.len());
    }

    #[test]
    fn what_the_store_says_about_itself_stays_in_the_log() {
        let problem = Problem::from(StoreError::Engine("disk I/O error at /var/lib/secret".to_owned()));
        assert_eq!(problem.0.status, 503);
        assert!(!serde_json::to_string(&problem).unwrap().contains("/var/lib/secret"));
    }

    #[test]
    fn unfit_fields_are_all_named_at_once() {
        let fault = ChangeFault::Unfit(vec![("role", "no such role".into()), ("email", "no @".into())]);
        let problem = Problem::from(fault);
        assert_eq!(problem.0.status, 422);
        assert_eq!(problem.0.fields.len(), 2);
        assert_eq!(problem.0.detail.as_deref(), Some("role: no such role; email: no @"));
    }
}
