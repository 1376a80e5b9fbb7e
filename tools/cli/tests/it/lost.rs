//! Deploying over a network that loses requests and answers, or from a program that is killed.

use std::collections::HashMap;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use hallmark::canister::{Canister as _, Failure};
use hallmark::network::Trust;
use hallmark::remote::RemoteCanister;
use ic_agent::identity::BasicIdentity;

use super::desk::{Desk, lines, succeeds};
use super::network::{Network, SECRET};
use super::proxy::{Fate, Proxy};

/// Updates that a deploy of [`large`] takes: the stage, two parcels, twice filling it, sealing it,
/// publishing it.
const UPDATES: usize = 7;

/// A site that takes several parcels and several commits.
fn large(desk: &Desk) {
    large_with(desk, 0);
}

/// One that a canister which has held others has not held.
fn large_with(desk: &Desk, seed: u8) {
    for film in [1, 2] {
        desk.write(&format!("{film}.mp4"), vec![2 * seed + film; 1_500_000]);
    }
    for page in 0..260 {
        desk.write(&format!("{page}.png"), format!("page {page}"));
    }
    desk.write("index.html", "<h1>new</h1>");
}

fn small(desk: &Desk) {
    std::fs::remove_dir_all(desk.site()).unwrap();
    std::fs::create_dir(desk.site()).unwrap();
    desk.write("index.html", "<h1>old</h1>");
}

/// What a deploy ends with.
fn site_hash(lines: &[String]) -> &str {
    lines.last().unwrap()
}

#[test]
fn each_update_has_its_effect_once_however_often_it_is_sent() {
    let (network, desk) = (Network::start(), Desk::new());
    large(&desk);
    let sent = Arc::new(Mutex::new(HashMap::<Vec<u8>, usize>::new()));
    let counts = sent.clone();
    // Each message is lost once on the way there, and twice on the way back.
    let proxy = Proxy::start(network.port, move |request| {
        if !request.is_update() {
            return Fate::Pass;
        }
        let mut counts = counts.lock().unwrap();
        let count = counts.entry(request.body().to_vec()).or_default();
        *count += 1;
        match *count {
            1 => Fate::LoseRequest,
            2 | 3 => Fate::LoseAnswer,
            _ => Fate::Pass,
        }
    });
    let key = desk.key();
    let identity = ["--identity", key.to_str().unwrap()];
    let output = desk.deploy(&network.canister.to_text(), &proxy.url, &identity);
    succeeds(&output);
    assert_eq!(network.get("/").body, b"<h1>new</h1>");
    let counts = sent.lock().unwrap();
    // The same bytes, four times; a call that was made anew would be other bytes.
    assert_eq!(counts.len(), UPDATES);
    assert!(
        counts.values().all(|count| *count == 4),
        "{:?}",
        counts.values()
    );

    drop(counts);

    // And the site is what it is if nothing is lost.
    small(&desk);
    succeeds(&desk.deploy_to(&network, &[]));
    large(&desk);
    let undisturbed = desk.deploy_to(&network, &[]);
    assert_eq!(site_hash(&lines(&output)), site_hash(&lines(&undisturbed)));
}

#[test]
fn a_call_that_never_arrives_is_known_not_to_have_happened() {
    let network = Network::start();
    let proxy = Proxy::start(network.port, |request| match request.is_update() {
        true => Fate::LoseRequest,
        false => Fate::Pass,
    });
    let location = proxy.url.parse().unwrap();
    let identity = Box::new(BasicIdentity::from_raw_key(&SECRET));
    let trust = Trust::RootKey(network.root_key.clone());
    let canister = RemoteCanister::new(network.canister, &location, trust, identity).unwrap();
    let canister = canister.with_lifetime(Duration::from_secs(1));
    let argument = candid::encode_args(()).unwrap();
    assert_eq!(
        canister.update("create_batch", argument),
        Err(Failure::Expired)
    );
}

#[test]
fn who_waits_for_the_network_is_told_until_when() {
    let (network, desk) = (Network::start(), Desk::new());
    // Tries of one call: at once, and 0.25, 0.75, 1.75, 3.75 and 5.75 seconds later at the earliest.
    let lost = Arc::new(AtomicUsize::new(0));
    let proxy = Proxy::start(network.port, move |request| {
        let is_lost = request.is_update() && lost.fetch_add(1, Ordering::Relaxed) < 6;
        if is_lost {
            Fate::LoseRequest
        } else {
            Fate::Pass
        }
    });
    let key = desk.key();
    let identity = ["--identity", key.to_str().unwrap()];
    let output = desk.deploy(&network.canister.to_text(), &proxy.url, &identity);
    let said = succeeds(&output);
    let notes: Vec<_> = said
        .lines()
        .filter_map(|line| line.strip_prefix("  note: "))
        .collect();
    assert_eq!(notes.len(), 2, "{said}");
    assert!(
        notes[0].starts_with("no answer to create_stage ("),
        "{said}"
    );
    assert!(notes[0].contains("); asking again until 20"), "{said}");
    assert!(
        notes[1].starts_with("the network answers again, "),
        "{said}"
    );
    assert_eq!(network.get("/").body, b"<h1>hello</h1>");
}

/// Kills a deploy when the proxy holds one of its requests. Returns whether it came to that.
fn kill_when_held(mut deploy: Child, proxy: &Proxy) -> bool {
    loop {
        if proxy.holds() {
            deploy.kill().unwrap();
            deploy.wait().unwrap();
            return true;
        }
        if let Some(status) = deploy.try_wait().unwrap() {
            assert!(status.success());
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_deploy_that_is_killed_at_any_call_can_be_repeated() {
    let (network, desk) = (Network::start(), Desk::new());
    let key = desk.key();
    let identity = ["--identity", key.to_str().unwrap()];
    let mut seed = 0;
    for fate in [Fate::HoldRequest, Fate::HoldAnswer] {
        for number in 0..=UPDATES {
            small(&desk);
            succeeds(&desk.deploy_to(&network, &[]));
            seed += 1;
            large_with(&desk, seed);
            let calls = AtomicUsize::new(0);
            let proxy = Proxy::start(network.port, move |request| {
                let is_it = request.is_update() && calls.fetch_add(1, Ordering::Relaxed) == number;
                if is_it { fate } else { Fate::Pass }
            });
            let canister = network.canister.to_text();
            let mut deploy = desk.command(&canister, &proxy.url, &identity);
            let deploy = deploy.stdout(Stdio::null()).stderr(Stdio::null());
            let was_killed = kill_when_held(deploy.spawn().unwrap(), &proxy);
            assert_eq!(was_killed, number < UPDATES);

            let is_published =
                number + 1 > UPDATES || number + 1 == UPDATES && fate == Fate::HoldAnswer;
            let page: &[u8] = if is_published {
                b"<h1>new</h1>"
            } else {
                b"<h1>old</h1>"
            };
            assert_eq!(network.get("/").body, page, "{number} {fate:?}");

            succeeds(&desk.deploy_to(&network, &[]));
            let again = desk.deploy_to(&network, &[]);
            assert_eq!(
                lines(&again)[0],
                "  nothing has changed",
                "{number} {fate:?}"
            );
            assert_eq!(network.get("/").body, b"<h1>new</h1>");
            assert_eq!(network.get("/259.png").body, b"page 259");
        }
    }
}
