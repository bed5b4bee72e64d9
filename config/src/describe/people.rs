//! The part of `policy.toml` that is about accounts.

use stagedoor_policy::rules::MessageKey;

use super::policy::ANY;
use super::{Kind, Setting};

/// What a list of networks may be made of.
pub(super) const NETWORK_LIST: &[Setting] = &[
    AT_MOST,
    SHAPE,
    FAMILY,
    OCTETS_AT_MOST,
    REFUSE_NETWORK_ADDRESSES,
    REFUSE_PRIVATE,
    TEXT_AT_LEAST,
    TEXT_AT_MOST,
];

pub(super) const ACCOUNT_NETWORKS: &[Setting] = &[
    REQUIRED,
    CHANGED_BY,
    AT_MOST,
    SHAPE,
    FAMILY,
    OCTETS_AT_MOST,
    REFUSE_NETWORK_ADDRESSES,
    REFUSE_PRIVATE,
    TEXT_AT_LEAST,
    TEXT_AT_MOST,
];

const REQUIRED: Setting = Setting::new(
    "required",
    Kind::Flag,
    "Whether an account without networks of its own is refused.",
)
.or("false");
const AT_MOST: Setting =
    Setting::new("at_most", Kind::Count(0, ANY), "How many there may be; 0 is none.").absent("any number");
