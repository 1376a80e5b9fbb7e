//! A canister in a browser's eyes: engine, certificates and gateway together.

#[path = "../http/mod.rs"]
mod http;
mod page;

use std::sync::{Arc, Mutex};

use candid::Principal;
use local_ic::gateway::Gateway;
use local_ic::{Clock, Config, InstallMode, Local, Network, SubnetKind};
use pocket_ic::{PocketIc, PocketIcBuilder};
use tokio::net::TcpListener;

use page::Page;

const BODY: &str = "<h1>certified</h1>";
const FORGED: &str = "<h1>forgeries</h1>";

/// A live instance, and a canister on it that serves a page.
struct Live {
    pic: PocketIc,
    canister: Principal,
    port: u16,
}

impl Live {
    fn new(page: fn(&[u8]) -> Page) -> Live {
        let mut pic = PocketIcBuilder::new()
            .with_server_binary(env!("CARGO_BIN_EXE_local-ic").into())
            .with_nns_subnet()
            .with_application_subnet()
            .build();
        let canister = pic.create_canister();
        pic.install_canister(canister, page::without_page(), vec![0; 32], None);
        let anonymous = Principal::anonymous();
        let certificate = pic
            .query_call(canister, anonymous, "certificate", vec![])
            .unwrap();
        let Page {
            module,
            certified_data,
        } = page(&certificate);
        pic.reinstall_canister(canister, module, certified_data, None)
            .unwrap();
        let port = pic.make_live(None).port().unwrap();
        Live {
            pic,
            canister,
            port,
        }
    }

    fn get(&self, subdomain: &str, path: &str) -> http::Response {
        let host = format!("{}{subdomain}.localhost:{}", self.canister, self.port);
        http::get(self.port, &host, path)
    }
}

fn honest(certificate: &[u8]) -> Page {
    page::serving(BODY, certificate)
}

fn lying(certificate: &[u8]) -> Page {
    page::forging(BODY, FORGED, certificate)
}

#[test]
fn a_certified_page_reaches_the_browser() {
    let live = Live::new(honest);
    let response = live.get("", "/");
    assert_eq!((response.status, response.text()), (200, BODY));
    assert_eq!(response.header("content-type"), Some("text/html"));
    assert_eq!(response.header("x-uncertified"), None);
    assert_eq!(response.header("content-length"), Some("18"));

    let plain = format!("localhost:{}", live.port);
    let path = format!("/?canisterId={}", live.canister);
    assert_eq!(http::get(live.port, &plain, &path).text(), BODY);
}

#[test]
fn a_forged_page_does_not_and_raw_shows_why() {
    let live = Live::new(lying);
    let response = live.get("", "/");
    assert_eq!(response.status, 503);
    assert!(
        response.text().contains("The answer to / did not verify"),
        "{}",
        response.text()
    );
    let response = live.get(".raw", "/");
    assert_eq!((response.status, response.text()), (200, FORGED));
    assert_eq!(response.header("x-uncertified"), Some("yes"));
}

#[test]
fn the_page_of_one_path_is_not_another_paths() {
    let live = Live::new(honest);
    let response = live.get("", "/other");
    assert_eq!(response.status, 503);
    assert!(
        response.text().contains("not valid for the request path"),
        "{}",
        response.text()
    );
}

#[test]
fn canisters_that_cannot_answer_are_explained() {
    let live = Live::new(honest);
    let nobody = format!("lqy7q-dh777-77777-aaaaq-cai.localhost:{}", live.port);
    assert_eq!(http::get(live.port, &nobody, "/").status, 404);

    live.pic.stop_canister(live.canister, None).unwrap();
    let response = live.get("", "/");
    assert_eq!(response.status, 503);
    assert!(
        response.text().contains("The canister is stopped"),
        "{}",
        response.text()
    );
}

#[test]
fn the_gateway_shows_the_topology_and_closes_with_the_instance() {
    let mut live = Live::new(honest);
    let topology = http::get(live.port, "localhost", "/_/topology");
    assert!(
        topology.text().contains("subnet_configs"),
        "{}",
        topology.text()
    );

    live.pic.stop_live();
    assert!(http::send(live.port, "GET", "localhost", "/", b"").is_err());
    let url = live.pic.make_live(None);
    let port = url.port().unwrap();
    drop(live.pic);
    assert!(http::send(port, "GET", "localhost", "/", b"").is_err());
}

/// A network without a server, and a canister on it that serves a page.
fn in_this_process() -> (Arc<Mutex<Network>>, Principal) {
    let mut network = Network::new(Config::new([SubnetKind::Application])).unwrap();
    let sender = Principal::anonymous();
    let canister = network.create_canister(sender);
    let install = |network: &mut Network, module, argument| {
        network
            .install(sender, canister, InstallMode::Reinstall, module, argument)
            .unwrap();
    };
    install(&mut network, page::without_page(), vec![0; 32]);
    let certificate = network
        .query(sender, canister, "certificate", vec![])
        .unwrap();
    let Page {
        module,
        certified_data,
    } = honest(&certificate);
    install(&mut network, module, certified_data);
    (Arc::new(Mutex::new(network)), canister)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_in_this_process_serves_as_well() {
    let (network, canister) = in_this_process();
    for clock in [Clock::Network, Clock::Live] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let gateway = Gateway::new(Local::new(network.clone(), clock));
        tokio::spawn(gateway.serve(listener));
        let get = move || http::get(port, &format!("{canister}.localhost"), "/");
        let response = tokio::task::spawn_blocking(get).await.unwrap();
        assert_eq!((response.status, response.text()), (200, BODY), "{clock:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_certificate_is_refused() {
    // The network's clock stands in 2021.
    let (network, canister) = in_this_process();
    let gateway = Gateway::new(Local::new(network, Clock::Wall));
    let request = axum::extract::Request::builder()
        .uri("/")
        .header("host", format!("{canister}.localhost"))
        .body(axum::body::Body::empty());
    let response = gateway.answer(request.unwrap()).await;
    assert_eq!(response.status(), 503);
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    let text = std::str::from_utf8(&body).unwrap();
    assert!(text.contains("Certificate verification failed"), "{text}");
}
