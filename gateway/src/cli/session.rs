//! `stagedoor session …` and `stagedoor lockout …`: who is in, and who is kept out.

use serde::Deserialize;
use serde_json::Value;

use super::api::{encode, target, understand};
use super::arguments::{EndSession, LockoutCommand, Reach, SessionCommand};
use super::failure::Failure;
use super::place;
use super::shell::Shell;
use super::text::{self, count, or_dash, plain};

pub(crate) async fn run(shell: &mut Shell<'_>, reach: &Reach, command: &SessionCommand) -> Result<(), Failure> {
    let api = place::open(shell, reach).await?;
    match command {
        SessionCommand::List { account } => {
            let query: Vec<_> = account.as_deref().map(|name| ("account", name)).into_iter().collect();
            let value = api.list("/v1/sessions", &query).await?;
            let sessions: Items<Session> = understand(&value)?;
            shell.answer(&value, |width| sessions_text(&sessions.items, width))
        }
        SessionCommand::End(EndSession { id: Some(id), .. }) => {
            let value = api.delete(&format!("/v1/sessions/{}", encode(id))).await?.value()?;
            shell.answer(&value, |_| {
                format!("Session {} has ended, with everything open in it.", plain(id))
            })
        }
        SessionCommand::End(EndSession { account, .. }) => {
            let account = account.as_deref().unwrap_or_default();
            let value = api
                .delete(&target("/v1/sessions", &[("account", account)]))
                .await?
                .value()?;
            let ended = value.get("ended").and_then(Value::as_u64).unwrap_or_default();
            let ended = usize::try_from(ended).unwrap_or(usize::MAX);
            shell.answer(&value, |_| {
                format!("{} of {} ended.", count(ended, "session"), plain(account))
            })
        }
    }
}

/// `stagedoor lockout …`.
pub(crate) async fn run_lockout(shell: &mut Shell<'_>, reach: &Reach, command: &LockoutCommand) -> Result<(), Failure> {
    let api = place::open(shell, reach).await?;
    match command {
        LockoutCommand::List => {
            let value = api.list("/v1/lockouts", &[]).await?;
            let lockouts: Items<Lockout> = understand(&value)?;
            shell.answer(&value, |width| lockouts_text(&lockouts.items, width))
        }
        LockoutCommand::End { id } => {
            let value = api.delete(&format!("/v1/lockouts/{}", encode(id))).await?.value()?;
            shell.answer(&value, |_| format!("Lock {} is lifted.", plain(id)))
        }
    }
}

#[derive(Debug, Deserialize)]
struct Items<T> {
    items: Vec<T>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Session {
    id: String,
    account: String,
    channel: String,
    address: Option<String>,
    user_agent: Option<String>,
    opened_at: Option<String>,
    last_used_at: Option<String>,
    expires_at: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Lockout {
    id: String,
    /// Absent where a name was tried that no account has.
    account: Option<String>,
    source: Option<String>,
    failures: u32,
    since: Option<String>,
    until: Option<String>,
}

/// Characters of a user agent that are shown: enough to tell two browsers apart.
const USER_AGENT_CHARS_MAX: usize = 40;

fn sessions_text(sessions: &[Session], width: Option<u16>) -> String {
    if sessions.is_empty() {
        return "Nobody is signed in.".to_owned();
    }
    let headings = [
        "id",
        "account",
        "channel",
        "from",
        "opened (UTC)",
        "last used (UTC)",
        "ends (UTC)",
        "with",
    ];
    let rows = sessions.iter().map(|session| {
        let agent: Option<String> = session
            .user_agent
            .as_ref()
            .map(|agent| agent.chars().take(USER_AGENT_CHARS_MAX).collect());
        vec![
            plain(&session.id),
            plain(&session.account),
            plain(&session.channel),
            or_dash(session.address.as_deref()),
            text::time(session.opened_at.as_deref()),
            text::time(session.last_used_at.as_deref()),
            text::time(session.expires_at.as_deref()),
            or_dash(agent.as_deref()),
        ]
    });
    text::list(&headings, rows.collect(), width)
}

fn lockouts_text(lockouts: &[Lockout], width: Option<u16>) -> String {
    if lockouts.is_empty() {
        return "Nobody is locked.".to_owned();
    }
    let headings = ["id", "account", "source", "failures", "since (UTC)", "until (UTC)"];
    let rows = lockouts.iter().map(|lockout| {
        vec![
            plain(&lockout.id),
            or_dash(lockout.account.as_deref()),
            lockout.source.as_deref().map_or_else(|| "anywhere".to_owned(), plain),
            lockout.failures.to_string(),
            text::time(lockout.since.as_deref()),
            text::time(lockout.until.as_deref()),
        ]
    });
    text::list(&headings, rows.collect(), width)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sessions_are_listed_without_what_could_steer_the_terminal() {
        let session: Session = understand(&json!({
            "id": "s1", "account": "ada", "role": "owner", "channel": "browser", "address": "192.0.2.7",
            "user_agent": "evil\u{1b}]0;agent", "second_factor": true, "opened_at": "2026-11-22T15:00:00.000001Z",
            "last_used_at": "2026-11-22T15:01:00Z", "expires_at": "2026-11-23T03:00:00Z",
        }))
        .unwrap();
        let shown = sessions_text(&[session], None);
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
        assert!(
            shown.contains("ada") && shown.contains("192.0.2.7") && shown.contains("2026-11-22 15:01:00"),
            "{shown}"
        );
    }

    #[test]
    fn a_lock_for_every_source_says_so() {
        let lockout: Lockout =
            understand(&json!({ "id": "7", "account": "ada", "source": null, "failures": 50 })).unwrap();
        let shown = lockouts_text(&[lockout], None);
        assert_eq!(
            shown,
            " id  account  source    failures  since (UTC)  until (UTC)\n 7   ada      anywhere  50        -            -"
        );
    }

    #[test]
    fn nobody_is_said_in_words() {
        assert_eq!(sessions_text(&[], None), "Nobody is signed in.");
        assert_eq!(lockouts_text(&[], None), "Nobody is locked.");
    }
}
