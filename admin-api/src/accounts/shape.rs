//! Accounts as JSON.

use serde::{Deserialize, Serialize};
use stagedoor_identity::Account;
use stagedoor_identity::account::{AccountChange, AccountName, AccountState, NewAccount, NewInvitation};
use stagedoor_identity::port::Lockout;
use stagedoor_identity::{Password, Secret};
use stagedoor_policy::time::Timestamp;
use stagedoor_policy::{ExtraGrant, Level, Policy};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::input::given;
use crate::problem::{FieldFault, Problem};
use crate::time::written;

/// An account, without its secrets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountView {
    #[schema(value_type = String, format = "uuid")]
    id: Uuid,
    pub(super) name: String,
    display_name: String,
    #[schema(required)]
    email: Option<String>,
    role: String,
    grants: Vec<Grant>,
    /// Its own networks, as they were written.
    networks: Vec<String>,
    /// `disabled`, `invited`, `expired` (an invitation that was not accepted in time), `banned` (for disuse), `locked` or `active`.
    state: &'static str,
    disabled: bool,
    /// Banned for disuse.
    banned: bool,
    /// The password was set by somebody else and must be changed at the next sign-in.
    password_temporary: bool,
    second_factor: bool,
    recovery_codes_left: u32,
    /// It has to show a second factor, whatever its role has to.
    second_factor_demanded: bool,
    /// Devices that are linked to it.
    devices: u32,
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was accepted; `null` while it is only invited.
    #[schema(required, format = DateTime)]
    accepted_at: Option<String>,
    /// Until when the invitation that waits can be accepted; `null` where none waits.
    #[schema(required, format = DateTime)]
    invited_until: Option<String>,
    #[schema(required, format = DateTime)]
    last_sign_in_at: Option<String>,
    #[schema(required, format = DateTime)]
    last_used_at: Option<String>,
    /// When the last of its locks ends; `null` where none holds.
    #[schema(required, format = DateTime)]
    locked_until: Option<String>,
    /// Rises with each change; the `ETag` is made of it.
    version: u64,
}

/// What an account is seen with.
pub(super) struct Seen<'a> {
    /// Banned for disuse, which the last of a protected role is not.
    pub(super) banned: bool,
    /// May hold those of other accounts too.
    pub(super) locks: &'a [Lockout],
    pub(super) now: Timestamp,
    pub(super) policy: &'a Policy,
}

impl Seen<'_> {
    fn state_of(&self, account: &Account, locked: bool) -> AccountState {
        match account.state(self.now, self.policy, locked) {
            AccountState::Banned if !self.banned && locked => AccountState::Locked,
            AccountState::Banned if !self.banned => AccountState::Active,
            state => state,
        }
    }
}

impl AccountView {
    pub(super) fn of(account: &Account, seen: &Seen<'_>) -> Self {
        let locked_until = seen
            .locks
            .iter()
            .filter(|lock| lock.account.as_ref() == Some(&account.name))
            .map(|lock| lock.until)
            .max();
        Self {
            id: account.id.0,
            name: account.name.as_str().to_owned(),
            display_name: account.display_name.clone(),
            email: account.email.clone(),
            role: account.role.clone(),
            grants: account.grants.iter().map(Grant::of).collect(),
            networks: account.networks.clone(),
            state: seen.state_of(account, locked_until.is_some()).name(),
            disabled: account.disabled,
            banned: seen.banned,
            password_temporary: account.password_temporary,
            second_factor: account.second_factor,
            recovery_codes_left: account.recovery_codes_left,
            second_factor_demanded: account.second_factor_demanded,
            devices: account.devices,
            created_at: written(account.created_at),
            accepted_at: account.accepted_at.map(written),
            invited_until: account.invitation.map(|invitation| written(invitation.expires_at)),
            last_sign_in_at: account.last_sign_in_at.map(written),
            last_used_at: account.last_used_at.map(written),
            locked_until: locked_until.map(written),
            version: account.version,
        }
    }
}

