//! What an address names, however it is spelt.

use stagedoor_tests::raw;

use super::exchange;
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn an_address_names_one_account_or_none() {
    let stage = Stage::open("").await;
    let port = stage.ways.door.admin;
    let host = format!("Host: localhost:{port}\r\n");
    let ada = stage.admin.account("ada").await;
    let id = ada["id"].as_str().expect("an id").to_owned();
    // Of an account that is named like the id of another, the id is the other's.
    let names = [id.replace('-', ""), format!("{}x", &id[..id.len() - 1])];
    for name in &names {
        stage.admin.add_account(name, "user").await;
        assert_eq!(stage.admin.account(name).await["name"], name.as_str());
    }
    for same in ["ada", "ADA", "%61da", "a%64a", &id, &id.to_uppercase()] {
        let answer = exchange(&stage, &format!("GET /v1/accounts/{same}"), &host).await;
        assert_eq!(raw::status(&answer), 200, "{same}: {answer}");
        assert!(answer.contains("\"name\":\"ada\""), "{same}: {answer}");
    }
    for other in [
        "ada/",
        "ada//",
        "/ada",
        "./ada",
        "../accounts/ada",
        "bob/../ada",
        "bob%2f..%2fada",
        "bob%2F%2e%2e%2Fada",
        "%2e%2e%2faccounts%2fada",
        "ada%2f",
        "ada%00",
        "ada%00x",
        "ada%20",
        "%20ada",
        "ada%0d%0a",
        "ada;x",
        "ada.json",
        "%2561da",
        "ada%ff",
        "%ef%bd%81da",
        &format!("%7b{id}%7d"),
        &format!("urn:uuid:{id}"),
        "",
        "*",
        "%25",
        "a_a",
    ] {
        for method in ["GET", "DELETE"] {
            let answer = exchange(&stage, &format!("{method} /v1/accounts/{other}"), &host).await;
            assert!(
                matches!(raw::status(&answer), 400 | 404 | 405),
                "{method} {other}: {answer}"
            );
        }
    }
    for path in [
        "/V1/accounts",
        "/v1/Accounts",
        "/v1//accounts",
        "//v1/accounts",
        "/v1/accounts/",
        "/v1%2faccounts",
        "/./v1/accounts",
    ] {
        let answer = exchange(&stage, &format!("GET {path}"), &host).await;
        assert!(matches!(raw::status(&answer), 400 | 404), "{path}: {answer}");
    }
    assert_eq!(stage.admin.account("ada").await, ada);
}
