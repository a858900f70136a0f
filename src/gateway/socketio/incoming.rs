//! One event as it came in, and the way to answer it.

use std::{
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
};

use serde_json::value::RawValue;
use socketioxide::{
    SendError,
    adapter::LocalAdapter,
    extract::{AckSender, SocketRef},
    handler::FromMessage,
    handler::FromMessageParts,
    socket::Socket,
};
use socketioxide_core::Value;

use super::outlet::Ending;
use crate::{
    error::Error,
    gateway::{reply::Answer, session::Incoming},
};

/// An event, its payload unread. Taken from the library while it still is in the order of arrival.
pub struct SocketEvent {
    value: Value,
    answer: SocketAnswer,
}

impl FromMessage<LocalAdapter> for SocketEvent {
    type Error = Infallible;

    fn from_message(
        socket: Arc<Socket>,
        mut value: Value,
        ack_id: Option<i64>,
    ) -> Result<Self, Infallible> {
        let ack = AckSender::from_message_parts(&socket, &mut value, &ack_id)?;
        let answer = SocketAnswer {
            socket: SocketRef::from(socket),
            ack: ack_id.map(|_| ack),
        };
        Ok(Self { value, answer })
    }
}

impl Incoming for SocketEvent {
    /// The payload is the event's first argument.
    fn into_parts(self) -> (String, Box<RawValue>, Box<dyn Answer>) {
        let arguments: Vec<Box<RawValue>> = self
            .value
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let mut arguments = arguments.into_iter();
        let event = arguments
            .next()
            .and_then(|name| serde_json::from_str(name.get()).ok())
            .unwrap_or_default();
        let payload = arguments
            .next()
            .unwrap_or_else(|| RawValue::NULL.to_owned());
        (event, payload, Box::new(self.answer))
    }
}

/// Answers by acknowledgement where one was asked for, else failures by an `error` event.
struct SocketAnswer {
    socket: SocketRef,
    ack: Option<AckSender>,
}

impl Answer for SocketAnswer {
    fn success(self: Box<Self>, body: &RawValue) {
        if let Some(ack) = self.ack {
            if let Some(ending) = self.socket.extensions.get::<Arc<Ending>>() {
                ending
                    .line
                    .answered
                    .fetch_add(body.get().len(), Ordering::Relaxed);
            }
            sent(&self.socket, ack.send(body));
        }
    }

    fn failure(self: Box<Self>, error: &Error) {
        let body = error.body();
        match self.ack {
            Some(ack) => sent(&self.socket, ack.send(&body)),
            None => sent(&self.socket, self.socket.emit("error", &body)),
        }
    }
}

fn sent(socket: &SocketRef, result: Result<(), SendError>) {
    if let Some(ending) = socket.extensions.get::<Arc<Ending>>() {
        ending.sent(socket, result);
    }
}
