//! Messages that were committed without our knowing: the answer to the commit was lost. Nobody was told of them, here or
//! on other nodes, so all look into the store once it can be written again.

use std::sync::Weak;

use super::Chat;
use crate::bus::Event;

/// Asks everybody to look when it is necessary, as long as there is a chat.
pub(super) async fn watch(chat: Weak<Chat>) {
    let Some(mut interruptions) = chat.upgrade().map(|chat| chat.store.interruptions()) else {
        return;
    };
    while interruptions.changed().await.is_ok() {
        let Some(chat) = chat.upgrade() else { return };
        let rooms = chat.store.take_unannounced();
        if !rooms.is_empty() {
            tracing::info!(
                rooms = rooms.len(),
                "looking for messages of which it was not known whether they are stored"
            );
            chat.bus.publish(Event::CatchUp);
        }
    }
}
