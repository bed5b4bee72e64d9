//! The first account, made by whoever holds the link that the door printed when it started with none.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use stagedoor_identity::account::{AccountName, AccountQuery, NewAccount};
use stagedoor_identity::{Actor, ChangeFault, Password, Secret, SessionToken};
use stagedoor_policy::Policy;
use stagedoor_policy::rules::MessageKey;

use crate::halt::Halt;
use crate::page::SetupPage;
use crate::sign_in::new_password::typed_twice;
use crate::visit::{Posted, Visit, with_cookies};

/// The right to make the first account: one link, good once, while there is no account.
pub struct Setup {
    link: Secret,
    role: String,
    used: AtomicBool,
}

impl Setup {
    /// Opened by the link that carries `token`; the account it makes gets `role`.
    pub fn new(token: &SessionToken, role: impl Into<String>) -> Self {
        Self {
            link: Secret::new(token.hash().0),
            role: role.into(),
            used: AtomicBool::new(false),
        }
    }

    fn opens_with(&self, presented: &str) -> bool {
        let presented = SessionToken::parse(presented.as_bytes());
        !self.used.load(Ordering::Acquire) && presented.is_some_and(|token| self.link.matches(&token.hash().0))
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    token: String,
}

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    csrf: String,
    link: String,
    username: String,
    new_password: String,
    repeat: String,
}

/// `GET setup?token=…`.
pub(crate) async fn show(visit: Visit, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let link = asked.ok().map(|Query(asked)| asked.token).unwrap_or_default();
    let answer = match right(&visit, &link).await {
        Ok(_) => setup_page(&visit, StatusCode::OK, link, String::new(), Vec::new()).await,
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

/// `POST setup`.
pub(crate) async fn submit(visit: Visit, request: Request) -> Response {
    let answer = match visit.read::<Fields>(request).await {
        Ok(Posted::Form(fields)) => by_form(&visit, fields).await,
        // Programs make accounts by the admin API.
        Ok(Posted::Json(_)) => Err(Halt::WrongType),
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

async fn by_form(visit: &Visit, fields: Fields) -> Result<Response, Halt> {
    visit.check_form(visit.form_bond().as_ref(), &fields.csrf).await?;
    let setup = right(visit, &fields.link).await?;
    let problems = match wanted(&visit.portal.door.policy(), &fields, &setup.role) {
        // Taken before the account is made, so that two who hold the link cannot both make one.
        Ok(_) if setup.used.swap(true, Ordering::AcqRel) => return Err(Halt::NotFound),
        Ok(new) => match make(visit, new).await {
            Ok(()) => return visit.redirect(&visit.path("login")),
            Err(fault) => {
                setup.used.store(false, Ordering::Release);
                sentences(fault)?
            }
        },
        Err(problems) => problems,
    };
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    setup_page(visit, status, fields.link, fields.username, problems).await
}

/// The right that the link carries; there is no such page for anybody else, or once there is an account.
async fn right<'v>(visit: &'v Visit, link: &str) -> Result<&'v Setup, Halt> {
    let setup = visit.portal.setup.as_deref().filter(|setup| setup.opens_with(link));
    let setup = setup.ok_or(Halt::NotFound)?;
    let query = AccountQuery {
        limit: 1,
        ..AccountQuery::default()
    };
    let accounts = visit.portal.door.store().list_accounts(&query).await;
    match accounts {
        Ok(accounts) if accounts.is_empty() => Ok(setup),
        Ok(_) => Err(Halt::NotFound),
        Err(_) => Err(Halt::Unavailable),
    }
}

fn wanted(policy: &Policy, fields: &Fields, role: &str) -> Result<NewAccount, Vec<String>> {
    let name = policy.check_account_name(&fields.username);
    let name = name.and_then(|()| AccountName::parse(&fields.username).map_err(|sentence| vec![sentence.to_owned()]));
    let password = typed_twice(policy, MessageKey::PasswordUnfit, &fields.new_password, &fields.repeat);
    match (name, password) {
        (Ok(name), Ok(password)) => Ok(first_account(name, password, role)),
        (name, password) => Err(name.err().into_iter().flatten().chain(password.err()).collect()),
    }
}

fn first_account(name: AccountName, password: Password, role: &str) -> NewAccount {
    NewAccount {
        display_name: name.as_str().to_owned(),
        name,
        email: None,
        role: Some(role.to_owned()),
        grants: Vec::new(),
        networks: Vec::new(),
        password,
        password_temporary: false,
    }
}

async fn make(visit: &Visit, new: NewAccount) -> Result<(), ChangeFault> {
    let actor = Actor::operator("setup")
        .from(Some(visit.caller.address.ip()))
        .in_request(Some(visit.caller.request_id.clone()));
    visit.portal.door.create_account(new, &actor).await.map(|_| ())
}

fn sentences(fault: ChangeFault) -> Result<Vec<String>, Halt> {
    match fault {
        ChangeFault::Unfit(fields) => Ok(fields.into_iter().map(|(_, sentence)| sentence).collect()),
        ChangeFault::Refused(refused) => Ok(vec![refused.sentence]),
        ChangeFault::Store(_) | ChangeFault::Busy => Err(Halt::Unavailable),
    }
}

async fn setup_page(
    visit: &Visit,
    status: StatusCode,
    link: String,
    name: String,
    problems: Vec<String>,
) -> Result<Response, Halt> {
    let form = visit.strangers_form().await?;
    let page = SetupPage {
        look: visit.look(),
        token: form.token,
        link,
        name,
        error: (!problems.is_empty()).then(|| "Please mend this:".to_owned()),
        problems,
    };
    Ok(with_cookies(visit.page(status, &page)?, [form.cookie]))
}
