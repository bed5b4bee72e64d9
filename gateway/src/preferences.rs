//! What an account has chosen, as headers towards its consoles: made once for each session, version of its account and policy,
//! so that a request only copies references.

use std::any::Any;
use std::sync::Arc;

use http::HeaderValue;
use pingora::{ErrorType, OrErr as _, Result};
use stagedoor_identity::{Account, LiveSession};
use stagedoor_policy::{Policy, Revision};

use crate::upstream::lines::Lines;

/// The headers, and what they were made of.
#[derive(Debug)]
struct Made {
    account_version: u64,
    revision: Revision,
    headers: Box<[(String, HeaderValue)]>,
}

/// Says what the session's account has chosen, of each preference that the policy declares.
///
/// # Errors
/// Where a header cannot be written: the request fails rather than go out incomplete.
pub fn tell(lines: &mut Lines, session: &LiveSession, account: &Account, policy: &Policy) -> Result<()> {
    if policy.preferences().is_empty() {
        return Ok(());
    }
    let cached = session.cached().load();
    let fitting = cached
        .as_ref()
        .and_then(|made| (***made).downcast_ref::<Made>())
        .filter(|made| made.account_version == account.version && made.revision == policy.revision());
    if let Some(made) = fitting {
        return write(lines, made);
    }
    let made = Made {
        account_version: account.version,
        revision: policy.revision(),
        headers: headers(account, policy)?,
    };
    let written = write(lines, &made);
    let made: Box<dyn Any + Send + Sync> = Box::new(made);
    session.cached().store(Some(Arc::new(made)));
    written
}

fn headers(account: &Account, policy: &Policy) -> Result<Box<[(String, HeaderValue)]>> {
    let mut headers = Vec::with_capacity(policy.preferences().len());
    for preference in policy.preferences() {
        let chosen = account.preferences.get(&preference.name).map(String::as_str);
        let value = HeaderValue::from_str(preference.holds(chosen));
        let value = value.or_err(ErrorType::InternalError, "writing a preference")?;
        headers.push((preference.header.clone(), value));
    }
    Ok(headers.into_boxed_slice())
}

fn write(lines: &mut Lines, made: &Made) -> Result<()> {
    let mut headers = made.headers.iter();
    headers.try_for_each(|(name, value)| lines.say(name, value.as_bytes()))
}
