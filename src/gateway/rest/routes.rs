//! Every request over HTTP that stands for a command, once: the routes and the document are made from this.

use super::route::Route;
use crate::{
    chat::Namespace,
    protocol::{
        AdminMessage, AssignRoom, Changes, ChatMessage, CloseRoom, ConversationList, CreateRoom,
        CustomerRoomChanged, CustomerRooms, GetChanges, GetMessages, GetOwnRoom, GetRoom,
        GetRoomParticipants, GetRooms, GetUserConversations, GetUserRooms, MessagePage,
        MessageSent, OpenRoom, OwnSupportRoom, ParticipantList, PrivateMessage, PrivateMessageSent,
        RoomCreated, RoomList, RoomOpened, RoomView,
    },
};

pub fn all() -> Vec<Route> {
    let parts = [
        ("Rooms", rooms()),
        ("Messages", messages()),
        ("Support", support()),
        ("Staff", staff()),
    ];
    let tagged = parts
        .into_iter()
        .flat_map(|(tag, routes)| routes.into_iter().map(move |route| route.tag(tag)));
    tagged.collect()
}

fn rooms() -> Vec<Route> {
    vec![
        Route::get::<GetUserRooms, RoomList>("/rooms", "The caller's rooms"),
        Route::post::<CreateRoom, RoomCreated>("/rooms", "Makes a room")
            .creates()
            .refuses(&[404]),
        Route::get::<GetRoom, RoomView>("/rooms/{room_id}", "One room"),
        Route::get::<GetRoomParticipants, ParticipantList>(
            "/rooms/{room_id}/participants",
            "Who belongs to a room",
        ),
        Route::get::<GetUserConversations, ConversationList>(
            "/conversations",
            "The caller's conversations, with what is unread",
        ),
    ]
}

fn messages() -> Vec<Route> {
    vec![
        Route::get::<GetMessages, MessagePage>(
            "/rooms/{room_id}/messages",
            "A page of a room's history",
        ),
        Route::post::<ChatMessage, MessageSent>(
            "/rooms/{room_id}/messages",
            "Sends a message to a room",
        )
        .creates()
        .refuses(&[409]),
        Route::get::<GetChanges, Changes>(
            "/rooms/{room_id}/changes",
            "What changed in a room; the answer can wait until something does",
        ),
        Route::post::<PrivateMessage, PrivateMessageSent>(
            "/private-messages",
            "Sends a message to a user",
        )
        .creates()
        .refuses(&[404]),
    ]
}

fn support() -> Vec<Route> {
    let routes = [
        Route::get::<GetOwnRoom, OwnSupportRoom>(
            "/support/room",
            "The caller's open support room, if there is one",
        ),
        Route::post::<OpenRoom, RoomOpened>(
            "/support/room",
            "Opens the caller's support room, or finds the one that is open",
        )
        .may_create(),
    ];
    routes.map(|route| route.of(Namespace::Support)).into()
}

fn staff() -> Vec<Route> {
    let routes = [
        Route::get::<GetRooms, CustomerRooms>("/admin/rooms", "The tenant's support rooms"),
        Route::post::<AdminMessage, MessageSent>(
            "/admin/rooms/{room_id}/messages",
            "Answers a customer",
        )
        .creates()
        .refuses(&[409]),
        Route::post::<AssignRoom, CustomerRoomChanged>(
            "/admin/rooms/{room_id}/assign",
            "Makes somebody of the staff look after a room",
        )
        .refuses(&[409]),
        Route::post::<CloseRoom, CustomerRoomChanged>(
            "/admin/rooms/{room_id}/close",
            "Closes a conversation",
        )
        .refuses(&[409]),
    ];
    routes.map(|route| route.of(Namespace::Admin)).into()
}
