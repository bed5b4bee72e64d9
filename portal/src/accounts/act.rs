//! What is done to an account with one button. What cannot be taken back is asked about first.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request};
use axum::response::Response;
use http::StatusCode;
use stagedoor_identity::account::AccountChange;
use stagedoor_identity::port::LinkPurpose;
use stagedoor_identity::{Account, AccountId, ChangeFault};

use super::Administrator;
use super::invite::sent;
use super::one::{account_page, heading};
use super::page::ConfirmPage;
use super::rights::May;
use crate::carried::AccountDone;
use crate::fields::Fields;
use crate::halt::Halt;
use crate::told::Told;
use crate::visit::Visit;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    ResetSecondFactor,
    SendRecovery,
    Unlock,
    EndSessions,
    Disable,
    Enable,
    Reinstate,
    Delete,
    InviteAgain,
    HandOver,
}

type Named = Result<Path<(AccountId, String)>, PathRejection>;

/// `GET accounts/{id}/{act}`: are you sure?
pub(crate) async fn ask(visit: Visit, path: Named) -> Response {
    let answer = match Administrator::enter(&visit, "accounts") {
        Ok(by) => confirm_page(&by, path).await,
        Err(answer) => *answer,
    };
    visit.finish(answer)
}

/// `POST accounts/{id}/{act}`.
pub(crate) async fn submit(visit: Visit, path: Named, request: Request) -> Response {
    let answer = match Administrator::with_form(&visit, request).await {
        Ok((by, fields)) => carry_out(&by, path, &fields).await,
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

async fn confirm_page(by: &Administrator<'_>, path: Named) -> Result<Response, Halt> {
    let (id, act) = named(path)?;
    let account = by.account(Ok(id)).await?;
    let called = heading(&account).to_owned();
    let (question, consequence, button) = act.question(by.is(&account)).ok_or(Halt::WrongMethod)?;
    let standing = by.standing(&account).await?;
    if !act.is_in(by.may(&account, &standing)) {
        // It may have been possible when the page with the button was made.
        return account_page(by, &account, StatusCode::CONFLICT, vec![NOT_NOW.to_owned()]).await;
    }
    let page = ConfirmPage {
        look: by.visit.look(),
        token: by.token().await?,
        version: account.version,
        id: account.id.0.to_string(),
        act: act.word(),
        question,
        consequence,
        button,
        called,
        name: account.name.as_str().to_owned(),
    };
    by.visit.page(StatusCode::OK, &page)
}

const NOT_NOW: &str = "This cannot be done to the account as it is now.";

async fn carry_out(by: &Administrator<'_>, path: Named, fields: &Fields) -> Result<Response, Halt> {
    let (id, act) = named(path)?;
    let account = by.account(Ok(id)).await?;
    let version = fields.version()?;
    if act == Act::InviteAgain {
        return invite_again(by, &account).await;
    }
    if act == Act::SendRecovery {
        return send_recovery(by, &account).await;
    }
    match act.carry_out(by, &account, version).await {
        Ok(AccountDone::Deleted) if by.is(&account) => by.visit.redirect(&by.visit.path("login")),
        // Whoever handed over is signed out with it.
        Ok(AccountDone::HandedOver) => by.visit.redirect(&by.visit.path("login")),
        Ok(done @ AccountDone::Deleted) => by.done("accounts", done).await,
        Ok(done) => by.done(&format!("accounts/{}", id.0), done).await,
        Err(fault) => not_done(by, id, fault).await,
    }
}

async fn invite_again(by: &Administrator<'_>, account: &Account) -> Result<Response, Halt> {
    match by.visit.portal.door.resend_invitation(account.id, &by.actor).await {
        Ok(again) => {
            let id = again.account.id.0.to_string();
            sent(
                by,
                LinkPurpose::Invitation,
                &id,
                again.account.name.as_str(),
                again.link.as_ref(),
            )
            .await
        }
        Err(fault) => not_done(by, account.id, fault).await,
    }
}

async fn send_recovery(by: &Administrator<'_>, account: &Account) -> Result<Response, Halt> {
    let door = &by.visit.portal.door;
    match door.send_second_factor_recovery(account.id, &by.actor).await {
        Ok(link) => {
            let id = account.id.0.to_string();
            sent(by, LinkPurpose::SecondFactor, &id, account.name.as_str(), link.as_ref()).await
        }
        Err(fault) => not_done(by, account.id, fault).await,
    }
}

async fn not_done(by: &Administrator<'_>, id: AccountId, fault: ChangeFault) -> Result<Response, Halt> {
    let told = Told::of(by.visit, fault)?;
    let now = by.account(Ok(id)).await?;
    let status = told.status;
    account_page(by, &now, status, told.sentences()).await
}

fn named(path: Named) -> Result<(AccountId, Act), Halt> {
    let Path((id, word)) = path.map_err(|_| Halt::NotFound)?;
    Act::named(&word).map(|act| (id, act)).ok_or(Halt::NotFound)
}

impl Act {
    const ALL: [Self; 10] = [
        Self::ResetSecondFactor,
        Self::SendRecovery,
        Self::Unlock,
        Self::EndSessions,
        Self::Disable,
        Self::Enable,
        Self::Reinstate,
        Self::Delete,
        Self::InviteAgain,
        Self::HandOver,
    ];

    /// As it stands in the path.
    const fn word(self) -> &'static str {
        match self {
            Self::ResetSecondFactor => "second-factor",
            Self::SendRecovery => "recovery",
            Self::Unlock => "unlock",
            Self::EndSessions => "sessions",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Reinstate => "reinstate",
            Self::Delete => "delete",
            Self::InviteAgain => "invitation",
            Self::HandOver => "hand-over",
        }
    }

    fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.word() == word)
    }

    fn is_in(self, may: May) -> bool {
        match self {
            Self::ResetSecondFactor => may.reset_second_factor,
            Self::SendRecovery => may.send_recovery,
            Self::Unlock => may.unlock,
            Self::EndSessions => may.end_sessions,
            Self::Disable => may.disable,
            Self::Enable => may.enable,
            Self::Reinstate => may.reinstate,
            Self::Delete => may.delete,
            Self::InviteAgain => may.invite_again,
            Self::HandOver => may.hand_over,
        }
    }

    /// What is asked first, what follows from it, and what the button says.
    fn question(self, own: bool) -> Option<(&'static str, &'static str, &'static str)> {
        match self {
            Self::ResetSecondFactor => Some((
                "Reset two-factor authentication?",
                "The app and the recovery codes of this account stop working, and its sessions end. At the next sign-in a \
                 QR code is shown where a second factor is asked for.",
                "Reset two-factor authentication",
            )),
            Self::Disable => Some((
                "Switch this account off?",
                "Nobody can sign in to it until it is switched on again, and its sessions end now.",
                "Switch off",
            )),
            Self::Delete if own => Some((
                "Delete your own account?",
                "You are signed out at once and cannot come back. This cannot be undone.",
                "Delete my account",
            )),
            Self::Delete => Some((
                "Delete this account?",
                "Its sessions end now. What it did stays in the audit. This cannot be undone.",
                "Delete",
            )),
            Self::HandOver => Some((
                "Hand your role over?",
                "This account gets your role and you lose it at once: both are signed out. Only its new holder can give it \
                 back.",
                "Hand over",
            )),
            Self::SendRecovery
            | Self::Unlock
            | Self::EndSessions
            | Self::Enable
            | Self::Reinstate
            | Self::InviteAgain => None,
        }
    }

    /// `version`: of the account that the page showed; for what would be something else to another version of it.
    async fn carry_out(
        self,
        by: &Administrator<'_>,
        account: &Account,
        version: u64,
    ) -> Result<AccountDone, ChangeFault> {
        let (door, id, actor) = (&by.visit.portal.door, account.id, &by.actor);
        let switched = |disabled| AccountChange {
            disabled: Some(disabled),
            ..AccountChange::default()
        };
        Ok(match self {
            Self::ResetSecondFactor => {
                door.reset_second_factor(id, actor).await?;
                AccountDone::SecondFactorReset
            }
            Self::Unlock => {
                door.unlock(id, actor).await?;
                AccountDone::Unlocked
            }
            Self::EndSessions => AccountDone::SessionsEnded(door.end_sessions_of(id, actor).await?),
            Self::Disable => {
                door.change_account(id, Some(version), switched(true), actor).await?;
                AccountDone::Disabled
            }
            Self::Enable => {
                door.change_account(id, Some(version), switched(false), actor).await?;
                AccountDone::Enabled
            }
            Self::Reinstate => {
                door.reinstate(id, actor).await?;
                AccountDone::Reinstated
            }
            Self::Delete => {
                door.remove_account(id, Some(version), actor).await?;
                AccountDone::Deleted
            }
            Self::HandOver => {
                door.hand_over(id, actor).await?;
                AccountDone::HandedOver
            }
            // Answered with more than a word: see `invite_again` and `send_recovery`.
            Self::InviteAgain => AccountDone::Invited,
            Self::SendRecovery => AccountDone::RecoverySent,
        })
    }
}
