//! Reading certified state.

use ic_agent::AgentError;
use ic_agent::agent::subnet::SubnetType;
use ic_agent::hash_tree::{Label, LookupResult};

use crate::{Live, controller, stranger};

/// The status of the response that a request was refused with, and its body.
fn refusal<T: std::fmt::Debug>(result: Result<T, AgentError>) -> (u16, String) {
    match result {
        Err(AgentError::HttpError(payload)) => {
            (payload.status, String::from_utf8(payload.content).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_canister_is_can_be_read() {
    let live = Live::new().await;
    let agent = live.agent(stranger()).await;
    let hash = agent.read_state_canister_module_hash(live.canister).await;
    let expected = live.network.lock().unwrap().module_hash(live.canister);
    assert_eq!(hash.unwrap(), expected.unwrap());
    let controllers = agent.read_state_canister_controllers(live.canister).await;
    assert_eq!(controllers.unwrap(), [controller_id()]);
    let service = agent
        .read_state_canister_metadata(live.canister, "candid:service")
        .await;
    assert_eq!(service.unwrap(), b"service : {}");
}

fn controller_id() -> candid::Principal {
    use ic_agent::Identity;
    controller().sender().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_proved_to_be() {
    let live = Live::new().await;
    let agent = live.agent(stranger()).await;
    for name in ["a", "dfx", "zzz"] {
        let metadata = agent.read_state_canister_metadata(live.canister, name);
        match metadata.await {
            Err(AgentError::LookupPathAbsent(_)) => {}
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn private_metadata_is_for_controllers() {
    let live = Live::new().await;
    let read = async |agent: ic_agent::Agent| {
        agent
            .read_state_canister_metadata(live.canister, "secret")
            .await
    };
    let secret = read(live.agent(controller()).await).await;
    assert_eq!(secret.unwrap(), b"the secret");
    let (status, text) = refusal(read(live.agent(stranger()).await).await);
    assert_eq!(status, 403);
    assert!(text.contains("\"secret\" is private"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn subnets_are_described() {
    let live = Live::new().await;
    let agent = live.agent(stranger()).await;
    let by_canister = agent.get_subnet_by_canister(&live.canister).await.unwrap();
    assert_eq!(by_canister.subnet_type(), Some(&SubnetType::Application));
    assert!(by_canister.contains_canister(&live.canister));
    assert_eq!(by_canister.iter_nodes().count(), 1);
    let by_id = agent.fetch_subnet_by_id(&by_canister.id()).await.unwrap();
    assert_eq!(by_id.id(), by_canister.id());
    assert!(by_id.contains_canister(&live.canister));
}

#[tokio::test(flavor = "multi_thread")]
async fn subnets_count() {
    let live = Live::new().await;
    let agent = live.agent(controller()).await;
    let subnet = live.network.lock().unwrap().subnet_of(live.canister);
    let subnet = subnet.unwrap();
    let metrics = agent.read_state_subnet_metrics(subnet).await.unwrap();
    assert_eq!(metrics.num_canisters, 1);
    assert_eq!(metrics.canister_state_bytes, 1 << 16);
    assert_eq!(metrics.update_transactions_total, 0);
    agent.update(&live.canister, "count").await.unwrap();
    let metrics = agent.read_state_subnet_metrics(subnet).await.unwrap();
    assert_eq!(metrics.update_transactions_total, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn canister_ranges_are_apart_from_version_3_on() {
    let live = Live::new().await;
    let (root, other) = {
        let network = live.network.lock().unwrap();
        let ids: Vec<_> = network.subnets().iter().map(|subnet| subnet.id).collect();
        (ids[0], ids[1])
    };
    let agent = live.agent(stranger()).await;
    let ranges = |id: candid::Principal| -> Vec<Label<Vec<u8>>> {
        vec![
            "subnet".into(),
            id.as_slice().into(),
            "canister_ranges".into(),
        ]
    };
    let subnets = vec![vec!["subnet".into()]];
    let certificate = agent.read_state_raw(subnets, live.canister).await.unwrap();
    let tree = &certificate.tree;
    assert!(matches!(
        tree.lookup_path(ranges(root)),
        LookupResult::Found(_)
    ));
    assert_eq!(tree.lookup_path(ranges(other)), LookupResult::Unknown);
    let absent: [Label<Vec<u8>>; 2] = ["subnet".into(), "nobody".into()];
    assert_eq!(tree.lookup_path(&absent), LookupResult::Absent);

    let asked = agent
        .read_state_raw(vec![ranges(root)], live.canister)
        .await;
    assert!(asked.is_ok(), "{asked:?}");
    let (status, text) = refusal(
        agent
            .read_state_raw(vec![ranges(other)], live.canister)
            .await,
    );
    assert_eq!(status, 400);
    assert!(text.contains("/canister_ranges/<id>"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_paths_of_the_interface_are_read() {
    let live = Live::new().await;
    let agent = live.agent(controller()).await;
    let canister = live.canister.as_slice();
    let other = candid::Principal::from_text("lqy7q-dh777-77777-aaaaq-cai").unwrap();
    type Path<'a> = [&'a [u8]];
    let certified_data: &Path = &[b"canister", canister, b"certified_data"];
    let cases: [(&[&Path], u16, &str); 7] = [
        (
            &[certified_data],
            404,
            "Nobody may read the path /canister/",
        ),
        (&[&[b"canister"]], 404, "/canister"),
        (&[&[]], 404, "Nobody may read the path"),
        (
            &[&[b"canister", other.as_slice(), b"module_hash"]],
            400,
            "The path is about canister lqy7q-dh777-77777-aaaaq-cai, but the URL names canister",
        ),
        (
            &[&[b"canister_ranges", b"x"]],
            400,
            "is read at /api/v3/subnet/<id>/read_state",
        ),
        (
            &[
                &[b"request_status", &[1; 32]],
                &[b"request_status", &[2; 32]],
            ],
            400,
            "more than one request id",
        ),
        (
            &[&[b"request_status", b"short"]],
            404,
            "/request_status/short",
        ),
    ];
    for (paths, status, reason) in cases {
        let paths: Vec<Vec<Label<Vec<u8>>>> = paths
            .iter()
            .map(|path| path.iter().map(|label| label.to_vec().into()).collect())
            .collect();
        let (actual, text) = refusal(agent.read_state_raw(paths, live.canister).await);
        assert_eq!(actual, status, "{text}");
        assert!(text.contains(reason), "{text}");
    }
}
