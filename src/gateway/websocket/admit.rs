//! Who gets in. A client may say who it is in its request or in its first frame.
//!
//! One that shows nothing in its request is waited for, since it cannot be known whether it will: its first frame decides.
//! With `auth` it is whom that shows; anything else, or 10 s of silence, makes it a guest where guests may come. Making it
//! a guest at once and a user later would refuse it rooms that are the user's, and leave a guest behind each time. One
//! who wants to be a new guest at once says so with an empty `guest_session=`.

use std::sync::Arc;

use futures_util::StreamExt;
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use tokio::{sync::mpsc, time::timeout};
use tokio_tungstenite::tungstenite::Message;

use super::{
    Socket, Visit,
    frames::{self, Entry, Frame},
    outlet::{AfterFailure, FrameAnswer, FrameOutlet},
    pump::{self, Inlet, Rhythm},
};
use crate::{
    auth::Identity,
    chat::{Entry as Note, Namespace},
    error::{Error, Result},
    gateway::{
        admission::{Admitted, Credentials},
        refusals::{self, Refused},
        reply::Answer as _,
        session::{Door, Session},
    },
    protocol::{Success, to_raw},
};
use entity::ids::UserId;

const DOOR: &str = "websocket";

/// What a client shows in its first frame.
struct Introduction {
    payload: Value,
    ack: Option<Box<RawValue>>,
}

/// What came first.
enum First {
    /// An introduction.
    Auth(Introduction),
    /// Something else, which is taken once it is known who it is of.
    Other(Message),
    Silence,
    Gone,
}

/// Somebody who is let in.
struct Guest {
    admitted: Admitted,
    /// Why the token that was shown was not taken.
    token_refused: Option<Error>,
}

/// The answer to an introduction.
#[derive(Serialize)]
struct Introduced<'a> {
    user_id: &'a UserId,
    username: &'a str,
}

impl Visit {
    /// Lets a client in and serves it, or tells it why not.
    pub async fn receive(mut self, mut socket: Socket) {
        let (mut first, mut ack) = (None, None);
        if self.pending.is_ok() && !self.has_introduced_itself {
            match self.first_frame(&mut socket).await {
                Ok(First::Gone) => return,
                Ok(First::Silence) => {}
                Ok(First::Other(message)) => first = Some(message),
                Ok(First::Auth(introduction)) => {
                    ack = introduction.ack;
                    self.introduce(&introduction.payload);
                }
                Err(error) => self.pending = Err(error),
            }
        }
        match self.let_in().await {
            Ok(guest) => self.serve(socket, first, ack, guest).await,
            Err(refused) => self.refuse(socket, refused, ack.as_deref()).await,
        }
    }

    async fn first_frame(&self, socket: &mut Socket) -> Result<First> {
        let gateway = &self.gateway;
        let read = async {
            loop {
                let message = match socket.next().await {
                    Some(Ok(message)) => message,
                    Some(Err(error)) => {
                        return pump::broken(&error).map_or(Ok(First::Gone), Err);
                    }
                    None => return Ok(First::Gone),
                };
                match &message {
                    Message::Text(text) => {
                        return Ok(First::read(text).unwrap_or(First::Other(message)));
                    }
                    Message::Binary(_) => return Ok(First::Other(message)),
                    _ => {}
                }
            }
        };
        tokio::select! {
            () = gateway.draining.cancelled() => Err(Error::Restarting),
            first = timeout(gateway.config.connect_timeout_seconds.0, read) => {
                first.unwrap_or(Ok(First::Silence))
            }
        }
    }

    fn introduce(&mut self, payload: &Value) {
        // What is no text is no token, and is refused as one.
        let shown = self.credentials.clone().with_auth(payload);
        self.credentials = shown.unwrap_or_else(|_| Credentials {
            token: Some(String::new()),
            ..self.credentials.clone()
        });
    }

