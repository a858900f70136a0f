//! Connections on which nothing happens: something on the way may cut them before the server's next ping.

use std::time::{Duration, Instant};

use super::{
    Options,
    client::{Client, End},
    door,
    report::Finding,
    session::{PING, PONG, Session, Trouble},
    websocket,
};

const WITHOUT_A_WORD: &str = "without a word";

/// How a connection fared that was left alone.
enum Fate {
    /// So long, until it was enough.
    Left(Duration),
    /// The server ended it: of those who have not said who they are it keeps none for long.
    Ended(Duration),
    Cut(Duration, String),
}

pub async fn examine(client: &Client, options: &Options) -> Vec<Finding> {
    let (websocket, polling) = tokio::join!(
        watch_websocket(client, options),
        watch_polling(client, options)
    );
    let watched = [("a WebSocket", websocket), ("a long poll", polling)];
    let watched = watched.into_iter();
    let told = watched.filter_map(|(what, fate)| Some(tell(what, fate?, options)));
    told.collect()
}

/// How long the server lets a healthy connection be silent, at the most and as a rule.
struct Silence {
    longest: Duration,
    usual: Duration,
}

fn tell(what: &str, (fate, silence): (Fate, Silence), options: &Options) -> Finding {
    let usual = silence.usual.as_secs();
    match fate {
        Fate::Cut(after, how) => Finding::problem(
            "idle",
            format!(
                "{what} on which nothing happened was cut after {:.1} s ({how}); the server is silent for up to {usual} s between two pings, so idle clients lose their connection again and again",
                after.as_secs_f64()
            ),
            format!(
                "Set all idle and read timeouts on the way above {} s (nginx: proxy_read_timeout; HAProxy: timeout server, client and tunnel)",
                silence.longest.as_secs()
            ),
        ),
        Fate::Left(time) if time >= silence.usual => Finding::ok(
            "idle",
            format!(
                "{what} on which nothing happens is left alone until the server's next ping, after {usual} s"
            ),
        ),
        Fate::Left(time) => Finding::ok(
            "idle",
            format!(
                "{what} on which nothing happened was left alone for {} s; pings come every {usual} s (--wait {} waits for one)",
                time.as_secs(),
                usual + 2
            ),
        ),
        Fate::Ended(time) => {
            let advice = if options.token.is_none() {
                "; with --token it would be watched for longer"
            } else {
                ""
            };
            Finding::ok(
                "idle",
                format!(
                    "{what} on which nothing happened was left alone for {} s, until the server ended it{advice}",
                    time.as_secs()
                ),
            )
        }
    }
}

/// Whether a ping ends as long a silence as pings do, other than the first one.
fn is_due(quiet_since: Instant, silence: &Silence) -> bool {
    quiet_since.elapsed() > silence.usual / 2
}

async fn watch_websocket(client: &Client, options: &Options) -> Option<(Fate, Silence)> {
    // Where there is no WebSocket that was said already.
    let (mut websocket, terms) = websocket::open(client).await.ok()?;
    let silence = Silence {
        longest: terms.longest_silence(),
        usual: terms.ping_interval(),
    };
    if let Some(token) = &options.token {
        websocket.send(&door::connect(token)).await.ok()?;
    }
    let start = Instant::now();
    let fate = loop {
        let quiet_since = Instant::now();
        let left = options.wait.saturating_sub(start.elapsed());
        match websocket.receive(left).await {
            Ok(packet) if packet == PING => {
                if is_due(quiet_since, &silence) {
                    break Fate::Left(silence.usual);
                }
                if websocket.send(PONG).await.is_err() {
                    break Fate::Cut(quiet_since.elapsed(), WITHOUT_A_WORD.to_owned());
                }
            }
            Ok(_) => {}
            Err(End::Silent) => break Fate::Left(start.elapsed()),
            Err(End::Closed) => break Fate::Ended(start.elapsed()),
            Err(End::Cut) => {
                break Fate::Cut(quiet_since.elapsed(), WITHOUT_A_WORD.to_owned());
            }
        }
    };
    websocket.leave(&[]).await;
    Some((fate, silence))
}

async fn watch_polling(client: &Client, options: &Options) -> Option<(Fate, Silence)> {
    let session = Session::open(client).await.ok()?;
    let silence = Silence {
        longest: session.terms.longest_silence(),
        usual: session.terms.ping_interval(),
    };
    if let Some(token) = &options.token {
        session.post(door::connect(token)).await.ok()?;
    }
    let start = Instant::now();
    let fate = loop {
        let quiet_since = Instant::now();
        let left = options.wait.saturating_sub(start.elapsed());
        match session.poll(left).await {
            Ok(answer) if answer.body == PING => {
                // Until it is answered the server waits for that.
                drop(session.post(PONG).await);
                if is_due(quiet_since, &silence) {
                    break Fate::Left(silence.usual);
                }
            }
            Ok(answer) if answer.body.is_empty() || answer.body == "1" => {
                break Fate::Ended(start.elapsed());
            }
            Ok(_) => {}
            Err(Trouble::Failure(failure)) if failure.is_timeout => {
                break Fate::Left(start.elapsed());
            }
            // Said by those who look for it.
            Err(Trouble::Stray(_)) => return None,
            Err(trouble) => break Fate::Cut(quiet_since.elapsed(), trouble.text()),
        }
    };
    session.close().await;
    Some((fate, silence))
}
