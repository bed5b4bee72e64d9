//! A letter that waits: sealed, so that whoever lists the outbox or reads a copy of it has no link.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use stagedoor_policy::time::Timestamp;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Letter, LetterKind, Letterhead, Rendered};
use crate::chance::uuid_v7;
use crate::credential::seal::SealKey;
use crate::{AccountId, Chance, Secret};

/// The longest wait, unless the first is longer: a mail server that comes back is used within the hour.
pub const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// A letter's identity, for ever (UUID v7); its Message-ID is made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LetterId(pub Uuid);

/// A letter on its way into the outbox. Steps of the store that make a link take one, and queue it with the link or not at all.
#[derive(Clone)]
pub struct QueuedLetter {
    /// Never reused.
    pub id: LetterId,
    /// Whose it is: removed with the account.
    pub account: Option<AccountId>,
    /// Which letter it is.
    pub kind: LetterKind,
    /// The address it goes to.
    pub to: String,
    /// Its words and Message-ID, sealed with a key of the door's.
    pub sealed: Vec<u8>,
    /// When it is to be sent first; also its date.
    pub due_at: Timestamp,
    /// Not to be tried from then on.
    pub give_up_at: Timestamp,
    /// Letters that may wait with it; where more would, the step is refused with
    /// [`StoreError::OutboxFull`](crate::port::StoreError::OutboxFull).
    pub letters_max: u32,
}

/// Nobody's address belongs in a log.
impl std::fmt::Debug for QueuedLetter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueuedLetter")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("due_at", &self.due_at)
            .field("give_up_at", &self.give_up_at)
            .finish_non_exhaustive()
    }
}

/// A letter that a worker has claimed: nobody else has it before the claim runs out.
#[derive(Debug, Clone)]
pub struct DueLetter {
    /// The letter.
    pub letter: QueuedLetter,
    /// Which claim of it this is, from 1: what is told of an older claim is ignored.
    pub claim: u32,
    /// How often it has failed.
    pub failures: u32,
    /// An earlier try had begun to hand it over, and never learned how that ended: the server may have it already.
    pub may_have_arrived: bool,
}

/// Why a letter was not sent this time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A sentence for the operator, without the letter's words.
    pub why: String,
    /// When to try again.
    pub retry_at: Timestamp,
    /// The server had all of it and did not answer: it may have it or not.
    pub may_have_arrived: bool,
}

/// A letter that waits, for who asks why it has not arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingLetter {
    /// The letter.
    pub id: LetterId,
    /// Whose it is.
    pub account: Option<AccountId>,
    /// Which letter it is.
    pub kind: LetterKind,
    /// The address it goes to.
    pub to: String,
    /// Since when it waits.
    pub queued_at: Timestamp,
    /// When it is tried next, or while it is being sent, when it would be taken for lost.
    pub due_at: Timestamp,
    /// Not to be tried from then on.
    pub give_up_at: Timestamp,
    /// How often it has failed.
    pub failures: u32,
    /// Why it failed last.
    pub last_failure: Option<String>,
}

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// How many letters.
    pub letters: u32,
    /// Since when the oldest of them waits.
    pub oldest: Option<Timestamp>,
}

/// A letter, opened for sending.
#[derive(Debug, Clone)]
pub struct OpenedLetter {
    /// Its words.
    pub rendered: Rendered,
    /// Without angle brackets; the same each time it is sent.
    pub message_id: String,
}

/// Seals letters, and opens them.
#[derive(Debug)]
pub struct Sealer(SealKey);

/// What is sealed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sheet<'a> {
    subject: std::borrow::Cow<'a, str>,
    text: std::borrow::Cow<'a, str>,
    html: std::borrow::Cow<'a, str>,
    message_id: std::borrow::Cow<'a, str>,
}

impl Letter {
    /// The letter as it is queued at `now`. `None` only for texts of absurd length.
    pub fn seal(
        &self,
        head: &Letterhead,
        sealer: &Sealer,
        chance: &dyn Chance,
        now: Timestamp,
    ) -> Option<QueuedLetter> {
        let id = LetterId(uuid_v7(chance, now));
        let rendered = self.render(head);
        let message_id = format!("{}@{}", id.0, head.domain);
        let sheet = Sheet {
            subject: rendered.subject.as_str().into(),
            text: rendered.text.as_str().into(),
            html: rendered.html.as_str().into(),
            message_id: message_id.into(),
        };
        let plain = Zeroizing::new(serde_json::to_vec(&sheet).ok()?);
        let given_up = now.after(head.give_up_after);
        Some(QueuedLetter {
            id,
            account: self.account,
            kind: self.says.kind(),
            to: self.to.clone(),
            sealed: sealer.0.seal(&plain, &bound_to(id, &self.to), chance)?,
            due_at: now,
            give_up_at: self
                .says
                .useless_from()
                .map_or(given_up, |useless| useless.min(given_up)),
            letters_max: head.letters_max,
        })
    }
}

impl Sealer {
    /// `None` where the key is not 32 bytes long.
    pub fn new(key: &Secret) -> Option<Self> {
        SealKey::new(key).map(Self)
    }

    /// `None` where the key is another one, or the letter is not the one that was sealed for this address.
    pub fn open(&self, letter: &QueuedLetter) -> Option<OpenedLetter> {
        let plain = self.0.open(&letter.sealed, &bound_to(letter.id, &letter.to))?;
        let sheet: Sheet<'_> = serde_json::from_slice(plain.expose()).ok()?;
        Some(OpenedLetter {
            rendered: Rendered {
                subject: sheet.subject.into_owned(),
                text: Zeroizing::new(sheet.text.into_owned()),
                html: Zeroizing::new(sheet.html.into_owned()),
            },
            message_id: sheet.message_id.into_owned(),
        })
    }
}

/// A sealed letter is no letter under another id or to another address.
fn bound_to(id: LetterId, to: &str) -> Vec<u8> {
    let mut bound = b"letter:".to_vec();
    bound.extend_from_slice(id.0.as_bytes());
    bound.extend_from_slice(to.as_bytes());
    bound
}

/// How long to wait after so many failures (1: the first): `first`, then twice as long each time, up to an hour, and up to a
/// quarter less by chance, so that letters that failed together do not all come back together.
pub fn retry_after(failures: u32, first: Duration, chance: &dyn Chance) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(16));
    let wait = first.saturating_mul(doubled).min(LONGEST_WAIT.max(first));
    let mut byte = [0_u8; 1];
    chance.fill(&mut byte);
    let [byte] = byte;
    wait.saturating_sub(wait / 4 * u32::from(byte) / 255)
}
