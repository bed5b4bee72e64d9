//! One session where one is allowed, on any two doors, once the later sign-in has been answered.

use futures_util::future::join_all;
use http::Method;
use rustix::process::Signal;

use super::*;

const ROUNDS: usize = 12;
const AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn once_a_later_sign_in_is_answered_no_door_serves_the_former_session() {
    let stage = Stage::open().await;
    stage.add("ada").await;
    let mut former: Option<Visitor> = None;
    for round in 0..ROUNDS {
        let (here, there) = if round % 2 == 0 {
            (&stage.one, &stage.two)
        } else {
            (&stage.two, &stage.one)
        };
        let latest = here.signed_in_patiently("console", "ada").await;
        if let Some(former) = former {
            let (at_once, elsewhere) = (there.visited_by(&former), here.visited_by(&former));
            let (one, two) = tokio::join!(ask(&at_once), ask(&elsewhere));
            assert_eq!((one.status.as_u16(), two.status.as_u16()), (401, 401), "round {round}");
        }
        // Whoever signed in at one door is known at the other with the very next request.
        ask(&there.visited_by(&latest)).await.expect(200);
        former = Some(latest);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sign_ins_at_both_doors_at_once_one_session_is_left_and_both_doors_know_which() {
    let stage = Stage::open().await;
    stage.add("ada").await;
    let all = (0..AT_ONCE).map(|number| {
        let door = if number % 2 == 0 { &stage.one } else { &stage.two };
        door.signed_in_patiently("console", "ada")
    });
    let visitors = join_all(all).await;
    let mut served = Vec::new();
    for (number, visitor) in visitors.iter().enumerate() {
        let (one, two) = (
            ask(&stage.one.visited_by(visitor)).await,
            ask(&stage.two.visited_by(visitor)).await,
        );
        assert_eq!(one.status, two.status, "the doors disagree about visitor {number}");
        if one.status == 200 {
            served.push(number);
        }
    }
    assert_eq!(served.len(), 1, "served: {served:?}");
    assert_eq!(stage.two.admin().sessions("ada").await.len(), 1);
}

/// The end is made before the sign-in and answered after it, since it waits for a door that is silent.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_in_behind_an_end_that_is_not_answered_yet_is_let_in_at_both_doors() {
    const LEASE: &str = "3s";
    let stage = Stage::leased(LEASE).await;
    let former = stage.signed_in("ada").await;
    let mut third = stage.third(LEASE).await;
    third.process().signal(Signal::STOP);
    let admin = stage.one.admin();
    let end = admin.ask(Method::DELETE, "/v1/sessions?account=ada", None);
    let sign_in = async {
        let elsewhere = stage.two.visited_by(&former);
        eventually("the former session is over", PATIENCE, async || {
            (ask(&elsewhere).await.status == 401).then_some(())
        })
        .await;
        stage.two.signed_in_patiently("console", "ada").await
    };
    let (ended, latest) = tokio::join!(end, sign_in);
    ended.expect(200);
    for visitor in stage.at_both(&latest) {
        let answer = ask(&visitor).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    third.process().signal(Signal::CONT);
}
