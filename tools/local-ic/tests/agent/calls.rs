//! Calls and queries, answered and rejected.

use std::time::Duration;

use candid::{Decode, Encode, Principal};
use ic_agent::agent::{
    CallResponse, EffectiveId, RejectCode, RejectResponse, RequestStatusResponse,
};
use ic_agent::{Agent, AgentError};
use ic_management_canister_types::{
    CanisterIdRecord, CanisterStatusResult, FetchCanisterLogsResult,
    ProvisionalCreateCanisterWithCyclesArgs,
};
use local_ic::SubnetKind;

use crate::{Live, controller, stranger};

/// The reject a call ended in, and whether the subnet vouches for it.
fn rejected<T: std::fmt::Debug>(result: Result<T, AgentError>) -> (RejectResponse, bool) {
    match result {
        Err(AgentError::CertifiedReject { reject, .. }) => (reject, true),
        Err(AgentError::UncertifiedReject { reject, .. }) => (reject, false),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_answered_wherever_the_root_key_is() {
    for subnets in [
        vec![SubnetKind::Application],
        vec![SubnetKind::Nns, SubnetKind::Application],
    ] {
        let live = Live::with_subnets(subnets).await;
        let agent = live.agent(controller()).await;
        for expected in [1, 2] {
            let count = agent.update(&live.canister, "count").await.unwrap();
            assert_eq!(count, [expected, 0, 0, 0]);
        }
        let query = agent.query(&live.canister, "whoami").call().await.unwrap();
        assert_eq!(
            Principal::from_slice(&query),
            agent.get_principal().unwrap()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_have_codes_in_certificates_and_signed_answers() {
    let live = Live::new().await;
    let agent = live.agent(controller()).await;
    for (method, code, error, message, certified) in [
        ("trap", RejectCode::CanisterError, "IC0503", "no", true),
        ("reject", RejectCode::CanisterReject, "IC0406", "no", true),
        (
            "missing",
            RejectCode::CanisterError,
            "IC0536",
            "Canister has no update method 'missing'",
            true,
        ),
        (
            "never_accepted_by_inspection",
            RejectCode::CanisterReject,
            "IC0406",
            "Canister rejected the message",
            false,
        ),
    ] {
        let (reject, by_subnet) = rejected(agent.update(&live.canister, method).await);
        assert_eq!(reject.reject_code, code, "{method}");
        assert_eq!(reject.error_code.as_deref(), Some(error), "{method}");
        assert!(reject.reject_message.contains(message), "{reject:?}");
        assert_eq!(by_subnet, certified, "{method}");
    }
    for (method, error) in [("trapping", "IC0503"), ("missing", "IC0536")] {
        // The agent has checked the node's signature of the reject.
        let (reject, _) = rejected(agent.query(&live.canister, method).call().await);
        assert_eq!(reject.error_code.as_deref(), Some(error), "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn canisters_that_are_not_there_are_told_apart_from_those_that_cannot_be() {
    let live = Live::new().await;
    let agent = live.agent(controller()).await;
    let unused = Principal::from_text("lqy7q-dh777-77777-aaaaq-cai").unwrap();
    let (reject, _) = rejected(agent.query(&unused, "whoami").call().await);
    assert_eq!(reject.reject_code, RejectCode::DestinationInvalid);
    assert_eq!(reject.error_code.as_deref(), Some("IC0301"));

    let foreign = Principal::from_text("ss2fx-dyaaa-aaaar-qacoq-cai").unwrap();
    match agent.update(&foreign, "whoami").call().await {
        Err(AgentError::HttpError(payload)) => {
            let text = String::from_utf8(payload.content).unwrap();
            assert!(text.contains("canister_not_found"), "{text}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_submitted_twice_is_executed_once() {
    let live = Live::new().await;
    let agent = live.agent(controller()).await;
    let signed = agent.update(&live.canister, "count").sign().unwrap();
    let mut answers = Vec::new();
    for _ in 0..2 {
        let answer = agent
            .update_signed(live.canister, signed.signed_update.clone())
            .await
            .unwrap();
        let CallResponse::Response(answer) = answer else {
            panic!("{answer:?}");
        };
        answers.push(answer);
    }
    assert_eq!(answers, [[1, 0, 0, 0], [1, 0, 0, 0]]);
}

/// Asks for the status of a call until there is an answer.
async fn poll(agent: &Agent, live: &Live, id: ic_agent::RequestId) -> Vec<u8> {
    loop {
        match agent
            .request_status_raw(&id, live.canister)
            .await
            .unwrap()
            .0
        {
            RequestStatusResponse::Replied(reply) => return reply.arg,
            RequestStatusResponse::Received | RequestStatusResponse::Processing => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_asynchronous_call_is_polled_for() {
    let live = Live::new().await;
    let agent = live.agent(controller()).await;
    let signed = agent.update(&live.canister, "count").sign().unwrap();
    let response = live.post(2, "call", signed.signed_update).await;
    assert_eq!((response.status, &*response.body), (202, &b""[..]));
    assert_eq!(poll(&agent, &live, signed.request_id).await, [1, 0, 0, 0]);

    // The status is the sender's own business.
    let other = live.agent(stranger()).await;
    match other
        .request_status_raw(&signed.request_id, live.canister)
        .await
    {
        Err(AgentError::HttpError(payload)) => assert_eq!(payload.status, 403, "{payload}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_was_never_made_is_provably_unknown() {
    let live = Live::new().await;
    let agent = live.agent(controller()).await;
    let id = ic_agent::RequestId::new(&[5; 32]);
    let (status, _) = agent.request_status_raw(&id, live.canister).await.unwrap();
    assert_eq!(status, RequestStatusResponse::Unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn canisters_are_created_and_managed() {
    let live = Live::new().await;
    let agent = live.agent(controller()).await;
    let management = Principal::management_canister();
    let subnet = live.network.lock().unwrap().subnet_of(live.canister);
    let create = || {
        let arguments = ProvisionalCreateCanisterWithCyclesArgs::default();
        agent
            .update(&management, "provisional_create_canister_with_cycles")
            .with_arg(Encode!(&arguments).unwrap())
    };
    let of_subnet = create().sign().unwrap();
    let of_subnet = agent
        .update_signed(
            EffectiveId::Subnet(subnet.unwrap()),
            of_subnet.signed_update,
        )
        .await;
    let Ok(CallResponse::Response(of_subnet)) = of_subnet else {
        panic!("{of_subnet:?}");
    };
    let of_canister = create().with_effective_canister_id(live.canister).await;
    for reply in [of_subnet, of_canister.unwrap()] {
        let record = Decode!(&reply, CanisterIdRecord).unwrap();
        let created = record.canister_id;
        let argument = Encode!(&record).unwrap();
        let status = agent
            .update(&management, "canister_status")
            .with_arg(argument.clone())
            .with_effective_canister_id(created)
            .await
            .unwrap();
        let status = Decode!(&status, CanisterStatusResult).unwrap();
        assert_eq!(
            status.settings.controllers,
            [agent.get_principal().unwrap()]
        );

        let other = live.agent(stranger()).await;
        let stop = other
            .update(&management, "stop_canister")
            .with_arg(argument)
            .with_effective_canister_id(created);
        let (reject, certified) = rejected(stop.await);
        assert_eq!(reject.error_code.as_deref(), Some("IC0512"));
        assert!(!certified);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_queried_where_their_canister_is() {
    let live = Live::new().await;
    let agent = live.agent(controller()).await;
    rejected(agent.update(&live.canister, "trap").await);
    let record = CanisterIdRecord {
        canister_id: live.canister,
    };
    let reply = agent
        .query(&Principal::management_canister(), "fetch_canister_logs")
        .with_arg(Encode!(&record).unwrap())
        .with_effective_canister_id(live.canister)
        .await
        .unwrap();
    let logs = Decode!(&reply, FetchCanisterLogsResult).unwrap();
    assert_eq!(logs.canister_log_records[0].content, b"[TRAP]: no");
}
