use serde_json::{Value, json};

use super::*;

const NODE: NodeId = NodeId(Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef));
const MESSAGE: &str = "01890000-0000-7000-8000-000000000001";
const TIME: &str = "2026-11-21T10:20:30.400Z";

/// What people write: all of it has to arrive as it was.
fn text() -> String {
    "a \u{1}\t\n\u{7f}\u{85}\u{2028} \"quoted\" \\ / é 👩‍👩‍👧‍👦 \u{10ffff} "
        .chars()
        .cycle()
        .take(10_000)
        .collect()
}

fn message() -> Value {
    json!({
        "id": MESSAGE, "room_id": "#7 {a}:b%", "user_id": 7, "username": "Ada \u{1}👋", "message": text(),
        "timestamp": TIME, "seq": 9_007_199_254_740_991_i64, "rev": 9_007_199_254_740_991_i64, "client_id": "7",
        "reply_to": MESSAGE, "content": text(), "sender_type": "customer", "sender_name": "Ada", "is_read": false,
    })
}

fn activity() -> Value {
    let room = json!({
        "id": 7, "customer_name": "Ada", "customer_email": null, "customer_id": "guest", "is_guest": true,
        "status": "waiting", "created_at": TIME, "last_message_at": null, "last_message": message(),
        "unread_count": 3, "is_online": true, "assigned_to": 8, "assigned_name": "Grace", "rev": 4,
    });
    json!({
        "room_id": 7, "action": "opened", "user_id": "u", "username": "Ada", "is_staff": false, "is_typing": true,
        "seq": 4, "unread_count": 3, "room": room,
    })
}

fn update(assigned_to: &Value) -> Value {
    json!({ "room_id": 7, "status": "active", "assigned_to": assigned_to, "assigned_name": null })
}

/// Every variant as it is written down; other releases read and write it so.
fn samples() -> Vec<Value> {
    let membership = json!({ "room_id": "r", "user_id": -7, "username": "Ada" });
    let change = json!({ "room_id": "r", "user_id": "7", "username": "Ada", "by": 7 });
    let room = json!({
        "id": "r", "name": "R", "kind": "private", "private": true, "created_by": 7, "created_at": TIME, "rev": 0,
        "archived": true,
    });
    let typist =
        json!({ "user_id": 7, "username": "Ada", "is_staff": true, "connection": u64::MAX });
    let tenant = "t:{}%";
    let mut samples = vec![
        json!({ "Message": { "tenant": tenant, "message": message(), "listeners": "None", "unread_count": null } }),
        json!({ "Message": {
            "tenant": tenant, "message": message(), "listeners": { "Direct": [7, "7"] }, "unread_count": null } }),
        json!({ "Message": {
            "tenant": tenant, "message": message(), "listeners": { "Support": ["guest"] }, "unread_count": 3 } }),
        json!({ "Typing": {
            "tenant": tenant, "room": 7, "typist": typist, "is_typing": true, "is_support": false } }),
        json!({ "Joined": { "tenant": tenant, "membership": membership } }),
        json!({ "Left": { "tenant": tenant, "membership": membership, "is_online": true } }),
        json!({ "Notification": { "tenant": tenant, "user": 7, "notification": {
            "kind": "private_message", "room_id": 7, "message_id": MESSAGE, "title": "T", "body": text(),
            "unread_count": 2 } } }),
        json!({ "SupportOpened": { "tenant": tenant, "customer": "u", "activity": activity() } }),
        json!({ "Desk": { "tenant": tenant, "activity": activity() } }),
        json!({ "SupportStatus": { "tenant": tenant, "customers": ["u", 7], "update": update(&json!(8)) } }),
        json!({ "SupportStatus": { "tenant": tenant, "customers": [], "update": update(&Value::Null) } }),
        json!({ "SupportStatus": {
            "tenant": tenant, "customers": [], "update": { "room_id": 7, "status": "closed" } } }),
        json!({ "RoomChanged": { "tenant": tenant, "room": 7, "overturns": true } }),
        json!({ "ParticipantAdded": { "tenant": tenant, "change": change } }),
        json!({ "ParticipantRemoved": { "tenant": tenant, "change": change } }),
        json!({ "RoomUpdated": { "tenant": tenant, "update": { "room": room, "by": 7, "user_id": 8, "role": "admin" } } }),
        json!({ "Read": { "tenant": tenant, "receipt": { "room_id": 7, "user_id": 8, "seq": 9, "at": TIME } } }),
        json!("CatchUp"),
    ];
    for last_seen in [None, Some(TIME)] {
        let mut update = json!({ "user_id": 7, "username": "Ada" });
        if let Some(time) = last_seen {
            update["last_seen"] = json!(time);
        }
        samples.push(json!({ "Presence": {
            "tenant": tenant, "update": update, "version": i64::MAX, "to_all": true, "companions": [1, "1"],
            "support_room": 7 } }));
    }
    let ends = [
        json!({ "Session": MESSAGE }),
        json!({ "TokensBelow": 5 }),
        json!("Disabled"),
        json!("GuestLinked"),
    ];
    samples.extend(
        ends.map(|which| json!({ "AccessEnded": { "tenant": tenant, "user": 7, "which": which } })),
    );
    samples
}

