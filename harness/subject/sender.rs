//! A sender under test: anything that answers the operations of the attachment protocol. Here, a command that does so on
//! its stdin and stdout.
//!
//! Invariant: one reply per request. An invalid or second reply is quoted and ends the conversation. A line of any length
//! needs bounded memory.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::ChildStdin;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::launch::Launch;
use super::lines::{LineEnd, bounded_line};
use super::process::{Process, ProcessEnd};
use super::protocol::{Op, Reply, ReplyTexts};
use super::{StartFailure, SubjectError, messages};
use crate::budget::OUTCOMES;
use crate::webhook::event::Event;
use crate::wire::codec::quote;

/// How long a process may take to end after its stdout ended.
const DEATH_WAIT: Duration = Duration::from_secs(2);

/// Something that can be asked to send deliveries.
pub trait Sender: Send + Sync {
    fn call(&self, op: Op) -> BoxFuture<'_, Result<Reply, SubjectError>>;

    /// Emits several events, in few requests if the sender can. Returns one reply for each, in their order.
    ///
    /// Errors: as for one event; what was emitted before is not undone.
    fn emit_all(&self, events: Vec<Event>) -> BoxFuture<'_, Result<Vec<Reply>, SubjectError>> {
        async move {
            let mut replies = Vec::with_capacity(events.len());
            for event in events {
                replies.push(self.call(Op::Emit(event)).await?);
            }
            Ok(replies)
        }
        .boxed()
    }

    /// What is special about a sender that is driven through a CRM's own API; `None` for one that speaks the attachment
    /// protocol. It is known after `hello`.
    fn crm(&self) -> Option<Crm> {
        None
    }
}

/// A CRM, which emits what its API makes happen. The reply to `emit` says what was set, and when the call was sent in
/// milliseconds since the epoch: `{"record":{…},"updatedFields":[…],"askedAtMs":0}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crm {
    /// The objects whose records can be created, updated, deleted, restored and destroyed, by singular name.
    pub objects: Vec<String>,
    /// The object whose `created` events can hold any record; `None` if the key may not make one.
    pub any_record: Option<String>,
}

/// A sender that runs as a command.
pub struct Command {
    process: tokio::sync::Mutex<Process>,
    input: tokio::sync::Mutex<Option<ChildStdin>>,
    conversation: Arc<Mutex<Conversation>>,
    wait: Duration,
    launch: Launch,
}

/// The first request.
const HELLO: &str = "hello";

#[derive(Debug, Default)]
struct Conversation {
    asked: u64,
    waiting: HashMap<u64, Waiting>,
    texts: ReplyTexts,
    answered: HashSet<u64>,
    /// Why it ended, if it did: `Some(None)` if the output just ended.
    over: Option<Option<SubjectError>>,
}

/// A request that waits for its reply.
#[derive(Debug)]
struct Waiting {
    reply: oneshot::Sender<Result<Reply, SubjectError>>,
    /// The longest reply, in bytes.
    longest: usize,
}

impl Command {
    /// Starts a command, with additional environment variables; `wait` bounds each reply.
    ///
    /// Errors: [`SubjectError::Usage`] if there is no such command.
    pub(crate) fn start(
        launch: &Launch,
        environment: &[(&str, String)],
        wait: Duration,
    ) -> Result<Self, SubjectError> {
        // It has no port, and gets its secrets with its webhooks.
        let as_written = &str::to_owned;
        let environment = launch.environment(environment, as_written);
        let how = (&*environment, launch.folder(), launch.listener());
        let mut process = Process::launch(launch.command(), as_written, how, true)?;
        let (input, output) = process.pipes();
        let conversation = Arc::new(Mutex::new(Conversation::default()));
        if let Some(output) = output {
            tokio::spawn(listen(BufReader::new(output), conversation.clone()));
        }
        Ok(Self { process: process.into(), input: input.into(), conversation, wait, launch: launch.clone() })
    }

    /// Asks it to end, then ends it with everything it started.
    pub(crate) async fn stop(&self) {
        // It is ended whether it answers or not.
        let _ = timeout(Duration::from_secs(1), self.ask(Op::Shutdown)).await;
        self.input.lock().await.take();
        self.process.lock().await.stop().await;
    }

