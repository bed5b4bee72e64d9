//! The Django admin behind the door: its own sign-in, sessions and CSRF protection, inside ours.

use stagedoor_tests::console::Django;
use stagedoor_tests::{Browser, Door, PASSWORD};

use super::{elsewhere, has_no_complaints, is_refused, is_told_of_another_place};

const POLICY: &str = r#"
[site.django.areas]
pages = { paths = ["/admin/**"] }
people = { paths = ["/admin/auth/**"] }
pictures = { paths = ["/static/**", "/favicon.ico"], open_to = "everyone" }

[role.owner]
may = { "*" = "manage" }

[role.helper]
may = { pages = "manage", people = "none" }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_user_added_in_django_behind_the_door_is_a_user() {
    let (django, door) = open().await;
    let browser = Browser::open().await;
    enter(&browser, &door, "owner").await;
    assert!(!django.has_user("grace"));
    browser.go(&door.url("django", "/admin/auth/user/add/")).await;
    browser.fill("#id_username", "grace").await;
    browser.fill("#id_password1", "a moth in the relay").await;
    browser.fill("#id_password2", "a moth in the relay").await;
    browser.press("input[name=_save]").await;
    browser.reads("was added successfully").await;
    browser.screenshot("django-user-added").await;
    assert!(django.has_user("grace"));
    let cookies = cookie_names(&browser).await;
    for name in ["csrftoken", "sessionid", "stagedoor"] {
        assert!(cookies.iter().any(|cookie| cookie == name), "{name}: {cookies:?}");
    }
    has_no_complaints(&browser).await;

    // Django's own sign-out ends Django's session and not the door's.
    browser.press("#logout-form button").await;
    browser.reads("Logged out").await;
    assert_eq!(door.admin().sessions("owner").await.len(), 1);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_helper_may_not_touch_the_users_even_as_a_superuser_of_django() {
    let (_django, door) = open().await;
    let browser = Browser::open().await;
    enter(&browser, &door, "helper").await;
    has_no_complaints(&browser).await;
    browser.go(&door.url("django", "/admin/auth/user/add/")).await;
    is_refused(
        &browser,
        &door,
        "role.helper.may.people",
        "GET /admin/auth/user/add/",
        "django-refused",
    )
    .await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_displaced_in_django_learns_from_where() {
    let (_django, door) = open().await;
    let first = Browser::open().await;
    enter(&first, &door, "owner").await;
    let second = elsewhere(&door, "django", "/admin/login/", "owner").await;
    is_told_of_another_place(&first, &second, &door, &door.url("django", "/admin/login/"), "owner").await;
    first.screenshot("django-displaced").await;

    // Back at the door, the browser still has Django's own session.
    first.fill("input[name=username]", "owner").await;
    first.fill("input[name=password]", PASSWORD).await;
    first.press("form button[type=submit]").await;
    first.reads("Site administration").await;
    second.close().await;
    first.close().await;
}

async fn open() -> (Django, Door) {
    let django = Django::start().await;
    let door = Door::plan().site("django", &django.url()).policy(POLICY).open().await;
    for role in ["owner", "helper"] {
        door.admin().add_account(role, role).await;
    }
    (django, door)
}

/// Signs in at the door, and then to Django.
async fn enter(browser: &Browser, door: &Door, name: &str) {
    browser.sign_in(door, "django", "/admin/login/", name).await;
    browser.fill("#id_username", Django::OWNER).await;
    browser.fill("#id_password", Django::OWNERS_PASSWORD).await;
    browser.press("input[type=submit]").await;
    browser.reads("Site administration").await;
    browser.is_at(&door.url("django", "/admin/")).await;
}

async fn cookie_names(browser: &Browser) -> Vec<String> {
    let cookies = browser.driver().get_all_cookies().await.expect("cookies to read");
    cookies.into_iter().map(|cookie| cookie.name).collect()
}
