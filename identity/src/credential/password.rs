//! The one judge of passwords, whoever sets them: what the policy says of their make-up, and whether they can be guessed.
//!
//! The make-up is [`stagedoor_policy::password`]'s. For the guessing there are two lists: `common.txt`, of ours, and the one
//! inside zxcvbn, which also finds words with signs for letters, walks over the keyboard, dates, and words written twice. It
//! estimates how many guesses a password withstands; fewer than 10^8 is refused, because that many are tried in seconds by
//! who has stolen the hashes, and because it is the most that every word, pattern and breached password of its lists comes
//! to alone. (It looks up the calendar's year, to find dates near it; nothing else here knows the time.) That demands nothing of the make-up, as NIST SP 800-63B-4 forbids; it is the list of that chapter, drawn wider.

use stagedoor_policy::Policy;
use stagedoor_policy::password::{PasswordFault, faults as faults_of_make_up};
use stagedoor_policy::rules::Breached;
use zeroize::Zeroizing;
use zxcvbn::{Score, zxcvbn};

use crate::Password;
use crate::account::{Account, AccountName, NewAccount};

/// The commonest passwords, one a line, in lower case.
const COMMON: &str = include_str!("common.txt");
/// Guessing takes longer the more there is to look at; what follows cannot make the beginning any weaker.
const CHARS_ESTIMATED_MAX: usize = 100;

/// Whose password it is to be: what nobody may put into their own.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    name: AccountName,
    display_name: String,
    email: Option<String>,
}

impl From<&Account> for Owner {
    fn from(account: &Account) -> Self {
        Self {
            name: account.name.clone(),
            display_name: account.display_name.clone(),
            email: account.email.clone(),
        }
    }
}

impl From<&NewAccount> for Owner {
    fn from(new: &NewAccount) -> Self {
        Self {
            name: new.name.clone(),
            display_name: new.display_name.clone(),
            email: new.email.clone(),
        }
    }
}

/// Every rule the password does not keep, one sentence each. Takes milliseconds: see
/// [`HashPool::judge`](super::pool::HashPool::judge).
pub(crate) fn faults(password: &Password, owner: &Owner, policy: &Policy) -> Vec<String> {
    let rules = policy.password();
    let text = password.expose();
    let mut context = policy
        .context_words()
        .and_word(owner.name.as_str())
        .and_name(&owner.display_name);
    if owner.name.as_str().contains('@') {
        context = context.and_email(owner.name.as_str());
    }
    if let Some(email) = &owner.email {
        context = context.and_email(email);
    }
    let mut faults = faults_of_make_up(text, rules, &context);
    // A short password is told to be short, not to be weak.
    let is_short = matches!(faults.first(), Some(PasswordFault::TooShort(_)));
    let is_weak = || is_common(&Zeroizing::new(text.to_lowercase())) || is_guessed_soon(text);
    if rules.breached == Breached::Refuse && !is_short && is_weak() {
        faults.push(PasswordFault::Guessable);
    }
    faults.iter().map(PasswordFault::sentence).collect()
}

/// In the list itself, or made longer by digits and marks at its end, or written twice.
fn is_common(lower: &str) -> bool {
    let bare = lower.trim_end_matches(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation());
    let half = lower
        .split_at_checked(lower.len() / 2)
        .filter(|(left, right)| left == right)
        .map(|(left, _)| left);
    COMMON
        .lines()
        .filter(|line| !line.is_empty())
        .any(|common| common == lower || common == bare || Some(common) == half)
}

fn is_guessed_soon(text: &str) -> bool {
    let beginning: Zeroizing<String> = Zeroizing::new(text.chars().take(CHARS_ESTIMATED_MAX).collect());
    zxcvbn(&beginning, &[]).score() < Score::Three
}

#[cfg(test)]
mod tests;
