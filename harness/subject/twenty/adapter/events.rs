//! Events as changes of records. What is emitted is what the change makes happen, so each reply says what was set.
//!
//! Invariant: there is one reply for each event, in their order.

use serde_json::value::RawValue;

use super::Twenty;
use super::registry::{Life, MadeRecord};
use crate::subject::SubjectError;
use crate::subject::protocol::Reply;
use crate::subject::twenty::api::{BATCH, SentAt};
use crate::subject::twenty::error::{ApiError, ApiFault};
use crate::subject::twenty::records::{self, SetMembers, Standard};
use crate::subject::twenty::{mark, messages};
use crate::webhook::event::Event;
use crate::webhook::json::Json;

/// A record that is to be created.
struct Creation {
    id: String,
    record: MadeRecord,
    /// Whether it may be created together with others. One that may be refused is not.
    shared: bool,
}

/// How an object's records are set.
enum Kind {
    Standard(&'static Standard),
    /// The custom object.
    Any,
}

impl Twenty {
    pub(super) async fn emit(&self, events: Vec<Event>) -> Result<Vec<Reply>, SubjectError> {
        let mut replies = Vec::with_capacity(events.len());
        let mut together: Vec<Creation> = Vec::new();
        for event in events {
            if event.name.action() != "created" || event.name.is_metadata() {
                self.create_all(&mut together, &mut replies).await?;
                replies.push(self.change(&event).await?);
                continue;
            }
            match self.creation(&event, &together) {
                Ok(creation) => {
                    let fits = |last: &Creation| {
                        last.record.plural == creation.record.plural && last.shared && creation.shared
                    };
                    if together.len() == BATCH || !together.last().is_none_or(fits) {
                        self.create_all(&mut together, &mut replies).await?;
                    }
                    together.push(creation);
                }
                Err(why) => {
                    self.create_all(&mut together, &mut replies).await?;
                    replies.push(Reply::Unsupported(why));
                }
            }
        }
        self.create_all(&mut together, &mut replies).await?;
        Ok(replies)
    }

    /// The creation that an event asks for. Errors: why there is none.
    fn creation(&self, event: &Event, together: &[Creation]) -> Result<Creation, String> {
        let (kind, plural) = self.kind(event.name.object())?;
        let id = event.record_id().filter(|id| mark::is_our_record(id)).ok_or_else(messages::no_record_id)?;
        if self.registry().records.contains_key(&id) || together.iter().any(|one| one.id == id) {
            return Err(messages::is_there_already(&id));
        }
        let json = parsed(event)?;
        let mut members = match kind {
            Kind::Standard(object) => object.settable(&id, &json),
            Kind::Any => records::any_members(event.record.get()),
        };
        self.leave_out_refused(event.name.object(), &mut members);
        let object = event.name.object().to_owned();
        let shared = records::can_be_stored(&json);
        Ok(Creation { id, record: MadeRecord { object, plural, members, life: Life::Unknown }, shared })
    }

    fn kind(&self, object: &str) -> Result<(Kind, String), String> {
        if let Some(standard) = Standard::named(object) {
            return Ok((Kind::Standard(standard), standard.plural.to_owned()));
        }
        let registry = self.registry();
        let custom = registry.custom.as_ref().filter(|one| one.singular == object && one.field.is_some());
        custom.map(|one| (Kind::Any, one.plural.clone())).ok_or_else(|| messages::unknown_object(object))
    }

    /// Creates records of one object, in one call if it accepts them.
    async fn create_all(
        &self,
        together: &mut Vec<Creation>,
        replies: &mut Vec<Reply>,
    ) -> Result<(), SubjectError> {
        let all = std::mem::take(together);
        let Some(first) = all.first() else { return Ok(()) };
        if all.len() > 1 {
            let plural = first.record.plural.clone();
            let bodies: Vec<String> =
                all.iter().map(|one| one.record.members.object(Some(&one.id))).collect();
            all.iter().for_each(|one| self.note(one));
            match self.api.create_records(&plural, &bodies).await {
                Ok(sent_at) => {
                    replies.extend(all.iter().map(|one| self.created(one, sent_at)));
                    return Ok(());
                }
                // One of them is refused, so none was created.
                Err(error) if error.fault == ApiFault::Refused => {
                    all.iter().for_each(|one| self.take_back(one));
                }
                Err(error) => {
                    if !error.is_uncertain() {
                        all.iter().for_each(|one| self.take_back(one));
                    }
                    return Err(error.in_run());
                }
            }
        }
        for one in all {
            replies.push(self.create(one).await?);
        }
        Ok(())
    }

