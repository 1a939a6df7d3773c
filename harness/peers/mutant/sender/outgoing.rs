//! A request that is about to be sent, and the ways to change it.
//!
//! Invariant: an unsigned request stays unsigned.

use bytes::Bytes;
use serde_json::Value;

use super::bodies;
use super::registry::Registry;
use crate::webhook::dialect::Dialect;
use crate::webhook::recipe::Recipe;
use crate::webhook::rewriting::Rewriting;
use crate::webhook::signature::{Key, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use crate::wire::exchange::Delivery;

pub(super) struct Outgoing<'a> {
    pub(super) url: String,
    pub(super) delivery: Delivery,
    pub(super) secret: Option<Secret>,
    pub(super) registry: &'a Registry,
    pub(super) dialect: &'static Dialect,
    pub(super) now_ms: u64,
}

impl Outgoing<'_> {
    pub(super) fn header(&mut self, name: &str, value: impl Into<Bytes>) {
        self.delivery.headers.set(name, value);
    }

    pub(super) fn without(&mut self, name: &str) {
        self.delivery.headers.remove(name);
    }

    pub(super) fn double(&mut self, name: &str) {
        if let Some(value) = self.delivery.headers.single(name).cloned() {
            self.delivery.headers.add(name, value);
        }
    }

    pub(super) fn rename(&mut self, name: &str, other: &str) {
        if let Some(value) = self.delivery.headers.single(name).cloned() {
            self.delivery.headers.remove(name);
            self.delivery.headers.add(other, value);
        }
    }

    /// The secret, if it can stand in a name or a URL.
    pub(super) fn word(&self) -> Option<String> {
        let secret = self.secret.as_ref().map(Secret::expose);
        secret.filter(|secret| secret.bytes().all(|byte| byte.is_ascii_alphanumeric())).map(str::to_owned)
    }

    /// Changes the body's bytes and signs it again.
    pub(super) fn rewrite(&mut self, change: impl FnOnce(&[u8]) -> Vec<u8>) {
        self.delivery.body = Bytes::from(change(&self.delivery.body));
        self.sign_at(self.timestamp());
    }

    /// Changes the body's members and signs it again.
    pub(super) fn edit(&mut self, change: impl FnOnce(&mut Value)) {
        self.rewrite(|body| {
            let mut value = bodies::read(body);
            change(&mut value);
            bodies::write(&value).into_bytes()
        });
    }

    pub(super) fn is_signed(&self) -> bool {
        self.delivery.headers.single(SIGNATURE_HEADER).is_some()
    }

    pub(super) fn sign_under(&mut self, secret: Option<Secret>) {
        let own = std::mem::replace(&mut self.secret, secret);
        self.sign_at(self.timestamp());
        self.secret = own;
    }

    /// Signs again with this timestamp, which also becomes the header.
    pub(super) fn sign_at(&mut self, timestamp: String) {
        if let Some(secret) = self.secret.as_ref().filter(|_| self.is_signed()) {
            let signature = Key::new(secret).sign(timestamp.as_bytes(), &self.delivery.body).to_hex();
            self.header(SIGNATURE_HEADER, signature);
            self.header(TIMESTAMP_HEADER, timestamp);
        }
    }

    /// Signs another text than the body that is sent, if there is one.
    pub(super) fn sign_other(&mut self, text: Option<Vec<u8>>) {
        let Some(text) = text else { return };
        let sent = std::mem::replace(&mut self.delivery.body, text.into());
        self.sign_at(self.timestamp());
        self.delivery.body = sent;
    }

    /// Signs another spelling of the body.
    pub(super) fn sign_rewritten(&mut self, rewriting: &Rewriting) {
        let text = rewriting.of(&String::from_utf8_lossy(&self.delivery.body));
        self.sign_other(text.map(String::into_bytes));
    }

    pub(super) fn sign_by(&mut self, recipe: Recipe) {
        let Some(secret) = &self.secret else { return };
        let timestamp = self.delivery.headers.single(TIMESTAMP_HEADER).cloned().unwrap_or_default();
        if let Some(value) = recipe.compute(secret.expose(), &timestamp, &self.delivery.body) {
            self.header(SIGNATURE_HEADER, value);
        }
    }

    pub(super) fn timestamp(&self) -> String {
        let timestamp = self.delivery.headers.single(TIMESTAMP_HEADER);
        timestamp.map_or_else(|| self.now_ms.to_string(), |value| String::from_utf8_lossy(value).into_owned())
    }
}
