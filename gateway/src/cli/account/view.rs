//! How an account reads.

use serde::Deserialize;

use crate::cli::text::{self, or_dash, plain};

/// An account as the API shows it, as far as the texts need it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Account {
    id: String,
    pub(super) name: String,
    display_name: Option<String>,
    email: Option<String>,
    pub(super) role: Option<String>,
    grants: Vec<Grant>,
    networks: Vec<String>,
    disabled: bool,
    banned: bool,
    password_temporary: bool,
    second_factor: bool,
    recovery_codes_left: u32,
    created_at: Option<String>,
    last_sign_in_at: Option<String>,
    last_used_at: Option<String>,
    locked_until: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Grant {
    site: Option<String>,
    area: String,
    level: String,
    actions: Vec<String>,
}

pub(super) fn accounts_text(accounts: &[Account], width: Option<u16>) -> String {
    if accounts.is_empty() {
        return "No account.".to_owned();
    }
    let headings = [
        "name",
        "role",
        "display name",
        "state",
        "second factor",
        "last used (UTC)",
    ];
    let rows = accounts.iter().map(|account| {
        vec![
            plain(&account.name),
            or_dash(account.role.as_deref()),
            or_dash(account.display_name.as_deref()),
            account.state(),
            yes_or_no(account.second_factor).to_owned(),
            text::time(account.last_used_at.as_deref()),
        ]
    });
    text::list(&headings, rows.collect(), width)
}

impl Account {
    /// Whether it can sign in, and why not.
    fn state(&self) -> String {
        let mut states = Vec::new();
        if self.disabled {
            states.push("disabled");
        }
        if self.banned {
            states.push("banned (unused)");
        }
        if self.locked_until.is_some() {
            states.push("locked");
        }
        if self.password_temporary {
            states.push("temporary password");
        }
        if states.is_empty() {
            states.push("active");
        }
        states.join(", ")
    }

    pub(super) fn to_text(&self) -> String {
        let grants: Vec<String> = self.grants.iter().map(Grant::to_text).collect();
        let none = |list: String| {
            if list.is_empty() {
                text::NOTHING.to_owned()
            } else {
                list
            }
        };
        text::pairs(&[
            ("name", plain(&self.name)),
            ("id", plain(&self.id)),
            ("display name", or_dash(self.display_name.as_deref())),
            ("mail", or_dash(self.email.as_deref())),
            ("role", or_dash(self.role.as_deref())),
            ("further grants", none(grants.join(", "))),
            ("own networks", none(plain(&self.networks.join(", ")))),
            ("state", self.state()),
            ("locked until (UTC)", text::time(self.locked_until.as_deref())),
            ("second factor", yes_or_no(self.second_factor).to_owned()),
            ("recovery codes left", self.recovery_codes_left.to_string()),
            ("created (UTC)", text::time(self.created_at.as_deref())),
            ("last sign-in (UTC)", text::time(self.last_sign_in_at.as_deref())),
            ("last used (UTC)", text::time(self.last_used_at.as_deref())),
        ])
    }
}

impl Grant {
    fn to_text(&self) -> String {
        let site = self.site.as_ref().map(|site| format!("{site}/")).unwrap_or_default();
        let actions: String = self.actions.iter().map(|action| format!("+{action}")).collect();
        plain(&format!("{site}{}={}{actions}", self.area, self.level))
    }
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::api::understand;

    fn ada() -> Account {
        understand(&json!({
            "id": "0192", "name": "ada", "display_name": "Ada", "email": null, "role": "owner",
            "grants": [{"site": "console", "area": "devices", "level": "view", "actions": ["export"]}],
            "networks": [], "disabled": false, "banned": true, "password_temporary": true, "second_factor": true,
            "recovery_codes_left": 7, "created_at": "2026-11-01T08:00:00.000000Z", "last_sign_in_at": null,
            "last_used_at": null, "locked_until": "2026-11-22T15:00:00Z", "version": 3,
        }))
        .unwrap()
    }

    #[test]
    fn an_account_is_shown_with_all_that_keeps_it_out() {
        assert_eq!(
            ada().to_text(),
            "name                 ada\n\
             id                   0192\n\
             display name         Ada\n\
             mail                 -\n\
             role                 owner\n\
             further grants       console/devices=view+export\n\
             own networks         -\n\
             state                banned (unused), locked, temporary password\n\
             locked until (UTC)   2026-11-22 15:00:00\n\
             second factor        yes\n\
             recovery codes left  7\n\
             created (UTC)        2026-11-01 08:00:00\n\
             last sign-in (UTC)   -\n\
             last used (UTC)      -"
        );
    }

    #[test]
    fn the_list_says_when_there_is_nobody() {
        assert_eq!(accounts_text(&[], None), "No account.");
        let shown = accounts_text(&[ada()], None);
        assert_eq!(shown.lines().count(), 2, "{shown}");
        assert!(shown.starts_with(" name  role   display name  state"), "{shown}");
    }
}