/// A grant on top of the role.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Grant {
    /// The site the area belongs to; `null` or absent: every site that has an area of that name.
    #[serde(default)]
    site: Option<String>,
    area: String,
    /// `none` where only actions are granted.
    level: GrantLevel,
    #[serde(default)]
    actions: Vec<String>,
}

/// How much of an area.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum GrantLevel {
    None,
    View,
    Manage,
}

impl Grant {
    fn of(grant: &ExtraGrant) -> Self {
        Self {
            site: grant.site.clone(),
            area: grant.area.clone(),
            level: match grant.level {
                Level::None => GrantLevel::None,
                Level::View => GrantLevel::View,
                Level::Manage => GrantLevel::Manage,
            },
            actions: grant.actions.clone(),
        }
    }

    fn into_extra(self) -> ExtraGrant {
        ExtraGrant {
            site: self.site,
            area: self.area,
            level: match self.level {
                GrantLevel::None => Level::None,
                GrantLevel::View => Level::View,
                GrantLevel::Manage => Level::Manage,
            },
            actions: self.actions,
        }
    }
}

/// Which accounts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AccountSearch {
    /// Part of the name or the display name.
    pub(super) contains: Option<String>,
    /// `next` of the page before.
    #[param(pattern = "^[A-Za-z0-9._@+-]{1,64}$")]
    pub(super) after: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub(super) limit: Option<u32>,
}

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountForm {
    /// 1 to 64 characters of `a-z 0-9 . _ - @ +`; upper case is made lower case.
    #[schema(pattern = "^[A-Za-z0-9._@+-]{1,64}$")]
    pub(super) name: String,
    /// Absent: one is made up and shown once.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, format = Password, write_only)]
    pub(super) password: Option<String>,
    /// Whether it must be changed at the first sign-in; a made-up one always must.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, default = true)]
    password_temporary: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String)]
    display_name: Option<String>,
    #[serde(default)]
    email: Option<String>,
    /// Absent: the policy's default role.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String)]
    role: Option<String>,
    #[serde(default)]
    grants: Vec<Grant>,
    #[serde(default)]
    networks: Vec<String>,
}

impl AccountForm {
    pub(super) fn into_new(self, made_up: Option<&str>) -> Result<NewAccount, Problem> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, message: &str| {
            faults.push(FieldFault {
                field: field.to_owned(),
                message: message.to_owned(),
            });
        };
        let name = AccountName::parse(&self.name).map_err(|why| fault("name", why)).ok();
        if super::id_of(&self.name).is_some() {
            fault("name", "looks like an id; choose one that cannot be taken for one");
        }
        if made_up.is_some() && self.password_temporary == Some(false) {
            fault(
                "password_temporary",
                "a made-up password has to be changed; give one, or leave this out",
            );
        }
        let typed = made_up.or(self.password.as_deref()).unwrap_or_default();
        let password = super::password_in("password", typed);
        if password.is_err() {
            fault("password", "is too long");
        }
        match (name, password) {
            (Some(name), Ok(password)) if faults.is_empty() => Ok(NewAccount {
                name,
                display_name: self.display_name.unwrap_or_default(),
                email: self.email,
                role: self.role,
                grants: self.grants.into_iter().map(Grant::into_extra).collect(),
                networks: self.networks,
                password,
                password_temporary: self.password_temporary.unwrap_or(true),
            }),
            _ => Err(Problem::fields(faults)),
        }
    }
}

/// Somebody who is to be invited.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitationForm {
    /// 1 to 64 characters of `a-z 0-9 . _ - @ +`; upper case is made lower case.
    #[schema(pattern = "^[A-Za-z0-9._@+-]{1,64}$")]
    name: String,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String)]
    display_name: Option<String>,
    /// Where the invitation goes; needed where letters are sent.
    #[serde(default)]
    email: Option<String>,
    /// Absent: the policy's default role.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String)]
    role: Option<String>,
    #[serde(default)]
    grants: Vec<Grant>,
    #[serde(default)]
    networks: Vec<String>,
}

