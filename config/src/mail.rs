//! `[mail]`: who letters come from, which server takes them, and how it is spoken to.

use std::net::IpAddr;

use stagedoor_identity::letter::{Letterhead, is_address};
use stagedoor_policy::fault::KeyPath;

use crate::assemble::Assembly;
use crate::building::{Building, Mail, MailScheme};
use crate::fields::Fields;
use crate::host::host_name;
use crate::upstream::{Address, Scheme};

/// The longest name letters come from, as a display name of an account has it.
const NAME_CHARS_MAX: usize = 100;
/// Of submission (RFC 6409), and of submission over TLS (RFC 8314).
const SUBMISSION_PORT: u16 = 587;
const SUBMISSION_TLS_PORT: u16 = 465;

impl Building {
    /// What is on every letter; `None` where none is sent.
    pub fn letterhead(&self) -> Option<Letterhead> {
        let mail = self.mail.as_ref()?;
        Some(Letterhead {
            title: self.portal.title.clone(),
            public_url: mail.public_url.clone(),
            domain: mail.from_address.rsplit('@').next().unwrap_or_default().to_owned(),
            letters_max: mail.letters_max,
            retry_first: mail.retry_after,
            give_up_after: mail.give_up_after,
        })
    }
}

/// `None` where there is no `[mail]`, or where it is at fault.
pub(crate) fn mail(assembly: &mut Assembly<'_>, mut fields: Fields) -> Option<Mail> {
    let (url, password_file) = (fields.text("url"), fields.text("password_file"));
    let (from, public_url, ca_file) = (fields.text("from"), fields.text("public_url"), fields.text("ca_file"));
    let (starttls, timeout) = (fields.text("starttls"), fields.duration("timeout"));
    let letters_max = fields.count("letters_max");
    let (retry_after, give_up_after) = (fields.duration("retry_after"), fields.duration("give_up_after"));
    fields.done();

    let Some(url) = url else {
        let given = [
            ("password_file", &password_file),
            ("from", &from),
            ("public_url", &public_url),
            ("ca_file", &ca_file),
        ];
        for (key, _) in given.iter().filter(|(_, value)| value.is_some()) {
            let help = "name the mail server in `[mail] url`, or remove this key";
            assembly.fault(mail_key(key), "there is no `url`: nothing would be sent", help);
        }
        return None;
    };
    let server = Server::parse(&url).map_err(|why| {
        // It may hold a password by mistake: never in a message.
        let help = "write scheme, user, host and port, such as `smtp://door@mail.example.com:587`";
        assembly.fault(mail_key("url"), format!("the URL {why}"), help);
    });
    let scheme = server
        .as_ref()
        .ok()
        .map(|server| scheme(assembly, server, starttls.as_deref()));
    if let Ok(server) = &server {
        password(assembly, server, password_file.as_deref());
    }
    let from = sender(assembly, from.as_deref());
    let public_url = public(assembly, public_url.as_deref());

    let (server, (from_name, from_address)) = (server.ok()?, from?);
    Some(Mail {
        scheme: scheme?,
        host: server.host,
        port: server.port,
        user: server.user,
        password_file: password_file.map(|path| assembly.path(&path)),
        from_name,
        from_address,
        public_url: public_url?,
        ca_file: ca_file.map(|path| assembly.path(&path)),
        timeout: timeout?,
        letters_max: u32::try_from(letters_max?).unwrap_or(u32::MAX),
        retry_after: retry_after?,
        give_up_after: give_up_after?,
    })
}

fn mail_key(key: &str) -> KeyPath {
    KeyPath::of(["mail", key])
}

/// The parts of the URL.
#[derive(Debug, PartialEq, Eq)]
struct Server {
    tls: bool,
    user: Option<String>,
    host: String,
    port: u16,
}

impl Server {
    /// Read by hand: a user may be an address and hold an `@` of its own.
    fn parse(url: &str) -> Result<Self, &'static str> {
        let (tls, usual_port, rest) = if let Some(rest) = url.strip_prefix("smtp://") {
            (false, SUBMISSION_PORT, rest)
        } else if let Some(rest) = url.strip_prefix("smtps://") {
            (true, SUBMISSION_TLS_PORT, rest)
        } else {
            return Err("must begin with `smtp://` or `smtps://`");
        };
        let (user, server) = match rest.rsplit_once('@') {
            Some((user, server)) => (Some(user), server),
            None => (None, rest),
        };
        if let Some(user) = user {
            if user.contains(':') {
                return Err("must not hold a password: put it into the file that `password_file` names");
            }
            if user.is_empty() || !user.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'%') {
                return Err("has a user that is none: printable ASCII, as it is, without `%`");
            }
        }
        let (host, port) = host_and_port(server.strip_suffix('/').unwrap_or(server))?;
        Ok(Self {
            tls,
            user: user.map(str::to_owned),
            host,
            port: port.unwrap_or(usual_port),
        })
    }
}

fn host_and_port(text: &str) -> Result<(String, Option<u16>), &'static str> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or("has a `[` without its `]`")?;
            let port = match after {
                "" => None,
                after => Some(after.strip_prefix(':').ok_or("has something behind its address")?),
            };
            (host, port)
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let host = match host.parse::<IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => host_name(host).map_err(|_why| "has no host that could be one")?,
    };
    let number = |digits: &str| {
        let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
        let port = digits.parse().ok().filter(|port| plain && *port != 0);
        port.ok_or("has a port that lies not between 1 and 65535")
    };
    Ok((host, port.map(number).transpose()?))
}

