//! What is wrong is told all at once, with its place and a way out.

use super::{BUILDING, Folder, POLICY, told};

fn faults_of(building: &str, policy: &str) -> Vec<String> {
    told(&Folder::with(building, policy).load().expect_err("at fault"))
}

#[test]
fn every_fault_of_both_files_is_told_at_once() {
    let building = "\
[listen]
htp = [\"127.0.0.1:8080\"]
https = [\"127.0.0.1\"]

[site.console]
upstream = \"127.0.0.1:8000\"
websockets = \"yes\"
";
    let policy = "\
[site.consol.areas]
all = { paths = [\"/**\"] }

[session]
idle = \"30\"
when_full = \"displac\"

[role.viewer]
may = { setings = \"view\" }
channels = 3
";
    let told = faults_of(building, policy);
    let begins = |place: &str| told.iter().any(|fault| fault.starts_with(place));
    assert!(begins("stagedoor.toml:2:1 unknown key `htp`"), "{told:#?}");
    assert!(
        begins("stagedoor.toml:3:10 `127.0.0.1` is not an address and a port"),
        "{told:#?}"
    );
    assert!(begins("stagedoor.toml:6:12 the upstream "), "{told:#?}");
    assert!(
        begins("stagedoor.toml:7:14 expected `true` or `false`, found a text"),
        "{told:#?}"
    );
    assert!(
        begins("policy.toml:1:7 stagedoor.toml declares no site `consol`"),
        "{told:#?}"
    );
    assert!(begins("policy.toml:5:8 `30` lacks its unit"), "{told:#?}");
    assert!(begins("policy.toml:6:13 `displac` is not known here"), "{told:#?}");
    assert!(begins("policy.toml:10:12 expected a list"), "{told:#?}");
}

#[test]
fn a_fault_shows_the_line_a_caret_and_a_help() {
    let building = "[site.console]\nupstrem = \"http://127.0.0.1:8000\"\n";
    let rendered = Folder::with(building, POLICY).load().expect_err("at fault").to_string();
    assert!(rendered.contains("stagedoor.toml:2:1"), "{rendered}");
    assert!(
        rendered.contains("2 | upstrem = \"http://127.0.0.1:8000\""),
        "{rendered}"
    );
    assert!(rendered.contains("| ^^^^^^^"), "{rendered}");
    assert!(rendered.contains("help: did you mean `upstream`?"), "{rendered}");
    assert!(!rendered.contains('\u{1b}'), "plain text has no escapes: {rendered:?}");
}

#[test]
fn colours_are_for_terminals_that_asked() {
    let faults = Folder::with("x = 1", POLICY).load().expect_err("at fault");
    assert!(faults.render(true).contains('\u{1b}'));
    assert!(!faults.render(false).contains('\u{1b}'));
}

#[test]
fn faults_of_syntax_come_several_at_once() {
    let told = faults_of(
        "[site.console]\nupstream = what\nupstream = what\nhosts\n[tls\n",
        POLICY,
    );
    for line in [2, 4, 5] {
        assert!(
            told.iter()
                .any(|fault| fault.starts_with(&format!("stagedoor.toml:{line}:"))),
            "{line}: {told:#?}"
        );
    }
}

#[test]
fn a_fault_in_one_file_does_not_hide_those_of_the_other() {
    let told = faults_of("[listen\n", "[sesion]\nidle = \"1h\"\n");
    assert!(
        told.iter().any(|fault| fault.starts_with("stagedoor.toml:1:")),
        "{told:#?}"
    );
    assert!(
        told.iter()
            .any(|fault| fault.starts_with("policy.toml:1:2 unknown key `sesion`")),
        "{told:#?}"
    );
}

#[test]
fn one_bad_value_does_not_raise_an_echo() {
    let told = faults_of(
        BUILDING,
        "[site.console.areas]\nall = { paths = \"/**\" }\n[role.a]\nmay = { all = \"view\" }\n",
    );
    assert_eq!(told.len(), 1, "{told:#?}");
    let told = faults_of("[site.console]\nupstream = 5\nhosts = [3]\n", POLICY);
    assert_eq!(told.len(), 2, "{told:#?}");
}

#[test]
fn a_fault_of_the_rules_points_into_the_file() {
    let policy = "[site.console.areas]\nall = { paths = [\"/**\"] }\n[role.viewer]\nmay = { setings = \"view\" }\n";
    let told = faults_of(BUILDING, policy);
    assert!(
        told.iter().any(|fault| fault.starts_with("policy.toml:4:")),
        "{told:#?}"
    );
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let folder = Folder::with(BUILDING, POLICY);
    std::fs::remove_file(folder.path("policy.toml")).expect("removed");
    let told = told(&folder.load().expect_err("at fault"));
    assert!(
        told[0].starts_with("policy.toml cannot read the file: No such file"),
        "{told:#?}"
    );
}

#[test]
fn bytes_that_are_no_text_are_pointed_at() {
    let folder = Folder::with(BUILDING, POLICY);
    folder.write("policy.toml", b"[session]\n# caf\xe9\nidle = \"1h\"\n");
    assert_eq!(
        told(&folder.load().expect_err("at fault")),
        ["policy.toml:2:6 byte 15 is not UTF-8"]
    );
}

#[test]
fn a_file_above_sixteen_mebibytes_is_refused_unread() {
    let folder = Folder::with(BUILDING, POLICY);
    let file = std::fs::File::create(folder.path("policy.toml")).expect("made");
    file.set_len(16 * 1024 * 1024 + 1).expect("grown");
    assert_eq!(
        told(&folder.load().expect_err("at fault")),
        ["policy.toml the file is larger than 16 MiB"]
    );
}

#[test]
fn a_folder_in_place_of_a_file_is_a_fault() {
    let folder = Folder::with(BUILDING, POLICY);
    std::fs::remove_file(folder.path("policy.toml")).expect("removed");
    std::fs::create_dir(folder.path("policy.toml")).expect("made");
    assert!(told(&folder.load().expect_err("at fault"))[0].contains("cannot read the file"));
}

#[test]
fn a_file_of_nonsense_has_a_bounded_list_of_faults() {
    let folder = Folder::with(BUILDING, &"nonsense\n".repeat(5000));
    let faults = folder.load().expect_err("at fault");
    assert!(faults.len() > 4000, "all are counted: {}", faults.len());
    assert!(faults.iter().count() <= 100, "and few are kept");
    assert!(faults.to_string().ends_with(" more"));
}

#[test]
fn control_characters_of_a_file_never_reach_the_terminal() {
    let folder = Folder::with(BUILDING, "\"\\u001b[31m\" = \"\u{9b}31m\"\n");
    let rendered = folder.load().expect_err("at fault").to_string();
    let raw = rendered.chars().find(|letter| letter.is_control() && *letter != '\n');
    assert_eq!(raw, None, "{rendered:?}");
}

#[test]
fn faults_serialise_as_the_admin_api_shows_them() {
    let folder = Folder::with(BUILDING, "[sesion]\n");
    let json = serde_json::to_value(folder.load().expect_err("at fault")).expect("json");
    assert_eq!(json[0]["line"], 1);
    assert_eq!(json[0]["column"], 2);
    assert_eq!(json[0]["message"], "unknown key `sesion`");
    assert_eq!(json[0]["help"], "did you mean `session`?");
    assert!(json[0]["file"].as_str().expect("text").ends_with("policy.toml"));
    assert_eq!(json[0].as_object().expect("an object").len(), 5);
}

#[test]
fn a_building_that_would_call_itself_is_refused() {
    for (listen, upstream) in [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("0.0.0.0:8080", "http://localhost:8080"),
        ("[::]:8080", "http://[::1]:8080"),
        ("127.0.0.1:8080", "http://127.0.0.1:9080"),
        ("127.0.0.1:8080", "http://[::ffff:127.0.0.1]:8080"),
    ] {
        let building = format!("[listen]\nhttp = [\"{listen}\"]\n[site.console]\nupstream = \"{upstream}\"\n");
        let told = faults_of(&building, POLICY);
        assert!(
            told[0].starts_with("stagedoor.toml:4:12 the upstream is Stagedoor's own"),
            "{listen} {upstream}: {told:#?}"
        );
    }
    for (listen, upstream) in [
        ("127.0.0.1:8080", "http://127.0.0.2:8080"),
        ("0.0.0.0:8080", "http://192.0.2.1:8080"),
    ] {
        let building = format!("[listen]\nhttp = [\"{listen}\"]\n[site.console]\nupstream = \"{upstream}\"\n");
        Folder::with(&building, POLICY)
            .load()
            .expect("another machine, another address");
    }
}

#[test]
fn https_needs_a_certificate_that_can_be_read() {
    let told = faults_of(&format!("{BUILDING}[listen]\nhttps = [\"127.0.0.1:8443\"]\n"), POLICY);
    assert_eq!(told, ["stagedoor.toml:4:9 listening for HTTPS needs a certificate"]);
    let tls = "[tls]\ncertificate = \"missing.pem\"\nkey = \"policy.toml\"\n";
    let told = faults_of(&format!("{BUILDING}{tls}"), POLICY);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].starts_with("stagedoor.toml:4:15 cannot read `"), "{told:#?}");
    assert!(told[0].contains("missing.pem`: No such file or directory"), "{told:#?}");
    let told = faults_of(&format!("{BUILDING}[tls]\nkey = \"policy.toml\"\n"), POLICY);
    assert_eq!(told, ["stagedoor.toml:3:2 `certificate` and `key` belong together"]);
}

#[test]
fn a_certificate_is_checked_by_the_name_or_the_address_of_the_console() {
    for address in ["192.0.2.1", "[2001:db8::1]"] {
        let folder = Folder::with(&format!("[site.console]\nupstream = \"https://{address}\"\n"), POLICY);
        assert!(folder.load().is_ok(), "{address}");
    }
    let told = faults_of("[site.console]\nupstream = \"https://192.0.2.999\"\n", POLICY);
    assert!(
        told[0].starts_with("stagedoor.toml:2:12 `192.0.2.999` ends like an address"),
        "{told:#?}"
    );
    let told = faults_of(
        "[site.console]\nupstream = \"http://a\"\ntls_server_name = \"b\"\n",
        POLICY,
    );
    assert_eq!(
        told,
        ["stagedoor.toml:3:1 `tls_server_name` means nothing for a plain HTTP upstream"]
    );
}

#[test]
fn hosts_belong_to_one_site_each() {
    let two = "[site.a]\nupstream = \"http://x\"\nhosts = [\"one\", \"Two\"]\n[site.b]\nupstream = \"http://y\"\n";
    let policy = "[site.a.areas]\nall = { paths = [\"/**\"] }\n";
    let told = faults_of(&format!("{two}hosts = [\"two\"]\n"), policy);
    assert_eq!(told, ["stagedoor.toml:6:10 the host `two` belongs to site `a` already"]);
    let told = faults_of(two, policy);
    assert_eq!(told, ["stagedoor.toml:4:7 a site among others must name its hosts"]);
}

#[test]
fn a_faulty_url_of_redis_is_told_by_its_place_and_its_password_is_not_shown() {
    let folder = Folder::with(&format!("{BUILDING}[store]\nurl = \"redis://:hunter2@r:x\"\n"), POLICY);
    let rendered = folder.load().expect_err("at fault").to_string();
    assert!(rendered.contains("stagedoor.toml:4:7"), "{rendered}");
    assert!(rendered.contains("the URL of Redis has a port"), "{rendered}");
    assert!(!rendered.contains("hunter2"), "{rendered}");
}

#[test]
fn what_is_said_of_a_redis_that_is_not_used_is_a_fault() {
    let store = "[store]\npassword_file = \"p\"\nkey_prefix = \"x\"\nca_file = \"c\"\nwait_replicas = 1\n";
    let told = faults_of(&format!("{BUILDING}{store}"), POLICY);
    let lines: Vec<_> = told
        .iter()
        .map(|told| told.split_once(' ').unwrap_or_default().0)
        .collect();
    assert_eq!(
        lines,
        [
            "stagedoor.toml:4:17",
            "stagedoor.toml:5:14",
            "stagedoor.toml:6:11",
            "stagedoor.toml:7:17"
        ]
    );
}

#[test]
fn a_password_file_that_is_missing_empty_or_one_too_many_is_a_fault() {
    for (url, content) in [
        ("redis://r", None),
        ("redis://r", Some("\n")),
        ("redis://:hunter2@r", Some("hunter3")),
    ] {
        let store = format!("[store]\nurl = \"{url}\"\npassword_file = \"secret\"\n");
        let folder = Folder::with(&format!("{BUILDING}{store}"), POLICY);
        if let Some(content) = content {
            folder.write("secret", content);
        }
        let rendered = folder.load().expect_err("at fault").to_string();
        assert!(rendered.contains("stagedoor.toml:5:17"), "{rendered}");
        assert!(!rendered.contains("hunter"), "{rendered}");
    }
}

#[test]
fn what_is_said_of_sentinels_where_there_are_none_is_a_fault_and_so_is_a_user_without_a_password() {
    let of_sentinels = "sentinel_user = \"door\"\nsentinel_password_file = \"secret\"\n";
    let told = faults_of(
        &format!("{BUILDING}[store]\nurl = \"redis://r\"\n{of_sentinels}"),
        POLICY,
    );
    assert_eq!(
        told,
        [
            "stagedoor.toml:5:17 this is for Sentinels",
            "stagedoor.toml:6:26 this is for Sentinels"
        ]
    );
    let by_sentinels = "[store]\nurl = \"redis+sentinel://s/house\"\nsentinel_user = \"door\"\n";
    let told = faults_of(&format!("{BUILDING}{by_sentinels}"), POLICY);
    assert_eq!(told, ["stagedoor.toml:5:17 a user of the Sentinels has a password"]);
    let store = format!("{by_sentinels}sentinel_password_file = \"secret\"\n");
    let folder = Folder::with(&format!("{BUILDING}{store}"), POLICY);
    folder.write("secret", "\n");
    let rendered = folder.load().expect_err("at fault").to_string();
    assert!(rendered.contains("stagedoor.toml:6:26"), "{rendered}");
    folder.write("secret", "hunter2\n");
    let building = folder.load().expect("no fault").building;
    assert!(
        !format!("{:?}", building.store).contains("hunter"),
        "{:?}",
        building.store
    );
}

#[test]
fn a_pattern_below_the_portals_prefix_would_never_be_asked() {
    let policy = "[site.console.areas]\nall = { paths = [\"/**\", \"/.stagedoor/login\"] }\n";
    let told = faults_of(BUILDING, policy);
    assert_eq!(
        told,
        ["policy.toml:2:25 Stagedoor's own pages are here: no console is ever asked"]
    );
}

#[test]
fn listeners_do_not_share_an_address() {
    let told = faults_of(&format!("{BUILDING}[admin]\nlisten = \"127.0.0.1:8080\"\n"), POLICY);
    assert!(
        told.contains(&"stagedoor.toml:4:10 `127.0.0.1:8080` is taken by `listen.http[0]` already".to_owned()),
        "{told:#?}"
    );
}

#[test]
fn the_prefix_of_the_portal_is_plain_segments() {
    for wrong in [
        "/", "x/", "/x", "//", "/a//b/", "/../", "/a b/", "/%61/", "/a/./", "/ä/",
    ] {
        let told = faults_of(&format!("{BUILDING}[portal]\nprefix = \"{wrong}\"\n"), POLICY);
        assert!(told[0].contains("cannot be the prefix"), "{wrong}: {told:#?}");
    }
}

#[test]
fn a_limit_that_would_let_nothing_through_is_a_fault() {
    for (line, message) in [
        ("header_count_max = 0", "the number must lie between 1 and 256"),
        ("header_count_max = 257", "the number must lie between 1 and 256"),
        (
            "connections_per_address_max = 0",
            "the number must lie between 1 and 4294967295",
        ),
        (
            "handshakes_in_flight_max = 0",
            "the number must lie between 1 and 4294967295",
        ),
        (
            "websockets_per_account_max = 0",
            "the number must lie between 1 and 4294967295",
        ),
        (
            "malformed_per_minute_max = 0",
            "the number must lie between 1 and 4294967295",
        ),
        (
            "body_bytes_per_second_min = -1",
            "the number must lie between 0 and 4294967295",
        ),
        ("handshake_deadline = \"0s\"", "`0s` must be longer than nothing"),
        ("body_deadline = \"0ms\"", "`0ms` must be longer than nothing"),
        (
            "header_bytes_max = 0",
            "the head of a request must be allowed between 1 KiB and 1 MiB",
        ),
        (
            "header_bytes_max = \"2MiB\"",
            "the head of a request must be allowed between 1 KiB and 1 MiB",
        ),
        (
            "picture_bytes_max = \"3MiB\"",
            "a picture may have 2 MiB at most: it is held in memory while it arrives",
        ),
        (
            "drain_deadline = \"2h\"",
            "what is under way may go on for 1 h at most: until then an upgraded door runs twice",
        ),
    ] {
        let told = faults_of(&format!("{BUILDING}[limits]\n{line}\n"), POLICY);
        let column = line.find('=').expect("a value") + 3;
        assert_eq!(told, [format!("stagedoor.toml:4:{column} {message}")], "{line}");
    }
    let told = faults_of(&format!("{BUILDING}total_timeout = \"0h\"\n"), POLICY);
    assert_eq!(told, ["stagedoor.toml:3:17 `0h` must be longer than nothing"]);
}

#[test]
fn a_malformed_network_of_a_proxy_is_pointed_at() {
    for key in ["trusted", "proxy_protocol"] {
        let told = faults_of(
            &format!("{BUILDING}[proxies]\n{key} = [\"10.0.0.0/8\", \"10.0.0.0/33\", \"all\"]\n"),
            POLICY,
        );
        let column = key.len() + 19;
        assert_eq!(told.len(), 2, "{told:#?}");
        assert!(told[0].starts_with(&format!("stagedoor.toml:4:{column} ")), "{told:#?}");
    }
}

#[test]
fn https_is_promised_only_where_it_is_listened_for() {
    for promise in ["[listen]\nredirect_to_https = true\n", "[tls]\nhsts = \"180d\"\n"] {
        let told = faults_of(&format!("{BUILDING}\n{promise}"), POLICY);
        assert_eq!(told.len(), 1, "{told:#?}");
        assert!(told[0].ends_with("there is no listener for HTTPS"), "{told:#?}");
    }
    let harmless = format!("{BUILDING}\n[listen]\nredirect_to_https = false\n");
    assert!(Folder::with(&harmless, POLICY).load().is_ok());
    let told = faults_of(&format!("{BUILDING}\n[tls]\nhsts = \"off\"\n"), POLICY);
    assert!(told[0].contains("is not a whole number"), "{told:#?}");
}

#[test]
fn who_may_frame_a_site_is_said_clearly_or_not_at_all() {
    for (value, place) in [
        ("[]", "3:19 an empty list could mean"),
        ("[\"self\", \"none\"]", "3:28 `none` must stand alone"),
        ("[\"https://a/x\"]", "3:20 `https://a/x` must end with the host"),
        ("[\"portal\"]", "3:20 `portal` lacks `http://` or `https://`"),
        ("\"any\"", "3:19 expected a list"),
    ] {
        let told = faults_of(&format!("{BUILDING}frame_ancestors = {value}\n"), POLICY);
        assert_eq!(told.len(), 1, "{told:#?}");
        assert!(told[0].starts_with(&format!("stagedoor.toml:{place}")), "{told:#?}");
    }
}

#[test]
fn a_leniency_that_there_is_not_is_told_with_the_nearest_that_there_is() {
    let policy =
        "[site.console]\nallow = [\"semicolon\", \"encoded_slash\", \"dot-segment\"]\npreflight = \"foward\"\n";
    let folder = Folder::with(BUILDING, policy);
    let rendered = folder.load().expect_err("at fault").to_string();
    assert_eq!(
        faults_of(BUILDING, policy),
        [
            "policy.toml:2:23 `encoded_slash` is not known here",
            "policy.toml:2:40 `dot-segment` is not known here",
            "policy.toml:3:13 `foward` is not known here",
        ]
    );
    for near in ["did you mean `\"encoded-slash\"`?", "did you mean `\"forward\"`?"] {
        assert!(rendered.contains(near), "{rendered}");
    }
}

#[test]
fn a_site_that_folds_case_leaves_the_portal_where_it_is() {
    let folding = "[site.console]\nallow = [\"case-insensitive\"]\n";
    let told = faults_of(
        BUILDING,
        &format!("{folding}areas = {{ all = {{ paths = [\"/.Stagedoor/x\"] }} }}\n"),
    );
    assert_eq!(
        told,
        ["policy.toml:3:28 Stagedoor's own pages are here: no console is ever asked"]
    );
    let told = faults_of(&format!("{BUILDING}[portal]\nprefix = \"/Door/\"\n"), folding);
    assert_eq!(
        told,
        ["policy.toml:2:9 with `case-insensitive`, no visitor of this site could reach Stagedoor's own pages"]
    );
    Folder::with(
        &format!("{BUILDING}[portal]\nprefix = \"/Door/\"\n"),
        "[site.console]\n",
    )
    .load()
    .expect("a prefix may have capitals where case counts");
}

#[test]
fn a_large_file_of_nonsense_is_told_in_good_time() {
    // Work for each fault that grew with the file would take hours here.
    let folder = Folder::with(BUILDING, &"x\n".repeat(500_000));
    assert!(folder.load().expect_err("at fault").len() > 400_000);
}