    async fn create(&self, mut one: Creation) -> Result<Reply, SubjectError> {
        loop {
            self.leave_out_refused(&one.record.object, &mut one.record.members);
            self.note(&one);
            let members = one.record.members.object(Some(&one.id));
            let error = match self.api.create_record(&one.record.plural, &members).await {
                Ok(sent_at) => return Ok(self.created(&one, sent_at)),
                Err(error) => error,
            };
            if !error.is_uncertain() {
                self.take_back(&one);
            }
            if self.learn(&error, &one.record.object, &one.record.members) {
                continue;
            }
            return match error.fault {
                ApiFault::Refused => Ok(Reply::Unsupported(messages::refuses_record(&error.said))),
                // The database cannot hold it.
                ApiFault::ServerFailed if !one.shared => {
                    Ok(Reply::Unsupported(messages::refuses_record(&error.said)))
                }
                _ => Err(error.in_run()),
            };
        }
    }

    /// Notes members that this version refuses by name. Returns whether there are any.
    fn learn(&self, error: &ApiError, object: &str, members: &SetMembers) -> bool {
        if error.fault != ApiFault::Refused || Standard::named(object).is_none() {
            return false;
        }
        let is_named = |name: &str| {
            error.said.split(|character: char| !character.is_ascii_alphanumeric()).any(|word| word == name)
        };
        // `name` is a common word in such texts, and every version has it.
        let refused = members.names().into_iter().filter(|name| *name != "name" && is_named(name));
        let refused: Vec<&'static str> = refused.collect();
        let mut registry = self.registry();
        registry.refused.extend(refused.iter().map(|name| (object.to_owned(), *name)));
        !refused.is_empty()
    }

    fn leave_out_refused(&self, object: &str, members: &mut SetMembers) {
        for (of, name) in &self.registry().refused {
            if of == object {
                members.remove(name);
            }
        }
    }

    fn note(&self, one: &Creation) {
        self.registry().records.insert(one.id.clone(), one.record.clone());
    }

    fn take_back(&self, one: &Creation) {
        self.registry().records.remove(&one.id);
    }

    fn created(&self, one: &Creation, sent_at: SentAt) -> Reply {
        if let Some(record) = self.registry().records.get_mut(&one.id) {
            record.life = Life::Live;
        }
        reply(&one.record.members, &one.id, None, sent_at)
    }

    /// Changes a record that this run made, or its custom object's field.
    async fn change(&self, event: &Event) -> Result<Reply, SubjectError> {
        if event.name.is_metadata() {
            return self.change_field(event).await;
        }
        let known = event.record_id().and_then(|id| {
            let known = self.registry().records.get(&id).cloned();
            known.filter(|record| record.object == event.name.object()).map(|record| (id, record))
        });
        let Some((id, record)) = known else {
            let id = event.record_id().unwrap_or_default();
            return Ok(Reply::Unsupported(messages::not_created_before(&id)));
        };
        let (action, plural) = (event.name.action(), record.plural.as_str());
        let refused = match (action, record.life) {
            ("updated" | "deleted", Life::Deleted) => Some(messages::is_soft_deleted(&id)),
            ("restored", Life::Live | Life::Unknown) => Some(messages::is_not_soft_deleted(&id)),
            _ => None,
        };
        if let Some(why) = refused {
            return Ok(Reply::Unsupported(why));
        }
        let done = match action {
            "updated" => return self.update(event, id, record).await,
            "deleted" => self.api.delete_record(plural, &id).await.map(|at| (Some(Life::Deleted), at)),
            "restored" => self.api.restore_record(plural, &id).await.map(|at| (Some(Life::Live), at)),
            "destroyed" => self.api.destroy_record(plural, &id).await.map(|at| (None, at)),
            other => return Ok(Reply::Unsupported(messages::unknown_action(other))),
        };
        let (life, sent_at) = done.map_err(|error| error.in_run())?;
        let mut registry = self.registry();
        match (life, registry.records.get_mut(&id)) {
            (Some(life), Some(record)) => record.life = life,
            _ => drop(registry.records.remove(&id)),
        }
        let fields = life.map(|_| ["deletedAt"].as_slice());
        Ok(reply(&record.members, &id, fields, sent_at))
    }