/// A new variant does not compile until it has a number here, and is missed below until it has a sample.
fn variant(event: &Event) -> usize {
    match event {
        Event::Message { .. } => 0,
        Event::Typing { .. } => 1,
        Event::Joined { .. } => 2,
        Event::Left { .. } => 3,
        Event::RoomChanged { .. } => 4,
        Event::Presence { .. } => 5,
        Event::Notification { .. } => 6,
        Event::SupportOpened { .. } => 7,
        Event::Desk { .. } => 8,
        Event::SupportStatus { .. } => 9,
        Event::ParticipantAdded { .. } => 10,
        Event::ParticipantRemoved { .. } => 11,
        Event::RoomUpdated { .. } => 12,
        Event::Read { .. } => 13,
        Event::AccessEnded { .. } => 14,
        Event::CatchUp => 15,
    }
}

const VARIANTS: usize = 16;

#[test]
fn every_event_arrives_as_it_was_sent() {
    let mut seen = std::collections::BTreeSet::new();
    for (number, sample) in (0..).zip(samples()) {
        let event: Event = serde_json::from_value(sample.clone())
            .unwrap_or_else(|error| panic!("{error}: {sample}"));
        seen.insert(variant(&event));
        let bytes = write(NODE, number, number % 2 == 0, &event).unwrap();
        let envelope = Envelope::read(&bytes).unwrap();
        assert_eq!((envelope.node, envelope.number), (NODE, number));
        assert_eq!(envelope.is_repeated, number % 2 == 0);
        let heard = envelope.event().unwrap();
        assert_eq!(
            serde_json::to_string(&heard).unwrap(),
            serde_json::to_string(&event).unwrap()
        );
        assert_eq!(
            serde_json::to_value(&heard).unwrap(),
            sample,
            "nothing is left out"
        );
    }
    assert_eq!(seen.len(), VARIANTS, "some variants have no sample");
}

/// As if it were written by another release.
fn envelope(version: u8, event: &str) -> Vec<u8> {
    let mut bytes = write(NODE, 1, false, &Event::CatchUp).unwrap();
    bytes.truncate(HEAD);
    bytes[1] = version;
    bytes.extend(event.as_bytes());
    bytes
}

#[test]
fn fields_that_are_not_known_are_passed_over() {
    let bytes = envelope(
        VERSION,
        r#"{"Joined":{"new":{"a":[1]},"tenant":"t","membership":{"room_id":1,"user_id":2,"username":"A","more":0}}}"#,
    );
    let heard = Envelope::read(&bytes).unwrap().event().unwrap();
    assert!(matches!(heard, Event::Joined { .. }));
}

#[test]
fn variants_and_versions_that_are_not_known_are_no_events() {
    let unknown = envelope(VERSION, r#"{"Dance":{"tenant":"t"}}"#);
    let reason = Envelope::read(&unknown).unwrap().event().unwrap_err();
    assert!(reason.0.contains("Dance"), "{reason:?}");
    let newer = envelope(VERSION + 1, "\"CatchUp\"");
    assert_eq!(
        Envelope::read(&newer).unwrap_err(),
        Unreadable("version 2".to_owned())
    );
}

#[test]
fn no_bytes_whatever_are_too_much() {
    let whole = write(NODE, 1, true, &Event::CatchUp).unwrap();
    for length in 0..whole.len() {
        let part = &whole[..length];
        assert!(
            Envelope::read(part)
                .and_then(|envelope| envelope.event())
                .is_err()
        );
    }
    for byte in 0..=u8::MAX {
        let same = vec![byte; 100];
        assert!(
            Envelope::read(&same)
                .and_then(|envelope| envelope.event())
                .is_err()
        );
    }
}
