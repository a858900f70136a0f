//! Every request over HTTP that stands for a command, once: the routes and the document are made from this.

use super::route::Route;
use crate::{
    chat::Namespace,
    protocol::{
        AddParticipant, AdminMessage, ArchiveRoom, AssignRoom, BlockUser, BlockedUsers, Changes,
        ChatMessage, CloseRoom, ConversationList, CreateRoom, CustomerRoomChanged, CustomerRooms,
        Done, GetBlockedUsers, GetChanges, GetMessages, GetOwnRoom, GetRoom, GetRoomParticipants,
        GetRooms, GetUserConversations, GetUserRooms, MarkRead, MarkedRead, MessagePage,
        MessageSent, OpenRoom, OwnSupportRoom, ParticipantList, PrivateMessage, PrivateMessageSent,
        RemoveParticipant, RenameRoom, RoomArchived, RoomCreated, RoomList, RoomOpened,
        RoomRenamed, RoomView, UnblockUser,
    },
};

pub fn all() -> Vec<Route> {
    let parts = [
        ("Rooms", rooms()),
        ("Messages", messages()),
        ("People", people()),
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
        Route::patch::<RenameRoom, RoomRenamed>("/rooms/{room_id}", "Gives a room another name")
            .refuses(&[409]),
        Route::delete::<ArchiveRoom, RoomArchived>(
            "/rooms/{room_id}",
            "Ends writing to a room; what was written is kept",
        ),
        Route::get::<GetRoomParticipants, ParticipantList>(
            "/rooms/{room_id}/participants",
            "Who belongs to a room",
        ),
        Route::post::<AddParticipant, Done>(
            "/rooms/{room_id}/participants",
            "Makes somebody a participant",
        )
        .refuses(&[409]),
        Route::delete::<RemoveParticipant, Done>(
            "/rooms/{room_id}/participants",
            "Takes somebody out of a room; with one's own id leaves it for good",
        )
        .refuses(&[409]),
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
        Route::post::<MarkRead, MarkedRead>(
            "/rooms/{room_id}/read",
            "Says how far the caller has read",
        ),
        Route::post::<PrivateMessage, PrivateMessageSent>(
            "/private-messages",
            "Sends a message to a user",
        )
        .creates()
        .refuses(&[404, 409]),
    ]
}

fn people() -> Vec<Route> {
    vec![
        Route::get::<GetBlockedUsers, BlockedUsers>("/blocks", "Those whom the caller has blocked"),
        Route::post::<BlockUser, Done>("/blocks", "Blocks somebody").refuses(&[404]),
        Route::delete::<UnblockUser, Done>("/blocks/{user_id}", "Takes a block back"),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::commands;

    #[test]
    fn every_route_stands_for_a_command_of_its_namespace() {
        for route in all() {
            let name = commands::name(route.namespace, route.event);
            assert_eq!(
                name, route.event,
                "{} {}",
                route.about.method, route.about.path
            );
        }
    }
}