const CHANGED_BY: Setting = Setting::new(
    "changed_by",
    Kind::Choice(&["administrators", "self"]),
    "Who changes them: whoever may manage the account, or the account alone.",
)
.or(r#""administrators""#);
const SHAPE: Setting = Setting::new(
    "shape",
    Kind::Choice(&["networks", "addresses"]),
    "Whether prefixes and exceptions may be given, or single addresses only.",
)
.or(r#""networks""#);
const FAMILY: Setting = Setting::new(
    "family",
    Kind::Choice(&["any", "ipv4", "ipv6"]),
    "Which addresses may be given.",
)
.or(r#""any""#);
const OCTETS_AT_MOST: Setting = Setting::new(
    "octets_at_most",
    Kind::Count(1, 255),
    "The highest number an IPv4 address may have between its dots.",
)
.or("255");
const REFUSE_NETWORK_ADDRESSES: Setting = Setting::new(
    "refuse_network_addresses",
    Kind::Flag,
    "Whether IPv4 addresses that end in `.0` are refused.",
)
.or("false");
const REFUSE_PRIVATE: Setting = Setting::new(
    "refuse_private",
    Kind::Flag,
    "Whether addresses are refused that mean something in one network only: private, loopback, link-local, unique \
         local, shared.",
)
.or("false");
const TEXT_AT_LEAST: Setting = Setting::new(
    "text_at_least",
    Kind::Count(0, ANY),
    "The fewest characters of a list that is not empty, its elements joined by commas.",
)
.or("0");
const TEXT_AT_MOST: Setting = Setting::new(
    "text_at_most",
    Kind::Count(0, ANY),
    "The most characters of the list, its elements joined by commas; 0 is any number.",
)
.or("0");

pub(super) const SEATS: &[Setting] = &[
    Setting::new(
        "roles",
        Kind::List(&Kind::Text("the name of a role")),
        "The roles whose accounts are counted together.",
    )
    .required(),
    Setting::new(
        "at_most",
        Kind::Count(1, ANY),
        "How many accounts there may be, invited ones included.",
    )
    .required(),
    Setting::new(
        "advice",
        Kind::Text("a sentence"),
        "What to do when all seats are taken, told with the refusal.",
    )
    .absent("no advice"),
];

pub(super) const ACCOUNT: &[Setting] = &[
    Setting::new(
        "name_at_least",
        Kind::Count(1, 64),
        "The fewest characters of the name an account signs in with.",
    )
    .or("1"),
    Setting::new("name_at_most", Kind::Count(1, 64), "The most characters of that name.").or("64"),
    Setting::new(
        "name_shape",
        Kind::Choice(&["any", "lowercase-identifier"]),
        "`any`: letters, digits and `. _ - @ +`, capitals taken as small letters. `lowercase-identifier`: a letter from a \
         to z, then letters from a to z, digits and `_`.",
    )
    .or(r#""any""#),
    Setting::new(
        "display_name_at_least",
        Kind::Count(0, 100),
        "The fewest characters of the name that people read.",
    )
    .or("0"),
    Setting::new(
        "display_name_at_most",
        Kind::Count(1, 100),
        "The most characters of that name.",
    )
    .or("100"),
];

pub(super) const PASSWORD: &[Setting] = &[
    Setting::new(
        "at_least",
        Kind::Count(1, 1024),
        "The fewest characters. 15 is what a password needs that stands alone; where every role demands a second factor, 8 \
         will do (NIST SP 800-63B-4).",
    )
    .or("15"),
    Setting::new(
        "at_most",
        Kind::Count(1, 1024),
        "The most characters. A longer password is refused, never cut.",
    )
    .or("128"),
    Setting::new(
        "require",
        Kind::List(&Kind::Choice(&["upper", "lower", "digit", "special"])),
        "Kinds of which it must have one character each: A to Z, a to z, 0 to 9, one of `special`.",
    )
    .or("[]"),
    Setting::new(
        "special",
        Kind::Text("the characters, one after another"),
        "Which characters are special.",
    )
    .absent("all punctuation of ASCII"),
    Setting::new(
        "other_characters",
        Kind::Choice(&["allow", "refuse"]),
        "What becomes of characters that are no letter from A to Z or a to z, no digit and not special; a space is one.",
    )
    .or(r#""allow""#),
    Setting::new(
        "repeats_at_most",
        Kind::Count(0, 1024),
        "How often the same character may stand in a row; 0 is any number.",
    )
    .or("0"),
    Setting::new(
        "repeats_fold_case",
        Kind::Flag,
        "Whether `a` and `A` are the same character for `repeats_at_most`.",
    )
    .or("true"),
    Setting::new(
        "runs_at_most",
        Kind::Count(0, 1024),
        "How many characters may follow each other on a row of the keyboard, in the alphabet or among the digits, forwards \
         or backwards; 0 is any number. With 2, `ab` passes and `abc` does not.",
    )
    .or("0"),
    Setting::new(
        "breached",
        Kind::Choice(&["refuse", "allow"]),
        "What becomes of passwords that are known from breaches or easily guessed.",
    )
    .or(r#""refuse""#),
    Setting::new(
        "context_words",
        Kind::List(&Kind::Text("a word of at least 3 characters")),
        "Words that it may not hold, besides the account's name, display name and e-mail address and the door's title.",
    )
    .or("[]"),
];

pub(super) const INVITATION: &[Setting] =
    &[Setting::new("valid_for", Kind::Duration, "How long its link can be used.").or(r#""7d""#)];

pub(super) const RESET: &[Setting] =
    &[Setting::new("valid_for", Kind::Duration, "How long the link can be used.").or(r#""30m""#)];

pub(super) const PREFERENCE: &[Setting] = &[
    Setting::new(
        "choices",
        Kind::List(&Kind::Text(
            "1 to 64 characters of `A-Z`, `a-z`, `0-9`, `.`, `_` and `-`",
        )),
        "What can be chosen.",
    )
    .required(),
    Setting::new(
        "default",
        Kind::Text("one of the choices"),
        "What holds for who has not chosen.",
    )
    .required(),
    Setting::new(
        "header",
        Kind::Text("a header name that begins with `X-Stagedoor-Preference-`"),
        "The header that consoles are told by. Visitors cannot set names of this kind.",
    )
    .absent("`X-Stagedoor-Preference-` and the name"),
    Setting::new("title", Kind::Text("a few words"), "What people read.").absent("the name"),
    Setting::new(
        "leads",
        Kind::Named("choice", &Kind::Text("a path of the console's, such as `/calendar`")),
        "Where a choice leads after a sign-in that was on the way to nowhere else. One preference may have this.",
    )
    .absent("nowhere: the console's start page"),
];

/// One key for each sentence there is.
pub(super) const MESSAGES: &[Setting] = &{
    const COUNT: usize = MessageKey::ALL.len();
    let mut settings = [message(MessageKey::DisplayNameUnfit); COUNT];
    let mut place = 0;
    #[expect(
        clippy::indexing_slicing,
        reason = "both are as long; it is computed when the program is built"
    )]
    while place < COUNT {
        settings[place] = message(MessageKey::ALL[place]);
        place += 1;
    }
    settings
};

const fn message(key: MessageKey) -> Setting {
    let setting = Setting::new(key.as_str(), Kind::Text("a sentence"), key.about());
    setting.absent(key.sentence())
}