impl InvitationForm {
    pub(crate) fn into_new(self) -> Result<NewInvitation, Problem> {
        let name = AccountName::parse(&self.name).map_err(|why| Problem::field("name", why))?;
        if super::id_of(&self.name).is_some() {
            let message = "looks like an id; choose one that cannot be taken for one";
            return Err(Problem::field("name", message));
        }
        Ok(NewInvitation {
            name,
            display_name: self.display_name.unwrap_or_default(),
            email: self.email,
            role: self.role,
            grants: self.grants.into_iter().map(Grant::into_extra).collect(),
            networks: self.networks,
        })
    }
}

/// What is to change; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountEdit {
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String)]
    display_name: Option<String>,
    /// `null` removes it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    email: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String)]
    role: Option<String>,
    /// All of them: those that are not named are taken away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Vec<Grant>)]
    grants: Option<Vec<Grant>>,
    /// All of them: those that are not named are taken away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Vec<String>)]
    networks: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool)]
    disabled: Option<bool>,
    /// It has to show a second factor, whatever its role has to.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool)]
    second_factor_demanded: Option<bool>,
}

impl AccountEdit {
    pub(super) fn into_change(self) -> AccountChange {
        AccountChange {
            display_name: self.display_name,
            email: self.email,
            role: self.role,
            grants: self
                .grants
                .map(|grants| grants.into_iter().map(Grant::into_extra).collect()),
            networks: self.networks,
            disabled: self.disabled,
            second_factor_demanded: self.second_factor_demanded,
            ..AccountChange::default()
        }
    }
}

/// An account that was just made.
#[derive(Serialize, ToSchema)]
pub(super) struct AccountCreated {
    #[serde(flatten)]
    pub(super) account: AccountView,
    /// The made-up password, where none was given; shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub(super) temporary_password: Option<String>,
}

/// A new temporary password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordForm {
    /// Absent: one is made up and shown once.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, format = Password, write_only)]
    pub(super) password: Option<String>,
    /// A password that somebody else has set must be changed at the next sign-in: only `true` is taken.
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = only_true)]
    temporary: Option<bool>,
}

fn only_true() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Boolean)
        .enum_values(Some([true]))
        .default(Some(true.into()))
        .build()
}

impl PasswordForm {
    pub(super) fn into_password(self, made_up: Option<&str>) -> Result<Password, Problem> {
        if self.temporary == Some(false) {
            return Err(Problem::field(
                "temporary",
                "a password that somebody else has set must be changed at the next sign-in; leave this out",
            ));
        }
        super::password_in("password", made_up.or(self.password.as_deref()).unwrap_or_default())
    }
}

/// What came of setting a password.
#[derive(Serialize, ToSchema)]
pub(super) struct PasswordSet {
    /// The made-up password, where none was given; shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub(super) temporary_password: Option<String>,
}

/// A role that one account holds has another holder.
#[derive(Serialize, ToSchema)]
pub(super) struct HandedOver {
    /// Who held it.
    pub(super) former: AccountView,
    /// Who holds it now.
    pub(super) holder: AccountView,
}

/// A link that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkSent {
    /// Whether a letter carries it.
    sent: bool,
    /// Its token, where no letter carries it: `/.stagedoor/…?token=` and this, shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    token: Option<String>,
}

impl LinkSent {
    pub(crate) fn of(link: Option<&Secret>) -> Self {
        Self {
            sent: link.is_none(),
            token: link.map(|token| token.expose_text().to_owned()),
        }
    }
}

/// What came of unlocking.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Unlocked {
    /// How many locks held.
    unlocked: u32,
    /// For people.
    message: &'static str,
}

impl Unlocked {
    pub(super) fn new(unlocked: u32) -> Self {
        let message = match unlocked {
            0 => "The account was not locked.",
            _ => "The account has been unlocked.",
        };
        Self { unlocked, message }
    }
}
