//! What is said of refusals to operators: counted always, logged with who, what and why, but not without bound: one who
//! floods the server must not flood its log.

use crate::{error::Error, limits};

/// How much is logged of who was refused: a page's origin can be of any length.
const MAX_WHO_CHARS: usize = 200;

/// Counts a refusal and logs it. `what` is the event, or the step that was refused; `who` is the caller, as far as known.
pub fn note(error: &Error, what: &str, who: &str) {
    let code = error.code();
    metrics::counter!("confab_refusals_total", "code" => code).increment(1);
    if !limits::may_log(code) {
        return;
    }
    let who: String = who.chars().take(MAX_WHO_CHARS).collect();
    // What is wrong with a payload quotes it, and the log holds no message.
    if matches!(error, Error::InvalidPayload(_)) {
        tracing::info!(what, who, code, "refused");
    } else {
        tracing::info!(what, who, code, why = %error, "refused");
    }
}
