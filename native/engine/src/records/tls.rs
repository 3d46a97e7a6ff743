//! Beginnings of TLS and QUIC connections as columns.

use super::columns::Columns;
use crate::names::{QuicHello, TlsHellos};

/// Adds what client and server said; the version is the one that the server chose, or the highest that the client offers.
pub(super) fn add(columns: &mut Columns, hellos: &[&TlsHellos]) {
    let clients = || hellos.iter().map(|hellos| hellos.client.as_ref());
    let servers = || hellos.iter().map(|hellos| hellos.server.as_ref());
    let offered = clients().map(|client| client.map(|client| client.version));
    let versions = servers().zip(offered).map(|(server, offered)| server.map(|server| server.version).or(offered));
    columns
        .text("sni", clients().map(|client| client.and_then(|client| client.sni.as_deref())))
        .text("version", versions.map(|version| version.map(|version| version.name().to_string())))
        .text("ja4", clients().map(|client| client.map(|client| client.ja4.as_str())))
        .maybe_u16("cipher", servers().map(|server| server.map(|server| server.cipher)));
}

/// Adds what the client said.
pub(super) fn add_quic(columns: &mut Columns, hellos: &[&QuicHello]) {
    let rows = || hellos.iter();
    columns
        .text("sni", rows().map(|quic| quic.hello.sni.as_deref()))
        .text("version", rows().map(|quic| Some(quic.version.name().to_string())))
        .text("ja4", rows().map(|quic| Some(quic.hello.ja4.as_str())));
}
