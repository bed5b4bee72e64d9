//! Who may do what: each operation of the document, asked by everybody, held to the table that is in the tree.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use crate::coverage::{Operation, operations};
use crate::house::House;

mod sample;

const POLICY: &str = r#"
[site.console.areas]
home = { paths = ["/"], open_to = "signed-in" }
devices = { paths = ["/devices/**"] }

[role.head]
may = { "*" = "all" }
administers = ["manager", "member"]
held_by = "one"

[role.manager]
may = { devices = "manage" }
administers = ["member"]

[role.member]
default = true
may = { devices = "view" }
"#;

const OPENING: &str = "\
# Who may do what over the admin API

Every operation of [the document](openapi.json), and what it answers to everybody. `admin-api/tests/all/who_may` asks each of
them by each of these and holds the table to the answers; it fails where an operation is missing. An account that asks about
itself is a manager, too. `yes`: it is done; otherwise the status and the code of the refusal. \"no such token\": tokens that act
as an account have no scopes but `accounts:read` and `accounts:write`.

";

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    Nobody,
    OtherScopes,
    Operator,
    Head,
    Manager,
    Member,
    Itself,
}

impl Caller {
    const ALL: [(Self, &str); 7] = [
        (Self::Nobody, "without a token"),
        (Self::OtherScopes, "a token with every other scope"),
        (Self::Operator, "a token with the scope"),
        (Self::Head, "as the head, of a member"),
        (Self::Manager, "as a manager, of a member"),
        (Self::Member, "as a member, of a manager"),
        (Self::Itself, "as the account itself"),
    ];

    /// The account that it acts as.
    fn account(self) -> Option<&'static str> {
        match self {
            Self::Nobody | Self::OtherScopes | Self::Operator => None,
            Self::Head => Some("head"),
            Self::Manager => Some("manager"),
            Self::Member => Some("member"),
            Self::Itself => Some(sample::TARGET),
        }
    }

    /// The role of the account that it asks about.
    fn role_of_target(self) -> &'static str {
        match self {
            Self::Member | Self::Itself => "manager",
            _ => "member",
        }
    }
}

async fn house(caller: Caller) -> House {
    let house = House::open().await;
    let put = house.call(http::Method::PUT, "/v1/policy").header("if-match", "*");
    let answer = put.body("text/plain", POLICY).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    if let Some(role) = caller.account().filter(|name| *name != sample::TARGET) {
        house.account(role, role).await;
    }
    house
}

/// What the operation answers.
async fn asked(house: &House, operation: &Operation, caller: Caller, every_scope: &[String]) -> String {
    let sample = sample::of(house, operation, caller.role_of_target()).await;
    let needed = operation.scope.clone().flatten();
    let call = sample.call(house, operation.method.clone());
    let call = match (caller, caller.account()) {
        (Caller::Nobody, _) => call.without("authorization"),
        (Caller::OtherScopes, _) => {
            let others = every_scope.iter().filter(|scope| Some(*scope) != needed.as_ref());
            call.token(
                &house
                    .token("other", &others.map(String::as_str).collect::<Vec<_>>())
                    .await,
            )
        }
        (_, Some(account)) => {
            // Where none is needed, any.
            let scope = needed.unwrap_or_else(|| "accounts:read".to_owned());
            let token = json!({ "name": "acting", "scopes": [scope], "account": account });
            let made = house.post("/v1/tokens", token).await;
            if made.status != 201 {
                made.expect_problem(422, "unfit");
                return "no such token".to_owned();
            }
            call.token(made.body["token"].as_str().unwrap())
        }
        (_, None) => {
            let scope = needed.unwrap_or_else(|| "audit:read".to_owned());
            call.token(&house.token("own", &[&scope]).await)
        }
    };
    let answer = call.send().await;
    if answer.status.is_success() {
        return "yes".to_owned();
    }
    format!(
        "{} {}",
        answer.status.as_u16(),
        answer.body["code"].as_str().unwrap_or_default()
    )
}

/// A row for each operation, a column for everybody.
async fn table() -> String {
    let mut operations = operations();
    // The document's own order is that of a map.
    operations.sort_by_key(|operation| (operation.path.clone(), operation.method.to_string()));
    let mut every_scope: Vec<_> = operations
        .iter()
        .filter_map(|operation| operation.scope.clone().flatten())
        .collect();
    every_scope.sort_unstable();
    every_scope.dedup();
    let mut text = OPENING.to_owned();
    let names = Caller::ALL.map(|(_, name)| name).join(" | ");
    writeln!(
        text,
        "| Operation | Scope | {names} |\n|{}",
        " --- |".repeat(2 + Caller::ALL.len())
    )
    .unwrap();
    for operation in &operations {
        let scope = match &operation.scope {
            None => "none".to_owned(),
            Some(None) => "any".to_owned(),
            Some(Some(scope)) => format!("`{scope}`"),
        };
        write!(text, "| `{}` | {scope} |", operation.named()).unwrap();
        for (caller, _) in Caller::ALL {
            // Everybody finds the same house.
            let answer = asked(&house(caller).await, operation, caller, &every_scope).await;
            write!(text, " {answer} |").unwrap();
        }
        text.push('\n');
    }
    text
}

#[tokio::test]
async fn everybody_may_do_what_the_table_in_the_tree_says_and_nothing_else() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/who-may.md");
    let told = table().await;
    if std::env::var_os("STAGEDOOR_UPDATE_DOCS").is_some() {
        std::fs::write(&file, &told).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    for (told, kept) in told.lines().zip(kept.lines()) {
        assert_eq!(told, kept, "docs/reference/who-may.md says otherwise");
    }
    assert_eq!(told.lines().count(), kept.lines().count(), "an operation is missing");
}
