//! What the merge thread tells Python of a second.

use wire::Mac;

use crate::config::Mode;
use crate::detect::{BeaconFinding, Click, Finding, Hit};
use crate::mirror::ConditionChange;
use crate::names::{AppEvent, AppRecord};
use crate::punt::PuntedFrame;
use crate::web::WebRecord;

/// Live, so many mails, and so many attempts to log in, go over with one second.
pub(super) const MAX_JUDGED: usize = 5000;

/// What Python is told.
#[derive(Debug, Default)]
pub struct Notice {
    /// Packet time.
    pub time_ns: u64,
    /// Meetings with watchlist entries.
    pub hits: Vec<Hit>,
    /// What was judged across flows.
    pub findings: Vec<Finding>,
    /// Attacks on web servers.
    pub web: Vec<WebRecord>,
    /// Hosts that call a remote end at a machine's pace.
    pub beacons: Vec<BeaconFinding>,
    /// What has become wrong or well with the mirror.
    pub conditions: Vec<ConditionChange>,
    /// Frames of control protocols.
    pub punted: Vec<PuntedFrame>,
    /// Hardware addresses that have turned out to be routers'.
    pub routers: Vec<Mac>,
    /// Mails, and what was said beside them.
    pub mails: Vec<AppRecord>,
    /// Attempts to log in.
    pub logins: Vec<AppRecord>,
    /// Links of mails that were followed.
    pub clicks: Vec<Click>,
}

impl Notice {
    /// Number of alerts that it may raise.
    pub fn len(&self) -> usize {
        let judged = self.mails.len() + self.logins.len() + self.clicks.len() + self.web.len();
        self.hits.len() + self.findings.len() + self.beacons.len() + self.conditions.len() + judged
    }

    /// Takes copies of what is judged beyond the core; live at most [`MAX_JUDGED`] of each, and the rest is counted.
    pub(super) fn take_apps(&mut self, apps: &[AppRecord], mode: Mode) -> u64 {
        let mut lost = 0;
        for app in apps {
            let judged = match app.event {
                AppEvent::Smtp(_) | AppEvent::Pop3(_) | AppEvent::Imap(_) => &mut self.mails,
                AppEvent::Login(_) => &mut self.logins,
                _ => continue,
            };
            if mode == Mode::Live && judged.len() >= MAX_JUDGED {
                lost += 1;
            } else {
                judged.push(app.clone());
            }
        }
        lost
    }

    /// Whether it tells nothing that may raise an alert.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it tells nothing of who hosts are either.
    pub(super) fn is_silent(&self) -> bool {
        self.is_empty() && self.punted.is_empty() && self.routers.is_empty()
    }
}
