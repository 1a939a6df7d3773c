//! How the reference sender answers the attachment protocol: in this process, under `serve sender`, and in the mutants.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::json;

use super::{Sender, messages};
use crate::subject::SubjectError;
use crate::subject::protocol::{Hello, Op, Reply};
use crate::subject::sender as subject;

impl subject::Sender for Sender {
    fn call(&self, op: Op) -> BoxFuture<'_, Result<Reply, SubjectError>> {
        let reply = answer(self, op);
        async { Ok(reply) }.boxed()
    }
}

fn answer(sender: &Sender, op: Op) -> Reply {
    let known = |webhook: &str| webhook.strip_prefix('w')?.parse::<u64>().ok();
    let unknown = |webhook: &str| Reply::Error(messages::unknown_webhook(webhook));
    match op {
        Op::Hello { dialect, ca } if dialect == sender.dialect().name => {
            if let Some(ca) = ca
                && let Err(why) = sender.trust(&ca)
            {
                return Reply::Error(why);
            }
            let able = ["delete", "filters", "outcomes", "unsigned"].map(str::to_owned);
            // Without an authority there is no certificate to trust.
            let https = sender.trusts().then(|| "https".to_owned());
            let metadata = sender.dialect().metadata_envelope.map(|_| "metadata-events".to_owned());
            let hello = Hello {
                name: "twenty-conform reference sender".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                dialect: Some(sender.dialect().name.to_owned()),
                settle_ms: None,
                capabilities: able.into_iter().chain(https).chain(metadata).collect(),
            };
            Reply::ok(&json!(hello))
        }
        Op::Hello { dialect, .. } => Reply::Error(messages::other_dialect(sender.dialect().name, &dialect)),
        Op::CreateWebhook { url, secret, operations } => {
            match sender.create_webhook(&url, secret.as_ref(), operations) {
                Ok(id) => Reply::ok(&json!({ "webhook": format!("w{id}") })),
                Err(why) => Reply::Error(why),
            }
        }
        Op::Emit(event) => {
            sender.emit(&event);
            Reply::ok(&json!({}))
        }
        Op::Outcomes { webhook } => match known(&webhook).and_then(|id| sender.outcomes(id)) {
            Some(deliveries) => Reply::ok(&json!({ "deliveries": deliveries })),
            None => unknown(&webhook),
        },
        Op::DeleteWebhook { webhook } => match known(&webhook).filter(|&id| sender.delete_webhook(id)) {
            Some(_) => Reply::ok(&json!({})),
            None => unknown(&webhook),
        },
        Op::Shutdown => Reply::ok(&json!({})),
    }
}
