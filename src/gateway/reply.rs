//! The answer to one request: given exactly once, whatever happens to whoever was to give it.

use serde::Serialize;
use serde_json::value::RawValue;

use super::refusals;
use crate::{
    chat::{Audit, Entry},
    error::{Error, Result},
    protocol::{Success, to_raw},
};

/// How a door says it.
pub trait Answer: Send {
    fn success(self: Box<Self>, body: &RawValue);
    fn failure(self: Box<Self>, error: &Error);

    /// Whether anybody still waits for it.
    fn is_awaited(&self) -> bool {
        true
    }
}

/// Answers a request; when dropped unanswered (a panic), answers that something broke.
pub struct Reply {
    audit: Audit,
    /// What the audit says of it if it is refused.
    entry: Entry,
    answer: Option<Box<dyn Answer>>,
}

impl Reply {
    /// `entry` names the event, who sent it and where it came in.
    pub fn new(audit: &Audit, entry: Entry, answer: Box<dyn Answer>) -> Self {
        Self {
            audit: audit.clone(),
            entry,
            answer: Some(answer),
        }
    }

    pub fn success<T: Serialize>(mut self, body: T) {
        if let Some(answer) = self.answer.take() {
            self.count("ok");
            answer.success(&to_raw(&Success::new(body)));
        }
    }

    pub fn fail(mut self, error: &Error) {
        self.refuse(error);
    }

    pub fn give<T: Serialize>(self, result: Result<T>) {
        match result {
            Ok(body) => self.success(body),
            Err(error) => self.fail(&error),
        }
    }

    fn refuse(&mut self, error: &Error) {
        let Some(answer) = self.answer.take() else {
            return;
        };
        self.count(error.code());
        refusals::note(&self.audit, error, self.entry.clone());
        answer.failure(error);
    }

    fn count(&self, outcome: &'static str) {
        metrics::counter!(
            "confab_events_total",
            "event" => self.entry.action(), "outcome" => outcome, "door" => self.entry.door_name(),
        )
        .increment(1);
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        // A request that was given up by whoever sent it is no failure.
        if self
            .answer
            .as_ref()
            .is_some_and(|answer| answer.is_awaited())
        {
            self.refuse(&Error::Internal);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Answers(Arc<Mutex<Vec<String>>>);

    impl Answer for Answers {
        fn success(self: Box<Self>, body: &RawValue) {
            self.0.lock().unwrap().push(body.get().to_owned());
        }

        fn failure(self: Box<Self>, error: &Error) {
            self.0.lock().unwrap().push(error.code().to_owned());
        }
    }

    fn reply(answers: &Answers) -> Reply {
        let entry = Entry::stranger("typing");
        Reply::new(&Audit::nowhere(), entry, Box::new(answers.clone()))
    }

    #[test]
    fn a_request_is_answered_once_even_by_a_panic() {
        let answers = Answers::default();
        reply(&answers).success(crate::protocol::Done {});
        reply(&answers).fail(&Error::UnknownEvent);
        let abandoned = reply(&answers);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
            let _abandoned = abandoned;
            panic!("a bug");
        }))
        .unwrap_err();
        assert_eq!(
            *answers.0.lock().unwrap(),
            ["{\"success\":true}", "unknown_event", "internal"]
        );
    }
}
