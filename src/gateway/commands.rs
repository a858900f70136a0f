//! The one way in: every request of every door is a [`Command`], found by its event's name.

mod membership;

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{Gateway, reply::Reply};
use crate::{
    chat::Connection,
    error::{Error, Result},
    protocol::{
        AddParticipant, ArchiveRoom, Authenticate, Authenticated, BlockUser, ChatMessage,
        ConversationList, CreateRoom, Done, GetBlockedUsers, GetMessages, GetRoomParticipants,
        GetUserConversations, JoinRoom, LeaveRoom, MarkRead, MessageSent, ParticipantList,
        PresenceUpdate, PrivateMessage, PrivateMessageSent, RemoveParticipant, RenameRoom,
        SearchRooms, SearchUsers, SetRole, Typing, UnblockUser,
    },
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
pub type Rest = Option<BoxFuture<'static, ()>>;

/// A request that clients can make.
trait Command: DeserializeOwned + Send {
    const EVENT: &'static str;
    /// Whether it may begin while messages that the connection sent before it are being committed.
    const PIPELINED: bool = false;

    /// Serves the request. `reply` is used up whatever comes.
    fn run(self, caller: &Caller, reply: Reply) -> impl Future<Output = Rest> + Send;
}

/// Lists the commands, once.
macro_rules! commands {
    ($($command:ty,)*) => {
        /// The name of a request, as it is counted; `unknown` for what is none.
        pub fn name(event: &str) -> &'static str {
            match event {
                $(<$command as Command>::EVENT => <$command as Command>::EVENT,)*
                _ => "unknown",
            }
        }

        /// Whether a request may begin while messages sent before it are being committed.
        pub fn is_pipelined(event: &str) -> bool {
            match event {
                $(<$command as Command>::EVENT => <$command as Command>::PIPELINED,)*
                _ => false,
            }
        }

        /// Serves a request. `reply` is used up whatever comes, a panic included.
        pub async fn dispatch(caller: &Caller, event: &str, payload: &RawValue, reply: Reply) -> Rest {
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

commands! {
    CreateRoom,
    JoinRoom,
    LeaveRoom,
    ChatMessage,
    Typing,
    GetMessages,
    GetRoomParticipants,
    PrivateMessage,
    GetUserConversations,
    SearchUsers,
    SearchRooms,
    AddParticipant,
    RemoveParticipant,
    SetRole,
    RenameRoom,
    ArchiveRoom,
    MarkRead,
    BlockUser,
    UnblockUser,
    GetBlockedUsers,
    Authenticate,
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

impl Command for CreateRoom {
    const EVENT: &'static str = "create_room";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        reply.give(
            caller
                .gateway
                .chat
                .create_room(&caller.connection.identity(), self)
                .await,
        );
        None
    }
}

impl Command for JoinRoom {
    const EVENT: &'static str = "join_room";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let mut reply = Some(reply);
        let mut answer = |joined| {
            if let Some(reply) = reply.take() {
                reply.success(joined);
            }
        };
        let result = caller
            .gateway
            .chat
            .join_room(&caller.connection, self, &mut answer)
            .await;
        fail_if_unanswered(reply, result);
        None
    }
}

impl Command for LeaveRoom {
    const EVENT: &'static str = "leave_room";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        caller
            .gateway
            .chat
            .leave_room(&caller.connection, &self.room_id)
            .await;
        reply.success(Done {});
        None
    }
}

impl Command for ChatMessage {
    const EVENT: &'static str = "chat_message";
    const PIPELINED: bool = true;

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        match caller
            .gateway
            .chat
            .send_message(&caller.connection.identity(), self)
            .await
        {
            Ok(sending) => Some(Box::pin({
                let chat = Arc::clone(&caller.gateway.chat);
                async move {
                    reply.give(
                        sending
                            .stored(&chat.limits)
                            .await
                            .map(|message| MessageSent { message }),
                    );
                }
            })),
            Err(error) => {
                reply.fail(&error);
                None
            }
        }
    }
}

