//! What any store promises, one function each, named as a sentence. A store passes when every one of them returns.
//!
//! Time is an argument everywhere, so nothing here sleeps. [`conformance_tests!`](crate::conformance_tests) makes a test of
//! each promise; a promise that is missing from the list below is dead code, which the build refuses.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a promise that is not kept ends the test that asked"
)]

mod accounts;
mod attempts;
mod audit;
mod credentials;
mod devices;
mod keys;
mod links;
mod moving;
mod outbox;
mod pictures;
mod sample;
mod sessions;
mod structure;
mod tokens;

use std::fmt;
use std::pin::Pin;

use stagedoor_identity::port::SharedStore;

pub use moving::{fill, goes_on_where_it_was};

/// Where a store under test lives. Opening it again, once the store from before is dropped, must find what was kept.
pub trait Place: Send + Sync {
    /// Opens the store that lives here.
    fn open(&self) -> SharedStore;
}

/// A promise on its way to be kept or broken.
pub type Kept<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// One promise.
#[derive(Clone, Copy)]
pub struct Promise {
    /// A sentence, words joined by `_`.
    pub name: &'static str,
    /// Tries it on a new, empty store; panics where it is broken.
    pub keep: fn(&dyn Place) -> Kept<'_>,
}

impl fmt::Debug for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Tries every promise, each on a place of its own.
pub async fn run_all<P: Place>(new_place: impl Fn() -> P) {
    for promise in PROMISES {
        (promise.keep)(&new_place()).await;
    }
}

/// Tries one promise by its name.
/// # Panics
/// Where it is broken, or where there is none of that name.
pub async fn keep(name: &str, place: &dyn Place) {
    let promise = PROMISES.iter().find(|promise| promise.name == name);
    (promise.expect("a promise of that name").keep)(place).await;
}

