//! What can stand between a server and its database: it passes everything on until it is told to do something else.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
    task::JoinSet,
};

/// What is done with a connection on which the client says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It ends before the server gets it.
    CutBefore,
    /// The server gets it, and the connection ends before its answer.
    CutAfter,
    /// The server gets it, and nothing else is passed on in either direction: as if the network was gone.
    Silence,
}

/// What is waited for, and what is done then.
type Trap = (Vec<u8>, Fault);

#[derive(Clone)]
pub struct Proxy {
    pub address: String,
    /// What is waited for in what clients say, and what is done then, once.
    trap: Arc<Mutex<Option<Trap>>>,
    sprung: watch::Sender<u32>,
    said: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    pub async fn start(to: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap().to_string(),
            trap: Arc::default(),
            sprung: watch::Sender::new(0),
            said: Arc::default(),
        };
        let this = proxy.clone();
        tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&to).await.unwrap();
                connections.spawn(this.clone().pass(client, server));
            }
        });
        proxy
    }

    /// The next one who says `what` meets the fault.
    pub fn set(&self, what: &str, fault: Fault) {
        *self.trap.lock() = Some((what.as_bytes().to_vec(), fault));
    }

    /// Waits until somebody has met it.
    pub async fn sprung(&self) {
        let mut sprung = self.sprung.subscribe();
        sprung.wait_for(|count| *count > 0).await.unwrap();
    }

    /// How often clients have said something.
    pub fn count(&self, what: &str) -> usize {
        let said = self.said.lock();
        let parts = said.windows(what.len());
        parts.filter(|part| *part == what.as_bytes()).count()
    }

    fn fault(&self, said: &[u8]) -> Option<Fault> {
        let mut trap = self.trap.lock();
        let (what, fault) = trap.as_ref()?;
        if !said.windows(what.len()).any(|part| part == what) {
            return None;
        }
        let fault = *fault;
        *trap = None;
        Some(fault)
    }

    async fn pass(self, client: TcpStream, server: TcpStream) {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let silence = Arc::new(Notify::new());
        let silenced = Arc::clone(&silence);
        let mut answers = tokio::spawn(async move {
            let mut buffer = vec![0; 1 << 16];
            loop {
                let read = tokio::select! {
                    biased;
                    // Not the end: that would be heard.
                    () = silenced.notified() => std::future::pending().await,
                    read = from_server.read(&mut buffer) => read.unwrap_or(0),
                };
                if read == 0 || to_client.write_all(&buffer[..read]).await.is_err() {
                    return;
                }
            }
        });
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = tokio::select! {
                read = from_client.read(&mut buffer) => read.unwrap_or(0),
                _ = &mut answers => 0,
            };
            let Some(said) = buffer.get(..read).filter(|said| !said.is_empty()) else {
                break;
            };
            self.said.lock().extend_from_slice(said);
            let fault = self.fault(said);
            match fault {
                None => {}
                Some(Fault::Silence) => silence.notify_one(),
                Some(Fault::CutBefore | Fault::CutAfter) => answers.abort(),
            }
            if fault != Some(Fault::CutBefore) && to_server.write_all(said).await.is_err() {
                break;
            }
            match fault {
                None => {}
                Some(Fault::Silence) => {
                    self.sprung.send_modify(|count| *count += 1);
                    // Both sockets stay open, and nobody reads them.
                    std::future::pending::<()>().await;
                }
                Some(Fault::CutBefore | Fault::CutAfter) => {
                    self.sprung.send_modify(|count| *count += 1);
                    break;
                }
            }
        }
        answers.abort();
    }
}
