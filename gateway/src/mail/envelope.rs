//! From an opened letter to the bytes that are sent: headers and two parts. The library encodes what is not ASCII and folds
//! long lines; a line break cannot get into a header, since every value has been put on one line before, or is refused here.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};
use stagedoor_config::Mail;
use stagedoor_identity::letter::OpenedLetter;
use stagedoor_policy::time::Timestamp;

/// A letter in its envelope.
#[derive(Debug)]
pub(crate) struct Envelope {
    /// Who it comes from.
    pub(super) from: Address,
    /// Who it goes to.
    pub(super) to: Address,
    /// Headers and parts.
    pub(super) bytes: Vec<u8>,
}

impl Envelope {
    /// The letter as it is sent: the same Message-ID and date each time, so that a repeated one is recognised.
    /// # Errors
    /// Why it can be sent to nobody: its address is none.
    pub(crate) fn seal(mail: &Mail, to: &str, dated: Timestamp, letter: &OpenedLetter) -> Result<Self, String> {
        let from = address(&mail.from_address)?;
        let to = address(to)?;
        let name = (!mail.from_name.is_empty()).then(|| mail.from_name.clone());
        let since_epoch = Duration::from_micros(u64::try_from(dated.as_micros()).unwrap_or(0));
        let (text, html) = (letter.rendered.text.to_string(), letter.rendered.html.to_string());
        let message = Message::builder()
            .from(Mailbox::new(name, from.clone()))
            .to(Mailbox::new(None, to.clone()))
            .subject(letter.rendered.subject.as_str())
            .date(UNIX_EPOCH + since_epoch)
            .message_id(Some(format!("<{}>", letter.message_id)))
            .raw_header(no_answer_wanted())
            .multipart(MultiPart::alternative_plain_html(text, html))
            .map_err(|error| format!("the letter cannot be put together: {error}"))?;
        let bytes = message.formatted();
        Ok(Self { from, to, bytes })
    }
}

/// RFC 3834: whoever answers by himself while away need not answer this.
fn no_answer_wanted() -> HeaderValue {
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    HeaderValue::new(name, "auto-generated".to_owned())
}

fn address(text: &str) -> Result<Address, String> {
    if !stagedoor_identity::letter::is_address(text) {
        return Err("the address is none".to_owned());
    }
    text.parse().map_err(|error| format!("the address is none: {error}"))
}
