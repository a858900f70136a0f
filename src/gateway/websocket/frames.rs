//! What frames hold: JSON texts, `{"type": "<event>", …payload}` in both directions. What goes out is put together from
//! JSON that is written already, since many get the same.

use std::{cell::RefCell, fmt::Write};

use entity::ids::RoomId;
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::{json, value::RawValue};
use tokio_tungstenite::tungstenite::{
    Utf8Bytes,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use crate::{
    error::{Error, Result},
    protocol::to_raw,
};

/// Requests about a room, which is the one in the client's address unless they name another.
const ABOUT_A_ROOM: [&str; 6] = [
    "chat_message",
    "typing",
    "get_messages",
    "get_room_participants",
    "join_room",
    "leave_room",
];
/// The longest reason that fits a close frame, in bytes.
const MAX_REASON_BYTES: usize = 123;

/// A frame as it came in.
pub struct Frame {
    /// What the client wants to find in the acknowledgement, if it wants one.
    pub ack: Option<Box<RawValue>>,
    /// The event and its payload: the frame itself.
    pub request: Result<(String, Box<RawValue>)>,
}

/// The room in a client's address, `None` if there can be no such room.
pub struct Entry {
    pub room: Option<RoomId>,
    /// As in `join_room`.
    pub since: Option<i64>,
}

impl Entry {
    /// The payload of the `join_room` that the address stands for.
    pub fn request(&self) -> Result<Box<RawValue>> {
        let room = self.room.as_ref().ok_or(Error::ROOM_NOT_FOUND)?;
        Ok(to_raw(&match self.since {
            Some(since) => json!({"room_id": room, "since": since}),
            None => json!({"room_id": room}),
        }))
    }
}

/// The fields of a frame that are read here.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, default, rename = "type")]
    event: Option<&'a RawValue>,
    #[serde(borrow, default)]
    ack: Option<&'a RawValue>,
    #[serde(default, rename = "room_id", deserialize_with = "present")]
    has_room: bool,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl Frame {
    /// Reads a frame of a client whose address names `room`.
    pub fn read(text: &str, room: Option<&RoomId>) -> Self {
        let malformed = |reason| Self {
            ack: None,
            request: Err(Error::invalid(reason)),
        };
        let Ok(payload) = serde_json::from_str::<&RawValue>(text) else {
            return malformed("the frame is not JSON");
        };
        if !payload.get().starts_with('{') {
            return malformed("the frame must be an object");
        }
        let Ok(head) = serde_json::from_str::<Head>(payload.get()) else {
            return malformed("the frame names `type`, `ack` or `room_id` twice");
        };
        Self {
            ack: head.ack.map(RawValue::to_owned),
            request: head.request(payload, room),
        }
    }
}

impl Head<'_> {
    fn request(
        &self,
        payload: &RawValue,
        room: Option<&RoomId>,
    ) -> Result<(String, Box<RawValue>)> {
        let event: String = self
            .event
            .and_then(|event| serde_json::from_str(event.get()).ok())
            .ok_or_else(|| Error::invalid("the frame needs a `type`, the name of an event"))?;
        let payload = match room {
            Some(room) if !self.has_room && ABOUT_A_ROOM.contains(&event.as_str()) => {
                // It holds a field already.
                let fields = payload.get().strip_suffix('}').unwrap_or_default();
                let text = format!("{fields},\"room_id\":{}}}", to_raw(room).get());
                RawValue::from_string(text).map_err(|_| Error::Internal)?
            }
            _ => payload.to_owned(),
        };
        Ok((event, payload))
    }
}

/// The fields of an object's JSON that are looked at before it is sent.
#[derive(Deserialize)]
struct Sent<'a> {
    #[serde(borrow)]
    user_id: &'a RawValue,
    #[serde(borrow)]
    username: &'a RawValue,
    #[serde(borrow)]
    message: &'a RawValue,
    #[serde(borrow)]
    timestamp: &'a RawValue,
    content: Option<IgnoredAny>,
    sender_type: Option<IgnoredAny>,
    sender_name: Option<IgnoredAny>,
    is_read: Option<IgnoredAny>,
}

