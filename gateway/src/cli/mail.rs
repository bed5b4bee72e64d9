//! `stagedoor mail …`: what waits; and one letter, sent as the door sends its letters, told step by step.

use http::Method;
use serde::Deserialize;
use serde_json::json;
use stagedoor_config::{Mail, Sources};
use stagedoor_identity::letter::{self as identity, Letterhead, OpenedLetter, Says};
use stagedoor_policy::time::Timestamp;
use uuid::Uuid;

use super::api::understand;
use super::arguments::{MailCommand, Output, Reach};
use super::failure::Failure;
use super::place;
use super::shell::Shell;
use super::text::{self, or_dash, plain};
use crate::mail::{Blame, Connection, Envelope, Step, Trouble};

pub(crate) async fn run(shell: &mut Shell<'_>, reach: &Reach, command: &MailCommand) -> Result<(), Failure> {
    match command {
        MailCommand::Waiting => waiting(shell, reach).await,
        MailCommand::Test { to, queue: true } => queue(shell, reach, to).await,
        MailCommand::Test { to, queue: false } => test(shell, reach, to).await,
    }
}

async fn waiting(shell: &mut Shell<'_>, reach: &Reach) -> Result<(), Failure> {
    let api = place::open(shell, reach).await?;
    let value = api.list("/v1/letters", &[]).await?;
    let letters: Items = understand(&value)?;
    shell.answer(&value, |width| letters_text(&letters.items, width))
}

async fn queue(shell: &mut Shell<'_>, reach: &Reach, to: &str) -> Result<(), Failure> {
    let api = place::open(shell, reach).await?;
    let value = api
        .json(Method::POST, "/v1/letters", &json!({ "to": to }))
        .await?
        .value()?;
    shell.answer(&value, |_| {
        format!(
            "A letter to {} is queued; `stagedoor mail waiting` says whether it still waits.",
            plain(to)
        )
    })
}

#[derive(Debug, Deserialize)]
struct Items {
    items: Vec<Letter>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Letter {
    kind: String,
    to: String,
    queued_at: Option<String>,
    due_at: Option<String>,
    give_up_at: Option<String>,
    failures: u32,
    last_failure: Option<String>,
}

fn letters_text(letters: &[Letter], width: Option<u16>) -> String {
    if letters.is_empty() {
        return "No letter waits.".to_owned();
    }
    let headings = [
        "letter",
        "to",
        "queued (UTC)",
        "next try (UTC)",
        "given up (UTC)",
        "failures",
        "why",
    ];
    let rows = letters.iter().map(|letter| {
        vec![
            plain(&letter.kind),
            plain(&letter.to),
            text::time(letter.queued_at.as_deref()),
            text::time(letter.due_at.as_deref()),
            text::time(letter.give_up_at.as_deref()),
            letter.failures.to_string(),
            or_dash(letter.last_failure.as_deref()),
        ]
    });
    text::list(&headings, rows.collect(), width)
}

async fn test(shell: &mut Shell<'_>, reach: &Reach, to: &str) -> Result<(), Failure> {
    let sources = Sources {
        building: place::building_file(shell, reach.config.as_deref()),
        ..Sources::default()
    };
    let building = stagedoor_config::load_building(&sources, &place::settings(shell)).map_err(|faults| {
        Failure::configuration(faults.to_string()).help("`stagedoor check` shows them in their places")
    })?;
    let (Some(mail), Some(head)) = (&building.mail, building.letterhead()) else {
        return Err(
            Failure::configuration("no mail server is configured: the door sends no letters")
                .help("set `url`, `from` and `public_url` in `[mail]` of stagedoor.toml"),
        );
    };
    let envelope = envelope(mail, &head, to, shell.clock.now()).map_err(Failure::usage)?;
    let mut done = Vec::new();
    match send(mail, &envelope, &mut done).await {
        Ok(answer) => {
            let server = format!("{}:{}", mail.host, mail.port);
            let told = json!({ "ok": true, "server": server, "to": to, "steps": names(&done), "answer": answer });
            shell.answer(&told, |_| {
                let steps: String = done.iter().map(|step| format!("fine: {}\n", step.doing())).collect();
                format!("{steps}{server} has taken the letter over ({answer}); see whether it arrives at {to}")
            })
        }
        Err(trouble) => {
            if shell.output == Output::Text {
                for step in &done {
                    shell.note(&format!("fine: {}", step.doing()))?;
                }
            }
            Err(failure(mail, &trouble))
        }
    }
}

fn envelope(mail: &Mail, head: &Letterhead, to: &str, now: Timestamp) -> Result<Envelope, String> {
    let letter = identity::Letter {
        account: None,
        to: to.to_owned(),
        display_name: String::new(),
        says: Says::Trial,
    };
    let opened = OpenedLetter {
        rendered: letter.render(head),
        message_id: format!("{}@{}", Uuid::now_v7(), head.domain),
    };
    Envelope::seal(mail, to, now, &opened)
}

async fn send(mail: &Mail, envelope: &Envelope, done: &mut Vec<Step>) -> Result<String, Trouble> {
    let mut connection = Connection::open(mail, |step| done.push(step)).await?;
    connection.announce(envelope, |step| done.push(step)).await?;
    let answer = connection.hand_over(envelope).await?;
    done.push(Step::HandOver);
    connection.close().await;
    Ok(answer)
}

fn names(steps: &[Step]) -> Vec<&'static str> {
    steps.iter().map(|step| step.doing()).collect()
}

fn failure(mail: &Mail, trouble: &Trouble) -> Failure {
    let help = match (trouble.step, trouble.blame) {
        (Step::Files, _) => "name a file that the user running Stagedoor may read",
        (Step::Connect, _) => "see that host and port in `[mail] url` are right and reached from this machine",
        (Step::StartTls, _) => {
            "see that the server offers TLS there (`smtps://` where it begins with TLS), that its certificate is for this \
             host, and that `ca_file` names who signed it where that is no public authority"
        }
        (Step::SignIn, _) => "see that the user in `[mail] url` and the password in `password_file` are right",
        (Step::Sender, _) => "see that this user may send letters from the address in `[mail] from`",
        (Step::Recipient, Blame::LetterForNow) | (Step::HandOver, Blame::LetterForNow) => {
            "the server wants it later: the door would try again"
        }
        (Step::Recipient | Step::HandOver, Blame::Letter) => {
            "the server refuses this letter: the door would give it up"
        }
        (Step::Recipient | Step::HandOver, _) => "the letter may have arrived: the door would send it again",
    };
    Failure::failed(format!("{}:{}, {trouble}", mail.host, mail.port)).help(help)
}
