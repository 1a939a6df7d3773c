//! A server on plain sockets for handlers that need the original case of header names, which hyper loses.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use twenty_conform::wire::codec::encode_response;
use twenty_conform::wire::endpoint::intake::{Broken, Intake, IntakeAnswer, Limits, Request, Service};
use twenty_conform::wire::endpoint::{Handler, Server};

struct Plain(Arc<dyn Handler>);

impl Intake for Plain {
    fn handle(&self, request: &Request<'_>) -> IntakeAnswer<'_> {
        let answer = self.0.handle(request.to_delivery());
        IntakeAnswer::Later(answer.map(|answer| answer.map(|answer| encode_response(&answer))).boxed())
    }

    fn broken(&self, what: Broken, _: &[u8]) -> Option<BoxFuture<'_, ()>> {
        if what == Broken::CutOff {
            self.0.cut_off();
        }
        None
    }
}

/// Serves on a port that the system chooses.
pub(crate) async fn serve(handler: Arc<dyn Handler>) -> io::Result<Server> {
    let limits = Limits { body: handler.body_limit(), ..Limits::default() };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Ok(Service::start(address, limits, Arc::new(Plain(handler))).await?.into())
}
