//! The library of the gateways of the Internet Computer, `ic-http-gateway-protocol`, which verifies
//! every answer, and puts large bodies together from parts that it asks for one after the other.

use bytes::Bytes;
use http_body_util::BodyExt as _;
use ic_agent::Agent;
use ic_http_gateway_protocol::{
    CanisterResponse, HttpGatewayClient, HttpGatewayRequestArgs, HttpGatewayResponse,
};
use tokio::runtime::Runtime;

use crate::directory::{Directory, noise};
use crate::site::Site;

/// Five parts; a gateway reads three ahead.
const LENGTH: usize = 9_000_000;

struct Gateway<'s> {
    site: &'s Site,
    client: HttpGatewayClient,
    runtime: Runtime,
}

/// A body that is being read.
struct Download(CanisterResponse);

impl<'s> Gateway<'s> {
    fn to(site: &'s Site) -> Gateway<'s> {
        let runtime = Runtime::new().unwrap();
        let agent = Agent::builder().with_url(site.url()).build().unwrap();
        runtime.block_on(agent.fetch_root_key()).unwrap();
        let client = HttpGatewayClient::builder().with_agent(agent);
        Gateway {
            site,
            client: client.build().unwrap(),
            runtime,
        }
    }

    fn ask(&self, path: &str) -> HttpGatewayResponse {
        let asked = HttpGatewayRequestArgs {
            canister_request: http::Request::get(path).body(Bytes::new()).unwrap(),
            canister_id: self.site.id(),
        };
        self.runtime.block_on(self.client.request(asked).send())
    }

    /// The answer, verified.
    fn get(&self, path: &str) -> Download {
        let answer = self.ask(path);
        assert_eq!(answer.metadata.response_verification_version, Some(2));
        Download(answer.canister_response)
    }

    /// More of a body, or `None` at its end.
    fn more(&self, Download(response): &mut Download) -> Option<Bytes> {
        let frame = self.runtime.block_on(response.body_mut().frame())?;
        Some(frame.unwrap().into_data().unwrap())
    }

    fn rest(&self, mut download: Download) -> Vec<u8> {
        let mut body = Vec::new();
        while let Some(more) = self.more(&mut download) {
            body.extend(more);
        }
        body
    }
}

#[test]
fn answers_are_passed_on() {
    let directory = Directory::holding(&[("index.html", "index"), ("404.html", "lost")]);
    let site = Site::new();
    site.sync(&directory);
    let gateway = Gateway::to(&site);
    for (path, status, body) in [("/", 200, "index"), ("/nothing", 404, "lost")] {
        let answer = gateway.get(path);
        assert_eq!(answer.0.status(), status);
        assert_eq!(gateway.rest(answer), body.as_bytes());
    }
}

#[test]
fn a_download_that_began_before_a_deploy_ends_with_what_it_began_with() {
    let [old, new] = [0, 1].map(|first| {
        let mut film = noise(LENGTH);
        film[0] = first;
        film
    });
    let directory = Directory::holding(&[("film.mp4", &old), ("gone.mp4", &old)]);
    let site = Site::new();
    site.sync(&directory);
    let gateway = Gateway::to(&site);
    let begun = ["/film.mp4", "/gone.mp4"].map(|path| {
        let mut download = gateway.get(path);
        assert_eq!(download.0.status(), 200);
        assert_eq!(download.0.headers()["content-length"], LENGTH.to_string());
        let first = gateway.more(&mut download).unwrap();
        assert!(first.len() < LENGTH / 4, "parts are still to come");
        (first, download)
    });

    directory.write("film.mp4", &new);
    directory.remove("gone.mp4");
    site.sync(&directory);
    for (first, download) in begun {
        let body = [first.to_vec(), gateway.rest(download)].concat();
        assert!(body == old);
    }
    assert!(gateway.rest(gateway.get("/film.mp4")) == new);
    assert_eq!(gateway.get("/gone.mp4").0.status(), 404);
}

/// The page that loads it was opened before.
#[test]
fn a_large_file_with_a_hashed_name_outlives_its_release() {
    let file = "engine-4f3a9c21.bin";
    let directory = Directory::holding(&[(file, noise(LENGTH))]);
    let site = Site::new();
    site.sync(&directory);
    directory.remove(file);
    site.sync(&directory);
    let gateway = Gateway::to(&site);
    let answer = gateway.ask(&format!("/{file}"));
    assert!(answer.metadata.upgraded_to_update_call);
    let download = Download(answer.canister_response);
    assert_eq!(download.0.status(), 200);
    assert!(gateway.rest(download) == noise(LENGTH));
}
