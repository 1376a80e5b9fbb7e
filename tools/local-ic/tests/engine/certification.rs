//! Certified data, certificates, and what verifiers make of them.

use candid::Principal;
use ic_certification::{Certificate, LookupResult};
use ic_http_certification::utils::{
    add_skip_certification_header, skip_certification_certified_data,
};
use ic_http_certification::{HttpRequest, HttpResponse};
use ic_response_verification::verify_request_response_pair;
use local_ic::{Config, Effective, ErrorCode, Ingress, InstallMode, Network, SubnetKind};

use crate::{caller, install, installed, number, query, update};

const CERTIFIER: &str = r#"
    (func $certify
        (call $msg_arg_data_copy (i32.const 100) (i32.const 0) (call $msg_arg_data_size))
        (call $certified_data_set (i32.const 100) (call $msg_arg_data_size)))
    (func (export "canister_update certify") (call $certify) (call $msg_reply))
    (func (export "canister_update certify_and_trap") (call $certify) (unreachable))
    (func $certificate
        (call $data_certificate_copy (i32.const 1000) (i32.const 0) (call $data_certificate_size))
        (call $msg_reply_data_append (i32.const 1000) (call $data_certificate_size))
        (call $msg_reply))
    (func (export "canister_query certificate") (call $certificate))
    (func (export "canister_composite_query certificate_of_composite") (call $certificate))
    (func (export "canister_update certificate_of_update") (call $certificate))
    (func (export "canister_query present") (call $reply32 (call $data_certificate_present)))
"#;

const FIVE_MINUTES: u128 = 300_000_000_000;

fn certifier(subnets: &[SubnetKind]) -> (Network, Principal) {
    let mut network = Network::new(Config::new(subnets.iter().copied())).unwrap();
    let canister = network.create_canister(caller());
    install(&mut network, canister, InstallMode::Install, CERTIFIER).unwrap();
    (network, canister)
}

fn verify(network: &Network, canister: Principal, certificate: Vec<u8>) -> Result<(), String> {
    let mut response = HttpResponse::builder().build();
    add_skip_certification_header(certificate, &mut response);
    verify_request_response_pair(
        HttpRequest::get("/anything").build(),
        response,
        canister.as_slice(),
        u128::from(network.time()),
        FIVE_MINUTES,
        network.root_key(),
        2,
    )
    .map(|_| ())
    .map_err(|error| format!("{error:?}"))
}

fn certify(network: &mut Network, canister: Principal, data: &[u8]) {
    network
        .update(caller(), canister, "certify", data.to_vec())
        .unwrap();
}

#[test]
fn verifiers_accept_what_a_canister_certified_on_any_subnet() {
    let alone = [SubnetKind::Application];
    let beside_the_root = [SubnetKind::Nns, SubnetKind::Application];
    let on_the_root = [SubnetKind::System];
    for subnets in [&alone[..], &beside_the_root, &on_the_root] {
        let (mut network, canister) = certifier(subnets);
        certify(&mut network, canister, &skip_certification_certified_data());
        let certificate = query(&mut network, canister, "certificate").unwrap();
        verify(&network, canister, certificate.clone()).unwrap();
        assert_eq!(
            query(&mut network, canister, "certificate_of_composite").unwrap(),
            certificate
        );

        certify(&mut network, canister, &[0; 32]);
        let other = query(&mut network, canister, "certificate").unwrap();
        verify(&network, canister, other).unwrap_err();
    }
}

#[test]
fn another_root_key_or_another_canister_does_not_verify() {
    let (mut network, canister) = certifier(&[SubnetKind::Nns, SubnetKind::Application]);
    certify(&mut network, canister, &skip_certification_certified_data());
    let certificate = query(&mut network, canister, "certificate").unwrap();
    let (other, _) = certifier(&[SubnetKind::Application]);
    assert_ne!(other.root_key(), network.root_key());
    verify(&other, canister, certificate.clone()).unwrap_err();

    let elsewhere = Principal::from_text("ryjl3-tyaaa-aaaaa-aaaba-cai").unwrap();
    let error = verify(&network, elsewhere, certificate).unwrap_err();
    assert!(error.contains("PrincipalOutOfRange"), "{error}");
}

#[test]
fn a_certificate_is_as_old_as_the_network() {
    let (mut network, canister) = certifier(&[SubnetKind::Application]);
    certify(&mut network, canister, &skip_certification_certified_data());
    let certificate = query(&mut network, canister, "certificate").unwrap();
    network.set_time(network.time() + 299_000_000_000).unwrap();
    verify(&network, canister, certificate.clone()).unwrap();
    network.set_time(network.time() + 2_000_000_000).unwrap();
    verify(&network, canister, certificate).unwrap_err();
    let fresh = query(&mut network, canister, "certificate").unwrap();
    verify(&network, canister, fresh).unwrap();
}

