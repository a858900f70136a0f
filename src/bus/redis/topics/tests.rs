use super::*;
use crate::bus::redis::health::Part;

fn new() -> Arc<Topics> {
    Topics::new(Arc::new(Monitor::new()))
}

/// The task that tells Redis, without Redis.
#[derive(Default)]
struct Told(HashSet<Arc<str>>);

impl Told {
    /// Tells it the next changes; how many there were.
    fn tell(&mut self, topics: &Topics) -> usize {
        let changes = topics.take(100, &self.0);
        self.0.extend(changes.begin.iter().cloned());
        topics.confirm(&changes.begin);
        for channel in &changes.end {
            self.0.remove(channel);
        }
        changes.begin.len() + changes.end.len()
    }

    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.iter().map(|name| &**name).collect();
        names.sort_unstable();
        names
    }
}

#[tokio::test]
async fn a_channel_is_told_once_however_many_listen_and_ended_with_the_last() {
    let (topics, mut told) = (new(), Told::default());
    topics.begin();
    let mut first = topics.listen("a".to_owned());
    let mut second = topics.listen("a".to_owned());
    assert!(!first.is_current());
    assert_eq!(told.tell(&topics), 1);
    first.confirmed().await;
    second.confirmed().await;
    assert!(first.is_current() && second.is_current());
    assert!(topics.listen("a".to_owned()).is_current(), "at once");
    assert_eq!(told.tell(&topics), 0);
    drop(first);
    assert_eq!(told.tell(&topics), 0);
    drop(second);
    assert_eq!(told.tell(&topics), 1);
    assert_eq!(told.names(), Vec::<&str>::new());
    assert_eq!(topics.count(), 0);
}

#[tokio::test]
async fn coming_and_going_faster_than_redis_is_told_costs_nothing() {
    let (topics, mut told) = (new(), Told::default());
    topics.begin();
    for _ in 0..1000 {
        drop(topics.listen("a".to_owned()));
    }
    assert_eq!(told.tell(&topics), 0);
    assert_eq!(topics.count(), 0);
    let mut held = topics.listen("a".to_owned());
    told.tell(&topics);
    held.confirmed().await;
    drop(held);
    let again = topics.listen("a".to_owned());
    assert!(again.is_current(), "Redis was not told of the end yet");
    assert_eq!(told.tell(&topics), 0);
    assert_eq!(told.names(), ["a"]);
}

#[tokio::test]
async fn whoever_returns_while_redis_is_told_of_the_end_is_told_anew() {
    let (topics, mut told) = (new(), Told::default());
    topics.begin();
    let held = topics.listen("a".to_owned());
    told.tell(&topics);
    drop(held);
    let ending = topics.take(100, &told.0);
    let mut again = topics.listen("a".to_owned());
    assert!(!again.is_current());
    for channel in ending.end {
        told.0.remove(&channel);
    }
    assert_eq!(told.tell(&topics), 1);
    again.confirmed().await;
    assert!(again.is_current());
}

#[tokio::test]
async fn what_began_in_one_session_is_not_current_in_the_next() {
    let (topics, mut told) = (new(), Told::default());
    topics.begin();
    let mut held = topics.listen("a".to_owned());
    told.tell(&topics);
    held.confirmed().await;
    topics.end();
    assert!(!held.is_current());
    topics.monitor.down(Part::Commands, "a test");
    let mut away = topics.listen("a".to_owned());
    away.confirmed().await;
    drop(topics.listen("b".to_owned()));
    topics.monitor.up(Part::Commands);
    topics.begin();
    let mut told = Told::default();
    assert_eq!(told.tell(&topics), 1, "b is not listened to");
    assert!(!held.is_current() && !away.is_current());
    assert!(topics.listen("a".to_owned()).is_current());
}

#[tokio::test]
async fn what_began_before_something_may_have_been_missed_is_not_current() {
    let (topics, mut told) = (new(), Told::default());
    topics.begin();
    let mut held = topics.listen("a".to_owned());
    told.tell(&topics);
    held.confirmed().await;
    topics.renew();
    assert!(!held.is_current());
    assert!(topics.listen("a".to_owned()).is_current());
    assert_eq!(told.tell(&topics), 0, "Redis was told already");
}

#[tokio::test]
async fn nobody_waits_while_redis_is_away() {
    let topics = new();
    topics
        .monitor
        .down(super::super::health::Part::Commands, "a test");
    topics.begin();
    let mut held = topics.listen("a".to_owned());
    held.confirmed().await;
    assert!(!held.is_current());
}

#[tokio::test]
async fn whoever_waits_is_let_go_when_the_connection_is() {
    let topics = new();
    topics.begin();
    let mut held = topics.listen("a".to_owned());
    topics.end();
    held.confirmed().await;
    assert!(!held.is_current());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_not_proven_is_not_relied_on() {
    let (topics, mut told) = (new(), Told::default());
    topics.begin();
    let mut held = topics.listen("a".to_owned());
    told.tell(&topics);
    held.confirmed().await;
    tokio::time::advance(PROOF).await;
    assert!(!held.is_current());
    topics.prove(Instant::now());
    assert!(held.is_current());
}

#[test]
fn a_thousand_random_comings_and_goings_leave_redis_with_what_is_listened_to() {
    let (topics, mut told) = (new(), Told::default());
    topics.begin();
    let mut held: Vec<(usize, Held)> = Vec::new();
    for _ in 0..10_000 {
        match rand::random_range(0..5) {
            0 | 1 => {
                let channel = rand::random_range(0..20);
                held.push((channel, topics.listen(channel.to_string())));
            }
            2 | 3 if !held.is_empty() => {
                held.swap_remove(rand::random_range(0..held.len()));
            }
            _ => {
                told.tell(&topics);
            }
        }
    }
    told.tell(&topics);
    let mut wanted: Vec<String> = held.iter().map(|(name, _)| name.to_string()).collect();
    wanted.sort_unstable();
    wanted.dedup();
    assert_eq!(told.names(), wanted);
    assert!(
        held.iter()
            .all(|(name, _)| { topics.listen(name.to_string()).is_current() })
    );
}
