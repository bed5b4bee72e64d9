//! `[mail]`: what is taken, what is refused, and that no password is ever shown.

use std::time::Duration;

use stagedoor_identity::letter::CurrentLetterhead as _;

use super::stage::Stage;
use super::{BUILDING, Folder, POLICY, told};
use crate::{Mail, MailScheme};

const MAIL: &str = "\
[mail]
url = \"smtp://door@mail.example.com\"
password_file = \"password\"
from = \"Box office <door@example.com>\"
public_url = \"https://console.example.com/\"
";

fn folder(mail: &str) -> Folder {
    let folder = Folder::with(&format!("{BUILDING}{mail}"), POLICY);
    folder.write("password", "hunter2\n");
    folder.write("ca.pem", "ca");
    folder
}

fn mail_of(mail: &str) -> Mail {
    folder(mail).load().expect("loads").building.mail.expect("mail")
}

fn faults_of(mail: &str) -> Vec<String> {
    told(&folder(mail).load().expect_err("at fault"))
}

fn faults_with(key: &str, value: &str) -> Vec<String> {
    let other: Vec<&str> = MAIL
        .lines()
        .filter(|line| !line.starts_with(&format!("{key} =")))
        .collect();
    faults_of(&format!("{}\n{key} = \"{value}\"\n", other.join("\n")))
}

#[test]
fn without_a_server_nothing_is_sent_and_nothing_is_demanded() {
    let building = Folder::with(BUILDING, POLICY).load().expect("loads").building;
    assert_eq!(building.mail, None);
    assert_eq!(building.letterhead(), None);
}

#[test]
fn a_server_has_its_usual_port_and_must_offer_tls() {
    let mail = mail_of(MAIL);
    assert_eq!(
        (mail.scheme, mail.host.as_str(), mail.port),
        (MailScheme::StartTls, "mail.example.com", 587)
    );
    assert_eq!(mail.user.as_deref(), Some("door"));
    assert!(mail.password_file.is_some_and(|path| path.ends_with("password")));
    assert_eq!(
        (mail.from_name.as_str(), mail.from_address.as_str()),
        ("Box office", "door@example.com")
    );
    assert_eq!(mail.public_url, "https://console.example.com");
    assert_eq!(
        (mail.letters_max, mail.give_up_after),
        (10_000, Duration::from_secs(3 * 86_400))
    );

    let mail = mail_of(&MAIL.replace("smtp://", "smtps://"));
    assert_eq!((mail.scheme, mail.port), (MailScheme::Tls, 465));
}

#[test]
fn a_password_goes_over_tls_or_to_this_machine_only() {
    let told = faults_with("starttls", "off");
    assert!(
        told[0].starts_with("stagedoor.toml:8:12 a password would be sent in the clear"),
        "{told:#?}"
    );
    let own = MAIL.replace("mail.example.com\"", "127.0.0.1:2525\"") + "starttls = \"off\"\n";
    assert_eq!(mail_of(&own).scheme, MailScheme::Clear);
    let nobody = MAIL
        .replace("door@mail", "mail")
        .replace("password_file = \"password\"\n", "");
    assert_eq!(mail_of(&(nobody + "starttls = \"off\"\n")).scheme, MailScheme::Clear);
}

#[test]
fn links_go_to_an_address_that_nobody_can_listen_to() {
    let told = faults_with("public_url", "http://console.example.com");
    assert!(
        told[0].starts_with("stagedoor.toml:7:14 links would be followed in the clear"),
        "{told:#?}"
    );
    for (written, kept) in [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://Console.Example.com:443", "https://console.example.com"),
    ] {
        assert_eq!(
            mail_of(&MAIL.replace("https://console.example.com/", written)).public_url,
            kept
        );
    }
    for wrong in [
        "console.example.com",
        "https://a/path",
        "https://u:p@a",
        "https://a?x",
        "ftp://a",
    ] {
        assert!(
            faults_with("public_url", wrong)[0].contains(":7:14 the URL "),
            "{wrong}"
        );
    }
}