    async fn ask(&self, op: Op) -> Result<Reply, SubjectError> {
        let (answer, answered) = oneshot::channel();
        let name = op.name();
        let begun = {
            let mut conversation = lock(&self.conversation);
            match &conversation.over {
                Some(why) => Err(why.clone()),
                None => {
                    conversation.asked += 1;
                    let id = conversation.asked;
                    conversation.texts.know(&op);
                    let waiting = Waiting { reply: answer, longest: op.longest_reply() };
                    conversation.waiting.insert(id, waiting);
                    Ok(id)
                }
            }
        };
        let id = match begun {
            Ok(id) => id,
            Err(Some(why)) => return Err(why),
            Err(None) => return Err(self.why_it_ended(name).await),
        };
        let line = op.encode(id) + "\n";
        let written = async {
            match self.input.lock().await.as_mut() {
                Some(input) => input.write_all(line.as_bytes()).await,
                None => Err(std::io::ErrorKind::BrokenPipe.into()),
            }
        };
        let conversation = async {
            // If its stdin is closed, an earlier reply may give the reason.
            let _ = written.await;
            answered.await.ok()
        };
        match timeout(self.wait, conversation).await {
            Ok(Some(reply)) => reply,
            // Its stdout ended: the process has ended, or is about to.
            Ok(None) => Err(self.why_it_ended(name).await),
            Err(_) => {
                lock(&self.conversation).waiting.remove(&id);
                let mut process = self.process.lock().await;
                // A child process may keep its stdout open.
                if let Some(how) = process.ended().await {
                    return Err(self.ended(name, how));
                }
                let (wait, words) = (self.wait.as_secs_f64(), process.output_end());
                Err(SubjectError::ProtocolViolation(messages::no_reply_in_time(name, id, wait, &words)))
            }
        }
    }

    /// The error of a process that ended without this reply.
    fn ended(&self, asked: &str, end: ProcessEnd) -> SubjectError {
        if asked != HELLO {
            return SubjectError::Died(messages::sender_ended(asked, end));
        }
        let said: &[String] = end.output.as_ref().map_or(&[], |(_, lines)| lines);
        let hint = messages::hint(said, &self.launch);
        let fixes = hint.into_iter().chain([messages::start_sender_yourself(&self.launch)]).collect();
        let (fault, command) =
            (messages::sender_ended_at_start(&end.status), self.launch.command().to_owned());
        let failure = StartFailure {
            fault,
            command: Some(command),
            output: end.output.map(|(stream, lines)| (stream.into(), lines)),
            fixes,
        };
        SubjectError::NotStarted(Box::new(failure))
    }

    async fn why_it_ended(&self, asked: &str) -> SubjectError {
        let mut process = self.process.lock().await;
        match process.ends_within(DEATH_WAIT).await {
            Some(how) => self.ended(asked, how),
            None => SubjectError::ProtocolViolation(messages::stdout_closed(asked, &process.output_end())),
        }
    }
}

impl Sender for Command {
    fn call(&self, op: Op) -> BoxFuture<'_, Result<Reply, SubjectError>> {
        self.ask(op).boxed()
    }
}

/// Reads replies until the output ends or a line is not a reply.
async fn listen<R: AsyncRead + Unpin>(mut output: BufReader<R>, conversation: Arc<Mutex<Conversation>>) {
    let mut line = Vec::new();
    let over = loop {
        match bounded_line(&mut output, &mut line, OUTCOMES).await {
            LineEnd::Whole => {}
            LineEnd::End => break None,
            LineEnd::TooLong => {
                let why = messages::endless_line(OUTCOMES, &quote(&line));
                break Some(SubjectError::ProtocolViolation(why));
            }
        }
        if let Err(why) = take(&line, &mut lock(&conversation)) {
            break Some(SubjectError::ProtocolViolation(why));
        }
    };
    let mut conversation = lock(&conversation);
    for (_, waiting) in conversation.waiting.drain() {
        match &over {
            // A request that is no longer waiting does not need the reply.
            Some(why) => drop(waiting.reply.send(Err(why.clone()))),
            None => drop(waiting),
        }
    }
    conversation.over = Some(over);
}

/// Matches one line to its request. Errors: it is not a reply, or not to a request that is waiting.
fn take(line: &[u8], conversation: &mut Conversation) -> Result<(), String> {
    let decoded = Reply::decode(line);
    let (id, reply) = decoded.map_err(|why| match line.trim_ascii_start().first() {
        Some(b'{') => messages::invalid_line(&quote(line), &why),
        _ => messages::log_line(&quote(line)),
    })?;
    match conversation.waiting.remove(&id) {
        Some(Waiting { longest, .. }) if line.len() > longest => {
            Err(messages::endless_line(longest, &quote(line)))
        }
        Some(waiting) => {
            conversation.answered.insert(id);
            // A late reply is not wrong.
            let _ = waiting.reply.send(Ok(conversation.texts.kept(reply)));
            Ok(())
        }
        None if conversation.answered.contains(&id) => Err(messages::second_reply(id, &quote(line))),
        None if id <= conversation.asked && id > 0 => Ok(()),
        None => Err(messages::unasked_reply(id, &quote(line))),
    }
}

fn lock(conversation: &Mutex<Conversation>) -> std::sync::MutexGuard<'_, Conversation> {
    conversation.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The answer of a reply that must be `ok`. Errors: [`SubjectError::RequestFailed`].
pub(crate) fn expect_ok(op: &'static str, reply: Reply) -> Result<Box<RawValue>, SubjectError> {
    match reply {
        Reply::Ok(answer) => Ok(answer),
        Reply::Error(message) => {
            Err(SubjectError::RequestFailed(messages::answered_with_error(op, &message)))
        }
        Reply::Unsupported(reason) => Err(SubjectError::RequestFailed(messages::unsupported(op, &reason))),
    }
}