fn scheme(assembly: &mut Assembly<'_>, server: &Server, starttls: Option<&str>) -> MailScheme {
    match (server.tls, starttls) {
        (true, _) => MailScheme::Tls,
        (false, Some("off")) => {
            if server.user.is_some() && !is_this_machine(&server.host) {
                let message = "a password would be sent in the clear";
                let help = "leave `starttls` at `required`, or use `smtps://`; without TLS only a server on this machine \
                            may be signed in to";
                assembly.fault(mail_key("starttls"), message, help);
            }
            MailScheme::Clear
        }
        (false, _) => MailScheme::StartTls,
    }
}

fn password(assembly: &mut Assembly<'_>, server: &Server, password_file: Option<&str>) {
    match (&server.user, password_file) {
        (Some(_), None) => {
            let help =
                "name the file that holds the password in `[mail] password_file` or STAGEDOOR_MAIL_PASSWORD_FILE";
            assembly.fault(mail_key("url"), "a user is named, and no password", help);
        }
        (None, Some(_)) => {
            let help = "name the user in `url`, as in `smtp://door@mail.example.com`, or remove the file";
            assembly.fault(mail_key("password_file"), "there is a password, and no user", help);
        }
        _ => {}
    }
}

/// Name and address.
fn sender(assembly: &mut Assembly<'_>, from: Option<&str>) -> Option<(String, String)> {
    let help = "write an address such as `door@example.com`, or `Box office <door@example.com>`";
    let Some(from) = from else {
        assembly.fault(
            mail_key("url"),
            "letters need somebody they come from",
            "add `[mail] from`",
        );
        return None;
    };
    let (name, address) = match from.strip_suffix('>').and_then(|rest| rest.split_once('<')) {
        Some((name, address)) => (name.trim().trim_matches('"'), address),
        None => ("", from),
    };
    let domain = address.rsplit_once('@').map(|(_, domain)| host_name(domain));
    let named = name.chars().count() <= NAME_CHARS_MAX && !name.chars().any(|c| c.is_control() || "<>\"".contains(c));
    if !is_address(address) || !address.is_ascii() || !matches!(domain, Some(Ok(_))) || !named {
        assembly.fault(mail_key("from"), "nobody's address", help);
        return None;
    }
    Some((name.to_owned(), address.to_owned()))
}

/// The door's own address as visitors know it.
fn public(assembly: &mut Assembly<'_>, public_url: Option<&str>) -> Option<String> {
    let Some(text) = public_url else {
        let help = "add `[mail] public_url`, such as `https://console.example.com`";
        assembly.fault(mail_key("url"), "letters need to know where this door is", help);
        return None;
    };
    let help = "write scheme, host and port as visitors type them, such as `https://console.example.com`";
    let address = match Address::parse(text) {
        Ok(address) => address,
        Err(why) => {
            assembly.fault(mail_key("public_url"), format!("the URL {why}"), help);
            return None;
        }
    };
    if address.scheme == Scheme::Http && !is_this_machine(&address.host) {
        let message = "links would be followed in the clear: whoever listens could use them first";
        assembly.fault(
            mail_key("public_url"),
            message,
            "write `https://`; `http://` is for this machine alone",
        );
        return None;
    }
    let (scheme, usual_port) = match address.scheme {
        Scheme::Http => ("http", 80),
        Scheme::Https => ("https", 443),
    };
    let host = if address.host.contains(':') {
        format!("[{}]", address.host)
    } else {
        address.host
    };
    Some(match address.port {
        port if port == usual_port => format!("{scheme}://{host}"),
        port => format!("{scheme}://{host}:{port}"),
    })
}

fn is_this_machine(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_scheme_a_user_a_host_and_a_port() {
        let parsed = |url| Server::parse(url).expect("fine");
        let server = parsed("smtp://door@example.com@Mail.Example.com:2525/");
        assert_eq!(server.user.as_deref(), Some("door@example.com"));
        assert_eq!(
            (server.tls, server.host.as_str(), server.port),
            (false, "mail.example.com", 2525)
        );
        assert_eq!(parsed("smtp://mail").port, 587);
        let server = parsed("smtps://[2001:db8::25]");
        assert_eq!(
            (server.tls, server.host.as_str(), server.port),
            (true, "2001:db8::25", 465)
        );
        assert_eq!(parsed("smtp://[::1]:25").port, 25);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for wrong in [
            "",
            "mail.example.com",
            "http://mail",
            "smtp://",
            "smtp://@mail",
            "smtp://a:b@mail",
            "smtp://a b@mail",
            "smtp://a%40b@mail",
            "smtp://a\r\nb@mail",
            "smtp://mail:0",
            "smtp://mail:99999",
            "smtp://mail:+25",
            "smtp://mail:",
            "smtp://mail/path",
            "smtp://mail?starttls=off",
            "smtp://[::1",
            "smtp://[::1]x",
            "smtp://ma il",
        ] {
            assert!(Server::parse(wrong).is_err(), "{wrong:?} was taken");
        }
    }
}
