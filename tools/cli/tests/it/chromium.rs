//! Chromium without a window, driven through its DevTools protocol.
//!
//! The protocol is spoken over two pipes, so there is no port to find and nothing to install
//! but the browser: Chromium reads commands from file 3 and writes answers and events to
//! file 4, each a JSON object and a zero byte.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};

use super::picture::Picture;

/// How long Chromium may say nothing at all before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with an empty profile.
pub(crate) struct Chromium {
    process: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    last_id: u64,
    _profile: tempfile::TempDir,
}

impl Chromium {
    /// Starts the browser, or fails saying how to get one.
    pub(crate) fn start() -> Chromium {
        let profile = tempfile::tempdir().unwrap();
        // The shell moves the pipes to where Chromium looks for them.
        let mut process = Command::new("sh")
            .args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >&2"#])
            .arg(program())
            .args(["--headless", "--remote-debugging-pipe", "--no-sandbox"])
            .args(["--no-first-run", "--disable-gpu", "--disable-quic"])
            .args(["--disable-background-networking", "--disable-sync"])
            .args(["--disable-component-update", "--hide-scrollbars"])
            .args(["--force-color-profile=srgb", "--mute-audio"])
            .args(["--autoplay-policy=no-user-gesture-required"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a shell");
        let commands = process.stdin.take().unwrap();
        let messages = listen(process.stdout.take().unwrap());
        Chromium {
            process,
            commands,
            messages,
            last_id: 0,
            _profile: profile,
        }
    }

    /// Opens a page and waits until it has loaded.
    pub(crate) fn open(&mut self, url: &str, view: &View) -> Page<'_> {
        let mut events = Vec::new();
        let blank = json!({ "url": "about:blank" });
        let target = self.call(None, "Target.createTarget", blank, &mut events);
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.call(None, "Target.attachToTarget", attach, &mut events);
        let mut page = Page {
            session: session["sessionId"].as_str().unwrap().to_owned(),
            chromium: self,
            events,
        };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), json!({}));
        }
        let metrics = json!({
            "width": view.width,
            "height": view.height,
            "deviceScaleFactor": 1,
            "mobile": false,
        });
        page.call("Emulation.setDeviceMetricsOverride", metrics);
        let scheme = json!([{ "name": "prefers-color-scheme", "value": view.scheme }]);
        page.call("Emulation.setEmulatedMedia", json!({ "features": scheme }));
        page.load(url);
        page
    }

    fn call(
        &mut self,
        session: Option<&str>,
        method: &str,
        params: Value,
        events: &mut Vec<Value>,
    ) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        let mut command = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);
        let sent = self.commands.write_all(&bytes);
        sent.unwrap_or_else(|error| panic!("Chromium does not run: {error}"));
        loop {
            let mut message = self.receive();
            if message["id"] != id {
                events.push(message);
                continue;
            }
            assert!(message["error"].is_null(), "{method}: {}", message["error"]);
            return message["result"].take();
        }
    }

    fn receive(&mut self) -> Value {
        let message = self.messages.recv_timeout(PATIENCE);
        message.unwrap_or_else(|error| panic!("no word from Chromium: {error}"))
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The window a page is shown in.
pub(crate) struct View {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// `light` or `dark`.
    pub(crate) scheme: &'static str,
}

/// An open page.
pub(crate) struct Page<'a> {
    chromium: &'a mut Chromium,
    session: String,
    events: Vec<Value>,
}

