//! Whatever happens in whatever order, no account has more live sessions than the rule allows, and memory never takes a
//! session for live that the store has ended.

use super::*;
use crate::port::Sessions as _;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    SignIn { client: bool },
    Use(usize),
    SignOut(usize),
    Wait(u64),
    KeepHouse,
    Idle(u64),
    PerAccount(u32),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => any::<bool>().prop_map(|client| Step::SignIn { client }),
        4 => (0..8_usize).prop_map(Step::Use),
        1 => (0..8_usize).prop_map(Step::SignOut),
        4 => (1..40_u64).prop_map(|minutes| Step::Wait(minutes * 60)),
        2 => Just(Step::KeepHouse),
        1 => (5..60_u64).prop_map(|minutes| Step::Idle(minutes * 60)),
        1 => (1..3_u32).prop_map(Step::PerAccount),
        1 => Just(Step::Reopen),
    ]
}

/// A stage, the rules in force and every token handed out.
struct Play {
    stage: Stage,
    rules: Rules,
    tokens: Vec<SessionToken>,
}

impl Play {
    async fn take(&mut self, step: Step) {
        match step {
            Step::SignIn { client } => {
                let channel = if client { "client" } else { "browser" }.to_owned();
                let open = self
                    .stage
                    .opened(Attempt {
                        channel: channel.clone(),
                        ..attempt("ann", PASSWORD)
                    })
                    .await;
                self.tokens.push(open.token);
                // A lower limit is for sessions opened from then on: each sign-in brings its channel down to it.
                let live = self.stage.door.sessions().into_iter();
                let here = live.filter(|(record, _)| record.channel == channel).count();
                assert!(here <= usize::try_from(self.rules.session.per_account).unwrap());
            }
            Step::Use(number) => {
                let token = self.tokens.iter().rev().nth(number);
                if let Some(Lookup::Live(session)) = token.map(|token| self.stage.look_up(token)) {
                    self.stage.door.used(&session, self.stage.clock.now());
                }
            }
            Step::SignOut(number) => {
                if let Some(token) = self.tokens.iter().rev().nth(number) {
                    self.stage.door.sign_out(token, &origin(HERE)).await.unwrap();
                    assert!(!self.stage.is_live(token));
                }
            }
            Step::Wait(seconds) => self.stage.wait(seconds),
            Step::KeepHouse => self.stage.door.keep_house().await.unwrap(),
            Step::Idle(seconds) => self.rules.session.idle = Duration::from_secs(seconds),
            Step::PerAccount(count) => self.rules.session.per_account = count,
            Step::Reopen => {
                // As at an orderly shutdown; after a crash the last ten seconds of use are lost, which ends earlier only.
                self.stage.door.keep_house().await.unwrap();
                self.stage = self.stage.reopened().await;
            }
        }
        self.stage.policy.swap(compiled(&self.rules));
    }

    async fn memory_agrees_with_the_store(&self) {
        let stored = self.stage.store.sessions(self.stage.clock.now()).await.unwrap();
        for (record, _) in self.stage.door.sessions() {
            let known = stored.iter().find(|other| other.id == record.id);
            assert!(known.is_some_and(|known| known.ended.is_none()), "{record:?}");
        }
        let live = self.tokens.iter().filter(|token| self.stage.is_live(token)).count();
        assert_eq!(live, self.stage.door.sessions().len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_steps_leaves_more_sessions_live_than_the_rule_allows(
        steps in proptest::collection::vec(step(), 1..24)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let rules = rules();
            let stage = Stage::with(rules.clone()).await;
            stage.account("ann").await;
            let mut play = Play { stage, rules, tokens: Vec::new() };
            for step in steps {
                play.take(step).await;
                play.memory_agrees_with_the_store().await;
            }
        });
    }
}
