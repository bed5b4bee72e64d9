//! The picture that one is shown by.

use stagedoor_identity::picture::PictureKind;
use stagedoor_identity::port::Pictures as _;
use stagedoor_identity::testing::pictures;

use super::*;

const PICTURE: &str = "profile/picture";

fn png() -> Vec<u8> {
    let [(_, png), ..] = pictures();
    png
}

/// Below the prefix.
fn path_of(page: &Page) -> String {
    page.between("<img class=\"portrait\" src=\"/.stagedoor/", "\"")
}

async fn send(browser: &mut Browser<'_>, file: &[u8]) -> Page {
    let token = browser.get(PICTURE).await.token();
    browser.send_file(PICTURE, "picture", file, &token).await
}

#[tokio::test]
async fn a_picture_is_shown_as_it_was_sent_and_can_do_nothing_else() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let mut browser = stage.signed_in("alice").await;
    assert!(!browser.get("profile").await.says("portrait"));
    for (kind, bytes) in pictures() {
        let answer = send(&mut browser, &bytes).await;
        assert_eq!(
            (answer.status.as_u16(), answer.location()),
            (303, "/.stagedoor/profile"),
            "{}",
            answer.text
        );
        let profile = browser.get("profile").await;
        assert!(profile.says("Your picture is changed."), "{}", profile.text);
        let shown = browser.get(&path_of(&profile)).await;
        assert!(shown.status == 200 && shown.bytes == bytes, "{kind:?}");
        let ending = if kind == PictureKind::Jpeg { "jpeg" } else { kind.name() };
        for (name, value) in [
            ("content-type", format!("image/{ending}")),
            ("x-content-type-options", "nosniff".to_owned()),
            ("content-disposition", format!("inline; filename=\"picture.{ending}\"")),
            (
                "content-security-policy",
                "default-src 'none'; sandbox; frame-ancestors 'none'".to_owned(),
            ),
            ("cross-origin-resource-policy", "same-origin".to_owned()),
            ("cache-control", "private, max-age=300".to_owned()),
        ] {
            assert_eq!(shown.header(name), value, "{kind:?}");
        }
    }
    let page = browser.get(PICTURE).await;
    assert!(
        page.says("at most 1 KiB") && page.says("Remove the picture"),
        "{}",
        page.text
    );
    browser.fill_in(PICTURE, "profile/picture/remove", &[]).await;
    let profile = browser.get("profile").await;
    assert!(
        profile.says("Your picture is removed.") && !profile.says("portrait"),
        "{}",
        profile.text
    );
}

#[tokio::test]
async fn what_is_no_picture_or_too_large_is_refused_with_a_sentence_and_the_former_one_stays() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let mut browser = stage.signed_in("alice").await;
    send(&mut browser, &png()).await;
    let before = path_of(&browser.get("profile").await);
    for file in [
        &b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>"[..],
        b"<!doctype html><script>alert(1)</script>",
        &[&png()[..], b"<script>"].concat(),
        &png()[..20],
    ] {
        let answer = send(&mut browser, file).await;
        assert!(
            answer.status == 422 && answer.says("no whole PNG, JPEG or WebP"),
            "{}",
            answer.text
        );
    }
    let empty = send(&mut browser, b"").await;
    assert!(
        empty.status == 422 && empty.says("Please choose a picture first."),
        "{}",
        empty.text
    );
    let large = send(&mut browser, &[b'x'; 1025]).await;
    assert!(
        large.status == 413 && large.says("at most 1 KiB are taken"),
        "{}",
        large.text
    );
    // The gateway did not even take the body over.
    browser.body_too_large = true;
    let larger = browser.send_file(PICTURE, "picture", b"", "").await;
    assert!(
        larger.status == 413 && larger.says("at most 1 KiB are taken"),
        "{}",
        larger.text
    );
    browser.body_too_large = false;
    assert_eq!(path_of(&browser.get("profile").await), before);
}

#[tokio::test]
async fn a_picture_is_taken_only_from_ones_own_page() {
    let stage = Stage::new().await;
    let alice = stage.account("alice").await;
    let mut browser = stage.signed_in("alice").await;
    for token in ["", "AAAA"] {
        assert_eq!(
            browser.send_file(PICTURE, "picture", &png(), token).await.status,
            403,
            "{token}"
        );
    }
    let token = browser.get(PICTURE).await.token();
    assert_eq!(browser.send_file(PICTURE, "other", &png(), &token).await.status, 400);
    let form = browser.post(PICTURE, &[("csrf", &token), ("picture", "x")]).await;
    assert_eq!(form.status, 415);
    assert_eq!(
        stage
            .browser()
            .send_file(PICTURE, "picture", &png(), &token)
            .await
            .status,
        401
    );
    browser.picture_bytes_max = 0;
    assert_eq!(browser.get(PICTURE).await.status, 404, "the operator wants none");
    assert_eq!(browser.send_file(PICTURE, "picture", &png(), &token).await.status, 404);
    assert_eq!(stage.store.picture(alice.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_picture_is_for_its_holder_and_who_administers_it_and_goes_with_the_account() {
    let mut rules = rules();
    let boss = RoleRules {
        administers: vec!["viewer".to_owned()],
        ..RoleRules::default()
    };
    rules.roles.insert("boss".to_owned(), boss);
    let stage = Stage::with(rules).await;
    let alice = stage.account("alice").await;
    stage.account("bob").await;
    stage.account_of("grace", "guard", false).await;
    stage.account_of("root", "boss", false).await;
    let mut browser = stage.signed_in("alice").await;
    send(&mut browser, &png()).await;
    let path = path_of(&browser.get("profile").await);

    assert_eq!(stage.browser().get(&path).await.status, 401, "a stranger");
    let mut bob = stage.signed_in("bob").await;
    assert_eq!(bob.get(&path).await.status, 403, "somebody else");
    let mut root = stage.signed_in("root").await;
    assert_eq!(root.get(&path).await.bytes, png());
    for page in ["accounts".to_owned(), format!("accounts/{}", alice.id.0)] {
        assert!(
            root.get(&page).await.says(&format!("src=\"/.stagedoor/{path}\"")),
            "{page}"
        );
    }
    for wrong in [
        format!("picture/{}/0000000000000000", alice.id.0),
        format!("picture/{}/x", alice.id.0),
        "picture/0199f3a2-7c41-7d60-9b1e-5f0c2a7de911/0000000000000000".to_owned(),
        "picture/x/y".to_owned(),
    ] {
        assert_eq!(root.get(&wrong).await.status, 404, "{wrong}");
    }
    stage.door.remove_account(alice.id, None, &cli()).await.unwrap();
    assert_eq!(root.get(&path).await.status, 404);
}