/// Who sent the message that an event brings, as JSON.
pub fn sender(payload: &RawValue) -> Option<&RawValue> {
    let sent: Sent = serde_json::from_str(payload.get()).ok()?;
    Some(sent.user_id)
}

/// An event of the server. The members of a room are told one after the other, so the last frame is kept: they share it,
/// and who reads slowly holds no copy of their own.
pub fn event(event: &'static str, payload: &RawValue) -> Utf8Bytes {
    thread_local! {
        static LAST: RefCell<(&'static str, Box<str>, Utf8Bytes)> = RefCell::default();
    }
    LAST.with_borrow_mut(|(last_event, last_payload, frame)| {
        if *last_event != event || **last_payload != *payload.get() {
            let text = match event {
                "new_message" => chat_message(payload),
                _ => None,
            };
            *frame = text.unwrap_or_else(|| tagged(event, payload)).into();
            *last_event = event;
            *last_payload = payload.get().into();
        }
        frame.clone()
    })
}

/// An answer that was asked for.
pub fn ack(ack: &RawValue, body: &RawValue) -> Utf8Bytes {
    let mut text = format!("{{\"type\":\"ack\",\"ack\":{}", ack.get());
    append_fields(&mut text, body);
    text.into()
}

/// A failure that nobody waits for.
pub fn failure(error: &Error) -> Utf8Bytes {
    tagged("error", &to_raw(&error.body())).into()
}

pub const PONG: &str = "{\"type\":\"pong\"}";
pub const HEARTBEAT: &str = "{\"type\":\"heartbeat\"}";

/// The last frame of a connection: why it is closed.
pub fn close(error: &Error) -> CloseFrame {
    let mut reason = format!("{}: {error}", error.code());
    reason.truncate(reason.floor_char_boundary(MAX_REASON_BYTES));
    CloseFrame {
        code: CloseCode::from(error.close_code()),
        reason: reason.into(),
    }
}

fn tagged(event: &str, payload: &RawValue) -> String {
    let mut text = String::with_capacity(payload.get().len() + event.len() + 16);
    text.push_str("{\"type\":\"");
    text.push_str(event);
    text.push('"');
    append_fields(&mut text, payload);
    text
}

/// Goes on with the fields of an object, and ends it.
fn append_fields(text: &mut String, object: &RawValue) {
    let fields = object.get().strip_prefix('{').unwrap_or("}");
    if fields.trim_start() != "}" {
        text.push(',');
    }
    text.push_str(fields);
}

/// A message as the clients of such servers know it, with all fields of an ordinary `new_message` beside. Those of
/// support rooms have some of the fields already.
fn chat_message(payload: &RawValue) -> Option<String> {
    let sent: Sent = serde_json::from_str(payload.get()).ok()?;
    let mut text = String::with_capacity(2 * payload.get().len() + 128);
    text.push_str("{\"type\":\"chat_message\",\"message\":{");
    // Writing into a `String` does not fail.
    write!(text, "\"created_at\":{}", sent.timestamp.get()).ok()?;
    if sent.content.is_none() {
        write!(text, ",\"content\":{}", sent.message.get()).ok()?;
    }
    if sent.sender_type.is_none() {
        text.push_str(",\"sender_type\":\"user\"");
    }
    if sent.sender_name.is_none() {
        write!(text, ",\"sender_name\":{}", sent.username.get()).ok()?;
    }
    if sent.is_read.is_none() {
        text.push_str(",\"is_read\":false");
    }
    append_fields(&mut text, payload);
    text.push('}');
    Some(text)
}

#[cfg(test)]
mod tests {
    use entity::ids::ExternalId;
    use serde_json::Value;

    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    fn read(text: &str) -> Frame {
        Frame::read(text, Some(&RoomId(ExternalId::Number(7))))
    }

    #[test]
    fn a_request_without_a_room_is_about_the_one_in_the_address() {
        let payload = |text| {
            let (_, payload) = read(text).request.unwrap();
            serde_json::from_str::<Value>(payload.get()).unwrap()["room_id"].clone()
        };
        assert_eq!(payload(r#"{"type": "typing" } "#), 7);
        assert_eq!(payload(r#"{"type":"chat_message","content":"}"}"#), 7);
        assert_eq!(payload(r#"{"type":"chat_message","room_id":"8"}"#), "8");
        assert_eq!(payload(r#"{"type":"typing","room_id":null}"#), Value::Null);
        assert_eq!(payload(r#"{"type":"search_rooms"}"#), Value::Null);
    }

    #[test]
    fn what_is_wrong_with_a_frame_is_said_in_the_ack_if_one_can_be_read() {
        for bad in [
            "",
            "{",
            "[]",
            "7",
            "null",
            "[\"ping\"]",
            "{\"type\":\"a\",\"type\":\"b\"}",
        ] {
            let frame = read(bad);
            assert!(frame.request.is_err() && frame.ack.is_none(), "{bad}");
        }
        for bad in [
            "{\"ack\":[1, 2]}",
            "{\"type\":7,\"ack\":[1, 2]}",
            "{\"type\":null,\"ack\":[1, 2]}",
        ] {
            let frame = read(bad);
            assert!(frame.request.is_err(), "{bad}");
            assert_eq!(frame.ack.unwrap().get(), "[1, 2]");
        }
        assert!(read(r#"{"type":"ping","ack":null}"#).ack.is_none());
    }

    #[test]
    fn a_message_goes_out_with_its_fields_under_both_names() {
        let text = r#"{"id":"m","user_id":7,"username":"Al\"ice","message":"hi","timestamp":"t"}"#;
        let told: Value = serde_json::from_str(&event("new_message", &raw(text))).unwrap();
        let expected = json!({
            "type": "chat_message",
            "message": {
                "id": "m", "user_id": 7, "username": "Al\"ice", "message": "hi", "timestamp": "t",
                "content": "hi", "sender_type": "user", "sender_name": "Al\"ice", "created_at": "t", "is_read": false,
            },
        });
        assert_eq!(told, expected);
        let support = r#"{"user_id":7,"username":"a","message":"hi","timestamp":"t","content":"hi",
            "sender_type":"staff","sender_name":"Support","is_read":true}"#;
        let text = event("new_message", &raw(support));
        assert_eq!(text.matches("sender_type").count(), 1);
        let told: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(told["message"]["sender_type"], "staff");
        assert_eq!(told["message"]["is_read"], true);
        assert_eq!(sender(&raw(support)).unwrap().get(), "7");
    }

    #[test]
    fn other_events_go_out_as_they_are_and_the_last_frame_is_shared() {
        let first = event("room_status", &raw(r#"{"rooms":[]}"#));
        assert_eq!(first, r#"{"type":"room_status","rooms":[]}"#);
        let again = event("room_status", &raw(r#"{"rooms":[]}"#));
        assert_eq!(first.as_ptr(), again.as_ptr());
        assert_eq!(event("x", &raw("{ }")), r#"{"type":"x" }"#);
        assert_eq!(event("y", &raw("{ }")), r#"{"type":"y" }"#);
        assert_eq!(ack(&raw("[1]"), &raw("{}")), r#"{"type":"ack","ack":[1]}"#);
    }

    #[test]
    fn the_reason_of_a_close_fits_its_frame() {
        let error = Error::invalid("ä".repeat(200));
        let frame = close(&error);
        assert_eq!(u16::from(frame.code), 4400);
        assert!(frame.reason.len() <= 123 && frame.reason.starts_with("invalid_payload: ä"));
    }
}