    async fn let_in(&mut self) -> Result<Guest, Refused> {
        if let Err(error) = &self.pending {
            return Err(error.clone().into());
        }
        let admitted = self.gateway.admit(self.namespace, &self.credentials).await;
        let refused = match admitted {
            Ok(admitted) => {
                return Ok(Guest {
                    admitted,
                    token_refused: None,
                });
            }
            Err(error) => error,
        };
        // At a customer's door a bad token is as good as none.
        let is_token = matches!(
            refused.error,
            Error::Unauthorized(_) | Error::TokenExpired | Error::SignedOut
        );
        if !is_token || self.namespace == Namespace::Admin || self.credentials.token.is_none() {
            return Err(refused);
        }
        self.credentials.token = None;
        match self.gateway.admit(self.namespace, &self.credentials).await {
            Ok(admitted) => {
                // The token was refused, but not the connection.
                let entry = refused.entry("connect").door(DOOR).address(admitted.ip);
                refusals::note(&self.gateway.chat.audit, &refused.error, entry);
                Ok(Guest {
                    admitted,
                    token_refused: Some(refused.error),
                })
            }
            // Where guests may not come, what was wrong with the token is what helps.
            Err(Refused {
                error: Error::Unauthorized(_),
                ..
            }) => Err(refused),
            Err(other) => Err(other),
        }
    }

    async fn refuse(self, socket: Socket, refused: Refused, ack: Option<&RawValue>) {
        let ip = Some(self.credentials.ip);
        refusals::connect(&self.gateway.chat.audit, DOOR, ip, &refused);
        let error = refused.error;
        // Its place is kept until it is gone.
        let _pending = self.pending;
        let frame = match ack {
            Some(ack) => frames::ack(ack, &to_raw(&error.body())),
            None => frames::failure(&error),
        };
        pump::part(socket, &error, Some(frame)).await;
    }

    async fn serve(
        self,
        socket: Socket,
        first: Option<Message>,
        ack: Option<Box<RawValue>>,
        guest: Guest,
    ) {
        drop(self.pending);
        let gateway = self.gateway;
        let config = &gateway.config;
        let identity = guest.admitted.identity.clone();
        let (queue, events) = mpsc::channel(config.command_queue);
        let (out, frames) = mpsc::channel(config.send_buffer);
        let outlet = FrameOutlet::new(out, self.echo);
        let door = Door {
            name: DOOR,
            namespace: self.namespace,
        };
        let ip = guest.admitted.ip;
        let (line, way) = (Arc::clone(&outlet.line), Arc::clone(&outlet));
        let session = Session::begin(
            Arc::clone(&gateway),
            door,
            guest.admitted,
            events,
            line,
            way,
        )
        .await;
        if let Some(ack) = ack {
            let answer = Box::new(FrameAnswer::new(&outlet, Some(ack)));
            answer.success(&introduced(&identity));
        }
        let mut inlet = Inlet {
            namespace: self.namespace,
            audit: gateway.chat.audit.clone(),
            of: Note::new("unknown", &identity).door(DOOR).address(ip),
            room: None,
            outlet: Arc::clone(&outlet),
            queue,
            patience: config.ping_interval_seconds.0 + config.ping_timeout_seconds.0,
        };
        if let Some(entry) = self.room {
            inlet.enter(entry, guest.token_refused);
        }
        gateway.sessions.spawn(session.run());
        let rhythm = Rhythm {
            ping: config.ping_interval_seconds.0,
            heartbeat: config.heartbeat_seconds.0,
        };
        pump::run(socket, first, inlet, frames, rhythm).await;
    }
}

impl First {
    fn read(text: &str) -> Option<Self> {
        let frame = Frame::read(text, None);
        let (event, payload) = frame.request.ok()?;
        if event != "auth" {
            return None;
        }
        Some(Self::Auth(Introduction {
            payload: serde_json::from_str(payload.get()).ok()?,
            ack: frame.ack,
        }))
    }
}

impl Inlet {
    /// Joins the room in the client's address, before anything that the client asks for.
    fn enter(&mut self, entry: Entry, token_refused: Option<Error>) {
        let answer = FrameAnswer {
            after_failure: AfterFailure::Ends { token_refused },
            ..FrameAnswer::new(&self.outlet, Some(to_raw(&"join_room")))
        };
        match entry.request() {
            Ok(payload) => self.queue("join_room".to_owned(), payload, answer),
            Err(error) => Box::new(answer).failure(&error),
        }
        self.room = entry.room;
    }
}

fn introduced(identity: &Identity) -> Box<RawValue> {
    to_raw(&Success::new(Introduced {
        user_id: &identity.user_id,
        username: &identity.username,
    }))
}
