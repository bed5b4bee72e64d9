//! `policy.toml`.

use stagedoor_policy::request::Leniency;

use super::people::{
    ACCOUNT, ACCOUNT_NETWORKS, INVITATION, MESSAGES, NETWORK_LIST, PASSWORD, PREFERENCE, RESET, SEATS,
};
use super::{Kind, Setting};

pub(super) const ANY: u64 = u32::MAX as u64;
const NETWORK: Kind =
    Kind::Text("a network, an address, or the name of one in `[networks]`, `!` before it to except it");
const NETWORK_RULES: Setting = Setting::new(
    "network_rules",
    Kind::Table(NETWORK_LIST),
    "What may be in `networks`, the names in it taken for what they stand for.",
);
const REQUEST: Kind = Kind::Text("a method and a path pattern such as `\"POST /devices/search\"`");

/// Every key of `policy.toml`.
pub const POLICY: &[Setting] = &[
    Setting::new(
        "networks",
        Kind::Named("network list", &Kind::List(&NETWORK)),
        "Named lists of networks. The longest prefix that holds an address decides.",
    )
    .absent("no names"),
    Setting::new(
        "site",
        Kind::Named("site", &Kind::Table(SITE)),
        "The sites of `stagedoor.toml`, by the same names.",
    ),
    Setting::new(
        "role",
        Kind::Named("role", &Kind::Table(ROLE)),
        "Who may do what. Every account has one role.",
    ),
    Setting::new(
        "channel",
        Kind::Named("channel", &Kind::Table(CHANNEL)),
        "Ways to come in; `browser` always exists.",
    ),
    Setting::new(
        "session",
        Kind::Table(SESSION),
        "How long a session lasts, and how many there may be.",
    ),
    Setting::new("lockout", Kind::Table(LOCKOUT), "When failed sign-ins lock."),
    Setting::new("inactivity", Kind::Table(INACTIVITY), "When disuse bans."),
    Setting::new(
        "second_factor",
        Kind::Table(SECOND_FACTOR),
        "Who has to show a one-time code.",
    ),
    Setting::new("password", Kind::Table(PASSWORD), "What a password must be."),
    Setting::new(
        "seats",
        Kind::Named("group of seats", &Kind::Table(SEATS)),
        "How many accounts the roles of a group may have together. A role may be in several groups: all of them hold.",
    ),
    Setting::new("account", Kind::Table(ACCOUNT), "What an account may be called."),
    Setting::new(
        "invitation",
        Kind::Table(INVITATION),
        "How an account begins that is not created directly.",
    ),
    Setting::new(
        "reset",
        Kind::Table(RESET),
        "How a forgotten password is replaced by a link.",
    ),
    Setting::new(
        "preferences",
        Kind::Named("preference", &Kind::Table(PREFERENCE)),
        "What an account chooses for itself, and consoles are told. At most 32.",
    ),
    Setting::new(
        "messages",
        Kind::Table(MESSAGES),
        "Sentences in the place of the door's own: one line each, at most 500 characters.",
    ),
    Setting::new(
        "departures",
        Kind::Named("key such as `\"password.require\"`", &Kind::Text("a sentence")),
        "Why these rules depart from a standard, for `stagedoor policy compliance`, by the path of the key that does.",
    )
    .absent("no reasons"),
];