#[test]
fn only_queries_have_a_certificate() {
    let (mut network, canister) = certifier(&[SubnetKind::Application]);
    assert_eq!(
        number(&query(&mut network, canister, "present").unwrap()),
        1
    );
    assert_eq!(
        number(&update(&mut network, canister, "present").unwrap()),
        0
    );
    let reject = update(&mut network, canister, "certificate_of_update").unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterContractViolation);
}

#[test]
fn certified_data_is_at_most_32_bytes_and_undone_by_a_trap() {
    let (mut network, canister) = certifier(&[SubnetKind::Application]);
    certify(&mut network, canister, &[1; 32]);
    let reject = network
        .update(caller(), canister, "certify", vec![2; 33])
        .unwrap_err();
    assert_eq!(reject.error_code, ErrorCode::CanisterContractViolation);
    network
        .update(caller(), canister, "certify_and_trap", vec![3; 32])
        .unwrap_err();
    assert_eq!(network.certified_data(canister), Some(vec![1; 32]));
}

#[test]
fn certified_data_outlives_upgrades_and_not_reinstalls() {
    let (mut network, canister) = certifier(&[SubnetKind::Application]);
    certify(&mut network, canister, b"data");
    install(
        &mut network,
        canister,
        InstallMode::Upgrade(None),
        CERTIFIER,
    )
    .unwrap();
    assert_eq!(network.certified_data(canister), Some(b"data".to_vec()));
    install(&mut network, canister, InstallMode::Reinstall, CERTIFIER).unwrap();
    assert_eq!(network.certified_data(canister), Some(vec![]));
}

#[test]
fn read_state_shows_canisters_and_messages_and_proves_absence() {
    let (mut network, canister) = certifier(&[SubnetKind::Nns, SubnetKind::Application]);
    let submit = |network: &mut Network, method: &str| {
        let ingress = Ingress {
            sender: caller(),
            canister_id: canister,
            effective: Effective::None,
            method: method.into(),
            payload: vec![9; 4],
        };
        network.submit(ingress).unwrap().0.0
    };
    let replied = submit(&mut network, "certify");
    let rejected = submit(&mut network, "certify_and_trap");
    network.round();
    let received = submit(&mut network, "certify");

    let path = |labels: &[&[u8]]| {
        labels
            .iter()
            .map(|label| label.to_vec())
            .collect::<Vec<_>>()
    };
    let of_canister = |label: &[u8]| path(&[b"canister", canister.as_slice(), label]);
    let status = |id: &[u8; 32], label: &[u8]| path(&[b"request_status", id, label]);
    let asked = [
        of_canister(b"certified_data"),
        of_canister(b"module_hash"),
        path(&[b"canister", canister.as_slice(), b"metadata", b"missing"]),
        path(&[b"request_status", &replied]),
        path(&[b"request_status", &rejected]),
        path(&[b"request_status", &received]),
        path(&[b"request_status", &[1; 32]]),
    ];
    let subnet = network.subnet_of(canister).unwrap();
    let certificate = network.read_state(subnet, &asked).unwrap();
    let certificate: Certificate = parse(&certificate);
    let tree = &certificate.tree;
    let found = |path: Vec<Vec<u8>>| match tree.lookup_path(path) {
        LookupResult::Found(value) => value.to_vec(),
        other => panic!("{other:?}"),
    };
    assert_eq!(found(asked[0].clone()), [9; 4]);
    assert_eq!(
        found(asked[1].clone()),
        network.module_hash(canister).unwrap()
    );
    assert_eq!(found(status(&replied, b"status")), b"replied");
    assert_eq!(found(status(&rejected, b"reject_code")), [5]);
    assert_eq!(found(status(&rejected, b"error_code")), b"IC0502");
    assert_eq!(found(status(&received, b"status")), b"received");
    assert!(matches!(tree.lookup_path(&asked[2]), LookupResult::Absent));
    assert!(matches!(tree.lookup_path(&asked[6]), LookupResult::Absent));
    assert!(certificate.delegation.is_some());
    assert!(network.read_state(caller(), &asked).is_none());
}

/// Reads a certificate with the parser that gateways use.
fn parse(certificate: &[u8]) -> Certificate {
    use ic_cbor::CertificateToCbor;

    Certificate::from_cbor(certificate).unwrap()
}

#[test]
fn queries_in_a_row_share_a_signature() {
    let (mut network, canister) = installed(CERTIFIER);
    let first = query(&mut network, canister, "certificate").unwrap();
    assert_eq!(query(&mut network, canister, "certificate").unwrap(), first);
    network.round();
    assert_ne!(query(&mut network, canister, "certificate").unwrap(), first);
}
