//! The example site in a browser: it loads whole, says nothing in the console, asks nobody
//! else, and shows the facts of its own certificate.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::chromium::{Chromium, Page, View};
use super::plain;
use super::served::Served;

const WIDE: View = View {
    width: 1280,
    height: 900,
    scheme: "light",
};

const DARK: View = View {
    scheme: "dark",
    ..WIDE
};

const NARROW: View = View { width: 390, ..WIDE };

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets-example")
}

/// Waits until the page has read its proof and has everything it shows.
fn settle(page: &mut Page<'_>) {
    page.wait_until("document.documentElement.dataset.proof");
    // What is further down is loaded when it is looked at.
    page.evaluate("for (const image of document.images) image.loading = 'eager'");
    page.wait_until("[...document.images].every(image => image.complete)");
    page.wait_until(
        "[...document.querySelectorAll('video')].every(v => v.readyState >= 2 || v.error)",
    );
    page.evaluate("document.fonts.ready.then(() => null)");
    page.evaluate(
        "for (const v of document.querySelectorAll('video')) { v.pause(); v.currentTime = 0 }",
    );
    page.wait_until("[...document.querySelectorAll('video')].every(v => !v.seeking)");
}

/// Images, film and font have arrived and can be shown.
fn has_everything(page: &mut Page<'_>) {
    let broken = "[...document.images].filter(i => !i.naturalWidth).map(i => i.src).join(' ')";
    assert_eq!(page.evaluate(broken), "");
    let film = "[...document.querySelectorAll('video')].map(v => [v.videoWidth, v.duration > 5])";
    assert_eq!(page.evaluate(film).to_string(), "[[1440,true]]");
    assert_eq!(
        page.evaluate("document.fonts.check('700 20px Besley')"),
        true
    );
    assert_eq!(
        page.evaluate("[...document.fonts].map(f => f.status).join()"),
        "loaded"
    );
}

fn is_quiet(page: &mut Page<'_>, origin: &str) {
    assert_eq!(page.complaints(), [""; 0]);
    for url in page.requests() {
        assert!(url.starts_with(origin), "{url} is not of this site");
    }
}

#[test]
fn it_shows_the_facts_of_its_certificate() {
    let served = Served::start(&example(), &[]);
    let mut chromium = Chromium::start();
    let origin = served.origin();
    let mut page = chromium.open(&format!("{origin}/"), &WIDE);
    settle(&mut page);

    assert_eq!(
        page.evaluate("document.documentElement.dataset.proof"),
        "proved"
    );
    assert!(page.text("#verdict").starts_with("Proved."));
    assert_eq!(
        page.text("[data-fact=canister]").replace('\n', ""),
        served.canister
    );
    assert_eq!(page.text("#site-hash"), served.site_hash);
    assert_eq!(page.text("#certified-data"), page.text("#root-hash"));
    assert_ne!(page.text("#certified-data"), served.site_hash);
    assert!(page.text("#witness").contains("http_expr"));

    let certified = page.evaluate("Date.parse(document.querySelector('#certified-time').dateTime)");
    let certified = Duration::from_millis(certified.as_f64().unwrap() as u64);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    assert!(
        now.abs_diff(certified) < Duration::from_secs(300),
        "{certified:?}"
    );

    has_everything(&mut page);
    is_quiet(&mut page, &origin);

    page.evaluate("document.querySelector('#survey button').click()");
    page.wait_until("!document.querySelector('#survey button').disabled");
    let rows =
        page.evaluate("[...document.querySelectorAll('#survey output')].map(o => o.innerText)");
    let rows: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_str().unwrap())
        .collect();
    assert_eq!(rows, [&*format!("{}…", &served.site_hash[..8]); 6]);
    is_quiet(&mut page, &origin);
}

#[test]
fn it_looks_as_it_should() {
    let served = Served::start(&example(), &[]);
    let mut chromium = Chromium::start();
    for view in [WIDE, DARK, NARROW] {
        let mut page = chromium.open(&format!("{}/", served.origin()), &view);
        settle(&mut page);
        let width = page.evaluate("document.documentElement.scrollWidth");
        assert_eq!(width, view.width, "nothing sticks out");

        let picture = page.picture();
        assert_eq!(picture.width, view.width as usize);
        assert!(
            (2_000..5_000).contains(&picture.height),
            "{}",
            picture.height
        );
        let paper: u32 = picture
            .pixel(0, 0)
            .iter()
            .map(|part| u32::from(*part))
            .sum();
        assert_eq!(paper < 3 * 128, view.scheme == "dark");

        // From top to bottom, each with something in it.
        let mut above = 0.0;
        let parts = [
            "h1",
            "video",
            "#verdict",
            "#witness",
            ".close-up img",
            "#survey",
            "footer",
        ];
        for part in parts {
            let place = page.place(part);
            assert!(
                place.top >= above,
                "{part} at {place:?} is not below {above}"
            );
            assert!(picture.ink(place) > 0.005, "{part} at {place:?} is blank");
            above = place.bottom() - 1.0;
        }
        for silver in ["video", ".close-up img"] {
            let colours = picture.colours(page.place(silver));
            assert!(colours > 1_000, "{silver} has {colours} colours");
        }

        let film = page.place("video");
        for (i, mark) in [0.18, 0.39, 0.61, 0.82].into_iter().enumerate() {
            let fact = page.place(&format!(".marks div:nth-child({}) dt", i + 1));
            assert!(fact.top > film.bottom());
            if view.width > 1000 {
                let offset = (fact.middle() - film.left) / film.width - mark;
                assert!(offset.abs() < 0.02, "mark {i} is off by {offset}");
            }
        }
    }
}

#[test]
fn its_other_pages_are_found() {
    let served = Served::start(&example(), &[]);
    let mut chromium = Chromium::start();
    let origin = served.origin();
    let mut page = chromium.open(&format!("{origin}/about"), &WIDE);
    settle(&mut page);
    assert_eq!(page.status(&format!("{origin}/about")), Some(200));
    assert_eq!(
        page.evaluate("document.documentElement.dataset.proof"),
        "proved"
    );
    assert!(page.text("footer").contains(&served.site_hash[..8]));
    is_quiet(&mut page, &origin);

    let nowhere = format!("{origin}/nothing/at/this/address");
    page.load(&nowhere);
    assert_eq!(page.status(&nowhere), Some(404));
    assert_eq!(page.text("h1"), "Nothing here, certified.");
}

#[test]
fn it_works_where_the_canister_is_named_in_the_query() {
    let served = Served::start(&example(), &[]);
    let mut chromium = Chromium::start();
    let origin = format!("http://localhost:{}", served.port);
    let url = format!("{origin}/?canisterId={}", served.canister);
    let mut page = chromium.open(&url, &WIDE);
    settle(&mut page);
    assert_eq!(page.text("#site-hash"), served.site_hash);
    has_everything(&mut page);
    is_quiet(&mut page, &origin);
}

#[test]
fn it_says_so_where_nothing_is_proved() {
    let origin = plain::serve(&example());
    let mut chromium = Chromium::start();
    let mut page = chromium.open(&format!("{origin}/"), &WIDE);
    settle(&mut page);
    assert_eq!(
        page.evaluate("document.documentElement.dataset.proof"),
        "unproved"
    );
    assert!(page.text("#verdict").starts_with("No proof here."));
    assert_eq!(page.text("#site-hash"), "none");
    has_everything(&mut page);
    is_quiet(&mut page, &origin);
}
