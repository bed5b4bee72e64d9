//! A form with a file in it (`multipart/form-data`, RFC 7578), held in memory as a whole. Read strictly: what a browser sends
//! passes, whatever could be read in two ways does not.

use axum::body::Bytes;

/// More fields than any form of ours has.
const PARTS_MAX: usize = 8;
/// RFC 2046, section 5.1.1.
const BOUNDARY_BYTES_MAX: usize = 70;
/// Of the head of one part.
const HEAD_BYTES_MAX: usize = 1024;

/// The fields of a form, in the order they came.
pub(crate) struct Parts(Vec<(String, Bytes)>);

impl Parts {
    /// `None` where it is no form that a browser would send.
    pub(crate) fn read(content_type: &str, body: &Bytes) -> Option<Self> {
        let open = [b"--", boundary(content_type)?.as_bytes()].concat();
        let between = [b"\r\n", &open[..]].concat();
        let mut at = open.len();
        body.starts_with(&open).then_some(())?;
        let mut parts = Vec::new();
        loop {
            match body.get(at..)? {
                [b'-', b'-'] | [b'-', b'-', b'\r', b'\n'] => return Some(Self(parts)),
                [b'\r', b'\n', ..] if parts.len() < PARTS_MAX => at += 2,
                _ => return None,
            }
            let rest = body.get(at..)?;
            let head = find(rest.get(..rest.len().min(HEAD_BYTES_MAX))?, b"\r\n\r\n")?;
            let name = name_in(std::str::from_utf8(rest.get(..head)?).ok()?)?;
            if parts.iter().any(|(known, _)| *known == name) {
                return None;
            }
            let value_at = at + head + 4;
            let length = find(body.get(value_at..)?, &between)?;
            parts.push((name, body.slice(value_at..value_at + length)));
            at = value_at + length + between.len();
        }
    }

    /// The bytes of a field.
    pub(crate) fn bytes(&self, name: &str) -> Option<&Bytes> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The text of a field.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.bytes(name)?).ok()
    }
}

fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameter) = content_type.split_once(';')?;
    let (name, value) = parameter.trim().split_once('=')?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&byte);
    let known = kind.trim().eq_ignore_ascii_case("multipart/form-data") && name.eq_ignore_ascii_case("boundary");
    let value = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value);
    (known && (1..=BOUNDARY_BYTES_MAX).contains(&value.len()) && value.bytes().all(fits)).then_some(value)
}

/// The field's name in the one line that says it.
fn name_in(head: &str) -> Option<String> {
    let mut found = None;
    for line in head.split("\r\n") {
        let (header, value) = line.split_once(':')?;
        if header.eq_ignore_ascii_case("content-disposition") && found.replace(value.trim()).is_some() {
            return None;
        }
    }
    let after = found?.strip_prefix("form-data; name=\"")?;
    let (name, rest) = after.split_once('"')?;
    // The file's own name is of no interest.
    (rest.is_empty() || rest.starts_with("; filename=\"")).then(|| name.to_owned())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=----WebKitFormBoundaryx7";
    const WHOLE: &str = "------WebKitFormBoundaryx7\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\ntoken\r\n\
                         ------WebKitFormBoundaryx7\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"a \\\"b.png\"\r\n\
                         Content-Type: image/png\r\n\r\n\x01\r\n--\r\n\x02\r\n------WebKitFormBoundaryx7--\r\n";

    fn read(content_type: &str, body: &str) -> Option<Parts> {
        Parts::read(content_type, &Bytes::copy_from_slice(body.as_bytes()))
    }

    #[test]
    fn what_a_browser_sends_is_read_byte_by_byte() {
        let parts = read(TYPE, WHOLE).unwrap();
        assert_eq!(parts.text("csrf"), Some("token"));
        assert_eq!(parts.bytes("picture").unwrap(), &b"\x01\r\n--\r\n\x02"[..]);
        assert_eq!(parts.text("other"), None);
        assert!(
            read(
                &TYPE.replace("=----WebKitFormBoundaryx7", "=\"----WebKitFormBoundaryx7\""),
                WHOLE
            )
            .is_some()
        );
    }

    #[test]
    fn what_is_cut_or_could_be_read_in_two_ways_is_no_form() {
        // The last line break may be left out.
        for cut in 0..WHOLE.len() - 2 {
            assert!(read(TYPE, WHOLE.get(..cut).unwrap()).is_none(), "{cut}");
        }
        for (what, with) in [
            ("\"picture\"", "\"csrf\""),
            ("--\r\n\x02\r\n------", "--\r\n\x02\n------"),
            ("form-data; name=\"csrf\"", "form-data; name=csrf"),
            ("form-data; name=\"csrf\"", "attachment; name=\"csrf\""),
            ("form-data; name=\"csrf\"", "form-data; name=\"csrf\"; x=\"y\""),
            (
                "Content-Type: image/png",
                "Content-Disposition: form-data; name=\"csrf2\"",
            ),
            ("Content-Type: image/png", "no header"),
            ("------WebKitFormBoundaryx7--\r\n", "------WebKitFormBoundaryx7--\r\nx"),
        ] {
            let broken = WHOLE.replacen(what, with, 1);
            assert!(broken != WHOLE && read(TYPE, &broken).is_none(), "{what} as {with}");
        }
        assert!(read(TYPE, &format!("preamble\r\n{WHOLE}")).is_none());
        for content_type in [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/mixed; boundary=----WebKitFormBoundaryx7",
            "multipart/form-data; charset=x; boundary=----WebKitFormBoundaryx7",
            "multipart/form-data; boundary=a b",
            &format!("multipart/form-data; boundary={}", "a".repeat(71)),
        ] {
            assert!(read(content_type, WHOLE).is_none(), "{content_type}");
        }
    }

    #[test]
    fn a_form_of_too_many_fields_is_none_of_ours() {
        let part = |number: usize| format!("--x\r\nContent-Disposition: form-data; name=\"{number}\"\r\n\r\n\r\n");
        let form = |count: usize| (0..count).map(part).collect::<String>() + "--x--";
        assert!(read("multipart/form-data; boundary=x", &form(8)).is_some());
        assert!(read("multipart/form-data; boundary=x", &form(9)).is_none());
        let long = format!(
            "--x\r\nX: {}\r\n{}",
            "y".repeat(1024),
            part(1).strip_prefix("--x\r\n").unwrap()
        );
        assert!(read("multipart/form-data; boundary=x", &(long + "--x--")).is_none());
    }
}
