//! The sentences that a policy may put in the place of the door's own.

macro_rules! messages {
    ($($name:ident = $key:literal: $about:literal, $sentence:literal;)+) => {
        /// What a sentence is about: a key of `[messages]`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum MessageKey {
            $(#[doc = $about] $name,)+
        }

        impl MessageKey {
            /// Every key, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The key as it stands in `policy.toml`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $key,)+
                }
            }

            /// What it is said about.
            pub const fn about(self) -> &'static str {
                match self {
                    $(Self::$name => $about,)+
                }
            }

            /// What the door says where the policy says nothing.
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$name => $sentence,)+
                }
            }
        }
    };
}

messages! {
    DisplayNameUnfit = "display_name_unfit": "A display name that does not keep `[account]`.",
        "The display name does not keep the rules.";
    NameUnfit = "name_unfit": "A sign-in name that does not keep `[account]`.",
        "The sign-in name does not keep the rules.";
    NameTaken = "name_taken": "A sign-in name that another account has.",
        "The name is taken.";
    PasswordUnfit = "password_unfit": "A first password that does not keep `[password]`.",
        "The password entered does not meet the requirements.";
    NewPasswordUnfit = "new_password_unfit": "A new password that does not keep `[password]`.",
        "The new password entered does not meet the requirements.";
    PasswordEmpty = "password_empty": "No password where a new one was asked for.",
        "Please enter a new password.";
    PasswordConfirmation = "password_confirmation": "Two passwords that should be the same.",
        "The new password confirmation does not match.";
    NetworksUnfit = "networks_unfit": "Networks that do not keep `account_networks`.",
        "The list of networks does not keep the rules.";
    AddressNotAllowed = "address_not_allowed": "An address that the networks of the account or its role do not hold.",
        "Your account cannot be used from your address.";
    RoleChangeRefused = "role_change_refused": "A change of a role that only its holder, or nobody, may make.",
        "The role of this account cannot be changed by you.";
    LastOfRole = "last_of_role": "A change after which a protected role would have too few accounts.",
        "This is the last account of its role. It can be neither changed nor removed.";
    SeatsFull = "seats_full": "An invitation or a change for which no seat is left.",
        "No seat is left for this role.";
    Unlocked = "unlocked": "A lock that was lifted by hand.",
        "The account has been unlocked.";
    ChannelRefused = "channel_refused": "A channel that the role may not come in by.",
        "Your role may not sign in this way.";
}

impl MessageKey {
    /// The key of that spelling.
    pub fn named(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.as_str() == key)
    }
}
