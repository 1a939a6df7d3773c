//! Generated records at a CRM. They go into one JSON field, in few calls, and are not shrunk.

use futures_util::future::join_all;

use super::EmittedEvent;
use super::records::RecordMembers;
use crate::subject::SubjectError;
use crate::subject::protocol::{Op, Reply};
use crate::subject::twenty::can_be_stored;
use crate::suite::sender::stage::{SenderStage, WasSet};
use crate::webhook::json::Json;

/// The longest record that a CRM gets, in bytes: a call holds many.
const LONGEST: usize = 8 * 1024;

impl SenderStage<'_> {
    /// Asks the sender to emit these events. Returns why it refuses each, if it does.
    pub(super) async fn ask_all(
        &self,
        events: &mut [EmittedEvent],
    ) -> Result<Vec<Option<String>>, SubjectError> {
        let all = events.iter().map(|sent| sent.event.clone());
        let replies = if self.crm().is_some() {
            self.subject.emit_all(all.collect()).await?
        } else {
            let replies = join_all(all.map(|event| self.request_together(Op::Emit(event)))).await;
            replies.into_iter().collect::<Result<Vec<Reply>, _>>()?
        };
        Ok(events.iter_mut().zip(replies).map(|(sent, reply)| self.refused(sent, reply)).collect())
    }

    /// Why an event is refused, if it is. At a CRM, what was set is what must arrive.
    fn refused(&self, sent: &mut EmittedEvent, reply: Reply) -> Option<String> {
        let answer = match reply {
            Reply::Ok(answer) => answer,
            Reply::Error(why) | Reply::Unsupported(why) => return Some(why),
        };
        if let Some(set) = self.crm().and_then(|_| WasSet::read(&answer)) {
            sent.record = Json::parse(set.record.get().as_bytes()).unwrap_or(Json::Null);
            set.replace(&mut sent.event, &mut sent.asked_at_ms);
        }
        None
    }

    /// Whether the sender's database can hold a record, and a call many of its length.
    pub(super) fn can_hold(&self, members: &RecordMembers) -> bool {
        let record = || Json::Object(members.clone());
        self.crm().is_none() || (can_be_stored(&record()) && record().compact().len() <= LONGEST)
    }
}
