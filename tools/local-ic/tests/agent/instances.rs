//! Agents of PocketIC instances.

use ic_agent::identity::Identity;
use pocket_ic::nonblocking::PocketIc;
use pocket_ic::{PocketIcBuilder, Time};

use crate::{CANISTER, agent, controller};

/// An instance with a canister.
async fn instance() -> (PocketIc, candid::Principal) {
    let pic = PocketIcBuilder::new()
        .with_server_binary(env!("CARGO_BIN_EXE_local-ic").into())
        .with_nns_subnet()
        .with_application_subnet()
        .build_async()
        .await;
    let sender = controller().sender().unwrap();
    let canister = pic.create_canister_with_settings(Some(sender), None).await;
    let module = wat::parse_str(CANISTER).unwrap();
    pic.install_canister(canister, module, vec![], Some(sender))
        .await;
    (pic, canister)
}

#[tokio::test]
async fn a_live_instance_answers_agents_under_both_of_its_urls() {
    let (mut pic, canister) = instance().await;
    let gateway = pic.make_live(None).await;
    for url in [gateway, pic.auto_progress().await] {
        let agent = agent(url.as_str(), controller()).await;
        let me = agent.get_principal().unwrap();
        assert_eq!(Some(agent.read_root_key()), pic.root_key().await);
        let seen = agent.query(&canister, "whoami").call().await.unwrap();
        assert_eq!(seen, me.as_slice());
        let seen = agent.update(&canister, "who_am_i").await.unwrap();
        assert_eq!(seen, me.as_slice());
    }
    pic.drop().await;
}

#[tokio::test]
async fn an_instance_that_is_not_live_has_a_time_of_its_own() {
    let (pic, canister) = instance().await;
    pic.set_time(Time::from_nanos_since_unix_epoch(1_700_000_000_000_000_000))
        .await;
    let url = format!("{}instances/{}/", pic.get_server_url(), pic.instance_id);
    let agent = agent(url.as_str(), controller()).await;
    let refused = agent.update(&canister, "who_am_i").await.unwrap_err();
    assert!(refused.to_string().contains("ingress_expiry"), "{refused}");
    pic.drop().await;
}
