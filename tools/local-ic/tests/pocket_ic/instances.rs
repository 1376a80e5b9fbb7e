//! Instances: apart from each other, of the subnets asked for, and refused
//! when they ask for what is not here.

use pocket_ic::common::rest::{IcpFeatures, IcpFeaturesConfig};
use pocket_ic::nonblocking;

use super::{add, builder, counter, pocket_ic, value, with_counter};

#[test]
fn instances_know_nothing_of_each_other() {
    let (first, canister) = with_counter();
    let (second, same) = with_counter();
    assert_eq!(canister, same);
    add(&first, canister);
    assert_eq!((value(&first, canister), value(&second, canister)), (1, 0));
    drop(first);
    assert_eq!(add(&second, canister), 1);
}

#[test]
fn the_topology_shows_the_subnets_asked_for() {
    let pic = builder()
        .with_nns_subnet()
        .with_application_subnet()
        .with_benchmarking_application_subnet()
        .build();
    let topology = pic.topology();
    assert_eq!(topology.subnet_configs.len(), 3);
    assert!(topology.get_nns().is_some());
    assert_eq!(topology.get_app_subnets().len(), 2);
    assert_eq!(topology.get_benchmarking_app_subnets().len(), 1);

    for subnet in topology.get_app_subnets() {
        let canister = pic.create_canister_on_subnet(None, None, subnet);
        assert_eq!(pic.get_subnet(canister), Some(subnet));
        assert_eq!(topology.get_subnet(canister), Some(subnet));
        pic.install_canister(canister, counter(), vec![], None);
        assert_eq!(add(&pic, canister), 1);
    }
}

#[test]
fn the_root_key_is_the_nns_subnets() {
    let pic = builder()
        .with_nns_subnet()
        .with_application_subnet()
        .build();
    let key = pic.root_key().unwrap();
    assert_eq!(key.len(), 133);
    let nns = candid::Principal::self_authenticating(&key);
    assert_eq!(pic.topology().get_nns(), Some(nns));
    assert_eq!(pocket_ic().root_key(), None);
}

#[test]
fn a_canister_that_does_not_exist_is_on_no_subnet() {
    let pic = pocket_ic();
    let canister = pic.create_canister();
    assert!(pic.canister_exists(canister));
    let next = candid::Principal::from_text("lqy7q-dh777-77777-aaaaq-cai").unwrap();
    assert!(!pic.canister_exists(next));
}

#[test]
#[should_panic(expected = "at least one subnet")]
fn an_instance_without_subnets_is_refused() {
    builder().build();
}

/// What the genuine server has and local-ic has not.
mod not_supported {
    use super::*;

    #[test]
    #[should_panic(expected = "not supported by local-ic: icp_features")]
    fn icp_features() {
        let features = IcpFeatures {
            icp_token: Some(IcpFeaturesConfig::DefaultConfig),
            ..IcpFeatures::default()
        };
        builder()
            .with_application_subnet()
            .with_icp_features(features)
            .build();
    }

    #[test]
    #[should_panic(expected = "not supported by local-ic: state_dir")]
    fn state() {
        let state = pocket_ic::PocketIcState::new();
        builder()
            .with_application_subnet()
            .with_state(state)
            .build();
    }

    #[test]
    #[should_panic(expected = "not supported by local-ic: GET /instances/0/read/get_canister_http")]
    fn http_outcalls() {
        // A server of its own, so that the instance is the first.
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let server = local_ic::server::Server::bind(([127, 0, 0, 1], 0).into())
                .await
                .unwrap();
            let url = format!("http://{}/", server.address()).parse().unwrap();
            tokio::spawn(server.run(local_ic::server::Lifetime::default()));
            let pic = pocket_ic::PocketIcBuilder::new()
                .with_server_url(url)
                .with_application_subnet()
                .build_async()
                .await;
            pic.get_canister_http().await;
        });
    }
}

#[tokio::test]
async fn the_asynchronous_library_works_as_well() {
    let pic: nonblocking::PocketIc = builder().with_application_subnet().build_async().await;
    let canister = pic.create_canister().await;
    pic.install_canister(canister, counter(), vec![], None)
        .await;
    let anonymous = candid::Principal::anonymous();
    let reply = pic
        .update_call(canister, anonymous, "add", vec![])
        .await
        .unwrap();
    assert_eq!(reply, 1u32.to_le_bytes());
    pic.drop().await;
}