const SITE: &[Setting] = &[
    Setting::new(
        "networks",
        Kind::List(&NETWORK),
        "From where the site may be entered; an empty list is from nowhere.",
    )
    .absent("from anywhere"),
    NETWORK_RULES,
    Setting::new(
        "allow",
        Kind::List(&Kind::Choice(&Leniency::NAMES)),
        "What passes here although servers read it differently: see [Leniencies](#leniencies).",
    )
    .or("[]"),
    Setting::new(
        "preflight",
        Kind::Choice(&["refuse", "forward"]),
        "What becomes of the `OPTIONS` that a browser sends before a request from another origin, without a session. \
         `forward`: the console answers it, for any path that some area holds, from the site's networks. `refuse`: it is \
         judged like any other request.",
    )
    .or(r#""refuse""#),
    Setting::new(
        "areas",
        Kind::Named("area", &Kind::Table(AREA)),
        "Named sets of paths. The most specific pattern wins, whatever the order; what is in no area is refused.",
    ),
];

const AREA: &[Setting] = &[
    Setting::new(
        "paths",
        Kind::List(&Kind::Text("a path pattern such as `\"/devices/**\"`")),
        "Patterns: plain segments, `*` for one segment, `**` at the end for any number of them.",
    )
    .required(),
    Setting::new(
        "open_to",
        Kind::Choice(&["granted", "signed-in", "everyone"]),
        "Who needs no grant here.",
    )
    .or(r#""granted""#),
    Setting::new(
        "manage_also",
        Kind::List(&REQUEST),
        "Requests that need `manage` although their method only reads.",
    )
    .or("[]"),
    Setting::new(
        "view_also",
        Kind::List(&REQUEST),
        "Requests that need only `view` although their method writes.",
    )
    .or("[]"),
    Setting::new(
        "actions",
        Kind::Named("action", &Kind::List(&REQUEST)),
        "Requests that need a grant by name.",
    )
    .absent("no actions"),
];

const ROLE: &[Setting] = &[
    Setting::new(
        "may",
        Kind::Named(
            "grant",
            &Kind::OneOrMore(&Kind::Text(
                "`\"view\"`, `\"manage\"`, `\"all\"` or the name of an action",
            )),
        ),
        "What it may do, by `area`, `site/area` or `*`.",
    )
    .absent("nothing"),
    Setting::new(
        "networks",
        Kind::List(&NETWORK),
        "From where it may come in; an empty list is from nowhere.",
    )
    .absent("from anywhere"),
    NETWORK_RULES,
    Setting::new(
        "channels",
        Kind::List(&Kind::Text("the name of a channel")),
        "How it may come in.",
    )
    .absent("`[\"browser\"]`"),
    Setting::new("default", Kind::Flag, "Whether new accounts get it; one role at most.").or("false"),
    Setting::new(
        "account_networks",
        Kind::Table(ACCOUNT_NETWORKS),
        "Networks that belong to one account.",
    ),
    Setting::new(
        "second_factor",
        Kind::Choice(&["optional", "required"]),
        "Whether a one-time code is demanded.",
    )
    .absent("as `[second_factor]` says"),
    Setting::new("inactivity_exempt", Kind::Flag, "Whether disuse never bans it.").or("false"),
    Setting::new(
        "keep_at_least",
        Kind::Count(0, ANY),
        "So many of its accounts that have accepted and are not disabled always stay: the last ones can be neither removed \
         nor demoted, disabled or banned.",
    )
    .or("0"),
    Setting::new(
        "held_by",
        Kind::Choice(&["any", "one"]),
        "`one`: exactly one account holds it, which alone hands it over; nobody is invited to it or given it otherwise.",
    )
    .or(r#""any""#),
    Setting::new(
        "handed_to",
        Kind::List(&ROLE_NAME),
        "The roles whose accounts may take it over, where it is held by one.",
    )
    .absent("any role"),
    Setting::new(
        "hands_down_to",
        ROLE_NAME,
        "The role that the former holder gets when it is handed over.",
    )
    .absent("the one the new holder had"),
    Setting::new(
        "role_changed_by",
        Kind::Choice(&["administrators", "self", "nobody"]),
        "Who may give its accounts another role: whoever may manage them, each its own alone, or nobody.",
    )
    .or(r#""administrators""#),
    Setting::new(
        "administers",
        Kind::OneOrMore(&Kind::Text("the name of a role, or `\"*\"` for every role")),
        "The roles whose accounts its accounts may see and manage on the door's own pages. Nobody may give a role that they \
         do not administer, nor a grant that they do not hold.",
    )
    .or("[]"),
    Setting::new(
        "unchanged_while_on",
        Kind::OneOrMore(&Kind::Text("the name of a channel")),
        "While one of its accounts is signed in by one of these channels, the account is neither changed nor removed.",
    )
    .or("[]"),
    Setting::new(
        "may_be_granted",
        Kind::List(&Kind::Text(
            "`area`, `site/area`, `area.action` or `site/area.action`",
        )),
        "Which grants of their own its accounts may hold; an empty list is none.",
    )
    .absent("any"),
];

const ROLE_NAME: Kind = Kind::Text("the name of a role");

const CHANNEL: &[Setting] = &[
    Setting::new("per_account", Kind::Count(0, ANY), "As in `[session]`.").absent("as `[session]` says"),
    Setting::new("when_full", Kind::Choice(&["displace", "refuse"]), "As in `[session]`.")
        .absent("as `[session]` says"),
    Setting::new("idle", Kind::Duration, "As in `[session]`.").absent("as `[session]` says"),
    Setting::new("lifetime", Kind::Duration, "As in `[session]`.").absent("as `[session]` says"),
    Setting::new(
        "linked_device",
        Kind::Flag,
        "Whether it may only be used from a device that is linked to the account.",
    )
    .or("false"),
    Setting::new(
        "refused",
        Kind::Text("a sentence"),
        "What a role is told that may not come in by it.",
    )
    .absent("as `[messages] channel_refused` says"),
];

const SESSION: &[Setting] = &[
    Setting::new("idle", Kind::Duration, "Ends after this long without a request.").or(r#""30m""#),
    Setting::new("lifetime", Kind::Duration, "Ends after this long whatever happens.").or(r#""12h""#),
    Setting::new(
        "per_account",
        Kind::Count(0, ANY),
        "Sessions of one account on one channel; 0 is any number.",
    )
    .or("1"),
    Setting::new(
        "when_full",
        Kind::Choice(&["displace", "refuse"]),
        "What one sign-in more does: end the oldest session, or be refused.",
    )
    .or(r#""displace""#),
];

const LOCKOUT: &[Setting] = &[
    Setting::new(
        "failures",
        Kind::Count(1, ANY),
        "Failures until a name is locked for one source.",
    )
    .or("5"),
    Setting::new(
        "failures_from_anywhere",
        Kind::Count(1, ANY),
        "Failures until a name is locked for every source.",
    )
    .or("50"),
    Setting::new("within", Kind::Duration, "The window they are counted in.").or(r#""10m""#),
    Setting::new("for", Kind::Duration, "How long the lock holds.").or(r#""15m""#),
];

const INACTIVITY: &[Setting] = &[
    Setting::new(
        "block_after",
        Kind::Duration,
        "Bans an account that was not used for this long.",
    )
    .absent("never"),
    Setting::new(
        "warn_before",
        Kind::Duration,
        "Sends a letter this long before the ban.",
    )
    .absent("no letter"),
    Setting::new(
        "returns_by",
        Kind::Choice(&["reinstate", "invitation"]),
        "How a banned account comes back: an administrator lifts the ban, or only by a new invitation.",
    )
    .or(r#""reinstate""#),
];

const SECOND_FACTOR: &[Setting] = &[
    Setting::new(
        "ask",
        Kind::Choice(&["optional", "required"]),
        "Of whoever has enrolled one, or of everybody.",
    )
    .or(r#""optional""#),
    Setting::new(
        "enrolment",
        Kind::Choice(&["password", "right"]),
        "What it takes to enrol the first one: the password alone, or a right used up by it, which comes with the \
         invitation, a recovery letter or an administrator.",
    )
    .or(r#""password""#),
];
