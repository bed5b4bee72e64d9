use super::*;

/// How the body is framed, and whether the visitor waits for a 100.
fn verdict(lines: &[&str]) -> Result<(Body, bool), WireFault> {
    let head = format!("{}\r\n\r\n", lines.join("\r\n"));
    check(head.as_bytes(), 100, b"").map(|head| (head.body, head.expects_continue))
}

fn framed(headers: &[&str]) -> Result<Body, WireFault> {
    verdict(&[&["POST /x HTTP/1.1", "Host: a.test"], headers].concat()).map(|(body, _)| body)
}

#[test]
fn ordinary_heads_pass_with_their_framing() {
    assert_eq!(framed(&[]), Ok(Body::None));
    assert_eq!(framed(&["Content-Length: 0"]), Ok(Body::None));
    assert_eq!(framed(&["content-length:\t12 "]), Ok(Body::Length(12)));
    assert_eq!(framed(&["Transfer-Encoding: Chunked"]), Ok(Body::Chunked));
    assert_eq!(framed(&["X: \"a\tb\u{fc}\"", "Empty:", "A.B_c~d: 1"]), Ok(Body::None));
    assert!(verdict(&["GET / HTTP/1.0", "Host: a.test"]).is_ok());
    let expects = verdict(&[
        "PUT / HTTP/1.1",
        "Host: a.test",
        "Content-Length: 3",
        "Expect: 100-Continue",
    ]);
    assert_eq!(expects, Ok((Body::Length(3), true)));
}