    async fn update(&self, event: &Event, id: String, mut record: MadeRecord) -> Result<Reply, SubjectError> {
        let json = match parsed(event) {
            Ok(json) => json,
            Err(why) => return Ok(Reply::Unsupported(why)),
        };
        loop {
            let number = {
                let mut registry = self.registry();
                registry.updates += 1;
                registry.updates
            };
            let mut changed = match Standard::named(&record.object) {
                Some(object) => {
                    let named = event.updated_fields.as_deref();
                    object.update(
                        &id,
                        &record.members,
                        &self.without_refused(&record.object, &json),
                        named,
                        number,
                    )
                }
                None => records::any_update(&record.members, event.record.get(), number),
            };
            self.leave_out_refused(&record.object, &mut changed);
            match self.api.update_record(&record.plural, &id, &changed.object(None)).await {
                Ok(sent_at) => {
                    record.members.set(&changed);
                    let reply = reply(&record.members, &id, Some(&changed.names()), sent_at);
                    self.registry().records.insert(id, record);
                    return Ok(reply);
                }
                Err(error) if self.learn(&error, &record.object, &changed) => {}
                Err(error) if error.fault == ApiFault::Refused => {
                    return Ok(Reply::Unsupported(messages::refuses_record(&error.said)));
                }
                Err(error) => return Err(error.in_run()),
            }
        }
    }

    /// The record without the members that this version refuses.
    fn without_refused(&self, object: &str, record: &Json) -> Json {
        let Json::Object(members) = record else { return record.clone() };
        let registry = self.registry();
        let is_refused =
            |name: &str| registry.refused.iter().any(|(of, other)| of == object && *other == name);
        let kept =
            members.iter().filter(|(name, _)| !name.to_unicode().is_some_and(|name| is_refused(&name)));
        Json::Object(kept.cloned().collect())
    }

    /// Gives the custom object's field another label. It is the only metadata that is changed.
    async fn change_field(&self, event: &Event) -> Result<Reply, SubjectError> {
        let field = self.registry().custom.as_ref().and_then(|custom| custom.field.clone());
        let (Some(field), "metadata.fieldMetadata.updated") = (field, event.name.as_str()) else {
            return Ok(Reply::Unsupported(messages::unknown_action(event.name.as_str())));
        };
        let number = {
            let mut registry = self.registry();
            registry.updates += 1;
            registry.updates
        };
        let label = format!("{} {number}", records::JSON_FIELD);
        match self.api.relabel_field(&field, &label).await {
            Ok(()) => Ok(ok(format!("{{\"record\":{{\"recordId\":\"{field}\"}}}}"))),
            Err(error)
                if matches!(error.fault, ApiFault::NoRoute | ApiFault::Refused | ApiFault::Forbidden) =>
            {
                Ok(Reply::Unsupported(error.to_string()))
            }
            Err(error) => Err(error.in_run()),
        }
    }
}

fn parsed(event: &Event) -> Result<Json, String> {
    let json = Json::parse(event.record.get().as_bytes()).ok();
    json.filter(|json| matches!(json, Json::Object(_))).ok_or_else(messages::not_an_object)
}

/// The reply that something was set: the record, the names of the members that an update changed, and when the call was sent.
fn reply(members: &SetMembers, id: &str, fields: Option<&[&str]>, SentAt(sent_at): SentAt) -> Reply {
    let fields = fields.map(|names| format!(",\"updatedFields\":{}", serde_json::Value::from(names)));
    let asked = sent_at.map(|ms| format!(",\"askedAtMs\":{ms}"));
    let rest = fields.into_iter().chain(asked).collect::<String>();
    ok(format!("{{\"record\":{}{rest}}}", members.object(Some(id))))
}

fn ok(answer: String) -> Reply {
    // The members are JSON texts, and an id has no character that JSON escapes.
    RawValue::from_string(answer).map_or_else(|why| Reply::Error(why.to_string()), Reply::Ok)
}