impl Page<'_> {
    /// Goes to another page and waits until it has loaded.
    pub(crate) fn load(&mut self, url: &str) {
        self.events.clear();
        let result = self.call("Page.navigate", json!({ "url": url }));
        assert!(
            result["errorText"].is_null(),
            "{url}: {}",
            result["errorText"]
        );
        self.wait_for_load();
    }

    /// Waits until the page that is being gone to has loaded.
    pub(crate) fn wait_for_load(&mut self) {
        while !self
            .events
            .iter()
            .any(|event| event["method"] == "Page.loadEventFired")
        {
            let event = self.chromium.receive();
            self.events.push(event);
        }
    }

    /// The value of an expression, awaited if it is a promise.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let params = json!({
            "expression": expression,
            "awaitPromise": true,
            "returnByValue": true,
        });
        let mut result = self.call("Runtime.evaluate", params);
        let exception = &result["exceptionDetails"];
        assert!(exception.is_null(), "{expression}: {exception}");
        result["result"]["value"].take()
    }

    /// Waits until an expression is true.
    pub(crate) fn wait_until(&mut self, condition: &str) {
        self.evaluate(&format!(
            "new Promise(done => {{ \
               const look = () => {condition} ? done() : setTimeout(look, 10); \
               look(); \
             }})"
        ));
    }

    /// The text of the first element that a selector matches.
    #[track_caller]
    pub(crate) fn text(&mut self, selector: &str) -> String {
        let text = self.evaluate(&format!("document.querySelector({selector:?})?.innerText"));
        let text = text.as_str();
        text.unwrap_or_else(|| panic!("nothing matches {selector}"))
            .to_owned()
    }

    /// Where on the page the first element is that a selector matches.
    #[track_caller]
    pub(crate) fn place(&mut self, selector: &str) -> Place {
        let place = self.evaluate(&format!(
            "(() => {{ \
               const {{ left, top, width, height }} = \
                 document.querySelector({selector:?}).getBoundingClientRect(); \
               return [left + scrollX, top + scrollY, width, height]; \
             }})()"
        ));
        let [left, top, width, height] = [0, 1, 2, 3].map(|i| place[i].as_f64().unwrap());
        Place {
            left,
            top,
            width,
            height,
        }
    }

    /// The whole page, below the window's edge too.
    pub(crate) fn picture(&mut self) -> Picture {
        let params = json!({ "format": "png", "captureBeyondViewport": true });
        let result = self.call("Page.captureScreenshot", params);
        let png = base64::engine::general_purpose::STANDARD;
        Picture::decode(&png.decode(result["data"].as_str().unwrap()).unwrap())
    }

    /// What a developer would see in red or yellow: the console's errors and warnings,
    /// exceptions, requests that failed.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        // An answer comes after all that was said before it.
        self.evaluate("null");
        let complaints = self.events.iter().filter(|event| {
            let params = &event["params"];
            let is_bad = |level: &Value| level == "error" || level == "warning";
            match event["method"].as_str() {
                Some("Runtime.exceptionThrown") => true,
                Some("Runtime.consoleAPICalled") => is_bad(&params["type"]),
                Some("Log.entryAdded") => is_bad(&params["entry"]["level"]),
                Some("Network.loadingFailed") => params["canceled"] != true,
                _ => false,
            }
        });
        complaints.map(Value::to_string).collect()
    }

    /// The URLs that were asked for.
    pub(crate) fn requests(&self) -> Vec<String> {
        let requests = self.events.iter();
        let requests = requests.filter(|event| event["method"] == "Network.requestWillBeSent");
        let urls = requests.map(|event| &event["params"]["request"]["url"]);
        urls.map(|url| url.as_str().unwrap().to_owned()).collect()
    }

    /// The status of the answer for a URL.
    pub(crate) fn status(&self, url: &str) -> Option<u64> {
        let mut responses = self.events.iter().map(|event| &event["params"]["response"]);
        responses.find(|response| response["url"] == url)?["status"].as_u64()
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        let session = Some(&*self.session);
        self.chromium
            .call(session, method, params, &mut self.events)
    }
}

/// A rectangle on a page, in CSS pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Place {
    pub(crate) fn middle(&self) -> f64 {
        self.left + self.width / 2.0
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.top + self.height
    }
}

fn program() -> std::path::PathBuf {
    if let Some(program) = env::var_os("CHROMIUM") {
        return program.into();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut programs =
        env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    programs.find(|program| program.is_file()).expect(
        "this test needs Chromium: run `cargo xtask test`, which installs it on Debian as root, \
         or set CHROMIUM to its path",
    )
}

fn listen(output: ChildStdout) -> Receiver<Value> {
    let (sender, messages) = mpsc::channel();
    thread::spawn(move || {
        let messages = BufReader::new(output).split(0);
        for message in messages.map_while(Result::ok) {
            let message = serde_json::from_slice(&message).expect("Chromium speaks JSON");
            if sender.send(message).is_err() {
                return;
            }
        }
    });
    messages
}
