//! The one way in: every request of every door is a [`Command`], found by its event's name in the caller's namespace.

mod admin;
mod chat;
mod membership;
mod rooms;
mod support;

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{Gateway, reply::Reply};
use crate::{
    auth::Identity,
    chat::{Connection, Namespace, Sending},
    error::{Error, Result},
    protocol::{Authenticate, Authenticated, Message},
};

/// How much is said about what is wrong with a payload.
const MAX_REASON_CHARS: usize = 200;

/// Whoever sent the request, and what serves it.
#[derive(Clone)]
pub struct Caller {
    pub gateway: Arc<Gateway>,
    pub connection: Arc<Connection>,
}

/// What is left to wait for when a command returns: nothing, or a commit that later requests need not wait for.
pub type Rest = Option<BoxFuture<'static, Answered>>;

/// Gives a request its answer. Commits may be found to be done in any order; answers are given in that of the requests.
pub type Answered = Box<dyn FnOnce() + Send>;

/// A request that clients can make.
pub trait Command: DeserializeOwned + Send {
    const EVENT: &'static str;
    /// Whether it may begin while messages that the connection sent before it are being committed.
    const PIPELINED: bool = false;

    /// Serves the request. `reply` is used up whatever comes.
    fn run(self, caller: &Caller, reply: Reply) -> impl Future<Output = Rest> + Send;
}

/// Lists the commands of a namespace, once.
macro_rules! commands {
    ($($command:ty,)*) => {
        /// The name of a request, as it is counted.
        pub(super) fn name(event: &str) -> Option<&'static str> {
            match event {
                $(<$command as Command>::EVENT => Some(<$command as Command>::EVENT),)*
                _ => None,
            }
        }

        #[cfg(test)]
        pub(super) const EVENTS: &[&str] = &[$(<$command as Command>::EVENT),*];

        pub(super) fn is_pipelined(event: &str) -> bool {
            match event {
                $(<$command as Command>::EVENT => <$command as Command>::PIPELINED,)*
                _ => false,
            }
        }

        pub(super) async fn dispatch(
            caller: &Caller,
            event: &str,
            payload: &RawValue,
            reply: Reply,
        ) -> Rest {
            match event {
                $(<$command as Command>::EVENT => run::<$command>(caller, payload, reply).await,)*
                _ => {
                    reply.fail(&Error::UnknownEvent);
                    None
                }
            }
        }
    };
}
use commands;

/// The name of a request, as it is counted; `unknown` for what is none.
pub fn name(namespace: Namespace, event: &str) -> &'static str {
    let name = match namespace {
        Namespace::Chat => chat::name(event),
        Namespace::Support => support::name(event),
        Namespace::Admin => admin::name(event),
    };
    name.unwrap_or("unknown")
}

/// Whether a request may begin while messages sent before it are being committed.
pub fn is_pipelined(namespace: Namespace, event: &str) -> bool {
    match namespace {
        Namespace::Chat => chat::is_pipelined(event),
        Namespace::Support => support::is_pipelined(event),
        Namespace::Admin => admin::is_pipelined(event),
    }
}

/// Serves a request. `reply` is used up whatever comes, a panic included.
pub async fn dispatch(caller: &Caller, event: &str, payload: &RawValue, reply: Reply) -> Rest {
    match caller.connection.namespace {
        Namespace::Chat => chat::dispatch(caller, event, payload, reply).await,
        Namespace::Support => support::dispatch(caller, event, payload, reply).await,
        Namespace::Admin => admin::dispatch(caller, event, payload, reply).await,
    }
}

async fn run<C: Command>(caller: &Caller, payload: &RawValue, reply: Reply) -> Rest {
    match parse::<C>(payload) {
        // The reply answers for itself when a panic drops it.
        Ok(command) => AssertUnwindSafe(command.run(caller, reply))
            .catch_unwind()
            .await
            .unwrap_or(None),
        Err(error) => {
            reply.fail(&error);
            None
        }
    }
}

/// Reads the payload of a request: an object.
///
/// # Errors
/// [`Error::InvalidPayload`], with the reason.
pub fn parse<C: DeserializeOwned>(payload: &RawValue) -> Result<C> {
    let text = payload.get();
    // A request without fields may come without a payload.
    let empty = if text == "null" {
        serde_json::from_str("{}").ok()
    } else {
        None
    };
    match empty {
        Some(command) => Ok(command),
        None if !text.starts_with('{') => Err(Error::invalid("the payload must be an object")),
        None => serde_json::from_str(text)
            .map_err(|error| Error::invalid(without_place(&error.to_string()))),
    }
}

/// The parser's message without line and column, which mean nothing to the caller, and without the whole of a long
/// payload that it quotes.
fn without_place(message: &str) -> String {
    let message = message
        .rsplit_once(" at line ")
        .map_or(message, |(message, _)| message);
    message.chars().take(MAX_REASON_CHARS).collect()
}

impl Command for Authenticate {
    const EVENT: &'static str = "authenticate";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let renewed = renew(caller, &self.token).await;
        reply.give(renewed);
        None
    }
}

/// Extends a session by a newer token of the same user. A guest signs in, and goes on as the user.
async fn renew(caller: &Caller, token: &str) -> Result<Authenticated> {
    let gateway = &caller.gateway;
    let identity = gateway.authenticator.verify(token)?;
    let current = caller.connection.identity();
    let is_same = (&identity.tenant, &identity.user_id) == (&current.tenant, &current.user_id);
    if !current.is_guest && !is_same {
        return Err(Error::unauthorized("the token is another user's"));
    }
    caller.connection.namespace.admits(&identity)?;
    let expires_at = identity.expires_at.ok_or(Error::Internal)?;
    if current.is_guest {
        gateway
            .chat
            .become_user(&caller.connection, identity)
            .await?;
    } else {
        gateway.chat.check_access(&identity).await?;
        // Before the token's version becomes known, which ends the connections of older ones.
        caller.connection.renew(Identity {
            former_guests: Arc::clone(&current.former_guests),
            ..identity.clone()
        });
        gateway.chat.know_user(&identity).await?;
    }
    gateway.chat.confirm(&caller.connection).await?;
    Ok(Authenticated { expires_at })
}

/// Answers when the message is committed; requests that follow need not wait for it.
fn answer_when_stored<T: Serialize + Send + 'static>(
    caller: &Caller,
    reply: Reply,
    sending: Result<Sending>,
    answer: impl FnOnce(Arc<Message>) -> T + Send + 'static,
) -> Rest {
    match sending {
        Ok(sending) => {
            let chat = Arc::clone(&caller.gateway.chat);
            Some(Box::pin(async move {
                let stored = sending.stored(&chat.limits).await.map(answer);
                Box::new(move || reply.give(stored)) as Answered
            }))
        }
        Err(error) => {
            reply.fail(&error);
            None
        }
    }
}

fn fail_if_unanswered(reply: Option<Reply>, result: Result<()>) {
    if let (Some(reply), Err(error)) = (reply, result) {
        reply.fail(&error);
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    use super::{admin, chat, support};

    /// What can be asked for, by namespace: the tests of access have a row for each.
    #[test]
    fn export_bindings_commands() {
        let all = serde_json::json!({
            "/": chat::EVENTS,
            "/support": support::EVENTS,
            "/admin": admin::EVENTS,
        });
        let folder = env::var("TS_RS_EXPORT_DIR").unwrap();
        let text = serde_json::to_string_pretty(&all).unwrap();
        fs::write(Path::new(&folder).join("commands.json"), text + "\n").unwrap();
    }
}
