//! Beginnings of SSH connections as columns.

use app::ssh::Banner;

use super::columns::Columns;
use crate::names::SshBanners;

/// Adds the versions that both ends said.
pub(super) fn add(columns: &mut Columns, banners: &[&SshBanners]) {
    let clients = || banners.iter().map(|banners| banners.client.as_ref());
    let servers = || banners.iter().map(|banners| banners.server.as_ref());
    let proto = |banner: Option<&Banner>| banner.map(|banner| banner.proto.clone());
    let software = |banner: Option<&Banner>| banner.map(|banner| banner.software.clone());
    columns
        .text("client_proto", clients().map(proto))
        .text("client_software", clients().map(software))
        .text("server_proto", servers().map(proto))
        .text("server_software", servers().map(software));
}
