//! The answer to one request: given exactly once, whatever happens to whoever was to give it.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    auth::Identity,
    error::{Error, Result},
    protocol::{ErrorBody, Success, to_raw},
};

/// How a door says it.
pub trait Answer: Send {
    fn success(self: Box<Self>, body: &RawValue);
    fn failure(self: Box<Self>, body: &ErrorBody);
}

/// Answers a request; when dropped unanswered (a panic), answers that something broke.
pub struct Reply {
    event: &'static str,
    who: String,
    answer: Option<Box<dyn Answer>>,
}

impl Reply {
    pub fn new(event: &'static str, caller: &Identity, answer: Box<dyn Answer>) -> Self {
        Self {
            event,
            who: format!("{}/{}", caller.tenant, caller.user_id),
            answer: Some(answer),
        }
    }

    pub fn success<T: Serialize>(mut self, body: T) {
        if let Some(answer) = self.answer.take() {
            metrics::counter!("confab_events_total", "event" => self.event, "outcome" => "ok")
                .increment(1);
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
        let code = error.code();
        metrics::counter!("confab_events_total", "event" => self.event, "outcome" => code)
            .increment(1);
        metrics::counter!("confab_refusals_total", "code" => code).increment(1);
        tracing::info!(event = self.event, who = %self.who, code, why = %error, "refused");
        answer.failure(&error.body());
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.refuse(&Error::Internal);
    }
}
