//! The Socket.IO door. The library speaks the protocol; who gets in is decided in `admit`, what a connection asks is
//! taken in order by its `session`, what it hears leaves through its `outlet`.

mod admit;
mod incoming;
mod outlet;

use std::{sync::Arc, time::Duration};

use socketioxide::{ParserConfig, SocketIo, handler::ConnectHandler, service::SocketIoService};

use super::Gateway;
use crate::chat::Namespace;
use admit::Admission;

/// A service that answers what is not Socket.IO's with 404.
pub type Service = SocketIoService<engineioxide::service::NotFoundService>;

/// Binary attachments: no event of ours has any, but one that has must be answered, not cut off.
const MAX_ATTACHMENTS: usize = 8;

const NAMESPACES: [(&str, Namespace); 3] = [
    ("/", Namespace::Chat),
    ("/support", Namespace::Support),
    ("/admin", Namespace::Admin),
];

/// The service behind `/socket.io/`.
pub fn service(gateway: &Arc<Gateway>) -> Service {
    let config = &gateway.config;
    let parser = ParserConfig::common()
        .max_incoming_binaries(MAX_ATTACHMENTS)
        .max_incoming_binary_buf_size(config.max_payload_bytes)
        .packet_completion_timeout(Duration::from_secs(10));
    let (service, io) = SocketIo::builder()
        .req_path("/socket.io")
        .with_parser(parser)
        .ping_interval(config.ping_interval_seconds.0)
        .ping_timeout(config.ping_timeout_seconds.0)
        .connect_timeout(config.connect_timeout_seconds.0)
        .max_buffer_size(config.send_buffer)
        .max_payload(u64::try_from(config.max_payload_bytes).unwrap_or(u64::MAX))
        .ws_max_message_size(config.max_payload_bytes)
        .ws_max_frame_size(config.max_payload_bytes)
        .build_svc();
    for (path, namespace) in NAMESPACES {
        let admission = Admission::new(Arc::clone(gateway), service.clone(), namespace);
        io.ns(path, admit::connected.with(admission.middleware()));
    }
    service
}