#[test]
fn a_request_line_has_one_reading_or_is_refused() {
    for (line, fault) in [
        ("GET  /admin HTTP/1.1", WireFault::RequestLine),
        ("GET /public HTTP/1.1 /admin HTTP/1.1", WireFault::RequestLine),
        (" GET / HTTP/1.1", WireFault::RequestLine),
        ("GET / HTTP/1.1 ", WireFault::RequestLine),
        ("GET /", WireFault::RequestLine),
        ("GET", WireFault::RequestLine),
        ("", WireFault::RequestLine),
        ("GET /a b HTTP/1.1", WireFault::RequestLine),
        ("GET\t/ HTTP/1.1", WireFault::RequestLine),
        ("GE(T / HTTP/1.1", WireFault::RequestLine),
        ("CONNECT a.test:80 HTTP/1.1", WireFault::Connect),
        ("GET / HTTP/1.2", WireFault::Version),
        ("GET / HTTP/2.0", WireFault::Version),
        ("GET / http/1.1", WireFault::Version),
        ("GET / HTTP/1.10", WireFault::Version),
        ("GET /a\tb HTTP/1.1", WireFault::TargetByte),
        ("GET /a\0b HTTP/1.1", WireFault::TargetByte),
        ("GET /admin#/public HTTP/1.1", WireFault::TargetByte),
        ("GET admin HTTP/1.1", WireFault::TargetForm),
        ("GET * HTTP/1.1", WireFault::TargetForm),
        ("OPTIONS * HTTP/1.1", WireFault::TargetForm),
        ("GET a.test:80 HTTP/1.1", WireFault::TargetForm),
        ("GET file:/admin HTTP/1.1", WireFault::TargetForm),
        ("GET ?x=/admin HTTP/1.1", WireFault::TargetForm),
        ("GET http:admin/x HTTP/1.1", WireFault::TargetForm),
        ("GET http://b.test/ HTTP/1.1", WireFault::TargetForm),
        ("GET http://a.test HTTP/1.1", WireFault::TargetForm),
        ("GET http://a.test?x HTTP/1.1", WireFault::TargetForm),
        ("GET http://u@a.test/ HTTP/1.1", WireFault::TargetForm),
        ("GET http://a.test.evil/ HTTP/1.1", WireFault::TargetForm),
        ("GET http://a.test:80/ HTTP/1.1", WireFault::TargetForm),
    ] {
        assert_eq!(verdict(&[line, "Host: a.test"]), Err(fault), "{line}");
    }
    assert_eq!(
        check(b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", 9, b""),
        Err(WireFault::TargetByte)
    );
}

#[test]
fn an_absolute_target_for_the_same_host_can_be_put_into_origin_form() {
    let mut head = b"GET HTTP://A.test:81/x?y HTTP/1.1\r\nHost: a.test:81\r\n\r\n".to_vec();
    let prefix = check(&head, 9, b"").unwrap().absolute_prefix;
    head.drain(prefix);
    assert!(head.starts_with(b"GET /x?y HTTP/1.1\r\n"));
}

#[test]
fn a_host_is_there_once_and_is_one() {
    assert_eq!(verdict(&["GET / HTTP/1.1"]), Err(WireFault::HostMissing));
    for hosts in [
        &["Host: a", "Host: a"][..],
        &["Host:"],
        &["Host: a/b c"],
        &["Host: u@a"],
        &["Host: a, b"],
    ] {
        assert_eq!(
            verdict(&[&["GET / HTTP/1.1"], hosts].concat()),
            Err(WireFault::Host),
            "{hosts:?}"
        );
    }
}

#[test]
fn a_host_that_is_known_from_before_is_there_once_and_is_the_only_one_that_is_not_read() {
    let with =
        |hosts: &str| check(format!("GET / HTTP/1.1\r\n{hosts}\r\n").as_bytes(), 9, b"a:1").map(|head| head.body);
    for known_or_not in ["Host: a:1\r\n", "Host:a:1 \r\n", "Host: A:1\r\n", "Host: b\r\n"] {
        assert_eq!(with(known_or_not), Ok(Body::None), "{known_or_not:?}");
    }
    for hosts in [
        "Host: a:1\r\nHost: a:1\r\n",
        "Host: a:1,a:1\r\n",
        "Host: a:\r\n",
        "Host:\r\n",
    ] {
        assert_eq!(with(hosts), Err(WireFault::Host), "{hosts:?}");
    }
    assert_eq!(with(""), Err(WireFault::HostMissing));
    assert_eq!(
        verdict(&["GET / HTTP/1.1", "Host:"]),
        Err(WireFault::Host),
        "nothing is known"
    );
}

#[test]
fn a_length_is_one_plain_number() {
    for lines in [
        &["Content-Length: 3", "Content-Length: 3"][..],
        &["Content-Length: 3", "content-length: 4"],
        &["Content-Length: 3, 3"],
        &["Content-Length: +3"],
        &["Content-Length: -1"],
        &["Content-Length: 003"],
        &["Content-Length: 0x3"],
        &["Content-Length: 3 3"],
        &["Content-Length: 3.0"],
        &["Content-Length:"],
        &["Content-Length: 99999999999999999999"],
    ] {
        assert_eq!(framed(lines), Err(WireFault::ContentLength), "{lines:?}");
    }
}

#[test]
fn an_encoding_is_chunked_once_and_stands_alone() {
    for lines in [
        &["Transfer-Encoding: gzip, chunked"][..],
        &["Transfer-Encoding: chunked, chunked"],
        &["Transfer-Encoding: identity", "Transfer-Encoding: chunked"],
        &["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        &["Transfer-Encoding: xchunked"],
        &["Transfer-Encoding: chunked;x"],
        &["Transfer-Encoding: \"chunked\""],
        &["Transfer-Encoding:"],
        &["Transfer-Encoding: chunked,"],
    ] {
        assert_eq!(framed(lines), Err(WireFault::TransferEncoding), "{lines:?}");
    }
    assert_eq!(
        framed(&["Content-Length: 3", "Transfer-Encoding: chunked"]),
        Err(WireFault::LengthAndEncoding)
    );
    let head = verdict(&["HEAD / HTTP/1.1", "Host: a", "Content-Length: 3"]);
    assert_eq!(head, Err(WireFault::StrayBody));
    let old = verdict(&["POST / HTTP/1.0", "Host: a", "Transfer-Encoding: chunked"]);
    assert_eq!(old, Err(WireFault::TransferEncoding));
}

#[test]
fn a_header_line_has_one_reading_or_is_refused() {
    for (line, fault) in [
        ("Name : x", WireFault::HeaderName),
        (": x", WireFault::HeaderName),
        ("Name", WireFault::HeaderName),
        ("Na me: x", WireFault::HeaderName),
        ("Na\0me: x", WireFault::HeaderName),
        ("N\u{e4}me: x", WireFault::HeaderName),
        (" Name: x", WireFault::HeaderFolded),
        ("\tName: x", WireFault::HeaderFolded),
        ("Name: a\0b", WireFault::HeaderValue),
        ("Name: a\rb", WireFault::HeaderValue),
        ("Name: a\u{b}b", WireFault::HeaderValue),
        ("Name: a\u{7f}b", WireFault::HeaderValue),
        ("Content_Length: 3", WireFault::HeaderTwin),
        ("Transfer.Encoding: chunked", WireFault::HeaderTwin),
        ("TRANSFER_ENCODING: chunked", WireFault::HeaderTwin),
        ("Transfer-Encoding_: chunked", WireFault::HeaderTwin),
        ("'Transfer-#Encoding: chunked", WireFault::HeaderTwin),
        ("contentlength: 3", WireFault::HeaderTwin),
        ("Ho-st: b", WireFault::HeaderTwin),
        ("Expect: 200-ok", WireFault::Expect),
    ] {
        assert_eq!(framed(&[line]), Err(fault), "{line:?}");
    }
}

#[test]
fn there_is_an_end_to_the_number_of_headers() {
    let headers: Vec<String> = (0..100).map(|number| format!("X-{number}: 1")).collect();
    let mut lines = vec!["GET / HTTP/1.1", "Host: a"];
    lines.extend(headers.iter().take(98).map(String::as_str));
    assert!(verdict(&lines).is_ok());
    lines.extend(["X-A: 1"]);
    assert!(verdict(&lines).is_ok());
    lines.extend(["X-B: 1"]);
    assert_eq!(verdict(&lines), Err(WireFault::TooManyHeaders));
}