#[test]
fn a_sender_is_one_address_on_one_line() {
    for fine in [
        "door@example.com",
        "<door@example.com>",
        "Björn & Söhne <door@example.com>",
    ] {
        mail_of(&MAIL.replace("Box office <door@example.com>", fine));
    }
    for wrong in [
        "",
        "door",
        "@example.com",
        "door@",
        "door@exa mple.com",
        "a@example.com, b@example.com",
        "a@b@example.com",
        "x <a@example.com> <b@example.com>",
        "x\\r\\nBcc: eve@example.com <a@example.com>",
        "a@example.com\\nBcc: eve@example.com",
        "dör@example.com",
    ] {
        let told = faults_with("from", wrong);
        assert!(
            told[0].starts_with("stagedoor.toml:7:8 nobody's address"),
            "{wrong:?}: {told:#?}"
        );
    }
}

#[test]
fn what_belongs_together_must_be_there_together() {
    let told = faults_of("[mail]\nurl = \"smtp://mail\"\n");
    assert_eq!(told.len(), 2, "from and public_url: {told:#?}");
    let told = faults_of("[mail]\nfrom = \"a@b.c\"\npublic_url = \"https://x\"\n");
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(
        told.iter().all(|fault| fault.contains("there is no `url`")),
        "{told:#?}"
    );
    let told = faults_of(&MAIL.replace("password_file = \"password\"\n", ""));
    assert!(
        told[0].starts_with("stagedoor.toml:4:7 a user is named, and no password"),
        "{told:#?}"
    );
    let told = faults_of(&MAIL.replace("door@mail", "mail"));
    assert!(told[0].contains("there is a password, and no user"), "{told:#?}");
    let told = faults_with("password_file", "missing");
    assert!(told[0].starts_with("stagedoor.toml:7:17 cannot read"), "{told:#?}");
}

#[test]
fn a_password_in_the_url_is_refused_and_shown_nowhere() {
    let url = MAIL.replace("door@mail", "door:hunter2@mail");
    let faults = folder(&url).load().expect_err("at fault");
    let rendered = faults.to_string();
    assert!(rendered.contains("must not hold a password"), "{rendered}");
    assert!(!rendered.contains("hunter2"), "{rendered}");
}

#[test]
fn the_environment_names_server_and_password_file() {
    let folder = Folder::with(BUILDING, POLICY);
    folder.write("password", "hunter2");
    let password = folder.path("password").display().to_string();
    let building = folder
        .load_in(&[
            ("STAGEDOOR_MAIL_URL", "smtps://door@mail.example.com"),
            ("STAGEDOOR_MAIL_PASSWORD_FILE", &password),
            ("STAGEDOOR_MAIL_FROM", "door@example.com"),
            ("STAGEDOOR_MAIL_PUBLIC_URL", "https://console.example.com"),
            ("STAGEDOOR_MAIL_LETTERS_MAX", "7"),
        ])
        .expect("loads")
        .building;
    let mail = building.mail.expect("mail");
    assert_eq!((mail.scheme, mail.letters_max), (MailScheme::Tls, 7));
    assert!(!format!("{mail:?}").contains("hunter2"));
}

#[tokio::test]
async fn the_letterhead_follows_the_file_while_the_door_is_open() {
    let stage = Stage::open().await;
    assert!(stage.live.letterhead().is_none());
    stage.folder.write("password", "hunter2");
    stage.folder.write("stagedoor.toml", format!("{BUILDING}{MAIL}"));
    stage.settle().await;
    let head = stage.live.letterhead().expect("letters are sent");
    assert_eq!(
        (head.public_url.as_str(), head.domain.as_str()),
        ("https://console.example.com", "example.com")
    );
    stage.folder.write("stagedoor.toml", BUILDING);
    stage.settle().await;
    assert!(stage.live.letterhead().is_none());
}