/// Hands the names of all promises, by file, to the macro `$then`.
#[doc(hidden)]
#[macro_export]
macro_rules! with_every_promise {
    ($then:ident $args:tt) => {
        $then! { $args
            accounts:
                a_new_account_is_read_back_whole_by_id_and_by_name
                a_name_belongs_to_one_account_also_when_many_ask_for_it_at_once
                a_change_leaves_the_rest_alone_and_raises_the_version
                a_change_of_an_older_version_is_refused_and_changes_nothing
                of_many_changes_to_one_version_one_is_made
                a_change_ends_the_sessions_it_is_told_to_end
                a_removed_account_is_gone_with_its_credentials_and_sessions
                a_removed_name_can_be_registered_again_as_another_account
                reinstating_notes_when_and_never_goes_back
                the_list_pages_through_all_names_in_their_order
                the_list_finds_part_of_a_name_or_display_name_in_any_script
                a_search_keeps_to_display_names_and_roles_where_it_is_told_to
                a_new_name_takes_failures_and_locks_along_and_frees_the_old_one
                hostile_texts_come_back_as_they_were;
            structure:
                of_many_new_accounts_at_once_as_many_are_made_as_there_are_seats
                a_seat_is_taken_by_a_change_of_role_too_and_freed_by_leaving
                seats_that_were_made_fewer_displace_nobody_and_let_nobody_in
                of_many_ways_out_at_once_the_last_of_a_role_is_left
                an_invited_or_disabled_account_does_not_stand_in_for_the_last_one
                a_role_held_by_one_is_never_held_by_two
                who_was_changed_meanwhile_changes_nobody
                the_last_used_of_a_role_are_told_in_their_order
                a_role_is_handed_over_in_one_step_and_both_are_signed_out
                of_many_hand_overs_at_once_one_is_made_and_there_is_one_head;
            devices:
                a_device_is_found_by_its_key_and_a_name_is_taken_once
                linked_devices_are_counted_and_listed_by_account
                a_session_from_a_device_ends_when_the_device_is_unlinked_or_removed;
            links:
                an_invitation_is_accepted_once_also_when_many_try_it
                a_link_is_worth_nothing_late_for_something_else_or_after_a_newer_one
                links_and_tokens_die_with_the_credentials_the_address_and_the_account
                a_reset_by_link_sets_the_password_and_ends_every_session
                a_right_to_enrol_is_used_up_with_the_enrolment
                an_address_is_confirmed_once_and_found_whatever_its_case
                a_link_and_its_letter_are_stored_together_or_not_at_all
                what_is_asked_for_is_counted_for_an_address_and_for_a_source
                of_many_askings_at_once_as_many_count_as_may;
            credentials:
                a_new_password_raises_the_version_and_ends_all_sessions_but_the_one_to_keep
                a_password_of_nobody_is_not_found
                a_rehash_replaces_the_hash_it_knows_and_raises_no_version
                a_second_factor_is_kept_and_taken_away_with_its_codes_and_sessions
                a_totp_step_is_used_once_and_never_an_earlier_one
                of_many_uses_of_one_totp_step_one_counts
                a_recovery_code_works_once_also_when_many_try_it
                without_a_second_factor_no_step_and_no_code_is_right;
            sessions:
                an_opened_session_is_read_back_whole_and_notes_the_sign_in
                of_two_hundred_sessions_opened_at_once_one_is_live
                the_oldest_session_is_displaced_and_told_by_whom
                a_full_account_refuses_and_names_the_oldest_session
                any_number_of_sessions_is_any_number
                a_limit_of_three_keeps_the_newest_three
                each_channel_has_sessions_of_its_own
                an_ended_expired_or_idle_session_takes_no_room
                what_has_changed_since_the_check_makes_the_opening_stale
                a_session_ends_once_and_keeps_its_first_reason
                all_sessions_of_an_account_end_but_the_one_to_keep
                touching_moves_times_forward_only
                expired_sessions_are_not_read_and_are_forgotten;
            attempts:
                failures_lock_a_name_for_a_source_and_only_there
                parallel_guesses_cannot_outrun_the_count
                unknown_and_known_names_count_alike
                failures_from_many_sources_lock_the_name_everywhere
                a_lock_ends_by_itself_and_the_count_starts_anew
                failures_outside_the_window_do_not_count
                a_right_attempt_takes_the_failures_from_its_source_back
                a_right_attempt_that_reached_the_limit_leaves_no_lock
                a_right_attempt_from_one_source_does_not_hide_guesses_from_others
                unlocking_a_name_ends_every_lock_of_it_and_forgets_its_failures
                one_lock_is_ended_by_its_id
                old_failures_are_forgotten_but_not_under_a_lock
                a_lock_survives_reopening
                hostile_names_and_sources_count_for_themselves_alone;
            tokens:
                a_token_is_found_by_its_hash_until_it_is_revoked
                a_token_name_is_taken_once
                tokens_are_listed_in_the_order_of_names;
            audit:
                events_come_back_whole_newest_first_and_numbered_from_one
                numbers_have_no_gap_when_many_record_at_once
                events_are_found_by_time_kind_and_support_code
                events_of_an_account_are_what_it_did_and_what_was_done_to_it
                the_audit_pages_by_number
                the_audit_of_a_removed_account_stays;
            outbox:
                a_queued_letter_is_taken_whole_once_it_is_due
                letters_are_taken_in_the_order_they_became_due
                of_many_workers_one_gets_each_letter
                a_claim_runs_out_and_what_is_told_of_it_then_is_ignored
                a_letter_that_is_being_handed_over_stays_claimed_and_is_known_for_it
                a_failed_letter_is_due_at_its_next_try_and_counts_its_failures
                a_sent_or_given_up_letter_is_gone
                a_worker_that_starts_again_finds_what_it_had_claimed_and_no_other_does
                a_full_outbox_refuses_and_keeps_what_it_has
                a_newer_letter_of_the_same_use_takes_the_place_of_the_one_that_waits
                letters_go_with_their_account_and_none_is_queued_for_nobody
                waiting_letters_are_listed_with_why_they_wait
                waiting_letters_survive_reopening
                a_disuse_is_warned_of_once_with_its_letter_or_not_at_all;
            pictures:
                an_account_has_one_picture_that_is_replaced_and_goes_with_it
                of_many_pictures_at_once_one_is_kept_whole;
            keys:
                a_key_is_made_once_also_when_many_ask
                the_same_policy_keeps_its_number_and_another_gets_the_next
                the_newest_policy_is_read_back_whole_and_older_ones_by_their_text
                a_policy_that_is_to_follow_another_than_the_newest_is_not_noted
                a_policy_that_was_lost_is_put_back_under_its_number_and_no_older_one_is
                one_policy_noted_by_many_at_once_has_one_number
                reopening_keeps_everything;
        }
    };
}

macro_rules! table {
    ({} $($file:ident: $($name:ident)+;)+) => {
        /// Every promise.
        pub const PROMISES: &[Promise] = &[
            $($(Promise { name: stringify!($name), keep: |place| Box::pin($file::$name(place)) },)+)+
        ];
    };
}
with_every_promise!(table {});

/// Makes one test of each promise: `conformance_tests!(NewPlace::new)`, given a function that makes a new, empty [`Place`].
#[macro_export]
macro_rules! conformance_tests {
    ($new_place:path) => {
        use $crate::{conformance_test_each, with_every_promise};
        with_every_promise!(conformance_test_each { $new_place });
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_test_each {
    ({ $new_place:path } $($file:ident: $($name:ident)+;)+) => {
        $(mod $file {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $name() {
                    $crate::conformance::keep(stringify!($name), &$new_place()).await;
                }
            )+
        })+
    };
}
