//! A sender under test: anything that answers the operations of the attachment protocol. Here a command that does so on
//! its stdin and stdout.
//!
//! Invariant: one reply for each request. A line that is no reply, or a second one, is quoted and ends the conversation;
//! a line of any length costs bounded memory.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::ChildStdin;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::SubjectError;
use super::process::Process;
use super::protocol::{Op, Reply};
use crate::wire::codec::quote;

const LONGEST_REPLY: usize = 16 * 1024 * 1024;
/// How long a process may take to be gone once its output ended.
const DEATH_WAIT: Duration = Duration::from_secs(2);

/// What can be asked to send.
pub trait Sender: Send + Sync {
    fn call(&self, op: Op) -> BoxFuture<'_, Result<Reply, SubjectError>>;
}

/// A sender that a command runs.
pub struct Command {
    process: tokio::sync::Mutex<Process>,
    input: tokio::sync::Mutex<Option<ChildStdin>>,
    conversation: Arc<Mutex<Conversation>>,
    wait: Duration,
}

#[derive(Debug, Default)]
struct Conversation {
    asked: u64,
    waiting: HashMap<u64, oneshot::Sender<Result<Reply, SubjectError>>>,
    answered: HashSet<u64>,
    /// Why it is over, once it is: `None` inside where the output merely ended.
    over: Option<Option<SubjectError>>,
}

impl Command {
    /// Starts a command, with further variables in its environment; `wait` bounds each reply.
    ///
    /// Errors: [`SubjectError::Usage`] where there is no such command.
    pub(crate) fn start(
        command: &str,
        environment: &[(&str, String)],
        wait: Duration,
    ) -> Result<Self, SubjectError> {
        let mut process = Process::start(command, environment, true)?;
        let (input, output) = process.pipes();
        let conversation = Arc::new(Mutex::new(Conversation::default()));
        if let Some(output) = output {
            tokio::spawn(listen(BufReader::new(output), conversation.clone()));
        }
        Ok(Self { process: process.into(), input: input.into(), conversation, wait })
    }

    /// Asks it to end, and ends it with everything that it started.
    pub(crate) async fn stop(&self) {
        // Whether it answers or not, it is ended.
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
                    conversation.waiting.insert(id, answer);
                    Ok(id)
                }
            }
        };
        let id = match begun {
            Ok(id) => id,
            Err(Some(why)) => return Err(why),
            Err(None) => return Err(self.death(name).await),
        };
        let line = op.encode(id) + "\n";
        let written = async {
            match self.input.lock().await.as_mut() {
                Some(input) => input.write_all(line.as_bytes()).await,
                None => Err(std::io::ErrorKind::BrokenPipe.into()),
            }
        };
        let conversation = async {
            // Where its input is closed, what it said before it closed it tells why.
            let _ = written.await;
            answered.await.ok()
        };
        match timeout(self.wait, conversation).await {
            Ok(Some(reply)) => reply,
            // Its output ended: the process is gone or about to be.
            Ok(None) => Err(self.death(name).await),
            Err(_) => {
                lock(&self.conversation).waiting.remove(&id);
                let mut process = self.process.lock().await;
                // What it left running may hold its stdout open.
                if let Some(how) = process.ended().await {
                    return Err(SubjectError::Died(format!("no reply to `{name}`: {how}")));
                }
                let (wait, words) = (self.wait.as_secs_f64(), process.last_words());
                Err(SubjectError::Broke(format!(
                    "the sender did not reply to `{name}` (request {id}) within {wait} s{words}"
                )))
            }
        }
    }

    async fn death(&self, asked: &str) -> SubjectError {
        let mut process = self.process.lock().await;
        match process.ends_within(DEATH_WAIT).await {
            Some(how) => SubjectError::Died(format!("no reply to `{asked}`: {how}")),
            None => SubjectError::Broke(format!(
                "no reply to `{asked}`: the sender goes on, but closed its stdout{}",
                process.last_words()
            )),
        }
    }
}

impl Sender for Command {
    fn call(&self, op: Op) -> BoxFuture<'_, Result<Reply, SubjectError>> {
        self.ask(op).boxed()
    }
}

/// Reads replies until the output ends or one of them is none.
async fn listen<R: AsyncRead + Unpin>(mut output: BufReader<R>, conversation: Arc<Mutex<Conversation>>) {
    let mut line = Vec::new();
    let over = loop {
        line.clear();
        match bounded_line(&mut output, &mut line).await {
            Ok(true) => {}
            Ok(false) => break None,
            Err(why) => break Some(SubjectError::Broke(why)),
        }
        if let Err(why) = take(&line, &mut lock(&conversation)) {
            break Some(SubjectError::Broke(format!("the sender wrote to stdout {}: {why}", quote(&line))));
        }
    };
    let mut conversation = lock(&conversation);
    for (_, waiting) in conversation.waiting.drain() {
        match &over {
            // A receiver that gave up waiting does not need the answer.
            Some(why) => drop(waiting.send(Err(why.clone()))),
            None => drop(waiting),
        }
    }
    conversation.over = Some(over);
}

/// Matches one line to its request.
fn take(line: &[u8], conversation: &mut Conversation) -> Result<(), String> {
    let (id, reply) = Reply::decode(line)?;
    match conversation.waiting.remove(&id) {
        Some(waiting) => {
            conversation.answered.insert(id);
            // A reply that came after its wait was over is late, not wrong.
            let _ = waiting.send(Ok(reply));
            Ok(())
        }
        None if conversation.answered.contains(&id) => Err(format!("request {id} was answered before")),
        None if id <= conversation.asked && id > 0 => Ok(()),
        None => Err(format!("there was no request {id}")),
    }
}

/// Reads a line without its line feed; `false` at the end. Errors: it is too long.
async fn bounded_line<R: AsyncRead + Unpin>(
    output: &mut BufReader<R>,
    line: &mut Vec<u8>,
) -> Result<bool, String> {
    loop {
        let buffer = output.fill_buf().await.unwrap_or_default();
        if buffer.is_empty() {
            return Ok(!line.is_empty());
        }
        let end = buffer.iter().position(|&byte| byte == b'\n');
        line.extend_from_slice(&buffer[..end.unwrap_or(buffer.len())]);
        let used = end.map_or(buffer.len(), |end| end + 1);
        output.consume(used);
        if end.is_some() {
            return Ok(true);
        }
        if line.len() > LONGEST_REPLY {
            return Err(format!(
                "the sender wrote a line of more than {LONGEST_REPLY} bytes, which begins {}",
                quote(line)
            ));
        }
    }
}

fn lock(conversation: &Mutex<Conversation>) -> std::sync::MutexGuard<'_, Conversation> {
    conversation.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The answer of a reply that had to be `ok`. Errors: [`SubjectError::Stuck`], with what it said instead.
pub(crate) fn expect_ok(op: &'static str, reply: Reply) -> Result<Value, SubjectError> {
    match reply {
        Reply::Ok(answer) => Ok(answer),
        Reply::Error(message) => {
            Err(SubjectError::Stuck(format!("the sender answered `{op}` with an error: {message:?}")))
        }
        Reply::Unsupported(reason) => {
            Err(SubjectError::Stuck(format!("the sender does not support `{op}`: {reason:?}")))
        }
    }
}
