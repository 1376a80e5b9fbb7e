//! A network that does not answer, told to whoever waits for it.
//!
//! The first call that has waited for long says so, and until when it will; the first that gets an
//! answer afterwards says that it goes on. What is between the two is one outage, however many
//! calls it holds up.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::pin;
use tokio::time::timeout;

use crate::report::Report;
use crate::time::Time;

/// How long requests of a call may fail, one after another, before that is worth a line.
const FAILING: Duration = Duration::from_secs(4);
/// How long one request may stay without an answer. A network answers within ten seconds what it
/// has received; the rest is for two megabytes on a slow line.
const SILENT: Duration = Duration::from_secs(20);

/// Whether the network answers, as far as calls have found out.
#[derive(Default)]
pub(crate) struct Outage {
    report: Option<Arc<dyn Report + Send>>,
    since: Mutex<Option<Instant>>,
}

/// A call, and how long nothing has come of it.
pub(crate) struct Waiting<'a> {
    outage: &'a Outage,
    method: &'a str,
    /// When it gives up.
    until: Time,
    since: Instant,
    has_said: bool,
}

impl Outage {
    /// The same, told to somebody.
    pub(crate) fn told_to(report: Arc<dyn Report + Send>) -> Outage {
        let report = Some(report);
        let since = Mutex::default();
        Outage { report, since }
    }

    /// A call of a method begins, which gives up then.
    pub(crate) fn wait<'a>(&'a self, method: &'a str, until: Time) -> Waiting<'a> {
        Waiting {
            outage: self,
            method,
            until,
            since: Instant::now(),
            has_said: false,
        }
    }

    fn begin(&self, call: &Waiting<'_>, reason: &str) {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        if since.is_some() {
            return;
        }
        *since = Some(call.since);
        let Waiting { method, until, .. } = call;
        self.say(&format!(
            "no answer to {method} ({reason}); asking again until {until}"
        ));
    }

    fn end(&self) {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(began) = since.take() {
            let seconds = began.elapsed().as_secs();
            self.say(&format!(
                "the network answers again, after {seconds} s; going on"
            ));
        }
    }

    fn say(&self, line: &str) {
        if let Some(report) = &self.report {
            report.note(line);
        }
    }
}

impl Waiting<'_> {
    /// Waits for one request.
    pub(crate) async fn on<T>(&mut self, request: impl Future<Output = T>) -> T {
        pin!(request);
        match timeout(SILENT, &mut request).await {
            Ok(answer) => answer,
            Err(_) => {
                self.say("nothing has come back so far");
                request.await
            }
        }
    }

    /// The request has failed, and is made again.
    pub(crate) fn failed(&mut self, reason: &str) {
        if self.since.elapsed() >= FAILING {
            self.say(reason);
        }
    }

    /// There is an answer.
    pub(crate) fn answered(&self) {
        self.outage.end();
    }

    /// Once for each call, so that a network that answers some of them is not told of forever.
    fn say(&mut self, reason: &str) {
        if !self.has_said {
            self.has_said = true;
            self.outage.begin(self, reason);
        }
    }
}

impl fmt::Debug for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outage")
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Step;

    #[derive(Default)]
    struct Notes(Mutex<Vec<String>>);

    impl Report for Notes {
        fn begin(&self, _: Step, _: u64) {}
        fn advance(&self, _: u64) {}
        fn end(&self) {}
        fn note(&self, text: &str) {
            self.0.lock().unwrap().push(text.to_owned());
        }
    }

    fn long_ago() -> Instant {
        Instant::now().checked_sub(FAILING).unwrap()
    }

    #[test]
    fn an_outage_is_two_lines_however_many_calls_it_holds_up() {
        let notes = Arc::new(Notes::default());
        let outage = Outage::told_to(notes.clone());
        let mut calls = ["held", "list", "seal_stage"].map(|method| outage.wait(method, Time(0)));
        // What is lost and comes at once after all is nobody's concern.
        calls[0].since = Instant::now() + FAILING;
        calls[0].failed("refused");
        calls[0].answered();
        assert!(notes.0.lock().unwrap().is_empty());
        for call in &mut calls {
            call.since = long_ago();
            call.failed("refused");
            call.failed("refused");
        }
        for call in &calls {
            call.answered();
        }
        let said = std::mem::take(&mut *notes.0.lock().unwrap());
        assert_eq!(said.len(), 2, "{said:?}");
        assert_eq!(
            said[0],
            "no answer to held (refused); asking again until 1970-01-01 00:00:00 UTC"
        );
        assert!(said[1].starts_with("the network answers again, after "));

        // Each of them has said so, so none does again.
        for call in &mut calls {
            call.failed("refused");
        }
        assert!(notes.0.lock().unwrap().is_empty());
        let mut next = outage.wait("list", Time(0));
        next.since = long_ago();
        next.failed("reset");
        assert!(notes.0.lock().unwrap()[0].starts_with("no answer to list (reset)"));
    }
}