impl Command for PrivateMessage {
    const EVENT: &'static str = "private_message";
    const PIPELINED: bool = true;

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        match caller
            .gateway
            .chat
            .send_private_message(&caller.connection.identity(), self)
            .await
        {
            Ok(sending) => Some(Box::pin({
                let chat = Arc::clone(&caller.gateway.chat);
                async move {
                    reply.give(sending.stored(&chat.limits).await.map(|message| {
                        PrivateMessageSent {
                            room_id: message.room_id.clone(),
                            message,
                        }
                    }));
                }
            })),
            Err(error) => {
                reply.fail(&error);
                None
            }
        }
    }
}

impl Command for Typing {
    const EVENT: &'static str = "typing";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let told = caller.gateway.chat.typing(&caller.connection, self).await;
        reply.give(told.map(|()| Done {}));
        None
    }
}

impl Command for GetMessages {
    const EVENT: &'static str = "get_messages";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let mut reply = Some(reply);
        let mut answer = |page| {
            if let Some(reply) = reply.take() {
                reply.success(page);
            }
        };
        let result = caller
            .gateway
            .chat
            .get_messages(&caller.connection, self, &mut answer)
            .await;
        fail_if_unanswered(reply, result);
        None
    }
}

impl Command for GetRoomParticipants {
    const EVENT: &'static str = "get_room_participants";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        match caller
            .gateway
            .chat
            .participants(&caller.connection.identity(), &self.room_id)
            .await
        {
            Ok(participants) => {
                let online: Vec<PresenceUpdate> = participants
                    .iter()
                    .filter(|participant| participant.online)
                    .map(|participant| PresenceUpdate {
                        user_id: participant.id.clone(),
                        username: participant.username.clone(),
                        last_seen: None,
                    })
                    .collect();
                reply.success(ParticipantList { participants });
                // So that a client that starts everyone as offline is right.
                for update in &online {
                    caller.connection.send("user_online", update);
                }
            }
            Err(error) => reply.fail(&error),
        }
        None
    }
}

impl Command for GetUserConversations {
    const EVENT: &'static str = "get_user_conversations";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let conversations = caller
            .gateway
            .chat
            .conversations(&caller.connection.identity())
            .await;
        reply.give(conversations.map(|conversations| ConversationList { conversations }));
        None
    }
}

impl Command for SearchUsers {
    const EVENT: &'static str = "search_users";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let identity = caller.connection.identity();
        reply.give(caller.gateway.chat.search_users(&identity, self).await);
        None
    }
}

impl Command for SearchRooms {
    const EVENT: &'static str = "search_rooms";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let identity = caller.connection.identity();
        reply.give(caller.gateway.chat.search_rooms(&identity, self).await);
        None
    }
}

impl Command for Authenticate {
    const EVENT: &'static str = "authenticate";

    async fn run(self, caller: &Caller, reply: Reply) -> Rest {
        let renewed = renew(caller, &self.token).await;
        reply.give(renewed);
        None
    }
}

/// Extends a session by a newer token of the same user. Guests have none.
async fn renew(caller: &Caller, token: &str) -> Result<Authenticated> {
    let identity = caller.gateway.authenticator.verify(token)?;
    let current = caller.connection.identity();
    let is_same = (&identity.tenant, &identity.user_id) == (&current.tenant, &current.user_id);
    if current.is_guest || !is_same {
        return Err(Error::unauthorized("the token is another user's"));
    }
    caller.gateway.chat.know_user(&identity).await?;
    let expires_at = identity.expires_at.ok_or(Error::Internal)?;
    caller.connection.renew(identity);
    caller.gateway.chat.confirm(&caller.connection).await?;
    Ok(Authenticated { expires_at })
}

fn fail_if_unanswered(reply: Option<Reply>, result: Result<()>) {
    if let (Some(reply), Err(error)) = (reply, result) {
        reply.fail(&error);
    }
}
